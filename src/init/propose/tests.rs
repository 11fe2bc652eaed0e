use super::*;
use crate::{cluster::Kind, config::Sources};

fn context(name: &str, cluster: &str) -> KubeContext {
    KubeContext { name: name.to_owned(), namespace: None, cluster: Some(cluster.to_owned()) }
}

fn workload(kind: Kind, role: &str, instance: Option<&str>) -> AppWorkload {
    AppWorkload { kind, role: role.to_owned(), instance: instance.map(str::to_owned), unclear: None }
}

fn app(namespace: &str) -> App {
    let workloads = vec![workload(Kind::Web, "web", None)];
    App { namespace: namespace.to_owned(), workloads, django: true }
}

fn of_instances(namespace: &str, instances: &[&str]) -> App {
    let workloads = instances.iter().map(|instance| workload(Kind::Web, "web", Some(instance)));
    App { workloads: workloads.collect(), ..app(namespace) }
}

fn lines(found: &[Found]) -> Vec<String> {
    let line = |one: Proposed| {
        let instance = one.instance.map(|instance| format!("/{instance}")).unwrap_or_default();
        let protected = if one.production.is_some() { " protected" } else { "" };
        format!("{}: {}/{}{instance}{protected}", one.name, one.context, one.namespace)
    };
    propose(found).into_iter().map(line).collect()
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
            "acme-prod-shop-qa: acme-prod/shop-qa",
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
