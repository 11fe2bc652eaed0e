//! What goes wrong, and for which requests.

use std::time::Duration;

use serde_json::Value;

use super::{
    http::Response,
    request::Recorded,
    route::Target,
    status,
    stream::{Break, Measure},
};

/// Which requests a fault strikes. Faults are tried in the order they were planned.
#[derive(Clone, Debug)]
pub struct On {
    method: Option<&'static str>,
    prefix: String,
    exact: bool,
    /// A resource, a namespace and a subresource.
    of: Option<(String, String, Option<&'static str>)>,
    watch: Option<bool>,
    dry_run: Option<bool>,
    times: Option<usize>,
    after: usize,
}

impl On {
    /// Every request.
    pub fn any() -> Self {
        let prefix = "/".to_owned();
        Self { method: None, prefix, exact: false, of: None, watch: None, dry_run: None, times: None, after: 0 }
    }

    /// GET of this very path: a LIST, or one object.
    pub fn get(path: &str) -> Self {
        Self { method: Some("GET"), prefix: path.to_owned(), exact: true, watch: Some(false), ..Self::any() }
    }

    /// LIST of the pods of a namespace.
    pub fn pods(namespace: &str) -> Self {
        Self::get(&format!("/api/v1/namespaces/{namespace}/pods"))
    }

    /// POST of a resource (`jobs`) in a namespace, dry runs not counted.
    pub fn create(resource: &str, namespace: &str) -> Self {
        Self { dry_run: Some(false), ..Self::method_of("POST", resource, namespace) }
    }

    /// POST with `dryRun=All`.
    pub fn dry_run(resource: &str, namespace: &str) -> Self {
        Self { dry_run: Some(true), ..Self::method_of("POST", resource, namespace) }
    }

    /// PATCH of any object of the resource.
    pub fn patch(resource: &str, namespace: &str) -> Self {
        Self::method_of("PATCH", resource, namespace)
    }

    /// DELETE of any object of the resource.
    pub fn delete(resource: &str, namespace: &str) -> Self {
        Self::method_of("DELETE", resource, namespace)
    }

    /// A watch of the resource.
    pub fn watch(resource: &str, namespace: &str) -> Self {
        Self { watch: Some(true), ..Self::method_of("GET", resource, namespace) }
    }

    /// The log of any pod.
    pub fn log(namespace: &str) -> Self {
        let of = Some(("pods".to_owned(), namespace.to_owned(), Some("log")));
        Self { method: Some("GET"), of, ..Self::any() }
    }

    fn method_of(method: &'static str, resource: &str, namespace: &str) -> Self {
        Self { method: Some(method), of: Some((resource.to_owned(), namespace.to_owned(), None)), ..Self::any() }
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
        let of = self.of.as_ref().is_none_or(|(resource, namespace, subresource)| {
            Target::of(&request.path).is_some_and(|target| {
                target.kind.resource == resource
                    && target.namespace == Some(namespace)
                    && target.subresource == *subresource
            })
        });
        path && of
            && self.method.is_none_or(|method| method == request.method)
            && self.watch.is_none_or(|watch| watch == request.is_watch())
            && self.dry_run.is_none_or(|dry_run| dry_run == request.is_dry_run())
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
    /// What was asked is done; then this comes instead of the answer: an outcome the client does not know.
    CarriedOut(Box<Fault>),
    /// A watch or a log breaks off after so many events or lines.
    AfterLines(usize, Rupture),
}

/// How a watch or a log breaks off.
#[derive(Clone, Debug)]
pub enum Rupture {
    /// As if it were all: a clean end.
    End,
    /// One line more, and a clean end.
    Line(Vec<u8>),
    /// The connection is reset.
    Reset,
    /// The connection is closed in the middle of the body.
    Close,
    /// Nothing more comes, and the connection stays.
    Silence,
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

    /// 403 for anything else in a namespace: `("dev", "create", "jobs", "shop-qa")`.
    pub fn forbidden(user: &str, verb: &str, resource: &str, namespace: &str) -> Self {
        Self::status(&status::forbidden(user, verb, resource, "", namespace))
    }

    /// 504.
    pub fn timeout() -> Self {
        Self::status(&status::timeout())
    }

    /// What was asked is done; then this comes instead of the answer.
    pub fn carried_out(then: Fault) -> Self {
        Self::CarriedOut(Box::new(then))
    }

    /// A watch tells so many events, then that its revision is too old.
    pub fn watch_expires(after: usize) -> Self {
        let event = serde_json::json!({"type": "ERROR", "object": status::expired(1, 2)});
        Self::AfterLines(after, Rupture::Line(event.to_string().into_bytes()))
    }

    /// A log has so many lines, then an error of the kubelet's among them, and ends.
    pub fn kubelet_error(after: usize) -> Self {
        let text = "failed to create fsnotify watcher: too many open files";
        Self::AfterLines(after, Rupture::Line(text.as_bytes().to_vec()))
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

    /// A refusal in other words than Kubernetes' own, by a server with its own idea of the time.
    pub fn refused(code: u16, body: &str, date: &str) -> Self {
        Self::Respond(Response::new(code, "application/json", body).header("Date", date))
    }

    /// Something that claims to be JSON.
    pub fn garbage() -> Self {
        Self::Respond(Response::new(200, "application/json", r#"{"kind":"PodList","items":[{"metadata":"#))
    }
}

impl Fault {
    /// Where a stream breaks off by this fault.
    pub(super) fn breaks(&self) -> Option<Break> {
        match self {
            Self::CutBody(bytes) => Some(Break { after: Measure::Bytes(*bytes), rupture: Rupture::Reset }),
            Self::AfterLines(lines, rupture) => Some(Break { after: Measure::Lines(*lines), rupture: rupture.clone() }),
            _ => None,
        }
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
