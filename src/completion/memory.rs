//! What was learned of a place, and when. A file for each place: names only, no secrets. Without it kdj works as well.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::subject::Subject;
use crate::{
    cluster::{Glimpse, JobKind, JobSummary, PodGlance, RoleGlance},
    environment::Environment,
    own_file,
};

/// Files of places that nobody has looked at for so long are removed.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How many jobs are remembered that no list has told of.
const MOST_JOBS: usize = 50;

/// What is known of a place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// The pods of its roles.
    pub pods: Option<Learned<Vec<PodGlance>>>,
    /// The roles that have a workload, if no pod.
    pub roles: Option<Learned<Vec<RoleGlance>>>,
    /// The jobs of kdj's.
    pub jobs: Option<Learned<Vec<JobName>>>,
    /// The sessions in pods of their own.
    pub sessions: Option<Learned<Vec<JobName>>>,
    /// What can be forwarded to: roles and Services.
    pub targets: Option<Learned<Vec<String>>>,
    /// The apps that have migrations.
    pub apps: Option<Learned<Vec<String>>>,
    /// The management commands.
    pub commands: Option<Learned<Vec<String>>>,
    /// What a process beside a Tab got no answer to.
    pub failed: BTreeMap<Subject, Learned<()>>,
}

/// A job of kdj's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobName {
    /// Its name.
    pub name: String,
    /// How far it is, and its command.
    pub about: String,
}

impl JobName {
    /// What is remembered of a job.
    pub fn of(job: &JobSummary) -> Self {
        let about = format!("{}, {}", job.state.word(), job.command);
        Self { name: job.handle.name.clone(), about }
    }
}

impl Known {
    /// Takes in the names that a request has told of.
    fn see(&mut self, glimpse: Glimpse) {
        match glimpse {
            Glimpse::Pods(pods) => self.pods = Learned::now(pods),
            Glimpse::Roles(roles) => self.roles = Learned::now(roles),
            Glimpse::Targets(targets) => self.targets = Learned::now(targets),
            Glimpse::Jobs(kinds, jobs) => {
                let of = |wanted: &[JobKind]| -> Option<Learned<Vec<JobName>>> {
                    let is_all = wanted.iter().all(|kind| kinds.contains(kind));
                    let jobs = jobs.iter().filter(|job| wanted.contains(&job.kind)).map(JobName::of);
                    Learned::now(jobs.collect()).filter(|_| is_all)
                };
                self.jobs = of(&JOBS).or(self.jobs.take());
                self.sessions = of(&[JobKind::Session]).or(self.sessions.take());
            }
            Glimpse::NewJob(job) if job.kind == JobKind::Session => add(&mut self.sessions, JobName::of(&job)),
            Glimpse::NewJob(job) if JOBS.contains(&job.kind) => add(&mut self.jobs, JobName::of(&job)),
            Glimpse::NewJob(_) => {}
            Glimpse::GoneJob(name) => {
                for learned in [&mut self.jobs, &mut self.sessions].into_iter().flatten() {
                    learned.what.retain(|job| job.name != name);
                }
            }
        }
    }
}

/// The kinds of Jobs that are no sessions, and that anybody would name.
const JOBS: [JobKind; 2] = [JobKind::Run, JobKind::Migrate];

/// Adds a job to those that are known. There may be others since: whoever can ask asks.
fn add(known: &mut Option<Learned<Vec<JobName>>>, job: JobName) {
    let mut jobs = known.as_ref().and_then(|jobs| jobs.within(Subject::Jobs.usable()).cloned()).unwrap_or_default();
    jobs.retain(|other| other.name != job.name);
    jobs.insert(0, job);
    jobs.truncate(MOST_JOBS);
    let at = SystemTime::now().checked_sub(Subject::Jobs.fresh());
    *known = at.map(|at| Learned { at, what: jobs });
}

/// Something, and when it was learned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned<T> {
    at: SystemTime,
    what: T,
}

impl<T> Learned<T> {
    /// Learned now.
    pub fn now(what: T) -> Option<Self> {
        Some(Self { at: SystemTime::now(), what })
    }

