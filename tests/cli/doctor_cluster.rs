//! `kdj doctor`: what it says of a cluster, an application, a configuration. Each check in a world in which it passes, and in
//! one in which it does not.

mod configuration;
mod errors;
mod project;

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    ApiServer, CONFIG, Certificate, CommandOutput, Exec, Fault, Kdj, Kubeconfig, On, Refusal,
    objects::{Deployment, Objects, Pod, ReplicaSet},
    shop::{self, NAMESPACE},
};

const VERSIONS: &str = r#"kdj-versions: {"settings": "shop.settings", "python": "3.12.1", "django": "5.2"}"#;

/// What a container of the app answers, whatever it is asked.
fn inside(plan: &Value, celery: &Value) -> Exec {
    Exec::prints(&format!("\n{VERSIONS}\nkdj-plan: {plan}\nkdj-celery: {celery}\n"), 0).always()
}

fn plan(error: Value, migrations: &[Value]) -> Value {
    json!({
        "version": 1, "django": "5.2", "migrations": migrations, "error": error,
        "database": {"alias": "default", "vendor": "postgresql", "name": "shop", "host": "db", "port": "5432"},
    })
}

fn celery(problem: Value, workers: &[&str]) -> Value {
    let worker = |name: &&str| json!({"name": name});
    let workers: Vec<Value> = workers.iter().map(worker).collect();
    json!({
        "app": "shop", "broker": {"kind": "redis", "place": "redis://redis:6379/0"}, "queues": [], "workers": workers,
        "problem": problem,
    })
}

/// An app in which nothing is wrong.
fn well() -> ApiServer {
    let server = ApiServer::http(shop::whole());
    server.exec(inside(&plan(Value::Null, &[]), &celery(Value::Null, &["celery@celeryd-5d5d5d-zzzzz"])));
    server
}

/// What a check said of `qa`: its part of the JSON.
#[track_caller]
fn said(kdj: &Kdj, id: &str) -> Value {
    let output = kdj.run(["doctor", "qa", "--only", id, "-o", "json"]);
    of_json(&output, id)
}

#[track_caller]
fn of_json(output: &CommandOutput, id: &str) -> Value {
    let document: Value =
        serde_json::from_str(&output.stdout_text()).unwrap_or_else(|error| panic!("{error}\n{output}"));
    let mut checks = document["checks"].as_array().into_iter().flatten();
    checks.find(|check| check["id"] == id).unwrap_or_else(|| panic!("no check {id}\n{output}")).clone()
}

/// That a check ended so, and which words stand in what it says.
#[track_caller]
fn expect(check: &Value, status: &str, words: &[&str]) {
    assert_eq!(check["status"], status, "{check:#}");
    let text = check.to_string();
    words.iter().for_each(|word| assert!(text.contains(&word.replace('"', "\\\"")), "{word}: {check:#}"));
}

#[track_caller]
fn of(server: &ApiServer, id: &str, status: &str, words: &[&str]) {
    expect(&said(&Kdj::on(server), id), status, words);
}

#[test]
fn where_nothing_is_wrong_all_pass_within_25_requests() {
    let server = well();
    let output = Kdj::on(&server).run(["doctor", "qa", "--only", "configuration,cluster,application"]).expect_code(0);
    let text = output.stdout_text();
    assert!(
        text.lines().last().is_some_and(|line| line.starts_with("qa: nothing wrong in what was looked at")),
        "{output}"
    );
    assert!(!text.contains("✗"), "{output}");
    let count = server.requests().len();
    assert!(count <= 25, "{count}\n{}", server.request_lines());
    // Nothing but reading, and questions of what one may do.
    let requests = server.requests();
    let changes = requests.iter().find(|one| one.method != "GET" && !one.path.contains("k8s.io/v1/selfsubject"));
    assert!(changes.is_none(), "{}", server.request_lines());
}

#[test]
fn also_where_the_cluster_does_not_list_rights() {
    let server = well();
    server.about(|about| about.incomplete = true);
    let output = Kdj::on(&server).run(["doctor", "qa", "--only", "cluster,application"]).expect_code(0);
    let count = server.requests().len();
    assert!(count <= 25, "{count}\n{}", server.request_lines());
    let text = output.stdout_text();
    assert!(text.contains("you can shell, pyshell, manage, logs, status"), "{output}");
    assert!(text.contains("; not known: migrate, forward, scale"), "{output}");
}

