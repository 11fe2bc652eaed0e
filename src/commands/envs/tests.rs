use super::*;
use crate::{
    cluster::Readiness,
    config::Sources,
    environment::{KubeContext, Listed, Overrides},
    error::Error,
};

/// What a project file lists, with the directory it lies in shown as `$`.
fn listed(text: &str, contexts: Option<&[KubeContext]>, show: impl Fn(&[Listed]) -> String) -> String {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("kdj.toml"), text).unwrap();
    let working_directory = Some(directory.path().to_owned());
    let config = Config::load(&Sources { working_directory, ..Sources::default() }).unwrap();
    let overrides = Overrides { context: None, namespace: None };
    show(&environment::list(&config, contexts, &overrides)).replace(&*directory.path().to_string_lossy(), "$")
}

fn contexts() -> Vec<KubeContext> {
    let context = |name: &str, namespace: Option<&str>| KubeContext {
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        cluster: None,
    };
    vec![context("acme-staging", Some("shop-qa")), context("acme\u{1b}-prod", None)]
}

const CONFIG: &str = "\
[environments.qa]
context = 'acme-staging'
[environments.'*-qa']
context = 'acme-staging'
namespace = 'tenants-qa'
instance = '{name}'
[environments.prod]
context = 'acme-gone'
protected = true
session = 'fresh'
[environments.own]
namespace = 'a'
";

