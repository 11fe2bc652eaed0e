//! kdj goes, or its connection does; the migration goes on, and its receipt is there for who takes it up.

use rustix::process::Signal;

use super::{
    super::harness::{Door, cluster},
    Shop, receipt,
};

#[test]
fn a_migration_outlives_the_kdj_that_started_it() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "slow");
    let kdj = shop.kdj();
    let running = kdj.start(["migrate", "own"]);
    running.wait_for_stderr(" job kdj-migrate-");
    running.signal(Signal::KILL);
    let _ = running.finish();
    let name = shop.job()["metadata"]["name"].as_str().expect("a name").to_owned();
    let attached = kdj.run(["jobs", "attach", "own", &name]).expect_code(0);
    let text = attached.stdout_text();
    assert!(text.contains("applied slow.0001_sleep in ") && text.contains("1 of 1 migrations in "), "{attached}");
    assert!(text.contains("image registry.local/shop:1 (sha256:") && text.contains("started by admin\n"), "{attached}");
    let _ = attached.says(&["started by admin from ", "1 of 1 slow.0001_sleep"]);
    assert_eq!(receipt(&shop.job())["outcome"], "done");
    let _ = kdj.run(["migrate", "own"]).expect_code(0).says(&["nothing to migrate"]);

    // Left by a signal, and detached from the beginning.
    let _ = kdj.run(["migrate", "own", "slow", "zero"]).expect_code(0);
    let running = kdj.start(["migrate", "own"]);
    running.wait_for_stderr("1 of 1 slow.0001_sleep");
    running.signal(Signal::INT);
    let left = running.finish().expect_code(130).prints("");
    let _ = left.says(&["which goes on in `own`", &format!("`kdj jobs attach own {name}`")]);
    // By its name alone, as it was made from here.
    let _ = kdj.run(["jobs", "attach", &name]).expect_code(0);
    assert_eq!(shop.applied("slow").len(), 1);

    let _ = kdj.run(["migrate", "own", "slow", "zero"]).expect_code(0);
    let _ = kdj.run(["migrate", "own", "--detach"]).expect_code(0).prints(&format!("{name}\n"));
    let _ = kdj.run(["jobs", "attach", "own", &name]).expect_code(0);
    let audit = kdj.run(["audit", "own"]).expect_code(0).stdout_text();
    assert!(audit.contains("migrate slow zero"), "{audit}");
}

#[test]
fn a_connection_that_is_cut_is_no_loss() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::settled(cluster, "slow,many");
    let door = Door::open(cluster);
    let kdj = door.lead(cluster, shop.kdj());
    let running = kdj.start(["migrate", "own"]);
    running.wait_for_stderr("31 of 31 slow.0001_sleep");
    door.cut();
    std::thread::sleep(std::time::Duration::from_secs(1));
    door.shut();
    std::thread::sleep(std::time::Duration::from_secs(3));
    door.open_again();
    let output = running.finish().expect_code(0);
    let text = output.stdout_text();
    assert_eq!(text.lines().filter(|line| line.starts_with("applied ")).count(), 31, "{output}");
    assert!(text.contains("31 of 31 migrations in "), "{output}");
    assert_eq!(receipt(&shop.job())["outcome"], "done");
}
