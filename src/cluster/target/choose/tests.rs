use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::cluster::target::{
    fixtures::{PodBuilder, environment, object, pod},
    role::Roles,
    workload::group,
};

fn workloads(pods: Vec<PodBuilder>) -> Vec<Workload> {
    let pods = pods.into_iter().map(PodBuilder::build).collect();
    group(pods, &Roles::new(&environment("qa", None), None).unwrap())
}

/// A pod of a Deployment whose name is its role.
fn of(deployment: &str) -> PodBuilder {
    pod(&format!("{deployment}-1")).of_deployment(deployment, "1")
}

fn running(deployment: &str, command: &str) -> PodBuilder {
    of(deployment).container("app", &command.split(' ').collect::<Vec<_>>())
}

fn service(name: &str, selector: &[(&str, &str)]) -> Service {
    let selector: serde_json::Map<_, _> =
        selector.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    object(json!({"metadata": {"name": name}, "spec": {"selector": selector}}))
}

fn owners(candidates: &Candidates<'_>) -> Vec<String> {
    candidates.workloads.iter().map(|workload| workload.owner.name.clone()).collect()
}

fn full(error: &Error) -> String {
    format!("{error}\n{}", error.hints().join("\n"))
}

#[test]
fn a_role_is_asked_for_by_its_name_or_its_workload_s() {
    let workloads = workloads(vec![
        of("shop-web-blue").label("component", "web"),
        of("shop-web-green").label("component", "web"),
        of("shop-mail").label("component", "worker").label("app", "shop"),
        of("celeryd"),
        pod("db-0").owned_by("StatefulSet", "db"),
    ]);
    for (asked, expected) in [
        ("web", &["shop-web-blue", "shop-web-green"][..]),
        ("shop-web-blue", &["shop-web-blue"]),
        ("deployment/shop-web-green", &["shop-web-green"]),
        ("statefulset/db", &["db"]),
        ("celeryd", &["celeryd"]),
        ("mail", &["shop-mail"]),
        ("deployment/db", &[]),
        ("nothing", &[]),
    ] {
        let found = find_asked(&workloads, asked);
        assert_eq!(found.map(|candidates| owners(&candidates)).unwrap_or_default(), expected, "{asked}");
    }
}

#[test]
fn workloads_that_only_have_pods_that_go_do_not_compete() {
    let blue = of("web-blue").label("component", "web").terminating();
    let green = of("web-green").label("component", "web");
    assert_eq!(owners(&find_asked(&workloads(vec![blue.clone(), green]), "web").unwrap()), ["web-green"]);
    assert_eq!(owners(&find_asked(&workloads(vec![blue]), "web").unwrap()), ["web-blue"]);
}

#[test]
fn sessions_go_to_shell_then_to_web() {
    for (pods, expected) in [
        (vec![of("web"), of("celeryd"), of("shell")], &["shell", "web"][..]),
        (vec![of("web"), of("celeryd")], &["web"]),
        (vec![running("site", "gunicorn shop.wsgi"), of("celeryd")], &["site"]),
        (vec![running("daphne", "daphne shop.asgi"), running("web", "gunicorn shop.wsgi")], &["web"]),
        // The front end is called web, and is nginx alone.
        (vec![of("web").container("nginx", &[]), running("backend", "gunicorn shop.wsgi")], &["backend"]),
        (vec![of("shell"), running("api", "uvicorn a"), running("admin", "gunicorn b")], &["shell"]),
        (vec![of("shell")], &["shell"]),
        (vec![of("monolith")], &["monolith"]),
        (vec![of("db").container("postgres", &[])], &[]),
        (vec![of("mail"), of("billing")], &[]),
        (vec![], &[]),
    ] {
        let workloads = workloads(pods);
        let chosen = choose_defaults(&workloads, "qa").unwrap();
        let roles: Vec<&str> = chosen.iter().map(|candidates| candidates.role.as_str()).collect();
        assert_eq!(roles, expected);
    }
}

#[test]
fn several_web_roles_are_ambiguous() {
    let workloads = workloads(vec![running("api", "uvicorn a"), running("admin", "gunicorn b"), of("celeryd")]);
    assert_snapshot!(full(&choose_defaults(&workloads, "qa").unwrap_err()), @r"
    several roles of `qa` are of kind web: its roles are `admin` (web), `api` (web), `celeryd` (worker)
    name it: `--role admin`
    ");
}

fn blue_and_green() -> Vec<Workload> {
    let of = |colour: &str| of(&format!("web-{colour}")).label("component", "web").label("colour", colour);
    workloads(vec![of("blue"), of("green")])
}

#[test]
fn the_service_tells_the_colour_in_use() {
    let workloads = blue_and_green();
    let candidates = find_asked(&workloads, "web").unwrap();
    let (green, blue, both) = ([("colour", "green")], [("colour", "blue")], [("component", "web")]);
    for services in [
        vec![service("anything", &green)],
        vec![service("web", &green), service("web-preview", &blue)],
        vec![service("shop-web", &green), service("web-blue", &blue), service("web-green", &green)],
        vec![service("web", &both), service("live", &green)],
        vec![service("live", &green), service("external", &[]), service("db", &[("app", "db")])],
    ] {
        let (workload, note) = choose_by_service(&candidates, &services, "qa").unwrap();
        assert_eq!(workload.owner.name, "web-green");
        let name =
            services.iter().find(|it| it.spec.as_ref().unwrap().selector.as_ref().unwrap().contains_key("colour"));
        assert_eq!(note, format!("blue/green: Service `{}` selects `web-green`", name.unwrap().name_any()));
    }
}

#[test]
fn without_one_service_the_colour_is_ambiguous() {
    let workloads = blue_and_green();
    let candidates = find_asked(&workloads, "web").unwrap();
    let error = |services: &[Service]| full(&choose_by_service(&candidates, services, "qa").unwrap_err());
    assert_snapshot!(error(&[service("web", &[("component", "web")])]), @r"
    role `web` has 2 workloads in `qa`: Services do not tell which one is in use: `deployment/web-blue` (no Service of its own); `deployment/web-green` (no Service of its own)
    name it: `--role web-blue`
    ");
    assert_snapshot!(error(&[service("a", &[("colour", "blue")]), service("b", &[("colour", "green")])]), @r"
    role `web` has 2 workloads in `qa`: Services do not tell which one is in use: `deployment/web-blue` (Service `a`); `deployment/web-green` (Service `b`)
    name it: `--role web-blue`
    ");
}

#[test]
fn overlapping_labels_are_told_apart_by_owner() {
    let same = |name: &str| of(name).label("app", "shop").label("component", "web");
    let workloads = workloads(vec![same("web"), same("web-copy"), pod("debug").label("component", "web")]);
    let candidates = find_asked(&workloads, "web").unwrap();
    assert_eq!(owners(&candidates), ["web", "web-copy"]);
    assert!(choose_by_service(&candidates, &[service("web", &[("component", "web")])], "qa").is_err());
    assert_eq!(owners(&find_asked(&workloads, "web-copy").unwrap()), ["web-copy"]);
}
