//! The password is in the client's environment, and nowhere else; the SQL is on its stdin.

use std::{fs, path::Path};

use rustix::process::Signal;

use super::{
    super::harness::{
        cluster,
        databases::{PASSWORD, Server},
    },
    wait_until_running, with_clients,
};

#[test]
fn no_password_and_no_sql_is_in_arguments_or_logs() {
    let Some(cluster) = cluster() else { return };
    let databases = with_clients(cluster, &[Server::Postgres, Server::Mariadb]);
    let own = "[environments.own.database]\ntoolbox_image = 'registry.local/toolbox:1'\n";
    let canary = format!("canary-sql-{}-5Qm", std::process::id());
    for (number, client) in ["image", "local", "toolbox"].into_iter().enumerate() {
        let kdj = databases.kdj(own);
        let sql = format!("select '{canary}', pg_sleep(80{number})");
        let kdj = kdj.file("project/query.sql", &sql);
        let words = ["-v", "dbshell", "own", "--read-only", "--client", client, "-f", "query.sql"];
        let running = kdj.start(words);
        wait_until_running(&databases, &format!("pg_sleep(80{number})"), "1");
        // Everything runs on this machine, the pods too: whatever process has it in its arguments is found.
        let mut seen = 0;
        for process in fs::read_dir("/proc").expect("/proc").flatten() {
            let arguments = fs::read(process.path().join("cmdline")).unwrap_or_default();
            let arguments = String::from_utf8_lossy(&arguments).into_owned();
            // The server of another test, as it is made, has it in its own.
            let leaks = arguments.contains(PASSWORD) && !arguments.contains("pw=");
            assert!(!leaks && !arguments.contains(&canary), "{client}: {arguments}");
            seen += u32::from(arguments.contains("psql"));
        }
        assert!(seen > 0 || !Path::new("/proc/self/cmdline").exists(), "{client}: no psql was seen");
        running.signal(Signal::INT);
        let output = running.finish();
        assert!(!output.to_string().contains("canary"), "{client}: {output}");
        let state = fs::read_dir(kdj.directory().join("state")).into_iter().flatten().flatten();
        assert!(state.count() <= 1, "more than kdj's own folder");
        let journal = fs::read_to_string(kdj.directory().join("state/kdj/audit.jsonl")).unwrap_or_default();
        assert!(!journal.contains("canary"), "{journal}");
    }
    let kdj = databases.kdj("");
    for words in [
        &["--database", "maria", "-c", "select 1"][..],
        &["-o", "json", "-c", "select 1"],
        &["--database", "down", "-c", "select 1"],
    ] {
        let output = kdj.run(["-v", "dbshell", "own"].iter().chain(words));
        assert!(!output.to_string().contains("canary"), "{output}");
    }
    if let Some(log) = cluster.audit_log() {
        let lines = log.lines().filter(|line| line.contains(databases.namespace.name()) && line.contains("/exec"));
        let leaks: Vec<&str> = lines.filter(|line| line.contains(PASSWORD) || line.contains(&canary)).collect();
        assert!(leaks.is_empty(), "{leaks:?}");
    }
}
