use std::{cell::Cell, collections::BTreeSet, rc::Rc};

use super::*;
use crate::doctor::{About, Subject};

const PARENT: About = About::new("a.parent", "", "");
const CHILD: About = About::new("b.child", "", "").needs(&["a.parent"]);
const GRANDCHILD: About = About::new("b.grandchild", "", "").needs(&["b.child"]);
const OTHER: About = About::new("a.other", "", "");
const LEFT: About = About::new("a.left", "", "").needs(&["a.right"]);
const RIGHT: About = About::new("a.right", "", "").needs(&["a.left"]);

fn check(about: &About, subject: Subject, outcome: fn() -> Outcome) -> Check {
    Check::new(about, subject, &Rc::new(()), move |_| async move { outcome() })
}

fn passing(about: &About) -> Check {
    check(about, Subject::All, || Outcome::pass("fine"))
}

fn contexts(names: &[&str]) -> Subject {
    Subject::Contexts(names.iter().map(|&name| name.to_owned()).collect())
}

fn environment(name: &str, context: &str) -> Subject {
    Subject::Environment { name: name.to_owned(), context: Some(context.to_owned()) }
}

fn of(checks: Vec<Check>) -> Checks {
    Checks::new(checks, Stall::new(|_| ()), Invocation::default())
}

async fn run_all<const N: usize>(checks: [Check; N]) -> Vec<Done> {
    let mut done: Vec<Option<Done>> = checks.iter().map(|_| None).collect();
    of(checks.into()).run(&(0..N).collect(), &mut done, |_| ()).await;
    done.into_iter().map(|done| done.expect("every check is over")).collect()
}

fn said(done: &[Done]) -> Vec<String> {
    done.iter().map(|done| format!("{} {}", done.outcome.status.name(), done.outcome.text)).collect()
}

#[tokio::test]
async fn a_panic_is_a_failed_check_and_stops_no_other() {
    let checks =
        [check(&PARENT, Subject::All, || panic!("the disk is made of {}", "cheese")), passing(&OTHER), passing(&CHILD)];
    let done = run_all(checks).await;
    assert_eq!(
        said(&done),
        ["fail the check itself broke: the disk is made of cheese", "pass fine", "skip needs a.parent"]
    );
    assert_eq!(done[0].outcome.broke, Some(Broke::Panicked));
    assert!(done[0].outcome.fixes[0].contains("kdj doctor -o json"));
}

#[tokio::test]
async fn a_check_that_takes_too_long_says_so_and_the_others_go_on_meanwhile() {
    let hangs = Check::new(&PARENT, Subject::All, &Rc::new(()), |_| async {
        std::future::pending::<()>().await;
        Outcome::pass("")
    });
    let checks = [hangs.within(Duration::from_millis(300)), passing(&OTHER), passing(&CHILD)];
    let done = run_all(checks).await;
    assert_eq!(said(&done), ["fail no result within 300 ms", "pass fine", "skip needs a.parent"]);
    assert_eq!(done[0].outcome.broke, Some(Broke::TimedOut));
    assert!(done[0].took >= Duration::from_millis(300));
}

