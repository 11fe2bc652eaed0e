//! Somebody else's migration of the same database: who, since when, how far; and following it.

use super::{Held, conclude, follow, show::Shape};
use crate::{
    cluster::{JobState, JobSummary},
    error::{Error, Result},
    exit::Exit,
    job::{self, Place},
};

/// Tells of the Job that has the lock, and offers to follow it; `yes` is the answer where nobody can be asked. It ends as
/// an error in any case: the user's own plan was not run.
///
/// # Errors
/// Always, unless the other one cannot be followed.
pub async fn meet(place: &Place<'_>, other: &JobSummary, yes: bool, shape: Shape) -> Result<Exit> {
    let Place { environment, ui, .. } = place;
    let progress = Held::progress(place, &other.handle).await;
    let progress = progress.map(|progress| format!(", {progress}")).unwrap_or_default();
    // Its status lags behind its pod.
    let state = if progress.is_empty() || other.is_over() { other.state } else { JobState::Running };
    let line = format!("{}{progress}", job::line(&JobSummary { state, ..other.clone() }));
    let (name, job) = (&environment.name, &other.handle.name);
    let anew = format!("plan anew what it left: `kdj migrate {name}`");
    if !other.is_over() && (yes || ui.can_ask()) {
        ui.status(&line);
        if ui.ask_yes_no("a migration is under way: follow it?", yes).await? {
            let followed = follow(place, &other.handle, None).await?;
            let ended = conclude(place, &other.handle, &other.user, followed, shape).await?;
            return match ended {
                Exit::Success => Err(Error::failed("that was another migration: yours was not run").hint(anew)),
                ended => Ok(ended),
            };
        }
    }
    let error = |now| Error::failed(format!("another migration of this database {now} in `{name}`: nothing was done"));
    Err(match other.is_over() {
        false => error("is under way").caused_by(line).hint(format!("follow it: `kdj jobs attach {name} {job}`")),
        true => error("was made meanwhile")
            .caused_by(line)
            .hint(format!("its receipt: `kdj jobs attach {name} {job}`"))
            .hint(anew),
    })
}
