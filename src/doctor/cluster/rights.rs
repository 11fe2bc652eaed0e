//! What the user may do, command by command: "you can shell, you cannot migrate: create jobs.batch is missing".

use std::{collections::BTreeMap, rc::Rc};

use super::Home;
use crate::{
    cluster::Allowed,
    doctor::Outcome,
    environment::Environment,
    error::Result,
    rights::{self, CAPABILITIES, Capability, Right},
};

/// From this minor version on an exec and a port-forward over WebSocket need `create`, too.
const CREATE_TOO: u32 = 35;
/// What nobody does without.
const VITAL: [&str; 2] = ["shell, pyshell, manage", "status"];

pub(super) async fn check(home: Rc<Home>) -> Result<Outcome> {
    let allowed = home.cluster()?.rights(&home.environment.namespace, &rights::all()).await?;
    let minor = home.context.server.known()?.minor;
    Ok(judge(&allowed, minor, &home.environment))
}

/// Which commands work, and which rights the others lack.
fn judge(allowed: &Allowed, minor: u32, environment: &Environment) -> Outcome {
    let lacks = |right: &Right| allowed.has(*right) == Some(false) && !is_for_later(*right, minor);
    let missing = |capability: &Capability| -> Vec<Right> {
        capability.needed.iter().copied().filter(|right| lacks(right)).collect()
    };
    let (able, unable): (Vec<&Capability>, Vec<&Capability>) =
        CAPABILITIES.iter().partition(|capability| missing(capability).is_empty());
    let names = |list: &[&Capability]| list.iter().map(|one| one.name).collect::<Vec<_>>().join(", ");
    if unable.is_empty() {
        return able_to_do_all(allowed, minor, environment);
    }
    let can = if able.iter().all(|one| one.needed.is_empty()) { "nothing".to_owned() } else { names(&able) };
    let text = format!("you can {can}; you cannot {}", names(&unable));
    let is_vital = unable.iter().any(|capability| VITAL.contains(&capability.name));
    let outcome = if is_vital { Outcome::fail(text) } else { Outcome::warn(text) };
    let outcome = unable.iter().fold(outcome, |outcome, capability| {
        let rights: Vec<String> = missing(capability).iter().map(Right::to_string).collect();
        let verb = if rights.len() == 1 { "is" } else { "are" };
        outcome.caused_by(format!("{}: {} {verb} missing", capability.name, rights.join(", ")))
    });
    let rights: Vec<Right> = unable.iter().flat_map(|capability| missing(capability)).collect();
    outcome.fix(format!(
        "ask whoever runs the cluster for a Role in `{}` with {}",
        environment.namespace,
        rules(&rights)
    ))
}

/// A right that only newer servers want.
fn is_for_later(right: Right, minor: u32) -> bool {
    is_stream(right) && right.verb == "create" && minor < CREATE_TOO
}

fn is_stream(right: Right) -> bool {
    matches!(right.resource, "pods/exec" | "pods/portforward")
}

/// Everything kdj needs is there; perhaps not everything that helps it.
fn able_to_do_all(allowed: &Allowed, minor: u32, environment: &Environment) -> Outcome {
    let needed = CAPABILITIES.iter().flat_map(|capability| capability.needed);
    let later: Vec<Right> =
        needed.copied().filter(|right| is_for_later(*right, minor) && allowed.has(*right) == Some(false)).collect();
    if let Some(right) = later.first() {
        return Outcome::warn(format!("all of kdj's commands, until the cluster is upgraded to 1.{CREATE_TOO}"))
            .caused_by(format!("from then on {right} is needed, and missing"))
            .fix(format!(
                "ask whoever runs the cluster for a Role in `{}` with {}",
                environment.namespace,
                rules(&later)
            ));
    }
    let helpful = CAPABILITIES.iter().flat_map(|capability| capability.helpful);
    let mut lesser: Vec<String> =
        helpful.filter(|right| allowed.has(**right) == Some(false)).map(Right::to_string).collect();
    lesser.sort();
    lesser.dedup();
    let unknown = CAPABILITIES.iter().flat_map(|capability| capability.needed);
    let unknown = unknown.filter(|right| allowed.has(**right).is_none()).count();
    let text = match (allowed.everything, lesser.as_slice()) {
        (true, _) => "all of kdj's commands: you may do everything here".to_owned(),
        _ if unknown > 0 => {
            format!(
                "no command is known to lack a right; this cluster does not list them, and {unknown} were not asked for"
            )
        }
        (false, []) => "all of kdj's commands".to_owned(),
        (false, lesser) => format!("all of kdj's commands; without {} some say less", lesser.join(", ")),
    };
    Outcome::pass(text)
}

