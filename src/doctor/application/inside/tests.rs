//! What the answers from inside mean.

use serde_json::json;

use super::*;
use crate::doctor::Status;

fn plan(error: Option<(&str, &str)>, migrations: usize) -> Plan {
    let error = error.map(|(kind, message)| json!({"kind": kind, "message": message}));
    let migration = json!({
        "app": "orders", "name": "0003_total", "reversal": false, "atomic": true, "faked": false, "initial": false,
        "operations": [], "sql": [], "no_sql": null,
    });
    let plan = json!({
        "version": 1, "django": "5.2", "migrations": vec![migration; migrations], "error": error,
        "database": {"alias": "default", "vendor": "postgresql", "name": "shop", "host": "db", "port": "5432"},
    });
    serde_json::from_value(plan).unwrap()
}

#[test]
fn the_database_answers_or_does_not() {
    let outcome = judge_database(&plan(None, 0), "qa");
    assert_eq!((outcome.status, outcome.text.as_str()), (Status::Pass, "postgresql `shop` at db:5432"));
    // That the plan cannot be made for another reason is not the database's fault.
    assert_eq!(judge_database(&plan(Some(("conflicts", "x")), 0), "qa").status, Status::Pass);
    let outcome =
        judge_database(&plan(Some(("database", "connection to postgres://shop:hunter2@db refused")), 0), "qa");
    assert_eq!((outcome.status, outcome.text.as_str()), (Status::Fail, "postgresql `shop` at db:5432 does not answer"));
    assert!(!outcome.causes[0].contains("hunter2"), "{:?}", outcome.causes);
    assert_eq!(judge_database(&plan(Some(("unknown-database", "x")), 0), "qa").status, Status::Fail);
    // Nor that a migration's module cannot be loaded.
    let mut broken = plan(Some(("exception", "ImproperlyConfigured: Error loading psycopg")), 0);
    assert_eq!(judge_database(&broken, "qa").status, Status::Pass);
    broken.database.vendor = None;
    let outcome = judge_database(&broken, "qa");
    assert_eq!((outcome.status, outcome.text.as_str()), (Status::Fail, "Django cannot use its database"));
}

#[test]
fn unapplied_migrations_are_a_warning() {
    assert_eq!(judge_migrations(&plan(None, 0), "qa").status, Status::Pass);
    let outcome = judge_migrations(&plan(None, 2), "qa");
    assert_eq!(outcome.status, Status::Warn);
    assert_eq!(outcome.text, "2 not applied: orders.0003_total, orders.0003_total");
    assert_eq!(outcome.fixes, ["`kdj migrate qa --plan`"]);
    assert_eq!(judge_migrations(&plan(Some(("conflicts", "x")), 0), "qa").status, Status::Fail);
}

fn celery(problem: Option<&str>, workers: Option<&[&str]>) -> Celery {
    let worker = |name: &&str| {
        json!({
            "name": name, "queues": null, "concurrency": null, "prefetch": null, "active": null, "reserved": null, "scheduled": null,
        })
    };
    let workers = workers.map(|names| names.iter().map(worker).collect::<Vec<_>>());
    let celery = json!({
        "app": "shop", "broker": {"kind": "redis", "place": "redis://redis:6379/0"}, "queues": [], "unacknowledged": null,
        "workers": workers, "consumers": null, "problem": problem,
    });
    serde_json::from_value(celery).unwrap()
}

#[test]
fn broker_and_workers_answer() {
    let pods = ["celeryd-1".to_owned(), "celeryd-2".to_owned()];
    let both = ["celery@celeryd-1", "celery@celeryd-2"];
    let outcome = judge_broker(&celery(None, Some(&both)), &pods, "qa");
    assert_eq!(
        (outcome.status, outcome.text.as_str()),
        (Status::Pass, "redis://redis:6379/0; 2 of 2 workers' pods answered")
    );
    let outcome = judge_broker(&celery(None, Some(&both[..1])), &pods, "qa");
    assert_eq!(outcome.status, Status::Warn);
    assert_eq!(outcome.fixes, ["`kdj logs qa --pod celeryd-2 --no-follow --tail 50`"]);
    assert_eq!(judge_broker(&celery(None, None), &pods, "qa").status, Status::Pass);
    // Nobody who could answer is not the same as everybody.
    let outcome = judge_broker(&celery(None, Some(&[])), &[], "qa");
    assert_eq!(outcome.status, Status::Warn);
    assert_eq!(outcome.text, "redis://redis:6379/0; workers should run, and no pod of theirs is ready");
    let outcome = judge_broker(&celery(Some("Error 111 connecting to redis:6379"), None), &pods, "qa");
    assert_eq!((outcome.status, outcome.text.as_str()), (Status::Fail, "redis://redis:6379/0 does not answer the app"));
}
