//! Configuration: defaults, the user file, the project file, variables; flags come last, in [`crate::environment`].

use crate::{error::Result, ui::style::ColorChoice};

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
}

/// Where configuration is read from.
pub struct Sources {}

impl Sources {
    /// This process's files and variables.
    pub fn of_this_process() -> Self {
        Self {}
    }
}

/// The merged configuration.
pub struct Config {
    /// When to colour.
    pub color: Sourced<ColorChoice>,
}

impl Config {
    /// Loads all layers.
    pub fn load(_sources: &Sources) -> Result<Self> {
        Ok(Self { color: Sourced { value: ColorChoice::Auto, origin: Origin::Default } })
    }
}
