//! What to execute in the container to run Django. Pure.
//!
//! One exec does it all: a few lines of `sh` find the container's Python, and that starts `start.py`, which takes over
//! the app's own environment, finds `manage.py`, and replaces itself by the management command. Nothing has to be
//! probed beforehand, and nothing about an image can be out of date.

mod celery;
mod client;
mod connection;
mod console;
mod manage;
mod migrations;
mod python;
mod query;
mod read_only;
mod reading;
mod redis;
#[cfg(all(test, unix))]
mod tests;
mod versions;

pub use self::{
    celery::{CeleryQuestion, MARK as CELERY_MARK, celery_on_stdin},
    client::{
        ClientRequest, DumpProgram, NO_CLIENT, attend, client_companion, client_dump, client_script, read_only_check,
        rows,
    },
    connection::connection_facts,
    console::{code_on_stdin, console, plain_console},
    manage::{Start, management_command},
    migrations::{
        KNOWN_MARK, MigrationRequest, known_command, known_on_stdin, migrate_command, plan_command, plan_on_stdin,
    },
    python::python_on_stdin,
    query::{Question, Statement, query_on_stdin},
    read_only::{read_only_code, read_only_console},
    reading::only_reads,
    redis::{MARK as REDIS_MARK, redis_on_stdin},
    versions::{MARK as VERSIONS_MARK, versions_on_stdin},
};
