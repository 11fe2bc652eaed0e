//! The Roles of `docs/rbac`, each bound to a user who has nothing else: with it the command works and misses nothing, with
//! what the command needs alone it works, and without any of that the error names what is missing.

mod beside;

use std::{collections::BTreeSet, fs, path::PathBuf, time::Duration};

use serde_json::{Value, json};

use super::harness::{Cluster, CommandOutput, Databases, Kdj, Namespace, SHOP, cluster, databases::Server, objects};

/// A verb, and the resource it is of.
type Right = (&'static str, &'static str);

/// A command by one of the Roles.
struct Row {
    /// The file in `docs/rbac`; several with spaces between.
    role: &'static str,
    command: &'static [&'static str],
    /// Without any of these it fails, and names it.
    needed: &'static [Right],
    /// Without any of these it works, and names it.
    said: &'static [Right],
    /// It needs these, too, but others of the Role may stand in for them.
    besides: &'static [Right],
}

impl Row {
    /// What its Roles allow.
    fn rights(&self) -> BTreeSet<(String, String, String)> {
        self.role.split(' ').flat_map(|name| rights(&role(name))).collect()
    }
}

const READS: &[Row] = &[
    Row {
        role: "session",
        command: &["shell", "own", "--", "true"],
        needed: &[("list", "pods"), ("get", "pods/exec")],
        said: &[],
        besides: &[],
    },
    Row {
        role: "logs",
        command: &["logs", "own", "--no-follow"],
        needed: &[("list", "pods"), ("get", "pods/log")],
        said: &[],
        besides: &[],
    },
    Row {
        role: "logs",
        command: &["logs", "own", "--no-follow", "--events"],
        needed: &[("list", "pods"), ("get", "pods/log"), ("list", "events")],
        said: &[],
        besides: &[],
    },
    Row {
        role: "status",
        command: &["status", "own"],
        needed: &[],
        said: &[
            ("list", "pods"),
            ("list", "deployments"),
            ("list", "statefulsets"),
            ("list", "horizontalpodautoscalers"),
        ],
        besides: &[],
    },
    Row { role: "status", command: &["envs", "--live"], needed: &[("list", "pods")], said: &[], besides: &[] },
    Row {
        role: "forward",
        command: &["forward", "own", "web:8000", "--exec", "true"],
        needed: &[("list", "pods"), ("get", "pods/portforward")],
        said: &[],
        besides: &[],
    },
    Row {
        role: "forward",
        command: &["forward", "own", "svc/web", "--exec", "true"],
        needed: &[("get", "services"), ("list", "pods"), ("get", "pods/portforward")],
        said: &[],
        besides: &[],
    },
    Row {
        role: "releases",
        command: &["releases", "own"],
        needed: &[("list", "deployments"), ("list", "replicasets")],
        said: &[("list", "pods")],
        besides: &[],
    },
    Row {
        role: "config session",
        command: &["config", "own", "web"],
        needed: &[("list", "deployments")],
        said: &[("get", "configmaps"), ("get", "pods/exec")],
        besides: &[],
    },
    Row { role: "audit", command: &["audit", "own"], needed: &[], said: &[("list", "events")], besides: &[] },
];

/// In an environment with a database.
const SESSIONS: &[Row] = &[
    Row {
        role: "session",
        command: &["manage", "own", "--", "check"],
        needed: &[("list", "pods"), ("get", "pods/exec")],
        said: &[],
        besides: &[],
    },
    Row {
        role: "session",
        command: &["pyshell", "own", "-c", "print(1)"],
        needed: &[("list", "pods"), ("get", "pods/exec")],
        said: &[],
        besides: &[],
    },
    Row {
        role: "session",
        command: &["db", "own", "activity"],
        needed: &[("list", "pods"), ("get", "pods/exec")],
        said: &[],
        besides: &[],
    },
    Row {
        role: "session forward",
        command: &["forward", "own", "db", "--exec", "true"],
        needed: &[("list", "pods"), ("get", "pods/exec"), ("get", "pods/portforward")],
        said: &[],
        besides: &[],
    },
];

const CHANGES: &[Row] = &[
    Row {
        role: "scale",
        command: &["scale", "own", "web+1"],
        needed: &[("list", "deployments"), ("patch", "deployments/scale")],
        said: &[("list", "horizontalpodautoscalers")],
        besides: &[],
    },
    Row {
        role: "restart",
        command: &["restart", "own", "web"],
        needed: &[("list", "deployments"), ("patch", "deployments"), ("list", "pods")],
        said: &[],
        besides: &[],
    },
    Row {
        role: "rollback",
        command: &["rollback", "own", "web", "--skip-migrations", "--wait"],
        needed: &[("list", "deployments"), ("list", "replicasets"), ("patch", "deployments"), ("list", "pods")],
        said: &[],
        besides: &[],
    },
];

