//! A rollback to an image that does not know migrations that are applied. The older image is the one without IPython:
//! the scratch apps are installed only beside that.

use serde_json::Value;

use super::{
    super::harness::{Namespace, PLAIN, SHOP, cluster},
    CANARIES, Shop,
};
use crate::harness::wait::DEADLINE;

#[track_caller]
fn image(namespace: &Namespace<'_>) -> String {
    namespace.kubectl(["get", "deployment/shell", "-o", "jsonpath={.spec.template.spec.containers[0].image}"])
}

/// A shop of the newer image, and a revision of the older one before it.
fn released(shop: &Shop<'_>) {
    shop.set(["SCRATCH_ONLY_WITH=IPython"]);
    for image in [PLAIN, SHOP] {
        shop.namespace.kubectl(["set", "image", "deployment/shell", &format!("django={image}")]);
        shop.namespace.wait_for_rollout(["deployment/shell"]);
    }
}

#[test]
fn migrations_the_older_image_does_not_know_are_named() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::with(cluster, "blocked");
    released(&shop);
    let kdj = shop.kdj().deadline(DEADLINE * 3);
    // Nothing of it is applied: there is nothing to say.
    let quiet = kdj.run(["rollback", "own", "--dry-run", "-v"]).expect_code(0);
    let _ = quiet.says(&["only a job on it can tell, and a dry run makes none"]).never_says(&["warning"]);
    assert!(shop.jobs().is_empty());
    shop.namespace.kubectl(["exec", "deployment/shell", "--", "python", "manage.py", "migrate", "-v0"]);

    let output = kdj.run(["rollback", "own", "-v"]).expect_code(1).never_says(&CANARIES);
    let _ = output.says(&[
        &format!("no ready pod runs {PLAIN}: a job of its own lists its migrations"),
        &format!("warning: migrations are applied that {PLAIN} does not know, and stays so: blocked.0001_initial, blocked.0002_colour"),
        "error: refusing to roll back `own`: see the warning above",
        "pass `--yes` to go on all the same",
    ]);
    assert_eq!(image(&shop.namespace), SHOP);
    // The job has gone with its answer.
    assert!(shop.jobs().iter().all(|job| job["metadata"]["deletionTimestamp"] != Value::Null), "{:?}", shop.jobs());

    let output = kdj.run(["rollback", "own", "--yes", "--wait"]).expect_code(0);
    let _ = output.says(&["blocked.0002_colour", "shell: rolled back, after "]);
    assert_eq!(image(&shop.namespace), PLAIN);
    // Forward again: the newer image knows them all.
    let output = kdj.run(["rollback", "own", "--wait"]).expect_code(0).never_says(&["warning"]);
    let _ = output.says(&[&format!("no ready pod runs {SHOP}")]);
    assert_eq!(image(&shop.namespace), SHOP);
}

#[test]
fn where_the_older_image_cannot_be_asked_that_is_said() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::with(cluster, "blocked");
    shop.namespace.kubectl(["set", "image", "deployment/shell", "django=registry.local/nosuch:9"]);
    shop.namespace.wait_for("deployment/shell", "{.status.replicas}", "2");
    shop.namespace.kubectl(["set", "image", "deployment/shell", &format!("django={SHOP}")]);
    shop.namespace.wait_for_rollout(["deployment/shell"]);
    let kdj = shop.kdj().deadline(DEADLINE * 3);
    let output = kdj.run(["rollback", "own"]).expect_code(1);
    let _ = output.says(&[
        "warning: whether registry.local/nosuch:9 knows all migrations that are applied is not known",
        "refusing to roll back `own`: see the warning above",
    ]);
    assert_eq!(image(&shop.namespace), SHOP);
}

#[test]
fn the_older_image_is_asked_with_what_its_revision_had() {
    let Some(cluster) = cluster() else { return };
    let shop = Shop::with(cluster, "blocked");
    released(&shop);
    let revision = "jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}";
    let newer: i64 = shop.namespace.kubectl(["get", "deployment/shell", "-o", revision]).parse().expect("a number");
    // With this the older image would not start.
    shop.namespace.kubectl(["set", "env", "deployment/shell", "DJANGO_SETTINGS_MODULE=shop.nosuch"]);
    shop.namespace.wait_for_rollout(["deployment/shell"]);
    let older = (newer - 1).to_string();
    let output = shop.kdj().deadline(DEADLINE * 3).run(["rollback", "own", &older, "-v"]).expect_code(0);
    let _ = output.says(&[&format!("no ready pod runs {PLAIN}: a job of its own")]).never_says(&["is not known"]);
    assert_eq!(image(&shop.namespace), PLAIN);
}
