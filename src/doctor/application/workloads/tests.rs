//! Each check, of a state that passes and one that does not.

use super::*;
use crate::{
    config::{Config, Sources},
    doctor::Status as How,
    environment::{KubeContext, Overrides},
    status::{Pod, Rollout, RolloutPhase},
};

fn config(text: &str) -> Config {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("kdj.toml"), text).unwrap();
    let working_directory = Some(directory.path().to_owned());
    Config::load(&Sources { working_directory, ..Sources::default() }).unwrap()
}

fn environment(config: &Config) -> Environment {
    let contexts = [KubeContext { name: "acme".to_owned(), namespace: None, cluster: None }];
    crate::environment::resolve("qa", config, &contexts, &Overrides::default()).unwrap()
}

const QA: &str = "[environments.qa]\ncontext = 'acme'\n";

/// An environment of these roles, each with one pod, ready or not.
fn status(roles: &[(&str, Kind, bool)]) -> Status {
    let mut status = Status::new(&environment(&config(QA)), jiff::Timestamp::UNIX_EPOCH);
    for (name, kind, ready) in roles {
        let workload = format!("deployment/{name}");
        let mut role = Role::new(name, *kind, &workload);
        (role.desired, role.ready) = (Some(1), u32::from(*ready));
        status.roles.push(role);
        status.pods.push(Pod {
            name: format!("{name}-1"),
            role: (*name).to_owned(),
            workload,
            phase: "Running".to_owned(),
            ready: *ready,
            reason: if *ready { "ready" } else { "CrashLoopBackOff" }.to_owned(),
            restarts: 0,
            last_exit: None,
            node: None,
            created: None,
            terminating: None,
            revision: None,
            outdated: false,
            unschedulable: None,
            abandoned: false,
            containers: Vec::new(),
        });
    }
    if roles.is_empty() {
        status.presence = Presence::Empty;
    }
    status.concluded()
}

const WEB: (&str, Kind, bool) = ("web", Kind::Web, true);

#[test]
fn workloads_are_there_and_one_answers_requests() {
    let outcome = judge_workloads(&status(&[WEB, ("celeryd", Kind::Worker, true)]), "qa");
    assert_eq!((outcome.status, outcome.text.as_str()), (How::Pass, "web (web), celeryd (worker)"));
    let outcome = judge_workloads(&status(&[("celeryd", Kind::Worker, true)]), "qa");
    assert_eq!(outcome.status, How::Warn);
    assert_eq!(outcome.fixes[0], "name the role: `kdj shell qa --role celeryd`");
    let outcome = judge_workloads(&status(&[]), "qa");
    assert_eq!((outcome.status, outcome.text.as_str()), (How::Fail, "no workloads in namespace `default`"));
}

#[test]
fn what_is_configured_is_there() {
    let status = status(&[WEB]);
    let judge = |text: &str| {
        let config = config(&format!("{QA}{text}"));
        judge_roles(&status, &environment(&config), &config)
    };
    for text in ["", "[roles.web]\ncontainer = 'django'\n", "[forwards.debug]\nrole = 'web'\nport = 5678\n"] {
        assert_eq!(judge(text).status, How::Pass, "{text}");
    }
    // What is the project's may be another environment's.
    for (text, elsewhere) in [
        ("[roles.flower]\nselector = 'a=b'\n", "not here: `[roles.flower]`"),
        ("[forwards.flower]\nrole = 'flower'\nport = 5555\n", "not here: the role `flower` of the forward `flower`"),
    ] {
        let outcome = judge(text);
        assert_eq!((outcome.status, outcome.text.as_str()), (How::Pass, elsewhere));
    }
    for (text, cause) in [
        (
            "[environments.qa.roles.site]\nselector = 'a=b'\n",
            "the selector of `[roles.site]`, `a=b`, matches no workload",
        ),
        ("[environments.qa.roles.site]\ncontainer = 'x'\n", "`[roles.site]` is of no workload there"),
        ("[roles.wep]\ncontainer = 'x'\n", "`[roles.wep]` is of no workload there. did you mean `web`?"),
        ("[forwards.debug]\nrole = 'wep'\nport = 5678\n", "names the role `wep`. did you mean `web`?"),
    ] {
        let outcome = judge(text);
        assert_eq!(outcome.status, How::Warn, "{text}");
        assert!(outcome.causes[0].ends_with(cause), "{:?}", outcome.causes);
    }
}

#[test]
fn there_is_a_pod_to_enter() {
    let outcome = judge_pods(&status(&[WEB]), "qa");
    assert_eq!((outcome.status, outcome.text.as_str()), (How::Pass, "1 of 1 pods ready"));
    let outcome = judge_pods(&status(&[("web", Kind::Web, false), ("celeryd", Kind::Worker, true)]), "qa");
    assert_eq!(
        (outcome.status, outcome.fixes),
        (
            How::Fail,
            vec!["`kdj status qa --why`".to_owned(), "meanwhile, a pod of its own: `kdj shell qa --fresh`".to_owned()]
        )
    );
    let outcome = judge_pods(&status(&[WEB, ("celeryd", Kind::Worker, false)]), "qa");
    assert_eq!((outcome.status, outcome.text.as_str()), (How::Warn, "1 of 2 pods ready"));
    let mut blind = status(&[WEB]);
    blind.missing.push("pods: you may not list them".to_owned());
    assert_eq!(judge_pods(&blind, "qa").status, How::Skip);
}

#[test]
fn one_beat_runs() {
    assert_eq!(judge_beat(&status(&[WEB]), "qa").status, How::Pass);
    let mut of_one = status(&[WEB, ("beat", Kind::Beat, true)]);
    of_one.beat = Some(crate::status::Beat { desired: 1, running: 1, ok: true });
    assert_eq!(judge_beat(&of_one, "qa").status, How::Pass);
    // Of a role that has so many pods, of which so many are ready.
    let beats = |desired: u32, ready: u32, rollout: Option<Rollout>| {
        let mut status = status(&[WEB, ("beat", Kind::Beat, true)]);
        let (role, pod) = (status.roles.pop().unwrap(), status.pods.pop().unwrap());
        status.roles.push(Role { desired: Some(desired), ready, rollout, ..role });
        status.pods.extend((0..ready).map(|number| Pod { name: format!("beat-{number}"), ..pod.clone() }));
        judge_beat(&status.concluded(), "qa")
    };
    assert_eq!(beats(1, 1, None).status, How::Pass);
    let scaled_to_zero = beats(0, 0, None);
    assert_eq!((scaled_to_zero.status, scaled_to_zero.text.as_str()), (How::Warn, "0 run, 0 should"));
    let two = beats(2, 2, None);
    assert_eq!((two.status, two.text.as_str()), (How::Fail, "2 run, 2 should"));
    assert_eq!(beats(1, 2, None).status, How::Fail);
    let rolling = Rollout { phase: RolloutPhase::Progressing, text: "1 old pod to go".to_owned(), held_by: None };
    let updated = beats(1, 2, Some(rolling));
    assert_eq!((updated.status, updated.text.as_str()), (How::Warn, "2 run, 1 should"), "{:?}", updated.causes);
}

#[test]
fn managers_are_named_with_what_they_manage() {
    let mut status = status(&[WEB, ("celeryd", Kind::Worker, true)]);
    assert_eq!(judge_managers(&status).text, "none is to be seen");
    for role in &mut status.roles {
        role.managers.push("Helm release `shop`".to_owned());
    }
    status.roles[0].managers.push("Argo CD application `shop`".to_owned());
    assert_eq!(judge_managers(&status).text, "Helm release `shop`: all; Argo CD application `shop`: web");
}