#[tokio::test]
async fn checks_run_at_once() {
    let slow = |about: &About| {
        Check::new(about, Subject::All, &Rc::new(()), |_| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Outcome::pass("")
        })
    };
    let begin = Instant::now();
    run_all([slow(&PARENT), slow(&OTHER), slow(&CHILD)]).await;
    // The child waits for its parent, and nobody for anybody else.
    let took = begin.elapsed();
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn only_those_who_need_it_are_skipped_and_each_says_why() {
    for (outcome, expected) in [
        (Outcome::fail as fn(&'static str) -> Outcome, ["skip needs a.parent", "skip needs b.child", "pass fine"]),
        (Outcome::skip, ["skip needs a.parent", "skip needs b.child", "pass fine"]),
        (Outcome::warn, ["pass fine", "pass fine", "pass fine"]),
        (Outcome::pass, ["pass fine", "pass fine", "pass fine"]),
    ] {
        let parent = Check::new(&PARENT, Subject::All, &Rc::new(()), move |_| async move { outcome("x") });
        let done = run_all([passing(&GRANDCHILD), passing(&CHILD), passing(&OTHER), parent]).await;
        let said = said(&done);
        assert_eq!([&*said[1], &*said[0], &*said[2]], expected);
    }
}

#[tokio::test]
async fn what_failed_for_one_context_is_no_hindrance_to_another() {
    let failing = |subject| check(&PARENT, subject, || Outcome::fail("x"));
    let checks = [
        failing(contexts(&["one"])),
        check(&PARENT, contexts(&["two"]), || Outcome::pass("fine")),
        check(&CHILD, environment("qa", "one"), || Outcome::pass("fine")),
        check(&CHILD, environment("prod", "two"), || Outcome::pass("fine")),
        check(&GRANDCHILD, environment("qa", "one"), || Outcome::pass("fine")),
        check(&GRANDCHILD, environment("prod", "two"), || Outcome::pass("fine")),
    ];
    let said = said(&run_all(checks).await);
    assert_eq!(said[2..], ["skip needs a.parent", "pass fine", "skip needs b.child", "pass fine"]);
}

#[tokio::test]
async fn a_circle_is_a_failure_and_not_for_ever() {
    let done = run_all([passing(&LEFT), passing(&RIGHT), passing(&OTHER)]).await;
    assert_eq!(
        said(&done),
        ["fail it needs a check that needs it", "fail it needs a check that needs it", "pass fine"]
    );
}

#[tokio::test]
async fn a_result_may_be_an_error() {
    let check = Check::new(&OTHER, Subject::All, &Rc::new(()), |_| async {
        Err::<Outcome, _>(crate::error::Error::failed("lost it").caused_by("a hole").hint("`look` again"))
    });
    let done = run_all([check]).await;
    assert_eq!(said(&done), ["fail lost it"]);
    assert_eq!(
        (&*done[0].outcome.causes, &*done[0].outcome.fixes),
        (&["a hole".to_owned()][..], &["`look` again".to_owned()][..])
    );
}

#[tokio::test]
async fn a_check_is_run_once_and_with_it_what_it_needs() {
    let count = Rc::new(Cell::new(0));
    let counted = |about: &About| {
        Check::new(about, Subject::All, &count, |count| async move {
            count.set(count.get() + 1);
            Outcome::pass("")
        })
    };
    let checks = [counted(&PARENT), counted(&CHILD), counted(&OTHER), counted(&GRANDCHILD)];
    let checks = of(checks.into());
    let wanted = checks.with_parents([3]);
    assert_eq!(wanted, BTreeSet::from([0, 1, 3]));
    let mut done: Vec<Option<Done>> = checks.all().iter().map(|_| None).collect();
    checks.run(&wanted, &mut done, |_| ()).await;
    assert_eq!(count.get(), 3);
    assert!(done[2].is_none());
}

#[tokio::test]
async fn who_only_warns_does_so_also_when_it_comes_to_no_end() {
    let hangs = |about: &About| {
        let check = Check::new(about, Subject::All, &Rc::new(()), |_| async {
            std::future::pending::<()>().await;
            Outcome::pass("")
        });
        check.asks("https://k8s.acme.dev").within(Duration::from_millis(100))
    };
    let lost = Check::new(&OTHER, Subject::All, &Rc::new(()), |_| async {
        Err::<Outcome, _>(crate::error::Error::failed("lost it"))
    });
    let done = run_all([hangs(&PARENT).only_warns(), lost.only_warns(), hangs(&LEFT), passing(&CHILD)]).await;
    let late = "no answer from https://k8s.acme.dev within 100 ms";
    let expected = [&format!("warn {late}"), "warn lost it", &format!("fail {late}"), "pass fine"];
    assert_eq!(said(&done), expected);
    assert!(done[0].outcome.fixes[0].contains("is the VPN up?"), "{:?}", done[0].outcome);
}

#[tokio::test]
async fn what_failed_is_shown_with_what_was_skipped_for_it() {
    let failing = check(&PARENT, contexts(&["one"]), || Outcome::fail("x"));
    let other = check(&PARENT, contexts(&["two"]), || Outcome::fail("x"));
    let child = |name: &str, context: &str| check(&CHILD, environment(name, context), || Outcome::pass("fine"));
    let last = check(&GRANDCHILD, environment("qa", "one"), || Outcome::pass("fine"));
    let checks = of(vec![failing, other, child("qa", "one"), child("prod", "two"), passing(&OTHER), last]);
    let mut done: Vec<Option<Done>> = checks.all().iter().map(|_| None).collect();
    checks.run(&(0..6).collect(), &mut done, |_| ()).await;
    let shown = |places: &[usize]| checks.with_what_failed(&places.iter().copied().collect(), &done);
    assert_eq!(shown(&[5]), BTreeSet::from([0, 5]));
    assert_eq!(shown(&[3, 4]), BTreeSet::from([1, 3, 4]));
    assert_eq!(shown(&[4]), BTreeSet::from([4]));
}

#[tokio::test]
async fn what_could_not_be_made_is_shown_with_what_was_skipped_for_it() {
    for (first, leaves_open) in [
        ((|| Outcome::open("you may not look")) as fn() -> Outcome, true),
        ((|| Outcome::skip("it is not on this machine")) as fn() -> Outcome, false),
    ] {
        let child = check(&CHILD, environment("qa", "one"), || Outcome::pass("fine"));
        let last = check(&GRANDCHILD, environment("qa", "one"), || Outcome::pass("fine"));
        let checks = of(vec![check(&PARENT, contexts(&["one"]), first), child, last]);
        let mut done: Vec<Option<Done>> = checks.all().iter().map(|_| None).collect();
        checks.run(&(0..3).collect(), &mut done, |_| ()).await;
        assert_eq!(checks.with_what_failed(&BTreeSet::from([2]), &done), BTreeSet::from([0, 2]));
        assert_eq!(done[2].as_ref().unwrap().outcome.open, leaves_open);
    }
}

/// Were each to look for those it needs among all others, whenever one is over, this would take minutes.
#[tokio::test]
async fn thousands_are_run_in_no_time() {
    let names: Vec<String> = (0..1000).map(|number| format!("context-{number}")).collect();
    let of_one = |name: &String| {
        let pass = |about: &About| check(about, contexts(&[name]), || Outcome::pass("fine"));
        [pass(&PARENT), pass(&CHILD), pass(&GRANDCHILD)]
    };
    let begin = Instant::now();
    let checks = of(names.iter().flat_map(of_one).collect());
    let mut done: Vec<Option<Done>> = checks.all().iter().map(|_| None).collect();
    checks.run(&(0..3000).collect(), &mut done, |_| ()).await;
    assert!(done.iter().flatten().all(|done| done.outcome.status == Status::Pass));
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn commands_to_type_keep_the_flags() {
    let outcome = || Outcome::warn("see `kdj status qa`").caused_by("`kdj` itself").fix("`kdj status qa --why`");
    let checks = Checks::new(
        vec![check(&PARENT, Subject::All, outcome)],
        Stall::new(|_| ()),
        Invocation::called(None).flag("--context", "acme"),
    );
    let mut done = vec![None];
    checks.run(&BTreeSet::from([0]), &mut done, |_| ()).await;
    let outcome = &done[0].as_ref().expect("it is over").outcome;
    assert_eq!(outcome.text, "see `kdj --context acme status qa`");
    assert_eq!((&*outcome.causes[0], &*outcome.fixes[0]), ("`kdj` itself", "`kdj --context acme status qa --why`"));
}
