//! What a role's container is given, as people may see it: without secrets; and what differs between two of them.

mod difference;
mod hidden;
mod looks;
mod versions;

pub use self::{
    difference::{Difference, Differs, Entry, Kind, Side, differences},
    hidden::{Shown, shown},
    versions::{versions, versions_in},
};
