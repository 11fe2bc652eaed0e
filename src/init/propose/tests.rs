use super::*;
use crate::{cluster::Kind, config::Sources};

fn context(name: &str, cluster: &str) -> KubeContext {
    KubeContext { name: name.to_owned(), namespace: None, cluster: Some(cluster.to_owned()) }
}

fn workload(kind: Kind, role: &str, instance: Option<&str>) -> AppWorkload {
    AppWorkload {
        kind,
        role: role.to_owned(),
        instance: instance.map(str::to_owned),
        unclear: None,
        started: Vec::new(),
    }
}

fn app(namespace: &str) -> App {
    let workloads = vec![workload(Kind::Web, "web", None)];
    App { namespace: namespace.to_owned(), workloads, django: IsDjango::Yes }
}

fn of_instances(namespace: &str, instances: &[&str]) -> App {
    let workloads = instances.iter().map(|instance| workload(Kind::Web, "web", Some(instance)));
    App { workloads: workloads.collect(), ..app(namespace) }
}

/// What is proposed, in short; it makes a file that loads.
fn lines(found: &[Found]) -> Vec<String> {
    let proposed = propose(found);
    let text = super::super::document(&proposed);
    let config = Config::load_with(&Sources::default(), "kdj.toml".into(), text).unwrap();
    assert_eq!(config.environments.len(), proposed.len());
    let line = |one: Proposed| {
        let instance = one.instance.map(|instance| format!("/{instance}")).unwrap_or_default();
        let protected = if one.production.is_some() { " protected" } else { "" };
        format!("{}: {}/{}{instance}{protected}", one.name, one.context, one.namespace)
    };
    proposed.into_iter().map(line).collect()
}

#[test]
fn names_come_from_the_stage_and_production_is_protected() {
    let found = [
        Found { context: context("acme-staging", "s"), apps: vec![app("shop-qa"), app("shop-dev")] },
        Found { context: context("acme-prod", "p"), apps: vec![app("shop"), app("shop-qa")] },
    ];
    assert_eq!(
        lines(&found),
        [
            "acme-prod-shop-qa: acme-prod/shop-qa protected",
            "acme-staging-shop-qa: acme-staging/shop-qa",
            "dev: acme-staging/shop-dev",
            "prod: acme-prod/shop protected"
        ]
    );
}

#[test]
fn two_apps_are_called_by_their_namespaces() {
    let found = [Found { context: context("acme", "s"), apps: vec![app("shop-qa"), app("blog-qa"), app("shop")] }];
    assert_eq!(lines(&found), ["blog-qa: acme/blog-qa", "shop: acme/shop", "shop-qa: acme/shop-qa"]);
}

#[test]
fn one_cluster_by_several_contexts_is_listed_once() {
    let apps = || vec![app("shop"), app("shop-qa")];
    let of = |name: &str| Found { context: context(name, "https://one"), apps: apps() };
    let found = [of("acme-staging"), of("acme-prod"), of("acme-staging-dev")];
    assert_eq!(lines(&found), ["prod: acme-prod/shop protected", "qa: acme-staging/shop-qa"]);
    let mut own = of("dev");
    own.context.namespace = Some("shop-qa".to_owned());
    assert_eq!(lines(&[of("acme-staging"), own]), ["qa: dev/shop-qa", "staging: acme-staging/shop"]);
}

#[test]
fn instances_are_one_pattern() {
    let of = |app: App| lines(&[Found { context: context("acme-staging", "s"), apps: vec![app] }]);
    assert_eq!(of(of_instances("tenants-qa", &["car1-qa", "car2-qa"])), ["*-qa: acme-staging/tenants-qa/{name}"]);
    assert_eq!(of(of_instances("tenants", &["car-1", "car-2"])), ["car-*: acme-staging/tenants/{name}"]);
    assert_eq!(
        of(of_instances("tenants", &["red", "blue-prod"])),
        ["blue-prod: acme-staging/tenants/blue-prod protected", "red: acme-staging/tenants/red"]
    );
    // One release, and two apps that have nothing in common, are no instances.
    assert_eq!(of(of_instances("shop-qa", &["shop"])), ["qa: acme-staging/shop-qa"]);
    let two = vec![workload(Kind::Web, "shop", Some("shop")), workload(Kind::Web, "blog", Some("blog"))];
    assert_eq!(of(App { workloads: two, ..app("qa") }), ["qa: acme-staging/qa"]);
}

#[test]
fn no_two_have_one_name() {
    let tenants = |namespace: &str| of_instances(namespace, &["acme", "globex"]);
    let found = Found { context: context("main", "s"), apps: vec![tenants("tenants-qa"), tenants("tenants-prod")] };
    assert_eq!(
        lines(&[found]),
        [
            "acme-prod: main/tenants-prod/acme protected",
            "acme-qa: main/tenants-qa/acme",
            "globex-prod: main/tenants-prod/globex protected",
            "globex-qa: main/tenants-qa/globex"
        ]
    );
    // The short names of both clusters are one.
    let of = |region: &str| {
        let name = format!("arn:aws:eks:{region}:1:cluster/acme");
        Found { context: context(&name, region), apps: vec![app("shop")] }
    };
    assert_eq!(
        lines(&[of("eu-west-1"), of("us-east-1")]),
        [
            "acme-shop: arn:aws:eks:eu-west-1:1:cluster/acme/shop",
            "acme-shop-2: arn:aws:eks:us-east-1:1:cluster/acme/shop"
        ]
    );
    // One name would be of two patterns.
    let cars = |namespace: &str| of_instances(namespace, &["car1-qa", "car2-qa"]);
    let found = Found { context: context("main", "s"), apps: vec![cars("a"), cars("b")] };
    assert_eq!(
        lines(&[found]),
        [
            "car1-qa-a: main/a/car1-qa",
            "car1-qa-b: main/b/car1-qa",
            "car2-qa-a: main/a/car2-qa",
            "car2-qa-b: main/b/car2-qa"
        ]
    );
}

