//! Configuration, in layers. Later ones win, key by key, and each value remembers where it came from:
//!
//! 1. built-in defaults,
//! 2. the user file, `config.toml` in `kdj/` below the platform's config directory,
//! 3. the project file, the nearest `kdj.toml` walking up from the working directory,
//! 4. variables: `KDJ_COLOR`, `KDJ_CONTEXT`, `KDJ_NAMESPACE`,
//! 5. flags, which come in where they are used: [`Overrides`](crate::environment::Overrides).
//!
//! `KDJ_CONFIG=none` leaves out both files; `KDJ_CONFIG=PATH` names the project file. No file ever names a command to
//! run on this computer, but for the checks of `kdj doctor`, which run only when the user has trusted that file.

pub mod alias;
pub(crate) mod check;
mod database;
mod doctor;
mod file;
mod layer;
mod logs;
mod origin;
mod sources;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, num::NonZeroU16, path::PathBuf};

use self::sources::{Layer, SourceFile};
pub use self::{
    alias::Alias,
    database::{ClientPlace, DatabaseConfig, StatementTimeout},
    doctor::{DoctorCheck, Fingerprint},
    logs::LogsConfig,
    origin::{Location, Origin, Sourced},
    sources::{PROJECT_FILE, Sources, USER_FILE},
};
use crate::{
    error::{Error, Result},
    names,
    ui::style::ColorChoice,
};

/// What stands for the name asked for in the entry of a pattern.
pub const NAME_PLACEHOLDER: &str = "{name}";

/// The merged configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// When to colour.
    pub color: Sourced<ColorChoice>,
    /// The context to use instead of the environment's: `KDJ_CONTEXT`.
    pub context: Option<Sourced<String>>,
    /// The namespace to use instead of the environment's: `KDJ_NAMESPACE`.
    pub namespace: Option<Sourced<String>>,
    /// How to call Django, for all environments.
    pub django: DjangoConfig,
    /// How sessions use the databases, for all environments.
    pub database: DatabaseConfig,
    /// Where log lines have their ids.
    pub logs: LogsConfig,
    /// The environments, by name or pattern.
    pub environments: BTreeMap<String, EnvironmentConfig>,
    /// The roles of all environments, by name.
    pub roles: BTreeMap<String, RoleConfig>,
    /// What `kdj forward` reaches by a name of its own.
    pub forwards: BTreeMap<String, ForwardConfig>,
    /// Commands of the user's own, by name.
    pub aliases: BTreeMap<String, Sourced<Alias>>,
    /// Checks of the project's and the user's own, for `kdj doctor`.
    pub doctor: Vec<DoctorCheck>,
    /// The project's file, by what it says.
    pub project: Option<Fingerprint>,
    /// The files that were read, in the order of the layers.
    pub files: Vec<PathBuf>,
}

/// How to call Django in the container.
#[derive(Clone, Debug, Default)]
pub struct DjangoConfig {
    /// The words that start a management command.
    pub manage: Option<Sourced<Vec<String>>>,
    /// The directory to start in.
    pub workdir: Option<Sourced<String>>,
}

/// One entry of `[environments]`.
#[derive(Clone, Debug)]
pub struct EnvironmentConfig {
    /// Where the entry begins, in the last file that has it.
    pub origin: Origin,
    /// The kubeconfig's context.
    pub context: Option<Sourced<String>>,
    /// The namespace; in a pattern's entry it may contain `{name}`.
    pub namespace: Option<Sourced<String>>,
    /// The instance; in a pattern's entry it may contain `{name}`.
    pub instance: Option<Sourced<String>>,
    /// Whether changes ask for the environment's name.
    pub protected: Option<Sourced<bool>>,
    /// Where sessions open.
    pub session: Option<Sourced<SessionMode>>,
    /// How to call Django here, where it differs.
    pub django: DjangoConfig,
    /// How sessions use the databases here, where it differs.
    pub database: DatabaseConfig,
    /// Roles that differ here.
    pub roles: BTreeMap<String, RoleConfig>,
}

