//! What goes wrong, and for which requests.

use std::time::Duration;

use serde_json::Value;

use super::{http::Response, request::Recorded, status};

/// Which requests a fault strikes. Faults are tried in the order they were planned.
#[derive(Clone, Debug)]
pub struct On {
    method: Option<&'static str>,
    prefix: String,
    exact: bool,
    times: Option<usize>,
    after: usize,
}

impl On {
    /// Every request.
    pub fn any() -> Self {
        Self { method: None, prefix: "/".to_owned(), exact: false, times: None, after: 0 }
    }

    /// GET of this very path: a LIST, or one object.
    pub fn get(path: &str) -> Self {
        Self { method: Some("GET"), prefix: path.to_owned(), exact: true, ..Self::any() }
    }

    /// LIST of the pods of a namespace.
    pub fn pods(namespace: &str) -> Self {
        Self::get(&format!("/api/v1/namespaces/{namespace}/pods"))
    }

    /// Any method, any path that begins so.
    pub fn prefix(path: &str) -> Self {
        Self { prefix: path.to_owned(), ..Self::any() }
    }

    /// The first `times` of them only.
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// Only the first.
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Spares the first `count` of them.
    pub fn after(mut self, count: usize) -> Self {
        self.after = count;
        self
    }

    fn matches(&self, request: &Recorded) -> bool {
        let path = if self.exact { request.path == self.prefix } else { request.path.starts_with(&self.prefix) };
        path && self.method.is_none_or(|method| method == request.method)
    }
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The answer comes late; other faults planned for the request still strike.
    Delay(Duration),
    /// Another answer.
    Respond(Response),
    /// The connection is reset.
    Reset,
    /// The connection is closed in silence.
    Close,
    /// Nothing is ever answered.
    Blackhole,
    /// This many bytes of the right answer's body, then a reset.
    CutBody(usize),
}

impl Fault {
    /// An answer with this `metav1.Status`; its `code` is the HTTP status.
    pub fn status(status: &Value) -> Self {
        let code = status["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
        Self::Respond(Response::json(code, status))
    }

    /// 401.
    pub fn unauthorized() -> Self {
        Self::status(&status::unauthorized())
    }

    /// 403 for LIST of the pods of a namespace.
    pub fn pods_forbidden(user: &str, namespace: &str) -> Self {
        Self::status(&status::forbidden(user, "list", "pods", "", namespace))
    }

    /// 429, to be tried again after this many seconds.
    pub fn too_many_requests(seconds: u32) -> Self {
        let body = status::too_many_requests(seconds);
        Self::Respond(Response::json(429, &body).header("Retry-After", seconds))
    }

    /// 429 as API Priority and Fairness answers it: not a Status.
    pub fn queue_full() -> Self {
        let text = "Too many requests, please try again later.\n";
        Self::Respond(Response::new(429, "text/plain; charset=utf-8", text).header("Retry-After", 1))
    }

    /// 503.
    pub fn unavailable() -> Self {
        Self::status(&status::unavailable())
    }

    /// 500.
    pub fn internal_error() -> Self {
        Self::status(&status::internal_error("etcdserver: leader changed"))
    }

    /// A web page, as a proxy or a login portal answers.
    pub fn html(code: u16) -> Self {
        let page = "<!DOCTYPE html><html><head><title>Sign in - Acme Proxy</title></head><body>Sign in</body></html>";
        Self::Respond(Response::new(code, "text/html", page))
    }

    /// Something that claims to be JSON.
    pub fn garbage() -> Self {
        Self::Respond(Response::new(200, "application/json", r#"{"kind":"PodList","items":[{"metadata":"#))
    }
}

/// A fault that waits for its requests.
pub(super) struct Planned {
    on: On,
    fault: Fault,
    seen: usize,
    struck: usize,
}

impl Planned {
    pub(super) fn new(on: On, fault: Fault) -> Self {
        Self { on, fault, seen: 0, struck: 0 }
    }

    /// The fault, if it strikes this request; counts.
    pub(super) fn strike(&mut self, request: &Recorded) -> Option<Fault> {
        if !self.on.matches(request) || self.on.times.is_some_and(|times| self.struck >= times) {
            return None;
        }
        self.seen += 1;
        if self.seen <= self.on.after {
            return None;
        }
        self.struck += 1;
        Some(self.fault.clone())
    }

    /// What is amiss at the end: a fault that never struck tests nothing.
    pub(super) fn complaint(&self) -> Option<String> {
        (self.struck == 0).then(|| format!("this fault never struck: {:?} on {:?}", self.fault, self.on))
    }
}
