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
/// Who has none of these sees nothing of an app.
const SIGHT: [Right; 3] = [
    Right { verb: "list", resource: "pods" },
    Right { verb: "list", resource: "deployments" },
    Right { verb: "list", resource: "statefulsets" },
];

pub(super) async fn check(home: Rc<Home>) -> Result<Outcome> {
    let allowed = home.cluster()?.rights(&home.environment.namespace, &rights::all()).await?;
    // Where nobody says which version it is, what newer ones want is asked for.
    let minor = home.context.server.known()?.release.as_ref().map_or(CREATE_TOO, |release| release.minor);
    Ok(judge(&allowed, minor, &home.environment))
}

/// kdj's commands, by what is known of their rights.
#[derive(Default)]
struct Commands {
    /// Those that have all they need.
    able: Vec<&'static Capability>,
    /// Those that lack rights, and which.
    unable: Vec<(&'static Capability, Vec<Right>)>,
    /// Those that are not known to lack any, of which some are not known.
    unsure: Vec<&'static Capability>,
}

impl Commands {
    fn new(allowed: &Allowed, minor: u32) -> Self {
        let mut commands = Self::default();
        for capability in CAPABILITIES {
            let now = capability.needed.iter().copied().filter(|right| !is_for_later(*right, minor));
            let lacks = |right: &Right| allowed.has(*right) == Some(false);
            let missing: Vec<Right> = now.clone().filter(lacks).collect();
            if !missing.is_empty() {
                commands.unable.push((capability, missing));
            } else if now.clone().any(|right| allowed.has(right).is_none()) {
                commands.unsure.push(capability);
            } else {
                commands.able.push(capability);
            }
        }
        commands
    }

    /// The rights that are lacking, of all commands, each once.
    fn missing(&self) -> Vec<Right> {
        let mut all: Vec<Right> = Vec::new();
        for right in self.unable.iter().flat_map(|(_, missing)| missing) {
            if !all.contains(right) {
                all.push(*right);
            }
        }
        all
    }