#[test]
fn and_where_something_is_broken() {
    let server = ApiServer::http(shop::web_pods([shop::in_web(Pod::crash_looping("web-7c9d8f-aaaaa", 1, "Error"))]));
    server.about(|about| about.incomplete = true);
    let _ = Kdj::on(&server).run(["doctor", "qa"]).expect_code(1);
    let count = server.requests().len();
    assert!(count <= 25, "{count}\n{}", server.request_lines());
}

/// The most that one environment takes: one web pod crashes and the other can be entered, there are workers, and rights have
/// to be asked for one by one.
#[test]
fn and_where_one_half_is_broken() {
    let crashing = shop::in_web(Pod::crash_looping("web-7c9d8f-ccccc", 1, "Error"));
    let server = ApiServer::http(shop::whole().with(crashing));
    server.exec(inside(&plan(Value::Null, &[]), &celery(Value::Null, &["celery@celeryd-5d5d5d-zzzzz"])));
    server.about(|about| about.incomplete = true);
    let output = Kdj::on(&server).run(["doctor", "qa"]);
    let text = output.stdout_text();
    for part in ["of 7 pods ready", "postgresql `shop` at db:5432", "1 of 1 workers' pods answered"] {
        assert!(text.contains(part), "{part}\n{output}");
    }
    let count = server.requests().len();
    // Room for the ReplicaSets of a rollout, the Services of blue/green, and `--slow`.
    assert!(count <= 22, "{count}\n{}", server.request_lines());
    let path = format!("/api/v1/namespaces/{NAMESPACE}");
    let of_namespace = server.requests().iter().filter(|request| request.path == path).count();
    assert_eq!(of_namespace, 1, "{}", server.request_lines());
}

/// The same in a rollout that is stuck, whose ReplicaSets say which pod is the newer one.
#[test]
fn and_where_a_rollout_is_stuck() {
    let objects = shop::whole()
        .with(ReplicaSet::of("web", "5f5f5f", 4, 1))
        .with(shop::in_web(Pod::crash_looping("web-5f5f5f-ddddd", 1, "Error")).owned_by_replica_set("web", "5f5f5f"));
    let server = ApiServer::http(objects);
    server.exec(inside(&plan(Value::Null, &[]), &celery(Value::Null, &["celery@celeryd-5d5d5d-zzzzz"])));
    server.about(|about| about.incomplete = true);
    let output = Kdj::on(&server).run(["doctor", "qa"]);
    let text = output.stdout_text();
    for part in ["of 7 pods ready", "postgresql `shop` at db:5432", "1 of 1 workers' pods answered"] {
        assert!(text.contains(part), "{part}\n{output}");
    }
    let count = server.requests().len();
    assert!(count <= 25, "{count}\n{}", server.request_lines());
}

#[test]
fn silence_of_the_server_has_its_name() {
    let server = well();
    server.fault(On::get(&format!("/api/v1/namespaces/{NAMESPACE}")), Fault::Blackhole);
    let words = ["no answer from http://127.0.0.1:", "within 15", "is the VPN up?"];
    let kdj = Kdj::on(&server).deadline(Duration::from_secs(40));
    expect(&said(&kdj, "cluster.namespace"), "fail", &words);
}

#[test]
fn who_may_only_look_has_no_failure() {
    let server = ApiServer::http(shop::whole());
    server.exec(Exec::refused(&Refusal::forbidden("dev", "get", "shell-5d5d5d-zzzzz", NAMESPACE)).always());
    server.about(|about| {
        let looks = ["pods", "deployments", "statefulsets", "replicasets", "events", "horizontalpodautoscalers"];
        about.rights = Some(looks.map(|resource| ("list".to_owned(), resource.to_owned())).to_vec());
    });
    let output = Kdj::on(&server).run(["doctor", "qa", "--only", "cluster,application", "-o", "json"]).expect_code(0);
    expect(&of_json(&output, "cluster.rights"), "warn", &["you can status", "you cannot shell, pyshell, manage"]);
    expect(&of_json(&output, "application.pods"), "pass", &[]);
    expect(&of_json(&output, "application.django"), "skip", &["may not `get` `pods/exec`", "see cluster.rights"]);
    expect(&of_json(&output, "application.broker"), "skip", &["needs application.django"]);
}

