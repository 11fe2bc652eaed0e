//! With what Django 5.2 on PostgreSQL 15 really made: the plan and the logs in `testdata`, of the apps in
//! `tests/cluster/suite/fixtures/migrations`.

use std::time::Duration;

use super::{progress::Line, *};

const RISKY: &str = include_str!("testdata/risky.txt");
const HALFWAY: &str = include_str!("testdata/halfway.log");
const BLOCKED: &str = include_str!("testdata/blocked.log");

fn risky() -> Plan {
    find_plan(RISKY).unwrap()
}

/// A plan of one migration.
fn one(atomic: bool, sql: &[&str]) -> Plan {
    let mut plan = risky();
    plan.migrations.truncate(1);
    plan.migrations[0].atomic = atomic;
    plan.migrations[0].sql = sql.iter().map(ToString::to_string).collect();
    plan.migrations[0].operations.clear();
    plan
}

fn rules(plan: &Plan) -> Vec<String> {
    lint(plan).into_iter().map(|finding| format!("{:?} {}", finding.class, finding.rule)).collect()
}

fn progress(log: &str) -> (Progress, Vec<Line>) {
    let mut progress = Progress::default();
    let lines = log.lines().map(|line| progress.eat(line)).collect();
    (progress, lines)
}

fn about() -> About {
    About {
        environment: "qa".to_owned(),
        image: Some("shop@sha256:1234".to_owned()),
        who: Some("ann".to_owned()),
        job: None,
    }
}

#[test]
fn the_plan_is_found_among_other_output() {
    let noisy = format!("loading\nkdj-plan: broken\nno line end{}\nbye\n", RISKY.trim());
    assert_eq!(find_plan(&noisy), Some(risky()));
    assert_eq!(find_plan("kdj-plan: {}"), None);
    assert_eq!(find_plan(""), None);
}

