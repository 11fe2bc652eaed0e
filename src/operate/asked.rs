//! What `kdj scale` is asked for: `web=3`, `web+1`, `celery-mail-2`.

/// How many replicas a role is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The role, or workload, as it was typed.
    pub role: String,
    /// How many.
    pub to: To,
}

/// A number of replicas, or a change of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// As many.
    Exactly(i32),
    /// So many more than there are.
    More(i32),
    /// So many fewer.
    Fewer(i32),
}

impl To {
    /// The number of replicas, where there are `from`; `None` when it is less than none or more than can be.
    pub fn of(self, from: i32) -> Option<i32> {
        let to = match self {
            To::Exactly(number) => Some(number),
            To::More(number) => from.checked_add(number),
            To::Fewer(number) => from.checked_sub(number),
        };
        to.filter(|to| *to >= 0)
    }
}

impl Asked {
    /// Reads a word. Names of roles may contain dashes and end in digits: `=` is looked for first, and of the others the
    /// last one counts.
    ///
    /// # Errors
    /// When it names no role, or no number.
    pub fn parse(word: &str) -> Result<Self, String> {
        let forms = "ROLE=N, ROLE+N or ROLE-N is expected";
        let (role, number, to): (_, _, fn(i32) -> To) = if let Some((role, number)) = word.rsplit_once('=') {
            (role, number, To::Exactly)
        } else if let Some((role, number)) = word.rsplit_once('+') {
            (role, number, To::More)
        } else if let Some((role, number)) = word.rsplit_once('-').filter(|(_, number)| is_number(number)) {
            (role, number, To::Fewer)
        } else {
            return Err(format!("it says no number: {forms}"));
        };
        if role.is_empty() {
            return Err(format!("it names no role: {forms}"));
        }
        if !is_number(number) {
            return Err(format!("`{number}` is no number: {forms}"));
        }
        let number = number.parse().map_err(|_| format!("`{number}` is more than can be"))?;
        Ok(Self { role: role.to_owned(), to: to(number) })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_role_and_a_number() {
        for (word, role, to) in [
            ("web=3", "web", To::Exactly(3)),
            ("web=0", "web", To::Exactly(0)),
            ("web+1", "web", To::More(1)),
            ("web-1", "web", To::Fewer(1)),
            ("celery-mail=2", "celery-mail", To::Exactly(2)),
            ("celery-mail+2", "celery-mail", To::More(2)),
            ("celery-mail-2", "celery-mail", To::Fewer(2)),
            ("worker-2=3", "worker-2", To::Exactly(3)),
            ("worker-2+1", "worker-2", To::More(1)),
            ("worker-2-1", "worker-2", To::Fewer(1)),
            ("worker-2", "worker", To::Fewer(2)),
            ("deployment/web-blue=2", "deployment/web-blue", To::Exactly(2)),
        ] {
            assert_eq!(Asked::parse(word), Ok(Asked { role: role.to_owned(), to }), "{word}");
        }
    }

    #[test]
    fn anything_else_says_what_is_missing() {
        for (word, expected) in [
            ("web", "it says no number"),
            ("celery-mail", "it says no number"),
            ("=3", "it names no role"),
            ("-3", "it names no role"),
            ("web=", "`` is no number"),
            ("web=two", "`two` is no number"),
            ("web=-1", "`-1` is no number"),
            ("web+", "`` is no number"),
            ("web=1.5", "`1.5` is no number"),
            ("web=99999999999", "`99999999999` is more than can be"),
        ] {
            let error = Asked::parse(word).unwrap_err();
            assert!(error.starts_with(expected), "{word}: {error}");
        }
    }

    #[test]
    fn a_change_counts_from_what_there_is() {
        for (to, from, expected) in [
            (To::Exactly(3), 9, Some(3)),
            (To::More(2), 3, Some(5)),
            (To::Fewer(2), 3, Some(1)),
            (To::Fewer(3), 3, Some(0)),
            (To::Fewer(4), 3, None),
            (To::More(i32::MAX), 1, None),
        ] {
            assert_eq!(to.of(from), expected, "{to:?} {from}");
        }
    }
}
