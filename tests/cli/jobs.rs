//! Jobs: `kdj run`, and `kdj jobs` with what belongs to it.

mod creating;
mod faults;
mod outcome;
mod starting;
mod verbs;

use serde_json::json;

use crate::harness::{ApiServer, CommandOutput, Kdj, Objects, Run, shop};

/// The shop, whose web container has a memory limit.
fn objects() -> Objects {
    let mut objects = shop::one_web_pod();
    objects.change("deployments", "web", |web| {
        web["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({"limits": {"memory": "512Mi"}});
    });
    objects
}

/// A server on which this becomes of the first Job.
fn server(run: Run) -> ApiServer {
    let server = ApiServer::http(objects());
    server.run(run);
    server
}

/// `kdj run qa OPTIONS -- report`.
#[track_caller]
fn run<const N: usize>(server: &ApiServer, options: [&str; N]) -> CommandOutput {
    Kdj::on(server).run(words(options))
}

fn words<const N: usize>(options: [&str; N]) -> Vec<&str> {
    ["run", "qa"].into_iter().chain(options).chain(["--", "report"]).collect()
}

/// How many Jobs were asked to be created, dry runs not counted.
fn created(server: &ApiServer) -> usize {
    let requests = server.requests();
    requests.iter().filter(|it| it.method == "POST" && it.path.ends_with("/jobs") && !it.is_dry_run()).count()
}

/// The name of the only Job.
#[track_caller]
fn name(server: &ApiServer) -> String {
    let job = server.wait_for_object("jobs", |_| true);
    job["metadata"]["name"].as_str().expect("a name").to_owned()
}
