//! The right target, always said: through the real binary, what the unit tests of the choice cannot see.

use crate::harness::{
    ApiServer, CommandOutput, Deployment, Exec, Kdj, Objects, Pod, ReplicaSet, Service, StatefulSet, shop,
};

/// kdj on a cluster where it finds no target.
fn fails<const N: usize>(objects: Objects, arguments: [&str; N]) -> CommandOutput {
    let server = ApiServer::http(objects);
    Kdj::on(&server).run(arguments).expect_code(125)
}

/// The pod and container of `kdj shell qa ARGUMENTS -- true`.
fn chosen<const N: usize>(objects: Objects, arguments: [&str; N]) -> (String, String) {
    let server = ApiServer::http(objects);
    server.exec(Exec::prints("", 0));
    let words = ["shell", "qa"].into_iter().chain(arguments).chain(["--", "true"]);
    let _ = Kdj::on(&server).run(words).expect_code(0);
    let exec = server.only_exec();
    (exec.pod, exec.container.unwrap_or_default())
}

fn pod(name: &str, container: &str) -> (String, String) {
    (name.to_owned(), container.to_owned())
}

#[test]
fn unknown_names_list_the_near_ones() {
    let _ = fails(shop::whole(), ["shell", "qaa", "--", "true"]).says(&["`qaa`", "`qa`"]);
    let _ = fails(shop::whole(), ["shell", "qa", "-r", "celery", "--", "true"]).says(&["`celery`", "celeryd", "web"]);
    let _ = fails(shop::whole(), ["shell", "qa", "--pod", "web-7c9d8f-aaaab", "--", "true"])
        .says(&["web-7c9d8f-aaaab", "web-7c9d8f-aaaaa"]);
    let _ =
        fails(shop::whole(), ["shell", "qa", "-r", "web", "-c", "djang", "--", "true"]).says(&["`djang`", "django"]);
}