#[test]
fn the_plan_as_rows() {
    let rows: Vec<String> = risky().rows().iter().map(|row| row.join(" | ")).collect();
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn the_plan_as_json_is_what_was_read() {
    let json = serde_json::to_string(&risky()).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), risky());
    assert!(json.starts_with(r#"{"version":1,"#), "{json}");
}

#[test]
fn djangos_own_sql_is_linted() {
    let found: Vec<String> = lint(&risky())
        .into_iter()
        .map(|finding| {
            let table = finding.table.unwrap_or_default();
            format!("{} {:?} {} {table}", finding.migration, finding.class, finding.rule)
        })
        .collect();
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn each_dangerous_rule() {
    let cases: &[(&str, &str)] = &[
        (r#"CREATE INDEX "i" ON "t" ("c");"#, "require-concurrent-index-creation"),
        (r#"CREATE INDEX CONCURRENTLY "i" ON "t" ("c");"#, "ban-concurrent-index-creation-in-transaction"),
        (r#"ALTER TABLE "t" ALTER COLUMN "c" SET NOT NULL;"#, "adding-not-nullable-field"),
        (r#"ALTER TABLE "t" ADD COLUMN "c" integer NOT NULL;"#, "adding-required-field"),
        (r#"ALTER TABLE "t" ADD COLUMN "c" uuid DEFAULT gen_random_uuid() NULL;"#, "adding-field-with-default"),
        (r#"ALTER TABLE "t" ADD COLUMN "id" serial PRIMARY KEY;"#, "adding-serial-primary-key-field"),
        (r#"ALTER TABLE "t" ALTER COLUMN "c" TYPE bigint USING "c"::bigint;"#, "changing-column-type"),
        (
            r#"ALTER TABLE "t" ADD CONSTRAINT "f" FOREIGN KEY ("c") REFERENCES "u" ("id") DEFERRABLE INITIALLY DEFERRED;"#,
            "adding-foreign-key-constraint",
        ),
        (r#"ALTER TABLE "t" ADD CONSTRAINT "k" CHECK ("c" > 0);"#, "constraint-missing-not-valid"),
        (r#"ALTER TABLE "t" ADD CONSTRAINT "k" UNIQUE ("c");"#, "disallowed-unique-constraint"),
        (r#"ALTER TABLE "t" RENAME COLUMN "a" TO "b";"#, "renaming-column"),
        (r#"ALTER TABLE "t" RENAME TO "u";"#, "renaming-table"),
        (r#"ALTER TABLE "t" DROP COLUMN "c" CASCADE;"#, "ban-drop-column"),
        (r#"DROP TABLE "t" CASCADE;"#, "ban-drop-table"),
        ("TRUNCATE t CASCADE;", "ban-truncate-cascade"),
        ("DROP DATABASE d;", "ban-drop-database"),
        ("DROP SCHEMA s;", "ban-drop-schema"),
        ("REINDEX TABLE t;", "require-concurrent-reindex"),
        ("ALTER TABLE t DETACH PARTITION p;", "require-concurrent-partition-detach"),
    ];
    for (sql, rule) in cases {
        let found = rules(&one(true, &["--", "-- What it does", "--", sql]));
        assert!(found.contains(&format!("Dangerous {rule}")), "{sql}: {found:?}");
        let dangerous = found.iter().filter(|found| found.starts_with("Dangerous")).count();
        assert!(dangerous == 1 || *rule == "adding-serial-primary-key-field", "{sql}: {found:?}");
    }
}

#[test]
fn what_the_plan_itself_creates_does_not_count() {
    let create = r#"CREATE TABLE "t" ("id" bigint NOT NULL PRIMARY KEY);"#;
    let index = r#"CREATE INDEX "i" ON "t" ("id");"#;
    assert!(rules(&one(true, &[create, index, r#"DROP INDEX "i";"#, r#"DROP TABLE "t";"#])).is_empty());
    // Of a migration before, too, and under another name.
    let mut plan = one(true, &[create, r#"ALTER TABLE "t" RENAME TO "u";"#]);
    let mut next = plan.migrations[0].clone();
    next.sql = vec![r#"CREATE INDEX "i" ON "u" ("id");"#.to_owned()];
    plan.migrations.push(next);
    assert!(rules(&plan).is_empty(), "{:?}", rules(&plan));
    plan.migrations.remove(0);
    assert_eq!(rules(&plan), ["Dangerous require-concurrent-index-creation"]);
}

#[test]
fn a_statement_is_found_behind_comments_and_quoted_semicolons() {
    let sql = ["-- it's; a comment", "UPDATE t SET a = 'x;\"y'; DROP TABLE \"t\";"];
    let found = lint(&one(true, &sql));
    assert_eq!(found[0].statement.as_deref(), Some(r#"DROP TABLE "t";"#));
    assert_eq!(found[0].table.as_deref(), Some("t"));
}

#[test]
fn without_a_transaction_concurrently_is_fine() {
    assert!(rules(&one(false, &[r#"CREATE INDEX CONCURRENTLY "i" ON "t" ("c");"#])).is_empty());
}

#[test]
fn other_databases_get_notes_only() {
    let mut plan = risky();
    plan.database.vendor = Some("mysql".to_owned());
    assert_eq!(rules(&plan), ["Note python", "Note irreversible"]);
}

#[test]
fn a_reversal_that_cannot_be_is_dangerous() {
    let mut plan = risky();
    plan.migrations.retain(|migration| migration.name.name == "0014_python");
    plan.migrations[0].reversal = true;
    plan.migrations[0].no_sql = Some("IrreversibleError: no".to_owned());
    assert_eq!(rules(&plan), ["Note python", "Dangerous irreversible", "Note not-linted"]);
    assert_eq!(plan.impossible().count(), 1);
    plan.migrations[0].faked = true;
    assert!(rules(&plan).is_empty());
    assert_eq!(plan.impossible().count(), 0);
}

#[test]
fn a_run_that_waits_for_a_lock() {
    let mut progress = Progress::default();
    let mut shown = Vec::new();
    for line in BLOCKED.lines() {
        let line = progress.eat(line);
        shown.extend(line.text.map(|text| format!("log: {text}")));
        shown.extend(line.news.map(|news| format!("{news:?}")));
        shown.extend(progress.line(Duration::from_secs(3)).map(|line| format!("line: {line}")));
    }
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn the_receipt_of_a_run_that_failed() {
    let (progress, _) = progress(HALFWAY);
    let receipt = progress.receipt(about());
    assert_eq!(receipt.outcome, Outcome::Failed);
    assert_eq!(receipt.not_applied.len(), 2);
    insta::assert_snapshot!([receipt.lines(), receipt.next.clone()].concat().join("\n"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&receipt).unwrap());
}

#[test]
fn a_log_that_breaks_off_leaves_the_outcome_unknown() {
    let whole: Vec<&str> = HALFWAY.lines().collect();
    let (progress, _) = progress(&whole[..whole.len() - 1].join("\n"));
    let receipt = progress.receipt(about());
    assert_eq!(receipt.outcome, Outcome::Unknown);
    assert_eq!(receipt.applied.len(), 1);
    assert_eq!(receipt.next, ["`kdj migrate qa --plan` tells what is not applied"]);
    assert_eq!(Progress::default().receipt(about()).outcome, Outcome::Unknown);
}

#[test]
fn the_last_word_makes_up_for_lost_lines() {
    let last = HALFWAY.lines().next_back().unwrap();
    let (progress, _) = progress(last);
    assert_eq!(progress.receipt(about()).applied.len(), 1);
}

#[test]
fn what_state_a_migration_is_left_in() {
    let next = |vendor: &str, values: &str| {
        let database = format!(r#"{{"alias": "default", "vendor": "{vendor}"}}"#);
        let started = format!(
            r#"kdj-migrate: {{"event": "started", "time": 1.0, "database": {database}, "total": 1, "migrations": []}}"#
        );
        let failed = format!(
            r#"kdj-migrate: {{"event": "failed", "kind": "exception", "message": "no", "app": "a", "name": "b", {values}}}"#
        );
        progress(&format!("{started}\n{failed}")).0.receipt(about()).next.swap_remove(0)
    };
    assert!(next("postgresql", r#""atomic": true, "recorded": false"#).ends_with("was rolled back: it left nothing"));
    assert!(next("mysql", r#""atomic": true, "recorded": false"#).contains("some of it may have been done"));
    assert!(next("postgresql", r#""atomic": false, "recorded": false"#).contains("some of it may have been done"));
    assert!(next("postgresql", r#""atomic": true, "recorded": true"#).contains("completed and recorded"));
    assert!(next("postgresql", r#""atomic": true, "recorded": null"#).contains("is not known"));
    // Reversed, it is done when it is recorded no longer.
    assert!(next("postgresql", r#""reversal": true, "atomic": true, "recorded": true"#).contains("rolled back"));
}

#[test]
fn events_of_later_versions_and_broken_lines_do_no_harm() {
    let mut progress = Progress::default();
    assert_eq!(progress.eat(r#"kdj-migrate: {"event": "new", "time": 1.0}"#), Line { text: None, news: None });
    let line = "kdj-migrate: {\"event\": \"app";
    assert_eq!(progress.eat(line).text.as_deref(), Some(line));
    let line = progress.eat(r#"half a line kdj-migrate: {"event": "note", "time": 1.0, "message": "x"}"#);
    assert_eq!(line, Line { text: Some("half a line ".to_owned()), news: Some(News::Note("x".to_owned())) });
}

#[test]
fn another_run_is_named() {
    let busy = r#"kdj-migrate: {"event": "busy", "time": 1.0, "message": "x", "applied": [], "holder": {"pid": 7,
        "application_name": "kdj migrate on shop-1", "user": "shop", "state": "idle in transaction",
        "query_seconds": 75.2, "transaction_seconds": 75.2}}"#;
    let receipt = progress(&busy.replace('\n', "")).0.receipt(about());
    assert_eq!(receipt.outcome, Outcome::Busy);
    assert_eq!(
        receipt.failure.unwrap().message,
        "another migration is running on this database: pid 7 (kdj migrate on shop-1, user shop, idle in transaction, \
         query 1 min 15 s old, transaction 1 min 15 s old)"
    );
}
