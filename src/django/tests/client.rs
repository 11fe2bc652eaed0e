//! What is made of the settings for a client.

use std::process::Command;

use super::python;

/// What these lines print after the scripts, with parameters as for a read-only session.
fn printed(scripts: &[&str], lines: &str) -> String {
    let parameters = "PARAMETERS = {'environment': 'qa', 'mode': 'read-only', 'colored': False, 'read_only': True, 'role': None, \
                      'statement_timeout': None, 'application': 'kdj:ada@qa', 'check': 'x', 'table': False, 'database': 'default'}";
    let problem = "class Problem(Exception):\n    def __init__(self, kind, message):\n        self.kind = kind";
    let code = ["import json, os, re, sys, threading", problem, parameters, &scripts.join("\n"), lines].join("\n");
    let output = Command::new(&python().0).args(["-c", &code]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn a_service_s_options_do_not_count_more() {
    let lines = r#"
find_program = lambda *names: names[-1]
found = {"options": {"service": "it's"}, "host": None, "port": None, "user": None, "name": None, "password": "hunter2"}
client = psql(found, None)
print(" ".join(words_of(client)[-1:]))
client["conninfo"] = without_options(client["conninfo"])
print(words_of(client, ["psql", "-X"]))"#;
    let scripts = [include_str!("../client.py"), include_str!("../running.py")];
    let expected = "--dbname=service='it\\'s' application_name='kdj:ada@qa' options='-c default_transaction_read_only=on'\n\
                    ['psql', '-X', \"--dbname=service='it\\\\'s' application_name='kdj:ada@qa'\"]";
    assert_eq!(printed(&scripts, lines), expected);
}

#[test]
fn only_what_reads_has_a_cursor() {
    // Its last part runs at once.
    let rows = include_str!("../rows.py");
    let functions = rows.split("# What psycopg and MySQL's drivers call").next().unwrap();
    let lines = r#"
for sql in ["SELECT 1", "-- a\n/* b */ (select 1)", "with a as (select 1) table a", "values (1)", "select 1 -- delete",
            "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "with d as(update t set a=1 returning*)select 1", "insert into t values (1)",
            "select 1 into t", ""]:
    print(int(bool(can_have_a_cursor(sql))), end="")"#;
    assert_eq!(printed(&[functions], lines), "1111100000");
}
