//! What runs beside Django in a company's cluster, and how Django is called.

use serde_json::json;

use super::newcomer;
use crate::harness::{
    ApiServer, Kdj, Kubeconfig,
    objects::{Objects, Pod},
    shop,
};

fn runs(name: &str, command: &[&str]) -> Pod {
    Pod::ready(&format!("{name}-1")).owned_by_replica_set(name, "1").container("main", "registry.acme.dev/x:1", command)
}

/// FastAPI, Flask, rq, Airflow, Superset and node, each in a namespace of its own.
fn company(objects: Objects) -> Objects {
    objects
        .and_namespace("billing")
        .with(runs("api", &["uvicorn", "billing.main:app", "--port", "80"]))
        .with(runs("worker", &["celery", "-A", "billing.tasks", "worker"]))
        .and_namespace("legacy")
        .with(runs("web", &["gunicorn", "-w", "4", "app:app"]))
        .and_namespace("mail")
        .with(runs("worker", &["rq", "worker", "mail"]))
        .and_namespace("data")
        .with(runs("worker", &["airflow", "celery", "worker"]))
        .with(runs("superset", &["gunicorn", "superset.app:create_app()"]))
        .and_namespace("front")
        .with(runs("front", &["node", "server.js"]))
}

#[test]
fn what_runs_another_framework_gets_no_entry() {
    let server = ApiServer::http(company(shop::whole()));
    let kdj = Kdj::bare().kubeconfig(&Kubeconfig::of(&server));
    let output = kdj.run(["init", "--dry-run"]).expect_code(0);
    let text = output.stdout_text();
    assert_eq!(text.matches("\n[environments.").count(), 1, "{output}");
    assert!(text.contains("namespace = \"shop-qa\"") && !text.contains("Nothing says"), "{output}");
    let output = output.says(&[
        "context acme-staging: shop-qa; perhaps billing, legacy, mail\n",
        "what is Django only perhaps is left out; `kdj init --context acme-staging -n billing` looks into one of them",
    ]);
    let _ = output.never_says(&["data", "front"]);
    // One that is named gets its entry.
    let output = kdj.run(["init", "--dry-run", "--context", "acme-staging", "-n", "billing"]).expect_code(0);
    let text = output.stdout_text();
    assert!(
        text.contains("# Nothing says that this is Django") && text.contains("namespace = \"billing\""),
        "{output}"
    );
    assert!(text.contains("# api (web), worker (worker)"), "{output}");
}

#[test]
fn what_says_nothing_of_itself_is_proposed_where_nothing_else_is_there() {
    let server = ApiServer::http(company(Objects::default()));
    let output = Kdj::bare().kubeconfig(&Kubeconfig::of(&server)).run(["init", "--dry-run"]).expect_code(0);
    let text = output.stdout_text();
    for namespace in ["billing", "legacy", "mail"] {
        let entry = format!("[environments.{namespace}]\ncontext   = \"acme-staging\"\nnamespace = \"{namespace}\"\n");
        assert!(text.contains(&entry), "{namespace}: {output}");
    }
    assert_eq!(
        text.matches("# Nothing says that this is Django: delete the entry if it is not.\n").count(),
        3,
        "{output}"
    );
    let _ = output.never_says(&["left out", "data", "front"]);
}

#[test]
fn how_manage_py_is_started_elsewhere_is_written() {
    let django = |command: &[&str]| runs("web", command);
    let objects = Objects::in_namespace("shop-qa")
        .with(django(&["sh", "-c", "cd /home/shop && python src/manage.py migrate && exec gunicorn shop.wsgi"]))
        .and_namespace("shop-dev")
        .with(django(&["gunicorn", "shop.wsgi"]).json(|pod| {
            pod["spec"]["initContainers"] = json!([
                {"name": "migrate", "image": "x", "command": ["poetry", "run", "./manage.py", "migrate"]}
            ]);
        }))
        .and_namespace("shop-uat")
        .with(django(&["python", "manage.py", "runserver"]));
    let server = ApiServer::http(objects);
    let kdj = newcomer(&server);
    let output = kdj.run(["init", "--dry-run", "--context", "acme-staging"]).expect_code(0);
    let text = output.stdout_text();
    for table in [
        "[environments.qa.django]\nworkdir = \"/home/shop/src\"\n",
        "[environments.dev.django]\nmanage  = [\"poetry\", \"run\", \"python\", \"manage.py\"]\n",
    ] {
        assert!(text.contains(table), "it lacks\n{table}\n{output}");
    }
    assert!(!text.contains("[environments.uat.django]"), "{output}");
    // It is in force: the directory is what a shell begins in.
    let kdj = kdj.config(&text);
    let output = kdj.run(["envs", "qa"]);
    let explained = kdj.run(["manage", "qa", "--explain", "--", "check"]).expect_code(0);
    assert!(explained.stdout_text().contains("/home/shop/src"), "{explained}\n{output}");
}
