//! What the app's Celery has to do: the length of its queues, and what its workers are at. Asked by one exec in a container
//! of the app, by the app's own Celery, so any broker will do that it can use.

mod words;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::timeout;

pub use self::words::Named;
use crate::{
    cluster::{Cluster, Target},
    database::{Problem, no_answer},
    django::{self, CELERY_MARK, CeleryQuestion},
    environment::Environment,
    error::{Error, Result},
    explained::Explained,
    session::capture,
};

/// For how many seconds workers may take to answer of which none is known. One that is alive takes a few milliseconds.
const LIMIT: f64 = 1.0;
/// The same of workers that are known, and may be on a busy node.
pub const PATIENCE: f64 = 3.0;
/// How long all of it may take: the project's start, and what `celery.py` waits for at most.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// What the broker and the workers said.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Celery {
    /// The app's name.
    pub app: String,
    /// The version of Celery: `5.7.0`.
    #[serde(default)]
    pub version: Option<String>,
    /// Its broker.
    pub broker: Broker,
    /// The queues of the settings, and those the workers consume. Absent when the broker did not say.
    pub queues: Option<Vec<Queue>>,
    /// How many messages workers have taken and not acknowledged, over all queues. Redis alone says so.
    pub unacknowledged: Option<u64>,
    /// The workers that answered. Absent when they cannot be asked: the broker is away, or of a kind that passes on no
    /// questions.
    pub workers: Option<Vec<Worker>>,
    /// Which workers stopped consuming which queues, or consume them again. Absent when none was told to, or none could be.
    consumers: Option<Vec<Consumer>>,
    /// Why there is less than this: `OperationalError: Error 111 connecting to redis:6379`.
    pub problem: Option<String>,
}

/// A broker.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Broker {
    /// `redis`, `amqp`, `sqs`, as kombu calls it.
    pub kind: String,
    /// Where it is, without user and password: `redis://redis:6379/0`.
    pub place: String,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// How many tasks wait in it, of all priorities. Absent when the broker does not say.
    pub waiting: Option<u64>,
}

/// A worker that answered. What it did not tell in time is absent: then it may be busy, and is not known to be idle.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Worker {
    /// `celery@celeryd-d97fd6c88-64whn`.
    pub name: String,
    /// The queues it consumes.
    pub queues: Option<Vec<String>>,
    /// How many tasks it runs at once.
    pub concurrency: Option<u64>,
    /// How many messages it takes at once; 0 is any number.
    pub prefetch: Option<u64>,
    /// What it runs.
    pub active: Option<Tasks>,
    /// What it has taken and will run.
    pub reserved: Option<Tasks>,
    /// What it has taken and will run at a certain time.
    pub scheduled: Option<Tasks>,
}

/// Tasks of a worker.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Tasks {
    /// How many.
    pub count: u64,
    /// The first fifty, those that have run longest before the others.
    pub tasks: Vec<Task>,
}

/// A task. Its arguments are not asked for: they may be anything.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// `orders.tasks.work`.
    pub name: String,
    /// For how many seconds it has run, where the worker says so.
    pub seconds: Option<f64>,
    /// When it is to run, in ISO 8601.
    pub eta: Option<String>,
}

/// A worker, and queues it stopped consuming or consumes again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Consumer(
    /// The worker's name.
    pub String,
    /// The queues.
    pub Vec<String>,
);

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Problem { error: Problem },
    Celery(Celery),
}

impl Celery {
    /// Whether its workers forget which queues they were told to consume again, when their connection to the broker breaks:
    /// so do those before 5.7 (celery/celery#7733).
    pub fn forgets_queues(&self) -> bool {
        let mut parts = self.version.iter().flat_map(|version| version.split('.')).map_while(|part| part.parse().ok());
        let version: (u32, u32) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        version < (5, 7)
    }
}

impl Worker {
    /// Whether it runs in the pod of this name: a worker is named after its host, which is its pod.
    pub fn is_in(&self, pod: &str) -> bool {
        is_in(&self.name, pod)
    }
}

impl Consumer {
    /// Whether the worker runs in the pod of this name.
    pub fn is_in(&self, pod: &str) -> bool {
        is_in(&self.0, pod)
    }
}

fn is_in(worker: &str, pod: &str) -> bool {
    let host = worker.split_once('@').map_or("", |(_, host)| host);
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    first(host) == first(pod)
}

