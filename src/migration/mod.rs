//! What a migration would do, what is dangerous about it, how it goes and what came of it. Pure: text in, values out.
//!
//! Two scripts run in the container (`src/django/plan.py`, `src/django/migrate.py`) and print lines of JSON among
//! whatever else the project prints. Their shapes are the interface; a field more is no new version.
//!
//! One line `kdj-plan: {…}`, a [`Plan`]:
//!
//! ```text
//! {"version": 1, "django": "5.2.19", "command": "django.core",
//!  "database": {"alias": "default", "vendor": "postgresql", "name": "shop", "host": "db", "port": "5432",
//!               "identity": "dca6d9b62d8c08ec"},
//!  "migrations": [{"app": "shop", "name": "0012_colour", "reversal": false, "atomic": true, "faked": false,
//!    "initial": false, "sql": ["ALTER TABLE …;"], "no_sql": null,
//!    "operations": [{"kind": "AddField", "describe": "Add field colour to item", "reversible": true, "sql": true,
//!                    "python": null}]}],
//!  "error": null | {"kind": "conflicts", "message": "…"}}
//! ```
//!
//! The kinds of error: `unknown-database`, `unknown-app`, `app-without-migrations`, `unknown-migration`,
//! `ambiguous-migration`, `conflicts`, `inconsistent-history`, `broken-graph`, `database`, `exception`. The script
//! ends with 1 then. `no_sql` is why a migration's SQL is missing or not complete.
//!
//! Lines `kdj-migrate: {…}`, an [`Event`](event::Event) each. All have `event` and `time` (the container's clock, Unix seconds):
//!
//! ```text
//! started      database, lock_timeout (ms, 0: none), total, migrations: [{app, name, reversal, atomic}]
//! applying     app, name, reversal, index (from 1), fake, atomic
//! waiting      app, name, reversal, index, seconds, blockers: [session]; no blockers: it waits no longer
//! retry        app, name, reversal, index, retry, of, pause (s), blockers
//! applied      app, name, reversal, index, seconds, faked, retries
//! finishing    all are applied, signals after them run
//! note         message
//! busy         holder: session | null, message                                      exit code 75
//! interrupted  signal, applied, app … recorded as in failed                         exit code 1
//! failed       kind: exception | lock | refused, exception, message, applied; when in one: app, name, reversal, index,
//!              atomic, recorded (true, false, null: unknown), blockers              exit code 1
//! done         applied: [{app, name, reversal, seconds, faked}], seconds            exit code 0
//! ```
//!
//! A session is `{pid, application_name, user, state, query_seconds, transaction_seconds}`, with null for what the
//! database's rights hide; pid 0 is a prepared transaction. `recorded` says whether the database has it as applied:
//! a reversal that failed is still recorded.

mod advice;
mod event;
mod lint;
mod plan;
mod progress;
mod receipt;
mod statement;
#[cfg(test)]
mod tests;

pub use self::{
    lint::{Class, Finding, lint},
    plan::{Database, Plan, PlanProblem, find_plan},
    progress::{News, Progress},
    receipt::{About, Outcome, Receipt},
};
