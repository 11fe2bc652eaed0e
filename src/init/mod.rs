//! What `kdj init` proposes: from what was found in the clusters to the text of a `kdj.toml`. Pure.

mod document;
mod manage;
mod name;
mod propose;

pub use self::{
    document::{addition, document},
    propose::{Found, Proposed, find_left_out, propose},
};
