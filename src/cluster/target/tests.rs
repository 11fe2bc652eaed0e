//! The requests and the outcome, against an API server that is a function.

use std::sync::{Arc, Mutex};

use insta::assert_snapshot;
use kube::{Client, client::Body};
use serde_json::{Value, json};

use super::{
    super::{Place, access::Credentials},
    *,
};
use crate::cluster::target::fixtures::{PodBuilder, environment, pod, with_role};

/// A cluster of these objects, by their collection (`pods`, `replicasets`, ...). It ignores label selectors.
#[derive(Default)]
struct Fake {
    objects: Vec<(&'static str, Value)>,
    forbidden: Vec<&'static str>,
}

impl Fake {
    fn pods(pods: Vec<PodBuilder>) -> Self {
        let objects = pods.into_iter().map(|pod| ("pods", serde_json::to_value(pod.build()).unwrap())).collect();
        Self { objects, forbidden: Vec::new() }
    }

    fn with(mut self, collection: &'static str, object: Value) -> Self {
        self.objects.push((collection, object));
        self
    }

    fn answer(&self, path: &str) -> (u16, Value) {
        let parts: Vec<&str> = path.split('/').collect();
        let at = parts.iter().position(|part| *part == "namespaces").unwrap() + 2;
        let of = |collection: &str| {
            let objects = self.objects.iter().filter(move |(own, _)| *own == collection);
            objects.map(|(_, object)| object.clone()).collect::<Vec<_>>()
        };
        if self.forbidden.contains(&parts[at]) {
            return (403, json!({"kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden"}));
        }
        match parts.get(at + 1) {
            None => (200, json!({"metadata": {}, "items": of(parts[at])})),
            Some(name) => match of(parts[at]).into_iter().find(|object| object["metadata"]["name"] == **name) {
                Some(object) => (200, object),
                None => (404, json!({"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound"})),
            },
        }
    }

