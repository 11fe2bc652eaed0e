//! Scaling the real app.

use serde_json::Value;

use super::{
    super::harness::{SHOP, cluster, objects},
    kdj, pods_of, replicas, running, shop, wait_for_log, wait_for_workers, web,
};

#[test]
fn roles_are_scaled_up_and_down_and_to_zero() {
    let Some(cluster) = cluster() else { return };
    let namespace = shop(cluster);
    let kdj = kdj(&namespace);
    wait_for_workers(&namespace);
    let state = kdj.run(["scale", "own"]).expect_code(0).stdout_text();
    assert_eq!(state, "web=2 celeryd=2 celerybeat=1 shell=1 postgres=1 redis=1\n");

    let output = kdj.run(["scale", "own", "web=3", "celeryd-1", "--wait"]).expect_code(0).prints("");
    let _ = output.says(&[
        "web: 2 -> 3\n",
        "celeryd: 2 -> 1\n",
        "celeryd: 0 active tasks\n",
        "web: 3 pods ready after ",
        "celeryd: 1 pod ready after ",
    ]);
    assert_eq!((replicas(&namespace, "deployment/web").as_str(), pods_of(&namespace, "web").len()), ("3", 3));
    assert_eq!(pods_of(&namespace, "celeryd").len(), 1);

    // What it prints it accepts.
    let words: Vec<String> = state.split_whitespace().map(str::to_owned).collect();
    let back = kdj.run(["scale", "own"].into_iter().map(str::to_owned).chain(words.clone())).expect_code(0);
    let _ = back.says(&["web: 3 -> 2\n", "celeryd: 1 -> 2\n", "celerybeat: has 1 replica already\n"]);
    let again = kdj.run(["scale", "own"].into_iter().map(str::to_owned).chain(words)).expect_code(0);
    let _ = again.says(&["web: has 2 replicas already"]).never_says(&["->"]);

    let _ =
        kdj.run(["scale", "own", "web=0", "--wait"]).expect_code(0).says(&["web: 2 -> 0", "web: no pods left after "]);
    assert!(pods_of(&namespace, "web").is_empty());
    let _ =
        kdj.run(["scale", "own", "web+1", "--wait"]).expect_code(0).says(&["web: 0 -> 1", "web: 1 pod ready after "]);

    let document = kdj.run(["scale", "own", "-o", "json"]).expect_code(0).stdout_text();
    let document: Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!((&document["version"], &document["environment"]), (&1.into(), &"own".into()));
    let web = &document["roles"][0];
    assert_eq!(
        (&web["role"], &web["kind"], &web["replicas"], &web["ready"]),
        (&"web".into(), &"web".into(), &1.into(), &1.into())
    );
}

#[test]
fn a_worker_s_tasks_are_said_before_it_goes() {
    let Some(cluster) = cluster() else { return };
    let namespace = shop(cluster);
    let kdj = kdj(&namespace);
    wait_for_workers(&namespace);
    let code = "from orders.tasks import work; work.delay(45)";
    let _ = kdj.run(["pyshell", "own", "-r", "shell", "-c", code]).expect_code(0);
    wait_for_log(&namespace, "celeryd", "work started");
    let output = kdj.run(["scale", "own", "celeryd=0"]).expect_code(0);
    let _ = output.says(&[
        "warning: celeryd: 1 active task, the longest orders.tasks.work for ",
        "a worker that goes gets 10 s to finish its tasks (terminationGracePeriodSeconds)",
        "celeryd: 2 -> 0",
    ]);
    // Nobody is left who could be asked: that is said, and the role is scaled all the same.
    let _ = kdj.run(["scale", "own", "celeryd=2", "--wait"]).expect_code(0);
    let _ = kdj.run(["scale", "own", "redis=0", "--wait"]).expect_code(0);
    let output = kdj.run(["scale", "own", "celeryd=1"]).expect_code(0);
    let _ = output.says(&["celeryd: what its workers are doing is not known: ", "celeryd: 2 -> 1"]);
}

#[test]
fn no_change_is_lost_when_many_scale_at_once() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    let kdjs: Vec<_> = (0..6).map(|_| kdj(&namespace)).collect();
    let running: Vec<_> = kdjs.iter().map(|kdj| kdj.start(["scale", "own", "web+1"])).collect();
    let mut done = 1;
    for one in running {
        let output = one.finish();
        match output.code {
            Some(0) => done += 1,
            _ => {
                let _ = output.expect_code(1).says(&["error: `web` was changed meanwhile by `kdj`: ", "kdj scale own"]);
            }
        }
    }
    assert_eq!(replicas(&namespace, "deployment/web"), done.to_string());
}

#[test]
fn stateful_sets_are_scaled_too() {
    let Some(cluster) = cluster() else { return };
    let pod = objects::pod([objects::sleeping("app", SHOP)]);
    let namespace = running(cluster, [web(1)]);
    namespace.apply([objects::stateful_set("queue", 1, pod)]);
    namespace.wait_for_rollout(["statefulset/queue"]);
    let kdj = kdj(&namespace);
    let _ = kdj.run(["scale", "own", "queue=3", "--wait"]).expect_code(0).says(&["queue: 3 pods ready after "]);
    let _ = kdj.run(["scale", "own", "statefulset/queue-2", "-w"]).expect_code(0).says(&["queue: 3 -> 1"]);
    assert_eq!(replicas(&namespace, "statefulset/queue"), "1");
}

#[test]
fn the_requests_are_counted() {
    let Some(cluster) = cluster() else { return };
    let namespace = running(cluster, [web(1)]);
    let user = format!("scale-{}", std::process::id());
    let words = ["scale", "own", "web=2", "--as", &user, "--as-group", "system:masters"];
    let _ = kdj(&namespace).run(words).expect_code(0);
    let Some(mut requests) = cluster.requests_of(&user) else { return };
    // The first three go out together.
    requests[..3].sort();
    assert_eq!(
        requests,
        ["list deployments", "list horizontalpodautoscalers", "list statefulsets", "patch deployments/scale"]
    );
}
