//! Revisions and their differences.

use serde_json::json;

use super::*;

fn template(image: &str, env: Value, rest: Value) -> Value {
    let mut template = json!({"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [
        {"name": "django", "image": image, "env": env, "envFrom": [{"secretRef": {"name": "app"}}]}]}});
    if let (Some(spec), Some(rest)) = (template["spec"].as_object_mut(), rest.as_object()) {
        spec.extend(rest.clone());
    }
    template
}

fn told(old: &Value, new: &Value) -> Vec<String> {
    difference::between(old, new).iter().map(ToString::to_string).collect()
}

#[test]
fn images_and_names_of_variables_are_told_and_no_values() {
    let old = template("shop:1", json!([{"name": "A", "value": "1"}, {"name": "B", "value": "hunter2"}]), json!({}));
    let new = template("shop:2", json!([{"name": "B", "value": "hunter3"}, {"name": "C", "value": "1"}]), json!({}));
    assert_eq!(told(&old, &new), ["image shop:1 -> shop:2", "~B", "+C", "-A"]);
    assert_eq!(told(&old, &old), [""; 0]);

    let mut more = old.clone();
    more["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "proxy", "image": "nginx:1"}));
    more["spec"]["containers"][0]["envFrom"] = json!([{"configMapRef": {"name": "app"}, "prefix": "X_"}]);
    assert_eq!(told(&old, &more), ["+container proxy", "+ConfigMap app as X_*", "-Secret app"]);
    assert_eq!(told(&more, &old)[0], "-container proxy");
    let before = template("shop:1", json!([]), json!({"initContainers": [{"name": "wait", "image": "w:1"}]}));
    assert_eq!(told(&before, &template("shop:1", json!([]), json!({}))), ["-container wait"]);
}

#[test]
fn parts_of_a_container_are_named() {
    let old = template("shop:1", json!([]), json!({}));
    let changed = |key: &str, value: Value| {
        let mut new = old.clone();
        new["spec"]["containers"][0][key] = value;
        told(&old, &new)
    };
    assert_eq!(changed("args", json!(["--debug"])), ["command of `django`"]);
    assert_eq!(changed("resources", json!({"limits": {"memory": "1Gi"}})), ["resources of `django`"]);
    assert_eq!(changed("startupProbe", json!({"exec": {"command": ["true"]}})), ["probes of `django`"]);
    assert_eq!(changed("workingDir", json!("/app")), ["other parts of the template"]);
    assert_eq!(told(&old, &template("shop:1", json!([]), json!({"volumes": [{"name": "tmp"}]}))), ["volumes"]);
}

#[test]
fn an_order_that_counts_is_a_difference() {
    let map = |name: &str| json!({"configMapRef": {"name": name}});
    let mut old = template("shop:1", json!([]), json!({"initContainers": [{"name": "a"}, {"name": "b"}]}));
    old["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "proxy", "image": "nginx:1"}));
    old["spec"]["containers"][0]["envFrom"] = json!([map("app"), map("site")]);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut new = old.clone();
        change(&mut new);
        told(&old, &new)
    };
    let reversed = changed(&|new| new["spec"]["containers"][0]["envFrom"] = json!([map("site"), map("app")]));
    assert_eq!(reversed, ["other parts of the template"]);
    let longer = json!([map("app"), map("new"), map("site")]);
    assert_eq!(changed(&|new| new["spec"]["containers"][0]["envFrom"] = longer.clone()), ["+ConfigMap new"]);
    let reverse = |new: &mut Value, list: &str| new["spec"][list].as_array_mut().unwrap().reverse();
    assert_eq!(changed(&|new| reverse(new, "initContainers")), ["other parts of the template"]);
    assert_eq!(changed(&|new| reverse(new, "containers")), [""; 0]);
}

#[test]
fn a_restart_is_no_other_template() {
    let old = template("shop:1", json!([]), json!({}));
    let mut restarted = old.clone();
    restarted["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/restartedAt": "2026-11-21T10:00:00Z"});
    assert_eq!(told(&old, &restarted), ["restart"]);
    let other = template("shop:1", json!([]), json!({"terminationGracePeriodSeconds": 5}));
    assert_eq!(told(&restarted, &other), ["restart", "other parts of the template"]);
}
