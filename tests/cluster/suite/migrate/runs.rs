//! Runs that go well: nothing to do, thirty, some, back, recorded only.

use serde_json::Value;

use super::{super::harness::cluster, Shop, names, receipt};

#[test]
fn thirty_migrations_and_then_nothing_to_do() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "many");
    let kdj = shop.kdj();
    let output = kdj.run(["migrate", "own"]).expect_code(0);
    let text = output.stdout_text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 34, "{output}");
    for (number, line) in (1..=30).zip(&lines) {
        assert!(line.starts_with(&format!("applied many.{number:04}_step in ")) && line.ends_with(" s"), "{line}");
    }
    assert!(lines[30].starts_with("30 of 30 migrations in "), "{output}");
    assert!(lines[31].starts_with("image registry.local/shop:1 (sha256:"), "{output}");
    assert_eq!(lines[32], "started by admin");
    let name = lines[33].strip_prefix("Job ").expect("the Job").to_owned();
    assert_eq!(shop.applied("many").len(), 30);
    // A long plan is shown in part before it is run, and how far it is from time to time.
    let output = output.says(&[
        "many.0010_step",
        "... and 20 more; `--plan` lists them all",
        "default (shop at postgres:5432)",
        "image registry.local/shop:1 of deployment/shell",
        &format!("job {name}"),
        "1 of 30 many.0001_step",
    ]);
    assert!(output.stderr.lines().filter(|line| line.contains(" of 30 many.")).count() < 15, "{output}");

    let job = shop.job();
    assert_eq!(job["metadata"]["name"], Value::from(name.as_str()));
    let receipt = receipt(&job);
    assert_eq!(names(&receipt["applied"]).len(), 30);
    for (field, value) in [
        ("version", Value::from(1)),
        ("environment", "own".into()),
        ("image", "registry.local/shop:1".into()),
        ("who", "admin".into()),
        ("job", name.as_str().into()),
        ("outcome", "done".into()),
        ("total", 30.into()),
        ("failure", Value::Null),
    ] {
        assert_eq!(receipt[field], value, "{field}: {receipt:#}");
    }
    assert!(receipt["image_id"].as_str().is_some_and(|id| id.contains("sha256:")), "{receipt:#}");
    let listed = kdj.run(["jobs", "own"]).expect_code(0).stdout_text();
    assert!(listed.contains(&name) && listed.contains("admin"), "{listed}");
    let events =
        shop.namespace.kubectl(["get", "events", "-o", "jsonpath={.items[?(@.reason=='KdjMigrate')].message}"]);
    assert!(events.contains("admin") && events.contains("migrate") && events.contains("ended with 0"), "{events}");

    shop.namespace.kubectl(["delete", "job", &name]);
    let _ =
        kdj.run(["migrate", "own"]).expect_code(0).prints("").says(&["nothing to migrate", "planned in pod shell-"]);
    let json = kdj.run(["-q", "migrate", "own", "-o", "json"]).expect_code(0);
    assert_eq!(json.stderr, "");
    let receipt: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!((&receipt["outcome"], &receipt["total"]), (&"done".into(), &0.into()));
    assert_eq!((&receipt["database"]["name"], &receipt["job"]), (&"shop".into(), &Value::Null));
    let plan = kdj.run(["migrate", "own", "--plan", "-o", "json"]).expect_code(0);
    let plan: Value = serde_json::from_slice(&plan.stdout).expect("JSON");
    assert_eq!(plan["plan"]["migrations"], Value::Array(Vec::new()));
    assert_eq!(shop.jobs(), [Value::Null; 0]);
}

#[test]
fn some_of_them_back_again_and_recorded_only() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "many,risky,indexed");
    let kdj = shop.kdj();
    let run = |words: &[&str]| {
        let output = kdj.run(["migrate", "own"].iter().chain(words)).expect_code(0);
        output
            .stdout_text()
            .lines()
            .map(|line| line.split(" in ").next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let lines = run(&["many", "0002"]);
    assert_eq!(lines[..2], ["applied many.0001_step", "applied many.0002_step"]);
    assert_eq!(lines[2], "2 of 2 migrations");
    let lines = run(&["many", "0003", "--fake"]);
    assert_eq!(lines[0], "recorded as applied many.0003_step");
    assert_eq!(shop.applied("many").len(), 3);
    assert_eq!(shop.sql("SELECT count(*) FROM information_schema.columns WHERE column_name = 'field_3'"), "0");
    let _ = run(&["many", "0002", "--fake"]);
    let lines = run(&["many", "zero"]);
    assert_eq!(lines[..2], ["unapplied many.0002_step", "unapplied many.0001_step"]);
    assert_eq!(shop.sql("SELECT to_regclass('many_item')"), "");
    // An app's first, where its table is there already.
    shop.sql("CREATE TABLE many_item (id bigserial PRIMARY KEY)");
    assert_eq!(run(&["many", "0001", "--fake-initial"])[0], "recorded as applied many.0001_step");
    // Not in a transaction: CONCURRENTLY.
    let _ = run(&["indexed"]);
    assert_eq!(shop.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'indexed_row_n'::regclass"), "t");

    // What has no way back is refused before anything is done.
    let _ = run(&["risky", "0015"]);
    let uid = || shop.job()["metadata"]["uid"].clone();
    let before = uid();
    let refused = kdj.run(["migrate", "own", "risky", "0013"]).expect_code(1).prints("");
    let _ = refused.says(&["risky.0015_sql cannot be reversed: nothing was done", "irreversible", "`--fake`"]);
    assert_eq!((uid(), shop.applied("risky").len()), (before, 15));
}

#[test]
fn what_there_is_not_is_named() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::with(cluster, "many");
    let kdj = shop.kdj();
    for (words, phrases) in [
        (&["own", "nosuch"][..], &["no installed app with label 'nosuch'", "`kdj manage own -- showmigrations`"][..]),
        (&["own", "many", "0099"], &["cannot find a migration matching '0099' from app 'many'", "showmigrations"]),
        (&["own", "many", "00"], &["more than one migration matches '00' in app 'many'"]),
        (&["own", "--database", "nosuch"], &["no database 'nosuch', only default", "`--database` takes an alias"]),
    ] {
        let output = kdj.run(["migrate"].iter().chain(words)).expect_code(1).prints("");
        let _ = output.says(phrases).never_says(&["Traceback"]);
    }
    shop.set(["SCRATCH_APPS=conflicting"]);
    let output = kdj.run(["migrate", "own"]).expect_code(1).prints("");
    let _ = output.says(&["conflicting migrations detected", "0002_one", "0002_two", "makemigrations --merge"]);
    shop.set(["DATABASE_URL=postgres://shop:wrong-password@postgres:5432/shop"]);
    let output = kdj.run(["migrate", "own"]).expect_code(1).prints("").never_says(&["wrong-password"]);
    let _ =
        output.says(&["no plan for `own`", "authentication failed", "`kdj manage own -- check --database default`"]);
    assert_eq!(shop.jobs(), [Value::Null; 0]);
}
