use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    super::{super::Revision, Template},
    *,
};
use crate::environment::{DjangoSettings, SessionMode};

fn environment(instance: Option<&str>) -> Environment {
    Environment {
        name: "qa".to_owned(),
        context: "acme".to_owned(),
        namespace: "shop-qa".to_owned(),
        instance: instance.map(str::to_owned),
        protected: false,
        confirmed_by: "qa".to_owned(),
        session: SessionMode::Exec,
        django: DjangoSettings::default(),
        database: crate::environment::DatabaseSettings::default(),
        roles: BTreeMap::new(),
        resolved_by: String::new(),
    }
}

/// A workload of the role `role`, with two pods of its newest revision.
fn workload(name: &str, role: &str, command: &[&str]) -> Value {
    let labels = json!({"app.kubernetes.io/component": role, "workload": name});
    json!({
        "metadata": {"name": name, "generation": 3},
        "spec": {
            "replicas": 2, "serviceName": name, "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "app", "image": format!("{name}:1"), "command": command}]},
            },
        },
        "status": {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "currentRevision": "a", "updateRevision": "a"},
    })
}

fn web(name: &str) -> Value {
    workload(name, "web", &["gunicorn"])
}

fn chosen(
    deployments: &[Value],
    sets: &[Value],
    services: &[Value],
    role: Option<&str>,
    preference: Preference,
) -> Result<Templated> {
    let parse = |values: &[Value]| json!(values);
    let deployments: Vec<Deployment> = serde_json::from_value(parse(deployments)).unwrap();
    let sets: Vec<StatefulSet> = serde_json::from_value(parse(sets)).unwrap();
    let services: Vec<Service> = serde_json::from_value(parse(services)).unwrap();
    let wanted = Wanted { role: role.map(str::to_owned), ..Wanted::default() };
    choose(&environment(None), &wanted, preference, read(&deployments, &sets), &services)
}

#[test]
fn a_person_s_work_prefers_the_shell_and_a_release_s_web() {
    let all = [
        web("web"),
        workload("shell", "shell", &["sleep", "infinity"]),
        workload("celeryd", "celeryd", &["celery", "worker"]),
    ];
    for (preference, expected) in [(Preference::Shell, "deployment/shell"), (Preference::Web, "deployment/web")] {
        let Templated { workload, notes, .. } = chosen(&all, &[], &[], None, preference).unwrap();
        assert_eq!((workload.as_str(), notes.len()), (expected, 0));
    }
    let asked = chosen(&all, &[], &[], Some("celeryd"), Preference::Web).unwrap();
    assert_eq!([asked.workload.as_str(), asked.role.as_str()], ["deployment/celeryd", "celeryd"]);
    assert_eq!(asked.model.spec.unwrap().containers[0].image.as_deref(), Some("celeryd:1"));
    let error = chosen(&all, &[], &[], Some("nosuch"), Preference::Web).unwrap_err();
    assert!(error.message().contains("no role `nosuch`"), "{error}");
}

#[test]
fn a_rollout_in_progress_is_said_and_the_new_template_taken() {
    for (status, expected) in [
        (json!({"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2}), None),
        (json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2}), Some(2)),
        (json!({"observedGeneration": 3, "replicas": 3, "updatedReplicas": 1}), Some(1)),
    ] {
        let mut web = web("web");
        web["status"] = status.clone();
        let notes = chosen(&[web], &[], &[], None, Preference::Web).unwrap().notes;
        let expected = expected.map(|updated| {
            format!("rollout in progress: {updated} of 2 pods are of the new revision; taking the new one")
        });
        assert_eq!(notes, Vec::from_iter(expected), "{status}");
    }
    let mut set = web("web");
    set["status"] = json!({"replicas": 2, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"});
    let chosen = chosen(&[], &[set], &[], None, Preference::Web).unwrap();
    assert_eq!(chosen.workload, "statefulset/web");
    assert_eq!(chosen.notes, ["rollout in progress: 1 of 2 pods are of the new revision; taking the new one"]);
}

#[test]
fn a_workload_without_pods_has_a_template() {
    let mut web = web("web");
    web["spec"]["replicas"] = json!(0);
    web["status"] = json!({"observedGeneration": 3});
    let chosen = chosen(&[web], &[], &[], None, Preference::Shell).unwrap();
    assert_eq!((chosen.workload.as_str(), chosen.notes.len()), ("deployment/web", 0));
}

#[test]
fn of_blue_and_green_the_one_with_traffic_is_taken() {
    let both = [web("web-blue"), web("web-green")];
    let service = json!({"metadata": {"name": "web"}, "spec": {"selector": {"workload": "web-green"}}});
    let chosen_one = chosen(&both, &[], &[service], None, Preference::Web).unwrap();
    assert_eq!((chosen_one.workload.as_str(), chosen_one.notes.len()), ("deployment/web-green", 1));
    let error = chosen(&both, &[], &[], None, Preference::Web).unwrap_err();
    assert!(error.message().contains("2 workloads"), "{error}");
}

#[test]
fn another_instance_s_workloads_are_passed_over() {
    let mut other = web("web-other");
    other["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/instance"] = json!("car2-qa");
    let mut own = web("web-own");
    own["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/instance"] = json!("car1-qa");
    let deployments: Vec<Deployment> = serde_json::from_value(json!([other, own])).unwrap();
    let (environment, wanted) = (environment(Some("car1-qa")), Wanted::default());
    let chosen = choose(&environment, &wanted, Preference::Web, read(&deployments, &[]), &[]).unwrap();
    assert_eq!(chosen.workload, "deployment/web-own");
}

#[test]
fn a_revision_s_template_is_its_own() {
    let pod = |container: &str, image: &str, variable: &str| {
        json!({"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [
            {"name": container, "image": image, "env": [{"name": variable, "value": "x"}]}]}})
    };
    let present = Template::of(serde_json::from_value(pod("django", "shop:2", "DB_URL")).unwrap(), "django");
    let template = pod("app", "shop:1", "DATABASE_URL");
    let revision = Revision { number: 2, template, ..Revision::default() };
    let then = present.of_revision(&environment(None), &revision).unwrap();
    assert_eq!((then.container.as_str(), then.image.as_str()), ("app", "shop:1"));
    let spec = json!(then.model.spec);
    assert_eq!(spec["containers"][0]["env"][0]["name"], "DATABASE_URL");
    assert_eq!((then.workload.as_str(), then.role.as_str()), ("deployment/web", "web"));
}
