//! What is dangerous about a plan: squawk's rules for PostgreSQL, in the order of its migrations, and notes of our own.

use std::collections::HashSet;

use serde::Serialize;
use squawk_linter::{Linter, Rule, Violation};
use squawk_syntax::SourceFile;

use super::{
    advice::{advice, is_noise},
    event::MigrationName,
    plan::{Migration, Plan},
    statement::{Subject, subject},
};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Blocks reads or writes for long, loses data, or breaks the code that still runs.
    Dangerous,
    /// Could be better.
    Advice,
    /// To know.
    Note,
}

/// One thing to say about a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// In which.
    pub migration: MigrationName,
    /// squawk's name of the rule, or one of kdj's own: `not-null-without-default`, `python`, `irreversible`,
    /// `not-linted`.
    pub rule: String,
    /// How bad it is.
    pub class: Class,
    /// The table.
    pub table: Option<String>,
    /// The statement.
    pub statement: Option<String>,
    /// What is locked, and against whom.
    pub locks: Option<String>,
    /// Why it hurts.
    pub why: String,
    /// What to do instead.
    pub instead: Option<String>,
}

/// What is to be said about a plan. Its SQL is read for PostgreSQL only.
pub fn lint(plan: &Plan) -> Vec<Finding> {
    let mut new = New::default();
    let mut found = Vec::new();
    for migration in plan.migrations.iter().filter(|migration| !migration.faked) {
        if plan.database.is_postgresql() {
            found.extend(lint_sql(migration, &mut new));
        }
        found.extend(notes(migration));
    }
    found
}

/// What the plan itself has made: nobody uses it yet.
#[derive(Default)]
struct New {
    tables: HashSet<String>,
    indexes: HashSet<String>,
}

impl New {
    fn learn(&mut self, subject: &Subject) {
        let Some(table) = &subject.table else { return };
        match subject.action {
            "CREATE TABLE" => drop(self.tables.insert(table.clone())),
            "DROP TABLE" => drop(self.tables.remove(table)),
            "RENAME TABLE" if self.tables.remove(table) => self.tables.extend(subject.new_name.clone()),
            "CREATE INDEX" if self.tables.contains(table) => self.indexes.extend(subject.index.clone()),
            _ => {}
        }
    }

    fn has(&self, subject: &Subject) -> bool {
        subject.table.as_ref().is_some_and(|table| self.tables.contains(table))
            || subject.index.as_ref().is_some_and(|index| self.indexes.contains(index))
    }
}

/// A statement's place in the text, and what it is about.
struct Statement {
    begin: usize,
    end: usize,
    text: String,
    subject: Subject,
    on_new: bool,
}

fn lint_sql(migration: &Migration, new: &mut New) -> Vec<Finding> {
    // squawk takes a lone statement for one without a transaction.
    let sql = migration.sql.join("\n") + "\nSELECT 1;";
    let file = SourceFile::parse(&sql);
    let statements: Vec<Statement> = statements(&sql)
        .map(|(begin, text)| {
            let subject = subject(text);
            let on_new = new.has(&subject);
            new.learn(&subject);
            Statement { begin, end: begin + text.len(), text: text.trim().to_owned(), subject, on_new }
        })
        .collect();
    let mut linter = Linter::with_default_rules();
    linter.settings.assume_in_transaction = migration.atomic;
    let violations = linter.lint(&file, &sql);
    let mut found: Vec<Finding> = Vec::new();
    for violation in violations.into_iter().filter(|violation| !is_noise(violation.code)) {
        let at = usize::from(violation.text_range.start());
        let statement = statements.iter().find(|statement| (statement.begin..statement.end).contains(&at));
        if statement.is_some_and(|statement| statement.on_new) {
            continue;
        }
        let finding = match (violation.code, statement) {
            (Rule::BanDropDefault, Some(dropped)) => default_dropped(migration, &statements, dropped),
            _ => Some(finding(migration, statement, violation)),
        };
        // A foreign key or a unique constraint is a constraint without NOT VALID, too.
        let said = |other: &Finding| {
            let general = finding.as_ref().is_some_and(|finding| finding.rule == "constraint-missing-not-valid");
            finding.as_ref().is_some_and(|finding| {
                other.statement == finding.statement
                    && (other.rule == finding.rule || general && other.class == Class::Dangerous)
            })
        };
        if !found.iter().any(said) {
            found.retain(|other| {
                !finding.as_ref().is_some_and(|finding| {
                    let general = other.rule == "constraint-missing-not-valid" && finding.class == Class::Dangerous;
                    general && other.statement == finding.statement
                })
            });
            found.extend(finding);
        }
    }
    found
}