#[test]
fn protected_containers_are_entered_only_when_that_is_asked_for() {
    let server = well();
    let kdj = Kdj::on(&server).config(&format!("{CONFIG}protected = true\n"));
    let execs = || server.requests().iter().filter(|request| request.path.ends_with("/exec")).count();
    let output = kdj.run(["doctor", "qa", "-o", "json"]);
    expect(&of_json(&output, "application.django"), "skip", &["kdj doctor qa --only application"]);
    assert_eq!(execs(), 0, "{}", server.request_lines());
    let output = kdj.run(["doctor", "qa", "--only", "application", "-o", "json"]);
    expect(&of_json(&output, "application.broker"), "pass", &[]);
    assert_eq!(execs(), 3, "{}", server.request_lines());
}

#[test]
fn a_server_answers_or_a_step_to_it_fails() {
    of(&well(), "cluster.reachable", "pass", &[" ms"]);
    let nowhere = |server: &str| {
        let cluster = json!({"server": server});
        let kubeconfig = Kubeconfig::empty().cluster("acme-staging", cluster).token("dev", "t");
        Kdj::bare().kubeconfig(&kubeconfig.context("acme-staging", "dev", None)).config(CONFIG)
    };
    let check = said(&nowhere("https://kdj.invalid:6443"), "cluster.reachable");
    expect(&check, "fail", &["its name cannot be resolved", "is the VPN up?"]);
    let check = said(&nowhere("https://127.0.0.1:1"), "cluster.reachable");
    expect(&check, "fail", &["cannot reach the API server", "refused"]);
    let strange = ApiServer::https(shop::one_web_pod());
    let other = ApiServer::https(shop::one_web_pod());
    let authority = Kubeconfig::empty().server("acme-staging", &other);
    let kubeconfig = authority
        .change_cluster("acme-staging", |cluster| cluster["server"] = json!(strange.url()))
        .token("dev", "t")
        .context("acme-staging", "dev", None);
    let check = said(&Kdj::bare().kubeconfig(&kubeconfig).config(CONFIG), "cluster.reachable");
    expect(&check, "fail", &["TLS: ", "certificate-authority"]);
    let login = ApiServer::http(Objects::in_namespace(NAMESPACE));
    login.fault(On::get("/version"), Fault::html(200));
    of(&login, "cluster.reachable", "fail", &["no Kubernetes API server", "HTTPS_PROXY"]);
    let refusing = ApiServer::http(Objects::in_namespace(NAMESPACE));
    refusing.fault(On::get("/version"), Fault::unauthorized());
    of(&refusing, "cluster.reachable", "fail", &["does not accept your credentials", "log in again"]);
    // What stands before an API server refuses in words of its own.
    let now = jiff::fmt::rfc2822::to_string(&jiff::Zoned::now()).expect("a date");
    let rancher = r#"{"type":"error","status":"401","message":"must authenticate"}"#;
    for (body, said) in [(rancher, "must authenticate"), ("Unauthorized\n", "Unauthorized")] {
        let proxy = ApiServer::http(Objects::in_namespace(NAMESPACE));
        proxy.fault(On::get("/version"), Fault::refused(401, body, &now));
        let words = ["does not accept your credentials", said, "log in again"];
        of(&proxy, "cluster.reachable", "fail", &words);
    }
    // It is there, though it does not show its version.
    let hardened = well();
    hardened.fault(On::get("/version"), Fault::forbidden("dev", "get", "version", ""));
    of(&hardened, "cluster.reachable", "pass", &[" ms"]);
    let output = Kdj::on(&hardened).run(["doctor", "qa", "--only", "cluster", "-o", "json"]).expect_code(0);
    expect(&of_json(&output, "cluster.version"), "skip", &["you may not see it"]);
    expect(&of_json(&output, "cluster.rights"), "pass", &[]);
}

#[test]
fn a_clock_that_is_wrong_is_told_of_where_credentials_are_refused() {
    let date = "Wed, 21 Oct 2015 07:28:00 GMT";
    let server = ApiServer::http(Objects::in_namespace(NAMESPACE));
    server.fault(On::get("/version"), Fault::refused(401, "Unauthorized", date));
    of(&server, "cluster.reachable", "fail", &["the server's 2015-10-21T07:28:00Z", "set this machine's clock"]);
}

