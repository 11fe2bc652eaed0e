//! What Django and Celery say in a container of the app.

#[cfg(test)]
mod tests;

use std::rc::Rc;

use tokio::time::timeout;

use super::{ANSWER_LIMIT, App};
use crate::{
    celery::{self, Celery, Named, PATIENCE},
    configuration,
    django::{self, MigrationRequest},
    doctor::Outcome,
    environment::Kind,
    error::{Error, Result},
    logs,
    migration::{Plan, find_plan},
    protection::redact,
    session::capture,
    status::{Migrations, Role},
};

/// For how many seconds a connection to the database is waited for.
const CONNECT_LIMIT: u32 = 15;

/// Lets Python answer in the container, one question after the other. What may not be done is no fault of the app's.
async fn inside(app: &App, answer: impl Future<Output = Result<Outcome>>) -> Result<Outcome> {
    if app.environment.protected && !app.world.enters {
        return Ok(Outcome::open("it would start Python in a container of a protected environment")
            .fix(format!("`kdj doctor {} --only application` does it; it only reads", app.word())));
    }
    let _turn = app.turn.lock().await;
    if app.silent.get() {
        return Ok(Outcome::open("Python did not answer the check before"));
    }
    match timeout(ANSWER_LIMIT, answer).await {
        Ok(Err(error)) if error.is_forbidden() => Ok(Outcome::open(format!("{}: see cluster.rights", error.message()))),
        Ok(answer) => {
            let outcome = answer?;
            app.found.entered.set(());
            Ok(outcome)
        }
        Err(_) => {
            app.silent.set(true);
            Ok(Outcome::warn(format!("Python has not answered within {} s", ANSWER_LIMIT.as_secs()))
                .caused_by("the project takes that long to load in the container, or waits for something")
                .fix(format!("see how long it takes: `kdj manage {} -- check`", app.word())))
        }
    }
}

pub(super) async fn django(app: Rc<App>) -> Result<Outcome> {
    inside(&app, ask_django(&app)).await
}

async fn ask_django(app: &App) -> Result<Outcome> {
    let target = app.target.known()?;
    let found = configuration::versions_in(&app.cluster()?, &app.environment, &target).await?;
    let text = format!("Django {}, Python {}", found.django, found.python);
    Ok(match found.settings {
        Some(settings) => Outcome::pass(format!("{text}, settings `{settings}`")),
        None => Outcome::warn(format!("{text}; nothing names a settings module"))
            .caused_by("neither manage.py nor the container's environment sets DJANGO_SETTINGS_MODULE")
            .fix("say in kdj.toml how it is started: `[django]`, `manage = [\"python\", \"manage.py\"]`"),
    })
}

/// Asks for the plan of migrations, for which Django has to start and the database to answer.
pub(super) async fn database(app: Rc<App>) -> Result<Outcome> {
    inside(&app, ask_database(&app)).await
}

async fn ask_database(app: &App) -> Result<Outcome> {
    let target = app.target.known()?;
    // Which migrations there are, and not their SQL, for which their operations would be run.
    let request = MigrationRequest { fake: true, connect_timeout: Some(CONNECT_LIMIT), ..MigrationRequest::default() };
    let (start, stdin) = django::plan_on_stdin(&app.environment.django, &request);
    let captured = capture(&app.cluster()?, &target, &start.alternatives, &stdin).await?;
    let Some(plan) = find_plan(&captured.stdout) else {
        let error = Error::failed("Django does not start");
        let words = logs::last_words(&captured.stderr);
        let why = words.and_then(|words| words.exception.or_else(|| words.lines.last().cloned()));
        let error = why.iter().fold(error, |error, why| error.caused_by(redact::text(why)));
        return Err(error.hint(format!("see all that it says: `kdj manage {} -- check`", app.word())));
    };
    let outcome = judge_database(&plan, &app.word());
    app.plan.set(plan);
    Ok(outcome)
}

