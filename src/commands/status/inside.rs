//! What the app itself is asked, in a container of it: what waits in its queues, which migrations are not applied. Whatever
//! goes wrong with that is no error: the rest has been seen.

use std::time::Duration;

use tokio::time::timeout;

use super::StatusArgs;
use crate::{
    celery::{self, Celery, Named},
    cluster::{Cluster, Target, Wanted},
    django::{self, MigrationRequest},
    environment::{Environment, Kind},
    error::{Error, Result},
    logs,
    migration::find_plan,
    protection::redact,
    session::capture,
    status::{Migrations, Queue, Role, Status, Tasks, Worker},
};

/// How long the app may take to answer, its own start included.
const LIMIT: Duration = Duration::from_secs(20);

/// Asks what the flags ask for, all at once.
pub(super) async fn look(args: &StatusArgs, cluster: &Cluster, environment: &Environment, status: &mut Status) {
    let (tasks, migrations) =
        futures::join!(async { if args.tasks { tasks(cluster, environment, status).await } else { None } }, async {
            if args.migrations { Some(migrations(cluster, environment, status).await) } else { None }
        },);
    status.tasks = tasks;
    if let Some(migrations) = migrations {
        status.add_migrations(migrations);
    }
}

/// What Celery has to do; `None` without workers that should run.
async fn tasks(cluster: &Cluster, environment: &Environment, status: &Status) -> Option<Tasks> {
    let workers: Vec<&Role> =
        status.roles.iter().filter(|role| role.kind == Kind::Worker && role.desired != Some(0)).collect();
    let first = workers.iter().find(|role| role.ready > 0).or(workers.first())?;
    let mut named = Named::default();
    workers.iter().for_each(|role| named.add(role.words.iter().map(String::as_str)));
    let own = |pod: &&crate::status::Pod| pod.ready && workers.iter().any(|role| role.workload == pod.workload);
    let pods: Vec<String> = status.pods.iter().filter(own).map(|pod| pod.name.clone()).collect();
    let asking = async {
        let target = in_role(cluster, environment, &first.workload).await?;
        celery::ask(cluster, &target, environment, &named, &pods).await
    };
    Some(match in_time(asking).await {
        Ok(Some(celery)) => of_celery(celery),
        Ok(None) => Tasks::unknown("the app has no Celery"),
        Err(error) => Tasks::unknown(&error.to_string()),
    })
}

fn of_celery(celery: Celery) -> Tasks {
    let queues = celery.queues.into_iter().flatten().map(|queue| Queue { name: queue.name, waiting: queue.waiting });
    let workers = celery.workers.into_iter().flatten().map(|worker| Worker {
        active: worker.active.map_or(0, |tasks| tasks.count),
        reserved: worker.reserved.map_or(0, |tasks| tasks.count),
        concurrency: worker.concurrency,
        name: worker.name,
    });
    Tasks {
        broker: Some(celery.broker.place),
        queues: queues.collect(),
        workers: workers.collect(),
        problem: celery.problem,
    }
}

/// Which migrations of the running code are not applied to the default database.
async fn migrations(cluster: &Cluster, environment: &Environment, status: &Status) -> Migrations {
    let role = [Kind::Web, Kind::Worker].into_iter().find_map(|kind| {
        status.roles.iter().find(|role| role.kind == kind && role.ready > 0).map(|role| role.workload.clone())
    });
    let unknown = |why: String| Migrations { problem: Some(why), ..Migrations::default() };
    let Some(role) = role else { return unknown("no pod of the app is ready".to_owned()) };
    let asking = async {
        let target = in_role(cluster, environment, &role).await?;
        let request = MigrationRequest::default();
        let (start, stdin) = django::plan_on_stdin(&environment.django, &request);
        let captured = capture(cluster, &target, &start.alternatives, &stdin).await?;
        let plan = find_plan(&captured.stdout).ok_or_else(|| without_plan(&captured.stderr))?;
        match plan.error {
            Some(problem) => Err(Error::failed("no plan").caused_by(redact::text(&problem.message))),
            None => Ok(plan.migrations.iter().map(|migration| migration.name.to_string()).collect()),
        }
    };
    match in_time(asking).await {
        Ok(unapplied) => Migrations { unapplied, problem: None },
        Err(error) => unknown(error.to_string()),
    }
}

/// Why Django printed no plan: its exception, or the last thing it said, without values that look secret.
fn without_plan(stderr: &str) -> Error {
    let error = Error::failed("Django did not print a plan");
    match logs::last_words(stderr).and_then(|words| words.exception.or_else(|| words.lines.last().cloned())) {
        Some(why) => error.caused_by(redact::text(&why)),
        None => error,
    }
}

async fn in_role(cluster: &Cluster, environment: &Environment, workload: &str) -> Result<Target> {
    cluster.target(environment, &Wanted { role: Some(workload.to_owned()), ..Wanted::default() }).await
}

async fn in_time<T>(asking: impl Future<Output = Result<T>>) -> Result<T> {
    match timeout(LIMIT, asking).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::failed(format!("no answer within {} s", LIMIT.as_secs()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_stderr_the_exception_is_told_and_no_value() {
        let stderr = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nKeyError: DB_PASSWORD=hunter2\n";
        assert_eq!(without_plan(stderr).to_string(), "Django did not print a plan: KeyError: DB_PASSWORD=<redacted>");
        assert_eq!(without_plan("one\ntwo\n").to_string(), "Django did not print a plan: two");
        assert_eq!(without_plan("").to_string(), "Django did not print a plan");
    }
}
