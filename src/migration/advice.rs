//! What the rules that matter for Django's SQL mean, in words for who wrote the migration.

use squawk_linter::Rule;

use super::lint::Class;

/// What a rule means.
pub struct Advice {
    /// How bad it is.
    pub class: Class,
    /// What is locked, and against whom.
    pub locks: Option<&'static str>,
    /// Why it hurts.
    pub why: &'static str,
    /// What to do instead.
    pub instead: &'static str,
}

/// Its advice, for a rule that has some.
pub fn advice(rule: Rule) -> Option<Advice> {
    use Class::{Advice as Advise, Dangerous};
    let row = |class, locks, why, instead| Some(Advice { class, locks, why, instead });
    match rule {
        Rule::RequireConcurrentIndexCreation => row(
            Dangerous,
            Some("writes to the table, until the index is built"),
            "on a large table that takes minutes",
            "`AddIndexConcurrently` from django.contrib.postgres.operations, in a migration with `atomic = False`",
        ),
        Rule::RequireConcurrentIndexDeletion => row(
            Advise,
            Some("reads and writes, for a moment, once every query on the table has ended"),
            "queries queue up behind the wait",
            "`RemoveIndexConcurrently`, in a migration with `atomic = False`",
        ),
        Rule::BanConcurrentIndexCreationInTransaction => row(
            Dangerous,
            None,
            "PostgreSQL refuses CONCURRENTLY within a transaction, so the migration fails",
            "`atomic = False` in the migration",
        ),
        Rule::AddingNotNullableField => row(
            Dangerous,
            Some("reads and writes, while the whole table is scanned"),
            "and the running code may still write NULL",
            "a CHECK constraint with `AddConstraintNotValid`, `ValidateConstraint` in a later migration, then `null=False`",
        ),
        Rule::AddingRequiredField => row(
            Dangerous,
            None,
            "it fails unless the table is empty, and the running code does not fill the column",
            "`null=True` first, or `db_default` (Django 5.0)",
        ),
        Rule::AddingFieldWithDefault => row(
            Dangerous,
            Some("reads and writes, while the whole table is rewritten"),
            "the default differs from row to row, or the column is generated",
            "add it with `null=True`, fill it in batches, then set the default",
        ),
        Rule::AddingSerialPrimaryKeyField => row(
            Dangerous,
            Some("reads and writes, while the index of the primary key is built"),
            "on a large table that takes minutes",
            "build a unique index concurrently first, and make the key from it with `RunSQL`",
        ),
        Rule::ChangingColumnType => row(
            Dangerous,
            Some("reads and writes, while the whole table is rewritten"),
            "and the running code expects the old type; a longer varchar, or text in its place, needs no rewrite",
            "a new column, filled in batches; the code moves to it; the old one goes in a later release",
        ),
        Rule::AddingForeignKeyConstraint => row(
            Dangerous,
            Some("writes to both tables, while every row is checked"),
            "the table referred to is locked as well",
            "`db_constraint=False` first; then the constraint NOT VALID with `RunSQL`, and VALIDATE in a later migration",
        ),
        Rule::ConstraintMissingNotValid => row(
            Dangerous,
            Some("writes to the table, while every row is checked"),
            "and the running code may still write what the constraint refuses",
            "`AddConstraintNotValid` from django.contrib.postgres.operations, then `ValidateConstraint` in a later migration",
        ),
        Rule::DisallowedUniqueConstraint => row(
            Dangerous,
            Some("reads and writes, while the index behind it is built"),
            "and it fails where values occur twice",
            "a unique index built concurrently, then the constraint USING INDEX, with `RunSQL` and \
             `SeparateDatabaseAndState`",
        ),
        Rule::RenamingColumn => row(
            Dangerous,
            None,
            "the running code still asks for the old name and fails until the rollout is over",
            "`db_column` with the old name; or a new column, and both written for a release",
        ),
        Rule::RenamingTable => row(
            Dangerous,
            None,
            "the running code still asks for the old name and fails until the rollout is over",
            "`db_table` with the old name",
        ),
        Rule::BanDropColumn => row(
            Dangerous,
            None,
            "the data is lost, and the running code still selects the column and fails",
            "remove the field from the state with `SeparateDatabaseAndState`, and drop the column a release later",
        ),
        Rule::BanDropTable => row(
            Dangerous,
            None,
            "the data is lost, and the running code may still use the table",
            "remove the model from the state with `SeparateDatabaseAndState`, and drop the table a release later",
        ),
        Rule::BanDropDatabase | Rule::BanDropSchema | Rule::BanTruncateCascade => {
            row(Dangerous, None, "the data is lost", "a copy of it first")
        }
        Rule::RequireConcurrentReindex => row(
            Dangerous,
            Some("writes to the table, while the index is built anew"),
            "on a large table that takes minutes",
            "REINDEX CONCURRENTLY, in a migration with `atomic = False`",
        ),
        Rule::RequireConcurrentPartitionDetach => row(
            Dangerous,
            Some("reads and writes of the whole partitioned table"),
            "queries queue up behind it",
            "DETACH PARTITION … CONCURRENTLY, in a migration with `atomic = False`",
        ),
        Rule::BanDropNotNull => {
            row(Advise, None, "the running code may not expect NULL", "release code that reads NULL first")
        }
        _ => None,
    }
}

/// Whether a rule says nothing here: matters of taste, what Django's SQL always does, and what kdj sees to.
pub fn is_noise(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::PreferBigintOverInt
            | Rule::PreferBigintOverSmallint
            | Rule::PreferIdentity
            | Rule::PreferRepack
            | Rule::PreferRobustStmts
            | Rule::PreferTextField
            | Rule::PreferTimestampTz
            | Rule::BanCharField
            | Rule::IdentifierTooLong
            | Rule::UnusedIgnore
            | Rule::RequireTimeoutSettings
            | Rule::RequireLockTimeout
            | Rule::RequireStatementTimeout
            | Rule::RequireTableSchema
            | Rule::BanUncommittedTransaction
    )
}
