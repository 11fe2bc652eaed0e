//! An exec that is refused instead of upgraded.

use crate::harness::api_server::{http::Response, status};

/// Why there is no session.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// 403: the user may not use this verb on `pods/exec`: `(user, verb, pod, namespace)`.
    Forbidden(String, String, String, String),
    /// 401.
    Unauthorized,
    /// 404: the pod is gone.
    PodNotFound(String),
    /// 500 with the kubelet's text.
    ContainerNotFound(String),
    /// 400: the pod has no such container.
    ContainerNotValid(String, String),
    /// 400: a proxy removed the `Upgrade` header, and the server says what it misses.
    UpgradeStripped,
    /// 200 with a page: a proxy answered by itself.
    Page,
    /// 500: the node does not answer.
    KubeletUnreachable,
    /// Any answer.
    Response(Response),
}

impl Refusal {
    /// 403 for a user who lacks `verb` (`get`, or from 1.35 on `create`) on `pods/exec`.
    pub fn forbidden(user: &str, verb: &str, pod: &str, namespace: &str) -> Self {
        Self::Forbidden(user.to_owned(), verb.to_owned(), pod.to_owned(), namespace.to_owned())
    }

    /// The answer.
    pub fn response(&self) -> Response {
        let status = |status: serde_json::Value| {
            let code = status["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
            Response::json(code, &status)
        };
        match self {
            Self::Forbidden(user, verb, pod, namespace) => {
                status(status::forbidden(user, verb, "pods/exec", pod, namespace))
            }
            Self::Unauthorized => status(status::unauthorized()),
            Self::PodNotFound(pod) => status(status::not_found("pods", pod)),
            Self::ContainerNotFound(container) => {
                Response::new(500, "text/plain", format!("container not found (\"{container}\")"))
            }
            Self::ContainerNotValid(container, pod) => {
                let message = format!("container {container} is not valid for pod {pod}");
                status(status::failure(400, "BadRequest", &message))
            }
            Self::UpgradeStripped => status(status::failure(400, "BadRequest", "Upgrade request required")),
            Self::Page => Response::new(200, "text/html", "<html><body>Welcome to the Acme proxy</body></html>"),
            Self::KubeletUnreachable => status(status::internal_error(
                "error dialing backend: dial tcp 10.0.0.7:10250: connect: connection refused",
            )),
            Self::Response(response) => response.clone(),
        }
    }
}
