//! What Django and Celery say in a container of the app.

#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::App;
use crate::{
    celery::{self, Celery, Named},
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

pub(super) async fn django(app: Rc<App>) -> Result<Outcome> {
    unless_forbidden(ask_django(&app).await)
}

/// That somebody may not look inside is no fault of the app's.
fn unless_forbidden(asked: Result<Outcome>) -> Result<Outcome> {
    match asked {
        Err(error) if error.is_forbidden() => Ok(Outcome::skip(format!("{}: see cluster.rights", error.message()))),
        asked => asked,
    }
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
    let target = app.target.known()?;
    let (start, stdin) = django::plan_on_stdin(&app.environment.django, &MigrationRequest::default());
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
            .fix(format!("kdj dbshell {environment} -c 'select 1'")),
        Some(problem) if problem.kind == "unknown-database" => {
            Outcome::fail("the settings have no database `default`").caused_by(redact::text(&problem.message))
        }
        _ => Outcome::pass(text),
    }
}

pub(super) async fn migrations(app: Rc<App>) -> Result<Outcome> {
    Ok(judge_migrations(&*app.plan.known()?, &app.word()))
}

fn judge_migrations(plan: &Plan, environment: &str) -> Outcome {
    if let Some(problem) = &plan.error {
        return Outcome::fail("Django cannot plan them")
            .caused_by(redact::text(&problem.message))
            .fix(format!("kdj migrate {environment} --plan"));
    }
    let unapplied: Vec<String> = plan.migrations.iter().map(|migration| migration.name.to_string()).collect();
    let migrations = Migrations { unapplied, problem: None };
    match plan.is_empty() {
        true => Outcome::pass(""),
        false => Outcome::warn(migrations.line()).fix(format!("kdj migrate {environment} --plan")),
    }
}

pub(super) async fn broker(app: Rc<App>) -> Result<Outcome> {
    unless_forbidden(ask_celery(&app).await)
}

async fn ask_celery(app: &App) -> Result<Outcome> {
    let status = app.status.known()?;
    let workers: Vec<&Role> = status.roles.iter().filter(|role| role.kind == Kind::Worker && !role.is_idle()).collect();
    if workers.is_empty() {
        return Ok(Outcome::skip("no workers are meant to run"));
    }
    let mut named = Named::default();
    workers.iter().for_each(|role| named.add(role.words.iter().map(String::as_str)));
    let own = |pod: &&crate::status::Pod| pod.ready && workers.iter().any(|role| role.workload == pod.workload);
    let pods: Vec<String> = status.pods.iter().filter(own).map(|pod| pod.name.clone()).collect();
    let target = app.target.known()?;
    let celery = celery::ask(&app.cluster()?, &target, &app.environment, &named, &pods).await?;
    Ok(match celery {
        Some(celery) => judge_broker(&celery, &pods, &app.word()),
        None => Outcome::skip("the app has no Celery"),
    })
}

/// Whether the broker answers, and all pods that have workers.
fn judge_broker(celery: &Celery, pods: &[String], environment: &str) -> Outcome {
    let place = &celery.broker.place;
    if let Some(problem) = &celery.problem {
        return Outcome::fail(format!("{place} does not answer the app"))
            .caused_by(redact::text(problem))
            .fix(format!("kdj status {environment} --tasks"));
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
        .caused_by(format!("no answer within a second from {}", silent.join(", ")))
        .caused_by("a worker of the pool `solo` answers between tasks only; another one may hang")
        .fix(format!("kdj logs {environment} --pod {} --no-follow --tail 50", silent.first().copied().unwrap_or("POD")))
}
