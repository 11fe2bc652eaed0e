//! A beat is restarted without a moment in which two run.
//!
//! A Deployment that rolls over starts the new pod before the old one goes, and two beats send every periodic task
//! twice. Its strategy is made `Recreate` in the very request that restarts it: then it is the Deployment's own
//! controller that waits until the old pod has gone, and does so whether or not kdj lives to see it. (With the replicas
//! set to 0 and back to 1, a laptop that is closed in between would leave the app without any beat.) Afterwards the
//! strategy is put back, which begins no rollout.

use std::time::Duration;

use tokio::time::timeout;

use super::Place;
use crate::{
    cluster::{Follow, Operated, Strategy, Told},
    environment::Kind,
    ui::terminal::interrupted,
};

/// How much longer than its grace period an old pod may take to go.
const MARGIN: Duration = Duration::from_secs(15);

/// Whether two pods of the workload may not run at once, and its own strategy would let them.
pub(super) fn overlaps(workload: &Operated) -> bool {
    let is_beat = workload.kind == Kind::Beat || workload.embeds_beat();
    // A StatefulSet never has two pods of one name.
    let rolls = workload.rollout.strategy == Strategy::RollingUpdate && workload.is_deployment();
    is_beat && rolls
}

/// Puts the strategy back when no old pod is left: with any, the Deployment would roll over after all. Says so when it
/// cannot be done.
pub(super) async fn put_back(place: &Place<'_>, workload: &Operated, follow: &mut Follow<'_>) {
    let role = &workload.role;
    let grace = Duration::from_secs(u64::try_from(workload.grace).unwrap_or_default()) + MARGIN;
    let going = timeout(grace, old_pods_gone(follow));
    let what = format!("waiting for the old pod of {role} to go");
    let gone = tokio::select! {
        gone = place.ui.waiting(&what, going) => gone.unwrap_or(false),
        // Whoever insists is let go.
        _ = interrupted() => false,
    };
    let why = match gone {
        true => match place.cluster.put_back_strategy(workload).await {
            Ok(()) => return,
            Err(error) => error.to_string(),
        },
        false => "its old pod is not gone yet".to_owned(),
    };
    let command = command_to_put_back(place, workload);
    place.ui.warning(&format!(
        "`{role}` keeps the strategy Recreate, which is the one for a beat ({why}); to put back its own: `{command}`"
    ));
}

/// The kubectl command that puts back the strategy the workload had when it was read.
pub(super) fn command_to_put_back(place: &Place<'_>, workload: &Operated) -> String {
    let patch = format!(r#"{{"spec":{{"strategy":{}}}}}"#, workload.strategy_json());
    place.kubectl(["patch", &workload.workload, "--type=merge", "-p", &patch])
}

async fn old_pods_gone(follow: &mut Follow<'_>) -> bool {
    while follow.pods().iter().any(|pod| pod.old) {
        match follow.next().await {
            Ok(Told::View(_) | Told::Away(_)) => {}
            Ok(Told::Gone) | Err(_) => return false,
        }
    }
    true
}
