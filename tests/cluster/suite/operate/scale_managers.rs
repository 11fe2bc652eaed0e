//! Who else sets the replicas: said before, refused where it is certain, and noticed afterwards.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    super::harness::{Namespace, cluster},
    beat, command_in, follow_hint, kdj, part, replicas, running, sleeper, web, worker,
};

fn autoscaler(name: &str, min: u32, max: u32) -> Value {
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
        "spec": {
            "minReplicas": min, "maxReplicas": max,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}],
        },
    })
}

#[test]
fn an_autoscaler_s_replicas_are_refused_and_its_range_is_offered() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(2)]);
    namespace.apply([autoscaler("web", 2, 4)]);
    let kdj = kdj(&namespace);
    let output = kdj.run(["scale", "own", "web=3"]).expect_code(1).says(&[
        "error: refusing to scale `web`: its replicas are set by HorizontalPodAutoscaler `web`",
        "caused by: it keeps them between 2 and 4, and would soon set another number than 3",
        "hint: `--force` sets the number all the same",
    ]);
    assert_eq!(replicas(&namespace, "deployment/web"), "2");
    follow_hint(cluster, &command_in(&output.stderr, "change its range instead: "));
    assert_eq!(part(&namespace, "hpa/web", "{.spec.minReplicas} {.spec.maxReplicas}"), "3 4");
    // That is what the autoscaler then does.
    namespace.wait_for("deployment/web", "{.spec.replicas}", "3");

    let output = kdj.run(["scale", "own", "web=1", "--force", "--wait"]).expect_code(1);
    let _ = output.says(&[
        "warning: HorizontalPodAutoscaler `web` sets the replicas of `web`, between 3 and 4",
        "web: 3 -> 1",
        "error: `web` did not stay at 1: it was set to 3 by HorizontalPodAutoscaler `web`",
    ]);

    // Zero switches an HPA off, and one more switches it on.
    let _ = kdj.run(["scale", "own", "web=0"]).expect_code(1).says(&["switch the autoscaler off"]);
    let _ = kdj
        .run(["scale", "own", "web=0", "--force"])
        .expect_code(0)
        .says(&["leaves `web` alone while it has 0 replicas"]);
    let _ = kdj
        .run(["scale", "own", "web=3"])
        .expect_code(0)
        .says(&["takes over from there, and keeps `web` between 3 and 4"]);
}

#[test]
fn keda_is_named_where_it_stands_behind_an_autoscaler() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [worker(1)]);
    let mut hpa = autoscaler("celeryd", 1, 5);
    hpa["metadata"] = json!({"name": "keda-hpa-queue", "labels": {"scaledobject.keda.sh/name": "queue"}});
    namespace.apply([hpa]);
    let kdj = kdj(&namespace);
    let output = kdj.run(["scale", "own", "celeryd=3"]).expect_code(1);
    let output = output.says(&["its replicas are set by KEDA ScaledObject `queue`"]);
    let command = command_in(&output.stderr, "change its range instead: ");
    let words = ["patch", "scaledobject", "queue", "--type=merge", "-p", r#"{"spec":{"minReplicaCount":3}}"#];
    assert_eq!(command[command.len() - 6..], words);
    let table = kdj.run(["scale", "own", "-o", "wide"]).expect_code(0).stdout_text();
    assert!(table.contains("keda-hpa-queue (1-5)   KEDA ScaledObject `queue`"), "{table}");
}

#[test]
fn gitops_and_helm_are_named() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1), worker(1), beat()]);
    namespace.kubectl(["annotate", "deployment/web", "argocd.argoproj.io/tracking-id=shop:apps/Deployment:own/web"]);
    namespace.kubectl(["label", "deployment/celeryd", "kustomize.toolkit.fluxcd.io/name=apps"]);
    namespace.kubectl(["annotate", "deployment/celerybeat", "meta.helm.sh/release-name=shop"]);
    let output = kdj(&namespace).run(["scale", "own", "web=2", "celeryd=2", "celerybeat=0"]).expect_code(0);
    let _ = output.says(&[
        "warning: `web` is managed by Argo CD application `shop`, which may undo this, if self-heal is on",
        "warning: `celeryd` is managed by Flux Kustomization `apps`, which may undo this",
        "the next release of Helm release `shop` sets `celerybeat` as its chart has it",
        "web: 1 -> 2",
    ]);
}

#[test]
fn an_operator_that_sets_the_replicas_back_is_noticed() {
    let Some(cluster) = cluster() else { return };
    let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop-qa"}, "data": {}});
    let namespace = running(cluster, [web(1)]);
    namespace.apply([owner]);
    let uid = part(&namespace, "configmap/shop-qa", "{.metadata.uid}");
    let owners = json!({"metadata": {"ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "shop-qa", "uid": uid, "controller": true}]}});
    namespace.kubectl(["patch", "deployment/web", "--type=merge", "-p", &owners.to_string()]);
    let over = AtomicBool::new(false);
    let output = thread::scope(|scope| {
        let _operator = scope.spawn(|| operate(&namespace, &over));
        let output = kdj(&namespace).run(["scale", "own", "web=3", "--wait"]);
        over.store(true, Ordering::Relaxed);
        output
    });
    let _ = output.expect_code(1).says(&[
        "warning: `web` is managed by ConfigMap `shop-qa`, which may undo this: change it there to keep it",
        "web: 1 -> 3",
        "error: `web` did not stay at 3: it was set to 1 by `operator`",
        "caused by: `web` is managed by ConfigMap `shop-qa`: change it there to keep it",
    ]);
}

/// Sets the replicas to 1 whenever they are another number.
fn operate(namespace: &Namespace<'_>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        if replicas(namespace, "deployment/web") != "1" {
            let patch = r#"{"spec":{"replicas":1}}"#;
            namespace.kubectl(["patch", "deployment/web", "--field-manager=operator", "--type=merge", "-p", patch]);
        }
        thread::sleep(Duration::from_millis(700));
    }
}

#[test]
fn a_second_beat_is_refused_whatever_is_said() {
    let Some(cluster) = cluster() else { return };
    let inside = sleeper("inside", 1, "celery -A shop worker -B");
    let namespace = running(cluster, [beat(), inside]);
    let kdj = kdj(&namespace);
    for words in [&["celerybeat=2"][..], &["celerybeat+1", "--force"], &["inside=1", "celerybeat=3", "--force"]] {
        let output = kdj.run(["scale", "own"].iter().chain(words)).expect_code(1);
        let _ = output.says(&["of `celerybeat`: one beat is enough", "all of them run twice"]);
    }
    let _ =
        kdj.run(["scale", "own", "inside=2", "--force"]).expect_code(1).says(&["each has a beat inside", "take `-B`"]);
    assert_eq!(replicas(&namespace, "deployment/celerybeat"), "1");
    // Somebody else did it: kdj helps out.
    namespace.kubectl(["scale", "deployment/celerybeat", "--replicas=2"]);
    let _ = kdj.run(["scale", "own", "celerybeat=1", "--wait"]).expect_code(0).says(&["celerybeat: 2 -> 1"]);
}
