//! Protected environments: whether a change may be made, and the record of it.
//!
//! One path for every verb that changes something: [`permit()`] before anything is asked of the cluster, then
//! [`Record::begin`] before the change itself and [`Record::end`] after it, or [`Record::keep`] round it.
//! It is a seat belt: who has rights in the cluster can do without kdj. RBAC is the lock.

pub mod history;
pub mod journal;
mod permit;
mod record;
pub mod redact;
mod who;

pub use self::{
    permit::{Change, Consent, Permit, local_host, local_user, permit, permit_unseen},
    record::{Object, Record},
    who::Who,
};
