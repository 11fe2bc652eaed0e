//! Which answer a path gets.

use serde_json::{Value, json};

use super::{
    State, http::Response, log, request::Recorded, selector, status, store::Store, stream::Feed, watch::Watch, write,
};

/// A kind of object the server knows. One more is one more line in [`KINDS`].
pub struct Kind {
    /// `/apis/apps/v1`
    api: &'static str,
    /// `deployments`
    pub resource: &'static str,
    /// `Deployment`
    pub name: &'static str,
    /// Whether it belongs to a namespace.
    pub namespaced: bool,
}

const fn kind(api: &'static str, resource: &'static str, name: &'static str) -> Kind {
    Kind { api, resource, name, namespaced: true }
}

const KINDS: &[Kind] = &[
    Kind { namespaced: false, ..kind("/api/v1", "namespaces", "Namespace") },
    Kind { namespaced: false, ..kind("/api/v1", "nodes", "Node") },
    kind("/api/v1", "pods", "Pod"),
    kind("/api/v1", "services", "Service"),
    kind("/api/v1", "configmaps", "ConfigMap"),
    kind("/api/v1", "secrets", "Secret"),
    kind("/api/v1", "events", "Event"),
    kind("/apis/events.k8s.io/v1", "events", "Event"),
    kind("/apis/apps/v1", "deployments", "Deployment"),
    kind("/apis/apps/v1", "replicasets", "ReplicaSet"),
    kind("/apis/apps/v1", "statefulsets", "StatefulSet"),
    kind("/apis/apps/v1", "controllerrevisions", "ControllerRevision"),
    kind("/apis/autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    kind("/apis/batch/v1", "jobs", "Job"),
    kind("/apis/policy/v1", "poddisruptionbudgets", "PodDisruptionBudget"),
];

impl Kind {
    /// `apps/v1`, as objects have it.
    pub fn version(&self) -> &'static str {
        self.api.trim_start_matches("/apis/").trim_start_matches("/api/")
    }

    /// `apps`, empty for the core.
    pub fn group(&self) -> &'static str {
        self.version().split_once('/').map_or("", |(group, _)| group)
    }

    /// `deployments.apps`, as the server's messages call it.
    pub fn full_name(&self) -> String {
        match self.group() {
            "" => self.resource.to_owned(),
            group => format!("{}.{group}", self.resource),
        }
    }

    /// An object with its type, as it travels alone.
    pub fn typed(&self, object: &Value) -> Value {
        let mut object = object.clone();
        object["apiVersion"] = json!(self.version());
        object["kind"] = json!(self.name);
        object
    }
}

/// What a path names.
pub struct Target<'a> {
    /// The kind.
    pub kind: &'static Kind,
    /// The namespace, if the path has one.
    pub namespace: Option<&'a str>,
    /// One object; a collection otherwise.
    pub name: Option<&'a str>,
    /// `log`, `status`
    pub subresource: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Reads a path; `None` when the server knows no such kind.
    pub fn of(path: &'a str) -> Option<Self> {
        KINDS.iter().find_map(|kind| {
            let words: Vec<&str> = path.strip_prefix(kind.api)?.strip_prefix('/')?.split('/').collect();
            let (namespace, words) = match words.as_slice() {
                ["namespaces", namespace, rest @ ..] if kind.namespaced && !rest.is_empty() => (Some(*namespace), rest),
                all => (None, all),
            };
            let (name, subresource) = match words {
                [resource] if *resource == kind.resource => (None, None),
                [resource, name] if *resource == kind.resource => (Some(*name), None),
                [resource, name, sub] if *resource == kind.resource && kind.namespaced => (Some(*name), Some(*sub)),
                _ => return None,
            };
            Some(Self { kind, namespace, name, subresource })
        })
    }

    /// The object, or the answer that there is none.
    pub fn find<'s>(&self, store: &'s Store) -> Result<&'s Value, Response> {
        let name = self.name.unwrap_or_default();
        store
            .objects()
            .get(self.kind.resource, self.namespace.unwrap_or_default(), name)
            .ok_or_else(|| Response::json(404, &status::not_found(&self.kind.full_name(), name)))
    }
}

/// An answer.
pub enum Answer {
    /// At once and whole.
    Whole(Response),
    /// Bit by bit.
    Feed(Box<dyn Feed>),
}

/// The answer, `None` for what the server does not know.
pub fn answer(request: &Recorded, state: &mut State) -> Option<Answer> {
    if let Some(about) = state.about.answer(request) {
        return Some(Answer::Whole(about));
    }
    let target = Target::of(&request.path)?;
    Some(match (request.method.as_str(), target.name, target.subresource) {
        ("GET", Some(_), Some("log")) if target.kind.resource == "pods" => match log::open(request, &target, state) {
            Ok(log) => Answer::Feed(Box::new(log)),
            Err(refusal) => Answer::Whole(refusal),
        },
        ("GET", None, None) if request.is_watch() => Answer::Feed(Box::new(Watch::new(request, &target, state))),
        ("GET", None, None) => Answer::Whole(list(request, &target, &state.store)),
        ("GET", Some(_), None) => Answer::Whole(match target.find(&state.store) {
            Ok(found) => Response::json(200, &target.kind.typed(found)),
            Err(missing) => missing,
        }),
        ("POST", None, None) => Answer::Whole(write::create(request, &target, state)),
        ("PATCH", Some(_), None | Some("status")) => Answer::Whole(write::patch(request, &target, state)?),
        ("PATCH", Some(_), Some("scale")) => Answer::Whole(write::patch_scale(request, &target, state)?),
        ("DELETE", Some(_), None) => Answer::Whole(write::delete(request, &target, state)),
        _ => return None,
    })
}

/// The namespace and pod of an exec or attach.
pub fn session_target(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_suffix("/exec").or_else(|| path.strip_suffix("/attach"))?;
    path.strip_prefix("/api/v1/namespaces/")?.split_once("/pods/")
}

/// The namespace and pod of a port-forward.
pub fn forward_target(path: &str) -> Option<(&str, &str)> {
    path.strip_suffix("/portforward")?.strip_prefix("/api/v1/namespaces/")?.split_once("/pods/")
}

/// A list; its items have no type of their own, as those of a real server. `limit` and `continue` page.
fn list(request: &Recorded, target: &Target<'_>, store: &Store) -> Response {
    let kind = target.kind;
    let found: Vec<Value> = store
        .objects()
        .list(kind.resource, target.namespace)
        .into_iter()
        .filter(|object| selector::selects(request, object))
        .cloned()
        .collect();
    let number = |name: &str| request.parameter(name).and_then(|value| value.parse::<usize>().ok()).unwrap_or(0);
    let (start, limit) = (number("continue"), number("limit"));
    let end = if limit == 0 { found.len() } else { found.len().min(start + limit) };
    let mut metadata = json!({"resourceVersion": store.revision().to_string()});
    if end < found.len() {
        metadata["continue"] = json!(end.to_string());
        metadata["remainingItemCount"] = json!(found.len() - end);
    }
    let items = &found[start.min(end)..end];
    let list = json!({"kind": format!("{}List", kind.name), "apiVersion": kind.version(), "metadata": metadata, "items": items});
    Response::json(200, &list)
}