    /// The target or the error, and the requests it took.
    fn target(self, environment: &Environment, wanted: &Wanted) -> (Result<Target>, Vec<String>) {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        let fake = Arc::new(self);
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let (status, body) = fake.answer(request.uri().path());
            let path = request.uri().path().rsplit_once("/shop-qa/").unwrap().1.to_owned();
            let query = request.uri().query().unwrap_or_default().trim_start_matches('&');
            let query = query.strip_prefix("labelSelector=").map(|text| format!("?{text}")).unwrap_or_default();
            seen.lock().unwrap().push(format!("{path}{query}"));
            let body = Body::from(serde_json::to_vec(&body).unwrap());
            async move { Ok::<_, std::convert::Infallible>(http::Response::builder().status(status).body(body).unwrap()) }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result =
            runtime.block_on(async { cluster(Client::new(service, "default")).target(environment, wanted).await });
        let requests = requests.lock().unwrap().clone();
        (result, requests)
    }
}

fn cluster(client: Client) -> Cluster {
    let place = Place {
        environment: "qa".into(),
        context: "acme".into(),
        namespace: "shop".into(),
        server: "https://acme".into(),
        credentials: Credentials::default(),
    };
    Cluster { client, place, observer: Box::new(|_| {}), identity: String::new() }
}

fn role(name: &str) -> Wanted {
    Wanted { role: Some(name.to_owned()), ..Wanted::default() }
}

fn named(name: &str) -> Wanted {
    Wanted { pod: Some(name.to_owned()), ..Wanted::default() }
}

fn web(name: &str) -> PodBuilder {
    pod(name).of_deployment("web", "1")
}

#[test]
fn the_usual_case_takes_one_request() {
    let pods = vec![web("web-b"), web("web-a").container("istio-proxy", &[]).container("django", &["gunicorn"])];
    let (target, requests) = Fake::pods(pods).target(&environment("qa", None), &Wanted::default());
    assert_eq!(requests, ["pods"]);
    assert_eq!(
        target.unwrap(),
        Target {
            namespace: "shop-qa".to_owned(),
            pod: "web-a".to_owned(),
            pod_uid: "uid-web-a".to_owned(),
            container: "django".to_owned(),
            image: "shop/django:1".to_owned(),
            image_id: "sha256:1".to_owned(),
            role: "web".to_owned(),
            kind: Kind::Web,
            workload: "deployment/web".to_owned(),
            revision: Some("1".to_owned()),
            notes: vec![],
            sidecars: vec!["istio-proxy".to_owned()],
        }
    );
}

#[test]
fn a_configured_role_lists_only_its_pods_and_takes_its_container() {
    let qa = with_role(environment("qa", Some("car1-qa")), "site", Some("component=frontend"), Some("django"));
    let web = web("web-a").label("component", "frontend").container("a", &[]).container("django", &[]);
    let (target, requests) = Fake::pods(vec![web]).target(&qa, &role("site"));
    assert_eq!(requests, ["pods?component%3Dfrontend%2Capp.kubernetes.io%2Finstance%3Dcar1-qa"]);
    let target = target.unwrap();
    assert_eq!((target.role.as_str(), target.container.as_str()), ("site", "django"));
}

#[test]
fn shell_goes_before_web_if_it_is_ready() {
    let shell = || pod("shell-1").of_deployment("shell", "1");
    let qa = environment("qa", None);
    let (target, requests) = Fake::pods(vec![web("web-a"), shell()]).target(&qa, &Wanted::default());
    assert_eq!((target.unwrap().pod.as_str(), requests.len()), ("shell-1", 1));

    let (target, requests) = Fake::pods(vec![web("web-a"), shell().crash_looping()]).target(&qa, &Wanted::default());
    let target = target.unwrap();
    assert_eq!((target.pod.as_str(), requests.len()), ("web-a", 1));
    assert_eq!(target.notes, ["no ready pod for role `shell` in `qa`, using role `web`"]);
}

fn rollout(new: PodBuilder) -> Fake {
    let set = |hash: &str, revision: &str| {
        let name = format!("web-{hash}");
        let annotations = json!({"deployment.kubernetes.io/revision": revision});
        json!({"metadata": {"name": name, "uid": format!("uid-{name}"), "annotations": annotations}})
    };
    let fake = Fake::pods(vec![web("web-old").created("2025-01-01T00:00:00Z"), new.of_deployment("web", "2")]);
    fake.with("replicasets", set("1", "4")).with("replicasets", set("2", "5"))
}

#[test]
fn in_a_rollout_the_newest_replica_set_is_asked_for_and_taken() {
    let (target, requests) = rollout(pod("web-new")).target(&environment("qa", None), &role("web"));
    assert_eq!(requests, ["pods", "replicasets?pod-template-hash+in+%281%2C2%29"]);
    let target = target.unwrap();
    assert_eq!(target.pod, "web-new");
    assert_eq!(target.notes, ["rollout in progress: 1 of 2 pods are of the new revision"]);

    let (target, _) = rollout(pod("web-new").not_ready()).target(&environment("qa", None), &role("web"));
    assert_snapshot!(target.unwrap_err().to_string(), @"no ready pod of the newest revision for role `web` in `qa`: 0 of 1 pod ready (web-new: running, not ready)");

    let mut fake = rollout(pod("web-new"));
    fake.forbidden.push("replicasets");
    assert!(fake.target(&environment("qa", None), &role("web")).0.is_err());
}

#[test]
fn a_stateful_set_s_update_revision_is_taken() {
    let of = |name: &str, hash: &str| pod(name).owned_by("StatefulSet", "web").label("controller-revision-hash", hash);
    let set = json!({"metadata": {"name": "web"}, "status": {"replicas": 2, "updateRevision": "web-2"}});
    let fake = Fake::pods(vec![of("web-0", "web-1"), of("web-1", "web-2")]).with("statefulsets", set);
    let (target, requests) = fake.target(&environment("qa", None), &Wanted::default());
    assert_eq!(requests, ["pods", "statefulsets/web"]);
    let target = target.unwrap();
    assert_eq!((target.pod.as_str(), target.workload.as_str()), ("web-1", "statefulset/web"));
}

#[test]
fn blue_or_green_is_told_by_the_service() {
    let of = |colour: &str| {
        let name = format!("web-{colour}");
        pod(&format!("{name}-1")).of_deployment(&name, "1").label("colour", colour)
    };
    let service = json!({"metadata": {"name": "web"}, "spec": {"selector": {"colour": "green"}}});
    let fake = || Fake::pods(vec![of("blue"), of("green")]).with("services", service.clone());
    let (target, requests) = fake().target(&environment("qa", None), &Wanted::default());
    assert_eq!(requests, ["pods", "services"]);
    let target = target.unwrap();
    assert_eq!((target.pod.as_str(), target.role.as_str()), ("web-green-1", "web"));
    assert_eq!(target.notes, ["blue/green: Service `web` selects `web-green`"]);

    let (target, requests) = fake().target(&environment("qa", None), &role("web-blue"));
    assert_eq!((target.unwrap().pod.as_str(), requests.len()), ("web-blue-1", 1));
}

#[test]
fn a_pod_that_was_gone_is_not_taken_again() {
    let wanted = Wanted { exclude: vec!["web-a".to_owned()], ..Wanted::default() };
    let (target, _) = Fake::pods(vec![web("web-a"), web("web-b")]).target(&environment("qa", None), &wanted);
    assert_eq!(target.unwrap().pod, "web-b");
    let (target, _) = Fake::pods(vec![web("web-a")]).target(&environment("qa", None), &wanted);
    assert_snapshot!(target.unwrap_err().to_string(), @"no ready pod for role `web` in `qa`: 0 of 1 pod ready (web-a: gone when tried)");
}

#[test]
fn a_role_without_pods_is_looked_up_even_where_half_is_forbidden() {
    let template = json!({"metadata": {}, "spec": {"containers": []}});
    let deployment =
        json!({"metadata": {"name": "web"}, "spec": {"replicas": 0, "selector": {}, "template": template}});
    let mut fake = Fake::pods(vec![]).with("deployments", deployment);
    fake.forbidden.push("statefulsets");
    let (target, requests) = fake.target(&environment("qa", None), &role("web"));
    assert_eq!(requests, ["pods", "deployments", "statefulsets"]);
    assert_snapshot!(target.unwrap_err().to_string(), @"role `web` has 0 replicas in `qa`: `deployment/web` is scaled to zero");
}

#[test]
fn a_pod_asked_for_by_name_is_got_and_never_replaced() {
    let qa = environment("qa", None);
    let pods = || vec![web("web-a").terminating(), web("web-b").not_ready(), pod("tool").owned_by("Job", "import")];
    for (name, expected, requests) in [
        ("web-b", Ok("deployment/web"), &["pods/web-b"][..]),
        ("tool", Ok("job/import"), &["pods/tool"]),
        ("web-a", Err("pod `web-a` cannot be entered"), &["pods/web-a"]),
        ("web-c", Err("no pod `web-c` in `qa`"), &["pods/web-c", "pods"]),
    ] {
        let (target, seen) = Fake::pods(pods()).target(&qa, &named(name));
        let target = target.map(|target| target.workload).map_err(|error| error.message().to_owned());
        assert_eq!(target.as_deref().map_err(String::as_str), expected);
        assert_eq!(seen, requests);
    }
    let (target, _) = Fake::pods(pods()).target(&qa, &named("web-b"));
    assert_eq!(target.unwrap().notes, ["pod `web-b` is not ready: running, not ready"]);
}

#[test]
fn a_pod_of_another_instance_is_not_entered() {
    let pods = vec![web("web-a").label(INSTANCE, "car2-qa")];
    let (target, _) = Fake::pods(pods).target(&environment("qa", Some("car1-qa")), &named("web-a"));
    assert_eq!(target.unwrap_err().message(), "pod `web-a` is not in `qa`");
}

#[test]
fn a_target_can_be_stored() {
    let (target, _) = Fake::pods(vec![web("web-a")]).target(&environment("qa", None), &Wanted::default());
    let target = target.unwrap();
    let stored = serde_json::to_string(&target).unwrap();
    assert_eq!(serde_json::from_str::<Target>(&stored).unwrap(), target);
}
