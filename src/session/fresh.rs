//! Sessions in a pod of their own: a Job whose container holds the program, so that it outlives the connection, rollouts
//! of the workload, and kdj. Its deadline and its TTL remove it even when nobody does.

use std::{future::Future, time::Duration};

use jiff::Timestamp;

use super::{
    Place, Program, Request,
    own::{Own, PodSettings},
    own_job::{begin, remove, wait},
    terminal_type,
};
use crate::{
    cluster::{
        Ending, JobKind, JobSummary, Kubeconfig, NewJob, Preference, Target, Template, Verdict, Wanted, new_name,
    },
    connection,
    environment::Environment,
    error::{Error, Result},
    exit::{Exit, Failure},
    job::{self, START_LIMIT},
    keeper,
    options::Options,
    protection::{self, Object, Record, Who},
    ui::{
        Ui,
        terminal::{Stdin, interrupted},
    },
};

/// How long a session's pod may live, when nothing else is said.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
/// How long its Job stays after its end.
pub const KEEP: Duration = Duration::from_secs(60);
/// What is executed where the image has no Python may be so long: it travels in a URL.
const LONGEST_PLAIN: usize = 2000;
/// Instead of what is longer, which would need Python anyway.
const NO_PYTHON: [&str; 3] = ["sh", "-c", "echo 'error: no Python 3.6 or later in the image' >&2; exit 127"];

/// Runs a program in a pod of its own.
pub(super) async fn run(
    request: Request,
    environment: &Environment,
    kubeconfig: &Kubeconfig,
    options: &Options,
    ui: &Ui,
    program: Program,
) -> Result<Exit> {
    // What only reads has a pod made for it, too, and the image's entrypoint may do anything.
    let Request { wanted, change, consent, opens, .. } = request;
    let permit = match options.explain {
        false => Some(protection::permit(environment, &change, &consent, ui).await?),
        true => None,
    };
    let cluster = connection::open(environment, kubeconfig, options, ui).await?;
    let place = job::Place { cluster: &cluster, environment, ui };
    let who = Who::ask(&cluster);
    let reading = cluster.template(environment, &wanted, Preference::Shell);
    let template = ui.waiting("reading the template", who.beside(reading)).await?;
    for note in &template.notes {
        ui.status(note);
    }
    let PodSettings { cpu, memory, image, timeout } = opens.settings;
    let mut by = job::by(environment, &change, permit.as_ref(), who.answer().await);
    if by.command.is_empty() {
        // A list of sessions is to say what they are.
        change.verb.clone_into(&mut by.command);
    }
    let new = NewJob {
        kind: JobKind::Session,
        name: new_name(JobKind::Session),
        by,
        words: Vec::new(),
        entrypoint: true,
        workdir: None,
        variables: [].into(),
        variables_from: Vec::new(),
        cpu,
        memory,
        image,
        timeout: timeout.unwrap_or(LIFETIME),
        start_limit: Some(START_LIMIT),
        keep: Some(KEEP),
        with_sidecars: false,
        bare: false,
    };
    if options.explain {
        super::explain::confirmation(environment, false, ui);
        let (new, program) = hold(new, program);
        ui.status(&format!("would run {} in the pod of the job below, and delete it at the end", program.name));
        return job::explain(&place, &template, &new, options);
    }
    let object = Object::Job(new.name.clone());
    let work = run_in_own_pod(&place, &template, new, program, START_LIMIT);
    match permit {
        Some(permit) => Record::begin(&permit, environment, object, who, &cluster, ui).keep(work).await,
        None => work.await,
    }
}

/// Makes the Job `new`, runs the program in its pod and ends as it ends. The Job is deleted, unless the program goes on
/// and can be taken up again.
///
/// # Errors
/// When the pod does not start, and those of a session.
pub async fn run_in_own_pod(
    place: &job::Place<'_>,
    template: &Template,
    new: NewJob,
    program: Program,
    start_limit: Duration,
) -> Result<Exit> {
    let (new, program) = hold(new, program);
    let (own, target) = begin(place, template, &new, program.kept, start_limit).await?;
    match target {
        Ok(target) => carry_on(place, own, target, program).await,
        Err(error) => {
            remove(place, &own.job).await;
            Err(error)
        }
    }
}

