//! The page of `kdj status --web` while things happen on the cluster.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::process::Signal;

use super::super::harness::{
    Browser, Door, Kdj, Namespace, SHOP,
    browser::{PAINTED, quickest},
    cluster, objects,
    process::Running,
};

/// How long kdj may run.
const PATIENCE: Duration = Duration::from_secs(180);

/// Serves the page of the namespace, and its address.
fn serve(kdj: &Kdj) -> (Running, String) {
    let running = kdj.start(["status", "own", "--web"]);
    running.wait_for_stdout("/\n");
    let address = running.stdout_so_far().trim_end().to_owned();
    (running, address)
}

/// Three pods that end with the code that a file `/tmp/crash` names once it is there.
fn crashing_on_demand() -> serde_json::Value {
    let script =
        "echo ready to serve; while [ ! -s /tmp/crash ]; do sleep 0.1; done; echo the cause; exit $(cat /tmp/crash)";
    let mut web = objects::deployment("web", objects::pod([objects::container("app", SHOP, ["sh", "-c", script])]));
    web["spec"]["replicas"] = 3.into();
    web
}

/// Lets the pod end with this code; the time, in milliseconds since 1970, at which kubectl has heard of it, which watches,
/// too.
fn crash(namespace: &Namespace, pod: &str, code: u32) -> f64 {
    let path = "jsonpath={.status.containerStatuses[0]['state','lastState'].terminated.exitCode}{\"\\n\"}";
    let mut kubectl = namespace
        .cluster()
        .kubectl_command()
        .args(["-n", namespace.name(), "get", "pod", pod, "--watch", "-o", path])
        .stdout(Stdio::piped())
        .spawn()
        .expect("kubectl starts");
    let mut lines = BufReader::new(kubectl.stdout.take().expect("its stdout")).lines();
    lines.next().expect("the pod as it is").expect("a line");
    namespace.kubectl(["exec", pod, "--", "sh", "-c", &format!("echo {code} > /tmp/crash")]);
    let is_it = |line: &str| line.split_whitespace().any(|word| word == code.to_string());
    lines.find(|line| line.as_ref().is_ok_and(|line| is_it(line))).expect("the end").expect("a line");
    let event = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs_f64() * 1e3;
    let _ = kubectl.kill();
    let _ = kubectl.wait();
    event
}

#[test]
fn a_pod_that_crashes_is_shown_by_itself() {
    let Some(cluster) = cluster() else { return };
    let namespace = Namespace::with(cluster, [crashing_on_demand()]);
    namespace.wait_for_rollout(["deployment/web"]);
    let (running, address) = serve(&namespace.kdj().deadline(PATIENCE));
    let mut browser = Browser::start(1200, 900);
    browser.before_pages(PAINTED);
    let mut first = Vec::new();
    for _ in 0..5 {
        browser.open(&address);
        browser.wait("first.paint > 0");
        first.push(browser.eval("first.paint - first.data").as_f64().expect("milliseconds"));
    }
    browser.wait_for("3 of 3 pods ready");
    let pods = namespace.pods("web");

    // A log is open meanwhile.
    browser.eval("document.querySelector('.more details').open = true");
    browser.eval(&format!("document.querySelector('[aria-label^=\"Log of {}\"]').click()", pods[0]));
    browser.wait_for("ready to serve");

    let mut late = Vec::new();
    for (pod, code) in pods.iter().zip(3..) {
        browser.eval(&format!("window.crashed = painted('exit {code}'), 0"));
        let event = crash(&namespace, pod, code);
        late.push(browser.eval("window.crashed").as_f64().expect("a time") - event);
    }
    eprintln!("first paint {first:.0?} ms after the data, crashes shown {late:.0?} ms after kubectl saw them");
    let (first, late) = (quickest(first), quickest(late));
    // How quickly is a figure, which needs an idle machine; that nobody asks now and then is held here.
    assert!(first < 1000.0, "first paint {first:.0} ms after its data");
    assert!(late < 2000.0, "shown {late:.0} ms after the event");

    browser.wait_for("the cause");
    // The container starts again, and its log goes on.
    browser.wait("document.getElementById('log-lines').textContent.split('ready to serve').length > 2");
    browser.wait("document.querySelector('.plots')?.innerText.includes('restarts +3')");
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
    browser.wait_for("3 of 3 pods ready");
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
