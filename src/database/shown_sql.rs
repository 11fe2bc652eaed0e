//! SQL as it is shown: in one line, without comments, and without the values in it, which may be anybody's data.

/// What stands for a value.
const VALUE: &str = "?";

/// The text without values. A server may have cut it off anywhere. MySQL's double quotes are a text's, PostgreSQL's a
/// name's.
pub fn without_values(sql: &str, server: &str) -> String {
    let mysql = server != "postgresql";
    let mut shown = String::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
        let dollars = if first == '$' && !mysql { dollar_quoted(rest) } else { None };
        let (length, kept) = match first {
            '\'' => (quoted(rest, '\'', mysql || ends_in_escape_prefix(&shown)), Some(VALUE)),
            '"' if mysql => (quoted(rest, '"', true), Some(VALUE)),
            '"' | '`' => (quoted(rest, first, false), None),
            '#' if mysql => (rest.find('\n').unwrap_or(rest.len()), Some(" ")),
            _ if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), Some(" ")),
            _ if rest.starts_with("/*") => (comment(rest, !mysql), Some(" ")),
            _ if first.is_ascii_digit() => (number(rest), Some(VALUE)),
            _ => match dollars {
                Some(length) => (length, Some(VALUE)),
                None => (word.max(first.len_utf8()), None),
            },
        };
        shown.push_str(kept.unwrap_or(&rest[..length]));
        rest = &rest[length..];
    }
    one_line(&shown)
}

/// White space as single spaces.
pub fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The length of what begins with this quote, to its end or the text's. A doubled quote is one of the text.
fn quoted(text: &str, quote: char, backslashes: bool) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && backslashes {
            characters.next();
        } else if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return at + quote.len_utf8();
        }
    }
    text.len()
}

/// The length of `/* ... */`, to its end or the text's. PostgreSQL's may have others in them.
fn comment(text: &str, nested: bool) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") && (nested || depth == 0) {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// Whether a text that begins here is PostgreSQL's `E'...'`.
fn ends_in_escape_prefix(before: &str) -> bool {
    let mut last = before.chars().rev();
    matches!(last.next(), Some('e' | 'E')) && !last.next().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// The length of `$tag$...$tag$`, if it is one; `$1` is a parameter.
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag = &text[..text[1..].find('$')? + 2];
    let inner = &tag[1..tag.len() - 1];
    let name = |c: char| c.is_alphanumeric() || c == '_';
    if !inner.chars().all(name) || inner.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some(text[tag.len()..].find(tag).map_or(text.len(), |end| tag.len() + end + tag.len()))
}

/// The length of a number: `1`, `2.50`, `1e-3`, `0xff`.
fn number(text: &str) -> usize {
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let exponent = matches!((before, character), ('e' | 'E', '-' | '+'));
        if !(character.is_alphanumeric() || "_.".contains(character) || exponent) {
            return at;
        }
        before = character;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_and_names_stay() {
        for (sql, server, expected) in [
            (
                "SELECT *\n  FROM t2 WHERE a = 'it''s' AND b_1=42",
                "postgresql",
                "SELECT * FROM t2 WHERE a = ? AND b_1=?",
            ),
            (
                "select E'a\\'b', 'c\\', \"Co'l\", $1, $$x$$, $q$ $$ $q$",
                "postgresql",
                "select E?, ?, \"Co'l\", $1, ?, ?",
            ),
            ("select 1.5e-3-2, -7, 0xff, col1, x::text", "postgresql", "select ?-?, -?, ?, col1, x::text"),
            ("select /* ada@acme.dev */ 1 -- bob\nfrom t", "postgresql", "select ? from t"),
            ("select /* a /* b */ 'ada' */ c /**/ from t", "postgresql", "select c from t"),
            ("select /* a /* b */ c from t /*/ ada", "mysql", "select c from t"),
            ("update t set a = 'cut off in the mid", "postgresql", "update t set a = ?"),
            ("select 'a\\'b' , \"text\", `na'me` # ada", "mysql", "select ? , ?, `na'me`"),
            ("select a #> '{b}' from t", "postgresql", "select a #> ? from t"),
            ("select 'zürich', ü from straße", "postgresql", "select ?, ü from straße"),
            ("", "mariadb", ""),
            ("$", "postgresql", "$"),
            ("'", "postgresql", "?"),
        ] {
            assert_eq!(without_values(sql, server), expected, "{sql}");
        }
    }

    #[test]
    fn wherever_it_is_cut_off() {
        let sql = "select E'a\\'b', $q$ x $q$, 'it''s', \"n\", `m`, 1.5e-3 /* c /* d' */ */ -- d\nfrom straße";
        for (end, _) in sql.char_indices() {
            for server in ["postgresql", "mysql"] {
                let shown = without_values(&sql[..end], server);
                assert!(!shown.contains("'") && !shown.contains("1.5"), "{shown}");
            }
        }
    }
}
