//! `kdj rollback` on real controllers. Migrations have a test of their own, with a database: `migrate::rolled_back`.

use serde_json::json;

use super::{
    super::harness::{Namespace, PLAIN, SHOP, cluster, objects},
    beat, kdj, part, pods_of, running, web, worker,
};

#[track_caller]
fn image(namespace: &Namespace<'_>, workload: &str) -> String {
    part(namespace, workload, "{.spec.template.spec.containers[0].image}")
}

#[track_caller]
fn release(namespace: &Namespace<'_>, roles: &[&str], image: &str) {
    for role in roles {
        let workload = format!("deployment/{role}");
        namespace.kubectl(["set", "image", &workload, &format!("app={image}")]);
        namespace.wait_for_rollout([workload.as_str()]);
    }
}

#[test]
fn roles_of_one_release_go_back_together() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(2), worker(1), beat()]);
    let kdj = kdj(&namespace);
    release(&namespace, &["web", "celeryd", "celerybeat"], PLAIN);
    // What does not tell releases apart.
    namespace.kubectl(["rollout", "restart", "deployment/web"]);
    namespace.wait_for_rollout(["deployment/web"]);
    let before = pods_of(&namespace, "web");

    let words = ["rollback", "own", "--skip-migrations"];
    let output = kdj.run(words.iter().chain(&["--dry-run"])).expect_code(0);
    let _ = output.says(&[
        "web 3 -> 1: image",
        &format!("celeryd 2 -> 1 ({PLAIN} -> {SHOP})"),
        "(dry run: nothing was changed)",
    ]);
    assert_eq!((image(&namespace, "deployment/web"), pods_of(&namespace, "web")), (PLAIN.to_owned(), before));

    let output = kdj.run(words.iter().chain(&["--wait"])).expect_code(0).prints("");
    let _ =
        output.says(&["web: rolled back, after ", "celeryd: rolled back, after ", "celerybeat: rolled back, after "]);
    for role in ["web", "celeryd", "celerybeat"] {
        assert_eq!(image(&namespace, &format!("deployment/{role}")), SHOP);
    }
    // As kubectl's undo: the ReplicaSet of then, and no other one.
    assert_eq!(part(&namespace, "replicasets", "{.items[*].metadata.name}").split_whitespace().count(), 2 + 1 + 2 + 2);
    // Beat has its own strategy again.
    assert_eq!(part(&namespace, "deployment/celerybeat", "{.spec.strategy.type}"), "RollingUpdate");
    let output = kdj.run(["releases", "own", "web"]).expect_code(0);
    assert!(output.stdout_text().contains("4 (was 1)"), "{output}");

    // There and back again, by number; a template that is the current one is none to go back to.
    let _ = kdj.run(["rollback", "own", "2", "web", "--skip-migrations", "--wait"]).expect_code(0);
    assert_eq!(
        (image(&namespace, "deployment/web"), image(&namespace, "deployment/celeryd")),
        (PLAIN.into(), SHOP.into())
    );
    let _ = kdj
        .run(["rollback", "own", "3", "web", "--skip-migrations"])
        .expect_code(1)
        .says(&["revision 3 of `web` is what it has: nothing was done", "but for a restart"]);
    let _ = kdj.run(["rollback", "own", "1", "web"]).expect_code(2).says(&["no revision 1", "what was 1 is 4 now"]);
}

#[test]
fn a_release_that_does_not_start_is_rolled_back() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    let kdj = kdj(&namespace);
    namespace.kubectl(["set", "image", "deployment/web", "app=registry.local/nosuch:9"]);
    namespace.wait_for("deployment/web", "{.status.replicas}", "2");
    let output = kdj.run(["rollback", "own", "--skip-migrations", "--wait"]).expect_code(0);
    let _ = output.says(&["web 2 -> 1: image registry.local/nosuch:9 -> ", "web: rolled back, after "]);
    assert_eq!(pods_of(&namespace, "web").len(), 1);
    // A rollback to what does not start ends with the reason.
    let output = kdj.run(["rollback", "own", "2", "web", "--skip-migrations", "--wait"]).expect_code(1);
    let _ = output.says(&["error: the rollout of `web` does not get on", "nosuch:9"]);
}

#[test]
fn a_stateful_set_goes_back_too() {
    let Some(cluster) = cluster() else { return };
    let mut set = objects::stateful_set("consumer", 1, objects::pod([objects::sleeping("app", SHOP)]));
    let namespace = running(cluster, []);
    namespace.apply([set.clone()]);
    namespace.wait_for_rollout(["statefulset/consumer"]);
    set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(PLAIN);
    set["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "FLAG", "value": "1"}]);
    namespace.apply([set]);
    namespace.wait_for_rollout(["statefulset/consumer"]);
    let output = kdj(&namespace).run(["rollback", "own", "consumer", "--skip-migrations", "--wait"]).expect_code(0);
    let _ = output.says(&["consumer 2 -> 1: image", "-FLAG", "consumer: rolled back, after "]);
    assert_eq!(image(&namespace, "statefulset/consumer"), SHOP);
    assert_eq!(part(&namespace, "statefulset/consumer", "{.spec.template.spec.containers[0].env}"), "");
}

#[test]
fn who_will_undo_it_who_may_and_what_is_recorded() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    release(&namespace, &["web"], PLAIN);
    namespace.kubectl(["annotate", "deployment/web", "argocd.argoproj.io/tracking-id=shop:apps/Deployment:x/web"]);
    let place = format!("context = \"acme-staging\"\nnamespace = \"{}\"\n", namespace.name());
    let config = format!("[environments.own]\n{place}[environments.live]\n{place}protected = true\n");
    let kdj = cluster.kdj().config(&config).deadline(super::PATIENCE);
    let words = ["rollback", "own", "--skip-migrations"];
    let _ = kdj.run(words.iter().chain(&["--dry-run"])).expect_code(0).says(&[
        "warning: `web` is managed by Argo CD application `shop`, which may undo this, if self-heal is on: change it in git",
    ]);
    let viewer = format!("acme-staging-viewer/{}", namespace.name());
    let output = super::kdj(&namespace).run(["rollback", &viewer, "--skip-migrations"]).expect_code(1);
    let _ = output.says(&["error: `viewer` may not `patch` `deployments` in namespace"]);

    let live = ["rollback", "live", "--skip-migrations"];
    let _ = kdj.run(live).expect_code(1).says(&["refusing to roll back protected environment `live`"]);
    let _ = kdj.run(live.iter().chain(&["--confirm", "live", "--reason", "the cart is empty"])).expect_code(0);
    assert_eq!(image(&namespace, "deployment/web"), SHOP);
    let audit = kdj.run(["audit", "live"]).expect_code(0).stdout_text();
    assert!(audit.contains("rollback") && audit.contains("the cart is empty"), "{audit}");
    namespace.kubectl(["rollout", "pause", "deployment/web"]);
    let _ =
        kdj.run(words).expect_code(1).says(&["refusing to roll back `web`: its rollouts are paused", "rollout resume"]);
}
