//! The page of `kdj status --web` in a real browser.

use std::{fs, path::Path, time::Duration};

use rustix::process::Signal;
use serde_json::json;

use super::{crashing, web::serve};
use crate::harness::{
    ApiServer, Browser, Fault, Kdj, On, Rupture,
    browser::{PAINTED, quickest},
    objects::Pod,
    shop,
    shop::NAMESPACE,
};

/// Where the documentation has its picture.
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/images/status.png");

/// The web's second pod fails.
pub fn fail(server: &ApiServer) {
    server.change(|objects| {
        objects.remove("pods", "web-7c9d8f-bbbbb");
        *objects = objects.clone().with(shop::in_web(Pod::crash_looping("web-7c9d8f-bbbbb", 3, "Error")));
        objects.change("deployments", "web", |web| web["status"]["readyReplicas"] = json!(1));
    });
}

/// It is well again.
pub fn heal(server: &ApiServer) {
    server.change(|objects| {
        objects.remove("pods", "web-7c9d8f-bbbbb");
        *objects = objects.clone().with(shop::web_pod("bbbbb"));
        objects.change("deployments", "web", |web| web["status"]["readyReplicas"] = json!(2));
    });
}

/// kdj with the time that a browser takes.
pub fn patient(server: &ApiServer) -> Kdj {
    Kdj::on(server).deadline(Duration::from_secs(120))
}

/// Milliseconds since 1970.
fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time after 1970").as_secs_f64() * 1e3
}

#[test]
fn what_is_broken_is_told_with_its_cause_and_the_command() {
    let server = crashing();
    server.change(|objects| {
        objects.add_json(
            "events",
            json!({
                "metadata": {"name": "web.2"}, "type": "Warning", "reason": "Unhealthy", "count": 1,
                "involvedObject": {"kind": "Pod", "name": "web-7c9d8f-aaaaa"},
                "message": "<img src=x onerror=alert(1)><script>alert(2)</script>\x1b[2J\u{202e}", "lastTimestamp": "2026-11-01T09:00:00Z",
            }),
        );
    });
    let served = serve(&patient(&server), &["qa"]);
    let mut browser = Browser::start(1200, 900);
    browser.open(&served.address);
    browser.wait_for("web: 0 of 1 pods ready");
    for text in [
        "acme-staging / shop-qa",
        "container django ends with exit 1",
        "kdj logs qa --pod web-7c9d8f-aaaaa --no-follow --tail 50",
        "1 pod and commands of web",
        // What a cluster says is text, whatever it looks like.
        "<img src=x onerror=alert(1)><script>alert(2)</script>",
    ] {
        browser.wait_for(text);
    }
    assert_eq!(browser.eval("/[\\x00-\\x08\\x1b\\u202e]/.test(document.body.textContent)"), false);
    assert_eq!(browser.eval("document.title"), "✖ 1 of 1 broken – kdj status");
    assert_eq!(browser.eval("document.images.length + document.querySelectorAll('main script').length"), 0);
    // Without colour: each state is a word beside its shape.
    assert_eq!(
        browser.eval("[...document.querySelectorAll('#overview .word')].map((it) => it.textContent)"),
        json!(["BROKEN"])
    );
    let commands = browser.eval("[...document.querySelectorAll('.more [data-copy]')].map((it) => it.dataset.copy)");
    let expected = ["logs qa web", "shell qa -r web", "scale qa web=1", "restart qa web", "rollback qa web"];
    assert_eq!(commands, json!(expected.map(|words| format!("kdj {words}"))));
    assert_eq!(browser.complaints(), &[] as &[String]);
    let _ = served.stop();
}