/// The statements of a text, each with where it begins. A semicolon within quotes ends none.
fn statements(sql: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut found = Vec::new();
    let (mut begin, mut quote, mut comment) = (0, None, false);
    for (at, character) in sql.char_indices() {
        match (character, quote) {
            ('\n', _) if comment => {
                comment = false;
                begin = at + 1;
            }
            _ if comment => {}
            ('-', None) if sql[begin..at].trim().is_empty() && sql[at..].starts_with("--") => comment = true,
            (';', None) => {
                found.push((begin, &sql[begin..=at]));
                begin = at + 1;
            }
            (character, Some(open)) if character == open => quote = None,
            ('\'' | '"', None) => quote = Some(character),
            _ => {}
        }
    }
    if !comment {
        found.push((begin, &sql[begin..]));
    }
    found.into_iter().filter(|(_, text)| !text.trim().is_empty())
}

fn finding(migration: &Migration, statement: Option<&Statement>, violation: Violation) -> Finding {
    let advice = advice(violation.code);
    Finding {
        migration: migration.name.clone(),
        rule: violation.code.to_string(),
        class: advice.as_ref().map_or(Class::Advice, |advice| advice.class),
        table: statement.and_then(|statement| statement.subject.table.clone()),
        statement: statement.map(|statement| statement.text.clone()),
        locks: advice.as_ref().and_then(|advice| advice.locks).map(str::to_owned),
        why: advice.as_ref().map_or(violation.message, |advice| advice.why.to_owned()),
        instead: advice.map(|advice| advice.instead.to_owned()).or(violation.help),
    }
}

/// Django adds a column with its default and takes the default away at once: the code that still runs does not know
/// the column and writes NULL.
fn default_dropped(migration: &Migration, statements: &[Statement], dropped: &Statement) -> Option<Finding> {
    let of_column = |other: &&Statement| {
        let (other, subject) = (&other.subject, &dropped.subject);
        other.action == "ADD COLUMN" && other.table == subject.table && other.column == subject.column
    };
    let added = statements.iter().find(of_column)?;
    added.subject.not_null.then(|| Finding {
        migration: migration.name.clone(),
        rule: "not-null-without-default".to_owned(),
        class: Class::Dangerous,
        table: dropped.subject.table.clone(),
        statement: Some(added.text.clone()),
        locks: None,
        why: "Django drops the default at once, so the code that still runs cannot insert: it leaves the column out"
            .to_owned(),
        instead: Some("`db_default` (Django 5.0), or `null=True` until the new code runs everywhere".to_owned()),
    })
}

fn notes(migration: &Migration) -> Vec<Finding> {
    let note = |rule: &str, class, why: String, instead: Option<&str>| Finding {
        migration: migration.name.clone(),
        rule: rule.to_owned(),
        class,
        table: None,
        statement: None,
        locks: None,
        why,
        instead: instead.map(str::to_owned),
    };
    let mut found = Vec::new();
    for operation in &migration.operations {
        if operation.is_python() {
            let function = operation.python.as_deref().unwrap_or("a function");
            let back = if operation.reversible { "can be reversed" } else { "cannot be reversed" };
            let why = format!("runs {function} in Python, which no lint reads; it {back}");
            found.push(note("python", Class::Note, why, None));
        } else if !operation.reversible {
            let why = format!("{}: cannot be reversed", operation.describe);
            found.push(note("irreversible", Class::Note, why, None));
        }
    }
    if migration.reversal && !migration.is_reversible() {
        let why = "it is to be reversed and cannot be: Django will refuse".to_owned();
        found.push(note("irreversible", Class::Dangerous, why, Some("`--fake`, once its effects are undone by hand")));
    }
    if let Some(reason) = &migration.no_sql {
        let why = format!("its SQL is not known in full before it runs: {reason}");
        found.push(note("not-linted", Class::Note, why, None));
    }
    found
}
