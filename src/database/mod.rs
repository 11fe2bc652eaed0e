//! The app's database: how to reach it, as the app's own settings say, and what a session may do with it.

mod connection;
mod mode;

pub use self::{
    connection::{Connection, Vendor, connection},
    mode::Mode,
};
