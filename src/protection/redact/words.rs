//! Words that are secret by the words before them: `--token x`, `-u ada:x`, `mysql -px`, `set_password ada x`; and code.

use std::mem;

use super::{CODE, REDACTED, has_secret_part, is_secret_name, snake};

const MYSQL: [&str; 5] = ["mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump"];
/// Programs whose next word after this flag is a password.
const PASSWORD_FLAGS: [(&str, &str); 11] = [
    ("login", "-p"),
    ("sshpass", "-p"),
    ("mongo", "-p"),
    ("mongosh", "-p"),
    ("mongodump", "-p"),
    ("mongorestore", "-p"),
    ("mongoexport", "-p"),
    ("mongoimport", "-p"),
    ("redis-cli", "-a"),
    ("valkey-cli", "-a"),
    ("ldapsearch", "-w"),
];
/// Programs that take code by `-c`, `-e`, `--command`, ...; and those of MySQL.
const CODE_PROGRAMS: [&str; 7] = ["psql", "shell", "shell_plus", "dbshell", "mongo", "mongosh", "node"];
const CODE_FLAGS: [&str; 5] = ["--command", "--execute", "--eval", "-c", "-e"];
/// Their words are names of apps and migrations.
const MIGRATION_COMMANDS: [&str; 4] = ["migrate", "sqlmigrate", "showmigrations", "makemigrations"];

/// What the word after this one is.
#[derive(Clone, Copy, Default)]
enum Follows {
    #[default]
    Nothing,
    Secret,
    /// `user:password`.
    Login,
    Code,
}

/// A command as far as it was read.
pub(super) struct Command {
    /// The rules for words of its own kind, for text within a word.
    inner: fn() -> Command,
    follows: Follows,
    /// The program's flag before a password.
    password_flag: Option<&'static str>,
    mysql: bool,
    code: bool,
    /// Whether the words after one that names a secret are taken, as in `set_password ada x`. A sentence would lose its
    /// sense.
    positional: bool,
    /// Whether such a word has come.
    named: bool,
}

impl Command {
    pub(super) fn of_words() -> Self {
        Self { positional: true, ..Self::of(Self::of_words) }
    }

    pub(super) fn of_a_sentence() -> Self {
        Self::of(Self::of_a_sentence)
    }

    fn of(inner: fn() -> Command) -> Self {
        let follows = Follows::Nothing;
        Self { inner, follows, password_flag: None, mysql: false, code: false, positional: false, named: false }
    }

    /// The next word without what looks secret; values beside their names are gone already.
    pub(super) fn word(&mut self, word: &str) -> String {
        let (open, bare, close) = unquoted(word);
        match mem::take(&mut self.follows) {
            Follows::Secret => {
                // Two flags in a row: which one is the other's value nobody can tell.
                if matches!(self.after(bare), Follows::Secret) {
                    self.follows = Follows::Secret;
                }
                return if is_redacted(bare) { word.to_owned() } else { REDACTED.to_owned() };
            }
            Follows::Code => return CODE.to_owned(),
            Follows::Login => {
                if let Some(login) = login(bare) {
                    return format!("{open}{login}{close}");
                }
            }
            Follows::Nothing => {}
        }
        self.follows = self.after(bare);
        let is_separator = bare.chars().all(|c| matches!(c, '&' | '|' | ';'));
        let taken = self.named && !is_separator && !bare.starts_with('-') && !is_redacted(bare);
        let ends = is_separator || bare.ends_with(';');
        self.named = !ends && (self.named || self.positional && names_a_secret(bare));
        if taken {
            return REDACTED.to_owned();
        }
        let clean = self.glued(bare).unwrap_or_else(|| line(bare, self.inner));
        format!("{open}{clean}{close}")
    }

