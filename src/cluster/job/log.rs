//! A Job's log as text.

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use tokio::sync::{mpsc, watch};

use super::{
    super::{
        Cluster,
        logs::{self, ContainerLog, Cursor, LogEnd, Part, Run, Runs, Text},
    },
    JobHandle, Verdict,
    state::{self, PodState},
};
use crate::{
    error::{Error, Result},
    streams::Pieces,
};

impl Cluster {
    /// A Job's log as far as it is.
    ///
    /// # Errors
    /// When it has none yet, or it may not be read.
    pub async fn job_log(&self, job: &JobHandle, log: mpsc::Sender<Pieces>) -> Result<()> {
        let gone = || Error::failed(format!("job `{}` has no pod, and so no log", job.name));
        let never_ran = || Error::failed(format!("job `{}` has no log: its container never ran", job.name));
        let pod = self.pod_of(job).await?.ok_or_else(gone)?;
        match state::read(&pod, &job.container, Timestamp::now()) {
            PodState::Waiting { why, .. } => {
                return Err(Error::failed(format!("job `{}` has no log yet", job.name)).caused_by(why));
            }
            PodState::Ended(Verdict::NotStarted(why)) => {
                let all = job.log_of_all_containers(&self.place.context);
                return Err(never_ran().caused_by(why).hint(format!("what there is of its other containers: `{all}`")));
            }
            PodState::Ended(Verdict::NotFound(why) | Verdict::CannotExec(why)) => {
                return Err(never_ran().caused_by(why));
            }
            PodState::Running | PodState::Ended(_) => {}
        }
        let pod = pod.name_any();
        let (_ended, seen) = watch::channel(Runs::once(false));
        match self.copy_log(job, &pod, log, seen, &|_| ()).await? {
            LogEnd::Gone { why, .. } => {
                Err(Error::failed(format!("job `{}` has no log any more", job.name)).caused_by(why))
            }
            LogEnd::Complete | LogEnd::OutputClosed => Ok(()),
        }
    }

    /// Copies the log of a Job's container in `pod`, from its first line, while `runs` tells whether it goes on.
    pub(super) async fn copy_log(
        &self,
        job: &JobHandle,
        pod: &str,
        log: mpsc::Sender<Pieces>,
        runs: watch::Receiver<Runs>,
        away: &dyn Fn(String),
    ) -> Result<LogEnd> {
        let (namespace, container, ramp) = (&job.namespace, &job.container, &logs::ramp());
        let source = ContainerLog { cluster: self, namespace, pod, uid: None, container, ramp };
        source.copy(Part::default(), &mut Cursor::default(), &mut Text::to(log), Run::new(runs, 0), away).await
    }
}
