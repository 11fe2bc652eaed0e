//! From the places where Django was found to the environments of a `kdj.toml`.

use std::collections::{BTreeMap, BTreeSet};

use super::name::{self, Stage};
use crate::{
    cluster::{App, AppWorkload, IsDjango},
    config::{Config, NAME_PLACEHOLDER},
    environment::{KubeContext, pattern, production::sounds_like_production},
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
    /// Why it is protected, if something smells of production: `its context says production: …`.
    pub production: Option<String>,
    /// What was found there.
    pub workloads: Vec<AppWorkload>,
    /// The instances that a pattern stands for now.
    pub instances: Vec<String>,
    /// Whether it is Django.
    pub django: IsDjango,
}

/// The environments to write, in the order of their names; no two have one name. A namespace that several contexts lead to
/// gets the one that fits its name best.
pub fn propose(found: &[Found]) -> Vec<Proposed> {
    let chosen = choose_contexts(found).into_iter().filter(|(_, app)| is_wanted(app, found));
    let mut proposed = take_apart(chosen.flat_map(|(context, app)| of_app(context, app)).collect());
    // From the shortest to the longest: what tells those apart that share a name.
    rename(&mut proposed, |one| name::environment(&one.context, &one.namespace));
    rename(&mut proposed, |one| one.namespace.clone());
    rename(&mut proposed, |one| name::long(&one.context, &one.namespace));
    proposed = take_apart(proposed);
    proposed.sort_by(|a, b| (a.name.contains('*'), &a.name).cmp(&(b.name.contains('*'), &b.name)));
    number(&mut proposed);
    proposed
}

/// A namespace that is Django only perhaps, and for which there is no entry therefore, with its context.
pub fn find_left_out(found: &[Found]) -> Option<(&KubeContext, &App)> {
    let left_out = |app: &App| app.django == IsDjango::Maybe && !is_wanted(app, found);
    choose_contexts(found).into_iter().find(|(_, app)| left_out(app))
}

