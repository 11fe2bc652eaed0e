use serde_json::{Value, json};

use super::*;
use crate::cluster::target::{Controller, Owner, fixtures::object as from_json};

fn managers(metadata: Value) -> Vec<Manager> {
    Manager::of(&from_json::<ObjectMeta>(metadata), None)
}

/// One manager of an object, shown, and what it does to changes of replicas, template and a restart.
fn only(metadata: Value) -> (String, [Option<Reverts>; 3]) {
    let managers = managers(metadata);
    assert_eq!(managers.len(), 1, "{managers:?}");
    let all = [Aspect::Replicas, Aspect::Template, Aspect::Restart];
    (managers[0].to_string(), all.map(|change| managers[0].reverts(change)))
}

fn field(manager: &str, fields: Value) -> Value {
    json!({"manager": manager, "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": fields})
}

fn replicas(manager: &str) -> Value {
    field(manager, json!({"f:spec": {"f:replicas": {}, "f:template": {}}}))
}

fn template(manager: &str) -> Value {
    field(manager, json!({"f:spec": {"f:template": {}}}))
}

#[test]
fn an_object_s_marks_tell_who_manages_it_and_what_it_undoes() {
    use Reverts::{Maybe, NextRelease, Soon};
    let tracking = json!({"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop-qa/web"});
    let applied = |manifest: &str| json!({"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop-qa/web", LAST_APPLIED: manifest});
    let kustomization =
        json!({"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"});
    for (metadata, name, expected) in [
        (
            json!({"annotations": {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop-qa"}}),
            "Helm release `shop`",
            [Some(NextRelease), Some(NextRelease), None],
        ),
        (json!({"annotations": tracking}), "Argo CD application `shop`", [Some(Maybe), Some(Maybe), None]),
        (
            json!({"labels": {"argocd.argoproj.io/instance": "shop"}}),
            "Argo CD application `shop`",
            [Some(Maybe), Some(Maybe), None],
        ),
        // Its default before 3.0: a label that is everybody's.
        (
            json!({"labels": {"app.kubernetes.io/instance": "shop"}, "managedFields": [replicas("argocd-controller")]}),
            "Argo CD application `shop`",
            [Some(Maybe), Some(Maybe), None],
        ),
        // Replicas that are not in git are not put back.
        (
            json!({"annotations": tracking, "managedFields": [template("argocd-controller")]}),
            "Argo CD application `shop`",
            [None, Some(Maybe), None],
        ),
        (
            json!({"annotations": applied("{\"spec\":{\"template\":{}}}"),
                "managedFields": [template("argocd-controller"), replicas("kubectl")]}),
            "Argo CD application `shop`",
            [None, Some(Maybe), None],
        ),
        (
            json!({"annotations": applied("{\"spec\":{\"replicas\":2}}")}),
            "Argo CD application `shop`",
            [Some(Maybe), Some(Maybe), None],
        ),
        (json!({"labels": kustomization}), "Flux Kustomization `apps`", [Some(Maybe), Some(Soon), None]),
        (
            json!({"labels": kustomization, "managedFields": [replicas("kustomize-controller")]}),
            "Flux Kustomization `apps`",
            [Some(Soon), Some(Soon), None],
        ),
        (
            json!({"labels": kustomization, "managedFields": [template("kustomize-controller")]}),
            "Flux Kustomization `apps`",
            [None, Some(Soon), None],
        ),
        // Who changed the replicas since has taken them over: they may be in the manifest all the same.
        (
            json!({"labels": kustomization, "managedFields": [template("kustomize-controller"), replicas("kdj")]}),
            "Flux Kustomization `apps`",
            [Some(Maybe), Some(Soon), None],
        ),
        (
            json!({"labels": {"helm.toolkit.fluxcd.io/name": "shop", "helm.toolkit.fluxcd.io/namespace": "shop-qa"},
                "annotations": {"meta.helm.sh/release-name": "shop"}}),
            "Flux HelmRelease `shop`",
            [Some(NextRelease), Some(NextRelease), None],
        ),
        (
            json!({"ownerReferences": [{"apiVersion": "shop.example/v1", "kind": "Shop", "name": "qa", "uid": "1",
                "controller": true}]}),
            "Shop `qa`",
            [Some(Maybe), Some(Maybe), Some(Maybe)],
        ),
    ] {
        let shown = metadata.to_string();
        assert_eq!(only(metadata), (name.to_owned(), expected), "{shown}");
    }
}

#[test]
fn what_is_nobody_s_has_no_managers() {
    for metadata in [
        json!({}),
        // The instance label is everybody's: Argo CD's own default is only one of its uses.
        json!({"labels": {"app.kubernetes.io/instance": "shop", "app.kubernetes.io/managed-by": "Helm"}}),
        json!({"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "1"}]}),
        json!({"managedFields": [replicas("kubectl")]}),
    ] {
        assert_eq!(managers(metadata), []);
    }
}

fn autoscaler(kind: &str, name: &str, change: impl FnOnce(&mut Value)) -> Option<Autoscaler> {
    let mut value = json!({
        "metadata": {"name": "web"},
        "spec": {"minReplicas": 2, "maxReplicas": 6, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": name}},
        "status": {"currentReplicas": 3, "desiredReplicas": 4},
    });
    change(&mut value);
    Autoscaler::find(&[from_json(value)], &Owner::new(Controller::Deployment, "web"))
}

#[test]
fn an_autoscaler_is_found_by_what_it_names() {
    let found = autoscaler("Deployment", "web", |_| ()).unwrap();
    assert_eq!((found.min, found.max, found.current, found.desired, &found.inactive), (2, 6, Some(3), 4, &None));
    assert_eq!(found.manager().to_string(), "HorizontalPodAutoscaler `web`");
    assert_eq!(autoscaler("StatefulSet", "web", |_| ()), None);
    assert_eq!(autoscaler("Deployment", "web-admin", |_| ()), None);
    let disabled = json!([{"type": "ScalingActive", "status": "False", "reason": "ScalingDisabled",
        "message": "scaling is disabled since the replica count of the target is zero"}]);
    let off = autoscaler("Deployment", "web", |it| it["status"]["conditions"] = disabled).unwrap();
    assert!(off.inactive.unwrap().contains("replica count of the target is zero"));
}

#[test]
fn keda_stands_behind_its_hpa() {
    let owner = json!([{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "queue", "uid": "1",
        "controller": true}]);
    let owned = autoscaler("Deployment", "web", |it| it["metadata"]["ownerReferences"] = owner).unwrap();
    assert_eq!(owned.manager().to_string(), "KEDA ScaledObject `queue`");
    let labels = json!({"scaledobject.keda.sh/name": "queue"});
    let labelled = autoscaler("Deployment", "web", |it| it["metadata"]["labels"] = labels).unwrap();
    assert_eq!(labelled.scaled_object.as_deref(), Some("queue"));
}

#[test]
fn the_quickest_is_named_first() {
    let found = autoscaler("Deployment", "web", |_| ());
    let metadata = json!({
        "annotations": {"meta.helm.sh/release-name": "shop", "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:a/web"},
        "ownerReferences": [{"apiVersion": "shop.example/v1", "kind": "Shop", "name": "qa", "uid": "1", "controller": true}],
    });
    let all = Manager::of(&from_json::<ObjectMeta>(metadata), found.as_ref());
    let kinds: Vec<_> = all.iter().map(|manager| manager.kind).collect();
    assert_eq!(kinds, [ManagerKind::Hpa, ManagerKind::Operator, ManagerKind::ArgoCd, ManagerKind::Helm]);
}
