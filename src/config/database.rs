//! `[database]`: how sessions use the app's databases.

use std::{num::NonZeroU64, time::Duration};

use serde::Deserialize;
use toml::Spanned;

use super::{Origin, Sourced, check, sources::SourceFile};
use crate::{error::Result, typed_time};

/// `[database]`, and `[environments.NAME.database]` over it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// The alias, in Django's settings, of a replica that read-only sessions use in the place of `default`.
    pub read_only_alias: Option<Sourced<String>>,
    /// The role of PostgreSQL that read-only sessions take on.
    pub read_only_role: Option<Sourced<String>>,
    /// How long a statement of a read-only session may take.
    pub statement_timeout: Option<Sourced<StatementTimeout>>,
    /// Where the database's client runs.
    pub client: Option<Sourced<ClientPlace>>,
    /// The image of the pod that has clients, when neither the app's image nor this machine has.
    pub toolbox_image: Option<Sourced<String>>,
}

/// Where a database's client runs: psql, mysql and their like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientPlace {
    /// In the app's container.
    Image,
    /// On this machine, through a tunnel.
    Local,
    /// In a pod of its own beside the app.
    Toolbox,
}

impl ClientPlace {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Local => "local",
            Self::Toolbox => "toolbox",
        }
    }
}

/// A limit for a statement, as it was typed: `30s`. In milliseconds it fits what databases take.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct StatementTimeout {
    /// As typed.
    pub text: String,
    /// At least one.
    pub milliseconds: NonZeroU64,
}

impl TryFrom<String> for StatementTimeout {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        let limit: Duration = typed_time::time_limit(&text)?;
        let milliseconds = u64::try_from(limit.as_millis()).ok().filter(|limit| *limit <= i32::MAX as u64);
        let milliseconds = milliseconds.and_then(NonZeroU64::new);
        milliseconds
            .map(|milliseconds| Self { text, milliseconds })
            .ok_or_else(|| "a statement's limit is between 1 ms and 24 days".to_owned())
    }
}

/// The table as a file has it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct DatabaseTable {
    read_only_alias: Option<Spanned<String>>,
    read_only_role: Option<Spanned<String>>,
    statement_timeout: Option<Spanned<StatementTimeout>>,
    client: Option<Spanned<ClientPlace>>,
    toolbox_image: Option<Spanned<String>>,
}

impl DatabaseConfig {
    pub(super) fn lay(&mut self, table: DatabaseTable, file: &SourceFile) -> Result<()> {
        file.set(&mut self.read_only_alias, table.read_only_alias, |text| check::text(text))?;
        file.set(&mut self.read_only_role, table.read_only_role, |text| check::text(text))?;
        file.set(&mut self.statement_timeout, table.statement_timeout, |_| Ok(()))?;
        file.set(&mut self.client, table.client, |_| Ok(()))?;
        file.set(&mut self.toolbox_image, table.toolbox_image, |text| check::image(text))
    }

    /// What is set: key, value, origin.
    pub fn configured(&self) -> Vec<(&'static str, &str, &Origin)> {
        fn of<'a, T>(
            key: &'static str,
            value: &'a Option<Sourced<T>>,
            text: impl Fn(&'a T) -> &'a str,
        ) -> Option<(&'static str, &'a str, &'a Origin)> {
            value.as_ref().map(|sourced| (key, text(&sourced.value), &sourced.origin))
        }
        let values = [
            of("database.read_only_alias", &self.read_only_alias, String::as_str),
            of("database.read_only_role", &self.read_only_role, String::as_str),
            of("database.statement_timeout", &self.statement_timeout, |timeout| timeout.text.as_str()),
            of("database.client", &self.client, |client| client.name()),
            of("database.toolbox_image", &self.toolbox_image, String::as_str),
        ];
        values.into_iter().flatten().collect()
    }

    /// These values, and `over` where it says something.
    pub fn with(&self, over: &Self) -> Self {
        Self {
            read_only_alias: over.read_only_alias.clone().or_else(|| self.read_only_alias.clone()),
            read_only_role: over.read_only_role.clone().or_else(|| self.read_only_role.clone()),
            statement_timeout: over.statement_timeout.clone().or_else(|| self.statement_timeout.clone()),
            client: over.client.clone().or_else(|| self.client.clone()),
            toolbox_image: over.toolbox_image.clone().or_else(|| self.toolbox_image.clone()),
        }
    }
}
