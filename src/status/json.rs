//! A status as JSON: `docs/status.md` documents the shape.

use serde_json::{Value, json};

use super::Status;

/// Raised when a field of the JSON changes its meaning or goes away; new fields don't raise it.
pub const JSON_VERSION: u32 = 1;

impl Status {
    /// The documented shape of one environment: its `version`, and the fields of [`Status`] by their names. Times are RFC 3339.
    pub fn json(&self) -> Value {
        let mut value = serde_json::to_value(self).unwrap_or_else(|error| json!({"error": error.to_string()}));
        value["version"] = JSON_VERSION.into();
        value
    }
}

/// An environment that could not be asked, and why.
pub fn failed(environment: &str, error: &str) -> Value {
    json!({"version": JSON_VERSION, "environment": environment, "error": error})
}

/// Several environments in one document.
pub fn document(environments: Vec<Value>) -> Value {
    json!({"version": JSON_VERSION, "environments": environments})
}
