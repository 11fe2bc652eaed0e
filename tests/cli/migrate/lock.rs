//! The Job's name is the lock: who finds it taken.

use super::{NAME, created, held, job, plan, planning, server, whole};
use crate::harness::{ApiServer, Exec, Fault, Job, Kdj, On, Run, Step, shop, shop::NAMESPACE};
use serde_json::json;
use std::time::Duration;

fn with(job: Job) -> ApiServer {
    let server = ApiServer::http(shop::one_web_pod().with(job));
    server.exec(Exec::prints(&plan(2), 0));
    server
}

#[test]
fn one_that_is_under_way_is_named() {
    let server = with(job());
    let output = Kdj::on(&server).run(["migrate", "qa"]).expect_code(1).prints("");
    let _ = output.says(&[
        "error: another migration of this database is under way in `qa`: nothing was done",
        &format!("job {NAME}: `migrate`, started by grace from desk "),
        &format!("hint: follow it: `kdj jobs attach qa {NAME}`"),
    ]);
    assert_eq!(server.objects("jobs")[0]["metadata"]["uid"], format!("uid-{NAME}"));
    assert!(server.requests().iter().all(|request| request.method != "DELETE"));
}

#[test]
fn one_that_was_over_before_the_plan_gives_way() {
    for job in [job().complete(), job().failed("BackoffLimitExceeded", "no")] {
        let server = with(job);
        server.run(Run::prints(&whole(2), 0));
        let output = Kdj::on(&server).run(["migrate", "qa"]).expect_code(0);
        assert!(output.stdout_text().contains("2 of 2 migrations in 1.5 s"), "{output}");
        let deletion = server.requests().into_iter().find(|request| request.method == "DELETE").expect("a DELETE");
        assert_eq!(deletion.json()["preconditions"]["uid"], format!("uid-{NAME}"));
        assert_ne!(server.objects("jobs")[0]["metadata"]["uid"], format!("uid-{NAME}"));
    }
}

#[test]
fn one_that_is_on_its_way_out_is_waited_for() {
    let server = server(2, Run::prints(&whole(2), 0));
    let message = format!("object is being deleted: jobs.batch \"{NAME}\" already exists");
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "AlreadyExists", "code": 409,
        "message": message});
    server.fault(On::create("jobs", NAMESPACE).once(), Fault::status(&status));
    let output = Kdj::on(&server).run(["migrate", "qa"]).expect_code(0);
    assert!(output.stdout_text().contains("2 of 2 migrations"), "{output}");
    assert_eq!((created(&server), server.objects("jobs").len()), (2, 1), "{}", server.request_lines());
}

#[test]
fn one_that_ended_while_the_plan_was_made_makes_it_worthless() {
    let server = ApiServer::http(shop::one_web_pod().with(job()));
    server.exec(Exec::plays([Step::Pause(Duration::from_secs(1)), Step::stdout(&plan(2)), Step::ExitCode(0)]));
    let running = Kdj::on(&server).start(["migrate", "qa"]);
    server.wait_for_exec("the plan", |_| true);
    server.change(|objects| {
        objects.remove("jobs", NAME);
        *objects = std::mem::take(objects).with(job().complete());
    });
    let output = running.finish().expect_code(1).prints("");
    let _ =
        output.says(&["was made meanwhile", &format!("its receipt: `kdj jobs attach qa {NAME}`"), "`kdj migrate qa`"]);
    assert_eq!(server.objects("jobs")[0]["metadata"]["uid"], format!("uid-{NAME}"));
}

#[test]
fn an_unknown_outcome_of_the_creation_is_looked_up_and_never_repeated() {
    for fault in [Fault::timeout(), Fault::Reset] {
        let server = server(2, Run::prints(&whole(2), 0));
        server.fault(On::create("jobs", NAMESPACE).once(), Fault::carried_out(fault));
        let output = Kdj::on(&server).run(["migrate", "qa"]).expect_code(0);
        assert!(output.stdout_text().contains("2 of 2 migrations"), "{output}");
        assert_eq!((created(&server), server.objects("jobs").len()), (1, 1), "{}", server.request_lines());
    }
    let server = server(2, held(2));
    server.fault(On::create("jobs", NAMESPACE), Fault::carried_out(Fault::timeout()));
    let one = On::prefix(&format!("/apis/batch/v1/namespaces/{NAMESPACE}/jobs/"));
    server.fault(one, Fault::forbidden("dev", "get", "jobs", NAMESPACE));
    let output = Kdj::on(&server).run(["migrate", "qa"]).expect_code(255).prints("");
    let _ = output.says(&["whether the Job exists, nobody knows", "`kdj jobs qa`"]);
    assert_eq!(created(&server), 1);
}

#[test]
fn a_refusal_is_in_the_clusters_words() {
    let server = planning(2);
    server.fault(On::create("jobs", NAMESPACE), Fault::forbidden("viewer", "create", "jobs", NAMESPACE));
    let output = Kdj::on(&server).run(["migrate", "qa"]).expect_code(1).prints("");
    let _ = output.says(&["`viewer` may not `create` `jobs` in namespace `shop-qa`"]);
    assert!(server.objects("jobs").is_empty());
}
