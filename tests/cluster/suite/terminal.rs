//! A shell at a terminal: keys, sizes, signals of the remote side.

use super::harness::{
    Pty, cluster,
    wait::{DEADLINE, poll_until},
};

/// What a shell's prompt ends with.
pub const PROMPT: &str = "$ ";

/// Sleeps, and says so when it has the terminal: a key pressed before would be the shell's.
pub const SLEEP: &str = "python -c 'import signal, time; say = lambda *_: print(\"aw\" \"ake\", flush=True); \
                     signal.signal(signal.SIGCONT, say); say(); time.sleep(1000)'\r";

/// A shell in `qa`, at its prompt; `None` without a cluster.
#[track_caller]
fn shell() -> Option<Pty> {
    let mut pty = Pty::run(&cluster()?.kdj(), ["shell", "qa"]);
    pty.wait_for(PROMPT);
    Some(pty)
}

#[test]
fn a_shell_at_a_terminal() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let mut pty = Pty::run(&kdj, ["shell", "qa"]);
    let banner = pty.wait_for(PROMPT);
    for words in [
        "qa: context acme-staging, namespace shop-qa, pod shell-",
        "container django",
        "registry.local/shop:1",
        "Enter ~ .",
        "(qa) ",
    ] {
        assert!(banner.contains(words), "the banner lacks `{words}`: {banner}");
    }
    assert!(pty.modes().is_raw());
    pty.press("tty; echo term=$TERM; command -v python; shopt -q login_shell || echo 'no login'\r");
    pty.wait_for("/dev/pts/");
    pty.wait_for("term=xterm-256color\r\n");
    pty.wait_for("/opt/venv/bin/python\r\n");
    pty.wait_for("no login\r\n");
    pty.wait_for(PROMPT);
    pty.press("exit 7\r");
    assert_eq!(pty.finish().code(), Some(7));
    pty.expect_restored();
}

#[test]
fn the_size_is_passed_on_at_once_and_on_change() {
    let Some(mut pty) = shell() else { return };
    pty.press("until stty size | grep ^30.100; do sleep 0.1; done\r");
    pty.wait_for("30 100\r\n");
    pty.wait_for(PROMPT);
    pty.press("until stty size | grep ^43.132; do sleep 0.1; done\r");
    pty.resize(132, 43);
    pty.wait_for("43 132\r\n");
    pty.wait_for(PROMPT);
    // A storm of changes ends with the last one.
    pty.press("until stty size | grep ^50.119; do sleep 0.1; done; exit 0\r");
    for columns in 60..120 {
        pty.resize(columns, 50);
    }
    pty.wait_for("50 119\r\n");
    assert_eq!(pty.finish().code(), Some(0));
}

#[test]
fn a_command_at_a_terminal_gets_one() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let script = "test -t 0 -a -t 1 -a -t 2 || exit 9
        start=$(date +%s%3N)
        while [ \"$(stty size)\" = '0 0' ]; do sleep 0.01; done
        echo size=$(stty size) term=$TERM after=$(($(date +%s%3N) - start)); exit 3";
    // The kubelet sets the size when the command has begun: a moment is the cluster's, more would be kdj's.
    let at_once = (0..12).any(|_| {
        let mut pty = Pty::run(&kdj, ["shell", "qa", "--", "sh", "-c", script]);
        pty.wait_for("size=");
        let answer = pty.wait_for("\r\n");
        let time = answer.trim().strip_prefix("30 100 term=xterm-256color after=");
        let time = time.unwrap_or_else(|| panic!("size={answer}"));
        assert_eq!(pty.finish().code(), Some(3));
        time.parse::<u32>().expect("milliseconds") < 150
    });
    assert!(at_once, "the size came late each time");
}

#[test]
fn ctrl_c_reaches_the_remote_side() {
    let Some(mut pty) = shell() else { return };
    pty.press(SLEEP);
    pty.wait_for("awake\r\n");
    pty.press("\x03");
    pty.wait_for(PROMPT);
    pty.press("echo code=$?\r");
    pty.wait_for("code=130\r\n");
    pty.wait_for(PROMPT);
    pty.press("\x04");
    assert_eq!(pty.finish().code(), Some(0));
}

#[test]
fn ctrl_c_stops_a_flood() {
    let Some(mut pty) = shell() else { return };
    pty.press("yes flood\r");
    poll_until("a flood", DEADLINE, || (pty.length() > 500_000).then_some(()));
    let pressed = std::time::Instant::now();
    pty.press("\x03");
    pty.wait_for(PROMPT);
    let took = pressed.elapsed();
    assert!(took.as_secs() < 10, "the flood went on for {took:?}");
    pty.press("exit 4\r");
    assert_eq!(pty.finish().code(), Some(4));
}

#[test]
fn ctrl_z_and_ctrl_backslash_reach_the_remote_side() {
    let Some(mut pty) = shell() else { return };
    pty.press(SLEEP);
    pty.wait_for("awake\r\n");
    pty.press("\x1a");
    pty.wait_for("Stopped");
    pty.wait_for(PROMPT);
    pty.press("fg\r");
    pty.wait_for("awake\r\n");
    pty.press("\x1c");
    pty.wait_for("Quit");
    pty.wait_for(PROMPT);
    pty.press("echo code=$?; exit\r");
    pty.wait_for("code=131\r\n");
    assert_eq!(pty.finish().code(), Some(0));
}

#[test]
fn the_shell_of_an_image_without_bash() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let mut pty = Pty::run(&kdj, ["shell", "car2-qa"]);
    pty.wait_for("$ ");
    pty.press("pwd; command -v python; echo shell=$0\r");
    pty.wait_for("/app\r\n/opt/venv/bin/python\r\nshell=sh\r\n");
    pty.press("\x04");
    assert_eq!(pty.finish().code(), Some(0));
}
