//! The `kdj` binary: hand over to the library and end with the code it returns.

use std::process::ExitCode;

fn main() -> ExitCode {
    kdj::main(std::env::args_os())
}
