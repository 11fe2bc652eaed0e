//! The commands that `kdj status` and its page show: what is copied means the same place, and works.

use serde_json::{Value, json};

use super::{crashing, page::patient, web::serve};
use crate::harness::{
    ApiServer, Browser, Kdj, Kubeconfig,
    objects::{Deployment, Pod, ReplicaSet},
    shop,
};

/// A kdj that knows another context of the same server.
fn with_another_context(server: &ApiServer) -> Kdj {
    let kubeconfig = Kubeconfig::of(server).context_on("acme other", "acme-staging", "dev", Some("shop-qa"));
    patient(server).kubeconfig(&kubeconfig)
}

/// What the page has to copy, behind `selector`.
fn copied(browser: &mut Browser, selector: &str) -> Vec<String> {
    let all =
        browser.eval(&format!("[...document.querySelectorAll('{selector} [data-copy]')].map((it) => it.dataset.copy)"));
    all.as_array().into_iter().flatten().map(|it| it.as_str().expect("a command").to_owned()).collect()
}

#[test]
fn commands_on_the_page_keep_the_flags_that_lead_elsewhere() {
    let server = crashing();
    let kdj = with_another_context(&server);
    let served = serve(&kdj, &["qa", "--context", "acme other", "--as", "ada", "--as-group", "ops"]);
    let mut browser = Browser::start(1200, 900);
    browser.open(&served.address);
    browser.wait_for("web: 0 of 1 pods ready");
    let commands = copied(&mut browser, "main");
    let program = "kdj --context 'acme other' --as ada --as-group ops ";
    assert!(commands.len() > 9 && commands.iter().all(|command| command.starts_with(program)), "{commands:#?}");
    assert_eq!(
        copied(&mut browser, ".problem"),
        [format!("{program}logs qa --pod web-7c9d8f-aaaaa --no-follow --tail 50")]
    );
    browser.eval("document.querySelector('[data-log]').click()");
    browser.wait_for("qa: web-7c9d8f-aaaaa, django");
    assert_eq!(copied(&mut browser, "#log"), [format!("{program}logs qa --pod web-7c9d8f-aaaaa -c django")]);
    let _ = served.stop();
}

#[test]
fn commands_in_the_terminal_keep_them_too() {
    let server = crashing();
    let kdj = with_another_context(&server);
    let next = |kdj: &Kdj, words: &[&str]| {
        let output = kdj.run(["status", "-o", "json"].iter().chain(words)).expect_code(1);
        let document: Value = serde_json::from_str(&output.stdout_text()).expect("JSON");
        document["environments"][0]["problems"][0]["next"].as_str().expect("a command").to_owned()
    };
    let rest = "--pod web-7c9d8f-aaaaa --no-follow --tail 50";
    assert_eq!(next(&kdj, &["qa"]), format!("kdj logs qa {rest}"));
    assert_eq!(next(&kdj, &["qa", "-n", "shop-qa"]), format!("kdj -n shop-qa logs qa {rest}"));
    let text = kdj.run(["status", "qa", "--context", "acme other"]).expect_code(1).stdout_text();
    assert!(text.contains(&format!("next: kdj --context 'acme other' logs qa {rest}")), "{text}");
    // Another terminal does not know this one's variables; they have no say over a place that is named whole.
    let kdj = kdj.variable("KDJ_CONTEXT", "acme other");
    assert_eq!(next(&kdj, &["qa"]), format!("kdj --context 'acme other' logs qa {rest}"));
    assert_eq!(next(&kdj, &["acme-staging/shop-qa"]), format!("kdj logs acme-staging/shop-qa {rest}"));
}

#[test]
fn what_a_role_offers_is_what_works() {
    let mut objects = shop::two_web_pods();
    for (name, hash) in [("web-blue", "1a1a1a"), ("web-green", "2b2b2b")] {
        let pod = Pod::ready(&format!("{name}-{hash}-ccccc")).owned_by_replica_set(name, hash);
        objects = objects
            .with(
                Deployment::new(name, 1)
                    .json(|it| {
                        it["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"] = json!("api")
                    })
                    .container("django", "shop:1", &["gunicorn"]),
            )
            .with(ReplicaSet::of(name, hash, 1, 1))
            .with(pod.component("api").django("django"));
    }
    let agent = Pod::ready("agent-xxxxx").component("agent").container("agent", "agent:1", &["agent"]).json(|pod| {
        pod["metadata"]["ownerReferences"] = json!([
            {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "uid-agent", "controller": true}
        ]);
    });
    let server = ApiServer::http(objects.with(agent));
    let served = serve(&patient(&server), &["qa"]);
    let mut browser = Browser::start(1200, 900);
    browser.open(&served.address);
    browser.wait_for("api (deployment/web-blue)");
    let commands = copied(&mut browser, ".more");
    for command in ["kdj scale qa deployment/web-blue=1", "kdj restart qa deployment/web-green", "kdj scale qa web=2"] {
        assert!(commands.iter().any(|it| it == command), "{command}: {commands:#?}");
    }
    let agents: Vec<_> = commands.iter().filter(|it| it.contains("agent")).collect();
    assert_eq!(agents, ["kdj logs qa agent", "kdj shell qa -r agent"]);
    assert!(commands.iter().all(|it| !it.ends_with(" api") && !it.contains(" api=")), "{commands:#?}");
    let _ = served.stop();
}
