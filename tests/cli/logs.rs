//! `kdj logs`: which logs, in how many requests, and every line once whatever goes wrong.

mod faults;
mod restarts;
mod stdin;
mod which;

use crate::harness::{ApiServer, CommandOutput, Kdj, process::Running, shop::NAMESPACE};

const POD: &str = "web-7c9d8f-aaaaa";

/// Lines of numbers, each with its line feed.
fn lines(numbers: std::ops::RangeInclusive<u32>) -> String {
    numbers.map(|number| format!("line {number}\n")).collect()
}

/// The web pod prints these numbers.
fn print(server: &ApiServer, numbers: std::ops::RangeInclusive<u32>) {
    server.log(NAMESPACE, POD, "django", lines(numbers));
}

/// `kdj logs qa -o raw OPTIONS`, which goes on.
#[track_caller]
fn follow<const N: usize>(server: &ApiServer, options: [&str; N]) -> Running {
    Kdj::on(server).start(["logs", "qa", "-o", "raw"].into_iter().chain(options))
}

/// `kdj logs qa --no-follow OPTIONS`.
#[track_caller]
fn read<const N: usize>(server: &ApiServer, options: [&str; N]) -> CommandOutput {
    Kdj::on(server).run(["logs", "qa", "--no-follow"].into_iter().chain(options))
}

/// Ends what follows, as Ctrl-C does.
#[track_caller]
fn stop(running: Running) -> CommandOutput {
    running.signal(rustix::process::Signal::INT);
    running.finish().expect_code(130)
}
