//! What may be shown of a value: nothing of a Secret's, and nothing that looks like a secret wherever it stands. Values
//! that are not shown are compared by a hash whose key is made anew for each run and never leaves it, so that nobody can
//! try out guesses.

use std::{
    hash::{BuildHasher, RandomState},
    sync::OnceLock,
};

use secrecy::ExposeSecret;
use serde::Serialize;

use super::looks;
use crate::{
    cluster::{Given, Origin, Value},
    protection::redact,
};

/// What may be shown of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "value", rename_all = "snake_case")]
pub enum Shown {
    /// All of it.
    Plain(String),
    /// It without what looks like a secret.
    Redacted(String),
    /// Nothing.
    Hidden,
    /// It is missing: no such container can start.
    Missing,
    /// It was not read.
    Unread,
    /// Its origin says all.
    Elsewhere,
}

/// What may be shown of a variable. Of a file nothing is: it may hold anything.
pub fn shown(given: &Given) -> Shown {
    match (&given.value, &given.origin) {
        (Value::Missing, _) => Shown::Missing,
        (Value::Unread, _) => Shown::Unread,
        (Value::Elsewhere, _) => Shown::Elsewhere,
        (Value::Known(_), Origin::Secret { .. }) => Shown::Hidden,
        (Value::Known(_), _) if given.name.starts_with('/') || looks::is_secret_name(&given.name) => Shown::Hidden,
        (Value::Known(value), _) => {
            let text = String::from_utf8_lossy(value.expose_secret()).into_owned();
            let clean = redact::text(&text);
            if text.contains("PRIVATE KEY") || looks::is_secret(&clean) {
                Shown::Hidden
            } else if clean == text {
                Shown::Plain(text)
            } else {
                Shown::Redacted(clean)
            }
        }
    }
}

/// Whether two values are the same; `None` where one of them is not known.
pub(super) fn same(one: &Given, other: &Given) -> Option<bool> {
    match (&one.value, &other.value) {
        (Value::Unread, _) | (_, Value::Unread) => None,
        (Value::Known(one), Value::Known(other)) => Some(hash(one.expose_secret()) == hash(other.expose_secret())),
        (Value::Missing, Value::Missing) => Some(true),
        (Value::Elsewhere, Value::Elsewhere) => Some(one.origin == other.origin),
        _ => Some(false),
    }
}

fn hash(value: &[u8]) -> u64 {
    // Its keys are the operating system's randomness.
    static SALT: OnceLock<RandomState> = OnceLock::new();
    SALT.get_or_init(RandomState::new).hash_one(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(in crate::configuration) fn given(name: &str, origin: Origin, value: Option<&str>) -> Given {
        let value = value.map_or(Value::Unread, |value| Value::Known(value.as_bytes().to_vec().into()));
        Given { name: name.to_owned(), origin, value, overrides: Vec::new() }
    }

    fn of_map(name: &str) -> Origin {
        Origin::ConfigMap { name: "app".to_owned(), key: Some(name.to_owned()) }
    }

    fn of_secret(name: &str) -> Origin {
        Origin::Secret { name: "app".to_owned(), key: Some(name.to_owned()) }
    }

    #[test]
    fn secrets_are_not_shown_wherever_they_stand() {
        let plain = |text: &str| Shown::Plain(text.to_owned());
        let redacted = |text: &str| Shown::Redacted(text.to_owned());
        for (name, origin, value, expected) in [
            ("DEBUG", Origin::Literal, "false", plain("false")),
            ("DEBUG", of_secret("DEBUG"), "false", Shown::Hidden),
            ("DB_PASSWORD", Origin::Literal, "hunter2", Shown::Hidden),
            ("SENTRY_TOKEN", of_map("x"), "hunter2", Shown::Hidden),
            ("/etc/app/x.toml", of_map("x"), "password = 1", Shown::Hidden),
            (
                "DATABASE_URL",
                Origin::Literal,
                "postgres://shop:hunter2@db/shop",
                redacted("postgres://shop:<redacted>@db/shop"),
            ),
            ("REDIS_URL", of_map("x"), "redis://:hunter2@redis/0", redacted("redis://:<redacted>@redis/0")),
            ("REDIS_URL", of_map("x"), "redis://redis:6379/0", plain("redis://redis:6379/0")),
            ("OPTIONS", of_map("x"), "-c a --token hunter2", Shown::Hidden),
            ("PEM", of_map("x"), "-----BEGIN RSA PRIVATE KEY-----\nAbC=", Shown::Hidden),
            ("PEM", of_map("x"), "-----BEGIN PGP PRIVATE KEY BLOCK-----\nAbC=", Shown::Hidden),
            ("STRIPE_KEY", Origin::Literal, "hunter2", Shown::Hidden),
            ("STORAGE", of_map("x"), "AccountName=shop;AccountKey=hun/ter2", Shown::Hidden),
            ("AWS", of_map("x"), "AKIAIOSFODNN7EXAMPLE", Shown::Hidden),
        ] {
            assert_eq!(shown(&given(name, origin, Some(value))), expected, "{name} {value}");
        }
    }

    #[test]
    fn hidden_values_are_compared() {
        let one = given("A", of_secret("A"), Some("hunter2"));
        assert_eq!(same(&one, &given("A", Origin::Literal, Some("hunter2"))), Some(true));
        assert_eq!(same(&one, &given("A", of_secret("A"), Some("hunter3"))), Some(false));
        assert_eq!(same(&one, &given("A", of_secret("A"), None)), None);
        let missing = Given { value: Value::Missing, ..given("A", of_secret("A"), None) };
        assert_eq!(same(&one, &missing), Some(false));
        let field = |path: &str| Given {
            value: Value::Elsewhere,
            ..given("IP", Origin::Field { path: path.to_owned() }, None)
        };
        assert_eq!(same(&field("a"), &field("a")), Some(true));
        assert_eq!(same(&field("a"), &field("b")), Some(false));
    }
}
