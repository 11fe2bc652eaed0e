//! Which answer a path gets: LIST and GET of the objects.

use serde_json::{Value, json};

use super::{http::Response, request::Recorded, selector, status};
use crate::harness::objects::Objects;

/// The kinds the server knows: the API's path, the resource, the kind, whether it belongs to a namespace.
const RESOURCES: &[(&str, &str, &str, bool)] = &[
    ("/api/v1", "namespaces", "Namespace", false),
    ("/api/v1", "nodes", "Node", false),
    ("/api/v1", "pods", "Pod", true),
    ("/api/v1", "services", "Service", true),
    ("/api/v1", "events", "Event", true),
    ("/apis/events.k8s.io/v1", "events", "Event", true),
    ("/apis/apps/v1", "deployments", "Deployment", true),
    ("/apis/apps/v1", "replicasets", "ReplicaSet", true),
    ("/apis/apps/v1", "statefulsets", "StatefulSet", true),
    ("/apis/batch/v1", "jobs", "Job", true),
];

/// The answer from the objects, `None` for what the server does not know.
pub fn answer(request: &Recorded, objects: &Objects) -> Option<Response> {
    match request.method.as_str() {
        "GET" => read(request, objects),
        "POST" if request.path == "/apis/authentication.k8s.io/v1/selfsubjectreviews" => Some(self_review(request)),
        _ => None,
    }
}

/// The namespace and pod of an exec or attach.
pub fn session_target(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_suffix("/exec").or_else(|| path.strip_suffix("/attach"))?;
    path.strip_prefix("/api/v1/namespaces/")?.split_once("/pods/")
}

fn read(request: &Recorded, objects: &Objects) -> Option<Response> {
    for (api, resource, kind, namespaced) in RESOURCES {
        let Some(path) = request.path.strip_prefix(api).and_then(|path| path.strip_prefix('/')) else { continue };
        let mut words: Vec<&str> = path.split('/').collect();
        let namespace = (*namespaced && words.len() > 2 && words[0] == "namespaces").then(|| words.remove(1));
        if namespace.is_some() {
            words.remove(0);
        }
        let api = api.trim_start_matches("/apis/").trim_start_matches("/api/");
        match words.as_slice() {
            [name] if name == resource => return Some(list(request, objects, (api, resource, kind), namespace)),
            [name, object] if name == resource => {
                let found = objects.get(resource, namespace.unwrap_or_default(), object);
                let answer = match found {
                    Some(found) => Response::json(200, &with_type(found, api, kind)),
                    None => Response::json(404, &status::not_found(&full_name(api, resource), object)),
                };
                return Some(answer);
            }
            _ => {}
        }
    }
    None
}

/// `deployments.apps`, as the server's messages call it.
fn full_name(api: &str, resource: &str) -> String {
    api.split_once('/').map_or(resource.to_owned(), |(group, _)| format!("{resource}.{group}"))
}

/// A list; its items have no type of their own, as those of a real server. `limit` and `continue` page.
fn list(
    request: &Recorded,
    objects: &Objects,
    (api, resource, kind): (&str, &str, &str),
    namespace: Option<&str>,
) -> Response {
    let labels = request.parameter("labelSelector").unwrap_or_default();
    let fields = request.parameter("fieldSelector").unwrap_or_default();
    let found: Vec<Value> = objects
        .list(resource, namespace)
        .into_iter()
        .filter(|object| selector::labels_match(labels, object) && selector::fields_match(fields, object))
        .cloned()
        .collect();
    let number = |name: &str| request.parameter(name).and_then(|value| value.parse::<usize>().ok()).unwrap_or(0);
    let (start, limit) = (number("continue"), number("limit"));
    let end = if limit == 0 { found.len() } else { found.len().min(start + limit) };
    let mut metadata = json!({"resourceVersion": "4711"});
    if end < found.len() {
        metadata["continue"] = json!(end.to_string());
        metadata["remainingItemCount"] = json!(found.len() - end);
    }
    let items = &found[start.min(end)..end];
    Response::json(
        200,
        &json!({"kind": format!("{kind}List"), "apiVersion": api, "metadata": metadata, "items": items}),
    )
}

fn with_type(object: &Value, api: &str, kind: &str) -> Value {
    let mut object = object.clone();
    object["apiVersion"] = json!(api);
    object["kind"] = json!(kind);
    object
}

fn self_review(request: &Recorded) -> Response {
    let user = request.header("impersonate-user").unwrap_or("dev");
    let review = json!({
        "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {},
        "status": {"userInfo": {"username": user, "groups": ["system:authenticated"]}},
    });
    Response::json(201, &review)
}