    /// What follows the word, and what it says of those that come.
    fn after(&mut self, word: &str) -> Follows {
        let program = word.rsplit(['/', '(', '`', ';', '|', '&', '=']).next().unwrap_or(word);
        if MIGRATION_COMMANDS.contains(&program) {
            self.positional = false;
        }
        self.mysql |= MYSQL.contains(&program);
        if let Some((_, flag)) = PASSWORD_FLAGS.iter().find(|(known, _)| *known == program) {
            self.password_flag = Some(flag);
        }
        if CODE_PROGRAMS.contains(&program) || MYSQL.contains(&program) || program.starts_with("python") {
            self.code = true;
        } else if program.ends_with(".py") {
            // Its `-c` is its own.
            self.code = false;
        }
        let Some(flag) = word.strip_prefix('-') else {
            let name = word.strip_suffix(':').filter(|name| is_secret_name(name));
            return if name.is_some() { Follows::Secret } else { Follows::Nothing };
        };
        if self.code && (CODE_FLAGS.contains(&word) || is_cluster_before_code(flag)) {
            return Follows::Code;
        }
        if self.password_flag == Some(word) {
            return Follows::Secret;
        }
        match flag {
            "u" | "-user" | "-proxy-user" => Follows::Login,
            _ if flag.starts_with("-no-") || word.contains(['=', ':', ' ']) => Follows::Nothing,
            _ if is_secret_name(flag) => Follows::Secret,
            _ => Follows::Nothing,
        }
    }

    /// A flag and its value in one word.
    fn glued(&self, word: &str) -> Option<String> {
        let flag = self.password_flag.or(self.mysql.then_some("-p"));
        if let Some(flag) = flag.filter(|flag| word.len() > flag.len() && word.starts_with(flag)) {
            return Some(format!("{flag}{REDACTED}"));
        }
        for flag in ["-u", "--user=", "--proxy-user="] {
            if let Some(login) = word.strip_prefix(flag).and_then(login) {
                return Some(format!("{flag}{login}"));
            }
        }
        let code = |flag: &&str| match flag.starts_with("--") {
            true => word.strip_prefix(*flag).is_some_and(|rest| rest.starts_with('=')),
            false => word.len() > 2 && word.starts_with(*flag),
        };
        let flag = CODE_FLAGS.iter().find(|flag| self.code && code(flag))?;
        let sign = if flag.starts_with("--") { "=" } else { "" };
        Some(format!("{flag}{sign}{CODE}"))
    }
}

/// A text as the words of a command. `command` begins one.
pub(super) fn line(text: &str, command: fn() -> Command) -> String {
    if !text.contains(char::is_whitespace) {
        return text.to_owned();
    }
    let mut command = command();
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.trim_start();
        clean.push_str(&rest[..rest.len() - word.len()]);
        let (word, after) = word.split_at(word_end(word));
        // The whole text as one word would be read for ever.
        if word.len() == text.len() {
            return text.to_owned();
        }
        if !word.is_empty() {
            clean.push_str(&command.word(word));
        }
        rest = after;
    }
    clean
}

/// Where the first word of a text ends. A quote that is not closed is none.
fn word_end(text: &str) -> usize {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            break;
        }
        at += c.len_utf8();
        if matches!(c, '"' | '\'') {
            at += text[at..].find(c).map_or(0, |end| end + 1);
        }
    }
    at
}

/// The quotes round a word, and the word.
fn unquoted(word: &str) -> (&str, &str, &str) {
    let quote = word.chars().next().filter(|c| matches!(c, '"' | '\'') && word.len() > 1 && word.ends_with(*c));
    match quote {
        Some(_) => (&word[..1], &word[1..word.len() - 1], &word[word.len() - 1..]),
        None => ("", word, ""),
    }
}

/// `-Atc`: flags of one letter, the last of which takes code.
fn is_cluster_before_code(flag: &str) -> bool {
    flag.ends_with(['c', 'e']) && !flag.starts_with(['c', 'e']) && flag.chars().all(|c| c.is_ascii_alphabetic())
}

/// `set_password`, `aws_secret_access_key`: no path, and no word of everyday.
fn names_a_secret(word: &str) -> bool {
    let is_name = word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    is_name && !word.starts_with('-') && word != "pwd" && has_secret_part(&snake(word))
}

/// `user:password` without the password.
fn login(word: &str) -> Option<String> {
    let (user, password) = word.split_once(':')?;
    (!password.starts_with("//")).then(|| format!("{user}:{REDACTED}"))
}

fn is_redacted(word: &str) -> bool {
    word.trim_matches(|c: char| !c.is_alphanumeric()) == "redacted"
}
