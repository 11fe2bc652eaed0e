//! The list as a table, as lines with origins, as JSON, as names. Pure.

use serde_json::{Value, json};

use crate::{
    commands::envs::live::{Row, State},
    config::{Origin, Sourced},
    environment::{Listed, SessionMode},
    error::{Error, Result},
    names,
    ui::{style::sanitize, table::Table},
};

/// Raised when a field of the JSON changes its meaning or goes away; new fields don't raise it.
const JSON_VERSION: u32 = 1;

const HEADERS: [&str; 7] = ["NAME", "CONTEXT", "NAMESPACE", "INSTANCE", "PROTECTED", "SESSION", "ORIGIN"];
/// Shown only where an environment has one.
const INSTANCE_COLUMN: usize = 3;
/// Shown only in the wide table.
const ORIGIN_COLUMN: usize = 6;
/// How much of a problem the table shows.
const PROBLEM_WIDTH: usize = 100;

/// A table; nothing at all without environments.
pub(super) fn table(environments: &[Listed], wide: bool) -> String {
    if environments.is_empty() {
        return String::new();
    }
    let with_instance = wide || environments.iter().any(|environment| environment.instance.is_some());
    let columns = |row: [String; 7]| {
        let shown = move |&(column, _): &(usize, String)| match column {
            INSTANCE_COLUMN => with_instance,
            ORIGIN_COLUMN => wide,
            _ => true,
        };
        row.into_iter().enumerate().filter(shown).map(|(_, cell)| cell)
    };
    let mut table = Table::new(columns(HEADERS.map(str::to_owned)));
    for environment in environments {
        table.row(columns([
            names::shown(&environment.name),
            context_cell(environment),
            shown(environment.namespace.as_ref()),
            shown(environment.instance.as_ref()),
            environment.protected.value.to_string(),
            session_name(environment.session.value).to_owned(),
            environment.origin.to_string(),
        ]));
    }
    table.render()
}

/// A table of what the clusters said. A problem is cut to what fits on a line, unless the table is wide.
pub(super) fn live_table(rows: &[Row], wide: bool) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut headers = vec!["NAME", "CONTEXT", "NAMESPACE", "READY"];
    if wide {
        headers.extend(["INSTANCE", "PROTECTED", "SESSION"]);
    }
    headers.push("PROBLEM");
    let mut table = Table::new(headers);
    for Row { listed, state } in rows {
        let (ready, problem) = match state {
            Ok(State { readiness, .. }) => {
                (format!("{}/{}", readiness.ready, readiness.total), problem(listed, state).unwrap_or_default())
            }
            Err(error) => ("<unknown>".to_owned(), error.to_string()),
        };
        let problem = one_line(&problem);
        let mut cells = vec![names::shown(&listed.name), context_cell(listed), shown(listed.namespace.as_ref()), ready];
        if wide {
            cells.push(shown(listed.instance.as_ref()));
            cells.push(listed.protected.value.to_string());
            cells.push(session_name(listed.session.value).to_owned());
        }
        cells.push(if wide { problem } else { cut(&problem) });
        table.row(cells);
    }
    table.render()
}

/// The documented shape, with `live` in each environment.
pub(super) fn live_json(rows: &[Row]) -> Result<String> {
    let one = |row: &Row| {
        let mut value = json_of_one(&row.listed);
        value["live"] = match &row.state {
            Ok(state) => json!({
                "ready": state.readiness.ready,
                "total": state.readiness.total,
                "problem": problem(&row.listed, &row.state),
                "roles": state.roles,
                "error": null,
            }),
            Err(error) => json!({
                "ready": null, "total": null, "problem": null, "roles": null, "error": error.to_string(),
            }),
        };
        value
    };
    document(rows.iter().map(one).collect())
}

/// What is wrong with an environment whose cluster has answered.
fn problem(listed: &Listed, state: &Result<State>) -> Option<String> {
    match state {
        Ok(state) if state.readiness.total > 0 => state.readiness.problem.clone(),
        Ok(_) if listed.pattern => Some("no instance exists now".to_owned()),
        Ok(_) => Some("no pods".to_owned()),
        Err(_) => None,
    }
}

