//! What looks like a secret among variables. A value that is hidden for nothing costs little here, so it takes more than the
//! net that command lines go through.

use crate::protection::redact::{self, CODE, REDACTED};

/// Words of names whose values are secret, wherever in the name they stand.
const WORDS: [&str; 8] = ["auth", "dsn", "jwt", "key", "keys", "pass", "pw", "salt"];
/// What such a name ends with where its words are not told apart: `PGPASS`.
const ENDS: [&str; 2] = ["pass", "key"];
/// A run of letters and digits, as base64 and its kind for URLs have them, of this length is taken for a key: that of 16
/// bytes has 22.
const LONG: usize = 22;

/// Whether what such a name has is secret: `FERNET_KEY`, `SMTP_PASS_2`, `accountKey`.
pub(super) fn is_secret_name(name: &str) -> bool {
    let is_secret_word = |word: &str| WORDS.contains(&word) || ENDS.iter().any(|end| word.ends_with(*end));
    redact::is_secret_name(name) || words(name).iter().any(|word| is_secret_word(word))
}

/// Whether a value must not be shown at all, not even what `redact::text` has left of it: it names a secret, has a key in
/// it, or more was taken out than passwords of addresses. The rest of an address tells something, and no secret.
pub(super) fn is_secret(clean: &str) -> bool {
    let runs = || clean.split(|c: char| !is_of_base64(c));
    clean.contains(CODE) || !lacks_logins_only(clean) || names_a_secret(clean) || runs().any(is_key)
}

fn lacks_logins_only(clean: &str) -> bool {
    let before: Vec<&str> = clean.split(REDACTED).collect();
    let is_login = |part: &&str| {
        let user = part.rsplit_once("://").and_then(|(_, user)| user.strip_suffix(':'));
        user.is_some_and(|user| !user.contains([':', '/', '@', ' ']))
    };
    before[..before.len() - 1].iter().all(is_login)
}

/// The words of a name in small letters: `accountKey`, `ACCOUNT-KEY`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || after_small && c.is_uppercase() {
            words.push(String::new());
        }
        after_small = c.is_lowercase();
        if let (Some(word), true) = (words.last_mut(), c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words
}

/// Whether a secret name stands before a sign in it: `AccountKey=x`, `{"key": "x"}`. The user of an address is none, nor is
/// a host before its port.
fn names_a_secret(text: &str) -> bool {
    text.match_indices(['=', ':']).any(|(at, sign)| {
        let (before, after) = (text[..at].trim_end_matches([' ', '"', '\'', '\\']), &text[at + 1..]);
        let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').next().unwrap_or_default();
        let is_user = before[..before.len() - name.len()].ends_with("://");
        let value = after.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let is_port = sign == ":" && (2..=5).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
        !is_user && !is_port && !after.trim().is_empty() && !after.starts_with("//") && is_secret_name(name)
    })
}

fn is_of_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_')
}

/// Whether small and capital letters and digits are mixed in it, as in a long random text. Words joined to one begin with
/// a capital letter now and then, and have a number at the end.
fn is_key(run: &str) -> bool {
    let has = |is: fn(&u8) -> bool| run.as_bytes().iter().any(is);
    let raised = run.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    run.len() >= LONG && mixed && raised.count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_is_secret_wherever_the_word_stands() {
        for name in [
            "FERNET_KEY",
            "STRIPE_KEY",
            "LICENSE_KEY",
            "DBPASS",
            "PGPASS",
            "DB_PASS_RO",
            "SMTP_PASS_2",
            "BASIC_AUTH_USERS",
            "AccountKey",
            "SENTRY_DSN",
            "API_TOKEN",
            "JWT_ISSUER",
            "accountKeys",
            "app.key",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in
            ["DEBUG", "AUTHOR", "KEYCLOAK_URL", "PASSENGER_ROOT", "DJANGO_SETTINGS_MODULE", "DATABASE_URL", "HOSTS", ""]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn keys_are_found_whatever_they_are_called() {
        for value in [
            // Fernet's, whose `-` and `_` leave no long run; an account's, whose `/` do.
            "pL3-kQ7_zR1-nB5_xW9-mT2_vC8-hJ4_gF6-dS0_aY=",
            "AccountName=shop;AccountKey=x",
            "https://storage/?sig=aB3/dE5+gH7/jK9+mN1/pQ3x",
            r#"{"type": "x", "key": "y"}"#,
            "postgres://db/shop?password=<redacted>",
            "<redacted>",
            "--token <redacted>",
            "python -c <code>",
        ] {
            assert!(is_secret(value), "{value}");
        }
        for value in [
            "false",
            "",
            "*",
            "America/Argentina/Buenos_Aires",
            "registry.acme.dev/shop:1.42",
            "redis://redis:6379/0",
            "http://auth:8000/login",
            "auth-service:8000",
            "postgres://shop:<redacted>@db:5432/shop",
            "redis://:<redacted>@redis/0",
            "shop.settings.production",
            "/srv/app/releases/20240131/static",
            "2026-11-21T12:00:00Z",
            "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
            "level=info, format=json",
        ] {
            assert!(!is_secret(value), "{value}");
        }
    }
}
