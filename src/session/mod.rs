//! A session in an environment, from its target to its exit code: what `shell`, `pyshell` and `manage` share.

mod banner;
mod capture;
mod companion;
mod explain;
mod fresh;
mod outcome;
mod own;
mod own_job;
mod place;
mod pod_cache;
mod stream;

use std::env;

pub use self::{
    capture::{Captured, capture, collect},
    companion::{Companion, Silent},
    fresh::{KEEP, hold, in_own_pod, run_in_own_pod, take_up},
    outcome::runtime_words,
    own::{Opens, PodSettings},
    place::Place,
    stream::{Streamed, stream},
};
use crate::{
    cluster::Wanted,
    config::Config,
    connection,
    database::Mode,
    environment::Environment,
    error::Result,
    exit::Exit,
    options::Options,
    protection::{self, Change, Consent, Object, Record, Who},
    ui::{
        Ui,
        terminal::{Stdin, has_terminal},
    },
};

/// What to execute.
#[derive(Debug)]
pub struct Program {
    /// Words to execute, and others to try when the first of them is not in the image.
    pub alternatives: Vec<Vec<String>>,
    /// Whether the remote process gets a terminal.
    pub tty: bool,
    /// What it reads.
    pub stdin: Stdin,
    /// Whether it goes on when kdj leaves or the connection drops, to be taken up again.
    pub kept: bool,
    /// How it is called in messages: `bash`, `manage.py check`.
    pub name: String,
    /// What it may do with the databases, where that is known.
    pub mode: Option<Mode>,
}

/// The remote terminal's type, when there is a terminal at all.
pub fn terminal_type() -> Option<String> {
    has_terminal().then(|| env::var("TERM").ok().filter(|term| !term.is_empty()).unwrap_or_else(|| "xterm".to_owned()))
}

/// Where to run a program, and what it may change.
#[derive(Debug)]
pub struct Request {
    /// The environment's name.
    pub environment: String,
    /// What to look for in it.
    pub wanted: Wanted,
    /// What running the program changes.
    pub change: Change,
    /// Whether it changes nothing after all.
    pub reads_only: bool,
    /// What the flags say of a change.
    pub consent: Consent,
    /// In which pod.
    pub opens: Opens,
}

/// Runs a program in an environment and ends as it ends.
///
/// # Errors
/// When it is not permitted, when it cannot be started, when the connection is lost, or when a signal ends kdj.
pub async fn run(
    request: Request,
    options: &Options,
    config: &Config,
    ui: &Ui,
    program: impl FnOnce(&Environment) -> Program,
) -> Result<Exit> {
    let (environment, kubeconfig) = connection::resolve(&request.environment, options, config)?;
    let program = program(&environment);
    if request.opens.is_fresh(&environment, &request.wanted)? {
        return fresh::run(request, &environment, &kubeconfig, options, ui, program).await;
    }
    let Request { wanted, change, consent, .. } = request;
    let reads_only = request.reads_only || program.mode == Some(Mode::ReadOnly);
    if options.explain {
        let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
        return Place::new(&cluster, &environment, wanted, ui).explain(&program, reads_only, options).await;
    }
    let permit = match reads_only {
        false => Some(protection::permit(&environment, &change, &consent, ui).await?),
        true => None,
    };
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place::new(&cluster, &environment, wanted, ui);
    let Some(permit) = permit else { return place.run(place.target().await?, program).await };
    let who = Who::of(&permit, &cluster);
    let target = who.beside(place.target()).await?;
    let record = Record::begin(&permit, &environment, Object::from(&target), who, &cluster, ui);
    record.keep(place.run(target, program)).await
}
