//! What the server says of itself and of the user: its version, whom it takes the user for, what the user may do.

use serde_json::{Value, json};

use super::{http::Response, request::Recorded};

/// What the server says.
#[derive(Clone, Debug)]
pub struct About {
    /// `v1.34.1`
    pub version: String,
    /// What the user may do, verbs and resources; everything when there is nothing.
    pub rights: Option<Vec<(String, String)>>,
    /// Whether rules are told of incompletely, as on clouds that decide outside of Kubernetes: none at all.
    pub incomplete: bool,
    /// Whether it says whom it takes the user for: since 1.28.
    pub says_who: bool,
    /// By how many seconds its clock is ahead; it does not say what time it is when there is nothing.
    pub clock: Option<i64>,
}

impl Default for About {
    fn default() -> Self {
        Self { version: "v1.34.1".to_owned(), rights: None, incomplete: false, says_who: true, clock: Some(0) }
    }
}

impl About {
    /// The answer, `None` for other questions.
    pub fn answer(&self, request: &Recorded) -> Option<Response> {
        Some(match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/version") => {
                let minor = self.version.split('.').nth(1).unwrap_or_default();
                let answer = Response::json(200, &json!({"major": "1", "minor": minor, "gitVersion": self.version}));
                match self.clock {
                    Some(ahead) => answer.header("Date", date(ahead)),
                    None => answer,
                }
            }
            ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews") if self.says_who => self_review(request),
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews") => self.rules(request),
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") => self.access(request),
            _ => return None,
        })
    }

    fn rules(&self, request: &Recorded) -> Response {
        let rule =
            |(verb, resource): &(String, String)| json!({"verbs": [verb], "apiGroups": ["*"], "resources": [resource]});
        let rules: Vec<Value> = match &self.rights {
            _ if self.incomplete => Vec::new(),
            None => vec![json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})],
            Some(rights) => rights.iter().map(rule).collect(),
        };
        let mut review = request.json();
        review["status"] = json!({"incomplete": self.incomplete, "resourceRules": rules, "nonResourceRules": []});
        Response::json(201, &review)
    }

    fn access(&self, request: &Recorded) -> Response {
        let mut review = request.json();
        let asked = &review["spec"]["resourceAttributes"];
        let text = |name: &str| asked[name].as_str().unwrap_or_default();
        let below = asked["subresource"].as_str().map(|name| format!("/{name}")).unwrap_or_default();
        let wanted = (text("verb").to_owned(), format!("{}{below}", text("resource")));
        let allowed = self.rights.as_ref().is_none_or(|rights| rights.contains(&wanted));
        review["status"] = json!({"allowed": allowed});
        Response::json(201, &review)
    }
}

/// The time so many seconds from now, as HTTP writes it.
fn date(ahead: i64) -> String {
    let time = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(ahead);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn self_review(request: &Recorded) -> Response {
    let user = request.header("impersonate-user").unwrap_or("dev");
    let review = json!({
        "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {},
        "status": {"userInfo": {"username": user, "groups": ["system:authenticated"]}},
    });
    Response::json(201, &review)
}
