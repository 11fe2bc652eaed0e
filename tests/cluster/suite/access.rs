//! `kdj pyshell` read-only and read-write: with PostgreSQL, MariaDB, SQLite, and poolers in between.

use super::harness::{
    Cluster, Databases, Kdj, Pty, SHOP, cluster,
    databases::{PASSWORD, Server},
};

/// A table in each database.
const TABLES: &str = "from django.db import connections
for alias in ['default', 'maria', 'lite']:
    connections[alias].cursor().execute('create table notes (id int)')
";
/// What is tried: `ALIAS: how many rows`, or how it failed.
const WRITE: &str = "from django.db import connections
for alias in 'ALIASES'.split():
    try:
        with connections[alias].cursor() as c:
            c.execute('insert into notes values (1)')
            c.execute('select count(*) from notes')
            print(alias, c.fetchone()[0])
    except Exception as e:
        print(alias, type(e).__name__, str(e).replace(chr(10), ' '))
";

fn databases(cluster: &Cluster) -> Databases<'_> {
    use Server::{Forgetful, Mariadb, Postgres, Strict};
    let urls = [
        ("default", Postgres.url()),
        ("maria", Mariadb.url()),
        ("strict", Strict.url()),
        ("forgetful", Forgetful.url()),
        ("lite", "sqlite:////tmp/lite.sqlite3".to_owned()),
        ("nowhere", format!("postgres://shop:{PASSWORD}@nowhere:5432/shop")),
    ];
    let databases = Databases::with(cluster, SHOP, &[Postgres, Mariadb, Strict, Forgetful], &urls);
    let _ = databases.kdj("").run(["pyshell", "own", "-c", TABLES]).expect_code(0);
    databases
}

fn write(kdj: &Kdj, words: &[&str], aliases: &str) -> String {
    let code = WRITE.replace("ALIASES", aliases);
    let output = kdj.run(["pyshell"].iter().chain(words).chain(&["-c", &code])).expect_code(0);
    assert!(!output.to_string().contains(PASSWORD), "{output}");
    output.stdout_text()
}

#[test]
fn code_reads_only_where_the_environment_is_protected() {
    let Some(cluster) = cluster() else { return };
    let databases = databases(cluster);
    let kdj = databases.kdj("");

    // Read-only by default there, without a question and without a record; and where it is asked for.
    for words in [&["live"][..], &["live", "--read-only"], &["own", "--read-only"]] {
        let tried = write(&kdj, words, "default maria lite");
        let lines: Vec<&str> = tried.lines().collect();
        assert!(
            lines[0].starts_with("default InternalError cannot execute INSERT in a read-only transaction"),
            "{tried}"
        );
        assert!(lines[1].starts_with("maria OperationalError (1792, "), "{tried}");
        assert_eq!(lines[2], "lite OperationalError attempt to write a readonly database", "{tried}");
    }
    let journal = kdj.directory().join("state/kdj/audit.jsonl");
    assert!(!journal.exists(), "a session that only reads is no change");

    // Poolers: one refuses the option, the other forgets it.
    let tried = write(&kdj, &["live"], "strict forgetful nowhere");
    let lines: Vec<&str> = tried.lines().collect();
    let refused = "strict NotReadOnly the database `strict` cannot be made read-only: a pooler in between refuses startup \
                   options (PgBouncer: ignore_startup_parameters) hint: ";
    assert!(lines[0].starts_with(refused), "{tried}");
    let forgotten = "forgetful NotReadOnly the database `forgetful` cannot be made read-only: the server says \
                     default_transaction_read_only is off: a pooler in between swallows startup options";
    assert!(lines[1].starts_with(forgotten), "{tried}");
    assert!(lines[2].starts_with("nowhere OperationalError "), "{tried}");

    // Read-write there is a change.
    let asks = kdj.run(["pyshell", "live", "--read-write", "-c", WRITE]).expect_code(125);
    let _ = asks.says(&["refusing to open a pyshell in protected environment `live`", "--confirm live"]);
    let words = ["live", "--read-write", "--confirm", "live", "--reason", "ticket 7"];
    assert_eq!(write(&kdj, &words, "default maria lite strict"), "default 1\nmaria 1\nlite 1\nstrict 2\n");
    let audit = kdj.run(["audit", "live"]).expect_code(0).stdout_text();
    assert!(audit.contains("pyshell") && audit.contains("--read-write") && audit.contains("ticket 7"), "{audit}");
    // And none elsewhere.
    assert_eq!(write(&kdj, &["own"], "default forgetful"), "default 3\nforgetful 4\n");
}

