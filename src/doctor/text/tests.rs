use std::{rc::Rc, time::Duration};

use super::*;
use crate::doctor::{About, Fix, How, Outcome, Subject};

const FILES: About = About::new("kubeconfig.files", "the files are there", "every command needs them");
const CLOCK: About = About::new("cluster.clock", "the clocks agree", "tokens are refused before their time");

const PLAIN: Look = Look { colored: false, columns: Some(80), verbose: false };

fn check(about: &About, names: &[&str]) -> Check {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let subject = if names.is_empty() { Subject::All } else { Subject::Contexts(names) };
    Check::new(about, subject, &Rc::new(()), |_| async { Outcome::pass("") })
}

fn done(outcome: Outcome) -> Done {
    Done { outcome, took: Duration::from_millis(12) }
}

fn lines(over: &[(Check, Done)], look: Look) -> String {
    rows(over.iter().map(|(check, done)| (check, done))).iter().map(|row| line(row, 9, look)).collect()
}

#[test]
fn a_line_for_each_outcome_folded_to_80_columns() {
    let over = [
        (check(&FILES, &[]), done(Outcome::pass(""))),
        (
            check(&CLOCK, &["acme-qa"]),
            done(
                Outcome::warn(
                    "this machine's clock is 2 minutes ahead of the server's, which is more than it should be",
                )
                .caused_by("it said so")
                .fix("`sudo timedatectl set-ntp true`"),
            ),
        ),
        (check(&CLOCK, &["acme-prod"]), done(Outcome::fail("this machine's clock is an hour behind"))),
        (check(&FILES, &["acme-qa"]), done(Outcome::skip("needs cluster.reachable"))),
    ];
    let text = lines(&over, PLAIN);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text, @"
      ✓ ok       files      the files are there
      ! warning  clock      acme-qa: this machine's clock is 2 minutes ahead of the
                            server's, which is more than it should be
                            it said so
                            fix: `sudo timedatectl set-ntp true`
      ✗ failed   clock      acme-prod: this machine's clock is an hour behind
      – skipped  files      acme-qa: needs cluster.reachable
    ");
}

#[test]
fn what_is_the_same_for_several_is_said_once() {
    let of = |name: &str, text: &str| (check(&CLOCK, &[name]), done(Outcome::pass(text)));
    let over = [of("one", "fine"), of("two", "fast"), of("three", "fine")];
    insta::assert_snapshot!(lines(&over, PLAIN), @"
      ✓ ok       clock      one, three: fine
      ✓ ok       clock      two: fast
    ");
}

#[test]
fn of_many_the_first_are_named_and_a_long_name_moves_no_other() {
    let names = ["one", "two", "three", "four", "five"];
    let over = [(check(&CLOCK, &names), done(Outcome::pass("fine"))), (check(&FILES, &[]), done(Outcome::pass("")))];
    let rows = rows(over.iter().map(|(check, done)| (check, done)));
    let lines: String = rows.iter().map(|row| line(row, 70, PLAIN)).collect();
    insta::assert_snapshot!(lines, @"
      ✓ ok       clock                 one, two, three and 2 more: fine
      ✓ ok       files                 the files are there
    ");
}

#[test]
fn a_failure_says_all_there_is_and_what_mends_it() {
    let fix = Fix { what: "set the clock".to_owned(), how: How::Change(Box::new(|| Ok(()))) };
    let outcome = Outcome::fail("this machine's clock is an hour behind").caused_by("it said: no\nnever");
    let over = [(check(&CLOCK, &["acme-qa"]), done(outcome.fix("`sudo timedatectl set-ntp true`").safe_fix(fix)))];
    let rows = rows(over.iter().map(|(check, done)| (check, done)));
    insta::assert_snapshot!(failure(&rows[0], PLAIN), @"
    ✗ cluster.clock (acme-qa)
        this machine's clock is an hour behind
        caused by: it said: no
        never
        why: tokens are refused before their time
        fix: `sudo timedatectl set-ntp true`
        fix: `--fix` does it
    ");
}

#[test]
fn colour_adds_nothing_but_colour_and_nothing_commands_the_terminal() {
    let over = [
        (check(&FILES, &["a\x1b]0;t\x07"]), done(Outcome::warn("b\x1b[2J").fix("c\u{9b}2J"))),
        (check(&CLOCK, &[]), done(Outcome::fail("d\x1b[31m"))),
    ];
    let plain = lines(&over, PLAIN);
    assert!(!plain.contains(['\x1b', '\x07', '\u{9b}']), "{plain:?}");
    let colored = lines(&over, Look { colored: true, ..PLAIN });
    assert!(colored.contains("\x1b[1;33m! warning\x1b[0m"), "{colored:?}");
    let mut without = colored;
    for code in ["\x1b[1;33m", "\x1b[1;31m", "\x1b[0m"] {
        without = without.replace(code, "");
    }
    assert_eq!(without, plain);
}

#[test]
fn the_last_line_answers_for_each_environment() {
    let counts = |fail, warn| Counts { pass: 1, fail, warn, ..Counts::default() };
    for (verdicts, expected) in [
        (vec![(None, counts(0, 0))], "this machine is good to go; no cluster was asked: `kdj doctor ENV`\n"),
        (vec![(None, counts(1, 3))], "not yet: 1 failure\n"),
        (
            vec![(Some("qa".to_owned()), counts(0, 1)), (Some("prod".to_owned()), counts(2, 0))],
            "qa: good to go, 1 warning; prod: not yet: 2 failures\n",
        ),
    ] {
        assert_eq!(closing(&verdicts, false, PLAIN), expected);
    }
}

#[test]
fn the_last_line_says_no_more_than_is_known() {
    let qa = |pass, warn, open| vec![(Some("qa".to_owned()), Counts { pass, warn, skip: open, open, fail: 0 })];
    for (verdicts, part, expected) in [
        (qa(3, 0, 0), true, "qa: nothing wrong in what was looked at\n"),
        (qa(3, 1, 4), false, "qa: nothing wrong as far as was looked, 4 checks skipped, 1 warning\n"),
        (qa(0, 0, 1), true, "qa: not known: 1 check skipped\n"),
    ] {
        assert_eq!(closing(&verdicts, part, PLAIN), expected);
    }
}
