//! SQL that is given: where it comes from, how it ends, what comes back.

use std::fs;

use rustix::process::Signal;

use super::{
    super::harness::{cluster, databases::Server},
    running, wait_until_running, with_clients,
};

#[test]
fn sql_comes_as_an_argument_a_file_or_on_stdin() {
    let Some(cluster) = cluster() else { return };
    let databases = with_clients(cluster, &[Server::Postgres, Server::Mariadb]);
    let sql = "select 'zürich' as place, 6 * 7 as n;\n";
    let kdj = databases.kdj("").file("project/query.sql", sql).stdin(sql);
    let expected = " place  | n  \n--------+----\n zürich | 42\n(1 row)\n\n";
    for arguments in [&["-c", sql][..], &["-f", "query.sql"], &["-"], &[]] {
        let output = kdj.run(["dbshell", "own"].iter().chain(arguments)).expect_code(0).prints(expected);
        let _ = output.says(&["own: context", "default: shop at postgres:5432 as shop, read-write; psql in the image"]);
        let quiet = kdj.run(["-q", "dbshell", "own"].iter().chain(arguments)).expect_code(0).prints(expected);
        assert_eq!(quiet.stderr, "");
    }
    // psql's own codes, and what it did before the error.
    let failed = kdj.run(["-q", "dbshell", "own", "-c", "select 1 as one;\nselect nonsense;\nselect 3"]).expect_code(3);
    assert!(failed.stdout_text().contains("one") && !failed.stdout_text().contains('3'), "{failed}");
    let _ = failed.says(&["column \"nonsense\" does not exist"]);
    // MariaDB's.
    let _ = kdj
        .run(["-q", "dbshell", "own", "--database", "maria", "-c", "select 6 * 7 as n"])
        .expect_code(0)
        .prints("n\n42\n");
    let _ = kdj.run(["-q", "dbshell", "own", "--database", "maria", "-c", "select nonsense"]).expect_code(1);
    let table = kdj.run(["-q", "dbshell", "own", "--database", "maria", "-o", "table", "-c", "select 6 * 7 as n"]);
    let _ = table.expect_code(0).prints("+----+\n| n  |\n+----+\n| 42 |\n+----+\n");
    // Who it is.
    let name = kdj.run(["-q", "dbshell", "own", "-c", "\\pset tuples_only on\nshow application_name"]).expect_code(0);
    assert!(name.stdout_text().contains("kdj:ada@own"), "{name}");
}

#[test]
fn what_keeps_the_client_from_running_is_said() {
    let Some(cluster) = cluster() else { return };
    let databases = with_clients(cluster, &[Server::Postgres]);
    let kdj = databases.kdj("");
    for output in ["csv", "table"] {
        let words = ["dbshell", "own", "--database", "nosuch", "-o", output, "-c", "select 1"];
        let _ = kdj.run(words).expect_code(125).prints("").says(&[
            "error: no database `nosuch` in the settings of `own`",
            "only default, down, lite",
            "hint: `--database` takes an alias",
        ]);
    }
    let down = kdj.run(["dbshell", "own", "--database", "down", "-c", "select 1"]).expect_code(2).prints("");
    let _ = down.says(&["Connection refused", "hint: ", "kdj manage own -- check --database down"]);
    // Settings that do not load, and say a password.
    databases.namespace.kubectl([
        "set",
        "env",
        "deployment/shell",
        "DJANGO_SECRET_KEY-",
        "EXTRA=postgres://shop:canary-extra-3Jk@x/y",
    ]);
    databases.namespace.wait_for_rollout(["deployment/shell"]);
    // One that does not remember the pod before.
    let kdj = databases.kdj("");
    let failed = kdj.run(["dbshell", "own", "-c", "select 1"]).expect_code(125).prints("");
    let _ = failed.says(&[
        "error: cannot load the settings of `own`",
        "DJANGO_SECRET_KEY is not set",
        "kdj manage own -- check",
    ]);
    let _ = kdj
        .run(["dbshell", "acme-staging-viewer/shop-qa", "-c", "select 1"])
        .expect_code(125)
        .says(&["`viewer` may not `get` `pods/exec`"]);
    let _ = kdj.run(["dbshell", "own", "-f", "nosuch.sql"]).expect_code(125).says(&["cannot read `nosuch.sql`"]);
}

#[test]
fn a_statement_ends_with_kdj() {
    let Some(cluster) = cluster() else { return };
    let databases = with_clients(cluster, &[Server::Postgres]);
    for (number, signal) in [Signal::INT, Signal::TERM, Signal::KILL].into_iter().enumerate() {
        let seconds = 500 + number;
        let sleeping = databases.kdj("").start(["dbshell", "own", "-c", &format!("select pg_sleep({seconds})")]);
        let text = format!("pg_sleep({seconds})");
        wait_until_running(&databases, &text, "1");
        sleeping.signal(signal);
        wait_until_running(&databases, &text, "0");
        let output = sleeping.finish();
        if signal != Signal::KILL {
            let _ = output.expect_code(128 + signal.as_raw()).says(&["cancels its statement and ends"]);
        }
    }
    // The same for the app's driver.
    let sleeping = databases.kdj("").start(["dbshell", "own", "-o", "json", "-c", "select pg_sleep(600)"]);
    // Over a cursor of the server's.
    wait_until_running(&databases, "FETCH FORWARD", "1");
    sleeping.signal(Signal::KILL);
    wait_until_running(&databases, "FETCH FORWARD", "0");
    assert_eq!(running(&databases, "pg_sleep"), "0");
}

#[test]
fn a_hundred_megabytes_come_as_they_are() {
    let Some(cluster) = cluster() else { return };
    let databases = with_clients(cluster, &[Server::Postgres]);
    let sql = "copy (select repeat(md5(g::text), 32) from generate_series(1, 100000) g) to stdout";
    let output = databases.kdj("").run(["-q", "dbshell", "own", "-c", sql]).expect_code(0);
    assert_eq!(output.stdout.len(), 100_000 * 1025);
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    // Every line is 32 times the same, and the sum of all is PostgreSQL's own.
    let mut count = 0;
    for line in lines {
        assert!(line.chunks(32).all(|part| part == &line[..32]), "line {count} is torn");
        count += 1;
    }
    assert_eq!(count, 100_000);
    // There and back: what psql reads is what was in the file.
    let text: String = (0..200_000).map(|number| format!("{number}\tzürich\n")).collect();
    let sql = format!(
        "create temporary table t (n int, place text);\ncopy t from stdin;\n{text}\\.\nselect count(*), sum(n) from t;\n"
    );
    let kdj = databases.kdj("").file("project/load.sql", &sql);
    let output = kdj.run(["-q", "dbshell", "own", "-f", "load.sql"]).expect_code(0);
    assert!(output.stdout_text().contains("200000 | 19999900000"), "{output}");
    assert!(fs::metadata(kdj.directory().join("project/load.sql")).is_ok_and(|about| about.len() > 2_000_000));
}
