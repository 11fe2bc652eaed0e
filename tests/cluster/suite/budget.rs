//! How many requests a command makes, by the API server's own book.

use super::harness::cluster;

#[test]
fn a_command_in_a_pod_takes_two_requests_and_then_one() {
    let Some(cluster) = cluster() else { return };
    let kdj = cluster.kdj();
    for (number, (environment, expected)) in [
        ("qa", &["list pods", "get pods/exec"][..]),
        ("qa", &["get pods/exec"]),
        ("prod", &["list pods", "get pods/exec"]),
        ("bluegreen", &["list pods", "list services", "get pods/exec"]),
    ]
    .into_iter()
    .enumerate()
    {
        let user = format!("budget-{}-{number}", std::process::id());
        let words = ["shell", environment, "--as", &user, "--as-group", "system:masters", "--", "true"];
        let _ = kdj.run(words).expect_code(0);
        let Some(requests) = cluster.requests_of(&user) else { return };
        assert_eq!(requests, expected, "{environment}");
    }
}
