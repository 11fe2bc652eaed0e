//! What shells complete names to: remembered in the user's cache directory, asked of the cluster when that is old, and
//! read from the project's own files.
//!
//! A Tab never waits long, never asks, never says anything and never runs anything in a pod. What it does not know in
//! time it does not offer.

mod ask;
mod memory;
mod project;
mod subject;

pub use self::{
    ask::{VARIABLE as LEARN_VARIABLE, known, learn, to_learn},
    memory::{JobName, Known, Learned, Memory},
    project::{BUILT_IN_COMMANDS, Project},
    subject::Subject,
};
