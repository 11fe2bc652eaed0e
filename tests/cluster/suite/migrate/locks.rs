//! Locks: those that others hold in the database, and the one that lets a single migration run.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{super::harness::cluster, Shop};

/// Until it is ended.
const READER: &str = "BEGIN; LOCK TABLE blocked_thing IN ACCESS SHARE MODE; SELECT pg_sleep(300)";

#[test]
fn one_that_waits_for_a_lock_says_for_whom_and_goes_on_when_it_is_free() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "blocked");
    let kdj = shop.kdj();
    let _ = kdj.run(["migrate", "own", "blocked", "0001"]).expect_code(0);
    let mut reader = shop.session(READER);
    reader.wait_for_lock("blocked_thing");
    let running = kdj.start(["migrate", "own"]);
    running.wait_for_stderr("blocked.0002_colour waits for a lock held by pid ");
    running.wait_for_stderr("try 1 of 10 more in ");
    // Others pass meanwhile: whoever came after the migration does not wait behind it for longer than its lock_timeout.
    let begun = Instant::now();
    assert_eq!(shop.sql("SELECT count(*) FROM blocked_thing"), "0");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    reader.end();
    let output = running.finish().expect_code(0);
    assert!(output.stdout_text().contains("1 of 1 migrations in "), "{output}");
    let output = output
        .says(&["reporting, user shop, active, query ", "blocked.0002_colour did not get its lock; held by pid "]);
    assert!(output.stderr.lines().count() < 40, "{output}");
    assert_eq!(shop.applied("blocked").len(), 2);
}

#[test]
fn one_that_never_gets_its_lock_gives_up_in_time() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "blocked");
    let kdj = shop.kdj().deadline(Duration::from_secs(150));
    let _ = kdj.run(["migrate", "own", "blocked", "0001"]).expect_code(0);
    let mut reader = shop.session(READER);
    reader.wait_for_lock("blocked_thing");
    let output = kdj.run(["migrate", "own", "--lock-timeout", "50ms"]).expect_code(1);
    let _ = output.says(&[
        "try 10 of 10 more",
        // Who held it is told where somebody had the time to look; of the last try that is not sure.
        "blocked.0002_colour did not get its lock; held by pid ",
        "blocked.0002_colour: it did not get its lock",
        "(reporting, user shop, active, query ",
        "blocked.0002_colour was rolled back: it left nothing",
        "when the lock is free, `kdj migrate own` goes on",
    ]);
    assert_eq!(shop.applied("blocked").len(), 1);
    reader.end();
    let _ = kdj.run(["migrate", "own", "--lock-timeout", "50ms"]).expect_code(0);
    assert_eq!(shop.applied("blocked").len(), 2);
    // What a pooler swallows is noticed before anything is done.
    let _ = kdj.run(["migrate", "own", "blocked", "0001"]).expect_code(0);
    shop.set(["SCRATCH_MUTE_TIMEOUT=1"]);
    let output = kdj.run(["migrate", "own"]).expect_code(1);
    let _ = output.says(&[
        "lock_timeout was set to 2000 ms, and the database says",
        "pooler",
        "`kdj migrate own --lock-timeout 0`",
    ]);
    assert_eq!(shop.applied("blocked").len(), 1);
    let _ = kdj.run(["migrate", "own", "--lock-timeout", "0"]).expect_code(0);
}

#[test]
fn of_ten_at_once_one_runs() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "slow");
    let started: Vec<_> = (1..=10)
        .map(|number| shop.kdj().variable("USER", format!("user-{number}")).deadline(Duration::from_secs(150)))
        .map(|kdj| kdj.start(["migrate", "own", "--reason", "ten at once"]))
        .collect();
    let outputs: Vec<_> = started.into_iter().map(|running| running.finish()).collect();
    let (ran, refused): (Vec<_>, Vec<_>) = outputs.into_iter().partition(|output| output.code == Some(0));
    assert_eq!(
        (ran.len(), refused.len()),
        (1, 9),
        "{}",
        ran.iter().chain(&refused).map(ToString::to_string).collect::<String>()
    );
    assert!(ran[0].stdout_text().contains("1 of 1 migrations in "), "{}", ran[0]);
    // The database has it once, by one Job.
    assert_eq!(shop.applied("slow"), ["0001_sleep"]);
    let job = shop.job();
    let host = job["metadata"]["annotations"]["kdj.dev/host"].as_str().expect("a host").to_owned();
    let uid = job["metadata"]["uid"].as_str().expect("a uid").to_owned();
    let events = shop.namespace.kubectl(["get", "events", "--field-selector=involvedObject.kind=Job", "-o", "json"]);
    let events: Value = serde_json::from_str(&events).expect("JSON");
    let uids = events["items"].as_array().expect("events").iter().map(|event| event["involvedObject"]["uid"].as_str());
    assert!(uids.flatten().all(|of| of == uid), "{events:#}");
    let name = job["metadata"]["name"].as_str().expect("a name");
    let mut told = 0;
    for output in refused {
        told += usize::from(output.stderr.contains("1 of 1 slow.0001_sleep"));
        let _ = output.expect_code(1).prints("").says(&[
            "another migration of this database is under way in `own`: nothing was done",
            &format!("caused by: job {name}: `migrate`, started by admin from {host} "),
            "s ago, ",
            &format!("hint: follow it: `kdj jobs attach own {name}`"),
        ]);
    }
    // Those that come while Django starts cannot be told more.
    assert!(told <= 9);

    // Who finds it under way may follow it.
    let _ = shop.kdj().run(["migrate", "own", "slow", "zero"]).expect_code(0);
    let first = shop.kdj().start(["migrate", "own"]);
    first.wait_for_stderr("1 of 1 slow.0001_sleep");
    let refused = shop.kdj().run(["migrate", "own"]).expect_code(1);
    let _ = refused.says(&["ago, running, 1 of 1 slow.0001_sleep"]);
    let second = shop.kdj().run(["migrate", "own", "--yes"]).expect_code(1);
    let second = second.says(&["that was another migration: yours was not run", "`kdj migrate own`"]);
    let first = first.finish().expect_code(0);
    assert_eq!(second.stdout_text(), first.stdout_text());
}

#[test]
fn under_another_name_of_the_server_the_database_itself_says_no() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "blocked");
    let kdj = shop.kdj().deadline(Duration::from_secs(150));
    let _ = kdj.run(["migrate", "own", "blocked", "0001"]).expect_code(0);
    let mut reader = shop.session(READER);
    reader.wait_for_lock("blocked_thing");
    let first = kdj.start(["migrate", "own", "--lock-timeout", "120s"]);
    first.wait_for_stderr("blocked.0002_colour waits for a lock");
    let host = format!("postgres.{}", shop.namespace.name());
    shop.set([&format!("DATABASE_URL=postgres://shop:{}@{host}:5432/shop", super::CANARIES[0])]);
    let second = kdj.run(["migrate", "own"]).expect_code(1);
    let _ = second.says(&[
        &format!("default (shop at {host}:5432)"),
        "error: another migration runs on the database of `own`",
        "another migration is running on this database: pid ",
        "(kdj migrate on kdj-migrate-",
        "`kdj migrate own` once that has ended",
    ]);
    reader.end();
    let _ = first.finish().expect_code(0);
    assert_eq!((shop.applied("blocked").len(), shop.jobs().len()), (2, 2));
}
