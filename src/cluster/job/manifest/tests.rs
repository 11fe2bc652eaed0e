use serde_json::{Value, json};

use super::{super::By, *};

fn template(resources: &Value) -> Template {
    let model = json!({
        "metadata": {"labels": {"team": "a"}},
        "spec": {"containers": [{
            "name": "app", "image": "shop:1", "workingDir": "/app", "command": ["gunicorn"],
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "resources": resources,
        }]},
    });
    Template::of(serde_json::from_value(model).unwrap(), "app")
}

fn new() -> NewJob {
    NewJob {
        kind: JobKind::Run,
        name: "kdj-run-x".to_owned(),
        by: By {
            environment: "qa".to_owned(),
            user: "ada@acme.dev".to_owned(),
            command: "report".to_owned(),
            ..By::default()
        },
        words: vec!["report".to_owned()],
        entrypoint: true,
        workdir: None,
        variables: BTreeMap::new(),
        variables_from: Vec::new(),
        cpu: None,
        memory: None,
        image: None,
        timeout: Duration::from_secs(90),
        start_limit: None,
        keep: Some(Duration::from_secs(600)),
        with_sidecars: false,
        bare: false,
    }
}

fn made(new: &NewJob, resources: &Value) -> Value {
    serde_json::to_value(manifest(&template(resources), new).job).unwrap()
}

#[test]
fn it_runs_once_and_does_not_stay_for_ever() {
    let job = made(&new(), &json!({}));
    let spec = &job["spec"];
    for (field, value) in [
        ("backoffLimit", json!(0)),
        ("completions", json!(1)),
        ("parallelism", json!(1)),
        ("podReplacementPolicy", json!("Failed")),
        ("ttlSecondsAfterFinished", json!(600)),
        // The pod's own deadline comes first: the Job's takes the log away.
        ("activeDeadlineSeconds", json!(90 + 1800)),
    ] {
        assert_eq!(spec[field], value, "{field}");
    }
    assert_eq!(spec["template"]["spec"]["activeDeadlineSeconds"], 90);
    assert_eq!(spec["template"]["spec"]["restartPolicy"], "Never");
    let rule = json!({"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]});
    assert_eq!(spec["podFailurePolicy"]["rules"], json!([rule]));
    let kept = made(&NewJob { keep: None, ..new() }, &json!({}));
    assert_eq!(kept["spec"]["ttlSecondsAfterFinished"], Value::Null);
}

#[test]
fn who_and_what_stand_in_labels_and_annotations() {
    let mut new = new();
    new.by.environment = "acme/shop qa".to_owned();
    new.by.instance = Some("car1-qa".to_owned());
    new.by.reason = Some("ticket 7".to_owned());
    let job = made(&new, &json!({}));
    for metadata in [&job["metadata"], &job["spec"]["template"]["metadata"]] {
        let (labels, annotations) = (&metadata["labels"], &metadata["annotations"]);
        for (label, value) in [
            ("app.kubernetes.io/managed-by", "kdj"),
            ("kdj.dev/kind", "run"),
            ("kdj.dev/environment", "acme-shop-qa"),
            ("kdj.dev/instance", "car1-qa"),
            ("kdj.dev/role", "web"),
        ] {
            assert_eq!(labels[label], value, "{label}");
        }
        for (annotation, value) in [
            ("kdj.dev/environment", "acme/shop qa"),
            ("kdj.dev/user", "ada@acme.dev"),
            ("kdj.dev/command", "report"),
            ("kdj.dev/container", "app"),
            ("kdj.dev/reason", "ticket 7"),
            ("kdj.dev/version", env!("CARGO_PKG_VERSION")),
        ] {
            assert_eq!(annotations[annotation], value, "{annotation}");
        }
    }
    assert_eq!(job["spec"]["template"]["metadata"]["labels"]["team"], "a");
    assert_eq!(job["metadata"]["labels"]["team"], Value::Null);
}

#[test]
fn labels_are_made_legal() {
    for (text, expected) in [("qa", "qa"), ("a/b c", "a-b-c"), ("-x.", "x"), ("ä", ""), ("", "")] {
        assert_eq!(label(text), expected);
    }
    let long = format!("{}-/-", "a".repeat(62));
    assert_eq!(label(&long), "a".repeat(62));
    assert_eq!(label(&"a".repeat(100)).len(), 63);
}

#[test]
fn names_differ() {
    let names: std::collections::BTreeSet<String> = (0..200).map(|_| new_name(JobKind::Run)).collect();
    assert!(names.len() == 200 && names.iter().all(|name| name.len() == "kdj-run-".len() + 6), "{names:?}");
}

#[test]
fn kubernetes_replaces_nothing_in_what_was_typed() {
    let words = ["sh", "-c", "echo $$ $(A) $$(A) $HOME ${B} $"].map(str::to_owned).to_vec();
    let variables = BTreeMap::from([("B".to_owned(), "$(A)$".to_owned())]);
    let job = made(&NewJob { words, variables, ..new() }, &json!({}));
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    let expected = ["sh", "-c", "echo $$$$ $$(A) $$$$(A) $$HOME $${B} $$"];
    assert_eq!(container["command"], json!(expected));
    // The template's own come first, so that one given here wins.
    assert_eq!(container["env"], json!([{"name": "A", "value": "1"}, {"name": "B", "value": "$$(A)$$"}]));
}

#[test]
fn what_is_asked_for_replaces_the_template_s() {
    let changed = NewJob {
        image: Some("shop:2".to_owned()),
        workdir: Some("/srv".to_owned()),
        variables_from: vec![VariablesFrom::Secret("s".to_owned()), VariablesFrom::ConfigMap("c".to_owned())],
        ..new()
    };
    let job = made(&changed, &json!({}));
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    assert_eq!([&container["image"], &container["workingDir"]], ["shop:2", "/srv"]);
    assert_eq!(container["envFrom"], json!([{"secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}]));
}

#[test]
fn resources_follow_the_template_s_shape() {
    let own = json!({"requests": {"cpu": "100m", "memory": "128Mi", "x/gpu": "1"}, "limits": {"cpu": "1", "memory": "256Mi"}});
    let resources =
        |new: &NewJob, own: &Value| made(new, own)["spec"]["template"]["spec"]["containers"][0]["resources"].clone();
    assert_eq!(resources(&new(), &own), own);
    let memory = NewJob { memory: Some("2Gi".to_owned()), ..new() };
    let cpu = NewJob { cpu: Some("4".to_owned()), ..new() };
    let expected =
        json!({"requests": {"cpu": "100m", "memory": "2Gi", "x/gpu": "1"}, "limits": {"cpu": "1", "memory": "2Gi"}});
    assert_eq!(resources(&memory, &own), expected);
    let expected =
        json!({"requests": {"cpu": "4", "memory": "128Mi", "x/gpu": "1"}, "limits": {"cpu": "4", "memory": "256Mi"}});
    assert_eq!(resources(&cpu, &own), expected);
    // Where there was no limit, CPU gets none.
    assert_eq!(resources(&cpu, &json!({}))["limits"]["cpu"], Value::Null);
}

#[test]
fn the_pod_that_is_tried_is_the_job_s() {
    let Manifest { job, pod, .. } = manifest(&template(&json!({})), &new());
    let of_job = job.spec.unwrap().template;
    assert_eq!(pod.spec, of_job.spec);
    assert_eq!(pod.metadata.labels, of_job.metadata.unwrap().labels);
    assert!(pod.metadata.name.unwrap().starts_with("kdj-run-x-"));
}
