use super::*;
use crate::{
    config::{ClientPlace, Sources},
    environment::SessionMode,
};

const CONFIG: &str = r#"
[django]
manage = ["python", "manage.py"]
workdir = "/app"
[roles.web]
selector = "app=shop"
container = "django"
[environments.qa]
context = "acme-staging"
namespace = "shop-qa"
[environments.prod]
context = "acme-prod"
namespace = "shop"
protected = true
session = "fresh"
django = { workdir = "/srv" }
roles.web.container = "app"
[environments."*-qa"]
context = "acme-staging"
namespace = "tenants-qa"
instance = "{name}"
[environments."big-*-qa"]
context = "acme-staging"
namespace = "t-{name}"
[environments."big-*"]
context = "acme-staging"
[environments."*-live"]
context = "acme-prod"
namespace = "tenants"
instance = "{name}"
protected = true
[environments.old]
context = "acme-old"
[environments.nowhere]
namespace = "x"
[database]
read_only_alias = "replica"
statement_timeout = "30s"
[environments.prod.database]
statement_timeout = "5s"
client = "local"
"#;

fn config(text: &str, variables: &[(&str, &str)]) -> Config {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("kdj.toml"), text).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
    let working_directory = Some(directory.path().to_owned());
    Config::load(&Sources { user_directory: None, working_directory, variables }).unwrap()
}

fn contexts() -> Vec<KubeContext> {
    let context = |name: &str, namespace: Option<&str>| KubeContext {
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        cluster: None,
    };
    vec![
        context("acme-staging", Some("somewhere")),
        context("acme-prod", None),
        context("arn:aws:eks:eu-1:123:cluster", None),
        context("arn:aws:eks:eu-1:123:cluster/acme", None),
    ]
}

fn flags(context: Option<&str>, namespace: Option<&str>) -> Overrides {
    Overrides { context: context.map(str::to_owned), namespace: namespace.map(str::to_owned) }
}

/// `CONTEXT NAMESPACE INSTANCE`, with a `!` where it is protected; or the error with its hints.
fn shown(outcome: Result<Environment>) -> String {
    match outcome {
        Ok(found) => {
            let protected = if found.protected { " !" } else { "" };
            let instance = found.instance.as_deref().unwrap_or("-");
            format!("{} {} {instance}{protected}", found.context, found.namespace)
        }
        Err(error) => {
            // The directory is another one each time.
            let text =
                [error.to_string()].into_iter().chain(error.hints().iter().cloned()).collect::<Vec<_>>().join("\n");
            let cut = |word: &str| match word.rfind("/kdj.toml") {
                Some(at) if word.starts_with('/') => word[at + 1..].to_owned(),
                _ => word.to_owned(),
            };
            text.split(' ').map(cut).collect::<Vec<_>>().join(" ")
        }
    }
}

fn resolved(name: &str, overrides: &Overrides) -> String {
    shown(resolve(name, &config(CONFIG, &[]), &contexts(), overrides))
}

#[test]
fn names_resolve_exactly_then_by_pattern_then_literally() {
    let cases = [
        ("qa", "acme-staging shop-qa -"),
        ("prod", "acme-prod shop - !"),
        ("car1-qa", "acme-staging tenants-qa car1-qa"),
        ("big-x-qa", "acme-staging t-big-x-qa -"),
        ("big-x", "acme-staging somewhere -"),
        ("acme-staging/any", "acme-staging any -"),
        ("acme-staging/any/car1", "acme-staging any car1"),
        ("acme-staging/shop-qa", "acme-staging shop-qa -"),
        ("arn:aws:eks:eu-1:123:cluster/acme/shop", "arn:aws:eks:eu-1:123:cluster/acme shop -"),
        ("arn:aws:eks:eu-1:123:cluster/acme/shop/car1", "arn:aws:eks:eu-1:123:cluster/acme shop car1"),
        ("arn:aws:eks:eu-1:123:cluster/other", "arn:aws:eks:eu-1:123:cluster other -"),
    ];
    for (name, expected) in cases {
        assert_eq!(resolved(name, &Overrides::default()), expected, "{name}");
    }
}