/// Whether an app is surely enough Django: as surely as anything that was found, or called as one that surely is. Cluster
/// and cluster may be told different things about one app.
fn is_wanted(app: &App, found: &[Found]) -> bool {
    let all = || found.iter().flat_map(|found| &found.apps);
    let namesake = |other: &App| other.django == IsDjango::Yes && other.namespace == app.namespace;
    all().all(|other| other.django <= app.django) || app.django == IsDjango::Maybe && all().any(namesake)
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

/// The entries of one app: one, or those of its instances. One pattern is never for instances of several stages.
fn of_app(context: &KubeContext, app: &App) -> Vec<Proposed> {
    let labels: Vec<String> = app.workloads.iter().filter_map(|workload| workload.instance.clone()).collect();
    let one = Proposed {
        name: name::environment(&context.name, &app.namespace),
        context: context.name.clone(),
        namespace: app.namespace.clone(),
        instance: None,
        production: production(&context.name, &app.namespace, &labels),
        workloads: app.workloads.clone(),
        instances: Vec::new(),
        django: app.django,
    };
    let mut stages = BTreeMap::<Option<String>, Vec<String>>::new();
    for instance in instances(app) {
        stages.entry(name::word(&instance)).or_default().push(instance);
    }
    if stages.is_empty() {
        return vec![one];
    }
    stages.into_iter().flat_map(|(stage, instances)| of_stage(&one, stage.as_deref(), instances)).collect()
}

/// One entry for all instances of a stage, or one for each.
fn of_stage(app: &Proposed, stage: Option<&str>, instances: Vec<String>) -> Vec<Proposed> {
    let own = |workload: &&AppWorkload| workload.instance.as_ref().is_some_and(|name| instances.contains(name));
    let all = Proposed {
        name: String::new(),
        instance: Some(NAME_PLACEHOLDER.to_owned()),
        production: production(&app.context, &app.namespace, &instances),
        workloads: app.workloads.iter().filter(own).cloned().collect(),
        instances: instances.clone(),
        ..app.clone()
    };
    // A pattern that does not say the stage would be for those of other stages too, when there are some.
    match pattern_of(&instances).filter(|pattern| name::word(pattern).as_deref() == stage) {
        Some(pattern) => vec![Proposed { name: pattern, ..all }],
        None => all.apart(),
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

/// `*-qa` for `car1-qa` and `car2-qa`, `car-*` for `car-1` and `car-2`; none for one alone.
fn pattern_of(names: &[String]) -> Option<String> {
    let (first, rest) = names.split_first().filter(|(_, rest)| !rest.is_empty())?;
    let behind = first.match_indices('-').map(|(at, _)| &first[at..]);
    let before = first.match_indices('-').rev().map(|(at, _)| &first[..=at]);
    let all = |fits: &dyn Fn(&String) -> bool| rest.iter().all(fits);
    let suffix = behind.into_iter().find(|end| all(&|name| name.ends_with(end) && name.len() > end.len()));
    let prefix = before.into_iter().find(|start| all(&|name| name.starts_with(start) && name.len() > start.len()));
    suffix.map(|end| format!("*{end}")).or_else(|| prefix.map(|start| format!("{start}*")))
}

/// Why it is protected, if an instance, the namespace or the context smells of production. One of them is enough,
/// whatever the others say: that is the safer mistake. Where the context alone says so against the others, that is told.
fn production(context: &str, namespace: &str, instances: &[String]) -> Option<String> {
    let names = instances.iter().map(|name| ("instance", name.as_str())).chain([("namespace", namespace)]);
    if let Some((what, _)) = names.clone().find(|(_, name)| sounds_like_production(name)) {
        return Some(format!("its {what} says production: changes ask for the name"));
    }
    let mut others = names.filter_map(|(what, name)| Some((what, name::word(name)?)));
    sounds_like_production(context).then(|| match others.next() {
        Some((what, word)) => {
            format!("its context says production, its {what} {word}: delete this line if that is right")
        }
        None => "its context says production: changes ask for the name".to_owned(),
    })
}

/// A pattern some of whose instances another entry would be taken for becomes an entry for each of them: names are what
/// patterns know their instances by.
fn take_apart(proposed: Vec<Proposed>) -> Vec<Proposed> {
    let length = |one: &Proposed| pattern::literal_length(&one.name);
    let takes = |other: &Proposed, one: &Proposed, name: &String| {
        other.name == *name
            || other.name.contains('*') && pattern::matches(&other.name, name) && length(other) >= length(one)
    };
    let is_taken = |at: usize, one: &Proposed| {
        let mut others = proposed.iter().enumerate().filter(|(other, _)| *other != at);
        others.any(|(_, other)| one.instances.iter().any(|name| takes(other, one, name)))
    };
    let parts = |(at, one): (usize, &Proposed)| if is_taken(at, one) { one.apart() } else { vec![one.clone()] };
    proposed.iter().enumerate().flat_map(parts).collect()
}

/// Gives those that share a name one that says the place too.
fn rename(proposed: &mut [Proposed], place: impl Fn(&Proposed) -> String) {
    let mut count = BTreeMap::<String, usize>::new();
    for one in proposed.iter() {
        *count.entry(one.name.clone()).or_default() += 1;
    }
    for one in proposed.iter_mut().filter(|one| count.get(&one.name).is_some_and(|count| *count > 1)) {
        one.name = match &one.instance {
            Some(instance) => format!("{instance}-{}", place(one)),
            None => place(one),
        };
    }
}

/// Numbers those that still share a name: clusters may differ in nothing that a name shows.
fn number(proposed: &mut [Proposed]) {
    let mut taken: BTreeSet<String> = proposed.iter().map(|one| one.name.clone()).collect();
    let mut seen = BTreeSet::new();
    for one in proposed {
        if seen.insert(one.name.clone()) {
            continue;
        }
        let mut numbered = (2..).map(|number| format!("{}-{number}", one.name));
        if let Some(name) = numbered.find(|name| taken.insert(name.clone())) {
            one.name = name;
        }
    }
}

impl Proposed {
    /// An entry for each of its instances.
    fn apart(&self) -> Vec<Self> {
        let of_instance = |name: &String| {
            let own = |workload: &&AppWorkload| workload.instance.as_ref() == Some(name);
            Self {
                name: name.clone(),
                instance: Some(name.clone()),
                production: production(&self.context, &self.namespace, std::slice::from_ref(name)),
                workloads: self.workloads.iter().filter(own).cloned().collect(),
                instances: Vec::new(),
                ..self.clone()
            }
        };
        self.instances.iter().map(of_instance).collect()
    }

    /// Whether the configuration has it, by its name or by its place.
    pub fn is_in(&self, config: &Config, contexts: &[KubeContext]) -> bool {
        let cluster = |name: &str| {
            let context = contexts.iter().find(|context| context.name == name);
            context.and_then(|context| context.cluster.clone()).unwrap_or_else(|| name.to_owned())
        };
        let own = cluster(&self.context);
        config.environments.iter().any(|(name, entry)| {
            let known = contexts.iter().find(|known| entry.context.as_ref().is_some_and(|own| own.value == known.name));
            let context = entry.context.as_ref().map(|context| cluster(&context.value));
            let of_context = known.map_or("default", KubeContext::namespace_or_default);
            let namespace = entry.namespace.as_ref().map_or(of_context, |namespace| &namespace.value);
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