#[test]
fn production_is_protected_whatever_else_is_said() {
    let of = |context_name: &str, app: App| lines(&[Found { context: context(context_name, "s"), apps: vec![app] }]);
    assert_eq!(
        of("main", of_instances("shop", &["shop-qa", "shop-prod"])),
        ["shop-prod: main/shop/shop-prod protected", "shop-qa: main/shop/shop-qa"]
    );
    assert_eq!(
        of("main", of_instances("shop", &["a-qa", "b-qa", "a-prod", "b-prod", "x"])),
        ["x: main/shop/x", "*-prod: main/shop/{name} protected", "*-qa: main/shop/{name}"]
    );
    assert_eq!(of("main", app("dev-team-prod")), ["prod: main/dev-team-prod protected"]);
    assert_eq!(of("acme-prod", app("demo")), ["demo: acme-prod/demo protected"]);
    assert_eq!(
        of("acme-prod", of_instances("tenants", &["test-customer", "other"])),
        ["other: acme-prod/tenants/other protected", "test-customer: acme-prod/tenants/test-customer protected"]
    );
    assert_eq!(of("main", of_instances("shop", &["shop-prod"])), ["shop: main/shop protected"]);
}

#[test]
fn what_is_less_surely_django_counts_where_nothing_is_more() {
    let of = |name: &str, apps: Vec<App>| Found { context: context(name, name), apps };
    let maybe = |namespace: &str| App { django: IsDjango::Maybe, ..app(namespace) };
    let no = |namespace: &str| App { django: IsDjango::No, ..app(namespace) };
    let left_out =
        |found: &[Found]| find_left_out(found).map(|(context, app)| format!("{}/{}", context.name, app.namespace));
    let mixed = [of("acme", vec![app("shop"), maybe("api"), maybe("data")]), of("front", vec![no("front")])];
    assert_eq!(lines(&mixed), ["shop: acme/shop"]);
    assert_eq!(left_out(&mixed).as_deref(), Some("acme/api"));
    // Nothing but neighbours, or what says nothing of itself.
    let unsure = [of("acme", vec![maybe("api")]), of("front", vec![no("front")])];
    assert_eq!(lines(&unsure), ["api: acme/api"]);
    assert_eq!(left_out(&unsure), None);
    assert_eq!(lines(&[of("front", vec![no("shop")])]), ["shop: front/shop"]);
    // One app, of which one cluster says less.
    let same = [of("acme-qa", vec![app("shop"), maybe("api")]), of("acme-prod", vec![maybe("shop"), maybe("api")])];
    assert_eq!(lines(&same), ["prod: acme-prod/shop protected", "qa: acme-qa/shop"]);
}

#[test]
fn a_stage_in_a_cluster_of_production_is_protected_and_that_is_said() {
    let why = |context_name: &str, app: App| {
        propose(&[Found { context: context(context_name, "s"), apps: vec![app] }]).remove(0).production
    };
    let said = "its context says production, its namespace qa: delete this line if that is right";
    assert_eq!(why("acme-prod", app("shop-qa")).as_deref(), Some(said));
    let said = "its context says production: changes ask for the name";
    assert_eq!(why("acme-prod", app("shop")).as_deref(), Some(said));
    let said = "its namespace says production: changes ask for the name";
    assert_eq!(why("acme-prod", app("shop-prod")).as_deref(), Some(said));
    let said = "its context says production, its instance qa: delete this line if that is right";
    assert_eq!(why("acme-prod", of_instances("shop", &["car1-qa", "car2-qa"])).as_deref(), Some(said));
}

#[test]
fn an_entry_without_a_namespace_is_its_contexts() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("kdj.toml"), "[environments.mine]\ncontext = 'acme'\n").unwrap();
    let working_directory = Some(directory.path().to_owned());
    let config = Config::load(&Sources { working_directory, ..Sources::default() }).unwrap();
    let acme = KubeContext { namespace: Some("shop".to_owned()), ..context("acme", "s") };
    let found = Found { context: acme.clone(), apps: vec![app("shop"), app("blog")] };
    let new = propose(&[found]).into_iter().filter(|one| !one.is_in(&config, std::slice::from_ref(&acme)));
    assert_eq!(new.map(|one| one.name).collect::<Vec<_>>(), ["blog"]);
}

#[test]
fn what_is_configured_is_known_by_name_and_by_place() {
    let text = "[environments.staging]\ncontext = 'other-user'\nnamespace = 'shop-qa'\n\
                [environments.prod]\ncontext = 'acme-prod'\nnamespace = 'elsewhere'\n\
                [environments.'pr-*']\ncontext = 'acme-staging'\nnamespace = 'shop-{name}'\n";
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("kdj.toml"), text).unwrap();
    let working_directory = Some(directory.path().to_owned());
    let config = Config::load(&Sources { working_directory, ..Sources::default() }).unwrap();
    let contexts = [context("acme-staging", "s"), context("other-user", "s"), context("acme-prod", "p")];
    let found = [
        Found { context: contexts[0].clone(), apps: vec![app("shop-qa"), app("blog-dev"), app("shop-pr-7")] },
        Found { context: contexts[2].clone(), apps: vec![app("shop")] },
    ];
    let new = propose(&found).into_iter().filter(|one| !one.is_in(&config, &contexts));
    assert_eq!(new.map(|one| one.name).collect::<Vec<_>>(), ["dev"]);
}
