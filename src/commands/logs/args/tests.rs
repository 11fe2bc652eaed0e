use clap::{Args, FromArgMatches};

use super::*;

fn args(words: &[&str]) -> LogsArgs {
    let command = LogsArgs::augment_args(clap::Command::new("logs").no_binary_name(true));
    LogsArgs::from_arg_matches(&command.try_get_matches_from(words).unwrap()).unwrap()
}

fn places(words: &[&str]) -> Vec<(String, Vec<String>)> {
    args(words).places().unwrap().into_iter().map(|place| (place.environment, place.roles)).collect()
}

fn place(environment: &str, roles: &[&str]) -> (String, Vec<String>) {
    (environment.to_owned(), roles.iter().map(|role| (*role).to_owned()).collect())
}

#[test]
fn environments_and_roles_are_told_apart() {
    assert_eq!(places(&["qa"]), [place("qa", &[])]);
    assert_eq!(places(&["qa", "web", "celeryd"]), [place("qa", &["web", "celeryd"])]);
    assert_eq!(places(&["qa:web", "prod:web"]), [place("qa", &["web"]), place("prod", &["web"])]);
    assert_eq!(places(&["qa:web", "qa:celeryd"]), [place("qa", &["web", "celeryd"])]);
    let mixed = ["qa:web", "prod:web", "qa:celeryd", "beat"];
    assert_eq!(places(&mixed), [place("qa", &["web", "celeryd", "beat"]), place("prod", &["web"])]);
    let literal = "arn:aws:eks:eu-west-1:1:cluster/shop/qa";
    assert_eq!(places(&[literal]), [place(literal, &[])]);
    assert_eq!(places(&[&format!("{literal}:web")]), [place(literal, &["web"])]);
}

#[test]
fn what_is_followed_and_how_much_comes_first() {
    for (words, follow, tail) in [
        (&["qa"][..], true, Some(TAIL)),
        (&["qa", "-f", "--tail", "7"], true, Some(7)),
        (&["qa", "--tail", "-1"], true, None),
        (&["qa", "--no-follow"], false, None),
        (&["qa", "--no-follow", "-f"], true, Some(TAIL)),
        (&["qa", "--since", "1h"], true, None),
        (&["qa", "--until", "1h"], false, None),
        (&["qa", "-p"], false, None),
    ] {
        let args = args(words);
        let wanted = args.wanted(&args.places().unwrap()[0]);
        assert_eq!((wanted.follow, wanted.tail), (follow, tail), "{words:?}");
    }
}
