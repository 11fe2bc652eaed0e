//! The JSON.

use super::*;

#[test]
fn the_json_is_the_documented_one() {
    let mut web = short("web", Kind::Web, 1, 2);
    web.release = Some("2026.3".to_owned());
    web.managers = vec!["Helm release `shop`".to_owned()];
    web.restarts = 7;
    web.last_restart = Some(LastRestart { pod: "web-2".to_owned(), exit: exit(1, "Error", 12) });
    web.rollout =
        Some(Rollout { phase: RolloutPhase::Progressing, text: "1 of 2 pods updated".to_owned(), held_by: None });
    web.autoscaler =
        Some(Autoscaler { kind: "keda", name: "web".to_owned(), min: 2, max: 8, current: 2, wanted: 2, trouble: None });
    let pods = vec![
        Pod { outdated: true, revision: Some("55f6b".to_owned()), ..pod("web-1", "web") },
        crash_looping("web-2", "web", exit(1, "Error", 12)),
        pod("beat-1", "beat"),
    ];
    let mut seen = status(vec![web, role("beat", Kind::Beat, 1)], pods);
    seen.events.push(event("pod/web-2", "BackOff", "Back-off restarting failed container django"));
    seen.missing.push("HPAs: `viewer` may not `list` `horizontalpodautoscalers`".to_owned());
    let seen = seen.concluded();
    let text = serde_json::to_string_pretty(&seen.json()).unwrap();
    insta::assert_snapshot!(text);
    assert_eq!(document(vec![seen.json()])["environments"][0]["environment"], "qa");
    let lost = Link::Lost { since: now(), why: "connection refused".to_owned() };
    assert_eq!(
        serde_json::to_value(lost).unwrap(),
        serde_json::json!({"state": "lost", "since": "2026-03-01T12:00:00Z", "why": "connection refused"})
    );
}

#[test]
fn ages_alone_are_no_change() {
    let at = |seconds| {
        let crashed = crash_looping("web-2", "web", exit(1, "Error", 12));
        let pods = vec![pod("web-1", "web"), Pod { reason: format!("last exit 1 {seconds} s ago"), ..crashed }];
        let taken = now().checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        Status { taken, ..status(vec![short("web", Kind::Web, 1, 2)], pods) }
    };
    assert_ne!(at(0).concluded(), at(10).concluded());
    assert_eq!(at(0).concluded().ageless(), at(10).concluded().ageless());
    let mut ready = at(10);
    ready.roles[0].ready = 2;
    assert_ne!(at(0).concluded().ageless(), ready.concluded().ageless());
}
