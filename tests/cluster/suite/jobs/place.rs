//! A Job's pod beside its workload: no Service sends it requests, no budget counts it, nobody adopts it.

use serde_json::{Value, json};

use super::{
    super::harness::{
        Namespace, SHOP, cluster, objects,
        wait::{DEADLINE, poll_until},
    },
    script,
};

#[test]
fn a_job_s_pod_is_nobody_else_s() {
    let Some(cluster) = cluster() else { return };
    let labels = json!({"app": "shop", "component": "web", "team": "checkout"});
    let mut web = objects::deployment("web", objects::pod([objects::sleeping("app", SHOP)]));
    web["spec"]["template"]["metadata"]["labels"] = labels.clone();
    web["spec"]["selector"]["matchLabels"] = json!({"app": "shop", "component": "web"});
    let service = |name: &str, selector: Value| {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": selector, "ports": [{"port": 80}], "publishNotReadyAddresses": true},
        })
    };
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "shop"}}},
    });
    let namespace = Namespace::with(
        cluster,
        [
            web,
            service("by-app", json!({"app": "shop"})),
            service("by-both", json!({"app": "shop", "component": "web"})),
            budget,
        ],
    );
    namespace.wait_for_rollout(["deployment/web"]);
    let kdj = namespace.kdj();
    let name = kdj.run(script(["--detach"], "sleep 300")).expect_code(0).stdout_text().trim().to_owned();
    let selector = format!("job-name={name}");
    poll_until("the Job's pod to run", DEADLINE, || {
        let phase = namespace.kubectl(["get", "pods", "-l", &selector, "-o", "jsonpath={.items[*].status.phase}"]);
        (phase == "Running").then_some(())
    });
    let pod = get(&namespace, ["get", "pods", "-l", &selector, "-o", "json"])["items"][0].clone();
    assert_eq!(
        (&pod["metadata"]["labels"]["component"], &pod["metadata"]["labels"]["team"]),
        (&json!("web"), &json!("checkout"))
    );
    assert_eq!(pod["metadata"]["labels"]["app"], Value::Null);
    let owners = pod["metadata"]["ownerReferences"].as_array().expect("owners");
    assert_eq!((owners.len(), &owners[0]["kind"]), (1, &json!("Job")));

    // A pod that is selected would be there within a second.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let web = namespace.pods("web");
    assert_eq!(web.len(), 2, "the Job's and the workload's: {web:?}");
    let slices = get(&namespace, ["get", "endpointslices", "-o", "json"]).to_string();
    let its_name = pod["metadata"]["name"].as_str().expect("a name");
    assert!(!slices.contains(its_name) && slices.matches("\"kind\":\"Pod\"").count() == 2, "{slices}");
    let budget = get(&namespace, ["get", "pdb", "web", "-o", "json"]);
    assert_eq!(budget["status"]["expectedPods"], 1, "{budget}");
    let sets = get(&namespace, ["get", "replicasets", "-o", "json"]);
    assert_eq!(sets["items"][0]["status"]["replicas"], 1, "{sets}");

    // A rollout and the end of the workload leave it alone.
    namespace.kubectl(["rollout", "restart", "deployment/web"]);
    namespace.wait_for_rollout(["deployment/web"]);
    namespace.kubectl(["scale", "--replicas=0", "deployment/web"]);
    let running = namespace.kubectl(["get", "pod", its_name, "-o", "jsonpath={.status.phase}"]);
    assert_eq!(running, "Running");
    let _ = kdj.run(["jobs", "cancel", "own", &name]).expect_code(0).says(&["cancelled"]);
    poll_until("its pod to be gone", DEADLINE, || {
        namespace.kubectl(["get", "pods", "-l", &selector, "-o", "name"]).is_empty().then_some(())
    });
}

#[track_caller]
fn get<const N: usize>(namespace: &Namespace<'_>, words: [&str; N]) -> Value {
    serde_json::from_str(&namespace.kubectl(words)).expect("JSON")
}
