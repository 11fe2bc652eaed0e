//! The page of `kdj status --web` while things happen on the cluster.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::process::Signal;

use super::super::harness::{Browser, Door, Kdj, Namespace, SHOP, cluster, objects, process::Running};

/// `painted(text)` is the time, in milliseconds since 1970, at which the page has painted a text that it shows.
const PAINTED: &str = r##"
window.painted = (text) => new Promise((done) => {
  const look = () => document.body?.innerText.includes(text)
    ? requestAnimationFrame(() => setTimeout(() => done(Date.now())))
    : requestAnimationFrame(look);
  look();
});
"##;

/// How long kdj may run.
const PATIENCE: Duration = Duration::from_secs(180);

/// Serves the page of the namespace, and its address.
fn serve(kdj: &Kdj) -> (Running, String) {
    let running = kdj.start(["status", "own", "--web"]);
    running.wait_for_stdout("/\n");
    let address = running.stdout_so_far().trim_end().to_owned();
    (running, address)
}

/// Two pods that end with 3 once there is a file `/tmp/crash`.
fn crashing_on_demand() -> serde_json::Value {
    let script = "echo ready to serve; while [ ! -e /tmp/crash ]; do sleep 0.1; done; echo the cause; exit 3";
    let mut web = objects::deployment("web", objects::pod([objects::container("app", SHOP, ["sh", "-c", script])]));
    web["spec"]["replicas"] = 2.into();
    web
}

#[test]
fn a_pod_that_crashes_is_shown_within_half_a_second_of_the_event() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::with(cluster, [crashing_on_demand()]);
    namespace.wait_for_rollout(["deployment/web"]);
    let (running, address) = serve(&namespace.kdj().deadline(PATIENCE));
    let mut browser = Browser::start(1200, 900);
    browser.before_pages(PAINTED);
    browser.open(&address);
    browser.wait_for("2 of 2 pods ready");
    let pod = namespace.pods("web").remove(0);

    // Its log is open meanwhile.
    browser.eval("document.querySelector('.more details').open = true");
    browser.eval(&format!("document.querySelector('[aria-label^=\"Log of {pod}\"]').click()"));
    browser.wait_for("ready to serve");

    // kubectl watches, too: when it hears of the end is the time of the event.
    let path = "jsonpath={.status.containerStatuses[0]['state','lastState'].terminated.exitCode}{\"\\n\"}";
    let mut kubectl = cluster
        .kubectl_command()
        .args(["-n", namespace.name(), "get", "pod", &pod, "--watch", "-o", path])
        .stdout(Stdio::piped())
        .spawn()
        .expect("kubectl starts");
    let mut lines = BufReader::new(kubectl.stdout.take().expect("its stdout")).lines();
    lines.next().expect("the pod as it is").expect("a line");
    browser.eval("window.crashed = painted('exit 3'), 0");
    namespace.kubectl(["exec", &pod, "--", "touch", "/tmp/crash"]);
    lines.find(|line| line.as_ref().is_ok_and(|line| line.trim() == "3")).expect("the end").expect("a line");
    let event = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs_f64() * 1e3;
    let shown = browser.eval("window.crashed").as_f64().expect("a time");
    let _ = kubectl.kill();
    let _ = kubectl.wait();
    eprintln!("shown {:.0} ms after kubectl saw it", shown - event);
    assert!(shown - event < 500.0, "shown {:.0} ms after the event", shown - event);

    browser.wait_for("the cause");
    // The container starts again, and its log goes on.
    browser.wait("document.getElementById('log-lines').textContent.split('ready to serve').length > 2");
    browser.wait("document.querySelector('.plots')?.innerText.includes('restarts +1')");
    assert_eq!(browser.complaints(), &[] as &[String]);
    running.signal(Signal::INT);
    let _ = running.finish().expect_code(130);
}

#[test]
fn a_cut_connection_is_told_with_its_time_and_heals() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::with(cluster, [crashing_on_demand()]);
    namespace.wait_for_rollout(["deployment/web"]);
    let door = Door::open(cluster);
    let (running, address) = serve(&door.lead(cluster, namespace.kdj()).deadline(PATIENCE));
    let mut browser = Browser::start(1200, 900);
    browser.open(&address);
    browser.wait_for("2 of 2 pods ready");
    door.shut();
    browser.wait_for("The cluster has not answered since ");
    assert_eq!(browser.eval("document.querySelector('#overview .word').textContent"), "ok (old)");
    namespace.kubectl(["scale", "deployment/web", "--replicas=1"]);
    door.open_again();
    browser.wait_for("1 of 1 pods ready");
    browser.wait("!document.body.innerText.includes('The cluster has not answered')");
    assert_eq!(browser.complaints(), &[] as &[String]);
    running.signal(Signal::INT);
    let _ = running.finish().expect_code(130);
}
