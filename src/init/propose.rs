//! From the places where Django was found to the environments of a `kdj.toml`.

use std::collections::{BTreeMap, BTreeSet};

use super::name::{self, Stage};
use crate::{
    cluster::{App, AppWorkload},
    config::{Config, NAME_PLACEHOLDER},
    environment::KubeContext,
};

/// What was found by way of one context.
#[derive(Clone, Debug)]
pub struct Found {
    /// The context.
    pub context: KubeContext,
    /// The apps in its cluster.
    pub apps: Vec<App>,
}

/// One entry for the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// The environment's name, or the pattern for its instances.
    pub name: String,
    /// The context.
    pub context: String,
    /// The namespace.
    pub namespace: String,
    /// The instance, or `{name}`.
    pub instance: Option<String>,
    /// What smells of production, if something does: `the context acme-prod`.
    pub production: Option<String>,
    /// What was found there.
    pub workloads: Vec<AppWorkload>,
    /// The instances that a pattern stands for now.
    pub instances: Vec<String>,
    /// Whether anything there looks like Django.
    pub django: bool,
}

/// The environments to write, in the order of their names. A namespace that several contexts lead to gets the one that
/// fits its name best.
pub fn propose(found: &[Found]) -> Vec<Proposed> {
    let mut proposed: Vec<Proposed> = Vec::new();
    for (context, app) in choose_contexts(found) {
        proposed.extend(of_app(context, app));
    }
    rename(&mut proposed, |one| one.namespace.clone());
    rename(&mut proposed, |one| name::long(&one.context, &one.namespace));
    proposed.sort_by(|a, b| (a.name.contains('*'), &a.name).cmp(&(b.name.contains('*'), &b.name)));
    proposed
}

/// Each app once, with its context.
fn choose_contexts(found: &[Found]) -> Vec<(&KubeContext, &App)> {
    let mut chosen = BTreeMap::<(&str, &str), (&KubeContext, &App)>::new();
    for found in found {
        let cluster = found.context.cluster.as_deref().unwrap_or(&found.context.name);
        for app in &found.apps {
            let this = (&found.context, app);
            let known = chosen.entry((cluster, &app.namespace)).or_insert(this);
            if fitness(this.0, &app.namespace) > fitness(known.0, &app.namespace) {
                *known = this;
            }
        }
    }
    chosen.into_values().collect()
}

/// How well a context fits a namespace of its cluster. A namespace that says nothing goes with production, which is the
/// safer mistake.
fn fitness(context: &KubeContext, namespace: &str) -> (bool, u8) {
    let fits = match (name::stage(namespace), name::stage(&context.name)) {
        (Stage::Other, Stage::Other) | (Stage::Production | Stage::Unsaid, Stage::Production) => 2,
        (_, Stage::Unsaid) => 1,
        _ => 0,
    };
    (context.namespace.as_deref() == Some(namespace), fits)
}

/// The entries of one app: one, or those of its instances.
fn of_app(context: &KubeContext, app: &App) -> Vec<Proposed> {
    let one = Proposed {
        name: name::environment(&context.name, &app.namespace),
        context: context.name.clone(),
        namespace: app.namespace.clone(),
        instance: None,
        production: production(&context.name, &app.namespace, None),
        workloads: app.workloads.clone(),
        instances: Vec::new(),
        django: app.django,
    };
    let instances = instances(app);
    let production = |said: &str| production(&context.name, &app.namespace, Some(said));
    match (instances.len(), pattern(&instances)) {
        (0, _) => vec![one],
        (_, Some(pattern)) => {
            let production = production(&pattern);
            let instance = Some(NAME_PLACEHOLDER.to_owned());
            vec![Proposed { name: pattern, instance, production, instances, ..one }]
        }
        (_, None) => {
            let of_instance = |name: &String| {
                let own = |workload: &&AppWorkload| workload.instance.as_ref() == Some(name);
                let workloads = one.workloads.iter().filter(own).cloned().collect();
                let (instance, production) = (Some(name.clone()), production(name));
                Proposed { name: name.clone(), instance, production, workloads, ..one.clone() }
            };
            instances.iter().map(of_instance).collect()
        }
    }
}

