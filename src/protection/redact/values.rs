//! Values beside their names, logins in addresses, and tokens, wherever they are in a text.

use super::{REDACTED, is_secret_name, snake};

/// A run of letters and digits this long, mixed, is taken for a token.
const LONG_TOKEN: usize = 24;
/// Words before a secret that belong to its value.
const SCHEMES: [&str; 5] = ["bearer ", "basic ", "token ", "digest ", "api-key "];
const QUOTES: [char; 2] = ['"', '\''];

/// The text without them.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        let (name, after_name) = rest.split_at(end);
        let before = &text[..text.len() - rest.len()];
        if let Some((sign, value)) = sign(name, after_name) {
            let length = value_length(name, sign, value, before);
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

/// What separates a secret name from its value, and the value: `PASSWORD=x`, `"token": "x"`, `set_password('x')`,
/// `PASSWORD 'x'`, `BY 'x'`, `Bearer x`.
fn sign<'a>(name: &str, text: &'a str) -> Option<(&'a str, &'a str)> {
    let quotes = text.len() - text.trim_start_matches(['"', '\'', '\\']).len();
    let spaces = |at: usize| at + (text[at..].len() - text[at..].trim_start_matches(' ').len());
    let at = spaces(quotes);
    let value = &text[at..];
    let quoted_after_spaces = quotes == 0 && at > 0 && value.trim_start_matches('\\').starts_with(QUOTES);
    if name.eq_ignore_ascii_case("by") {
        return quoted_after_spaces.then(|| text.split_at(at));
    }
    if !is_secret_name(name) {
        return None;
    }
    if value.starts_with(['=', ':']) && !value.starts_with("://") {
        let signs = value.len() - value.trim_start_matches([':', '=', '>']).len();
        return Some(text.split_at(spaces(at + signs)));
    }
    if text.starts_with('(') && !text.starts_with("()") {
        return Some(text.split_at(spaces(1)));
    }
    let is_scheme = name.eq_ignore_ascii_case("bearer") && quotes == 0 && at > 0;
    (quoted_after_spaces || is_scheme).then(|| text.split_at(at))
}

/// How much of `text` is the value. All of it when nothing stood before the name, as the word then is the value's own,
/// and for a header, which is a line; up to the quote that stood before the name; else what is quoted, or a word.
fn value_length(name: &str, sign: &str, text: &str, before: &str) -> usize {
    let quote_before = before.chars().next_back().filter(|c| QUOTES.contains(c) && !sign.starts_with(*c));
    if let Some(quote) = quote_before.filter(|_| !sign.starts_with('\\')) {
        let end = text.find(quote).unwrap_or(text.len());
        return text[..end].trim_end_matches('\\').len();
    }
    let name = snake(name);
    let is_header = ["authorization", "cookie"].iter().any(|header| name.ends_with(header));
    if before.is_empty() || is_header && !text.starts_with(QUOTES) {
        return text.len();
    }
    let lower = text.to_ascii_lowercase();
    let scheme = SCHEMES.iter().find(|scheme| lower.starts_with(**scheme)).map_or(0, |scheme| scheme.len());
    scheme + word_length(&text[scheme..])
}

/// A word as a shell has it: what is quoted in it may hold spaces. What follows a quote and is no name is another word.
fn word_length(text: &str) -> usize {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let escape = if rest.starts_with("\\\"") || rest.starts_with("\\'") { 1 } else { 0 };
        if let Some(quote) = rest[escape..].chars().next().filter(|c| QUOTES.contains(c)) {
            match quoted_length(&rest[escape + 1..], quote, escape > 0) {
                Some(length) => at += escape + 1 + length,
                None if at == 0 => return text.len(),
                None => at += escape + 1,
            }
            let next = text[at..].chars().next();
            if next.is_none_or(|c| !is_name(c) && !QUOTES.contains(&c) && c != '\\' && c != '$') {
                return at;
            }
        } else if c.is_whitespace() {
            break;
        } else {
            at += c.len_utf8();
        }
    }
    // Punctuation at the end is the sentence's.
    let trimmed = text[..at].trim_end_matches([';', ',', '.', ')', '}', ']', '&', '|', '"', '\'', '\\']);
    if trimmed.is_empty() { at } else { trimmed.len() }
}

/// How long the rest of a quoted text is with its closing quote; it is escaped where the first one was.
fn quoted_length(text: &str, quote: char, escaped: bool) -> Option<usize> {
    let mut backslashes = 0;
    for (at, c) in text.char_indices() {
        if c == quote && (backslashes == 1 || backslashes % 2 == 0) && (backslashes == 1) == escaped {
            return Some(at + 1);
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
    }
    None
}

/// The user of `user:password@`, and how long both are.
fn login(text: &str) -> Option<(&str, usize)> {
    let authority = &text[..text.find(char::is_whitespace).unwrap_or(text.len())];
    // A password may hold `/` and `@` itself, unescaped: the last `@` counts.
    let (login, _) = authority.rsplit_once('@')?;
    let (user, _) = login.split_once(':')?;
    Some((user, login.len()))
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
