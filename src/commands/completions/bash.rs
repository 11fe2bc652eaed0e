//! bash's completion, by a script of kdj's own: clap's takes `arn:aws:eks` for five words, as bash does, and puts candidates
//! onto the line as they are.

use std::{ffi::OsString, io, path::Path};

use clap_complete::env::{Bash as Clap, EnvCompleter};

const SCRIPT: &str = include_str!("kdj.bash");

/// bash.
pub struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        Clap.name()
    }

    fn is(&self, name: &str) -> bool {
        Clap.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        _name: &str,
        program: &str,
        completer: &str,
        script: &mut dyn io::Write,
    ) -> Result<(), io::Error> {
        let filled = SCRIPT.replace("VAR", variable).replace("BIN", program);
        script.write_all(filled.replace("COMPLETER", &shell_words::quote(completer)).as_bytes())
    }

    fn write_complete(
        &self,
        program: &mut clap::Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        answer: &mut dyn io::Write,
    ) -> Result<(), io::Error> {
        Clap.write_complete(program, words, directory, answer)
    }
}