#[test]
fn what_needs_a_server_is_skipped_without_one() {
    let server = ApiServer::http(Objects::in_namespace(NAMESPACE));
    server.fault(On::get("/version"), Fault::unauthorized());
    let output = Kdj::on(&server).run(["doctor", "qa", "--only", "cluster,application", "-o", "json"]).expect_code(1);
    expect(&of_json(&output, "cluster.rights"), "skip", &["needs cluster.reachable"]);
    expect(&of_json(&output, "cluster.certificate"), "pass", &[]);
    expect(&of_json(&output, "application.django"), "skip", &["needs application.container"]);
}

#[test]
fn a_slow_server_is_called_slow() {
    of(&well(), "cluster.latency", "pass", &[]);
    let slow = well();
    let late = || Fault::Delay(Duration::from_millis(400));
    let whoami = || On::prefix("/apis/authentication.k8s.io/v1/selfsubjectreviews").once();
    slow.fault(whoami(), late());
    slow.fault(On::get("/version").after(1).once(), late());
    of(&slow, "cluster.latency", "warn", &["ms for a request", "VPN"]);
    // One alone may have had bad luck.
    let once = well();
    once.fault(whoami(), late());
    of(&once, "cluster.latency", "pass", &[]);
}

#[test]
fn the_certificate_is_checked_and_lasts() {
    let server = ApiServer::https(shop::one_web_pod());
    of(&server, "cluster.certificate", "pass", &["it is checked"]);
    let kubeconfig = Kubeconfig::of(&server).change_cluster("acme-staging", |cluster| {
        *cluster = json!({"server": cluster["server"], "insecure-skip-tls-verify": true});
    });
    // Said once.
    let kdj = Kdj::bare().kubeconfig(&kubeconfig).config(&format!("{CONFIG}protected = true\n"));
    expect(&said(&kdj, "cluster.certificate"), "skip", &["see `kubeconfig.verify`"]);
    expect(&said(&kdj, "kubeconfig.verify"), "fail", &["insecure-skip-tls-verify"]);
    of(&well(), "cluster.certificate", "pass", &["does not leave this machine"]);
    let strict = Certificate::good().strict();
    let user = strict.user("dev", 2100);
    let strict = ApiServer::with_certificate(shop::one_web_pod(), strict);
    of(&strict, "cluster.certificate", "pass", &["it is checked"]);
    let kubeconfig = Kubeconfig::of(&strict).certificate("dev", &user);
    let kdj = Kdj::bare().kubeconfig(&kubeconfig).config(CONFIG);
    expect(&said(&kdj, "cluster.certificate"), "pass", &["it is checked"]);
    expect(&said(&kdj, "cluster.reachable"), "pass", &[" ms"]);
    let expired = ApiServer::with_certificate(shop::one_web_pod(), Certificate::expired());
    of(&expired, "cluster.certificate", "fail", &["expired", "compare `date` with a clock"]);
}

#[test]
fn old_servers_lack_something() {
    of(&well(), "cluster.version", "pass", &["v1.34.1"]);
    let old = well();
    old.about(|about| about.version = "v1.29.3".to_owned());
    of(&old, "cluster.version", "warn", &["`kdj forward` needs 1.31"]);
}

#[test]
fn somebody_is_known_by_a_name() {
    of(&well(), "cluster.whoami", "pass", &["`dev`"]);
    let silent = well();
    silent.about(|about| about.says_who = false);
    let check = said(&Kdj::on(&silent), "cluster.whoami");
    let _ = silent.forgive();
    expect(&check, "pass", &["it does not say", "`dev` by the kubeconfig"]);
    let kdj = Kdj::on(&silent);
    silent.about(|about| about.says_who = true);
    let output = kdj.run(["doctor", "qa", "--only", "cluster.whoami", "-o", "json", "--as", "system:anonymous"]);
    expect(&of_json(&output, "cluster.whoami"), "fail", &["it takes you for nobody"]);
}

