//! MySQL and its kin: each change of a table is committed at once, no SQL is linted, and no lock timeout is set.

use serde_json::Value;

use super::{super::harness::cluster, Shop};

#[test]
fn plan_and_migrations_on_mariadb() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::on_mariadb(cluster, "many,halfway");
    let kdj = shop.kdj();
    let plan = kdj.run(["migrate", "own", "--plan", "-o", "json"]).expect_code(0);
    let plan: Value = serde_json::from_slice(&plan.stdout).expect("JSON");
    assert_eq!(plan["plan"]["database"]["vendor"], "mysql", "{plan:#}");

    let many = kdj.run(["migrate", "own", "many"]).expect_code(0);
    assert!(many.stdout_text().contains("30 of 30 migrations in "), "{many}");
    assert_eq!(shop.mariadb("SELECT count(*) FROM django_migrations WHERE app = 'many'"), "30");
    let _ = kdj.run(["migrate", "own", "many"]).expect_code(0).prints("").says(&["nothing to migrate"]);

    // What the failed one did before it failed stays: it is said that there is no single transaction.
    let halfway = kdj.run(["migrate", "own", "halfway"]).expect_code(1);
    let halfway = halfway.says(&["ValueError", "no single transaction"]);
    assert_eq!(shop.mariadb("SELECT name FROM django_migrations WHERE app = 'halfway'"), "0001_initial");
    for output in [&many, &halfway] {
        assert!(!output.to_string().contains("canary-migrations"), "{output}");
    }
}
