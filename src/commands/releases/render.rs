//! The revisions as a table, as JSON, as names. Pure.

use jiff::Timestamp;
use serde_json::json;

use crate::{
    cluster::{Revision, Revisions, TemplateChange},
    error::{Error, Result},
    names,
    ui::{self, table::Table},
};

/// Raised when a field of the JSON changes its meaning or goes away; new fields don't raise it.
const JSON_VERSION: u32 = 1;
/// How many changes a table shows.
const SOME: usize = 4;

/// A table, the newest revision of each role first; what is current is marked.
pub(super) fn table(revisions: &[Revisions], wide: bool, now: Timestamp) -> String {
    let has_cause = wide || revisions.iter().flat_map(|of| &of.all).any(|revision| revision.cause.is_some());
    let mut headers = vec!["ROLE", "REVISION", "STATE", "IMAGE"];
    headers.extend(wide.then_some("DIGEST"));
    headers.extend(["CHANGES"]);
    headers.extend(has_cause.then_some("CAUSE"));
    headers.extend(wide.then_some("NAME"));
    headers.push("AGE");
    let mut table = Table::new(headers);
    for of in revisions {
        for revision in &of.all {
            let mut cells =
                vec![names::shown(&of.role), number(revision), state(revision), names::shown(&revision.image)];
            cells.extend(wide.then(|| revision.image_id.as_deref().map(digest).unwrap_or_default()));
            cells.push(changes(revision.changes.as_deref(), wide));
            cells.extend(has_cause.then(|| names::shown(revision.cause.as_deref().unwrap_or_default())));
            cells.extend(wide.then(|| names::shown(&revision.name)));
            cells.push(revision.created.map(|created| ui::age(created, now)).unwrap_or_default());
            table.row(cells);
        }
    }
    table.render()
}

/// `5 (was 2)`: a template that was gone back to.
fn number(revision: &Revision) -> String {
    let earlier: Vec<String> = revision.earlier.iter().map(ToString::to_string).collect();
    let earlier = if earlier.is_empty() { String::new() } else { format!(" (was {})", earlier.join(", ")) };
    format!("{}{earlier}", revision.number)
}

/// `current, 2/2 ready`; an old one that still has pods is in the middle of a rollout.
fn state(revision: &Revision) -> String {
    match (revision.current, revision.pods, revision.ready) {
        (true, Some(0), _) => "current, no pods".to_owned(),
        (true, Some(pods), Some(ready)) => format!("current, {ready}/{pods} ready"),
        (true, ..) => "current".to_owned(),
        (false, Some(pods), Some(ready)) if pods > 0 => format!("old, {ready}/{pods} ready"),
        (false, ..) => "old".to_owned(),
    }
}

/// The first characters of a digest: `sha256:3f2a9c71d0b4`.
fn digest(image_id: &str) -> String {
    let digest = image_id.rsplit('@').next().unwrap_or(image_id);
    names::shown(&digest.chars().take("sha256:".len() + 12).collect::<String>())
}

fn changes(changes: Option<&[TemplateChange]>, wide: bool) -> String {
    let Some(changes) = changes else { return String::new() };
    let mut texts: Vec<String> = changes.iter().map(|change| names::shown(&change.to_string())).collect();
    let more = texts.len().saturating_sub(SOME);
    if more > 0 && !wide {
        texts.truncate(SOME);
        texts.push(format!("{more} more"));
    }
    texts.join(", ")
}

/// `deployment/web 3`, one per line.
pub(super) fn names(revisions: &[Revisions]) -> String {
    let of = |of: &Revisions| {
        let line = |revision: &Revision| format!("{} {}\n", of.workload, revision.number);
        of.all.iter().map(line).collect::<String>()
    };
    revisions.iter().map(of).collect()
}

/// All of it, as JSON.
///
/// # Errors
/// When it cannot be written as JSON.
pub(super) fn json(environment: &str, revisions: &[Revisions]) -> Result<String> {
    let of = |of: &Revisions| json!({"role": of.role, "workload": of.workload, "revisions": of.all});
    let all: Vec<_> = revisions.iter().map(of).collect();
    let json = json!({"version": JSON_VERSION, "environment": environment, "workloads": all});
    let text = serde_json::to_string_pretty(&json)
        .map_err(|error| Error::failed("cannot write the revisions as JSON").caused_by(error))?;
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::field_reassign_with_default, reason = "its template is its own")]
    fn the_table_says_what_is_current_and_what_each_changed() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let revision = |number: i64, image: &str, current: bool| {
            let mut revision = Revision::default();
            revision.number = number;
            revision.name = format!("web-{number}");
            revision.current = current;
            revision.image = image.to_owned();
            revision.image_id = current.then(|| "registry/shop@sha256:3f2a9c71d0b41234567890".to_owned());
            revision.created = now.checked_sub(jiff::SignedDuration::from_hours(9 - number)).ok();
            revision.pods = Some(usize::from(current) * 2);
            revision.ready = Some(usize::from(current));
            revision
        };
        let image = |from: &str, to: &str| TemplateChange::Image {
            container: "django".to_owned(),
            from: Some(from.to_owned()),
            to: Some(to.to_owned()),
        };
        let variable = |name: &str| TemplateChange::VariableAdded { name: name.to_owned() };
        let mut newest = revision(3, "shop:2", true);
        newest.changes =
            Some(vec![image("shop:1", "shop:2"), variable("A"), variable("B"), variable("C"), variable("D")]);
        let mut second = revision(2, "shop:1", false);
        second.changes = Some(vec![TemplateChange::Restarted]);
        second.earlier = vec![1];
        let all = vec![newest, second, revision(0, "shop:1", false)];
        let web = Revisions { role: "web".to_owned(), workload: "deployment/web".to_owned(), all, no_pods: None };
        let all = [web];
        insta::assert_snapshot!(table(&all, false, now), @"
        ROLE   REVISION    STATE                IMAGE    CHANGES                                      AGE
        web    3           current, 1/2 ready   shop:2   image shop:1 -> shop:2, +A, +B, +C, 1 more   6h
        web    2 (was 1)   old                  shop:1   restart                                      7h
        web    0           old                  shop:1   <none>                                       9h
        ");
        insta::assert_snapshot!(table(&all, true, now), @"
        ROLE   REVISION    STATE                IMAGE    DIGEST                CHANGES                                  CAUSE    NAME    AGE
        web    3           current, 1/2 ready   shop:2   sha256:3f2a9c71d0b4   image shop:1 -> shop:2, +A, +B, +C, +D   <none>   web-3   6h
        web    2 (was 1)   old                  shop:1   <none>                restart                                  <none>   web-2   7h
        web    0           old                  shop:1   <none>                <none>                                   <none>   web-0   9h
        ");
        assert_eq!(names(&all), "deployment/web 3\ndeployment/web 2\ndeployment/web 0\n");
    }
}
