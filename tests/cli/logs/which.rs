//! Which pods and containers, and how many requests that takes.

use serde_json::json;

use super::{POD, follow, lines, print, read, stop};
use crate::harness::{ApiServer, Fault, Kdj, Objects, On, Pod, shop, shop::NAMESPACE};

fn whole() -> ApiServer {
    let server = ApiServer::http(shop::whole());
    for (pod, container) in [
        (POD, "django"),
        ("web-7c9d8f-bbbbb", "django"),
        ("celeryd-5d5d5d-zzzzz", "celeryd"),
        ("celerybeat-5d5d5d-zzzzz", "celerybeat"),
        ("shell-5d5d5d-zzzzz", "shell"),
        ("redis-0", "redis"),
    ] {
        server.log(NAMESPACE, pod, container, format!("{pod}\n"));
    }
    server
}

fn printed(server: &ApiServer, words: &[&str]) -> Vec<String> {
    let words = ["logs", "qa", "--no-follow", "-o", "raw"].iter().chain(words);
    let output = Kdj::on(server).run(words).expect_code(0);
    let mut lines: Vec<String> = output.stdout_text().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn the_app_s_pods_or_those_of_the_roles_asked_for() {
    let (web, other_web, worker, beat, shell) =
        (POD, "web-7c9d8f-bbbbb", "celeryd-5d5d5d-zzzzz", "celerybeat-5d5d5d-zzzzz", "shell-5d5d5d-zzzzz");
    for (words, expected) in [
        (&[][..], &[beat, worker, shell, web, other_web][..]),
        (&["web"], &[web, other_web]),
        (&["web", "celeryd"], &[worker, web, other_web]),
        (&["redis"], &["redis-0"]),
        (&["--pod", "aaaaa|redis"], &["redis-0", web]),
        (&["-l", "app.kubernetes.io/component=celeryd"], &[worker]),
    ] {
        assert_eq!(printed(&whole(), words), expected, "{words:?}");
    }
}

#[test]
fn one_list_one_watch_and_one_request_for_each_container() {
    let server = whole();
    assert_eq!(printed(&server, &["web"]).len(), 2);
    let pods = format!("GET /api/v1/namespaces/{NAMESPACE}/pods");
    let log = |pod: &str| format!("{pods}/{pod}/log?container=django&timestamps=true\n");
    let requests = |server: &ApiServer| {
        let mut requests: Vec<String> = server.request_lines().lines().map(|line| format!("{line}\n")).collect();
        requests.sort();
        requests.concat()
    };
    let expected = [format!("{pods}\n"), log(POD), log("web-7c9d8f-bbbbb")].concat();
    assert_eq!(requests(&server), expected);

    let server = whole();
    let running = follow(&server, ["web"]);
    running.wait_for_stdout(POD);
    running.wait_for_stdout("bbbbb\n");
    server.wait_for_request("the watch", |request| request.is_watch());
    let _ = stop(running);
    let lines = server.request_lines();
    assert_eq!(lines.lines().count(), 4, "{lines}");
    assert_eq!(lines.matches("follow=true").count(), 2, "{lines}");
    assert_eq!(lines.matches("watch=true").count(), 1, "{lines}");
}

#[test]
fn a_container_other_than_the_app_s() {
    let pod = shop::web_pod("aaaaa").container("istio-proxy", "istio/proxyv2", &[]);
    let server = ApiServer::http(shop::web_pods([pod]));
    for container in ["django", "istio-proxy"] {
        server.log(NAMESPACE, POD, container, format!("{container}\n"));
    }
    assert_eq!(printed(&server, &[]), ["django"]);
    assert_eq!(printed(&server, &["-c", "istio-proxy"]), ["istio-proxy"]);
    assert_eq!(printed(&server, &["--all-containers"]), ["django", "istio-proxy"]);
    let _ = read(&server, ["-c", "nginx"]).expect_code(1).says(&["no pod in `qa` has such a container"]);
}

#[test]
fn what_is_not_there_is_named() {
    let server = whole();
    let output = read(&server, ["wbe"]).expect_code(2).prints("");
    let _ = output.says(&["no role `wbe` in `qa`", "its roles are `web` (web)"]);
    let _ = read(&server, ["--pod", "nothing"]).expect_code(1).says(&["no pod in `qa` is as asked for"]);
    let _ = read(&server, ["--job", "nightly"]).expect_code(1).says(&["no job `nightly` in `qa`", "kdj jobs qa"]);
    let output = read(&server, ["web", "--job", "nightly"]).expect_code(2).prints("");
    let _ = output.says(&["a role (`web`) and `--job` exclude each other", "`kdj logs qa --job nightly`"]);
    let server = ApiServer::http(Objects::in_namespace(NAMESPACE));
    let _ = read(&server, []).expect_code(1).says(&["no pods in `qa`"]);
}

#[test]
fn logs_that_may_not_be_read_are_an_error() {
    let server = whole();
    server.fault(On::log(NAMESPACE), Fault::forbidden("dev", "get", "pods/log", NAMESPACE));
    let output = read(&server, []).expect_code(1).prints("");
    let _ = output.says(&["`dev` may not `get` `pods/log`", r#"resources: ["pods/log"], verbs: ["get"]"#]);
    let server = whole();
    server.fault(On::pods(NAMESPACE), Fault::pods_forbidden("dev", NAMESPACE));
    let _ = read(&server, []).expect_code(1).says(&["`dev` may not `list` `pods`"]);
}

#[test]
fn what_cannot_be_read_of_many_is_a_failure_that_keeps_the_rest() {
    let server = ApiServer::http(shop::one_web_pod().with(shop::web_pod("bbbbb")));
    for pod in [POD, "web-7c9d8f-bbbbb"] {
        server.log(NAMESPACE, pod, "django", "line 1\n");
    }
    server.fault(On::log(NAMESPACE).once(), Fault::forbidden("dev", "get", "pods/log", NAMESPACE));
    let output = Kdj::on(&server).run(["-q", "logs", "qa", "-o", "raw", "--no-follow"]).expect_code(1);
    let _ = output.prints("line 1\n").says(&["warning: the log of web-", "cannot be read on"]);
}

#[test]
fn the_last_lines_and_those_of_a_time() {
    let server = ApiServer::http(shop::one_web_pod());
    for minute in 1..=5 {
        let time = format!("2026-11-01T08:0{minute}:30Z");
        server.log_at(&time, NAMESPACE, POD, "django", format!("line {minute}\n"));
    }
    let read = |words: &[&str]| {
        Kdj::on(&server).run(["logs", "qa", "--no-follow", "-o", "raw"].iter().chain(words)).expect_code(0)
    };
    let _ = read(&["--tail", "2"]).prints(&lines(4..=5));
    let _ = read(&["--since", "2026-11-01T08:03:00Z"]).prints(&lines(3..=5));
    let _ = read(&["--since-time", "2026-11-01 08:03", "--until", "2026-11-01 08:05"]).prints(&lines(3..=4));
    let _ = read(&["--since", "2026-11-01T08:02:30.5Z", "--tail", "all"]).prints(&lines(3..=5));
    assert!(server.request_lines().contains("sinceTime=2026-11-01T08:02:30Z"), "{}", server.request_lines());
    // The last before a time are not the last of all.
    let _ = read(&["--until", "2026-11-01 08:05", "--tail", "2"]).prints(&lines(3..=4));
}

#[test]
fn what_was_rotated_away_before_the_time_asked_for_is_said() {
    let server = ApiServer::http(shop::one_web_pod());
    server.log_at("2026-11-01T08:01:00Z", NAMESPACE, POD, "django", "line 1\n");
    server.rotate(NAMESPACE, POD, "django");
    server.log_at("2026-11-01T08:10:00Z", NAMESPACE, POD, "django", "line 2\n");
    let since = ["-o", "raw", "--since", "2026-11-01T08:00:30Z"];
    let output = read(&server, since).expect_code(0).prints("line 2\n");
    let _ = output.says(&["web-aaaaa: the node has no lines before 2026-11-01T08:10:00Z"]);
    // One that was only silent for a while has lost nothing.
    let server = ApiServer::http(shop::one_web_pod());
    server.log_at("2026-11-01T08:00:10Z", NAMESPACE, POD, "django", "line 1\n");
    server.log_at("2026-11-01T08:10:00Z", NAMESPACE, POD, "django", "line 2\n");
    let _ = read(&server, since).expect_code(0).prints("line 2\n").never_says(&["the node has no lines"]);
}

#[test]
fn pods_come_and_go() {
    let server = ApiServer::http(shop::one_web_pod());
    let running = follow(&server, []);
    print(&server, 1..=1);
    running.wait_for_stdout("line 1\n");
    let new = "web-7c9d8f-ccccc";
    server.change(|objects| *objects = objects.clone().with(shop::in_web(Pod::waiting(new, "ContainerCreating", ""))));
    server.log(NAMESPACE, new, "django", "hello\n");
    server.change(|objects| {
        objects.change("pods", new, |pod| {
            pod["status"]["containerStatuses"][0]["state"] = json!({"running": {"startedAt": "2026-11-01T08:00:05Z"}});
        });
    });
    running.wait_for_stdout("hello\n");
    server.change(|objects| objects.remove("pods", POD));
    running.wait_for_stderr("- web-aaaaa");
    server.log(NAMESPACE, new, "django", "still there\n");
    running.wait_for_stdout("still there\n");
    let _ = stop(running).says(&["+ web-aaaaa", "+ web-ccccc"]);
}

#[test]
fn what_the_cluster_says_on_request() {
    let event = |name: &str, object: &str, kind: &str| {
        json!({
            "metadata": {"name": name, "uid": name}, "involvedObject": {"kind": kind, "name": object, "namespace": NAMESPACE},
            "type": "Warning", "reason": "Unhealthy", "message": format!("of {object}"), "count": 3,
            "lastTimestamp": "2026-11-01T08:00:01Z",
        })
    };
    let objects = shop::one_web_pod()
        .with_json("events", event("a", POD, "Pod"))
        .with_json("events", event("b", "other", "Pod"))
        .with_json("events", event("c", "web", "Deployment"));
    let server = ApiServer::http(objects);
    server.log_at("2026-11-01T08:00:00Z", NAMESPACE, POD, "django", "before\n");
    server.log_at("2026-11-01T08:00:02Z", NAMESPACE, POD, "django", "after\n");
    let output = read(&server, ["-o", "raw", "--events"]).expect_code(0);
    let pod = format!("pod/{POD} Warning Unhealthy: of {POD} (3 times)\n");
    let workload = "deployment/web Warning Unhealthy: of web (3 times)\n";
    assert_eq!(output.stdout_text(), format!("before\n{pod}{workload}after\n"));
}

#[test]
fn the_pods_of_a_job() {
    let pod = Pod::ready("nightly-x").owned_by_job("nightly").container("app", "shop:1", &["sh"]).ended(0, "Completed");
    let job =
        json!({"metadata": {"name": "nightly"}, "status": {"conditions": [{"type": "Complete", "status": "True"}]}});
    let pod = pod.json(|pod| pod["metadata"]["labels"]["app"] = "nightly".into());
    let server = ApiServer::http(shop::one_web_pod().with(pod).with_json("jobs", job));
    server.change(|objects| {
        objects.change("pods", "nightly-x", |pod| {
            pod["status"]["containerStatuses"][0]["state"]["terminated"]["containerID"] = "containerd://1".into();
        });
    });
    server.log(NAMESPACE, "nightly-x", "app", "one\n");
    for follow in ["--no-follow", "--follow"] {
        let words = ["logs", "qa", "--job", "nightly", "-o", "raw", follow];
        let _ = Kdj::on(&server).run(words).expect_code(0).prints("one\n");
    }
}

#[test]
fn several_environments_at_once() {
    let objects = shop::one_web_pod().and_namespace("shop").with(shop::in_web(Pod::ready("web-1-ppppp")));
    let server = ApiServer::http(objects);
    print(&server, 1..=1);
    server.log("shop", "web-1-ppppp", "django", "line of production\n");
    let config = "[environments.qa]\ncontext = \"acme-staging\"\nnamespace = \"shop-qa\"\n\
        [environments.prod]\ncontext = \"acme-staging\"\nnamespace = \"shop\"\n";
    let words = ["logs", "qa:web", "prod:web", "--no-follow", "-o", "raw"];
    let output = Kdj::on(&server).config(config).run(words).expect_code(0);
    assert_eq!(output.stdout_text(), "line 1\nline of production\n");
}

#[test]
fn whoever_has_enough_is_no_error() {
    let server = ApiServer::http(shop::one_web_pod());
    print(&server, 1..=20_000);
    for words in [&["logs", "qa", "--no-follow", "-o", "raw"][..], &["logs", "qa", "--tail", "all", "-o", "raw"]] {
        let output = Kdj::on(&server).close_stdout_after(7).run(words).expect_code(0);
        assert_eq!(output.stdout_text(), "line 1\n");
        let _ = output.never_says(&["error", "warning"]);
    }
}

#[test]
fn explaining_asks_nobody() {
    let server = ApiServer::http(shop::one_web_pod());
    let output = Kdj::on(&server).run(["logs", "qa", "--explain"]).expect_code(0);
    assert!(output.stdout_text().contains("kubectl --context acme-staging -n shop-qa logs --follow --timestamps POD"));
    assert_eq!(server.request_lines(), "");
}

#[test]
fn the_order_of_time_is_exact() {
    let mut pods = Vec::new();
    for number in 0..30 {
        pods.push(shop::web_pod(&format!("p{number:04}")));
    }
    let server = ApiServer::http(shop::web_pods(pods));
    let mut expected = String::new();
    for number in 0..3000_u32 {
        let line = format!("line {number}\n");
        let (minute, second, part) = (number / 600, number / 10 % 60, number % 10);
        let time = format!("2026-11-01T08:{minute:02}:{second:02}.{part}Z");
        // Some say a lot, some next to nothing.
        let pod = if number % 100 == 0 { number / 100 } else { number * number % 7 };
        server.log_at(&time, NAMESPACE, &format!("web-7c9d8f-p{pod:04}"), "django", &line);
        expected.push_str(&line);
    }
    let output = read(&server, ["-o", "raw"]).expect_code(0);
    assert!(output.stdout_text() == expected, "{output}");
}

#[test]
fn more_pods_than_files_that_may_be_open() {
    let pods = (0..120).map(|number| shop::web_pod(&format!("p{number:04}")));
    let server = ApiServer::http(shop::web_pods(pods));
    for number in 0..120 {
        server.log(NAMESPACE, &format!("web-7c9d8f-p{number:04}"), "django", "hello\n");
    }
    let kdj = Kdj::on(&server);
    let shell = |limit: &str| {
        let mut command = std::process::Command::new("sh");
        kdj.prepare(&mut command);
        let script = format!("ulimit {limit}; exec \"$0\" logs qa --no-follow -o raw");
        command.args(["-c", &script]).arg(Kdj::binary()).output().expect("a shell")
    };
    // The soft limit is raised; beyond the hard one, what is not read is named.
    let all = shell("-Sn 64");
    assert_eq!(all.stdout, "hello\n".repeat(120).into_bytes(), "{}", String::from_utf8_lossy(&all.stderr));
    let some = shell("-n 100");
    let said = String::from_utf8_lossy(&some.stderr);
    assert_eq!(some.stdout, "hello\n".repeat(60).into_bytes(), "{said}");
    assert_eq!(said.matches("is not read: 60 logs are").count(), 60, "{said}");
}
