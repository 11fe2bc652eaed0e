//! The changes as a table, as JSON, as ids. Pure.

use serde_json::{Value, json};

use crate::{
    environment::Environment,
    error::{Error, Result},
    names,
    protection::{
        history::Recorded,
        journal::{Entry, Phase},
    },
    ui::{duration, table::Table},
};

/// Raised when a field of the JSON changes its meaning or goes away; new fields don't raise it.
const JSON_VERSION: u32 = 1;

/// How much of a command the table shows.
const COMMAND_WIDTH: usize = 60;

/// A table; nothing at all without changes.
pub(super) fn table(changes: &[Recorded], wide: bool) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let mut headers = vec!["WHEN", "WHO", "VERB", "COMMAND", "REASON", "EXIT"];
    if wide {
        headers.extend(["TOOK", "OBJECT", "FROM", "RECORDED", "ID"]);
    }
    let mut table = Table::new(headers);
    for change in changes {
        let Entry { who, user, host, verb, command, reason, exit, milliseconds, object, id, when, .. } = &change.entry;
        let command = names::shown(&shell_words::join(command));
        let mut cells = vec![
            format!("{when:.0}"),
            names::shown(who.as_ref().unwrap_or(user)),
            names::shown(verb),
            if wide { command } else { cut(&command) },
            names::shown(reason.as_deref().unwrap_or_default()),
            exit.map(|code| code.to_string()).unwrap_or_else(|| unfinished(change).to_owned()),
        ];
        if wide {
            let took = milliseconds.map(|took| duration(std::time::Duration::from_millis(took)));
            cells.extend([
                took.unwrap_or_default(),
                names::shown(object.as_deref().unwrap_or_default()),
                names::shown(&format!("{user}@{host}")),
                sources(change).join(","),
                names::shown(id),
            ]);
        }
        table.row(cells);
    }
    table.render()
}

/// Without an end it was cut short, or still goes on; with an end and no code it went on without kdj.
fn unfinished(change: &Recorded) -> &'static str {
    match change.entry.phase {
        Phase::Begin => "<no end>",
        Phase::End => "<unknown>",
    }
}

fn sources(change: &Recorded) -> Vec<&'static str> {
    [("local", change.local), ("cluster", change.cluster)].into_iter().filter(|(_, has)| *has).map(|it| it.0).collect()
}

/// The beginning of a long text, with an ellipsis.
fn cut(text: &str) -> String {
    if text.chars().count() <= COMMAND_WIDTH {
        return text.to_owned();
    }
    text.chars().take(COMMAND_WIDTH - 1).chain(['…']).collect()
}

/// The ids, one per line.
pub(super) fn names(changes: &[Recorded]) -> String {
    changes.iter().map(|change| format!("{}\n", names::shown(&change.entry.id))).collect()
}

/// The documented shape: `docs/protection.md`.
pub(super) fn json(environment: &Environment, changes: &[Recorded]) -> Result<String> {
    let failed = |error| Error::failed("cannot write JSON").caused_by(error);
    let one = |change: &Recorded| -> Result<Value> {
        let mut value = serde_json::to_value(&change.entry).map_err(failed)?;
        value["recorded"] = json!(sources(change));
        Ok(value)
    };
    let changes = changes.iter().map(one).collect::<Result<Vec<_>>>()?;
    let document = json!({"version": JSON_VERSION, "environment": environment.name, "changes": changes});
    Ok(serde_json::to_string_pretty(&document).map_err(failed)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(id: &str, text: &str) -> Recorded {
        let mut entry: Entry = serde_json::from_value(json!({
            "version": 1, "id": id, "phase": "begin", "when": "2026-07-30T10:00:00.123Z", "environment": "prod",
            "context": "acme-prod", "namespace": "shop", "user": "ada", "host": "laptop", "verb": "manage",
            "command": ["manage.py", "orders_report", text],
        }))
        .unwrap();
        entry.object = Some("pod/web-1".to_owned());
        Recorded { entry, local: true, cluster: false }
    }

    fn changes() -> Vec<Recorded> {
        let mut ended = change("a1", "a b");
        ended.cluster = true;
        let entry = &mut ended.entry;
        entry.phase = Phase::End;
        entry.who = Some("ada@acme.dev".to_owned());
        entry.reason = Some("ticket 7".to_owned());
        (entry.exit, entry.milliseconds) = (Some(3), Some(1500));
        vec![ended, change("b2", &format!("\x1b[2J{}", "x".repeat(60)))]
    }

    #[test]
    fn the_table_says_who_did_what_and_obeys_nobody() {
        insta::assert_snapshot!(table(&changes(), false), @r"
        WHEN                   WHO            VERB     COMMAND                                                        REASON     EXIT
        2026-07-30T10:00:00Z   ada@acme.dev   manage   manage.py orders_report 'a b'                                  ticket 7   3
        2026-07-30T10:00:00Z   ada            manage   manage.py orders_report '\u{1b}[2Jxxxxxxxxxxxxxxxxxxxxxxxxx…   <none>     <no end>
        ");
        insta::assert_snapshot!(table(&changes()[..1], true), @r"
        WHEN                   WHO            VERB     COMMAND                         REASON     EXIT   TOOK    OBJECT      FROM         RECORDED        ID
        2026-07-30T10:00:00Z   ada@acme.dev   manage   manage.py orders_report 'a b'   ticket 7   3      1.5 s   pod/web-1   ada@laptop   local,cluster   a1
        ");
        assert_eq!(table(&[], true), "");
    }

    #[test]
    fn names_are_ids() {
        assert_eq!(names(&changes()), "a1\nb2\n");
    }
}