#[test]
fn the_first_paint_and_what_changes_are_quick() {
    let server = ApiServer::http(shop::two_web_pods());
    let served = serve(&patient(&server), &["qa"]);
    let mut browser = Browser::start(1200, 900);
    browser.before_pages(PAINTED);
    let mut first = Vec::new();
    for _ in 0..5 {
        browser.open(&served.address);
        browser.wait("first.paint > 0");
        first.push(browser.eval("first.paint - first.data").as_f64().expect("milliseconds"));
    }
    let mut late = Vec::new();
    for _ in 0..5 {
        browser.eval("window.broken = painted('web: 1 of 2 pods ready'), 0");
        let changed = now();
        fail(&server);
        late.push(browser.eval("window.broken").as_f64().expect("a time") - changed);
        browser.eval("window.well = painted('2 of 2 pods ready'), 0");
        let changed = now();
        heal(&server);
        late.push(browser.eval("window.well").as_f64().expect("a time") - changed);
    }
    eprintln!("first paint {first:.0?} ms after the data, a change shown after {late:.0?} ms");
    let (first, late) = (quickest(first), quickest(late));
    assert!(first < 1000.0, "first paint {first:.0} ms after its data");
    assert!(late < 2000.0, "a change was shown after {late:.0} ms");
    fail(&server);
    browser.wait_for("web: 1 of 2 pods ready");
    // The plot has the change.
    let label = browser.wait("document.querySelector('.plot svg')?.getAttribute('aria-label').includes('1 to 2') && document.querySelector('.plot svg').getAttribute('aria-label')");
    assert!(label.as_str().is_some_and(|label| label.ends_with("1 to 2, now 1 of 2")), "{label}");
    browser.wait("document.getElementById('told').textContent.startsWith('qa: BROKEN')");
    // Who opens it later sees how it came to be.
    let mut late = Browser::start(800, 600);
    late.open(&served.address);
    late.wait("document.querySelector('.plot svg')?.getAttribute('aria-label').includes('1 to 2')");
    assert_eq!(browser.complaints(), &[] as &[String]);
    let _ = served.stop();
}

#[test]
fn lost_connections_are_told_and_heal() {
    let server = ApiServer::http(shop::two_web_pods());
    server.fault(On::watch("pods", NAMESPACE).once(), Fault::AfterLines(1, Rupture::Reset));
    server.fault(On::watch("pods", NAMESPACE).after(1).times(1), Fault::Reset);
    server.fault(On::pods(NAMESPACE).after(1).times(3), Fault::Reset);
    let kdj = patient(&server);
    let served = serve(&kdj, &["qa"]);
    let mut browser = Browser::start(1200, 900);
    browser.before_pages(PAINTED);
    browser.open(&served.address);
    browser.wait_for("2 of 2 pods ready");
    browser.eval("window.lost = painted('The cluster has not answered since '), 0");
    server.change(|objects| {
        objects.change("pods", "web-7c9d8f-aaaaa", |pod| pod["metadata"]["labels"]["x"] = json!("y"));
    });
    browser.eval("window.lost");
    assert_eq!(browser.eval("document.title"), "(old) qa: ok – kdj status");
    browser.wait("!document.body.innerText.includes('The cluster has not answered')");
    fail(&server);
    browser.wait_for("web: 1 of 2 pods ready");

    // kdj itself is stopped: the page hears nothing, and says so. Then it goes on.
    served.running.signal(Signal::STOP);
    browser.wait_for("No connection to kdj since ");
    browser.wait_for("it is silent");
    served.running.signal(Signal::CONT);
    browser.wait_for("this page only looks");
    // It is ended, and begun again at the same port: that is another address.
    let address = served.address.clone();
    let port = address.split([':', '/']).nth(4).expect("a port").to_owned();
    let _ = served.stop();
    browser.wait_for("No connection to kdj since ");
    assert!(browser.eval("document.title").as_str().is_some_and(|title| title.starts_with("(old) ✖ 1 of 1 broken")));
    assert_eq!(browser.eval("document.querySelector('#overview .word').textContent"), "BROKEN (old)");
    let other = serve(&kdj, &["qa", "--port", &port]);
    assert_ne!(other.address, address);
    browser.wait_for("run it again, and open the address it prints");
    browser.open(&other.address);
    browser.wait_for("web: 1 of 2 pods ready");
    let _ = other.stop();
    server.forgive();
}