fn judge_database(plan: &Plan, environment: &str) -> Outcome {
    let database = &plan.database;
    let part = |part: &Option<String>| part.clone().filter(|text| !text.is_empty());
    let place = match (part(&database.host), part(&database.port)) {
        (Some(host), Some(port)) => format!(" at {host}:{port}"),
        (Some(host), None) => format!(" at {host}"),
        _ => String::new(),
    };
    let vendor = part(&database.vendor).unwrap_or_else(|| "it".to_owned());
    let name = part(&database.name).map(|name| format!(" `{name}`")).unwrap_or_default();
    let text = format!("{vendor}{name}{place}");
    match &plan.error {
        Some(problem) if problem.kind == "database" => Outcome::fail(format!("{text} does not answer"))
            .caused_by(redact::text(&problem.message))
            .fix(format!("`kdj dbshell {environment} -c 'select 1'`")),
        Some(problem) if problem.kind == "unknown-database" => {
            Outcome::fail("the settings have no database `default`")
                .caused_by(redact::text(&problem.message))
                .fix(format!("see what they have: `kdj pyshell {environment} -c 'from django.conf import settings; print(*settings.DATABASES)'`"))
        }
        // Django has not come as far as to know what it is: its driver is missing, say.
        Some(problem) if part(&database.vendor).is_none() => {
            Outcome::fail("Django cannot use its database")
                .caused_by(redact::text(&problem.message))
                .fix(format!("see all that it says: `kdj manage {environment} -- check --database default`"))
        }
        _ => Outcome::pass(text),
    }
}

pub(super) async fn migrations(app: Rc<App>) -> Result<Outcome> {
    Ok(match app.plan.get() {
        Some(plan) => judge_migrations(&plan, &app.word()),
        None => Outcome::open("there is no plan of them: see `application.database`"),
    })
}

fn judge_migrations(plan: &Plan, environment: &str) -> Outcome {
    if let Some(problem) = &plan.error {
        return Outcome::fail("Django cannot plan them")
            .caused_by(redact::text(&problem.message))
            .fix(format!("`kdj migrate {environment} --plan`"));
    }
    let unapplied: Vec<String> = plan.migrations.iter().map(|migration| migration.name.to_string()).collect();
    let migrations = Migrations { unapplied, problem: None };
    match plan.is_empty() {
        true => Outcome::pass(""),
        false => Outcome::warn(migrations.line()).fix(format!("`kdj migrate {environment} --plan`")),
    }
}

pub(super) async fn broker(app: Rc<App>) -> Result<Outcome> {
    let status = app.status.known()?;
    let workers: Vec<&Role> = status.roles.iter().filter(|role| role.kind == Kind::Worker && !role.is_idle()).collect();
    if workers.is_empty() {
        return Ok(Outcome::skip("no workers are meant to run"));
    }
    let mut named = Named::default();
    workers.iter().for_each(|role| named.add(role.words.iter().map(String::as_str)));
    let own = |pod: &&crate::status::Pod| pod.ready && workers.iter().any(|role| role.workload == pod.workload);
    let pods: Vec<String> = status.pods.iter().filter(own).map(|pod| pod.name.clone()).collect();
    let ask = async {
        let target = app.target.known()?;
        let celery = celery::who_answers(&app.cluster()?, &target, &app.environment, &named, &pods).await?;
        Ok(match celery {
            Some(celery) => judge_broker(&celery, &pods, &app.word()),
            None => Outcome::skip("the app has no Celery"),
        })
    };
    inside(&app, ask).await
}

/// Whether the broker answers, and all ready pods of the workers that should run.
fn judge_broker(celery: &Celery, pods: &[String], environment: &str) -> Outcome {
    let place = &celery.broker.place;
    if let Some(problem) = &celery.problem {
        return Outcome::fail(format!("{place} does not answer the app"))
            .caused_by(redact::text(problem))
            .fix(format!("`kdj status {environment} --tasks`"));
    }
    if pods.is_empty() {
        return Outcome::warn(format!("{place}; workers should run, and no pod of theirs is ready"))
            .caused_by("tasks wait until one is")
            .fix(format!("`kdj status {environment} --why`"));
    }
    let Some(workers) = &celery.workers else {
        return Outcome::pass(format!("{place}; a broker of its kind passes on no questions to workers"));
    };
    let silent = |pod: &&String| !workers.iter().any(|worker| worker.is_in(pod));
    let silent: Vec<&str> = pods.iter().filter(silent).map(String::as_str).collect();
    let answered = format!("{place}; {} of {} workers' pods answered", pods.len() - silent.len(), pods.len());
    if silent.is_empty() {
        return Outcome::pass(answered);
    }
    Outcome::warn(answered)
        .caused_by(format!("no answer within {PATIENCE} s from {}", silent.join(", ")))
        .caused_by("a worker of the pool `solo` answers between tasks only; another one may hang")
        .fix(format!(
            "`kdj logs {environment} --pod {} --no-follow --tail 50`",
            silent.first().copied().unwrap_or("POD")
        ))
}
