//! The app's database: how to reach it, as the app's own settings say.

mod connection;

pub use self::connection::{Connection, Vendor, connection};
