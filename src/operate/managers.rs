//! What to say of those who manage a workload, before it is changed.

use serde_json::json;

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
    let what = if to == 0 { "pause it" } else { "change its range" };
    Err(error.hint(format!("{what} instead: `{change}`")).hint("`--force` sets the number all the same"))
}

/// The kubectl command that gives an autoscaler a range with `to` at its end. The other end stays as it is, unless it is
/// beyond: a ScaledObject's own may be another than its HPA's, which is never less than 1.
fn change_of_range(autoscaler: &Autoscaler, to: i32) -> Vec<String> {
    let current = autoscaler.current.unwrap_or(autoscaler.desired);
    let (kind, name, min, max) = match &autoscaler.scaled_object {
        // KEDA makes no HPA for none.
        Some(name) if to == 0 => {
            return ["annotate", "scaledobject", name, "autoscaling.keda.sh/paused-replicas=0"]
                .map(str::to_owned)
                .into();
        }
        Some(name) => ("scaledobject", name, "minReplicaCount", "maxReplicaCount"),
        None => ("hpa", &autoscaler.name, "minReplicas", "maxReplicas"),
    };
    // More than there are: at least so many. Fewer: at most.
    let (own, other, is_beyond) =
        if to >= current { (min, max, autoscaler.max < to) } else { (max, min, autoscaler.min > to) };
    let mut patch = json!({"spec": {own: to}});
    if is_beyond {
        patch["spec"][other] = json!(to);
    }
    ["patch", kind, name, "--type=merge", "-p", &patch.to_string()].map(str::to_owned).into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_the_range_that_has_to_is_changed() {
        let range = |scaled_object: Option<&str>, to| {
            let autoscaler = Autoscaler {
                name: "web".to_owned(),
                scaled_object: scaled_object.map(str::to_owned),
                min: 2,
                max: 6,
                current: Some(4),
                desired: 4,
                inactive: None,
            };
            change_of_range(&autoscaler, to).join(" ")
        };
        for (to, spec) in [
            (5, r#"{"minReplicas":5}"#),
            (8, r#"{"maxReplicas":8,"minReplicas":8}"#),
            (3, r#"{"maxReplicas":3}"#),
            (1, r#"{"maxReplicas":1,"minReplicas":1}"#),
        ] {
            let patch = range(None, to);
            let (words, patch) = patch.split_once(" -p ").unwrap();
            assert_eq!(words, "patch hpa web --type=merge");
            let expected: serde_json::Value = serde_json::from_str(spec).unwrap();
            assert_eq!(serde_json::from_str::<serde_json::Value>(patch).unwrap()["spec"], expected, "{to}");
        }
        // Its own minimum may be 0, and stays so.
        assert!(
            range(Some("queue"), 3).ends_with(r#"scaledobject queue --type=merge -p {"spec":{"maxReplicaCount":3}}"#)
        );
        assert_eq!(range(Some("queue"), 0), "annotate scaledobject queue autoscaling.keda.sh/paused-replicas=0");
    }
}