const JOBS: &[Row] = &[
    Row {
        role: "run",
        command: &["run", "own", "--", "true"],
        needed: &[("list", "deployments"), ("create", "jobs")],
        said: &[("get", "pods/log")],
        // Or `watch`.
        besides: &[("list", "pods")],
    },
    Row { role: "run", command: &["jobs", "own"], needed: &[("list", "jobs")], said: &[], besides: &[] },
    Row {
        role: "fresh",
        command: &["shell", "own", "--fresh", "--", "true"],
        needed: &[("list", "deployments"), ("create", "jobs"), ("get", "pods/exec")],
        said: &[("delete", "jobs")],
        besides: &[("list", "pods")],
    },
    Row { role: "fresh", command: &["sessions", "own"], needed: &[("list", "jobs")], said: &[], besides: &[] },
    Row {
        role: "migrate",
        command: &["migrate", "own", "--plan"],
        needed: &[("list", "deployments"), ("get", "pods/exec")],
        // The plan is made in a Job then.
        said: &[("list", "pods")],
        besides: &[("list", "pods")],
    },
    // Last, for then all is applied: the server is asked for no Job any more.
    Row {
        role: "migrate",
        command: &["migrate", "own"],
        needed: &[("list", "jobs"), ("create", "jobs")],
        said: &[],
        besides: &[
            ("list", "deployments"),
            ("list", "pods"),
            ("get", "pods/exec"),
            ("get", "jobs"),
            ("get", "pods/log"),
        ],
    },
];

/// Roles with a test of their own.
const ELSEWHERE: [&str; 4] = ["secrets", "record", "namespaces", "why"];

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rbac"))
}

/// The Role in a file, as it is there.
fn role(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(name).with_extension("yaml")).expect("a Role's file");
    serde_saphyr::from_str(&text).expect("YAML")
}

/// All that the rules allow: group, resource, verb.
fn rights(role: &Value) -> BTreeSet<(String, String, String)> {
    let words = |list: &Value| -> Vec<String> {
        list.as_array().expect("a list").iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in role["rules"].as_array().expect("rules") {
        for group in words(&rule["apiGroups"]) {
            for resource in words(&rule["resources"]) {
                rights.extend(words(&rule["verbs"]).into_iter().map(|verb| (group.clone(), resource.clone(), verb)));
            }
        }
    }
    rights
}

/// The rights as a Role that is bound to a group of its name.
fn bound(name: &str, rights: impl Iterator<Item = (String, String, String)>) -> [Value; 2] {
    const API: &str = "rbac.authorization.k8s.io";
    let rule = |(group, resource, verb)| json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]});
    let (version, rules) = (format!("{API}/v1"), rights.map(rule).collect::<Vec<_>>());
    [
        json!({"apiVersion": version, "kind": "Role", "metadata": {"name": name}, "rules": rules}),
        json!({
            "apiVersion": version, "kind": "RoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": API, "kind": "Role", "name": name},
            "subjects": [{"apiGroup": API, "kind": "Group", "name": name}],
        }),
    ]
}

/// The command, by a user who is in this group alone.
fn by(kdj: &Kdj, group: &str, command: &[&str]) -> CommandOutput {
    let global = ["--as", "ada", "--as-group", group];
    kdj.run(global.iter().chain(command))
}

/// Whether a line names the right, and says that it is missing.
fn is_named(output: &CommandOutput, (verb, resource): Right) -> bool {
    let text = format!("{}\n{}", output.stderr, output.stdout_text());
    let named = [format!("may not `{verb}` `{resource}`"), format!("may not {verb} {resource} ")];
    text.lines().any(|line| named.iter().any(|named| line.contains(named)))
}

