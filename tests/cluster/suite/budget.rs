//! How many requests a command makes, by the API server's own book.

use super::harness::cluster;

#[test]
fn a_command_in_a_pod_takes_two_requests_and_then_one() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    // The pod cache is one user's: the first two commands are.
    for (user, environment, earlier, expected) in [
        ("a", "qa", 0, &["list pods", "get pods/exec"][..]),
        ("a", "qa", 2, &["get pods/exec"]),
        ("c", "bluegreen", 0, &["list pods", "list services", "get pods/exec"]),
    ] {
        let user = format!("budget-{}-{user}", std::process::id());
        let words = ["shell", environment, "--as", &user, "--as-group", "system:masters", "--", "true"];
        let _ = kdj.run(words).expect_code(0);
        let Some(requests) = cluster.requests_of(&user) else { return };
        assert_eq!(requests[earlier..], *expected, "{environment}");
    }
}

#[test]
fn a_protected_environment_takes_two_more_for_the_record() {
    let Some(cluster) = cluster() else { return };
    let user = format!("budget-{}-protected", std::process::id());
    let as_user = ["--as", &user, "--as-group", "system:masters"];
    let words = [&["shell", "prod", "--confirm", "prod"], &as_user[..], &["--", "true"]].concat();
    let _ = cluster.kdj().run(words).expect_code(0);
    let Some(mut requests) = cluster.requests_of(&user) else { return };
    // The first two go out together.
    requests[..2].sort();
    // What takes longer than a second, as on a busy machine, is told of when it begins, too.
    let count = requests.len();
    requests[2..].sort_by_key(|request| *request == "create events");
    requests.dedup();
    let expected = ["create selfsubjectreviews", "list pods", "get pods/exec", "create events"];
    assert_eq!(requests, expected);
    // What only reads is no change.
    let words = [&["manage", "prod"], &as_user[..], &["--", "check"]].concat();
    let _ = cluster.kdj().run(words).expect_code(0);
    let requests = cluster.requests_of(&user).unwrap_or_default();
    assert_eq!(requests[count..], ["list pods", "get pods/exec"]);
}