#[test]
fn a_replica_a_role_and_a_limit_when_they_are_configured() {
    let Some(cluster) = cluster() else { return };
    use Server::{Forgetful, Postgres, Strict};
    let urls = [
        ("default", Postgres.url()),
        ("replica", Postgres.url().replace("5432/shop", "5432/other")),
        ("strict", Strict.url()),
        ("forgetful", Forgetful.url()),
    ];
    let databases = Databases::with(cluster, SHOP, &[Postgres, Strict, Forgetful], &urls);
    databases.sql("create database other owner shop; create role \"An Analyst\"; grant \"An Analyst\" to shop");
    let code = "from django.db import connections
for alias in ['default', 'replica']:
    with connections[alias].cursor() as c:
        c.execute(\"select current_database(), current_user, current_setting('statement_timeout'), current_setting('transaction_read_only')\")
        print(alias, *c.fetchone(), sep='|')
";
    let run = |database: &str| {
        let kdj = databases.kdj(&format!("[environments.live.database]\n{database}"));
        kdj.run(["pyshell", "live", "-c", code])
    };
    let text = run("read_only_alias = 'replica'\nread_only_role = 'An Analyst'\nstatement_timeout = '1500ms'");
    let _ = text.expect_code(0).prints("default|other|An Analyst|1500ms|on\nreplica|other|An Analyst|1500ms|on\n");
    // A role the app's user has no right to, and an alias that is not there.
    let _ = run("read_only_role = 'postgres'").expect_code(1).says(&["postgres"]);
    let none = run("read_only_alias = 'replca'").expect_code(125);
    let _ = none.says(&["error: the settings have no database `replca`", "only default, forgetful, replica"]);

    // What is read-only by itself, as a replica is, needs no option, and the pooler may refuse or forget it.
    databases.sql("alter role shop set default_transaction_read_only = on");
    databases.restart(&[Strict, Forgetful]);
    for alias in ["strict", "forgetful"] {
        let output = run(&format!("read_only_alias = '{alias}'")).expect_code(0);
        assert!(output.stdout_text().starts_with("default|shop|shop|0|on\n"), "{output}");
    }
}

#[test]
fn consoles_read_only() {
    let Some(cluster) = cluster() else { return };
    let databases = databases(cluster);
    let kdj = databases.kdj("");
    let insert = "from django.db import connection as c; c.cursor().execute('insert into notes values (1)')\r";

    let mut pty = Pty::run(&kdj, ["pyshell", "live"]);
    let start = pty.wait_for("IPython");
    assert!(start.contains(", databases read-only (mails and tasks still go out);"), "{start}");
    for not in ["kdj:ready", "PARAMETERS", "def ask"] {
        assert!(!start.contains(not), "{start}");
    }
    pty.wait_for("\x1b[6n");
    pty.press("\x1b[10;1R");
    pty.wait_for("]: ");
    pty.press(insert);
    pty.wait_for("cannot execute INSERT in a read-only transaction");
    pty.press("exit\r");
    assert_eq!(pty.finish().code(), Some(0));
    pty.expect_restored();

    let mut pty = Pty::run(&kdj, ["pyshell", "own", "--plain", "--read-only"]);
    pty.wait_for(">>> ");
    pty.press(insert);
    pty.wait_for("cannot execute INSERT in a read-only transaction");
    pty.press("import sys; sys.exit(6)\r");
    assert_eq!(pty.finish().code(), Some(6));

    // Behind poolers no console opens; while the database is away it does, and connections are asked later.
    for (alias, why) in [("strict", "refuses startup options"), ("forgetful", "swallows startup options")] {
        let kdj = databases.kdj(&format!("[database]\nread_only_alias = '{alias}'\n"));
        let mut pty = Pty::run(&kdj, ["pyshell", "live"]);
        pty.wait_for(why);
        pty.wait_for("--read-write");
        assert_eq!(pty.finish().code(), Some(125), "{alias}");
        pty.expect_restored();
    }
    let kdj = databases.kdj("[database]\nread_only_alias = 'nowhere'\n");
    let mut pty = Pty::run(&kdj, ["pyshell", "live", "--plain"]);
    pty.wait_for("warning: cannot connect to the database `default` now");
    pty.wait_for(">>> ");
    pty.press("import sys; sys.exit(3)\r");
    assert_eq!(pty.finish().code(), Some(3));
}