/// The instances of one app: several, all of its workloads have one, and they have roles in common. Several apps in one
/// namespace have none.
fn instances(app: &App) -> Vec<String> {
    let mut roles = BTreeMap::<&String, BTreeSet<&str>>::new();
    for workload in &app.workloads {
        let Some(instance) = &workload.instance else { return Vec::new() };
        roles.entry(instance).or_default().insert(&workload.role);
    }
    let shared = |role: &&str| roles.values().all(|roles| roles.contains(role));
    let alike = roles.values().next().is_some_and(|first| first.iter().any(shared));
    if roles.len() < 2 || !alike { Vec::new() } else { roles.into_keys().cloned().collect() }
}

/// `*-qa` for `car1-qa` and `car2-qa`, `car-*` for `car-1` and `car-2`.
fn pattern(names: &[String]) -> Option<String> {
    let (first, rest) = names.split_first()?;
    let behind = first.match_indices('-').map(|(at, _)| &first[at..]);
    let before = first.match_indices('-').rev().map(|(at, _)| &first[..=at]);
    let all = |fits: &dyn Fn(&String) -> bool| rest.iter().all(fits);
    let suffix = behind.into_iter().find(|end| all(&|name| name.ends_with(end) && name.len() > end.len()));
    let prefix = before.into_iter().find(|start| all(&|name| name.starts_with(start) && name.len() > start.len()));
    suffix.map(|end| format!("*{end}")).or_else(|| prefix.map(|start| format!("{start}*")))
}

/// What smells of production: the instance's name, else the namespace, else the context; the first that says a stage.
fn production(context: &str, namespace: &str, instance: Option<&str>) -> Option<String> {
    let said = [("name", instance), ("namespace", Some(namespace)), ("context", Some(context))];
    let said = said.into_iter().filter_map(|(what, name)| Some((what, name?)));
    let mut telling = said.map(|(what, name)| (what, name::stage(name))).filter(|(_, stage)| *stage != Stage::Unsaid);
    telling.next().filter(|(_, stage)| *stage == Stage::Production).map(|(what, _)| format!("its {what}"))
}

/// Gives those that share a name another one.
fn rename(proposed: &mut [Proposed], other: impl Fn(&Proposed) -> String) {
    let mut count = BTreeMap::<String, usize>::new();
    for one in proposed.iter() {
        *count.entry(one.name.clone()).or_default() += 1;
    }
    for one in proposed.iter_mut().filter(|one| count.get(&one.name).is_some_and(|count| *count > 1)) {
        // Two patterns of one text would be one entry; the namespace cannot be told by the name then.
        one.name = if one.name.contains('*') { format!("{}-*", other(one)) } else { other(one) };
    }
}

impl Proposed {
    /// Whether the configuration has it, by its name or by its place.
    pub fn is_in(&self, config: &Config, contexts: &[KubeContext]) -> bool {
        let cluster = |name: &str| {
            let context = contexts.iter().find(|context| context.name == name);
            context.and_then(|context| context.cluster.clone()).unwrap_or_else(|| name.to_owned())
        };
        let own = cluster(&self.context);
        config.environments.iter().any(|(name, entry)| {
            let context = entry.context.as_ref().map(|context| cluster(&context.value));
            let namespace = entry.namespace.as_ref().map_or("default", |namespace| &namespace.value);
            let instance = entry.instance.as_ref().map(|instance| &instance.value);
            let same_instance = match (&self.instance, instance) {
                (Some(own), Some(theirs)) => own == theirs || theirs.contains(NAME_PLACEHOLDER),
                (None, Some(_)) => false,
                (_, None) => true,
            };
            *name == self.name
                || context.as_ref() == Some(&own) && is_filled(namespace, &self.namespace) && same_instance
        })
    }
}

/// Whether the template can be this value.
fn is_filled(template: &str, value: &str) -> bool {
    match template.split_once(NAME_PLACEHOLDER) {
        None => template == value,
        Some((before, after)) => value.strip_prefix(before).is_some_and(|rest| rest.ends_with(after)),
    }
}

#[cfg(test)]
mod tests;
