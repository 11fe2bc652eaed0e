use super::*;
use crate::ui::{Verbosity, style::ColorChoice};

pub(crate) fn environment(name: &str, protected: bool) -> Environment {
    Environment {
        name: name.into(),
        context: "acme-prod".into(),
        namespace: "shop".into(),
        instance: None,
        protected,
        confirmed_by: name.into(),
        session: Default::default(),
        django: Default::default(),
        database: crate::environment::DatabaseSettings::default(),
        roles: Default::default(),
        resolved_by: String::new(),
    }
}

#[test]
fn the_truth_table() {
    use Decision::{Ask, OtherName, Permitted, Refused};
    let right = Some("prod".to_owned());
    let wrong = Some("qa".to_owned());
    let beginning = Some("pro".to_owned());
    let other_case = Some("PROD".to_owned());
    let empty = Some(String::new());
    // protected, --confirm, somebody to ask, what follows
    let table = [
        (false, &None, false, Permitted),
        (false, &None, true, Permitted),
        (false, &right, false, Permitted),
        (false, &wrong, true, Permitted),
        (true, &None, false, Refused),
        (true, &None, true, Ask),
        (true, &right, false, Permitted),
        (true, &right, true, Permitted),
        (true, &wrong, false, OtherName(wrong.as_ref().unwrap())),
        (true, &wrong, true, OtherName(wrong.as_ref().unwrap())),
        (true, &beginning, true, OtherName(beginning.as_ref().unwrap())),
        (true, &other_case, true, OtherName(other_case.as_ref().unwrap())),
        (true, &empty, true, OtherName(empty.as_ref().unwrap())),
    ];
    for (protected, confirm, can_ask, decision) in table {
        for yes in [false, true] {
            let consent = Consent { confirm: confirm.clone(), reason: None, yes };
            let case = format!("protected {protected}, {consent:?}, can ask {can_ask}");
            assert_eq!(decide(&environment("prod", protected), &consent, can_ask), decision, "{case}");
        }
    }
}

#[test]
fn the_flag_is_named_as_it_can_be_typed() {
    let change = Change::command("run", ["true"]);
    let error = refused(&environment("acme-prod/shop", true), &change);
    assert_eq!(error.message(), "refusing to run in protected environment `acme-prod/shop` without confirmation");
    assert_eq!(error.hints(), ["pass `--confirm acme-prod/shop` to confirm in scripts"]);
    let error = refused(&environment("prod", true), &Change::new("migrate", "", []));
    assert_eq!(error.message(), "refusing to migrate protected environment `prod` without confirmation");
}

#[test]
fn a_name_that_was_led_into_a_protected_place_confirms_nothing() {
    let mut led = environment("qa", true);
    led.confirmed_by = "acme-prod/shop".into();
    let confirm = |name: &str| Consent { confirm: Some(name.into()), ..Consent::default() };
    assert_eq!(decide(&led, &confirm("qa"), true), Decision::OtherName(&"qa".to_owned()));
    assert_eq!(decide(&led, &confirm("acme-prod/shop"), true), Decision::Permitted);
    assert_eq!(
        refused(&led, &Change::new("run", "", [])).hints(),
        ["pass `--confirm acme-prod/shop` to confirm in scripts"]
    );
}

#[tokio::test]
async fn a_permit_says_why_and_who_and_no_secret() {
    let ui = Ui::new(ColorChoice::Never, Verbosity::Quiet);
    let change = Change::command("run", ["env", "TOKEN=hunter2", "a b"]);
    assert_eq!(change.what, "run `env TOKEN=<redacted> 'a b'`");
    let reason = Some(" ticket 7, password=hunter2 ".to_owned());
    let consent = Consent { confirm: Some("prod".to_owned()), reason, yes: false };
    let first = permit(&environment("prod", true), &change, &consent, &ui).await.unwrap();
    assert_eq!(first.reason.as_deref(), Some("ticket 7, password=<redacted>"));
    assert!(!first.user.is_empty() && !first.host.is_empty());
    assert!(!format!("{first:?}").contains("hunter2"));
    let second = permit(&environment("qa", false), &change, &Consent::default(), &ui).await.unwrap();
    assert!(first.id != second.id && first.id.len() == 16);
    assert_eq!(second.reason, None);
}