#[test]
fn the_current_context_is_never_taken() {
    let server = ApiServer::http(shop::one_web_pod());
    let kubeconfig = crate::harness::Kubeconfig::of(&server).current("acme-staging");
    let output = Kdj::bare().kubeconfig(&kubeconfig).run(["shell", "production", "--", "true"]);
    let _ = output.expect_code(125).says(&["production"]);
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

#[test]
fn the_shell_role_comes_first() {
    assert_eq!(chosen(shop::whole(), []), pod("shell-5d5d5d-zzzzz", "shell"));
    assert_eq!(chosen(shop::whole(), ["-r", "web"]), pod("web-7c9d8f-aaaaa", "django"));
    assert_eq!(chosen(shop::whole(), ["-r", "celeryd"]), pod("celeryd-5d5d5d-zzzzz", "celeryd"));
}

#[test]
fn pods_that_cannot_serve_are_passed_over() {
    let old = Pod::ready("web-6b6b6b-ooooo").owned_by_replica_set("web", "6b6b6b").component("web").django("django");
    let objects = shop::web_pods([
        old,
        shop::web_pod("aaaaa").terminating(),
        shop::in_web(Pod::not_ready("web-7c9d8f-bbbbb")),
        shop::web_pod("ccccc"),
    ]);
    assert_eq!(chosen(objects, []), pod("web-7c9d8f-ccccc", "django"));
}

#[test]
fn no_ready_pod_says_which_and_why() {
    let objects = shop::web_pods([
        shop::in_web(Pod::crash_looping("web-7c9d8f-aaaaa", 3, "Error")),
        shop::in_web(Pod::waiting("web-7c9d8f-bbbbb", "ImagePullBackOff", "Back-off pulling image \"shop:1.42\"")),
        shop::in_web(Pod::unschedulable("web-7c9d8f-ccccc", "0/3 nodes are available: 3 Insufficient cpu.")),
    ]);
    let _ = fails(objects, ["shell", "qa", "--", "true"]).says(&[
        "no ready pod",
        "web",
        "CrashLoopBackOff",
        "3",
        "ImagePullBackOff",
    ]);
}

#[test]
fn an_empty_namespace_is_an_error() {
    let _ = fails(Objects::in_namespace("shop-qa"), ["shell", "qa", "--", "true"]).says(&["shop-qa"]);
    let idle =
        Objects::in_namespace("shop-qa").with(Deployment::new("web", 0)).with(ReplicaSet::of("web", "7c9d8f", 1, 0));
    let _ = fails(idle, ["shell", "qa", "--", "true"]).says(&["qa"]);
}

#[test]
fn the_service_tells_blue_from_green() {
    let color = |name: &str, hash: &str| {
        Pod::ready(&format!("web-{name}-{hash}-xxxxx"))
            .owned_by_replica_set(&format!("web-{name}"), hash)
            .component("web")
            .label("color", name)
            .django("django")
    };
    let objects = Objects::in_namespace("shop-qa")
        .with(Deployment::new("web-blue", 1).selects(&[("app.kubernetes.io/component", "web"), ("color", "blue")]))
        .with(Deployment::new("web-green", 1).selects(&[("app.kubernetes.io/component", "web"), ("color", "green")]))
        .with(ReplicaSet::of("web-blue", "b1b1b1", 9, 1))
        .with(ReplicaSet::of("web-green", "9e9e9e", 2, 1))
        .with(color("blue", "b1b1b1"))
        .with(color("green", "9e9e9e"))
        .with(Service::new("web", &[("app.kubernetes.io/component", "web"), ("color", "green")]));
    assert_eq!(chosen(objects, []), pod("web-green-9e9e9e-xxxxx", "django"));
}

#[test]
fn sidecars_are_not_the_app() {
    let with_sidecar = |annotated: bool| {
        let pod = Pod::ready("web-7c9d8f-aaaaa").owned_by_replica_set("web", "7c9d8f").component("web");
        let pod = pod.container("istio-proxy", "istio/proxyv2:1.27", &[]).django("app");
        if annotated { pod.annotation("kubectl.kubernetes.io/default-container", "app") } else { pod }
    };
    for annotated in [true, false] {
        let (_, container) = chosen(shop::web_pods([with_sidecar(annotated)]), []);
        assert_eq!(container, "app");
    }
    let two = Pod::ready("web-7c9d8f-aaaaa").owned_by_replica_set("web", "7c9d8f").component("web");
    let two = two.container("one", "acme/one:1", &["one"]).container("two", "acme/two:1", &["two"]);
    let _ = fails(shop::web_pods([two]), ["shell", "qa", "--", "true"]).says(&["one", "two", "-c"]);
}

#[test]
fn stateful_sets_are_workloads() {
    let objects = Objects::in_namespace("shop-qa")
        .with(StatefulSet::new("web", 1))
        .with(Pod::ready("web-0").owned_by_stateful_set("web").component("web").django("django"));
    assert_eq!(chosen(objects, []), pod("web-0", "django"));
}

#[test]
fn a_pod_asked_for_by_name_must_be_usable() {
    let objects = || shop::web_pods([shop::web_pod("aaaaa").terminating(), shop::web_pod("bbbbb")]);
    let _ = fails(objects(), ["shell", "qa", "--pod", "web-7c9d8f-aaaaa", "--", "true"]).says(&["web-7c9d8f-aaaaa"]);
    assert_eq!(chosen(objects(), ["--pod", "web-7c9d8f-bbbbb"]), pod("web-7c9d8f-bbbbb", "django"));
}

#[test]
fn wrong_usage_is_told_before_anything_is_asked() {
    let server = ApiServer::http(shop::one_web_pod());
    let kdj = Kdj::on(&server);
    for arguments in [&["shell"][..], &["shell", "qa", "--no-such-flag"], &["manage", "qa"]] {
        let output = kdj.run(arguments);
        assert!(matches!(output.code, Some(2 | 125)), "{output}");
    }
    // A console's flag, where there is code to run.
    for code in [&["-c", "1"][..], &["-f", "x.py"], &["-"]] {
        let _ = kdj.run([&["pyshell", "qa", "--plain"], code].concat()).expect_code(2).says(&["--plain"]);
    }
    for name in ["qa;rm -rf", "qa\u{1b}[2J", "", "../qa"] {
        let _ = kdj.run(["shell", name, "--", "true"]).expect_code(125).never_says(&["\u{1b}"]);
    }
    assert!(server.requests().is_empty(), "{}", server.request_lines());
}

#[test]
fn another_context_and_namespace_can_be_asked_for() {
    let objects = shop::one_web_pod().and_namespace("elsewhere").with(shop::web_pod("eeeee"));
    let server = ApiServer::http(objects);
    server.exec(Exec::prints("", 0).in_pod("web-7c9d8f-eeeee"));
    let _ = Kdj::on(&server).run(["-n", "elsewhere", "shell", "qa", "--", "true"]).expect_code(0);
    assert_eq!(server.only_exec().namespace, "elsewhere");
}
