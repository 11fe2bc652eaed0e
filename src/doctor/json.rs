//! The report as JSON: `docs/doctor.md` documents the shape.

use serde_json::{Value, json};

use super::{
    check::{About, Check, Subject},
    outcome::{Broke, Status},
    report::{self, Counts},
    run::Done,
    world::World,
};
use crate::error::{Error, Result};

/// Raised when a field of the JSON changes its meaning or goes away; new fields don't raise it.
const JSON_VERSION: u32 = 1;

/// The whole report.
///
/// # Errors
/// Never, as all of it is text and numbers.
pub fn report(world: &World, rows: &[(&Check, &Done)]) -> Result<String> {
    let counts = Counts::of(rows.iter().copied());
    let verdicts = report::verdicts(world, rows);
    let environment = |(name, counts): &(Option<String>, Counts)| {
        let Some(name) = name else { return None };
        Some(json!({"name": name, "good": counts.is_good(), "verdict": counts.verdict(world.part), "counts": counts}))
    };
    written(&json!({
        "version": JSON_VERSION,
        "kdj": env!("CARGO_PKG_VERSION"),
        "good": counts.is_good(),
        "counts": counts,
        "environments": verdicts.iter().filter_map(environment).collect::<Vec<_>>(),
        "checks": rows.iter().map(|(check, done)| of_check(check, done)).collect::<Vec<_>>(),
    }))
}

/// The list of checks.
///
/// # Errors
/// Never, as all of it is text.
pub fn list(abouts: &[About]) -> Result<String> {
    let checks: Vec<Value> = abouts.iter().map(about).collect();
    written(&json!({"version": JSON_VERSION, "kdj": env!("CARGO_PKG_VERSION"), "checks": checks}))
}

fn about(about: &About) -> Value {
    json!({
        "id": about.id,
        "category": about.category(),
        "title": about.title,
        "why": about.why,
        "needs": about.needs,
    })
}

fn of_check(check: &Check, done: &Done) -> Value {
    let mut value = about(&check.about);
    let outcome = &done.outcome;
    let (environment, contexts) = match &check.subject {
        Subject::All => (None, None),
        Subject::Contexts(names) => (None, Some(names.clone())),
        Subject::Environment { name, context } => (Some(name), context.clone().map(|context| vec![context])),
    };
    let key = match outcome.status {
        Status::Pass => "detail",
        Status::Warn | Status::Fail => "problem",
        Status::Skip => "skipped",
    };
    for (name, more) in [
        ("environment", json!(environment)),
        ("contexts", json!(contexts)),
        ("status", json!(outcome.status.name())),
        ("detail", Value::Null),
        ("problem", Value::Null),
        ("skipped", Value::Null),
        (key, json!(outcome.text)),
        ("causes", json!(outcome.causes)),
        ("fixes", json!(outcome.fixes)),
        ("fixable", json!(outcome.safe_fix.is_some())),
        (
            "broke",
            json!(outcome.broke.map(|broke| match broke {
                Broke::TimedOut => "timeout",
                Broke::Panicked => "panic",
            })),
        ),
        ("milliseconds", json!(u64::try_from(done.took.as_millis()).unwrap_or(u64::MAX))),
    ] {
        value[name] = more;
    }
    value
}

fn written(value: &Value) -> Result<String> {
    let text = serde_json::to_string_pretty(value);
    Ok(text.map_err(|error| Error::failed("cannot write JSON").caused_by(error))? + "\n")
}