#[test]
fn flags_beat_everything_and_are_mentioned() {
    assert_eq!(resolved("qa", &flags(None, Some("other"))), "acme-staging other -");
    assert_eq!(resolved("qa", &flags(Some("acme-prod"), None)), "acme-prod shop-qa -");
    assert_eq!(resolved("old", &flags(Some("acme-staging"), None)), "acme-staging somewhere -");
    assert_eq!(resolved("nowhere", &flags(Some("acme-prod"), None)), "acme-prod x -");
    assert_eq!(resolved("gone/a", &flags(Some("acme-prod"), None)), "acme-prod a -");

    let config = config(CONFIG, &[("KDJ_CONTEXT", "acme-prod"), ("KDJ_NAMESPACE", "elsewhere")]);
    let resolve = |name, overrides| resolve(name, &config, &contexts(), &overrides);
    let qa = resolve("qa", flags(None, Some("flagged"))).unwrap();
    assert_eq!((qa.context.as_str(), qa.namespace.as_str()), ("acme-prod", "flagged"));
    let by = qa.resolved_by.split_once("kdj.toml").unwrap().1.to_owned();
    assert_eq!(by, ":8; context from KDJ_CONTEXT; namespace from --namespace");
    assert_eq!(shown(resolve("acme-staging/any", Overrides::default())), "acme-staging any -", "typed beats exported");
}

#[test]
fn no_way_into_a_protected_place_is_unprotected() {
    assert_eq!(resolved("qa", &flags(Some("acme-prod"), Some("shop"))), "acme-prod shop - !");
    assert_eq!(resolved("acme-prod/shop", &Overrides::default()), "acme-prod shop - !");
    assert_eq!(resolved("acme-prod/shop/car1", &Overrides::default()), "acme-prod shop car1 !");
    assert_eq!(resolved("acme-prod/tenants/car1-live", &Overrides::default()), "acme-prod tenants car1-live !");
    assert_eq!(resolved("acme-prod/tenants", &Overrides::default()), "acme-prod tenants - !");
    assert_eq!(resolved("acme-prod/tenants/car1-dev", &Overrides::default()), "acme-prod tenants car1-dev");
    let confirmed_by = |name: &str, overrides: &Overrides| {
        resolve(name, &config(CONFIG, &[]), &contexts(), overrides).unwrap().confirmed_by
    };
    assert_eq!(confirmed_by("prod", &Overrides::default()), "prod");
    assert_eq!(confirmed_by("acme-prod/shop", &Overrides::default()), "acme-prod/shop");
    // To type `qa` would confirm nothing.
    assert_eq!(confirmed_by("qa", &flags(Some("acme-prod"), Some("shop"))), "acme-prod/shop");
    let by = resolve("acme-prod/shop", &config(CONFIG, &[]), &contexts(), &Overrides::default()).unwrap().resolved_by;
    assert_eq!(by, "literal form; protected, as `prod` is");
}

#[test]
fn a_protected_name_confirms_its_own_place_alone() {
    let text = format!("{CONFIG}[environments.staging]\ncontext = 'acme-staging'\nprotected = true\n");
    let variables = [("KDJ_CONTEXT", "acme-prod"), ("KDJ_NAMESPACE", "shop")];
    let (plain, exported) = (config(&text, &[]), config(&text, &variables));
    for (config, name, overrides, expected) in [
        (&plain, "staging", flags(Some("acme-prod"), Some("shop")), "acme-prod/shop"),
        (&exported, "staging", flags(None, None), "acme-prod/shop"),
        (&plain, "staging", flags(None, Some("other")), "acme-staging/other"),
        (&plain, "staging", flags(Some("acme-staging"), Some("somewhere")), "staging"),
        (&plain, "staging", flags(None, None), "staging"),
        (&exported, "prod", flags(None, None), "prod"),
        (&exported, "car1-live", flags(None, None), "acme-prod/shop"),
    ] {
        let found = resolve(name, config, &contexts(), &overrides).unwrap();
        assert!(found.protected, "{name} {overrides:?}");
        assert_eq!(found.confirmed_by, expected, "{name} {overrides:?}");
    }
}

#[test]
fn another_context_of_the_same_cluster_leads_into_the_same_place() {
    let context = |name: &str, namespace: &str, cluster: &str| KubeContext {
        name: name.to_owned(),
        namespace: Some(namespace.to_owned()),
        cluster: Some(cluster.to_owned()),
    };
    let text = "[environments.prod]\ncontext='acme-prod'\nprotected=true\n";
    let config = config(text, &[]);
    let contexts =
        [context("acme-prod", "shop", "one"), context("arn:1/acme", "x", "one"), context("acme-qa", "shop", "two")];
    let protected = |name: &str| resolve(name, &config, &contexts, &Overrides::default()).unwrap().protected;
    assert!(protected("arn:1/acme/shop"));
    assert!(protected("acme-prod/shop"));
    // The namespace of the entry's context counts, not that of the context that was typed.
    assert!(!protected("arn:1/acme/x"));
    assert!(!protected("acme-qa/shop"));
}

