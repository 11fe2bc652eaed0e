//! How kdj is called for a command to type next: by the name and with the global flags it was called with, without which
//! that command would mean another place, or be another user's.

use std::iter::once;

/// What every command of kdj begins with in hints and fixes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// What is typed for kdj, where that is not `kdj`.
    name: Option<&'static str>,
    /// The flags, each with its value.
    flags: Vec<(&'static str, String)>,
}

impl Invocation {
    /// By this name; `None` is `kdj`.
    pub fn called(name: Option<&'static str>) -> Self {
        Self { name, flags: Vec::new() }
    }

    /// The same with one flag more.
    pub fn flag(mut self, flag: &'static str, value: impl Into<String>) -> Self {
        self.flags.push((flag, value.into()));
        self
    }

    /// `kdj --context acme`, as a shell takes it.
    pub fn program(&self) -> String {
        self.before("")
    }

    /// The same without these flags.
    pub fn without(mut self, flags: &[&str]) -> Self {
        self.flags.retain(|(flag, _)| !flags.contains(flag));
        self
    }

    /// The same without any flags.
    pub fn by_name(&self) -> Self {
        Self::called(self.name)
    }

    /// A text in which the commands in backticks that begin with `kdj` are as they have to be typed.
    pub fn in_text(&self, text: &str) -> String {
        const COMMAND: &str = "`kdj";
        if *self == Self::default() {
            return text.to_owned();
        }
        let mut parts = text.split(COMMAND);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, rest| match rest.starts_with([' ', '\n']) {
            true => format!("{text}`{}{rest}", self.before(rest[1..].split('`').next().unwrap_or_default())),
            false => format!("{text}{COMMAND}{rest}"),
        })
    }

    /// The same for a page, where commands stand in lines of their own, too, with blanks in front.
    pub fn in_page(&self, text: &str) -> String {
        let line = |line: &str| {
            let typed = line.trim_start();
            match typed.strip_prefix("kdj ") {
                Some(words) if typed.len() < line.len() => {
                    format!("{}{} {words}", &line[..line.len() - typed.len()], self.before(words))
                }
                _ => line.to_owned(),
            }
        };
        self.in_text(text).split_inclusive('\n').map(line).collect()
    }

    /// What stands before these words of a command, without the flags that it has already.
    fn before(&self, words: &str) -> String {
        let own = words.split(" -- ").next().unwrap_or_default();
        let has = |flag: &str| {
            let long = if flag == "-n" { "--namespace" } else { flag };
            own.split(' ').any(|word| word == flag || word == long || word.starts_with(&format!("{long}=")))
        };
        let flags = self.flags.iter().filter(|(flag, _)| !has(flag));
        let flags = flags.map(|(flag, value)| format!("{flag} {}", shell_words::quote(value)));
        once(self.name.unwrap_or("kdj").to_owned()).chain(flags).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_to_type_next_keep_the_flags() {
        let plain = "`kdj doctor qa` says more; kdj cannot";
        assert_eq!(Invocation::default().in_text(plain), plain);
        let called = Invocation::called(Some("kubectl kdj"));
        assert_eq!(called.in_text(plain), "`kubectl kdj doctor qa` says more; kdj cannot");
        let called = Invocation::called(None).flag("--context", "acme prod").flag("-n", "shop");
        assert_eq!(called.program(), "kdj --context 'acme prod' -n shop");
        assert_eq!(
            called.in_text(&format!("{plain}, or `kdj init --context C`")),
            "`kdj --context 'acme prod' -n shop doctor qa` says more; kdj cannot, or `kdj -n shop init --context C`"
        );
        assert_eq!(called.in_text("`kubectl get pods`"), "`kubectl get pods`");
        let own = "`kdj shell qa --namespace=x --context=y -- head -n 5`";
        assert_eq!(called.in_text(own), own);
        assert_eq!(
            called.in_text("`kdj shell qa -- head -n 5`"),
            "`kdj --context 'acme prod' -n shop shell qa -- head -n 5`"
        );
    }

    #[test]
    fn commands_of_a_page_are_found_and_other_words_are_left() {
        let page = "kdj knows `kdj.toml`.\n\n    kdj envs\n      kdj shell qa  # kdj there\n\nType `kdj\nhelp` or `kdj doctor qa`.\n";
        let named = "kdj knows `kdj.toml`.\n\n    kubectl kdj envs\n      kubectl kdj shell qa  # kdj there\n\nType `kubectl kdj\nhelp` or `kubectl kdj doctor qa`.\n";
        let called = Invocation::called(Some("kubectl kdj"));
        assert_eq!(called.in_page(page), named);
        assert_eq!(Invocation::default().in_page(page), page);
        assert_eq!(called.in_text("`kdj envs`\n  kdj envs"), "`kubectl kdj envs`\n  kdj envs");
        assert_eq!(called.clone().flag("-n", "shop").by_name(), called);
        assert_eq!(called.clone().flag("-n", "shop").without(&["-n"]), called);
    }
}