#[test]
fn it_can_be_used_by_keyboard() {
    let server = ApiServer::http(shop::two_web_pods());
    server.log(NAMESPACE, "web-7c9d8f-aaaaa", "django", "first\nGET /orders/ 200 <b>\n");
    let served = serve(&patient(&server), &["qa"]);
    let mut browser = Browser::start(1200, 900);
    let origin = served.address.trim_end_matches('/').rsplit_once('/').expect("an origin").0.to_owned();
    let permissions = json!({"origin": origin, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
    browser.open(&served.address);
    browser.wait_for("2 of 2 pods ready");
    browser.call_browser("Browser.grantPermissions", permissions);
    let focused = |browser: &mut Browser| {
        browser.eval(
            "(() => { const it = document.activeElement; const style = getComputedStyle(it); const box = it.getBoundingClientRect();
              return { name: it.getAttribute('aria-label') ?? it.textContent.trim(), outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
                seen: box.width > 0 && box.top >= -1 && box.bottom <= innerHeight + 1 }; })()",
        )
    };
    let mut walked = Vec::new();
    for _ in 0..12 {
        browser.press("Tab");
        let at = focused(&mut browser);
        assert!(at["outline"] == true && at["seen"] == true, "the focus is not seen: {at}");
        walked.push(at["name"].as_str().unwrap_or_default().to_owned());
        if walked.last().is_some_and(|name| name.contains("pods and commands of web")) {
            break;
        }
    }
    assert_eq!(walked[0], "Skip to the environments", "{walked:?}");
    assert!(walked[1].starts_with("qa"), "{walked:?}");
    // The pods are folded out, the log is opened, and closed again.
    browser.press("Enter");
    browser.press("Tab");
    assert_eq!(focused(&mut browser)["name"], "Log of web-7c9d8f-aaaaa, container django");
    browser.press("Enter");
    browser.wait_for("GET /orders/ 200 <b>");
    assert_eq!(browser.eval("document.activeElement.id"), "log-lines");
    assert_eq!(browser.eval("document.getElementById('log-title').textContent"), "qa: web-7c9d8f-aaaaa, django");
    server.log(NAMESPACE, "web-7c9d8f-aaaaa", "django", "and on\n");
    browser.wait_for("and on");
    // What is drawn anew meanwhile takes neither the focus nor what is folded out.
    fail(&server);
    browser.wait_for("web: 1 of 2 pods ready");
    assert_eq!(browser.eval("document.activeElement.id"), "log-lines");
    assert_eq!(browser.eval("document.querySelector('.more details').open"), true);
    // What has the focus is not behind the log.
    for _ in 0..12 {
        browser.press("Tab");
        let at = browser.eval(
            "(() => { const it = document.activeElement; const box = it.getBoundingClientRect();
              const pane = document.getElementById('log'); return { name: it.outerHTML.slice(0, 80),
              seen: it === document.body || pane.contains(it) || box.bottom <= pane.getBoundingClientRect().top + 1 }; })()",
        );
        assert_eq!(at["seen"], true, "{at}");
    }
    browser.press("Escape");
    assert_eq!(focused(&mut browser)["name"], "Log of web-7c9d8f-aaaaa, container django");
    assert_eq!(browser.eval("document.getElementById('log').hidden"), true);
    // A command is copied, and that is said, to be seen.
    browser.eval("document.querySelector('.more [data-copy]').focus()");
    browser.press("Enter");
    browser.wait("document.getElementById('told').textContent === 'copied: kdj logs qa web'");
    assert_eq!(browser.eval("navigator.clipboard.readText()"), "kdj logs qa web");
    assert!(browser.eval("document.getElementById('told').getBoundingClientRect().width").as_f64() > Some(100.0));
    browser.wait("document.getElementById('told').textContent === ''");
    browser.eval("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))");
    browser.press("Enter");
    browser.wait_for("the browser does not let this page copy: select it instead: kdj logs qa web");
    // Whatever can be pressed has a name, and there is one heading of the first rank.
    assert_eq!(browser.eval("[...document.querySelectorAll('button, a, summary')].filter((it) => !(it.getAttribute('aria-label') ?? it.textContent).trim()).length"), 0);
    assert_eq!(
        browser.eval(
            "document.querySelectorAll('h1').length + document.querySelectorAll('main, nav, body > header').length"
        ),
        4
    );
    assert_eq!(browser.complaints(), &[] as &[String]);
    let _ = served.stop();
}