#[test]
fn the_table_marks_what_the_kubeconfig_lacks() {
    insta::assert_snapshot!(listed(CONFIG, Some(&contexts()), |rows| render::table(rows, false)), @r"
    NAME   CONTEXT               NAMESPACE    INSTANCE   PROTECTED   SESSION
    *-qa   acme-staging          tenants-qa   {name}     false       exec
    own    <none>                a            <none>     false       exec
    prod   acme-gone (missing)   <none>       <none>     true        fresh
    qa     acme-staging          shop-qa      <none>     false       exec
    ");
    insta::assert_snapshot!(listed(CONFIG, None, |rows| render::table(rows, true)), @r"
    NAME   CONTEXT        NAMESPACE    INSTANCE   PROTECTED   SESSION   ORIGIN
    *-qa   acme-staging   tenants-qa   {name}     false       exec      $/kdj.toml:3
    own    <none>         a            <none>     false       exec      $/kdj.toml:11
    prod   acme-gone      <none>       <none>     true        fresh     $/kdj.toml:7
    qa     acme-staging   <none>       <none>     false       exec      $/kdj.toml:1
    ");
    assert_eq!(listed(CONFIG, None, |rows| render::names(rows)), "*-qa\nown\nprod\nqa\n");
}

#[test]
fn verbose_says_where_each_value_comes_from() {
    insta::assert_snapshot!(listed(CONFIG, Some(&contexts()), render::details), @r"
    *-qa
      context     acme-staging   $/kdj.toml:4
      namespace   tenants-qa     $/kdj.toml:5
      instance    {name}         $/kdj.toml:6
      protected   false          default
      session     exec           default
    own
      namespace   a       $/kdj.toml:12
      protected   false   default
      session     exec    default
    prod
      context     acme-gone (missing)   $/kdj.toml:8
      protected   true                  $/kdj.toml:9
      session     fresh                 $/kdj.toml:10
    qa
      context     acme-staging   $/kdj.toml:2
      namespace   shop-qa        kubeconfig
      protected   false          default
      session     exec           default
    ");
}

#[test]
fn verbose_shows_how_the_databases_are_used() {
    let config = "[database]\nclient = 'local'\nstatement_timeout = '30s'\n[environments.qa]\ncontext = 'acme-staging'\n\
                  [environments.qa.database]\nread_only_alias = 'replica'\nclient = 'toolbox'\n";
    insta::assert_snapshot!(listed(config, Some(&contexts()), render::details), @r"
    qa
      context                      acme-staging   $/kdj.toml:5
      namespace                    shop-qa        kubeconfig
      protected                    false          default
      session                      exec           default
      database.read_only_alias     replica        $/kdj.toml:7
      database.statement_timeout   30s            $/kdj.toml:3
      database.client              toolbox        $/kdj.toml:8
    ");
}

#[test]
fn json_has_the_documented_shape() {
    let config = "[environments.qa]\ncontext = 'acme-staging'\nprotected = true\n";
    insta::assert_snapshot!(listed(config, Some(&contexts()), |rows| render::json(rows).unwrap()), @r#"
    {
      "environments": [
        {
          "context": "acme-staging",
          "in_kubeconfig": true,
          "instance": null,
          "name": "qa",
          "namespace": "shop-qa",
          "origins": {
            "context": {
              "file": "$/kdj.toml",
              "layer": "project",
              "line": 2
            },
            "instance": null,
            "name": {
              "file": "$/kdj.toml",
              "layer": "project",
              "line": 1
            },
            "namespace": {
              "layer": "kubeconfig"
            },
            "protected": {
              "file": "$/kdj.toml",
              "layer": "project",
              "line": 3
            },
            "session": {
              "layer": "default"
            }
          },
          "pattern": false,
          "protected": true,
          "session": "exec"
        }
      ],
      "version": 1
    }
    "#);
}

/// What the clusters say of [`CONFIG`], one answer per row.
fn rows(environments: &[Listed]) -> Vec<live::Row> {
    let state = |ready, total, problem: Option<&str>| {
        let readiness = Readiness { ready, total, problem: problem.map(str::to_owned) };
        Ok(live::State { readiness, roles: None })
    };
    let states = [
        state(0, 0, None),
        Err(Error::usage("the environment `own` has no `context`").hint("add it")),
        state(
            1,
            2,
            Some(
                "web-7c9d-x: CrashLoopBackOff, last exit 1\n(Error) 12 s ago,\u{1b}[2J and much more than fits on a single line",
            ),
        ),
        state(0, 0, None),
    ];
    let listed = environments.iter().cloned();
    listed.zip(states).map(|(listed, state)| live::Row { listed, state }).collect()
}

#[test]
fn the_live_table_has_a_row_for_whatever_the_cluster_says() {
    insta::assert_snapshot!(listed(CONFIG, Some(&contexts()), |all| render::live_table(&rows(all), false)), @r"
    NAME   CONTEXT               NAMESPACE    READY       PROBLEM
    *-qa   acme-staging          tenants-qa   0/0         no instance exists now
    own    <none>                a            <unknown>   the environment `own` has no `context`
    prod   acme-gone (missing)   <none>       1/2         web-7c9d-x: CrashLoopBackOff, last exit 1 (Error) 12 s ago,�[2J and much more than fits on a single…
    qa     acme-staging          shop-qa      0/0         no pods
    ");
    let wide = listed(CONFIG, Some(&contexts()), |all| render::live_table(&rows(all)[2..3], true));
    insta::assert_snapshot!(wide, @r"
    NAME   CONTEXT               NAMESPACE   READY   INSTANCE   PROTECTED   SESSION   PROBLEM
    prod   acme-gone (missing)   <none>      1/2     <none>     true        fresh     web-7c9d-x: CrashLoopBackOff, last exit 1 (Error) 12 s ago,�[2J and much more than fits on a single line
    ");
    assert_eq!(render::live_table(&[], false), "");
}

#[test]
fn live_json_adds_to_the_documented_shape() {
    let text = listed(CONFIG, Some(&contexts()), |all| render::live_json(&rows(all)).unwrap());
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let live: Vec<String> =
        document["environments"].as_array().unwrap().iter().map(|one| one["live"].to_string()).collect();
    insta::assert_snapshot!(live.join("\n"), @r#"
    {"error":null,"problem":"no instance exists now","ready":0,"roles":null,"total":0}
    {"error":"the environment `own` has no `context`","problem":null,"ready":null,"roles":null,"total":null}
    {"error":null,"problem":"web-7c9d-x: CrashLoopBackOff, last exit 1\n(Error) 12 s ago,\u001b[2J and much more than fits on a single line","ready":1,"roles":null,"total":2}
    {"error":null,"problem":"no pods","ready":0,"roles":null,"total":0}
    "#);
}

#[test]
fn without_configuration_the_contexts_are_listed() {
    insta::assert_snapshot!(listed("", Some(&contexts()), |rows| render::table(rows, false)), @r"
    NAME                      CONTEXT           NAMESPACE   PROTECTED   SESSION
    acme-staging/shop-qa      acme-staging      shop-qa     false       exec
    acme\u{1b}-prod/default   acme\u{1b}-prod   default     false       exec
    ");
    insta::assert_snapshot!(listed("", Some(&contexts()), render::first_steps), @r#"
    no environment is configured, these are contexts of the kubeconfig; name one in a `kdj.toml` beside manage.py:

    [environments.qa]
    context = "acme-staging"
    namespace = "shop-qa"
    "#);
    insta::assert_snapshot!(listed("", None, render::first_steps), @r#"
    no environment is configured; name one in a `kdj.toml` beside manage.py:

    [environments.qa]
    context = "acme-staging"
    namespace = "shop-qa"
    "#);
    assert_eq!(listed("", None, |rows| render::table(rows, false)), "");
}
