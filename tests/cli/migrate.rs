//! `kdj migrate` where a cluster would not do what the test needs: plans that are none, answers that get lost, others'
//! Jobs, signals.

mod ends;
mod lock;
mod plan;
mod signals;

use serde_json::{Value, json};

use crate::harness::{ApiServer, Exec, Job, Run, Turn, shop};

/// The Job of the database in [`database`].
const NAME: &str = "kdj-migrate-dca6d9b62d8c08ec";

fn database() -> Value {
    json!({"alias": "default", "vendor": "postgresql", "name": "shop", "host": "db", "port": "5432",
           "identity": "dca6d9b62d8c08ec"})
}

/// What the script prints of a plan: of `shop.0001`, `shop.0002` and so on.
fn plan(count: usize) -> String {
    let migration = |number: usize| {
        json!({"app": "shop", "name": format!("{number:04}"), "reversal": false, "atomic": true, "faked": false,
               "initial": false, "operations": [], "sql": [], "no_sql": null})
    };
    let migrations: Vec<Value> = (1..=count).map(migration).collect();
    let plan = json!({"version": 1, "django": "5.2", "command": "django.core", "database": database(),
                      "migrations": migrations, "error": null});
    format!("what the project prints\nkdj-plan: {plan}\n")
}

/// A line of the runner's.
fn event(event: &str, mut values: Value) -> String {
    values["event"] = json!(event);
    values["time"] = json!(1.0);
    format!("kdj-migrate: {values}\n")
}

fn step(number: usize) -> Value {
    json!({"app": "shop", "name": format!("{number:04}"), "reversal": false, "index": number, "atomic": true,
           "seconds": 0.5, "faked": false, "fake": false, "retries": 0})
}

/// The beginning of a run of so many, up to the first.
fn begins(count: usize) -> String {
    let steps: Vec<Value> = (1..=count).map(step).collect();
    let started =
        json!({"version": 1, "database": database(), "lock_timeout": 2000, "total": count, "migrations": steps});
    event("started", started) + &event("applying", step(1))
}

/// All of a run that goes well.
fn whole(count: usize) -> String {
    let steps: Vec<Value> = (1..=count).map(step).collect();
    let mut log = begins(count) + &event("applied", step(1));
    for number in 2..=count {
        log += &format!("  Applying shop.{number:04}...\n");
        log += &(event("applying", step(number)) + &event("applied", step(number)));
    }
    log + &event("done", json!({"applied": steps, "seconds": 1.5}))
}

/// A server whose pod plans so many, and whose first Job fares so.
fn server(count: usize, run: Run) -> ApiServer {
    let server = planning(count);
    server.run(run);
    server
}

fn planning(count: usize) -> ApiServer {
    let server = ApiServer::http(shop::one_web_pod());
    server.exec(Exec::prints(&plan(count), 0));
    server
}

/// A run that has begun with the first of so many, and goes on when it is told to.
fn held(count: usize) -> Run {
    let rest = whole(count).split_off(begins(count).len());
    Run::starts_and([Turn::prints(begins(count)), Turn::Hold, Turn::prints(rest), Turn::ends(0)])
}

/// Somebody else's.
fn job() -> Job {
    let labels = [("app.kubernetes.io/managed-by", "kdj"), ("kdj.dev/kind", "migrate"), ("kdj.dev/role", "web")];
    let job = labels.into_iter().fold(Job::new(NAME), |job, (key, value)| job.label(key, value));
    let notes =
        [("user", "grace"), ("host", "desk"), ("command", "migrate"), ("environment", "qa"), ("container", "django")];
    notes.into_iter().fold(job, |job, (key, value)| job.annotation(&format!("kdj.dev/{key}"), value))
}

/// How many Jobs were asked to be created, dry runs not counted.
fn created(server: &ApiServer) -> usize {
    let requests = server.requests();
    requests.iter().filter(|it| it.method == "POST" && it.path.ends_with("/jobs") && !it.is_dry_run()).count()
}