#[test]
fn the_namespace_is_there() {
    of(&well(), "cluster.namespace", "pass", &["`shop-qa`"]);
    let forbidden = well();
    let path = format!("/api/v1/namespaces/{NAMESPACE}");
    forbidden.fault(On::get(&path), Fault::forbidden("dev", "get", "namespaces", NAMESPACE));
    of(&forbidden, "cluster.namespace", "pass", &["you may not look at it"]);
    let elsewhere = ApiServer::http(Objects::in_namespace("elsewhere"));
    of(&elsewhere, "cluster.namespace", "fail", &["there is no namespace `shop-qa`", "kdj envs --live"]);
    // As long as a command would wait for it, on a bad day.
    let slow = well();
    slow.fault(On::get(&path), Fault::Delay(Duration::from_secs(6)));
    of(&slow, "cluster.namespace", "pass", &["`shop-qa`"]);
    let going = well();
    going.change(|objects| {
        objects.change("namespaces", NAMESPACE, |namespace| namespace["status"] = json!({"phase": "Terminating"}));
    });
    of(&going, "cluster.namespace", "fail", &["is being deleted"]);
}

#[test]
fn rights_are_told_command_by_command() {
    of(&well(), "cluster.rights", "pass", &["you may do everything"]);
    const SHELL: [(&str, &str); 3] = [("list", "pods"), ("get", "pods/exec"), ("create", "pods/exec")];
    let shell = well();
    shell.rights(&SHELL);
    let words = [
        "you can shell, pyshell, manage, status",
        "you cannot logs",
        "migrate: list deployments.apps, list jobs.batch",
    ];
    of(&shell, "cluster.rights", "warn", &words);
    let output = Kdj::on(&shell).run(["doctor", "qa", "--only", "cluster.rights"]).expect_code(0);
    assert!(output.stdout_text().contains(" migrate: list deployments.apps, "), "{output}");
    let nothing = well();
    nothing.rights(&[]);
    of(
        &nothing,
        "cluster.rights",
        "fail",
        &["you can nothing", "ask whoever runs the cluster for a Role in `shop-qa`"],
    );
    // The same answers one by one.
    shell.about(|about| about.incomplete = true);
    of(&shell, "cluster.rights", "warn", &["logs: get pods/log is missing"]);
}

#[test]
fn websockets_get_through() {
    of(&well(), "cluster.websocket", "pass", &[]);
    let stripped = well();
    stripped.fault(On::watch("pods", NAMESPACE), Fault::html(200));
    of(&stripped, "cluster.websocket", "fail", &["does not let WebSocket connections through", "Upgrade: websocket"]);
    let forbidden = well();
    forbidden.fault(On::watch("pods", NAMESPACE), Fault::forbidden("dev", "watch", "pods", NAMESPACE));
    of(&forbidden, "cluster.websocket", "skip", &["you may not watch pods"]);
    // Where an exec gets through, sessions do.
    let output = Kdj::on(&stripped).run(["doctor", "qa", "--only", "cluster,application", "-o", "json"]).expect_code(0);
    expect(&of_json(&output, "cluster.websocket"), "warn", &["an exec, which a session is, got through"]);
}

#[test]
fn silence_is_measured_when_that_is_asked_for() {
    of(&well(), "cluster.idle", "skip", &["kdj doctor --slow"]);
    for (cut, status, words) in [(1, "fail", "sessions will be cut"), (11, "pass", "sends a sign of life")] {
        let server = well();
        server.cut_silence_after(Duration::from_secs(cut));
        let kdj = Kdj::on(&server).deadline(Duration::from_secs(40));
        let output = kdj.run(["doctor", "qa", "--slow", "--only", "cluster.idle", "-o", "json"]);
        expect(&of_json(&output, "cluster.idle"), status, &[words]);
    }
}

#[test]
fn workloads_and_pods_are_there() {
    of(&well(), "application.workloads", "pass", &["web (web), celeryd (worker), celerybeat (beat)"]);
    of(&well(), "application.pods", "pass", &["6 of 6 pods ready"]);
    of(&well(), "application.managers", "pass", &["none is to be seen"]);
    of(&well(), "application.beat", "pass", &[]);
    let empty = ApiServer::http(Objects::in_namespace(NAMESPACE));
    of(&empty, "application.workloads", "fail", &["no workloads in namespace `shop-qa`"]);
    let broken = ApiServer::http(shop::web_pods([shop::in_web(Pod::crash_looping("web-7c9d8f-aaaaa", 1, "Error"))]));
    of(&broken, "application.pods", "fail", &["no pod to open a session in", "kdj status qa --why"]);
    let container = said(&Kdj::on(&broken), "application.container");
    expect(&container, "fail", &["no ready pod for role `web`", "0 of 1 pod ready"]);
}

