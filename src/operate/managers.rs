//! What to say of those who manage a workload, before it is changed.

use super::Place;
use crate::{
    cluster::{Aspect, Autoscaler, Manager, ManagerKind, Operated, Reverts},
    error::{Error, Result},
};

/// Refuses a number of replicas that an autoscaler will set otherwise; with `force`, or where the number holds, it is
/// said what will happen.
///
/// # Errors
/// When it is refused.
pub(super) fn check_autoscaler(
    place: &Place<'_>,
    workload: &Operated,
    (from, to): (i32, i32),
    force: bool,
) -> Result<Option<String>> {
    let Some(autoscaler) = &workload.autoscaler else { return Ok(None) };
    let (manager, role) = (autoscaler.manager(), &workload.role);
    let range = format!("between {} and {}", autoscaler.min, autoscaler.max);
    let is_hpa = autoscaler.scaled_object.is_none();
    if is_hpa && from == 0 && to > 0 {
        // An HPA leaves what has no replicas alone; this is how it is switched on again.
        return Ok(Some(format!("{manager} takes over from there, and keeps `{role}` {range}")));
    }
    if force {
        return Ok(Some(match (is_hpa, to) {
            (true, 0) => {
                format!("{manager} leaves `{role}` alone while it has 0 replicas: it stays so until it is scaled")
            }
            _ => format!("{manager} sets the replicas of `{role}`, {range}: it may set another number within seconds"),
        }));
    }
    let error = Error::failed(format!("refusing to scale `{role}`: its replicas are set by {manager}"))
        .caused_by(format!("it keeps them {range}, and would soon set another number than {to}"));
    if to == 0 && is_hpa {
        let zero = "`--force` sets 0 replicas, which switch the autoscaler off until the role is scaled up again";
        return Err(error.hint(zero));
    }
    let change = place.kubectl(change_of_range(autoscaler, to).iter().map(String::as_str));
    Err(error.hint(format!("change its range instead: `{change}`")).hint("`--force` sets the number all the same"))
}

/// The kubectl command that gives an autoscaler a range with `to` at its end.
fn change_of_range(autoscaler: &Autoscaler, to: i32) -> [String; 6] {
    let current = autoscaler.current.unwrap_or(autoscaler.desired);
    // More than there are: at least so many. Fewer: at most.
    let (min, max) = match to >= current {
        true => (to, autoscaler.max.max(to)),
        false => (autoscaler.min.min(to), to),
    };
    let (kind, name, min_field, max_field) = match &autoscaler.scaled_object {
        Some(name) => ("scaledobject", name, "minReplicaCount", "maxReplicaCount"),
        None => ("hpa", &autoscaler.name, "minReplicas", "maxReplicas"),
    };
    let patch = format!(r#"{{"spec":{{"{min_field}":{min},"{max_field}":{max}}}}}"#);
    ["patch".into(), kind.into(), name.clone(), "--type=merge".into(), "-p".into(), patch]
}

/// What to say of those, other than autoscalers, who may undo a change, and whether it is a warning.
pub(super) fn warnings(workload: &Operated, aspect: Aspect) -> Vec<(bool, String)> {
    others(workload).filter_map(|manager| Some(warning(manager, &workload.role, manager.reverts(aspect)?))).collect()
}

/// Who, other than an autoscaler, may undo a change within seconds or minutes.
pub(super) fn who_may_undo(workload: &Operated, aspect: Aspect) -> Option<&Manager> {
    others(workload).find(|manager| matches!(manager.reverts(aspect), Some(Reverts::Soon | Reverts::Maybe)))
}

fn others(workload: &Operated) -> impl Iterator<Item = &Manager> {
    workload.managers.iter().filter(|it| !matches!(it.kind, ManagerKind::Hpa | ManagerKind::Keda))
}

fn warning(manager: &Manager, role: &str, reverts: Reverts) -> (bool, String) {
    let source = match manager.kind {
        ManagerKind::Operator => "change it there",
        ManagerKind::ArgoCd | ManagerKind::FluxKustomization => "change it in git",
        _ => "change it in its values",
    };
    match (reverts, manager.kind) {
        (Reverts::Soon, _) => {
            (true, format!("`{role}` is managed by {manager}, which will undo this: {source} to keep it"))
        }
        (Reverts::Maybe, ManagerKind::ArgoCd) => (
            true,
            format!("`{role}` is managed by {manager}, which may undo this, if self-heal is on: {source} to keep it"),
        ),
        (Reverts::Maybe, _) => {
            (true, format!("`{role}` is managed by {manager}, which may undo this: {source} to keep it"))
        }
        (Reverts::NextRelease, _) => {
            (false, format!("the next release of {manager} sets `{role}` as its chart has it: {source} to keep it"))
        }
    }
}