/// The rules of a Role, one per resource.
fn rules(rights: &[Right]) -> String {
    let mut by_resource: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for right in rights {
        let verbs = by_resource.entry((right.group(), right.resource)).or_default();
        // Of an exec both are worth asking for at once.
        let wanted = if is_stream(*right) { &["get", "create"][..] } else { &[right.verb] };
        verbs.extend(wanted.iter().filter(|verb| !verbs.contains(verb)).collect::<Vec<_>>());
    }
    let quoted = |words: &[&str]| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let rule = |((group, resource), verbs): ((&str, &str), Vec<&str>)| {
        format!("{{apiGroups: [\"{group}\"], resources: [\"{resource}\"], verbs: [{}]}}", quoted(&verbs))
    };
    by_resource.into_iter().map(rule).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    fn environment() -> Environment {
        crate::environment::resolve(
            "acme/shop",
            &crate::config::Config::built_in(),
            &[crate::environment::KubeContext { name: "acme".to_owned(), namespace: None, cluster: None }],
            &crate::environment::Overrides::default(),
        )
        .unwrap()
    }

    fn all_but(missing: &[(&str, &str)]) -> Allowed {
        let has = |right: &Right| !missing.contains(&(right.verb, right.resource));
        Allowed::of(rights::all().into_iter().filter(has), [])
    }

    #[test]
    fn it_says_what_can_be_done_and_what_cannot() {
        let outcome = judge(&all_but(&[("create", "jobs")]), 34, &environment());
        assert_eq!(outcome.status, Status::Warn);
        assert!(outcome.text.starts_with("you can shell, pyshell, manage, logs, status, "), "{}", outcome.text);
        assert!(outcome.text.ends_with("; you cannot run, migrate, --fresh, sessions, gc"), "{}", outcome.text);
        assert!(outcome.causes.contains(&"migrate: create jobs.batch is missing".to_owned()), "{:?}", outcome.causes);
        let fix = r#"ask whoever runs the cluster for a Role in `shop` with {apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]}"#;
        assert_eq!(outcome.fixes, [fix]);
    }

    #[test]
    fn who_cannot_even_shell_has_a_failure() {
        let outcome = judge(&Allowed::default(), 34, &environment());
        assert_eq!(outcome.status, Status::Fail);
        assert!(outcome.text.starts_with("you can nothing; you cannot shell"), "{}", outcome.text);
        let exec = r#"{apiGroups: [""], resources: ["pods/exec"], verbs: ["get", "create"]}"#;
        assert!(outcome.fixes[0].contains(exec), "{:?}", outcome.fixes);
    }

    #[test]
    fn what_the_next_version_needs_is_a_warning() {
        let without = all_but(&[("create", "pods/exec")]);
        let outcome = judge(&without, 34, &environment());
        assert_eq!(
            (outcome.status, outcome.causes[0].as_str()),
            (Status::Warn, "from then on create pods/exec is needed, and missing")
        );
        let outcome = judge(&without, 35, &environment());
        assert_eq!(outcome.status, Status::Fail);
        assert!(outcome.causes[0].starts_with("shell, pyshell, manage: create pods/exec is missing"));
    }

    #[test]
    fn rights_that_only_help_are_named() {
        let outcome = judge(&all_but(&[("get", "namespaces")]), 34, &environment());
        assert_eq!(
            (outcome.status, outcome.text.as_str()),
            (Status::Pass, "all of kdj's commands; without get namespaces some say less")
        );
        let outcome = judge(&Allowed::of(rights::all(), []), 34, &environment());
        assert_eq!((outcome.status, outcome.text.as_str()), (Status::Pass, "all of kdj's commands"));
    }

    #[test]
    fn what_was_not_asked_is_not_called_missing() {
        let outcome = judge(&Allowed::of([], rights::all()), 34, &environment());
        assert_eq!(outcome.status, Status::Pass);
        assert!(outcome.text.starts_with("no command is known to lack a right"), "{}", outcome.text);
    }
}
