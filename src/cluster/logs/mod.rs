//! Logs: of one container as it goes on ([`ContainerLog`]), and of all the app's pods at once ([`Cluster::logs`]).
//!
//! One LIST of pods, and while logs are followed one watch; one stream for each container.
//!
//! * `wanted`: which pods and containers.
//! * `pods`: what of them is read at the moment.
//! * `reader`: one container from run to run; `run` reads from its pod which runs there are.
//! * `container`: the log of one run, whatever cuts its stream; `stream` is one stream (`lines` cuts it), `cursor` where it goes on.
//! * `ask`: what is asked of a log besides.
//! * `sink`, `outlet`: where the lines go.
//! * `events`: what the cluster says of them, as lines among theirs.

mod ask;
mod container;
mod cursor;
mod descriptors;
mod events;
mod lines;
mod outlet;
mod pods;
mod reader;
mod run;
mod sink;
mod stamp;
mod stream;
mod wanted;

use std::pin::pin;

use futures::{FutureExt, StreamExt};
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use tokio::{
    sync::mpsc,
    time::{Duration, sleep},
};

use self::pods::Pods;
pub use self::wanted::{Containers, LogsWanted, PodNames};
pub(super) use self::{
    container::{ContainerLog, LogEnd, Part, ramp},
    cursor::Cursor,
    run::{Run, Runs},
    sink::Text,
};
use super::{
    Cluster,
    target::{Roles, group},
    watch::{Seen, Selection, Watch},
};
use crate::{
    environment::Environment,
    error::{Error, Result},
    logs::Event,
};

/// How long a Job whose pods have ended may take to say so.
const JOB_PAUSE: Duration = Duration::from_secs(2);

/// What comes of one container, in batches.
pub type LogStream = mpsc::Receiver<Vec<Event>>;

/// What there is to read.
#[derive(Debug)]
pub enum Announcement {
    /// This stream. Its first event says whose it is.
    Stream(LogStream),
    /// All streams that there are at the beginning have been announced.
    All,
}

impl Cluster {
    /// Reads the logs that are `wanted`: each container's is a stream of its own, which goes to `streams`, those of the pods
    /// that are there before anything is read. What there is to say meanwhile goes to
    /// `say`. Ends when no more lines can come; while logs are followed that is never, but for those of a Job.
    ///
    /// # Errors
    /// When the pods may not be listed, there are none, no log can be read, or the server has been away for too long.
    pub async fn logs(
        &self,
        environment: &Environment,
        wanted: &LogsWanted,
        streams: &mpsc::UnboundedSender<Announcement>,
        say: &dyn Fn(String),
    ) -> Result<()> {
        let asked = match wanted.roles.as_slice() {
            [only] => Some(only.as_str()),
            _ => None,
        };
        let roles = Roles::new(environment, asked)?;
        let selection = Selection { labels: wanted.labels(&roles), ..Selection::of("pods", &environment.namespace) };
        let mut watch = Watch::<Pod>::new(self, selection, None);
        let ramp = ramp();
        let mut pods = Pods::new(self, environment, wanted, &roles, streams, (&ramp, say));
        let first = watch.first().await?;
        if wanted.labels(&roles) == roles.query(None) {
            self.tell_pods(&group(first.clone(), &roles));
        }
        first.iter().for_each(|pod| pods.see(pod));
        self.require_any(environment, wanted, &roles, &pods).await?;
        pods.begin();
        let known = pods.objects();
        let told = if wanted.events { pods.announce() } else { None };
        let told = async {
            match told {
                Some(out) => events::read(self, environment, wanted, &known, out).await,
                None => Ok(()),
            }
        };
        let _ = streams.send(Announcement::All);
        let mut told = pin!(told.fuse());
        let mut is_told = false;
        loop {
            let is_over = if wanted.follow { pods.has_only_failed() } else { is_told };
            if is_over && pods.readers.is_empty() {
                return pods.outcome();
            }
            tokio::select! {
                all = &mut told, if !is_told => {
                    all?;
                    is_told = true;
                }
                read = pods.readers.next(), if !pods.readers.is_empty() => pods.count(read),
                seen = watch.next(), if wanted.follow => match seen? {
                    Seen::One(pod) => pods.see(&pod),
                    Seen::Gone(pod) => pods.forget(&run::uid(&pod)),
                    Seen::All(all) => {
                        pods.keep(&all);
                        all.iter().for_each(|pod| pods.see(pod));
                    }
                    Seen::Away(why) => say(format!("the pods cannot be watched, trying again: {why}")),
                },
                over = self.job_is_over(environment, wanted), if pods.readers.is_empty() && wanted.job.is_some() => {
                    if over {
                        return pods.outcome();
                    }
                }
                () = streams.closed() => return Ok(()),
            }
        }
    }

    /// Fails when there is nothing to read, and nothing to wait for.
    async fn require_any(
        &self,
        environment: &Environment,
        wanted: &LogsWanted,
        roles: &Roles<'_>,
        pods: &Pods<'_>,
    ) -> Result<()> {
        if let Some(missing) = pods.missing_role() {
            return Err(self.no_pods(environment, roles, Some(missing)).await);
        }
        if !pods.is_empty() {
            return Ok(());
        }
        let name = &environment.name;
        if let Some(job) = &wanted.job {
            return match self.get::<Job>(&environment.namespace, job).await? {
                Some(_) if wanted.follow => Ok(()),
                Some(_) => Err(Error::failed(format!("job `{job}` has no pod, and so no log"))),
                None => Err(Error::failed(format!("no job `{job}` in `{name}`"))
                    .hint(format!("list those of kdj: `kdj jobs {name}`"))),
            };
        }
        if wanted.pod.is_some() || wanted.selector.is_some() {
            let error = Error::failed(format!("no pod in `{name}` is as asked for"));
            return Err(error.hint(format!("see which there are: `{}`", self.kubectl_pods(environment))));
        }
        if pods.were_seen() {
            return Err(Error::failed(format!("no pod in `{name}` has such a container")));
        }
        Err(self.no_pods(environment, roles, None).await)
    }

    fn kubectl_pods(&self, environment: &Environment) -> String {
        format!("kubectl --context {} -n {} get pods", environment.context, environment.namespace)
    }

    /// Whether a Job whose pods have all ended will make no others.
    async fn job_is_over(&self, environment: &Environment, wanted: &LogsWanted) -> bool {
        let Some(name) = &wanted.job else { return false };
        sleep(JOB_PAUSE).await;
        let Ok(job) = self.get::<Job>(&environment.namespace, name).await else { return false };
        let conditions = job.and_then(|job| job.status).map(|status| status.conditions.unwrap_or_default());
        let is_end = |kind: &str| matches!(kind, "Complete" | "Failed");
        conditions.is_none_or(|all| all.iter().any(|it| is_end(&it.type_) && it.status == "True"))
    }
}
