//! Which workloads are restarted, and in which order.

use super::super::{Place, choose as by_name, require_some};
use crate::{cluster::Operated, environment::Kind, error::Result};

/// The workloads to restart.
#[derive(Debug)]
pub struct Chosen<'a> {
    /// In order.
    pub all: Vec<&'a Operated>,
    /// The names of those that are left out, as they are not the app's.
    pub left_out: Vec<&'a str>,
}

/// The workloads that are named, else those of the app, in the order in which they are restarted: web first, so that a
/// template that does not start is found out where old pods go on answering; workers after what sends them tasks; beat
/// last.
///
/// # Errors
/// When a name means no workload, or there is none at all.
pub fn choose<'a>(names: &[String], workloads: &'a [Operated], place: &Place<'_>) -> Result<Chosen<'a>> {
    require_some(workloads, place)?;
    let mut chosen = Chosen { all: Vec::new(), left_out: Vec::new() };
    if names.is_empty() {
        for one in workloads {
            if is_of_app(one, workloads) { chosen.all.push(one) } else { chosen.left_out.push(&one.role) }
        }
    }
    for name in names {
        let one = by_name::find(name, workloads, &place.environment.name)?;
        if !chosen.all.iter().any(|other| other.workload == one.workload) {
            chosen.all.push(one);
        }
    }
    chosen.all.sort_by_key(|one| place_of(one.kind));
    Ok(chosen)
}

/// Whether the workload is of the app: its kind says so, or it runs an image of one whose kind does.
fn is_of_app(one: &Operated, workloads: &[Operated]) -> bool {
    let is_known = |one: &Operated| matches!(one.kind, Kind::Web | Kind::Worker | Kind::Beat | Kind::Shell);
    let shares_image = |other: &Operated| other.images.iter().any(|image| one.images.contains(image));
    is_known(one) || workloads.iter().any(|other| is_known(other) && shares_image(other))
}

fn place_of(kind: Kind) -> u8 {
    match kind {
        Kind::Web => 0,
        Kind::Other => 1,
        Kind::Shell => 2,
        Kind::Worker => 3,
        Kind::Beat => 4,
    }
}