fn one_line(text: &str) -> String {
    sanitize(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The beginning of a long text, with an ellipsis.
fn cut(text: &str) -> String {
    if text.chars().count() <= PROBLEM_WIDTH {
        return text.to_owned();
    }
    text.chars().take(PROBLEM_WIDTH - 1).chain(['…']).collect()
}

/// One value per line, each with where it comes from.
pub(super) fn details(environments: &[Listed]) -> String {
    let mut text = String::new();
    for environment in environments {
        let mut lines = vec![];
        let mut line = |key, value: String, origin: &Origin| lines.push((key, value, origin.to_string()));
        if let Some(context) = &environment.context {
            line("context", context_cell(environment), &context.origin);
        }
        for (key, value) in [("namespace", &environment.namespace), ("instance", &environment.instance)] {
            if let Some(value) = value {
                line(key, names::shown(&value.value), &value.origin);
            }
        }
        line("protected", environment.protected.value.to_string(), &environment.protected.origin);
        line("session", session_name(environment.session.value).to_owned(), &environment.session.origin);
        for (key, value, origin) in environment.database.configured() {
            line(key, names::shown(value), origin);
        }
        let width = lines.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or_default();
        text.push_str(&format!("{}\n", names::shown(&environment.name)));
        let keys = lines.iter().map(|(key, ..)| key.len()).max().unwrap_or_default();
        for (key, value, origin) in lines {
            text.push_str(&format!("  {key:keys$}   {value:width$}   {origin}\n"));
        }
    }
    text
}

/// The names, one per line.
pub(super) fn names<'a>(environments: impl IntoIterator<Item = &'a Listed>) -> String {
    environments.into_iter().map(|environment| format!("{}\n", names::shown(&environment.name))).collect()
}

/// The documented shape: `docs/environments.md`.
pub(super) fn json(environments: &[Listed]) -> Result<String> {
    document(environments.iter().map(json_of_one).collect())
}

fn document(environments: Vec<Value>) -> Result<String> {
    let document = json!({ "version": JSON_VERSION, "environments": environments });
    let text = serde_json::to_string_pretty(&document);
    Ok(text.map_err(|error| Error::failed("cannot write JSON").caused_by(error))? + "\n")
}

fn json_of_one(environment: &Listed) -> Value {
    let value = |value: &Option<Sourced<String>>| value.as_ref().map(|sourced| sourced.value.clone());
    let origin = |value: &Option<Sourced<String>>| value.as_ref().map(|sourced| json_of_origin(&sourced.origin));
    json!({
        "name": environment.name,
        "pattern": environment.pattern,
        "context": value(&environment.context),
        "in_kubeconfig": environment.in_kubeconfig,
        "namespace": value(&environment.namespace),
        "instance": value(&environment.instance),
        "protected": environment.protected.value,
        "session": session_name(environment.session.value),
        "origins": {
            "name": json_of_origin(&environment.origin),
            "context": origin(&environment.context),
            "namespace": origin(&environment.namespace),
            "instance": origin(&environment.instance),
            "protected": json_of_origin(&environment.protected.origin),
            "session": json_of_origin(&environment.session.origin),
        },
    })
}

fn json_of_origin(origin: &Origin) -> Value {
    match origin {
        Origin::Default => json!({"layer": "default"}),
        Origin::Kubeconfig => json!({"layer": "kubeconfig"}),
        Origin::Argument => json!({"layer": "argument"}),
        Origin::User(location) => {
            json!({"layer": "user", "file": location.path.to_string_lossy(), "line": location.line})
        }
        Origin::Project(location) => {
            json!({"layer": "project", "file": location.path.to_string_lossy(), "line": location.line})
        }
        Origin::Variable(name) => json!({"layer": "variable", "variable": name}),
        Origin::Flag(name) => json!({"layer": "flag", "flag": name}),
    }
}

/// What to do without any environment.
pub(super) fn first_steps(contexts: &[Listed]) -> String {
    let (context, namespace) = match contexts {
        [first, ..] => (shown(first.context.as_ref()), shown(first.namespace.as_ref())),
        [] => ("acme-staging".to_owned(), "shop-qa".to_owned()),
    };
    let what = if contexts.is_empty() {
        "no environment is configured"
    } else {
        "no environment is configured, these are contexts of the kubeconfig"
    };
    let (context, namespace) = (toml::Value::from(context), toml::Value::from(namespace));
    format!(
        "{what}; name one in a `kdj.toml` beside manage.py:\n\n\
         [environments.qa]\ncontext = {context}\nnamespace = {namespace}"
    )
}

/// The context, marked where the kubeconfig lacks it.
fn context_cell(environment: &Listed) -> String {
    let mark = if environment.in_kubeconfig == Some(false) { " (missing)" } else { "" };
    format!("{}{mark}", shown(environment.context.as_ref()))
}

fn shown(value: Option<&Sourced<String>>) -> String {
    value.map(|sourced| names::shown(&sourced.value)).unwrap_or_default()
}

fn session_name(session: SessionMode) -> &'static str {
    match session {
        SessionMode::Exec => "exec",
        SessionMode::Fresh => "fresh",
    }
}
