//! The app's database: how to reach it, as the app's own settings say, what a session may do with it, and its client.

mod client;
mod connection;
mod elsewhere;
mod history;
mod local;
mod mode;
mod problem;
mod shell;
mod terminal;
mod toolbox;

pub use self::{
    connection::{Connection, Vendor, connection},
    mode::Mode,
    shell::{Output, Request, Sql, shell},
};
