//! How many beats there would be: each sends every periodic task.

use super::plan::Step;
use crate::{
    cluster::Operated,
    environment::Kind,
    error::{Error, Result},
    names,
};

/// Whether each of its pods is a beat.
fn is_beat(workload: &Operated) -> bool {
    workload.kind == Kind::Beat || workload.embeds_beat()
}

/// Refuses more than one beat of a workload. No flag is for this: nobody wants it.
///
/// # Errors
/// When it is refused.
pub(super) fn refuse_second_of_one(workload: &Operated, to: i32) -> Result<()> {
    let role = &workload.role;
    if to <= 1 {
        return Ok(());
    }
    if workload.kind == Kind::Beat {
        return Err(Error::failed(format!("refusing {to} replicas of `{role}`: one beat is enough"))
            .caused_by("each beat sends every periodic task: with two, all of them run twice")
            .hint("more tasks at once is a matter of the workers: scale those"));
    }
    if workload.embeds_beat() {
        return Err(Error::failed(format!("refusing {to} replicas of `{role}`: each has a beat inside"))
            .caused_by("its workers run with `-B`, so that each of them sends every periodic task")
            .hint("give beat a Deployment of its own with one replica, and take `-B` from the workers"));
    }
    Ok(())
}

/// Looks at all beats together, as they would be: more than one by this command alone is refused. Beside one that runs
/// already it is a warning, since that one may be another app's.
///
/// # Errors
/// When it is refused.
pub(super) fn check_all(steps: &[Step<'_>], workloads: &[Operated]) -> Result<Vec<String>> {
    let started: Vec<&Step<'_>> = steps.iter().filter(|step| is_beat(step.workload) && step.to > step.from).collect();
    let Some(first) = started.first() else { return Ok(Vec::new()) };
    if started.len() > 1 {
        let named = names::quoted(started.iter().map(|step| step.workload.workload.as_str()), ", ");
        return Err(Error::failed(format!("refusing to start {} beats: {named}", started.len()))
            .caused_by("each beat sends every periodic task: with two of one app, all of them run twice")
            .hint("those of two apps can be started one after the other"));
    }
    let mut warnings = Vec::new();
    for other in workloads.iter().filter(|one| is_beat(one) && one.workload != first.workload.workload) {
        let own = steps.iter().find(|step| step.workload.workload == other.workload);
        let after = own.map_or(other.replicas(), |step| step.to);
        if after > 0 {
            warnings.push(format!(
                "{} is a beat, too: if both are of one app, every periodic task is sent twice",
                other.workload
            ));
        } else if other.replicas() > 0 {
            warnings.push(format!(
                "until the pod of {} has gone, up to {} s, there are two beats: with `--wait` for that one first there are not",
                other.workload, other.grace
            ));
        }
    }
    Ok(warnings)
}
