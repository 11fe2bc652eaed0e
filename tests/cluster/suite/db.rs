//! `kdj db ENV locks`, `activity`, `size` and `kill`: by the app's own connection, with PostgreSQL and MariaDB.

use serde_json::Value;

use super::harness::{
    Cluster, CommandOutput, Databases, Kdj, SHOP, cluster,
    databases::{PASSWORD, Server},
    wait,
};

fn json(output: &CommandOutput) -> Value {
    assert!(!output.to_string().contains(PASSWORD), "{output}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The sessions that `kdj db own WORDS -o json` tells.
#[track_caller]
fn sessions(kdj: &Kdj, words: &[&str]) -> Vec<Value> {
    let words = ["db", "own"].iter().chain(words).chain(&["-o", "json"]);
    let answer = json(&kdj.run(words).expect_code(0));
    assert_eq!((&answer["version"], &answer["environment"]), (&Value::from(1), &Value::from("own")));
    answer["sessions"].as_array().expect("sessions").clone()
}

/// The number of the session that calls itself so, or runs this.
#[track_caller]
fn pid(sessions: &[Value], what: &str) -> String {
    let is = |session: &&Value| {
        session["application"] == what || session["query"].as_str().unwrap_or_default().starts_with(what)
    };
    sessions.iter().find(is).unwrap_or_else(|| panic!("no {what} in {sessions:#?}"))["pid"].to_string()
}

fn on_postgres(cluster: &Cluster) -> Databases<'_> {
    use Server::{Forgetful, Postgres, Strict};
    let urls = [
        ("default", Postgres.url()),
        ("strict", Strict.url()),
        ("forgetful", Forgetful.url()),
        ("lite", "sqlite:////tmp/lite.sqlite3".to_owned()),
        ("nowhere", format!("postgres://shop:{PASSWORD}@nowhere:5432/shop")),
    ];
    let databases = Databases::with(cluster, SHOP, &[Postgres, Strict, Forgetful], &urls);
    databases.sql(
        "set role shop; create table notes (id int primary key, text text) with (autovacuum_enabled = off); \
         insert into notes select i, repeat('x', 50) from generate_series(1, 20000) i; create table locked (id int); \
         insert into locked values (1); vacuum analyze locked; delete from notes where id > 15000; analyze notes",
    );
    databases
}

#[test]
fn who_blocks_whom_while_a_table_is_locked() {
    let Some(cluster) = cluster() else { return };
    let databases = on_postgres(cluster);
    let kdj = databases.kdj("");
    let quiet = kdj.run(["db", "own", "locks"]).expect_code(0).prints("");
    let _ = quiet.says(&["nobody waits for a lock in `default` of `own`"]);

    let holder = "begin; lock table locked; update notes set text = 'of Ada' where id = 1; select pg_sleep(600)";
    let _holder = databases.session("holder", holder);
    wait::poll_until("the locks", wait::DEADLINE, || {
        (databases.sql("select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == "1").then_some(())
    });
    let mut waiting = Vec::new();
    for (name, sql) in [
        ("reader", "select count(*) from locked where id = 4711"),
        ("writer", "update notes set text = 'hunter2' where id = 1"),
        ("second", "delete from notes where id = 1"),
    ] {
        waiting.push(databases.session(name, sql));
        wait::poll_until("the waiting", wait::DEADLINE, || {
            let number = databases.sql("select count(*) from pg_locks where not granted");
            (number == waiting.len().to_string()).then_some(())
        });
    }

    // The tree; no values.
    let output = kdj.run(["db", "own", "locks"]).expect_code(0);
    let lines: Vec<&str> = std::str::from_utf8(&output.stdout).expect("text").lines().collect();
    assert_eq!(lines.len(), 5, "{output}");
    assert!(lines[0].starts_with("PID") && lines[0].contains("WAITS FOR"), "{output}");
    let fits = |line: &str, parts: &[&str]| parts.iter().all(|part| line.contains(part));
    assert!(
        fits(lines[1], &["holder", "active", "<none>", "begin; lock table locked; update notes set text = ? "]),
        "{output}"
    );
    assert!(
        fits(lines[2], &["├─ ", "reader", "AccessShareLock on locked for ", "from locked where id = ?"]),
        "{output}"
    );
    assert!(
        fits(lines[3], &["└─ ", "writer", "a row of notes for ", "update notes set text = ? where id = ?"]),
        "{output}"
    );
    assert!(fits(lines[4], &["   └─ ", "second", "a row of notes for "]), "{output}");
    let _ = output.never_says(&["Ada", "hunter2", "4711"]);
    let full = kdj.run(["db", "own", "locks", "--full"]).expect_code(0);
    assert!(full.stdout_text().contains("update notes set text = 'hunter2' where id = 1"), "{full}");
    let shape = sessions(&kdj, &["locks"]);
    let holder = pid(&shape, "holder");
    let writer = shape.iter().find(|session| session["application"] == "writer").expect("the writer");
    assert_eq!(writer["blocked_by"][0].to_string(), holder);
    assert_eq!(writer["waits_for"]["relation"], "notes");
    assert!(writer["waits_for"]["seconds"].as_f64() > Some(0.0), "{writer}");

    // Through poolers, too: nothing of a session's settings is asked for.
    for alias in ["strict", "forgetful"] {
        let through = kdj.run(["db", "own", "locks", "--database", alias, "-o", "name"]).expect_code(0);
        assert_eq!(through.stdout_text().lines().count(), 4, "{through}");
    }

    // Sizes come while a table is locked; of that one an estimate.
    let output = kdj.run(["db", "own", "size"]).expect_code(0);
    let text = output.stdout_text();
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{output}"));
    assert!(line("locked").contains("~8.0 KiB"), "{output}");
    assert!(line("notes").contains(" 5000 "), "the dead rows: {output}");
    let _ = output.says(&["database shop: ", "~ is an estimate: somebody has the table locked"]);
    let size = json(&kdj.run(["db", "own", "size", "-o", "json"]).expect_code(0));
    let notes = size["tables"].as_array().expect("tables").iter().find(|table| table["table"] == "notes");
    let real: f64 = databases.sql("select pg_total_relation_size('notes')").parse().expect("a number");
    assert_eq!(notes.expect("notes")["total"].as_f64(), Some(real));

    // Cancelled, the holder's transaction is over, and so is all the waiting.
    let _ = kdj.run(["db", "own", "kill", &holder]).expect_code(0).says(&[
        &format!("cancel the query of session {holder} (shop, holder), active, for "),
        &format!("the query of session {holder} is over"),
    ]);
    wait::poll_until("nobody waiting", wait::DEADLINE, || {
        (databases.sql("select count(*) from pg_locks where not granted") == "0").then_some(())
    });
}

#[test]
fn activity_and_the_end_of_sessions() {
    let Some(cluster) = cluster() else { return };
    let databases = on_postgres(cluster);
    databases.sql("create role other login; create database elsewhere");
    let kdj = databases.kdj("");
    // One that is idle in its transaction, one that is idle, one of another user, one of another database.
    let code = "import psycopg, os, time
from urllib.parse import urlsplit
def open(name): return psycopg.connect(os.environ['DATABASE_URL'] + '?application_name=' + name, autocommit=True)
a, b = open('forgotten'), open('bored')
a.execute(\"begin; update notes set text = 'of Ada' where id = 2\")
b.execute('select 1')
time.sleep(600)";
    let app = databases.in_app(["sh", "-c", "nohup python -c \"$0\" >/tmp/log 2>&1 & echo started", code]);
    assert_eq!(app, "started\n");
    let _other = databases.session_of("other", "shop", "other", "select pg_sleep(600)");
    let _elsewhere = databases.session_of("shop", "elsewhere", "elsewhere", "select pg_sleep(600)");
    wait::poll_until("the sessions", wait::DEADLINE, || {
        let names = databases.sql("select count(*) from pg_stat_activity where application_name in ('forgotten', 'bored', 'other', 'elsewhere') and query <> ''");
        (names == "4").then_some(())
    });

    let output = kdj.run(["db", "own", "activity"]).expect_code(0);
    let text = output.stdout_text();
    assert!(text.contains("forgotten") && text.contains("idle in transaction") && !text.contains("bored"), "{output}");
    let _ = output.says(&["idle, which `--all` shows"]).never_says(&["Ada"]);
    let all = sessions(&kdj, &["activity", "--all"]);
    let (forgotten, bored) = (pid(&all, "forgotten"), pid(&all, "bored"));
    let one = all.iter().find(|session| session["application"] == "forgotten").expect("it");
    assert!(one["transaction_seconds"].as_f64() > Some(0.0), "{one}");
    assert!(all.iter().all(|session| session["application"] != "kdj:ada@own"), "kdj shows itself: {all:#?}");

    // It runs no query: only its end ends the transaction. In a protected environment that is a change.
    let idle = kdj.run(["db", "live", "kill", &forgotten, "--confirm", "live"]).expect_code(1);
    let _ = idle.says(&["runs no query now: it is idle in transaction", "--terminate"]);
    let refused = kdj.run(["db", "live", "kill", &forgotten, "--terminate"]).expect_code(1);
    let _ = refused.says(&["refusing to end a query in protected environment `live`", "--confirm live"]);
    let words = ["db", "live", "kill", &forgotten, "--terminate", "--confirm", "live", "--reason", "it blocks"];
    let _ = kdj.run(words).expect_code(0).says(&[&format!("session {forgotten} is over")]);
    assert_eq!(databases.sql(&format!("select count(*) from pg_stat_activity where pid = {forgotten}")), "0");
    let audit = kdj.run(["audit", "live"]).expect_code(0).stdout_text();
    assert!(audit.contains("kill") && audit.contains(&format!("{forgotten} --terminate")), "{audit}");
    assert!(audit.contains("it blocks"), "{audit}");

    // Another user's, not there any more, the server's own, of another database.
    let all = sessions(&kdj, &["activity"]);
    let output = kdj.run(["db", "own", "kill", &pid(&all, "other")]).expect_code(1);
    let _ = output.says(&["is of the user `other`, and hidden from the app's", "pg_signal_backend"]);
    let elsewhere = databases.sql("select pid from pg_stat_activity where application_name = 'elsewhere'");
    for pid in [forgotten.as_str(), "1", &elsewhere] {
        let output = kdj.run(["db", "own", "kill", pid, "--terminate"]).expect_code(1);
        let _ = output.says(&[&format!("the database has no session {pid}"), "kdj db own activity --all"]);
    }
    let _ = kdj
        .run(["db", "own", "kill", &elsewhere])
        .expect_code(1)
        .says(&["but the server has: client backend of the database `elsewhere`"]);
    let _ = kdj.run(["db", "own", "kill", &bored, "--terminate"]).expect_code(0);

    // What cannot be asked says why.
    let _ = kdj
        .run(["db", "own", "activity", "--database", "lite"])
        .expect_code(1)
        .says(&["PostgreSQL, MySQL and MariaDB only"]);
    let output = kdj.run(["db", "own", "size", "--database", "nowhere"]).expect_code(1);
    let _ = output.says(&["cannot connect to the database `nowhere` of `own`", "nowhere"]);
    let _ = kdj.run(["db", "own", "locks", "--database", "nope"]).expect_code(2).says(&["only default, forgetful"]);
}

#[test]
fn on_mariadb() {
    let Some(cluster) = cluster() else { return };
    let databases = Databases::with(cluster, SHOP, &[Server::Mariadb], &[("default", Server::Mariadb.url())]);
    databases.mariadb("create table notes (id int primary key, text varchar(99)) engine=innodb; insert into notes values (1, 'a'), (2, 'b')");
    let kdj = databases.kdj("");
    let _holder = databases.mariadb_session("begin; update notes set text = 'of Ada' where id = 1; select sleep(600)");
    wait::poll_until("the lock", wait::DEADLINE, || {
        (databases.mariadb("select count(*) from information_schema.processlist where state = 'User sleep'") == "1")
            .then_some(())
    });
    let waiter =
        databases.mariadb_session("set innodb_lock_wait_timeout = 500; update notes set text = 'hunter2' where id = 1");
    wait::poll_until("the waiting", wait::DEADLINE, || {
        (databases.mariadb("select count(*) from information_schema.innodb_trx where trx_state = 'LOCK WAIT'") == "1")
            .then_some(())
    });

    // Without the privilege: the app's own sessions, and why there is no more.
    let all = sessions(&kdj, &["activity"]);
    assert_eq!(all.len(), 2, "{all:#?}");
    assert!(all.iter().all(|session| session["transaction_seconds"].is_null()), "{all:#?}");
    let output = kdj.run(["db", "own", "activity", "-o", "json"]).expect_code(0);
    assert_eq!(json(&output)["complete"], false, "{output}");
    let _ = output.says(&["only the sessions of the app's own user are shown", "GRANT PROCESS ON *.* TO"]);
    let denied = kdj.run(["db", "own", "locks"]).expect_code(1);
    let _ = denied.says(&["PROCESS privilege", "GRANT PROCESS ON *.* TO"]);

    databases.mariadb("grant process on *.* to shop@'%'");
    let output = kdj.run(["db", "own", "locks"]).expect_code(0);
    let text = output.stdout_text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{output}");
    assert!(lines[1].contains("shop") && lines[1].contains("select sleep(?)"), "{output}");
    assert!(lines[2].starts_with("└─ ") && lines[2].contains("a row of notes for "), "{output}");
    let _ = output.never_says(&["Ada", "hunter2"]);
    let all = sessions(&kdj, &["activity"]);
    assert!(all.iter().all(|session| session["transaction_seconds"].as_f64() > Some(0.0)), "{all:#?}");
    let size = kdj.run(["db", "own", "size"]).expect_code(0);
    assert!(size.stdout_text().lines().any(|line| line.starts_with("notes   16.0 KiB")), "{size}");

    let holder = pid(&all, "select sleep(?)");
    let _ = kdj.run(["db", "own", "kill", "999999"]).expect_code(1).says(&["the database has no session 999999"]);
    let output = kdj.run(["db", "own", "kill", &holder, "--terminate"]).expect_code(0);
    let _ = output.says(&[&format!("session {holder} is over")]);
    assert_eq!(waiter.finish(), Some(0), "the one that waited goes on");
}
