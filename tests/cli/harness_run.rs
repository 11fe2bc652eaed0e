//! The harness runs the real binary as it says: tests that need no command of kdj's.

use std::time::Duration;

use crate::harness::{Kdj, plugin::Plugin, process::Running, pty::Pty};

#[test]
fn output_is_one_picture() {
    let output = Kdj::bare().run(["no-such-command"]);
    assert!(output.to_string().starts_with("------- stderr -------\nerror: "), "{output}");
    assert!(output.to_string().ends_with("[exit status: 2]\n"), "{output}");
}

#[test]
fn nothing_of_the_developer_gets_in() {
    let kdj = Kdj::bare();
    let command = kdj.command(["--version"]);
    let names: Vec<_> = command.get_envs().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    assert!(!names.iter().any(|name| name.starts_with("KDJ_")), "{names:?}");
    let home = command.get_envs().find(|(name, _)| *name == "HOME").and_then(|(_, value)| value);
    assert!(home.is_some_and(|home| std::path::Path::new(home).starts_with(kdj.directory())));
}

#[test]
fn plugins_count_their_runs() {
    let kdj = Kdj::bare();
    let plugin = Plugin::with_fresh_tokens(&kdj.bin(), "t", 90);
    for number in 1..=2 {
        let command = plugin.exec_config()["command"].as_str().expect("a command").to_owned();
        let output = std::process::Command::new(command).output().expect("the plugin runs");
        let credential: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(credential["status"]["token"], format!("t-{number}"));
        assert_eq!(credential["status"]["expirationTimestamp"].as_str().map(str::len), Some(20));
    }
    assert_eq!(plugin.runs().len(), 2);
}

#[test]
fn a_pipe_can_be_closed_early() {
    let running: Running = Kdj::bare().close_stdout_after(10).deadline(Duration::from_secs(10)).start(["--help"]);
    let output = running.finish();
    assert_eq!(output.stdout.len(), 10, "{output}");
}

#[test]
fn a_terminal_has_a_shell_with_job_control() {
    let kdj = Kdj::bare();
    let mut pty = Pty::shell(&kdj);
    let modes = pty.modes();
    assert!(!modes.is_raw());
    pty.resize(120, 40);
    assert_eq!(pty.size(), (120, 40));
    pty.press("kdj --version; stty size\n");
    pty.wait_for("kdj 0.");
    pty.wait_for("40 120");
    pty.wait_for("sh> ");
    pty.press("sleep 60\n");
    let shell = pty.pid();
    let in_foreground = |pty: &Pty| {
        crate::harness::wait::poll_until("sleep in the foreground", Duration::from_secs(10), || {
            (pty.foreground() != shell).then_some(())
        });
    };
    in_foreground(&pty);
    pty.press("\x1a");
    pty.wait_for("sh> ");
    pty.press("fg\n");
    pty.wait_for("sleep 60");
    in_foreground(&pty);
    // The shell says that it continues the job, gives it the terminal, and only then lets it run.
    std::thread::sleep(Duration::from_millis(100));
    pty.press("\x03");
    pty.wait_for("sh> ");
    pty.press("exit 3\n");
    assert_eq!(pty.finish().code(), Some(3));
    assert!(pty.modes() == modes);
}
