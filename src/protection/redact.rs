//! Takes values that look secret out of command lines, before they are shown, recorded, or written into the cluster.
//!
//! It goes by looks, so it is a net and no wall: what a value means nobody can tell. In doubt it takes too much.

#[cfg(test)]
mod tests;

/// What stands for a value.
pub const REDACTED: &str = "<redacted>";

/// A run of letters and digits this long, mixed, is taken for a token.
const LONG_TOKEN: usize = 24;
/// Parts of names whose values are secret.
const SECRET_PARTS: [&str; 19] = [
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "pwd",
    "secret",
    "token",
    "credential",
    "authorization",
    "cookie",
    "apikey",
    "api_key",
    "access_key",
    "private_key",
    "secret_key",
    "encryption_key",
    "signing_key",
    "bearer",
    "otp",
];
/// Names whose values are secret, where the name is nothing else: `--pass`, `DB_PASS`.
const SECRET_WORDS: [&str; 5] = ["pass", "auth", "pw", "jwt", "salt"];

/// The words of a command without the values that look secret.
pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut clean: Vec<String> = Vec::new();
    let mut value_follows = Follows::Nothing;
    let mut mysql = false;
    for word in words {
        let follows = std::mem::replace(&mut value_follows, after(word));
        let program = word.rsplit('/').next().unwrap_or(word);
        mysql |= ["mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump"].contains(&program);
        clean.push(match follows {
            Follows::Secret if !word.starts_with("--") => {
                value_follows = Follows::Nothing;
                REDACTED.to_owned()
            }
            Follows::Login if word.contains(':') && !word.contains("://") => {
                format!("{}:{REDACTED}", word.split(':').next().unwrap_or_default())
            }
            _ if mysql && word.len() > 2 && word.starts_with("-p") && !word.contains("port") => format!("-p{REDACTED}"),
            _ => text(word),
        });
    }
    clean
}

/// What the word after this one is.
#[derive(Clone, Copy)]
enum Follows {
    Nothing,
    Secret,
    /// `user:password`.
    Login,
}

fn after(word: &str) -> Follows {
    match word.strip_prefix('-') {
        Some(flag) if !word.contains('=') && is_secret_name(flag) => Follows::Secret,
        Some("u" | "-user") => Follows::Login,
        _ if word.ends_with(':') && is_secret_name(word.trim_end_matches(':')) => Follows::Secret,
        _ => Follows::Nothing,
    }
}

/// A piece of text without the values that look secret: a word of a command, or a sentence.
pub fn text(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        // A name, then a sign, then a secret: `PASSWORD=x`, `"token": "x"`, `Authorization: Bearer x`.
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        let (name, after_name) = rest.split_at(end);
        if let Some((sign, value)) = sign(name, after_name).filter(|_| is_secret_name(name)) {
            let length = value_length(value, name.len() == text.len() - after_name.len());
            clean.extend([name, sign, if length > 0 { REDACTED } else { "" }]);
            rest = &value[length..];
            continue;
        }
        if let Some(after_login) =
            after_name.strip_prefix("://").and_then(|from| login(from).map(|found| (from, found)))
        {
            let (from, (user, length)) = after_login;
            clean.extend([name, "://", user, ":", REDACTED]);
            rest = &from[length..];
            continue;
        }
        clean.push_str(if is_token(name) { REDACTED } else { name });
        let other = after_name.chars().next().map_or(0, char::len_utf8);
        clean.push_str(&after_name[..other]);
        rest = &after_name[other..];
    }
    clean
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '+')
}

/// What separates a name from its value, and the value: `=`, `: `, `": "`; after a flag also a space, unless another flag
/// follows.
fn sign<'a>(name: &str, text: &'a str) -> Option<(&'a str, &'a str)> {
    let quote = text.len() - text.trim_start_matches(['"', '\'']).len();
    let spaces = |at: usize| at + (text[at..].len() - text[at..].trim_start_matches(' ').len());
    let at = spaces(quote);
    if text[at..].starts_with(['=', ':']) && !text[at..].starts_with("://") {
        return Some(text.split_at(spaces(at + 1)));
    }
    let is_flag = name.starts_with('-') && text.starts_with(' ') && !text[at..].starts_with('-');
    is_flag.then(|| text.split_at(at))
}

/// How much of `text` is the value: to the closing quote, else to the end of the word; all of it when nothing stood
/// before the name, as the word then is the value's own.
fn value_length(text: &str, whole: bool) -> usize {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return text[1..].find(quote).map_or(text.len(), |end| end + 2);
    }
    if whole && !text.contains(['"', '\'']) {
        return text.len();
    }
    let scheme =
        ["Bearer ", "Basic ", "Token "].iter().find(|scheme| text.starts_with(**scheme)).map_or(0, |s| s.len());
    text[scheme..]
        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '&'))
        .map_or(text.len(), |end| scheme + end)
}

/// The user of `user:password@`, and how long both are.
fn login(text: &str) -> Option<(&str, usize)> {
    let authority = &text[..text.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).unwrap_or(text.len())];
    // A password may hold `/` and `@` itself, unescaped: the last `@` counts.
    let (login, _) = authority.rsplit_once('@')?;
    let (user, _) = login.split_once(':')?;
    Some((user, login.len()))
}

pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    let last = name.rsplit('_').next().unwrap_or_default();
    SECRET_PARTS.iter().any(|part| name.contains(part)) || SECRET_WORDS.contains(&last)
}

/// Whether a run of name characters looks like a random token: long, digits among letters, and no UUID, which names a
/// thing and opens nothing.
fn is_token(run: &str) -> bool {
    if run.starts_with("eyJ") && run.len() > 12 {
        return true;
    }
    let parts: Vec<usize> = run.split('-').map(str::len).collect();
    let digits = run.chars().filter(char::is_ascii_digit).count();
    let letters = run.chars().filter(char::is_ascii_alphabetic).count();
    // Words joined by hyphens, with a date or a number, are names: pods have such.
    let longest = run.split(['-', '_']).map(str::len).max().unwrap_or_default();
    let is_uuid = parts == [8, 4, 4, 4, 12];
    let prefixed = ["ghp_", "gho_", "sk-", "sk_", "glpat-", "xox", "AKIA"].iter().any(|known| run.starts_with(known));
    !is_uuid && digits > 0 && letters > 0 && (longest >= LONG_TOKEN || prefixed && run.len() >= 16)
}
