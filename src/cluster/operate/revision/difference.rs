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
    let (before, after) = (variables(&before), variables(&after));
    let mut of_variables = Vec::new();
    for (name, value) in &after {
        match before.get(name) {
            None => of_variables.push(TemplateChange::VariableAdded { name: name.clone() }),
            Some(known) if known != value => of_variables.push(TemplateChange::VariableChanged { name: name.clone() }),
            Some(_) => {}
        }
    }
    let gone = before.keys().filter(|name| !after.contains_key(*name));
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
    if rest(old) != rest(new) || is_reordered(old, new) {
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

/// All but what is compared by itself.
fn rest(template: &Value) -> Value {
    let mut rest = template.clone();
    if let Some(annotations) = rest["metadata"]["annotations"].as_object_mut() {
        annotations.remove(RESTARTED_AT);
    }
    if let Some(metadata) = rest["metadata"].as_object_mut() {
        metadata.retain(|_, value| !value.is_null() && value.as_object().is_none_or(|map| !map.is_empty()));
    }
    for list in ["initContainers", "containers"] {
        let Some(containers) = rest["spec"][list].as_array_mut() else { continue };
        for container in containers.iter_mut().filter_map(Value::as_object_mut) {
            container.retain(|key, _| !["image", "env", "envFrom"].contains(&key.as_str()));
        }
        // Those of the app run at once, the others one after the other.
        if list == "containers" {
            containers.sort_by_key(|container| container["name"].as_str().unwrap_or_default().to_owned());
        }
    }
    rest
}

/// Whether what both have in `envFrom` has another order: of two that say the same variable the last counts.
fn is_reordered(old: &Value, new: &Value) -> bool {
    let (before, after) = (containers(old), containers(new));
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