/// Where sessions open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionMode {
    /// In a running pod.
    #[default]
    Exec,
    /// In a pod of their own.
    Fresh,
}

/// One entry of `[roles]`.
#[derive(Clone, Debug, Default)]
pub struct RoleConfig {
    /// Label selector of its pods, in kubectl's syntax.
    pub selector: Option<Sourced<String>>,
    /// Name of the app's container.
    pub container: Option<Sourced<String>>,
}

/// One entry of `[forwards]`. In a loaded configuration there is a port, and a role or a host.
#[derive(Clone, Debug)]
pub struct ForwardConfig {
    /// Where the entry begins, in the last file that has it.
    pub origin: Origin,
    /// The role whose pod has the port, or from whose pod the host is reached.
    pub role: Option<Sourced<String>>,
    /// A host that the app reaches, by the name the app has for it.
    pub host: Option<Sourced<String>>,
    /// The port of the pod, or of the host.
    pub port: Option<Sourced<NonZeroU16>>,
    /// The local port, where that is free.
    pub local: Option<Sourced<NonZeroU16>>,
}

impl Config {
    /// The built-in defaults.
    pub fn built_in() -> Self {
        Self {
            color: Sourced::new(ColorChoice::Auto, Origin::Default),
            context: None,
            namespace: None,
            django: DjangoConfig::default(),
            database: DatabaseConfig::default(),
            logs: LogsConfig::default(),
            environments: BTreeMap::new(),
            roles: BTreeMap::new(),
            forwards: BTreeMap::new(),
            aliases: BTreeMap::new(),
            doctor: Vec::new(),
            project: None,
            files: Vec::new(),
        }
    }

    /// Loads all layers but the flags.
    ///
    /// # Errors
    /// When a file or a variable says something kdj does not understand; the message says where.
    pub fn load(sources: &Sources) -> Result<Self> {
        Self::of_files(sources, &sources.files()?)
    }

    /// What [`Config::load`] would give if the project's file were this one.
    ///
    /// # Errors
    /// As for [`Config::load`].
    pub fn load_with(sources: &Sources, path: PathBuf, text: String) -> Result<Self> {
        let mut files = sources.user_file()?;
        files.push(SourceFile { path: path.into(), layer: Layer::Project, text });
        Self::of_files(sources, &files)
    }

    fn of_files(sources: &Sources, files: &[SourceFile]) -> Result<Self> {
        let mut config = Self::built_in();
        for file in files {
            config.lay(file)?;
        }
        config.lay_variables(sources)?;
        for (name, forward) in &config.forwards {
            let missing = match (&forward.role, &forward.port) {
                (None, _) if forward.host.is_none() => "role",
                (_, None) => "port",
                _ => continue,
            };
            let name = names::shown(name);
            return Err(Error::usage(format!("{}: the forward `{name}` has no `{missing}`", forward.origin)));
        }
        Ok(config)
    }

    fn lay_variables(&mut self, sources: &Sources) -> Result<()> {
        if let Some(text) = sources.variable("KDJ_COLOR")? {
            let color =
                text.parse().map_err(|what: String| Error::usage(format!("the variable `KDJ_COLOR`: {what}")))?;
            self.color = Sourced::new(color, Origin::Variable("KDJ_COLOR"));
        }
        if let Some(text) = sources.variable("KDJ_CONTEXT")? {
            self.context = Some(Sourced::new(text.to_owned(), Origin::Variable("KDJ_CONTEXT")));
        }
        if let Some(text) = sources.variable("KDJ_NAMESPACE")? {
            self.namespace = Some(Sourced::new(text.to_owned(), Origin::Variable("KDJ_NAMESPACE")));
        }
        Ok(())
    }
}

impl EnvironmentConfig {
    /// An entry that says nothing yet.
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            context: None,
            namespace: None,
            instance: None,
            protected: None,
            session: None,
            django: DjangoConfig::default(),
            database: DatabaseConfig::default(),
            roles: BTreeMap::new(),
        }
    }
}

impl ForwardConfig {
    fn new(origin: Origin) -> Self {
        Self { origin, role: None, host: None, port: None, local: None }
    }
}