#[test]
fn it_fits_a_phone_and_a_dark_desktop() {
    let server = crashing();
    server.change(|objects| {
        objects.change("pods", "web-7c9d8f-aaaaa", |pod| {
            pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["containerID"] = json!("containerd://1");
        });
    });
    let long = "a-container-with-a-name-as-long-as-a-name-may-be-in-kubernetes";
    server.change(|objects| {
        objects.change("pods", "web-7c9d8f-aaaaa", |pod| {
            for field in ["/spec/containers", "/status/containerStatuses"] {
                let containers = pod.pointer_mut(field).and_then(|it| it.as_array_mut()).expect("containers");
                let mut sidecar = containers[0].clone();
                sidecar["name"] = json!(long);
                containers.push(sidecar);
            }
        });
    });
    let served = serve(&patient(&server), &["qa"]);
    let mut browser = Browser::start(360, 740);
    browser.open(&served.address);
    browser.wait_for("web: 0 of 1 pods ready");
    browser.eval("document.querySelectorAll('details').forEach((it) => { it.open = true; })");
    browser.wait_for(&format!("Log of {long}"));
    assert_eq!(browser.eval("document.documentElement.scrollWidth"), 360);
    assert_eq!(browser.eval("document.querySelectorAll('.roles[role=table] [role=rowheader]').length"), 1);
    let cut = "[...document.querySelectorAll('main *')].filter((it) => it.getBoundingClientRect().right > 361 && !it.closest('pre')).length";
    assert_eq!(browser.eval(cut), 0, "nothing is cut off");
    browser.eval("document.querySelector('[data-log]').click()");
    browser.wait_for("KeyError: 'KEY'");
    assert_eq!(browser.eval("document.documentElement.scrollWidth"), 360);
    browser.eval("closeLog()");
    browser.expect_contrast();
    let dark = browser.eval("getComputedStyle(document.body).backgroundColor");
    assert_eq!(dark, "rgb(16, 20, 25)");
    // When kdj is gone, too.
    let _ = served.stop();
    browser.wait_for("No connection to kdj since ");
    browser.expect_contrast();
}

/// The shop, where one of two web pods has begun to crash with the newest revision.
fn shop_in_trouble() -> ApiServer {
    let server = ApiServer::http(shop::whole());
    fail(&server);
    server.change(|objects| {
        let now = k8s_openapi::jiff::Timestamp::now();
        let ago = |seconds| {
            now.checked_sub(k8s_openapi::jiff::SignedDuration::from_secs(seconds)).expect("a time").to_string()
        };
        objects.change("pods", "web-7c9d8f-bbbbb", |pod| {
            pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["finishedAt"] = json!(ago(14));
        });
        objects.change("replicasets", "web-7c9d8f", |set| set["metadata"]["creationTimestamp"] = json!(ago(340)));
        for (set, image) in [("web-7c9d8f", "1.42"), ("web-6b6b6b", "1.41")] {
            let image = format!("registry.acme.dev/shop:{image}");
            let template = json!([{"name": "django", "image": image}]);
            objects.change("replicasets", set, |set| set["spec"]["template"]["spec"]["containers"] = template.clone());
        }
        for (name, kind, reason, message, seconds) in [
            ("1", "Warning", "BackOff", "Back-off restarting failed container django", 12),
            ("2", "Warning", "Unhealthy", "Readiness probe failed: connection refused", 31),
            ("3", "Normal", "Pulled", "Container image registry.acme.dev/shop:1.42 already present on machine", 44),
        ] {
            objects.add_json(
                "events",
                json!({
                    "metadata": {"name": name}, "type": kind, "reason": reason, "count": 3, "message": message,
                    "involvedObject": {"kind": "Pod", "name": "web-7c9d8f-bbbbb"}, "lastTimestamp": ago(seconds),
                }),
            );
        }
    });
    server
}

/// `KDJ_UPDATE=1` makes it anew.
#[test]
fn the_documentation_has_a_picture_of_it() {
    if std::env::var_os("KDJ_UPDATE").is_some() {
        let server = shop_in_trouble();
        let served = serve(&patient(&server), &["qa"]);
        let mut browser = Browser::start(1040, 900);
        browser.open(&served.address);
        browser.wait_for("web: 1 of 2 pods ready");
        browser.eval("document.querySelector('.more details').open = true");
        // The plots have a minute.
        std::thread::sleep(Duration::from_secs(62));
        fs::create_dir_all(Path::new(PICTURE).parent().expect("a directory")).expect("a directory for pictures");
        fs::write(PICTURE, browser.picture()).expect("the picture is written");
        let _ = served.stop();
    }
    let picture = fs::read(PICTURE).expect("the picture: KDJ_UPDATE=1 makes it");
    assert!(picture.starts_with(b"\x89PNG") && picture.len() < 200_000, "{} bytes", picture.len());
}
