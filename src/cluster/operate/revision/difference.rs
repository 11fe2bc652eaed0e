//! What is other in a template than in another one; pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::TemplateChange;

/// What `kubectl rollout restart` sets.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// What is other in `new` than in `old`, both templates as JSON.
pub(super) fn between(old: &Value, new: &Value) -> Vec<TemplateChange> {
    let mut found = Vec::new();
    let (before, after) = (containers(old), containers(new));
    for (name, container) in &after {
        let image = image(container);
        match before.get(name) {
            None => found.push(TemplateChange::Image { container: (*name).to_owned(), from: None, to: Some(image) }),
            Some(known) if self::image(known) != image => {
                let from = Some(self::image(known));
                found.push(TemplateChange::Image { container: (*name).to_owned(), from, to: Some(image) });
            }
            Some(_) => {}
        }
    }
    for (name, container) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
        let from = Some(image(container));
        found.push(TemplateChange::Image { container: (*name).to_owned(), from, to: None });
    }
    let (variables_before, variables_after) = (variables(&before), variables(&after));
    let mut of_variables = Vec::new();
    for (name, value) in &variables_after {
        match variables_before.get(name) {
            None => of_variables.push(TemplateChange::VariableAdded { name: name.clone() }),
            Some(known) if known != value => of_variables.push(TemplateChange::VariableChanged { name: name.clone() }),
            Some(_) => {}
        }
    }
    let gone = variables_before.keys().filter(|name| !variables_after.contains_key(*name));
    of_variables.extend(gone.map(|name| TemplateChange::VariableRemoved { name: name.clone() }));
    // A container in several has the same variables, as a rule.
    for change in of_variables {
        if !found.contains(&change) {
            found.push(change);
        }
    }
    if restart(old) != restart(new) {
        found.push(TemplateChange::Restarted);
    }
    for (name, new) in &after {
        if let Some(old) = before.get(name) {
            found.extend(parts(name, old, new));
        }
    }
    if old["spec"]["volumes"] != new["spec"]["volumes"] {
        found.push(TemplateChange::Volumes);
    }
    let rest = |template: &Value| rest(template, |name| before.contains_key(name) && after.contains_key(name));
    if rest(old) != rest(new) || is_reordered(&before, &after) {
        found.push(TemplateChange::Other);
    }
    found
}

fn containers(template: &Value) -> BTreeMap<&str, &Value> {
    let lists = ["initContainers", "containers"].into_iter().flat_map(|list| template["spec"][list].as_array());
    lists.flatten().filter_map(|container| Some((container["name"].as_str()?, container))).collect()
}

fn image(container: &Value) -> String {
    container["image"].as_str().unwrap_or_default().to_owned()
}

/// The variables of the containers, by name, with what says their value, wherever they stand.
fn variables<'a>(containers: &BTreeMap<&str, &'a Value>) -> BTreeMap<String, Vec<&'a Value>> {
    let mut found = BTreeMap::<String, Vec<&Value>>::new();
    for container in containers.values() {
        for variable in container["env"].as_array().into_iter().flatten() {
            found.entry(variable["name"].as_str().unwrap_or_default().to_owned()).or_default().push(variable);
        }
        for source in container["envFrom"].as_array().into_iter().flatten() {
            let prefix = source["prefix"].as_str().map(|prefix| format!(" as {prefix}*")).unwrap_or_default();
            for (kind, reference) in [("ConfigMap", "configMapRef"), ("Secret", "secretRef")] {
                if let Some(name) = source[reference]["name"].as_str() {
                    found.entry(format!("{kind} {name}{prefix}")).or_default().push(source);
                }
            }
        }
    }
    found
}

fn restart(template: &Value) -> Option<&str> {
    template["metadata"]["annotations"][RESTARTED_AT].as_str()
}

const COMMAND: [&str; 2] = ["command", "args"];
const PROBES: [&str; 3] = ["readinessProbe", "livenessProbe", "startupProbe"];

/// What is other in a container, but for its image and its variables.
fn parts(name: &str, old: &Value, new: &Value) -> Vec<TemplateChange> {
    let differs = |keys: &[&str]| keys.iter().any(|key| old[*key] != new[*key]);
    let container = name.to_owned();
    let parts = [
        (differs(&COMMAND), TemplateChange::Command { container: container.clone() }),
        (differs(&["resources"]), TemplateChange::Resources { container: container.clone() }),
        (differs(&PROBES), TemplateChange::Probes { container }),
    ];
    parts.into_iter().filter(|(differs, _)| *differs).map(|(_, part)| part).collect()
}

/// All but what is compared by itself; of the containers those that both have.
fn rest(template: &Value, in_both: impl Fn(&str) -> bool) -> Value {
    let mut rest = template.clone();
    if let Some(spec) = rest["spec"].as_object_mut() {
        spec.remove("volumes");
    }
    if let Some(annotations) = rest["metadata"]["annotations"].as_object_mut() {
        annotations.remove(RESTARTED_AT);
    }
    if let Some(metadata) = rest["metadata"].as_object_mut() {
        metadata.retain(|_, value| !value.is_null() && value.as_object().is_none_or(|map| !map.is_empty()));
    }
    for list in ["initContainers", "containers"] {
        let Some(containers) = rest["spec"][list].as_array_mut() else { continue };
        containers.retain(|container| in_both(container["name"].as_str().unwrap_or_default()));
        for container in containers.iter_mut().filter_map(Value::as_object_mut) {
            let by_itself = ["image", "env", "envFrom", "resources"].into_iter().chain(COMMAND).chain(PROBES);
            by_itself.for_each(|key| drop(container.remove(key)));
        }
        if containers.is_empty() {
            rest["spec"][list] = Value::Null;
            continue;
        }
        // Those of the app run at once, the others one after the other.
        if list == "containers" {
            containers.sort_by_key(|container| container["name"].as_str().unwrap_or_default().to_owned());
        }
    }
    rest
}

/// Whether what both have in `envFrom` has another order: of two that say the same variable the last counts.
fn is_reordered(before: &BTreeMap<&str, &Value>, after: &BTreeMap<&str, &Value>) -> bool {
    let sources = |container: &Value| container["envFrom"].as_array().cloned().unwrap_or_default();
    after.iter().any(|(name, container)| {
        let old = before.get(name).map(|container| sources(container)).unwrap_or_default();
        let new = sources(container);
        let in_both = |of: &[Value], other: &[Value]| -> Vec<Value> {
            of.iter().filter(|source| other.contains(source)).cloned().collect()
        };
        in_both(&old, &new) != in_both(&new, &old)
    })
}
