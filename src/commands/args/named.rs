//! What each argument of a command names, so that it can be completed.

use crate::completion::Subject;

/// What an argument names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// An environment.
    Environment,
    /// In `status` and `doctor`: any number of them.
    Environments,
    /// The first is an environment, the others are its roles.
    EnvironmentThenRoles,
    /// The first is an environment, the other a job or a session of it.
    EnvironmentThenJob(Subject),
    /// A role.
    Role,
    /// Any number of roles.
    Roles,
    /// `web=`, `web+`
    RolesToScale,
    /// A pod.
    Pod,
    /// A container.
    Container,
    /// A check of the doctor, or a category of them.
    Check,
    /// An app that has migrations.
    App,
    /// A migration of the app that is typed.
    Migration,
    /// A management command.
    ManagementCommand,
    /// A job.
    Job,
    /// What to forward to.
    Target,
    /// A context of the kubeconfig.
    Context,
    /// A command, or a page of the documentation.
    Help,
}

/// The argument of this id, of a command below `parent`.
pub fn named(parent: &str, command: &str, id: &str) -> Option<Named> {
    Some(match (command, id) {
        ("scale", "roles") => Named::RolesToScale,
        ("logs", "places") => Named::EnvironmentThenRoles,
        ("rollback", "words") => Named::Roles,
        ("manage", "command") => Named::ManagementCommand,
        ("migrate", "app") => Named::App,
        ("migrate", "migration") => Named::Migration,
        ("forward", "targets") => Named::Target,
        ("help", "words") => Named::Help,
        ("config", "diff") => Named::Environment,
        ("logs", "job") => Named::Job,
        ("doctor", "only") => Named::Check,
        (_, "words") if parent == "jobs" => Named::EnvironmentThenJob(Subject::Jobs),
        (_, "words") if parent == "sessions" => Named::EnvironmentThenJob(Subject::Sessions),
        (_, "environment") => Named::Environment,
        (_, "environments") => Named::Environments,
        (_, "role") => Named::Role,
        (_, "roles") => Named::Roles,
        (_, "pod") => Named::Pod,
        (_, "container") => Named::Container,
        (_, "context") => Named::Context,
        _ => return None,
    })
}
