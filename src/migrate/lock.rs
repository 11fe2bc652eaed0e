//! One migration at a time on one database: the Job's name is made of the database's identity, and a name exists once.

use std::time::Duration;

use tokio::{sync::mpsc, time::sleep};

use crate::{
    cluster::{JobHandle, JobKind, JobSummary, NewJob, Template},
    error::{Error, Result},
    job::{self, Place},
    migration::{Database, Progress},
    session::collect,
};

/// How often a Job that has ended is cleared away for the next.
const ATTEMPTS: u32 = 20;
/// The pause until its name is free.
const PAUSE: Duration = Duration::from_millis(300);

/// The Jobs of migrations that had ended before the plan was made, by uid.
pub struct Before(Vec<String>);

impl Before {
    /// Asks for them, before the plan is made: one request, and another for each Job that is not known to be over. A
    /// container has ended a second or two before its Job says so.
    ///
    /// # Errors
    /// When the cluster cannot be reached or refuses.
    pub async fn look(place: &Place<'_>) -> Result<Self> {
        let mut over = Vec::new();
        for job in place.cluster.jobs(place.environment, &[JobKind::Migrate]).await? {
            if job.is_over() || place.cluster.has_ended(&job.handle).await? {
                over.push(job.handle.uid);
            }
        }
        Ok(Self(over))
    }

    /// Whether the Job had ended before the plan was made: the plan knows what it did.
    fn knows(&self, job: &JobSummary) -> bool {
        self.0.contains(&job.handle.uid)
    }
}

/// The name of the Job that migrates a database: the same for everybody who means the same database.
pub fn job_name(database: &Database) -> String {
    let identity = database.identity.as_deref().unwrap_or(&database.alias);
    let letters = identity.chars().filter(char::is_ascii_alphanumeric).take(16).collect::<String>().to_lowercase();
    format!("kdj-{}-{letters}", JobKind::Migrate.word())
}

/// What came of the attempt.
pub enum Held {
    /// The lock is ours: the Job exists.
    Mine(JobHandle),
    /// Somebody else's Job has it, or had it after the plan was made.
    Theirs(Box<JobSummary>),
}

/// Makes the Job. One that ended before the plan was made gives way.
///
/// # Errors
/// When the server refuses, or nobody knows whether the Job exists.
pub async fn start(place: &Place<'_>, template: &Template, new: &NewJob, before: &Before) -> Result<Held> {
    for _ in 0..ATTEMPTS {
        if let Some(job) = job::start_named(place, template, new).await? {
            return Ok(Held::Mine(job));
        }
        match place.cluster.job(place.environment, &new.name).await? {
            Some(other) if !before.knows(&other) => return Ok(Held::Theirs(Box::new(other))),
            Some(over) => {
                place.cluster.delete_job(&over.handle).await?;
            }
            None => {}
        }
        sleep(PAUSE).await;
    }
    Err(Error::failed(format!("the job `{}` of an earlier migration does not go away", new.name))
        .hint(format!("look at it: `kdj jobs {}`", place.environment.name)))
}

impl Held {
    /// How far another's migration is, from its log: `7 of 12 shop.0012_add_index`.
    pub async fn progress(place: &Place<'_>, job: &JobHandle) -> Option<String> {
        let (log, lines) = mpsc::channel(4);
        let (read, text) = futures::join!(place.cluster.job_log(job, log), collect(lines));
        read.ok()?;
        let mut progress = Progress::default();
        for line in text.lines() {
            progress.eat(line);
        }
        progress.position()
    }
}
