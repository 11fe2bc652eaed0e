//! Which pod and container the app's environments lead to.

use super::harness::{Kdj, cluster};

/// Where a command runs: the pod's name, by its host name.
#[track_caller]
fn host<const N: usize>(kdj: &Kdj, arguments: [&str; N]) -> String {
    let words = ["-q", "shell"].into_iter().chain(arguments).chain(["--", "cat", "/etc/hostname"]);
    kdj.run(words).expect_code(0).stdout_text().trim().to_owned()
}

#[track_caller]
fn is_in<const N: usize>(kdj: &Kdj, arguments: [&str; N], workload: &str) {
    let host = host(kdj, arguments);
    assert!(host.starts_with(&format!("{workload}-")), "{arguments:?} led to {host}, not to {workload}");
}

#[test]
fn the_shell_role_is_taken_first_and_others_by_name() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    is_in(&kdj, ["qa"], "shell");
    is_in(&kdj, ["qa", "--role", "web"], "web");
    is_in(&kdj, ["qa", "-r", "celeryd"], "celeryd");
    is_in(&kdj, ["qa", "--role", "deployment/celerybeat"], "celerybeat");
    let pod = cluster.pod("shop-qa", "app.kubernetes.io/component=celerybeat");
    assert_eq!(host(&kdj, ["qa", "--pod", &pod]), pod);
}

#[test]
fn the_same_pod_is_taken_every_time() {
    let Some(cluster) = cluster() else { return };
    let first = host(&cluster.kdj(), ["qa", "--role", "web"]);
    for _ in 0..3 {
        // Another kdj, with a memory of its own.
        assert_eq!(host(&cluster.kdj(), ["qa", "--role", "web"]), first);
    }
}

#[test]
fn a_sidecar_is_not_the_app() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let has_settings = ["--", "sh", "-c", "test -n \"$DATABASE_URL\""];
    let words =
        |container: &[&'static str]| [&["shell", "prod", "--confirm", "prod"], container, &has_settings].concat();
    let _ = kdj.run(words(&[])).expect_code(0).says(&[
        "prod (protected)",
        "context acme-prod, namespace shop",
        "container django",
    ]);
    let _ = kdj.run(words(&["-c", "istio-proxy"])).expect_code(1).says(&["container istio-proxy"]);
}

#[test]
fn single_tenant_instances_are_told_apart() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    for (name, instance) in
        [("car1-qa", "car1-qa"), ("car2-qa", "car2-qa"), ("acme-staging/tenants-qa/car2-qa", "car2-qa")]
    {
        is_in(&kdj, [name], &format!("{instance}-web"));
        is_in(&kdj, [name, "--role", "celeryd"], &format!("{instance}-celeryd"));
    }
    let other = cluster.pod("tenants-qa", "app.kubernetes.io/instance=car2-qa,app.kubernetes.io/component=web");
    let output = kdj.run(["shell", "car1-qa", "--pod", &other, "--", "true"]).expect_code(125);
    let _ = output.says(&[&format!("pod `{other}` is not in `car1-qa`"), "of instance `car2-qa`"]);
    let output = kdj.run(["shell", "car9-qa", "--", "true"]).expect_code(125);
    let _ = output.says(&["no pods in `car9-qa`", "no instance `car9-qa`", "kdj envs --live"]);
}

#[test]
fn of_a_blue_green_pair_the_one_in_use_is_taken() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    is_in(&kdj, ["bluegreen"], "web-green");
    is_in(&kdj, ["bluegreen", "--role", "web"], "web-green");
    is_in(&kdj, ["bluegreen", "--role", "web-blue"], "web-blue");
    let output = cluster.kdj().run(["shell", "bluegreen", "--", "true"]).expect_code(0);
    let _ = output.says(&["blue/green: Service `web` selects `web-green`"]);
}

#[test]
fn an_environment_need_not_be_configured() {
    let Some(cluster) = cluster() else { return };
    is_in(&cluster.kdj(), ["acme-staging/shop-qa"], "shell");
    let bare = cluster.kdj().variable("KDJ_CONFIG", "none");
    is_in(&bare, ["acme-prod/shop"], "shop-web");
    is_in(&bare, ["prod", "-n", "shop"], "shop-web");
}

#[test]
fn the_current_context_is_never_used() {
    let Some(cluster) = cluster() else { return };
    let current = cluster.changed_kubeconfig(|config| config["current-context"] = "acme-prod".into());
    let kdj = cluster.kdj().file("home/config", &current);
    let path = kdj.directory().join("home/config");
    is_in(&kdj.variable("KUBECONFIG", path), ["qa"], "shell");
}

#[test]
fn what_does_not_exist_is_said_with_what_does() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let pod = cluster.pod("shop-qa", "app.kubernetes.io/component=celerybeat");
    let near = &pod[..pod.len() - 1];
    for (arguments, phrases) in [
        (&["qaa"][..], &["`qaa`", "did you mean", "qa"][..]),
        (&["elsewhere/shop-qa"], &["cannot reach the API server of context `elsewhere`"]),
        (&["nosuch/shop-qa"], &["nosuch"]),
        (
            &["qa", "--role", "wbe"],
            &["no role `wbe` in `qa`", "`web` (web)", "`celeryd` (worker)", "did you mean `--role web`?"],
        ),
        (&["qa", "--pod", near], &[&format!("no pod `{near}` in `qa`"), &format!("did you mean `--pod {pod}`?")]),
        (
            &["qa", "-c", "jango"],
            &[
                "no container `jango` in pod `shell-",
                "its containers are `django`",
                "did you mean `--container django`?",
            ],
        ),
        (
            &["prod", "-c", "istio", "--confirm", "prod"],
            &["`istio-proxy`, `django`", "did you mean `--container istio-proxy`?"],
        ),
        (&["qa", "-n", "nosuch"], &["no pods in `qa`", "namespace `nosuch`"]),
    ] {
        let words = ["shell"].iter().chain(arguments).chain(&["--", "true"]);
        let _ = kdj.run(words).expect_code(125).prints("").says(phrases);
    }
}

#[test]
fn a_pod_that_ran_a_moment_ago_is_used_again() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    let _ = kdj.run(["-v", "shell", "qa", "--", "true"]).expect_code(0).says(&["list pods: "]);
    let output = kdj.run(["-v", "shell", "qa", "--", "true"]).expect_code(0);
    let _ = output
        .says(&["using pod shell-", "again, chosen a moment ago", "exec in pod shell-"])
        .never_says(&["list pods"]);
    // Production is looked at every time.
    for _ in 0..2 {
        let _ =
            kdj.run(["-v", "shell", "prod", "--confirm", "prod", "--", "true"]).expect_code(0).says(&["list pods: "]);
    }
}