/// Makes the Job `new`, does `work` in its pod, which holds nothing, and deletes the Job.
///
/// # Errors
/// When the pod does not start, and those of `work`.
pub async fn in_own_pod(
    place: &job::Place<'_>,
    template: &Template,
    mut new: NewJob,
    work: impl AsyncFnOnce(&Target) -> Result<Exit>,
) -> Result<Exit> {
    new.words = keeper::holder(&new.name, None, &[]);
    let (own, target) = begin(place, template, &new, false, START_LIMIT).await?;
    let outcome = match target {
        Ok(target) => work(&target).await,
        Err(error) => Err(error),
    };
    remove(place, &own.job).await;
    outcome
}

/// Takes up a session again, at a terminal.
///
/// # Errors
/// When it is over, and those of a session.
pub async fn take_up(place: &job::Place<'_>, job: &JobSummary) -> Result<Exit> {
    let lifetime = job.handle.timeout.unwrap_or(LIFETIME);
    let until = job.created.unwrap_or_else(Timestamp::now) + lifetime;
    let own = Own { job: job.handle.clone(), kept: true, new: false, until };
    let target = tokio::select! {
        biased;
        number = interrupted() => return Err(Error::new(Failure::Signal(number), "interrupted")),
        target = find(place, &own) => target?,
    };
    let program = Program {
        alternatives: keeper::attach(&own.job.name),
        tty: true,
        stdin: Stdin::Local,
        kept: true,
        name: if job.command.is_empty() { "the program".to_owned() } else { job.command.clone() },
        mode: None,
    };
    carry_on(place, own, target, program).await
}

/// Has the keeper start what gets a terminal, and go on with it. The rest is executed in the pod as in any other.
pub fn hold(mut new: NewJob, program: Program) -> (NewJob, Program) {
    if !program.tty {
        new.words = keeper::holder(&new.name, None, &[]);
        return (new, program);
    }
    new.words = keeper::holder(&new.name, terminal_type().as_deref(), &program.alternatives);
    // The last one needs the least of the image.
    let plain = program.alternatives.last().cloned().unwrap_or_default();
    let plain = match plain.iter().map(String::len).sum::<usize>() {
        0..=LONGEST_PLAIN => plain,
        _ => NO_PYTHON.map(str::to_owned).to_vec(),
    };
    let alternatives = keeper::start(&new.name, &plain);
    (new, Program { alternatives, kept: true, ..program })
}

/// The pod of a session that was begun before.
async fn find(place: &job::Place<'_>, own: &Own) -> Result<Target> {
    wait(place, &own.job, START_LIMIT).await?.map_err(|verdict| own.over(&verdict))
}

/// Runs the program in the pod to the end of one of them, or of the connection; then deletes the Job, unless the program
/// goes on and can be taken up again.
async fn carry_on(place: &job::Place<'_>, own: Own, target: Target, program: Program) -> Result<Exit> {
    let job::Place { cluster, environment, ui, .. } = *place;
    let wanted = Wanted { pod: Some(target.pod.clone()), ..Wanted::default() };
    let session = Place { own: Some(own), ..Place::new(cluster, environment, wanted, ui) };
    let ended = session.session(target, program).await;
    let Some(own) = &session.own else { return Err(Error::failed("the session has no pod")) };
    let (outcome, stays) = match ended {
        Err(error) if own.stays_after(&error) => {
            let over = cut_short(own.end(cluster)).await?.is_some();
            (Err(if over { error } else { own.hints(error, environment) }), !over)
        }
        Err(error) => (Err(error), false),
        Ok((named, ending)) if own.is_unclear(&ending) => match (cut_short(own.end(cluster)).await?, ending) {
            (Some(Verdict::Exited(code) | Verdict::Killed { code, .. }), ending) if ending == Ending::Exited(code) => {
                (super::outcome::of(ending, &named, &session).await, false)
            }
            (Some(verdict), _) => (Err(own.over(&verdict)), false),
            (None, Ending::Exited(_) | Ending::OutputClosed) => {
                let message = format!("left the session; `{}` may go on in pod {}", named.name, named.target.pod);
                (Err(own.hints(Error::new(Failure::Lost, message), environment)), true)
            }
            (None, ending) => {
                let outcome = super::outcome::of(ending, &named, &session).await;
                (outcome.map_err(|error| own.hints(error, environment)), true)
            }
        },
        Ok((named, ending)) => {
            let stays = own.stays(&ending);
            (super::outcome::of(ending, &named, &session).await, stays)
        }
    };
    if !stays {
        remove(place, &own.job).await;
    }
    outcome
}

/// Does `work`, unless a signal asks kdj to end.
async fn cut_short<T>(work: impl Future<Output = T>) -> Result<T> {
    tokio::select! {
        done = work => Ok(done),
        number = interrupted() => Err(Error::new(Failure::Signal(number), "interrupted; the session goes on")),
    }
}
