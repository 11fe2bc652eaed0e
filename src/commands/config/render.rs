//! What a container is given, and what differs, as tables and as JSON. Pure.

use serde_json::{Value, json};

use crate::{
    cluster::{Given, Origin},
    configuration::{Difference, Differs, Entry, Kind, Shown, Side, shown},
    error::{Error, Result},
    names,
    ui::{style::sanitize, table::Table},
};

/// Raised when a field of the JSON changes its meaning or goes away; new fields don't raise it.
const JSON_VERSION: u32 = 1;
/// How much of a value a table shows.
const WIDTH: usize = 60;

/// Three tables: of facts, of variables, of files.
pub(super) fn tables(side: &Side, wide: bool) -> String {
    let mut facts = Table::new(["FACT", "VALUE"]);
    for (name, value) in side.facts() {
        facts.row([name.to_owned(), sanitize(&value)]);
    }
    let mut headers = vec!["VARIABLE", "VALUE", "ORIGIN"];
    headers.extend(wide.then_some("INSTEAD OF"));
    let mut variables = Table::new(headers);
    for given in &side.configuration.variables {
        let origins: Vec<String> = given.overrides.iter().map(origin).collect();
        let cells = [names::shown(&given.name), cell(&shown(given), wide), origin(&given.origin)];
        variables.row(cells.into_iter().chain(wide.then(|| origins.join(", "))));
    }
    let mut files = Table::new(["FILE", "ORIGIN"]);
    for given in &side.configuration.files {
        let state = match shown(given) {
            Shown::Missing => "   <missing>",
            Shown::Unread => "   <not read>",
            _ => "",
        };
        files.row([names::shown(&given.name), format!("{}{state}", origin(&given.origin))]);
    }
    let given = [(true, facts), (!side.configuration.variables.is_empty(), variables)];
    let all = given.into_iter().chain([(!side.configuration.files.is_empty(), files)]);
    let tables: Vec<String> = all.filter(|(some, _)| *some).map(|(_, table)| table.render()).collect();
    tables.join("\n")
}

/// A table of what differs.
pub(super) fn differences(names: &[String; 2], found: &[Difference], wide: bool) -> String {
    let [left, right] = names.each_ref().map(|name| names::shown(name).replace(' ', "_").to_uppercase());
    let mut table = Table::new(["KIND".to_owned(), "NAME".to_owned(), left, right]);
    for difference in found {
        let side = |entry: &Option<Entry>, absent: &str| {
            let Some(entry) = entry else { return absent.to_owned() };
            let from = entry.origin.as_ref().filter(|_| wide || !matches!(entry.shown, Shown::Plain(_)));
            let from = from.map(|it| format!(" ({})", origin(it))).unwrap_or_default();
            format!("{}{from}", cell(&entry.shown, wide))
        };
        // What was not read may have it.
        let absent = if difference.differs == Differs::Unknown { "<not known>" } else { "" };
        let kind = match difference.kind {
            Kind::Fact => "fact",
            Kind::Variable => "variable",
            Kind::File => "file",
        };
        let sides = [side(&difference.left, absent), side(&difference.right, absent)];
        table.row([kind.to_owned(), names::shown(&difference.name)].into_iter().chain(sides));
    }
    table.render()
}

fn origin(origin: &Origin) -> String {
    names::shown(&origin.to_string())
}

/// A value in a table: in one line, and cut unless the table is wide.
fn cell(shown: &Shown, wide: bool) -> String {
    match shown {
        Shown::Plain(text) | Shown::Redacted(text) if text.is_empty() => "\"\"".to_owned(),
        Shown::Plain(text) | Shown::Redacted(text) => {
            let text = names::shown(text);
            match text.char_indices().nth(WIDTH) {
                Some((end, _)) if !wide => format!("{}…", &text[..end]),
                _ => text,
            }
        }
        Shown::Hidden => "<hidden>".to_owned(),
        Shown::Missing => "<missing>".to_owned(),
        Shown::Unread => "<not read>".to_owned(),
        Shown::Elsewhere => "<set by the cluster>".to_owned(),
    }
}

/// What a container is given, as JSON.
///
/// # Errors
/// When it cannot be written as JSON.
pub(super) fn json(environment: &str, side: &Side) -> Result<String> {
    let configuration = &side.configuration;
    let versions = side.versions.as_ref();
    let given = |given: &Given| {
        let mut json = serde_json::to_value(shown(given)).unwrap_or_default();
        json["name"] = json!(given.name);
        json["origin"] = json!(given.origin);
        json["overrides"] = json!(given.overrides);
        json
    };
    text(&json!({
        "version": JSON_VERSION,
        "environment": environment,
        "role": configuration.role,
        "workload": configuration.workload,
        "container": configuration.container,
        "image": configuration.image,
        "pod": versions.map(|it| &it.pod),
        "image_id": versions.map(|it| &it.image_id),
        "settings_module": versions.and_then(|it| it.settings.as_ref()),
        "python": versions.map(|it| &it.python),
        "django": versions.map(|it| &it.django),
        "variables": configuration.variables.iter().map(given).collect::<Vec<_>>(),
        "files": configuration.files.iter().map(given).collect::<Vec<_>>(),
        "notes": configuration.notes,
    }))
}

/// What differs, as JSON.
///
/// # Errors
/// When it cannot be written as JSON.
pub(super) fn differences_json(names: &[String; 2], found: &[Difference]) -> Result<String> {
    text(
        &json!({"version": JSON_VERSION, "left": names[0], "right": names[1], "equal": found.is_empty(), "differences": found}),
    )
}

fn text(json: &Value) -> Result<String> {
    let text = serde_json::to_string_pretty(json)
        .map_err(|error| Error::failed("cannot write the configuration as JSON").caused_by(error))?;
    Ok(text + "\n")
}
