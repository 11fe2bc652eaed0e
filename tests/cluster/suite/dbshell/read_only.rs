//! Read-only sessions: verified in the very connection, and refused where they cannot be had.

use super::{
    super::harness::{cluster, databases::Server},
    with_clients,
};

#[test]
fn nothing_is_written_where_the_environment_is_protected() {
    let Some(cluster) = cluster() else { return };
    let databases = with_clients(cluster, &[Server::Postgres, Server::Mariadb]);
    databases.sql("create table notes (id int); alter table notes owner to shop");
    let kdj = databases.kdj("[environments.live.database]\nstatement_timeout = '700ms'\n");
    let run = |words: &[&str], sql: &str| kdj.run(["dbshell"].iter().chain(words).chain(&["-c", sql]));
    let insert = "insert into notes values (1)";
    for words in [&["live"][..], &["own", "--read-only"], &["live", "--client", "local"]] {
        let _ =
            run(words, insert).expect_code(3).says(&["read-only;", "cannot execute INSERT in a read-only transaction"]);
    }
    for output in ["csv", "json"] {
        let _ = run(&["live", "-o", output], insert)
            .expect_code(1)
            .says(&["cannot execute INSERT in a read-only transaction"]);
    }
    let _ = run(&["live", "--database", "maria"], "create table x (id int)")
        .expect_code(1)
        .says(&["READ ONLY transaction"]);
    let _ = run(&["live"], "select pg_sleep(5)").expect_code(3).says(&["canceling statement due to statement timeout"]);
    assert_eq!(databases.sql("select count(*) from notes"), "0");
    let journal = kdj.directory().join("state/kdj/audit.jsonl");
    assert!(!journal.exists(), "a session that only reads is no change");

    // A seat belt: it can be taken off.
    let _ = run(&["live"], &format!("set default_transaction_read_only = off; {insert}")).expect_code(0);
    assert_eq!(databases.sql("select count(*) from notes"), "1");

    // Read-write is a change.
    let _ = run(&["live", "--read-write"], insert)
        .expect_code(125)
        .says(&["refusing to open a dbshell in protected", "--confirm live"]);
    let confirmed = ["live", "--read-write", "--confirm", "live", "--reason", "ticket 7"];
    let _ = run(&confirmed, insert).expect_code(0).says(&["read-write;"]);
    let _ = run(&["own"], insert).expect_code(0);
    assert_eq!(databases.sql("select count(*) from notes"), "3");
    let audit = kdj.run(["audit", "live"]).expect_code(0).stdout_text();
    assert!(audit.contains("dbshell") && audit.contains("ticket 7") && !audit.contains("insert into"), "{audit}");
}

#[test]
fn a_pooler_that_swallows_or_refuses_the_option_is_told_of() {
    let Some(cluster) = cluster() else { return };
    use Server::{Forgetful, Postgres, Strict};
    let databases = with_clients(cluster, &[Postgres, Forgetful, Strict]);
    let kdj = databases.kdj("");
    let run = |alias: &str, more: &[&str]| {
        let words = ["dbshell", "live", "--database", alias, "-c", "select 'ran'"];
        kdj.run(words.iter().chain(more))
    };
    let forms = [&[][..], &["-o", "json"], &["--client", "local"]];
    for (alias, reason) in [("forgetful", "swallows startup options"), ("strict", "refuses startup options")] {
        for form in forms {
            let output = run(alias, form).expect_code(125);
            assert!(!output.stdout_text().contains("ran"), "{output}");
            let _ =
                output.says(&["the session in `live` is not read-only: nothing was run", reason, "read_only_alias"]);
        }
        let _ = kdj.run(["dbshell", "own", "--database", alias, "-c", "select 1"]).expect_code(0);
    }
    // What somebody else has set in a shared session does not count.
    let leak = "set session characteristics as transaction read only; set default_transaction_read_only = on";
    let _ = kdj.run(["dbshell", "own", "--database", "forgetful", "-c", leak]).expect_code(0);
    let _ = run("forgetful", &[]).expect_code(125).says(&["by somebody's SET"]);
    // What is read-only by itself needs no option.
    databases.sql("alter role shop set default_transaction_read_only = on");
    databases.restart(&[Strict, Forgetful]);
    for alias in ["forgetful", "strict"] {
        for form in forms {
            let output = run(alias, form).expect_code(0);
            assert!(output.stdout_text().contains("ran"), "{output}");
        }
    }
}

#[test]
fn a_script_needs_the_server_s_answer_wherever_psql_runs() {
    let Some(cluster) = cluster() else { return };
    let databases = with_clients(cluster, &[Server::Postgres]);
    databases.sql("create table notes (id int); alter table notes owner to shop");
    // The question fails.
    databases.sql("revoke all on pg_settings from public");
    let kdj = databases.kdj("[environments.live.database]\ntoolbox_image = 'registry.local/toolbox:1'\n");
    let sql = "select 'ran'; set default_transaction_read_only = off; insert into notes values (1)";
    for form in [&[][..], &["--client", "local"], &["--client", "toolbox", "--confirm", "live"]] {
        let output = kdj.run(["dbshell", "live", "-c", sql].iter().chain(form)).expect_code(125);
        assert!(!output.stdout_text().contains("ran"), "{output}");
        let _ = output.says(&["is not read-only: nothing was run", "the server did not say"]);
    }
    assert_eq!(databases.sql("select count(*) from notes"), "0");
}

#[test]
fn a_replica_and_a_role_when_they_are_configured() {
    let Some(cluster) = cluster() else { return };
    let databases = with_clients(cluster, &[Server::Postgres, Server::Forgetful]);
    databases.sql("create role \"An Analyst\"; grant \"An Analyst\" to shop");
    let config = |more: &str| databases.kdj(&format!("[environments.live.database]\n{more}\n"));
    let sql = "select 'I am ' || current_user as who";
    let role = config("read_only_role = 'An Analyst'");
    for form in [&[][..], &["-o", "csv"], &["--client", "local"]] {
        let output = role.run(["dbshell", "live", "-c", sql].iter().chain(form)).expect_code(0);
        assert!(output.stdout_text().contains("I am An Analyst"), "{output}");
    }
    let _ = role
        .run(["dbshell", "live", "--database", "forgetful", "-c", sql])
        .expect_code(125)
        .says(&["the session's role is none, not An Analyst"]);
    let replica = config("read_only_alias = 'down'");
    let _ = replica.run(["dbshell", "live", "-c", sql]).expect_code(2).says(&["down: shop at 127.0.0.1:9"]);
    // It is what `default` means then, and the mode counts.
    let _ = replica
        .run(["dbshell", "live", "--database", "default", "-c", sql])
        .expect_code(2)
        .says(&["down: shop at 127.0.0.1:9"]);
    let _ = replica.run(["dbshell", "live", "--read-write", "--confirm", "live", "-c", sql]).expect_code(0);
}
