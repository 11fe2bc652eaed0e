//! `kdj doctor` on the real cluster: where all is well, for users of fewer rights, and in worlds that are broken.

use serde_json::{Value, json};

use super::harness::{CommandOutput, Databases, Kdj, Namespace, SHOP, cluster, databases::Server, objects};

/// What a check said, of the environment if it is about one.
#[track_caller]
fn check<'a>(document: &'a Value, id: &str) -> &'a Value {
    let mut checks = document["checks"].as_array().into_iter().flatten();
    checks.find(|check| check["id"] == id).unwrap_or_else(|| panic!("no check {id} in {document:#}"))
}

#[track_caller]
fn expect(document: &Value, id: &str, status: &str, words: &[&str]) {
    let check = check(document, id);
    assert_eq!(check["status"], status, "{check:#}");
    let text = check.to_string();
    words.iter().for_each(|word| assert!(text.contains(word), "{word}: {check:#}"));
}

#[track_caller]
fn doctor<const N: usize>(kdj: &Kdj, arguments: [&str; N]) -> Value {
    let only = ["--only", "configuration,cluster,application", "-o", "json"];
    let output: CommandOutput = kdj.run(["doctor"].into_iter().chain(arguments).chain(only));
    serde_json::from_str(&output.stdout_text()).unwrap_or_else(|error| panic!("{error}\n{output}"))
}

