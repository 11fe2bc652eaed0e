//! `[logs]`: where the app's log lines have their ids.

use serde::Deserialize;
use toml::Spanned;

use super::{Sourced, check, sources::SourceFile};
use crate::error::Result;

/// `[logs]`, for all environments.
#[derive(Clone, Debug, Default)]
pub struct LogsConfig {
    /// The fields of JSON lines that have the id of a request.
    pub request_fields: Option<Sourced<Vec<String>>>,
    /// The fields of JSON lines that have the id of a task.
    pub task_fields: Option<Sourced<Vec<String>>>,
}

/// The table as a file has it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct LogsTable {
    request_fields: Option<Spanned<Vec<String>>>,
    task_fields: Option<Spanned<Vec<String>>>,
}

impl LogsConfig {
    pub(super) fn lay(&mut self, table: LogsTable, file: &SourceFile) -> Result<()> {
        file.set(&mut self.request_fields, table.request_fields, |names| fields(names))?;
        file.set(&mut self.task_fields, table.task_fields, |names| fields(names))
    }
}

fn fields(names: &[String]) -> Result<(), String> {
    if names.is_empty() {
        return Err("expected names of fields, as in `[\"request_id\", \"data.id\"]`".to_owned());
    }
    names.iter().try_for_each(|name| check::text(name))
}
