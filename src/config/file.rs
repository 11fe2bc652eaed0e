//! What a file may say: its serde types, and its mistakes as `FILE:LINE:COLUMN: ...` with the nearest known key.

use std::{collections::BTreeMap, num::NonZeroU16};

use serde::Deserialize;
use toml::Spanned;

use super::{SessionMode, database::DatabaseTable, doctor::DoctorTable, logs::LogsTable, sources::SourceFile};
use crate::{
    error::{Error, Result},
    names,
    ui::style::ColorChoice,
};

/// A table whose entries are named by the user.
pub(super) type Named<T> = BTreeMap<Spanned<String>, T>;

/// A whole file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct FileTable {
    pub(super) color: Option<Spanned<ColorChoice>>,
    #[serde(default)]
    pub(super) django: DjangoTable,
    #[serde(default)]
    pub(super) database: DatabaseTable,
    #[serde(default)]
    pub(super) logs: LogsTable,
    #[serde(default)]
    pub(super) environments: Named<EnvironmentTable>,
    #[serde(default)]
    pub(super) roles: Named<RoleTable>,
    #[serde(default)]
    pub(super) forwards: Named<ForwardTable>,
    #[serde(default)]
    pub(super) aliases: Named<Spanned<String>>,
    #[serde(default)]
    pub(super) doctor: DoctorTable,
}

/// `[django]`
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct DjangoTable {
    pub(super) manage: Option<Spanned<Vec<String>>>,
    pub(super) workdir: Option<Spanned<String>>,
}

/// `[environments.NAME]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct EnvironmentTable {
    pub(super) context: Option<Spanned<String>>,
    pub(super) namespace: Option<Spanned<String>>,
    pub(super) instance: Option<Spanned<String>>,
    pub(super) protected: Option<Spanned<bool>>,
    pub(super) session: Option<Spanned<SessionMode>>,
    #[serde(default)]
    pub(super) django: DjangoTable,
    #[serde(default)]
    pub(super) database: DatabaseTable,
    #[serde(default)]
    pub(super) roles: Named<RoleTable>,
}

/// `[roles.NAME]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RoleTable {
    pub(super) selector: Option<Spanned<String>>,
    pub(super) container: Option<Spanned<String>>,
}

/// `[forwards.NAME]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct ForwardTable {
    pub(super) role: Option<Spanned<String>>,
    pub(super) host: Option<Spanned<String>>,
    pub(super) port: Option<Spanned<NonZeroU16>>,
    pub(super) local: Option<Spanned<NonZeroU16>>,
}

/// Reads a file's text.
///
/// # Errors
/// When it is no TOML, or has a key or a type kdj does not know.
pub(super) fn parse(file: &SourceFile) -> Result<FileTable> {
    toml::from_str(&file.text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        explain(file, offset, error.message())
    })
}

/// serde names the unknown key and the known ones in its message only: take it apart to suggest the nearest.
fn explain(file: &SourceFile, offset: usize, message: &str) -> Error {
    for (kind, ours) in [("unknown field `", "unknown key"), ("unknown variant `", "unknown value")] {
        let Some((wanted, expected)) = message.strip_prefix(kind).and_then(|rest| rest.rsplit_once("`, expected "))
        else {
            continue;
        };
        let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        let hint = names::did_you_mean(wanted, known.iter().copied())
            .unwrap_or_else(|| format!("known here: {}", names::quoted(known, ", ")));
        return file.error(offset, format!("{ours} `{}`", names::shown(wanted))).hint(hint);
    }
    file.error(offset, names::shown(message))
}