/// Asks the app's Celery, in `target`'s container. `pods` are those in which workers should be: when all of them have
/// answered, no others are waited for; otherwise three seconds are. One exec; it takes as long as the app's Celery takes to load.
///
/// `None` when the app has no Celery. A broker that does not answer is no error: see [`Celery::problem`].
///
/// # Errors
/// When the program cannot be started there, or the settings cannot be loaded.
pub async fn ask(
    cluster: &Cluster,
    target: &Target,
    environment: &Environment,
    named: &Named,
    pods: &[String],
) -> Result<Option<Celery>> {
    send(cluster, target, environment, &CeleryQuestion { hosts: pods, ..question(named) }).await
}

/// The same, of the workers only which of them answer: the other questions take some pools seconds.
///
/// # Errors
/// As [`ask`].
pub async fn who_answers(
    cluster: &Cluster,
    target: &Target,
    environment: &Environment,
    named: &Named,
    pods: &[String],
) -> Result<Option<Celery>> {
    send(cluster, target, environment, &CeleryQuestion { hosts: pods, brief: true, ..question(named) }).await
}

/// Has the workers in these pods take no more messages from their queues, and says which stopped with which: only those that
/// said so of all of their queues. A pod that is in none of them has a worker that may go on. What they have taken they run.
/// One exec.
///
/// # Errors
/// As [`ask`], and when the app has no Celery, or its broker does not answer.
pub async fn stop_consuming(
    cluster: &Cluster,
    target: &Target,
    environment: &Environment,
    named: &Named,
    pods: &[String],
) -> Result<Vec<Consumer>> {
    let question = CeleryQuestion { hosts: pods, stop: pods, ..question(named) };
    changed(send(cluster, target, environment, &question).await?, &environment.name)
}

/// Has workers consume queues again that they stopped consuming, and says which do. One exec.
///
/// # Errors
/// As [`stop_consuming`].
pub async fn start_consuming(
    cluster: &Cluster,
    target: &Target,
    environment: &Environment,
    named: &Named,
    stopped: &[Consumer],
) -> Result<Vec<Consumer>> {
    let start = stopped.iter().map(|Consumer(worker, queues)| (worker.as_str(), queues.as_slice())).collect();
    let question = CeleryQuestion { start, ..question(named) };
    changed(send(cluster, target, environment, &question).await?, &environment.name)
}

fn question(named: &Named) -> CeleryQuestion<'_> {
    CeleryQuestion {
        app: named.app.as_deref(),
        queues: &named.queues,
        limit: LIMIT,
        patience: PATIENCE,
        ..CeleryQuestion::default()
    }
}

fn changed(celery: Option<Celery>, name: &str) -> Result<Vec<Consumer>> {
    match celery {
        Some(Celery { problem: None, consumers: Some(consumers), .. }) => Ok(consumers),
        Some(Celery { broker, problem, .. }) => {
            let why = problem.unwrap_or_else(|| format!("a broker of the kind {} passes on no orders", broker.kind));
            Err(Error::failed(format!("cannot reach the Celery workers of `{name}` by {}", broker.place))
                .caused_by(why)
                .explained_by(Explained::Broker, name))
        }
        None => Err(Error::failed(format!("the app of `{name}` has no Celery"))),
    }
}

async fn send(
    cluster: &Cluster,
    target: &Target,
    environment: &Environment,
    question: &CeleryQuestion<'_>,
) -> Result<Option<Celery>> {
    let (start, stdin) = django::celery_on_stdin(&environment.django, question);
    let asking = capture(cluster, target, &start.alternatives, &stdin);
    let captured = timeout(ANSWER_LIMIT, asking).await.map_err(|_| {
        Error::failed(format!("Celery in {} did not answer within {} s", target.pod, ANSWER_LIMIT.as_secs()))
            .caused_by("its project takes so long to load, or waits for something")
    })??;
    let line = captured.stdout.lines().rev().find_map(|line| line.strip_prefix(CELERY_MARK));
    match line.map(serde_json::from_str) {
        Some(Ok(Answer::Celery(celery))) => Ok(Some(celery)),
        Some(Ok(Answer::Problem { error })) if error.kind == "no-celery" => Ok(None),
        Some(Ok(Answer::Problem { error })) => Err(error.explain("", environment)),
        Some(Err(error)) => Err(Error::failed("cannot read what Celery answered").caused_by(error)),
        None => Err(no_answer(&captured.ending, &captured.stderr, target, environment)),
    }
}

#[cfg(test)]
mod tests;