/// Runs each row: without each right it names, with what it needs, with the whole Role.
#[track_caller]
fn check(namespace: &Namespace<'_>, rows: &[Row]) {
    let is = |(_, resource, verb): &(String, String, String), right: Right| (verb.as_str(), resource.as_str()) == right;
    let mut objects = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let all = row.rights();
        for (without, right) in row.needed.iter().chain(row.said).enumerate() {
            assert!(all.iter().any(|it| is(it, *right)), "docs/rbac/{}.yaml does not have {right:?}", row.role);
            let rest = all.iter().filter(|it| !is(it, *right)).cloned();
            objects.extend(bound(&format!("row-{number}-without-{without}"), rest));
        }
        let least = all.iter().filter(|it| row.needed.iter().chain(row.besides).any(|right| is(it, *right)));
        objects.extend(bound(&format!("row-{number}-least"), least.cloned()));
        objects.extend(bound(&format!("row-{number}-whole"), all.iter().cloned()));
    }
    namespace.apply(objects);

    let kdj = namespace.kdj().deadline(Duration::from_secs(120));
    for (number, row) in rows.iter().enumerate() {
        for (without, right) in row.needed.iter().chain(row.said).enumerate() {
            let output = by(&kdj, &format!("row-{number}-without-{without}"), row.command);
            let what = format!("{:?} of {} without {right:?}:\n{output}", row.command, row.role);
            assert!(is_named(&output, *right), "{what}");
            if row.needed.contains(right) {
                assert_ne!(output.code, Some(0), "{what}");
                let place = format!("in namespace `{}`", namespace.name());
                assert!(output.stderr.contains(&place) || output.stdout_text().contains(&place), "{what}");
            } else {
                assert_eq!(output.code, Some(0), "{what}");
            }
        }
        if !row.needed.is_empty() {
            let output = by(&kdj, &format!("row-{number}-least"), row.command);
            assert_eq!(output.code, Some(0), "{:?} with what it needs:\n{output}", row.command);
        }
        let output = by(&kdj, &format!("row-{number}-whole"), row.command);
        assert_eq!(output.code, Some(0), "{:?} by {}:\n{output}", row.command, row.role);
        let _ = output.never_says(&["may not"]);
    }
}

/// A namespace with a role `web`, in its second revision, and a Service of it.
fn with_web(cluster: &Cluster) -> Namespace<'_> {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"component": "web"}, "ports": [{"port": 80, "targetPort": 8000}]},
    });
    let web = objects::deployment("web", objects::pod([objects::sleeping("app", SHOP)]));
    let settings =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"DEBUG": "false"}});
    let namespace = Namespace::with(cluster, [settings, web, service]);
    namespace.wait_for_rollout(["deployment/web"]);
    namespace.kubectl(["set", "env", "deployment/web", "--from=configmap/settings"]);
    namespace.wait_for_rollout(["deployment/web"]);
    namespace
}

#[test]
fn who_reads_needs_what_the_roles_say() {
    let Some(cluster) = cluster() else { return };
    check(&with_web(cluster), READS);
}

#[test]
fn who_changes_needs_what_the_roles_say() {
    let Some(cluster) = cluster() else { return };
    check(&with_web(cluster), CHANGES);
}

#[test]
fn who_enters_needs_what_the_roles_say() {
    let Some(cluster) = cluster() else { return };
    let databases = Databases::with(cluster, SHOP, &[Server::Postgres], &[("default", Server::Postgres.url())]);
    check(&databases.namespace, SESSIONS);
}

#[test]
fn who_makes_jobs_needs_what_the_roles_say() {
    let Some(cluster) = cluster() else { return };
    let databases = Databases::with(cluster, SHOP, &[Server::Postgres], &[("default", Server::Postgres.url())]);
    check(&databases.namespace, JOBS);
}

#[test]
fn each_role_is_tested_and_listed() {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder()).expect("docs/rbac") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        if path.extension().is_some_and(|it| it == "yaml") && name != "kustomization" {
            assert_eq!(role(&name)["metadata"]["name"], format!("kdj-{name}"), "{}", path.display());
            files.insert(name);
        }
    }
    let rows = [READS, SESSIONS, CHANGES, JOBS].into_iter().flatten().flat_map(|row| row.role.split(' '));
    let tested: BTreeSet<String> = rows.chain(ELSEWHERE).map(str::to_owned).collect();
    assert_eq!(files, tested);

    let page = fs::read_to_string(folder().join("README.md")).expect("the page");
    for name in &files {
        assert!(page.contains(&format!("[kdj-{name}]({name}.yaml)")), "docs/rbac/README.md lacks {name}");
    }
    let list = fs::read_to_string(folder().join("kustomization.yaml")).expect("the kustomization");
    let list: Value = serde_saphyr::from_str(&list).expect("YAML");
    let listed: BTreeSet<&str> =
        list["resources"].as_array().expect("files").iter().filter_map(Value::as_str).collect();
    // The one that is none of a namespace is applied by itself.
    let of_namespaces: BTreeSet<String> =
        files.iter().filter(|name| *name != "namespaces").map(|name| format!("{name}.yaml")).collect();
    assert_eq!(listed, of_namespaces.iter().map(String::as_str).collect());
}
