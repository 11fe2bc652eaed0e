//! A client at a terminal: its prompt, its keys, its history.

use std::{fs, os::unix::fs::PermissionsExt};

use rustix::process::Signal;

use super::{
    super::harness::{Databases, Pty, cluster, databases::Server, wait},
    wait_until_running, with_clients,
};

const TOOLBOX: &str = "[environments.own.database]\ntoolbox_image = 'registry.local/toolbox:1'\n";

/// What is left of kdj in the container: folders and processes.
fn left(databases: &Databases) -> String {
    let look = "ls -d /dev/shm/* 2>/dev/null; for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done 2>/dev/null | grep -c '[p]sql\\|[k]dj'; true";
    databases.in_app(["sh", "-c", look]).trim().to_owned()
}

#[test]
fn the_prompt_the_keys_and_the_history() {
    let Some(cluster) = cluster() else { return };
    let databases = with_clients(cluster, &[Server::Postgres]);
    for client in ["image", "local", "toolbox"] {
        let kdj = databases.kdj(TOOLBOX);
        let directory = kdj.directory();
        let file = format!("acme-staging_{}.postgresql", databases.namespace.name());
        let mut pty = Pty::run(&kdj, ["dbshell", "own", "--read-only", "--client", client]);
        let banner = pty.wait_for("own:shop (read-only)=> ");
        assert!(banner.contains("default: shop at postgres:5432 as shop, read-only;"), "{banner}");
        pty.press("select 40 + 2 as n;\r");
        pty.wait_for("42\r\n");
        pty.wait_for("own:shop (read-only)=> ");
        pty.press("create table x (n int);\r");
        pty.wait_for("cannot execute CREATE TABLE in a read-only transaction");
        // Ctrl-C is the statement's.
        pty.press("select pg_sleep(900);\r");
        wait_until_running(&databases, "pg_sleep(900)", "1");
        pty.press("\x03");
        pty.wait_for("canceling statement due to user request");
        pty.press("select 1 +\r");
        pty.wait_for("own:shop (read-only)-> ");
        pty.press("1;\r\\q\r");
        assert_eq!(pty.finish().code(), Some(0), "{client}: {}", pty.text());
        pty.expect_restored();
        let path = directory.join("state/kdj/history").join(&file);
        let history = fs::read_to_string(&path).unwrap_or_default();
        assert!(history.contains("select 40 + 2 as n;"), "{client}: {history}");
        let mode = |path: &std::path::Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700), "{client}");
        // The next session has it.
        let mut again = Pty::run(&kdj, ["dbshell", "own", "--client", client]);
        again.wait_for("own:shop (read-write)=> ");
        again.press("\\pset pager off\r");
        again.wait_for("Pager usage is off.");
        again.press("\\s\r");
        again.wait_for("select 40 + 2 as n;");
        again.wait_for("own:shop (read-write)=> ");
        again.press("\\q\r");
        assert_eq!(again.finish().code(), Some(0), "{client}: {}", again.text());
    }
    assert_eq!(left(&databases), "0");
}

#[test]
fn a_protected_environment_is_red() {
    let Some(cluster) = cluster() else { return };
    let databases = with_clients(cluster, &[Server::Postgres, Server::Mariadb]);
    let kdj = databases.kdj("");
    let mut pty = Pty::run(&kdj, ["--color", "always", "dbshell", "live"]);
    let prompt = pty.wait_for(" (read-only)=> ");
    assert!(prompt.contains("\x1b[1;31mlive:shop\x1b[0m"), "{prompt:?}");
    pty.press("\\q\r");
    assert_eq!(pty.finish().code(), Some(0));
    let mut pty = Pty::run(&kdj, ["dbshell", "own", "--database", "maria"]);
    pty.wait_for("own:shop (read-write)> ");
    pty.press("select 40 + 2;\r");
    pty.wait_for("42");
    pty.press("\\q\r");
    assert_eq!(pty.finish().code(), Some(0));
}

#[test]
fn nothing_is_left_behind_when_kdj_is_killed() {
    let Some(cluster) = cluster() else { return };
    let databases = with_clients(cluster, &[Server::Postgres]);
    for (signal, seconds) in [(Signal::TERM, "911"), (Signal::KILL, "912"), (Signal::HUP, "913")] {
        let mut pty = Pty::run(&databases.kdj(""), ["dbshell", "own"]);
        pty.wait_for("own:shop (read-write)=> ");
        assert_ne!(left(&databases), "0", "it would not be seen");
        let sql = format!("select pg_sleep({seconds})");
        pty.press(&format!("{sql};\r"));
        wait_until_running(&databases, &sql, "1");
        pty.signal(pty.pid(), signal);
        wait_until_running(&databases, &sql, "0");
        wait::poll_until("nothing to be left", wait::DEADLINE, || (left(&databases) == "0").then_some(()));
    }
}
