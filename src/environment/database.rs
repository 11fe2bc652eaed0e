//! How sessions use an environment's databases.

use std::num::NonZeroU64;

use crate::config::{ClientPlace, DatabaseConfig};

/// How sessions use the databases; what is absent is left to kdj.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseSettings {
    /// The alias, in Django's settings, of a replica that read-only sessions use in the place of `default`.
    pub read_only_alias: Option<String>,
    /// The role of PostgreSQL that read-only sessions take on.
    pub read_only_role: Option<String>,
    /// How long a statement of a read-only session may take, in milliseconds.
    pub statement_timeout: Option<NonZeroU64>,
    /// Where the database's client is to run.
    pub client: Option<ClientPlace>,
    /// The image of the toolbox.
    pub toolbox_image: Option<String>,
}

impl From<DatabaseConfig> for DatabaseSettings {
    fn from(config: DatabaseConfig) -> Self {
        Self {
            read_only_alias: config.read_only_alias.map(|value| value.value),
            read_only_role: config.read_only_role.map(|value| value.value),
            statement_timeout: config.statement_timeout.map(|value| value.value.milliseconds),
            client: config.client.map(|value| value.value),
            toolbox_image: config.toolbox_image.map(|value| value.value),
        }
    }
}