#[test]
fn beats_are_counted() {
    let beat = |name: &str| {
        let command = ["celery", "-A", "shop", "beat"];
        let pod = Pod::ready(&format!("{name}-5d5d5d-zzzzz")).owned_by_replica_set(name, "5d5d5d").component(name);
        (
            Deployment::new(name, 1).container(name, "registry.acme.dev/shop:1.42", &command),
            ReplicaSet::of(name, "5d5d5d", 3, 1),
            pod.container(name, "registry.acme.dev/shop:1.42", &command),
        )
    };
    let objects = ["beat", "scheduler"].into_iter().fold(shop::one_web_pod(), |objects, name| {
        let (deployment, set, pod) = beat(name);
        objects.with(deployment).with(set).with(pod)
    });
    of(&ApiServer::http(objects), "application.beat", "fail", &["2 run, 2 should", "every periodic task"]);
}

#[test]
fn what_is_configured_of_roles_is_there() {
    let server = well();
    let kdj = |text: &str| Kdj::on(&server).config(&format!("{CONFIG}{text}"));
    expect(&said(&kdj("[roles.web]\ncontainer = 'django'\n"), "application.roles"), "pass", &[]);
    let check = said(&kdj("[forwards.debug]\nrole = 'wep'\nport = 5678\n"), "application.roles");
    expect(&check, "warn", &["names the role `wep`", "did you mean `web`?"]);
}

#[test]
fn the_container_is_clear() {
    of(&well(), "application.container", "pass", &["`shell` of role `shell`"]);
    let server = well();
    let kdj = Kdj::on(&server).config(&format!("{CONFIG}[roles.shell]\ncontainer = 'app'\n"));
    expect(&said(&kdj, "application.container"), "fail", &["no container `app`", "`[roles.shell]`"]);
}

#[test]
fn django_its_database_and_its_migrations() {
    of(&well(), "application.django", "pass", &["Django 5.2, Python 3.12.1, settings `shop.settings`"]);
    of(&well(), "application.database", "pass", &["postgresql `shop` at db:5432"]);
    of(&well(), "application.migrations", "pass", &[]);
    let none = ApiServer::http(shop::whole());
    none.exec(Exec::prints("", 127).always());
    of(&none, "application.django", "fail", &["cannot say"]);
    let answering = |plan: Value| {
        let server = ApiServer::http(shop::whole());
        server.exec(inside(&plan, &celery(Value::Null, &[])));
        server
    };
    let away = answering(plan(json!({"kind": "database", "message": "connection refused"}), &[]));
    of(&away, "application.database", "fail", &["at db:5432 does not answer", "connection refused"]);
    of(&away, "application.migrations", "skip", &["needs application.database"]);
    let migration = json!({
        "app": "orders", "name": "0003_total", "reversal": false, "atomic": true, "faked": false, "initial": false,
        "operations": [], "sql": [], "no_sql": null,
    });
    let behind = answering(plan(Value::Null, &[migration]));
    of(&behind, "application.migrations", "warn", &["1 not applied: orders.0003_total", "kdj migrate qa --plan"]);
    let torn = answering(plan(json!({"kind": "conflicts", "message": "Conflicting migrations detected"}), &[]));
    of(&torn, "application.migrations", "fail", &["Conflicting migrations detected"]);
}

#[test]
fn the_broker_and_its_workers() {
    of(&well(), "application.broker", "pass", &["redis://redis:6379/0; 1 of 1 workers' pods answered"]);
    let answering = |celery: Value| {
        let server = ApiServer::http(shop::whole());
        server.exec(inside(&plan(Value::Null, &[]), &celery));
        server
    };
    let deaf = answering(celery(Value::Null, &[]));
    of(&deaf, "application.broker", "warn", &["0 of 1", "kdj logs qa --pod celeryd-5d5d5d-zzzzz"]);
    let away = answering(celery(json!("OperationalError: Error 111 connecting to redis:6379"), &[]));
    of(&away, "application.broker", "fail", &["does not answer the app", "Error 111"]);
    let web = ApiServer::http(shop::one_web_pod());
    web.exec(inside(&plan(Value::Null, &[]), &celery(Value::Null, &[])));
    of(&web, "application.broker", "skip", &["no workers are meant to run"]);
}
