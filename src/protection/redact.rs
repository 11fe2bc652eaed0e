//! Takes values that look secret out of command lines, before they are shown, recorded, or written into the cluster.
//!
//! It goes by looks, so it is a net and no wall: what a value means nobody can tell. In doubt it takes too much.

mod cause;
#[cfg(test)]
mod tests;
mod values;
mod words;

pub use self::cause::change_cause;

/// What stands for a value.
pub const REDACTED: &str = "<redacted>";
/// What stands for code, which may hold anything.
pub const CODE: &str = "<code>";

/// How many lines of what a program wrote are shown.
const LINES: usize = 12;
/// How many characters of each.
const LINE_LENGTH: usize = 400;
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
    let mut command = words::Command::of_words();
    words.into_iter().map(|word| command.word(&values::clean(word))).collect()
}

/// A piece of text without the values that look secret: a sentence, perhaps with a command in it.
pub fn text(text: &str) -> String {
    words::line(&values::clean(text), words::Command::of_a_sentence)
}

/// The last lines of what a program wrote, each cut where it is long, without the values that look secret; `None` when it
/// wrote nothing.
pub fn last_lines(written: &[u8]) -> Option<String> {
    let all = String::from_utf8_lossy(written);
    let lines: Vec<&str> = all.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LINES));
    let clean = last.map(|line| text(&line.chars().take(LINE_LENGTH).collect::<String>()));
    Some(clean.collect::<Vec<_>>().join("\n")).filter(|text| !text.is_empty())
}

/// Whether what such a name has is secret: `DB_PASSWORD`, `accessKey`, `--api-key`.
pub fn is_secret_name(name: &str) -> bool {
    let name = snake(name);
    let last = name.rsplit('_').next().unwrap_or_default();
    has_secret_part(&name) || SECRET_WORDS.contains(&last)
}

fn has_secret_part(snake: &str) -> bool {
    SECRET_PARTS.iter().any(|part| snake.contains(part))
}

/// `accessKey` and `Access-Key` as `access_key`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut after_small = false;
    for c in name.chars() {
        if after_small && c.is_uppercase() {
            snake.push('_');
        }
        after_small = c.is_lowercase();
        match c {
            '-' => snake.push('_'),
            c => snake.extend(c.to_lowercase()),
        }
    }
    snake
}
