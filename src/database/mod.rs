//! The app's database: how to reach it, as the app's own settings say, what a session may do with it, and its client.

pub mod activity;
mod client;
mod connection;
mod dump;
mod elsewhere;
mod history;
mod local;
mod mode;
mod problem;
mod query;
mod shell;
pub mod shown_sql;
pub mod statements;
mod terminal;
mod toolbox;

pub use self::{
    connection::{Connection, Vendor, connection},
    dump::{DumpRequest, dump},
    mode::Mode,
    problem::{Problem, no_answer},
    query::{GRANT_PROCESS, Rows, query},
    shell::{Output, Request, Sql, shell},
};