#[test]
fn settings_of_the_entry_lie_over_those_of_all() {
    let prod = resolve("prod", &config(CONFIG, &[]), &contexts(), &Overrides::default()).unwrap();
    assert_eq!(prod.session, SessionMode::Fresh);
    assert_eq!(prod.django.manage.unwrap(), ["python", "manage.py"]);
    assert_eq!(prod.django.workdir.unwrap(), "/srv");
    let web = RoleSettings { selector: Some("app=shop".to_owned()), container: Some("app".to_owned()) };
    assert_eq!(prod.roles["web"], web);
    assert_eq!(prod.database.read_only_alias.as_deref(), Some("replica"));
    assert_eq!(prod.database.statement_timeout.map(u64::from), Some(5000));
    assert_eq!(prod.database.client, Some(ClientPlace::Local));
    let qa = resolve("qa", &config(CONFIG, &[]), &contexts(), &Overrides::default()).unwrap();
    assert_eq!((qa.database.statement_timeout.map(u64::from), qa.database.client), (Some(30_000), None));
}

#[test]
fn what_does_not_resolve_is_explained() {
    let error = |name: &str| resolved(name, &Overrides::default());
    insta::assert_snapshot!(error("qaa"), @r"
    unknown environment `qaa`
    did you mean `qa`?
    `kdj envs` lists the environments
    ");
    insta::assert_snapshot!(error("zzz"), @r"
    unknown environment `zzz`
    known: `*-live`, `*-qa`, `big-*`, `big-*-qa`, `nowhere`, `old`, `prod`, `qa`
    `kdj envs` lists the environments
    ");
    insta::assert_snapshot!(error("old"), @r"
    the kubeconfig has no context `acme-old`: the context of `old` comes from: kdj.toml:33
    contexts of the kubeconfig: `acme-staging`, `acme-prod`, `arn:aws:eks:eu-1:123:cluster`, `arn:aws:eks:eu-1:123:cluster/acme`
    ");
    insta::assert_snapshot!(error("nowhere"), @r#"
    kdj.toml:34: the environment `nowhere` has no `context`
    add `context = "..."` there, or give `--context`
    contexts of the kubeconfig: `acme-staging`, `acme-prod`, `arn:aws:eks:eu-1:123:cluster`, `arn:aws:eks:eu-1:123:cluster/acme`
    "#);
    insta::assert_snapshot!(error("acme-stagin/x"), @r"
    the kubeconfig has no context `acme-stagin`: the context of `acme-stagin/x` comes from: argument
    did you mean `acme-staging`?
    ");
    insta::assert_snapshot!(resolved("qa", &flags(Some("zzz"), None)), @r"
    the kubeconfig has no context `zzz`: the context of `qa` comes from: --context
    contexts of the kubeconfig: `acme-staging`, `acme-prod`, `arn:aws:eks:eu-1:123:cluster`, `arn:aws:eks:eu-1:123:cluster/acme`
    ");
    insta::assert_snapshot!(resolved("qa", &flags(None, Some("Shop"))), @"`Shop` (--namespace) cannot be the namespace: a namespace is up to 63 lower-case letters, digits and `-`");
    insta::assert_snapshot!(error(""), @r"
    `` is no environment: the name is empty
    `kdj envs` lists the environments
    ");
    insta::assert_snapshot!(error("/"), @r"
    `/` is not CONTEXT/NAMESPACE[/INSTANCE]
    `kdj envs` lists the environments
    ");
    insta::assert_snapshot!(error("a//b"), @r"
    `a//b` is not CONTEXT/NAMESPACE[/INSTANCE]
    `kdj envs` lists the environments
    ");
    insta::assert_snapshot!(error("arn:aws:eks:eu-1:123:cluster/acme/a/b/c"), @r"
    `arn:aws:eks:eu-1:123:cluster/acme/a/b/c` is not CONTEXT/NAMESPACE[/INSTANCE]
    `kdj envs` lists the environments
    ");
    insta::assert_snapshot!(error("*-qa"), @r"
    `*-qa` is no environment: a pattern stands for many environments, and one is needed
    `kdj envs` lists the environments
    ");
    insta::assert_snapshot!(error("qa\u{1b}[2J"), @r"
    `qa\u{1b}[2J` is no environment: a name cannot contain white space, control characters or `/`
    `kdj envs` lists the environments
    ");
    insta::assert_snapshot!(error(";rm"), @r##"
    `;rm` is no environment: a name cannot contain what means something to a shell: $`\"'!#&;|<>()[]{}?~^
    `kdj envs` lists the environments
    "##);
    insta::assert_snapshot!(error("é-qa"), @r"
    `é-qa` is no environment: an instance is a label's value: up to 63 letters, digits, `-`, `_` and `.`
    `kdj envs` lists the environments
    ");
    insta::assert_snapshot!(error("acme-prod/shop/;rm"), @"`;rm` (argument) cannot be the instance: an instance is a label's value: up to 63 letters, digits, `-`, `_` and `.`");
    insta::assert_snapshot!(error("acme-prod/$(rm)"), @"`$(rm)` (argument) cannot be the namespace: a namespace is up to 63 lower-case letters, digits and `-`");
}

#[test]
fn patterns_that_fit_equally_well_are_a_tie() {
    let config = config("[environments.\"*-qa\"]\ncontext='a'\n[environments.\"car*\"]\ncontext='b'\n", &[]);
    insta::assert_snapshot!(shown(resolve("car1-qa", &config, &contexts(), &Overrides::default())), @r"
    two patterns fit `car1-qa` equally well: `*-qa` at kdj.toml:1 and `car*` at kdj.toml:3
    add an entry of its own, `[environments.car1-qa]`
    ");
}

#[test]
fn without_configuration_the_one_context_that_matches_serves() {
    let config = config("[django]\nworkdir = '/app'\n", &[]);
    let resolve = |name: &str, overrides: &Overrides| resolve(name, &config, &contexts(), overrides);
    let staging = resolve("staging", &Overrides::default()).unwrap();
    assert_eq!(staging.resolved_by, "the one context of the kubeconfig that matches, `acme-staging`");
    assert_eq!(staging.django.workdir.as_deref(), Some("/app"));
    let cases = [
        ("staging", "acme-staging somewhere -"),
        ("acme-staging", "acme-staging somewhere -"),
        ("somewhere", "acme-staging somewhere -"),
        ("prod", "acme-prod default -"),
    ];
    for (name, expected) in cases {
        assert_eq!(shown(resolve(name, &Overrides::default())), expected, "{name}");
    }
    insta::assert_snapshot!(shown(resolve("rod", &Overrides::default())), @r"
    unknown environment `rod`: no environment is configured, and no context or its namespace is `rod` or ends in `-rod`
    `kdj envs` lists the contexts that can serve, and shows how to configure one
    ");
    insta::assert_snapshot!(shown(resolve("acme-stagin", &Overrides::default())), @r"
    unknown environment `acme-stagin`: no environment is configured, and no context or its namespace is `acme-stagin` or ends in `-acme-stagin`
    did you mean `acme-staging/somewhere`?
    `kdj envs` lists the environments
    ");
    insta::assert_snapshot!(shown(resolve("staging", &flags(Some("acme-prod"), None))), @r"
    unknown environment `staging`: no environment is configured, and the context `acme-prod` does not match the name
    `kdj envs` lists the contexts that can serve, and shows how to configure one
    ");
    insta::assert_snapshot!(shown(super::resolve("qa", &config, &[], &Overrides::default())), @r"
    unknown environment `qa`: no environment is configured, and the kubeconfig has no contexts
    `kdj envs` lists the contexts that can serve, and shows how to configure one
    ");

    let context =
        |name: &str| KubeContext { name: name.to_owned(), namespace: Some("shop-qa".to_owned()), cluster: None };
    let two = [context("eu"), context("us-qa")];
    insta::assert_snapshot!(shown(super::resolve("qa", &config, &two, &Overrides::default())), @r"
    `qa` may be any of 2 contexts: no kdj.toml says which:
    eu/shop-qa
    us-qa/shop-qa
    type one as it stands there, as in `eu/shop-qa`
    ");
    assert_eq!(shown(super::resolve("qa", &config, &two, &flags(Some("eu"), None))), "eu shop-qa -");
}
