//! What is not known yet is learned by a process beside, which a Tab waits for a moment only: an answer that comes later is
//! there at the next Tab. It has no terminal and no output, and runs a credential plugin only when that never asks.

use std::{
    env,
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{
    memory::{Known, Learned, Memory},
    subject::Subject,
};
use crate::{
    cluster::{Cluster, Impersonation, JobKind, Kubeconfig, Manner, Notice},
    config::{Config, Sources},
    environment::{self, Environment, Overrides},
    error::Result,
    options::Options,
    own_file,
};

/// How long a Tab waits for the cluster: with what else there is to do it takes less than 300 ms.
const TAB_LIMIT: Duration = Duration::from_millis(240);
/// How long the process beside may take.
const LEARN_LIMIT: Duration = Duration::from_secs(10);
/// How often is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(2);
/// What the user wants of it.
const VARIABLE_OF_USER: &str = "KDJ_COMPLETION";
/// How long after a failure nobody tries again.
const PAUSE: Duration = Duration::from_secs(60);
/// What the process beside is to learn.
pub const VARIABLE: &str = "_KDJ_LEARN";

/// What a process beside gets to know.
#[derive(Serialize, Deserialize)]
struct Request {
    environment: String,
    subject: Subject,
    kubeconfig: Option<PathBuf>,
    context: Option<String>,
    namespace: Option<String>,
    user: Option<String>,
    groups: Vec<String>,
}

/// What is known of an environment, the subject asked for if it is old: nothing rather than an error.
pub fn known(name: &str, subject: Subject, options: &Options, config: &Config) -> Option<(Environment, Known)> {
    let (environment, kubeconfig) = place(name, options, config).ok()?;
    let memory = Memory::of(&kubeconfig.identity(&environment.context, &options.impersonation), &environment);
    let known = memory.recall();
    let failed_lately = known.failed.get(&subject).is_some_and(|failed| failed.is_within(PAUSE));
    // Nothing is started that would come to nothing.
    let can_ask = kubeconfig.never_asks(&environment.context) && !failed_lately;
    let Some(limit) = tab_limit().filter(|_| can_ask && !subject.is_fresh(&known)) else {
        return Some((environment, known));
    };
    let request = Request {
        environment: name.to_owned(),
        subject,
        kubeconfig: options.kubeconfig.clone(),
        context: options.overrides.context.clone(),
        namespace: options.overrides.namespace.clone(),
        user: options.impersonation.user.clone(),
        groups: options.impersonation.groups.clone(),
    };
    wait_for(&request, &memory, limit);
    Some((environment, memory.recall()))
}

/// How long a Tab waits; `None` when the user wants no cluster to be asked. `KDJ_COMPLETION` says otherwise, in
/// milliseconds or by the word `offline`.
fn tab_limit() -> Option<Duration> {
    match env::var(VARIABLE_OF_USER).as_deref() {
        Ok("offline") => None,
        Ok(text) => Some(text.parse().map_or(TAB_LIMIT, Duration::from_millis)),
        Err(_) => Some(TAB_LIMIT),
    }
}

/// Starts the process beside, unless one is under way, and waits a moment for its end.
fn wait_for(request: &Request, memory: &Memory, limit: Duration) -> Option<()> {
    let until = Instant::now() + limit;
    let lock = memory.lock()?;
    if is_locked(&lock) {
        return None;
    }
    let mut command = Command::new(env::current_exe().ok()?);
    command.env(VARIABLE, serde_json::to_string(request).ok()?).env_remove("COMPLETE");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A Ctrl-C at the prompt is not meant for it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().ok()?;
    while Instant::now() < until && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(LOOK);
    }
    Some(())
}

/// Whether somebody is learning about the place; a lock that is older than its owner can be counts for nothing.
fn is_locked(lock: &Path) -> bool {
    let made = fs::metadata(lock).and_then(|about| about.modified());
    made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age < LEARN_LIMIT))
}

/// What this process is to learn, when it is one beside a Tab.
pub fn to_learn() -> Option<String> {
    env::var(VARIABLE).ok()
}

/// Learns what is asked for, in silence; of what fails is learned that it failed.
pub fn learn(request: &str) {
    std::panic::set_hook(Box::new(|_| {}));
    let Ok(request) = serde_json::from_str::<Request>(request) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    if let Ok(runtime) = runtime {
        let _ = runtime.block_on(learn_of_place(&request));
        runtime.shutdown_background();
    }
}

async fn learn_of_place(request: &Request) -> Result<()> {
    let options = Options {
        called: None,
        kubeconfig: request.kubeconfig.clone(),
        overrides: Overrides { context: request.context.clone(), namespace: request.namespace.clone() },
        impersonation: Impersonation { user: request.user.clone(), groups: request.groups.clone() },
        explain: false,
    };
    let config = Config::load(&Sources::of_this_process())?;
    let (environment, kubeconfig) = place(&request.environment, &options, &config)?;
    let memory = Memory::of(&kubeconfig.identity(&environment.context, &options.impersonation), &environment);
    let Some(lock) = memory.lock().and_then(Lock::take) else { return Ok(()) };
    let asking = ask(request.subject, &environment, &kubeconfig, &options, &memory);
    let has_failed = !timeout(LEARN_LIMIT, asking).await.is_ok_and(|asked| asked.is_ok());
    memory.learn(|known| {
        known.failed.remove(&request.subject);
        known.failed.extend(Learned::now(()).filter(|_| has_failed).map(|now| (request.subject, now)));
    });
    drop(lock);
    Ok(())
}

/// Makes the request that tells of the names.
async fn ask(
    subject: Subject,
    environment: &Environment,
    kubeconfig: &Kubeconfig,
    options: &Options,
    memory: &Memory,
) -> Result<()> {
    let manner = Manner::NeverAsking(LEARN_LIMIT);
    let memory = memory.clone();
    let observer = Box::new(move |notice| {
        if let Notice::Glimpse(glimpse) = notice {
            memory.see(glimpse);
        }
    });
    let cluster = Cluster::connect(environment, kubeconfig, &options.impersonation, observer, manner).await?;
    match subject {
        Subject::Roles | Subject::Containers | Subject::Pods => cluster.summary(environment).await.map(drop),
        Subject::Jobs | Subject::Sessions => cluster.jobs(environment, &JobKind::ALL).await.map(drop),
        Subject::Targets => cluster.reachable(environment).await.map(drop),
        Subject::App => Ok(()),
    }
}

fn place(name: &str, options: &Options, config: &Config) -> Result<(Environment, Kubeconfig)> {
    let kubeconfig = Kubeconfig::load(options.kubeconfig.as_deref())?;
    let environment = environment::resolve(name, config, &kubeconfig.contexts(), &options.overrides)?;
    Ok((environment, kubeconfig))
}

/// That this process learns about the place; gone with it.
struct Lock(PathBuf);

impl Lock {
    fn take(path: PathBuf) -> Option<Self> {
        if is_locked(&path) {
            return None;
        }
        let _ = fs::remove_file(&path);
        own_file::make_folder(path.parent()?).ok()?;
        OpenOptions::new().write(true).create_new(true).open(&path).ok()?;
        Some(Self(path))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
