//! Makes the plan, on the template's image: in a running pod where that has this very image, else in a short Job.

use std::time::Duration;

use tokio::sync::mpsc;

use super::show::{last_words, no_plan};
use crate::{
    cluster::{Ending, JobKind, NewJob, News, Target, Template, Verdict, Wanted, new_name},
    completion::{Learned, Memory},
    django::{self, MigrationRequest},
    error::{Error, Result},
    exit::Failure,
    job::{self, Place},
    migration::{Plan, PlanProblem, find_plan},
    session::{Captured, capture, collect, runtime_words},
};

/// How long the Job of a plan may run, and may take to start.
const JOB_LIMIT: Duration = Duration::from_secs(10 * 60);
/// How long it stays when kdj could not delete it.
const JOB_KEEP: Duration = Duration::from_secs(10 * 60);

/// A plan, and where it was made.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// `pod web-1`, `job kdj-plan-x7k2m`.
    pub made_in: String,
    /// Which of the ways to start Python the image has.
    pub alternative: usize,
    /// The image of the pod it was made in, by digest, where its node pulled it.
    pub digest: Option<String>,
}

/// Makes the plan.
///
/// # Errors
/// When the app cannot be started, or Django has no plan.
pub async fn make(
    place: &Place<'_>,
    template: &Template,
    pod: Option<&Target>,
    request: &MigrationRequest,
    new: impl Fn(JobKind, String, Vec<String>) -> NewJob,
) -> Result<Planned> {
    let (output, made_in) = match pod {
        Some(target) => in_pod(place, target, request).await?,
        None => in_job(place, template, request, new).await?,
    };
    let plan = find_plan(&output.stdout).ok_or_else(|| no_plan(&output, &made_in, &place.environment.name))?;
    Memory::of(place.cluster.identity(), place.environment).learn(|known| {
        known.apps = Learned::now(plan.apps.clone()).filter(|_| !plan.apps.is_empty());
        known.commands = Learned::now(plan.commands.clone()).filter(|_| !plan.commands.is_empty());
    });
    match &plan.error {
        None => {
            let digest = pod.map(|target| target.image_id.clone()).filter(|image| image.contains("@sha256:"));
            Ok(Planned { plan, made_in, alternative: output.alternative, digest })
        }
        Some(problem) => Err(refused(problem, &output, &request.database, &place.environment.name)),
    }
}

/// Django's own no.
fn refused(problem: &PlanProblem, output: &Captured, database: &str, environment: &str) -> Error {
    let error = Error::failed(format!("no plan for `{environment}`")).caused_by(&problem.message);
    let list = format!("`kdj manage {environment} -- showmigrations` lists what there is");
    match problem.kind.as_str() {
        "database" => error
            .hint(format!("see whether the app reaches it: `kdj manage {environment} -- check --database {database}`")),
        "unknown-database" => error.hint("`--database` takes an alias of the settings' DATABASES"),
        "conflicts" => error.hint("merge them in the project: `manage.py makemigrations --merge`"),
        "exception" => match last_words(output) {
            said if said.is_empty() => error,
            said => error.caused_by(said),
        }
        .hint(format!("see all that it says: `kdj manage {environment} -- migrate --plan`")),
        _ => error.hint(list),
    }
}

/// A ready pod of the same workload that runs the template's image. That pods may not be listed is said.
pub async fn find_pod(place: &Place<'_>, template: &Template) -> Option<Target> {
    let wanted = Wanted {
        role: Some(template.workload.clone()),
        container: Some(template.container.clone()),
        ..Wanted::default()
    };
    let chosen = place.ui.waiting("choosing a pod", place.cluster.target(place.environment, &wanted)).await;
    if let Err(error) = chosen.as_ref()
        && error.is_forbidden()
    {
        place.ui.status(&format!("no pod can be asked for the plan: {error}"));
    }
    let target = chosen.ok()?;
    (target.image == template.image).then_some(target)
}

async fn in_pod(place: &Place<'_>, target: &Target, request: &MigrationRequest) -> Result<(Captured, String)> {
    let (start, stdin) = django::plan_on_stdin(&place.environment.django, request);
    let running = capture(place.cluster, target, &start.alternatives, &stdin);
    let captured = place.ui.waiting("asking Django for the plan", running).await?;
    Ok((captured, format!("pod {}", target.pod)))
}

async fn in_job(
    place: &Place<'_>,
    template: &Template,
    request: &MigrationRequest,
    new: impl Fn(JobKind, String, Vec<String>) -> NewJob,
) -> Result<(Captured, String)> {
    let words = django::plan_command(&place.environment.django, request).first();
    let new = NewJob { timeout: JOB_LIMIT, ..new(JobKind::Plan, new_name(JobKind::Plan), words) };
    place.ui.status(&format!(
        "no ready pod of {} runs {}: the plan is made in a job of its own",
        template.workload, template.image
    ));
    in_short_job(place, template, new, "asking Django for the plan").await
}

/// Runs a program that ends soon in a Job that goes with it, and gives what it printed and the Job's name.
///
/// # Errors
/// When the Job does not start, or does not end by itself.
pub async fn in_short_job(
    place: &Place<'_>,
    template: &Template,
    new: NewJob,
    what: &str,
) -> Result<(Captured, String)> {
    let new = NewJob { keep: Some(JOB_KEEP), ..new };
    let start_limit = new.start_limit.unwrap_or(job::START_LIMIT);
    let job = job::start(place, template, &new).await?;
    let (log, lines) = mpsc::channel(4);
    let mut live = place.ui.live(what);
    let mut tell = |news| {
        if let News::Waiting(why) | News::Away(why) = news {
            live.say(&format!("{what}: {why}"));
        }
    };
    let following = place.cluster.follow(&job, Some(start_limit), log, &mut tell);
    let (verdict, output) = futures::join!(following, collect(lines));
    live.clear();
    // It has done what it was made for, or cannot.
    let deleted = place.cluster.delete_job(&job).await;
    deleted.map_err(|error| place.ui.verbose(&error.to_string())).ok();
    let made_in = format!("job {}", job.name);
    let ending = match verdict? {
        Verdict::Exited(code) => Ending::Exited(code),
        Verdict::NotStarted(why) | Verdict::GivenUp(why) | Verdict::NotFound(why) | Verdict::CannotExec(why) => {
            return Err(Error::failed(format!("{made_in} did not start")).caused_by(runtime_words(&why)));
        }
        Verdict::Killed { why, .. } | Verdict::Unknown(why) => {
            return Err(Error::failed(format!("{made_in} was ended")).caused_by(why));
        }
        Verdict::TimedOut | Verdict::Deleted | Verdict::OutputClosed => {
            return Err(Error::new(Failure::Failed, format!("{made_in} did not end by itself")));
        }
    };
    Ok((Captured { stdout: output, stderr: String::new(), ending, alternative: 0 }, made_in))
}
