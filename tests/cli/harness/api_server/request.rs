//! A request as it is recorded: decoded, for tests to look at.

use std::fmt;

use serde_json::Value;

use super::http::Head;

/// A request the server got.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// `GET`
    pub method: String,
    /// The path, decoded.
    pub path: String,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The path and query as they came.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Which connection it came on, counted from 0: tells whether connections are used again.
    pub connection: usize,
    /// Whether the client showed a certificate.
    pub client_certificate: bool,
}

impl Recorded {
    pub(super) fn new(head: Head, connection: usize, client_certificate: bool) -> Self {
        let (path, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        };
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
        Self {
            path: decode(path),
            query,
            method: head.method,
            headers: head.headers,
            body: head.body,
            target: head.target,
            connection,
            client_certificate,
        }
    }

    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value of this query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of this query parameter.
    pub fn parameters(&self, name: &str) -> Vec<String> {
        self.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// The body as JSON, `null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What the request asks for beside its object: in the query, or for DELETE in the body, too
    /// (`propagationPolicy`).
    pub fn option(&self, name: &str) -> Option<String> {
        let in_body = || match self.json()[name].take() {
            Value::String(text) => Some(text),
            Value::Array(mut all) => all.pop()?.as_str().map(str::to_owned),
            Value::Null => None,
            other => Some(other.to_string()),
        };
        let in_query = self.parameter(name).map(str::to_owned);
        in_query.or_else(|| if self.method == "DELETE" { in_body() } else { None })
    }

    /// Whether nothing shall come of it.
    pub fn is_dry_run(&self) -> bool {
        self.option("dryRun").as_deref() == Some("All")
    }

    /// Whether it is a watch.
    pub fn is_watch(&self) -> bool {
        self.method == "GET" && matches!(self.parameter("watch"), Some("true" | "1"))
    }

    /// Whether it is an exec or attach.
    pub fn is_session(&self) -> bool {
        self.path.ends_with("/exec") || self.path.ends_with("/attach")
    }
}

/// `GET /api/v1/namespaces/qa/pods?labelSelector=app=shop`
impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        for (number, (name, value)) in self.query.iter().enumerate() {
            let separator = if number == 0 { '?' } else { '&' };
            write!(f, "{separator}{name}={value}")?;
        }
        Ok(())
    }
}

/// Undoes percent-encoding and `+`.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn queries_are_decoded() {
        assert_eq!(decode("a%20b+c%3D%C3%A9"), "a b c=é");
        assert_eq!(decode("100%"), "100%");
    }
}