    /// `you can shell; you cannot migrate; not known: forward`.
    fn line(&self, allowed: &Allowed) -> String {
        let names = |list: &[&Capability]| list.iter().map(|one| one.name).collect::<Vec<_>>().join(", ");
        let says_something = self.able.iter().any(|one| !one.needed.is_empty());
        let mut parts = match (says_something, self.unable.is_empty()) {
            (true, _) => vec![format!("you can {}", names(&self.able))],
            (false, false) if self.unsure.is_empty() => vec!["you can nothing".to_owned()],
            (false, false) => Vec::new(),
            (false, true) => vec!["no command is known to lack a right".to_owned()],
        };
        if !self.unable.is_empty() {
            let unable: Vec<&Capability> = self.unable.iter().map(|(capability, _)| *capability).collect();
            parts.push(format!("you cannot {}", names(&unable)));
        }
        if !self.unsure.is_empty() {
            let unsure = self.unsure.iter().map(|capability| {
                let limited: Vec<String> = capability
                    .needed
                    .iter()
                    .filter(|right| allowed.is_limited(**right))
                    .map(|right| format!("{right} for some names only"))
                    .collect();
                if limited.is_empty() {
                    capability.name.to_owned()
                } else {
                    format!("{} ({})", capability.name, limited.join(", "))
                }
            });
            parts.push(format!("not known: {}", unsure.collect::<Vec<_>>().join(", ")));
        }
        parts.join("; ")
    }
}

/// Which commands work, and which rights the others lack.
fn judge(allowed: &Allowed, minor: u32, environment: &Environment) -> Outcome {
    let commands = Commands::new(allowed, minor);
    if commands.unable.is_empty() && commands.unsure.is_empty() {
        return able_to_do_all(allowed, minor, environment);
    }
    // Who may look and not enter is usual, in production above all.
    let sees_nothing = SIGHT.iter().all(|right| allowed.has(*right) == Some(false));
    if sees_nothing && commands.able.iter().all(|one| one.needed.is_empty()) && commands.unsure.is_empty() {
        return able_to_do_nothing(&commands, environment);
    }
    let text = commands.line(allowed);
    if commands.unable.is_empty() {
        return Outcome::pass(text);
    }
    let outcome = if sees_nothing { Outcome::fail(text) } else { Outcome::warn(text) };
    let outcome = commands.unable.iter().fold(outcome, |outcome, (capability, missing)| {
        outcome.caused_by(format!("{}: {}", capability.name, are_missing(missing)))
    });
    outcome.fix(role(environment, &commands.missing()))
}

/// The user is nobody here: that is one thing to say, and not one for each command.
fn able_to_do_nothing(commands: &Commands, environment: &Environment) -> Outcome {
    let text = "you can nothing: each of kdj's commands lacks a right here";
    let missing = commands.missing();
    Outcome::fail(text).caused_by(are_missing(&missing)).fix(role(environment, &missing))
}

/// `list pods, get pods/exec are missing`.
fn are_missing(rights: &[Right]) -> String {
    let verb = if rights.len() == 1 { "is" } else { "are" };
    format!("{} {verb} missing", rights.iter().map(Right::to_string).collect::<Vec<_>>().join(", "))
}

/// What to ask for.
fn role(environment: &Environment, rights: &[Right]) -> String {
    format!("ask whoever runs the cluster for a Role in `{}` with {}", environment.namespace, rules(rights))
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
            .fix(role(environment, &later));
    }
    let helpful = CAPABILITIES.iter().flat_map(|capability| capability.helpful);
    let mut lesser: Vec<String> =
        helpful.filter(|right| allowed.has(**right) == Some(false)).map(Right::to_string).collect();
    lesser.sort();
    lesser.dedup();
    let text = match (allowed.everything, lesser.as_slice()) {
        (true, _) => "all of kdj's commands: you may do everything here".to_owned(),
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
        let (granted, denied): (Vec<Right>, Vec<Right>) = rights::all().into_iter().partition(has);
        Allowed::of(&granted, &denied, &[])
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
    fn who_sees_nothing_has_a_failure() {
        let outcome = judge(&Allowed::of(&[], &rights::all(), &[]), 34, &environment());
        assert_eq!(outcome.status, Status::Fail);
        assert!(outcome.text.starts_with("you can nothing: ") && outcome.causes.len() == 1, "{outcome:?}");
        assert!(outcome.causes[0].starts_with("list pods, get pods/exec, "), "{outcome:?}");
        let exec = r#"{apiGroups: [""], resources: ["pods/exec"], verbs: ["get", "create"]}"#;
        assert!(outcome.fixes[0].contains(exec), "{:?}", outcome.fixes);
    }

    #[test]
    fn who_may_look_and_not_enter_has_no_failure() {
        let outcome = judge(&all_but(&[("get", "pods/exec"), ("create", "pods/exec")]), 35, &environment());
        assert_eq!(outcome.status, Status::Warn);
        assert!(outcome.text.starts_with("you can logs, status, "), "{}", outcome.text);
        assert!(outcome.text.contains("; you cannot shell, pyshell, manage, "), "{}", outcome.text);
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
        assert!(outcome.text.contains("; you cannot shell"), "{}", outcome.text);
        assert!(outcome.causes[0].starts_with("shell, pyshell, manage: create pods/exec is missing"));
    }

    #[test]
    fn rights_that_only_help_are_named() {
        let outcome = judge(&all_but(&[("get", "namespaces")]), 34, &environment());
        assert_eq!(
            (outcome.status, outcome.text.as_str()),
            (Status::Pass, "all of kdj's commands; without get namespaces some say less")
        );
        let outcome = judge(&all_but(&[]), 34, &environment());
        assert_eq!((outcome.status, outcome.text.as_str()), (Status::Pass, "all of kdj's commands"));
    }

    #[test]
    fn what_was_not_asked_is_neither_had_nor_missing() {
        let outcome = judge(&Allowed::default(), 34, &environment());
        assert_eq!(outcome.status, Status::Pass);
        assert!(outcome.text.starts_with("no command is known to lack a right; not known: shell"), "{}", outcome.text);

        // The first are asked for one by one, and one of them is refused.
        let (asked, denied) = (rights::all(), [Right { verb: "create", resource: "jobs" }]);
        let outcome = judge(&Allowed::of(&asked[..5], &denied, &[]), 34, &environment());
        assert_eq!(outcome.status, Status::Warn);
        let parts: Vec<&str> = outcome.text.split("; ").collect();
        let [can, cannot, unsure] = parts[..] else { panic!("{}", outcome.text) };
        assert!(can.starts_with("you can shell, pyshell, manage, logs, status, "), "{can}");
        assert_eq!(cannot, "you cannot run, migrate, --fresh, sessions, gc");
        assert!(unsure.starts_with("not known: "), "{unsure}");
        for command in ["forward", "scale", "restart", "releases", "rollback", "config"] {
            assert!(unsure.contains(command) && !can.contains(command), "{command}: {}", outcome.text);
        }
    }

    #[test]
    fn a_right_for_some_names_may_do() {
        let maps = Right { verb: "get", resource: "configmaps" };
        let granted: Vec<Right> = rights::all().into_iter().filter(|right| *right != maps).collect();
        let outcome = judge(&Allowed::of(&granted, &[], &[maps]), 34, &environment());
        assert_eq!(outcome.status, Status::Pass);
        assert!(outcome.text.ends_with("; not known: config (get configmaps for some names only)"), "{}", outcome.text);
    }
}