#[test]
fn production_is_looked_at_without_changing_anything() {
    let Some(cluster) = cluster() else { return };
    let user = format!("doctor-{}", std::process::id());
    let document = doctor(&cluster.kdj(), ["prod", "--as", &user, "--as-group", "system:masters"]);
    for (id, words) in [
        ("cluster.reachable", &[][..]),
        ("cluster.certificate", &["it is checked, and good for another"]),
        ("cluster.version", &["v1."]),
        ("cluster.whoami", &[user.as_str(), "system:masters"]),
        ("cluster.namespace", &["shop"]),
        ("cluster.rights", &["you may do everything"]),
        ("cluster.websocket", &[]),
        ("application.workloads", &["web (web)", "celeryd (worker)", "celerybeat (beat)"]),
        ("application.beat", &[]),
        ("application.container", &["`django` of role `web`"]),
        ("application.django", &["Django 5.", "settings `shop.settings`"]),
        ("application.database", &["postgresql `shop` at postgres:5432"]),
        ("application.migrations", &[]),
    ] {
        expect(&document, id, "pass", words);
    }
    let broker = check(&document, "application.broker");
    assert!(broker.to_string().contains("redis://redis:6379/0"), "{broker:#}");
    let Some(requests) = cluster.requests_of(&user) else { return };
    assert!((10..=25).contains(&requests.len()), "{requests:#?}");
    let reads = ["list", "get", "watch", "create selfsubject"];
    let others: Vec<&String> = requests
        .iter()
        .filter(|request| !reads.iter().any(|read| request.starts_with(read)) && !request.ends_with("pods/exec"))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn python_is_not_started_in_production_unasked() {
    let Some(cluster) = cluster() else { return };
    let user = format!("doctor-unasked-{}", std::process::id());
    let output = cluster.kdj().run(["doctor", "prod", "--as", &user, "--as-group", "system:masters", "-o", "json"]);
    let document = serde_json::from_str(&output.stdout_text()).unwrap_or_else(|error| panic!("{error}\n{output}"));
    expect(&document, "application.container", "pass", &[]);
    expect(&document, "application.django", "skip", &["protected environment", "doctor prod --only application`"]);
    expect(&document, "application.migrations", "skip", &["needs application.database"]);
    expect(&document, "application.broker", "skip", &["needs application.django"]);
    let Some(requests) = cluster.requests_of(&user) else { return };
    assert!(requests.iter().all(|request| !request.ends_with("pods/exec")), "{requests:#?}");
}

#[test]
fn a_viewer_is_told_what_cannot_be_done() {
    let Some(cluster) = cluster() else { return };
    let document = doctor(&cluster.kdj(), ["acme-staging-viewer/shop-qa"]);
    expect(&document, "cluster.whoami", "pass", &["`viewer`"]);
    let words = [
        "you can logs, status",
        "you cannot shell, pyshell, manage",
        "get pods/exec",
        "is missing",
        "Role in `shop-qa`",
    ];
    // To look and not to enter is nothing that is broken.
    expect(&document, "cluster.rights", "warn", &words);
    expect(&document, "application.container", "pass", &[]);
    expect(&document, "application.django", "skip", &["may not `get` `pods/exec`", "see cluster.rights"]);
    expect(&document, "application.database", "skip", &["needs application.django"]);
    expect(&document, "application.broker", "skip", &["application.django"]);
    assert_eq!(document["good"], true, "{document:#}");
}

#[test]
fn nobody_can_do_nothing() {
    let Some(cluster) = cluster() else { return };
    let document = doctor(&cluster.kdj(), ["qa", "--as", "doctor-nobody"]);
    expect(&document, "cluster.whoami", "pass", &["doctor-nobody"]);
    expect(&document, "cluster.rights", "fail", &["you can nothing", "list pods"]);
    expect(&document, "cluster.websocket", "skip", &["you may not watch pods"]);
    expect(&document, "application.workloads", "fail", &["`doctor-nobody` may not `list`"]);
    expect(&document, "application.django", "skip", &["needs application.container"]);
    // That an environment is not there is told from that.
    let nowhere = doctor(&cluster.kdj(), ["acme-staging/kdj-doctor-nowhere"]);
    expect(&nowhere, "cluster.namespace", "fail", &["there is no namespace `kdj-doctor-nowhere`"]);
    expect(&nowhere, "application.workloads", "skip", &["needs cluster.namespace"]);
}

/// A Deployment that sleeps, whose kind is told by the words of its command.
fn sleeper(name: &str, words: &str) -> Value {
    let script = format!("exec sleep infinity # {words}");
    let mut container = objects::container("app", SHOP, ["sh", "-c", &script]);
    container["env"] = json!([
        {"name": "DATABASE_URL", "value": "postgres://shop:canary-doctor-pw@127.0.0.1:1/shop"},
        {"name": "REDIS_URL", "value": "redis://:canary-doctor-pw@127.0.0.1:1/0"},
        {"name": "DJANGO_SECRET_KEY", "value": "canary-doctor-key"},
    ]);
    objects::deployment(name, objects::pod([container]))
}

#[test]
fn a_broken_app_is_told_piece_by_piece() {
    let Some(cluster) = cluster() else { return };
    let mut crashing = sleeper("mail", "rqworker");
    crashing["spec"]["template"]["spec"]["containers"][0]["command"] = json!(["false"]);
    // Without it the pod is ready for a moment.
    crashing["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = json!({"exec": {"command": ["false"]}});
    let namespace = Namespace::with(
        cluster,
        [
            sleeper("web", "gunicorn shop.wsgi"),
            sleeper("celeryd", "celery -A shop worker"),
            sleeper("beat", "celery -A shop beat"),
            sleeper("scheduler", "celery -A shop beat"),
            crashing,
        ],
    );
    namespace.wait_for_rollout(["deployment/web", "deployment/celeryd", "deployment/beat", "deployment/scheduler"]);
    let kdj = namespace.kdj();
    let document = doctor(&kdj, ["own"]);
    assert!(!document.to_string().contains("canary-doctor"), "{document:#}");
    expect(&document, "application.beat", "fail", &["2 run, 2 should", "every periodic task"]);
    expect(&document, "application.pods", "warn", &["4 of 5 pods ready", "kdj status own --why"]);
    expect(&document, "application.django", "pass", &[]);
    expect(&document, "application.database", "fail", &["127.0.0.1:1 does not answer", "refused"]);
    expect(&document, "application.migrations", "skip", &["needs application.database"]);
    expect(&document, "application.broker", "fail", &["does not answer the app"]);
    let output = kdj.run(["doctor", "own"]).expect_code(1);
    let text = output.stdout_text();
    assert!(text.lines().last().is_some_and(|line| line.contains("own: ")), "{output}");

    // Without Django there is nothing inside to ask.
    let mut bare = objects::sleeping("app", super::harness::TOOLBOX);
    bare["command"] = json!(["sh", "-c", "exec sleep 3600 # gunicorn"]);
    namespace.apply([objects::deployment("web", objects::pod([bare]))]);
    namespace.wait_for_rollout(["deployment/web"]);
    let document = doctor(&kdj, ["own"]);
    expect(&document, "application.django", "fail", &["no python in this container"]);
}

#[test]
fn migrations_that_are_not_applied_are_named() {
    let Some(cluster) = cluster() else { return };
    let databases = Databases::with(cluster, SHOP, &[Server::Postgres], &[("default", Server::Postgres.url())]);
    let document = doctor(&databases.kdj(""), ["own"]);
    expect(&document, "application.database", "pass", &["postgresql `shop` at postgres:5432"]);
    expect(&document, "application.migrations", "warn", &["not applied: ", "kdj migrate own --plan"]);
    expect(&document, "application.broker", "skip", &["no workers are meant to run"]);
}