    /// Whether it was learned so lately.
    pub fn is_within(&self, time: Duration) -> bool {
        self.at.elapsed().is_ok_and(|age| age < time)
    }

    /// It, if it was learned so lately.
    pub fn within(&self, time: Duration) -> Option<&T> {
        self.is_within(time).then_some(&self.what)
    }
}

/// The memory of one place.
#[derive(Clone, Debug)]
pub struct Memory {
    path: Option<PathBuf>,
}

impl Memory {
    /// Of an environment, as seen by one user of one cluster: [`Cluster::identity`](crate::cluster::Cluster::identity).
    pub fn of(identity: &str, environment: &Environment) -> Self {
        let Environment { namespace, instance, roles, .. } = environment;
        let mut hasher = DefaultHasher::new();
        (identity, namespace, instance, format!("{roles:?}")).hash(&mut hasher);
        let name = format!("{:016x}.json", hasher.finish());
        Self { path: dirs::cache_dir().map(|cache| cache.join("kdj").join("completion").join(name)) }
    }

    /// What is known; nothing when there is no file, or somebody else may have written it.
    pub fn recall(&self) -> Known {
        let text = self.path.as_deref().and_then(own_file::read);
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// Learns something. That it cannot be written is nobody's concern.
    pub fn learn(&self, change: impl FnOnce(&mut Known)) {
        let Some(path) = &self.path else { return };
        let mut known = self.recall();
        change(&mut known);
        if !path.exists() {
            forget_old(path);
        }
        if let Ok(text) = serde_json::to_vec(&known) {
            let _ = own_file::write(path, &text);
        }
    }

    /// Learns the names that a request has told of.
    pub fn see(&self, glimpse: Glimpse) {
        self.learn(|known| known.see(glimpse));
    }

    /// Forgets what got no answer: the cluster answers again.
    pub fn forgive(&self) {
        if !self.recall().failed.is_empty() {
            self.learn(|known| known.failed.clear());
        }
    }

    /// A file that says that somebody is learning about the place.
    pub(super) fn lock(&self) -> Option<PathBuf> {
        Some(self.path.as_ref()?.with_extension("learning"))
    }
}

/// Removes what lies beside `path` and has not been written for long.
fn forget_old(path: &Path) {
    for entry in path.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten() {
        let written = entry.metadata().and_then(|about| about.modified());
        if written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age > KEPT)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_that_were_made_stand_before_the_older_ones_and_make_no_list_new() {
        let job = |number: usize| JobName { name: format!("kdj-run-{number}"), about: "pending, report".to_owned() };
        let mut known = Learned::now(vec![job(0)]);
        for number in 1..=MOST_JOBS {
            add(&mut known, job(number));
        }
        add(&mut known, job(7));
        let known = known.unwrap();
        assert!(!known.is_within(Subject::Jobs.fresh()));
        let jobs = known.within(Subject::Jobs.usable()).unwrap();
        assert_eq!((jobs.len(), &jobs[0], &jobs[1]), (MOST_JOBS, &job(7), &job(MOST_JOBS)));
        // What was listed too long ago does not come back with them.
        let mut old = Some(Learned { at: SystemTime::UNIX_EPOCH, what: vec![job(1)] });
        add(&mut old, job(2));
        assert_eq!(old.unwrap().what, [job(2)]);
    }

    #[test]
    fn what_is_learned_is_known_for_a_while() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("completion/a.json");
        let memory = Memory { path: Some(path.clone()) };
        assert_eq!(memory.recall(), Known::default());
        memory.learn(|known| known.apps = Learned::now(vec!["catalog".to_owned()]));
        memory.learn(|known| known.commands = Learned::now(vec!["check".to_owned()]));
        let known = memory.recall();
        assert_eq!(known.apps.as_ref().unwrap().within(Duration::from_secs(60)).unwrap(), &["catalog"]);
        assert_eq!(known.apps.as_ref().unwrap().within(Duration::ZERO), None);
        assert!(known.commands.is_some());
        // Rubbish, and what others may write, is nothing.
        fs::write(&path, "{").unwrap();
        assert_eq!(memory.recall(), Known::default());
    }
}
