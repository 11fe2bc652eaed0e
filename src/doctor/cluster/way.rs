//! What stands between this machine and the API server: certificates, proxies, and their patience.

use std::{
    net::IpAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use super::Home;
use crate::{
    cluster::ServerCertificate,
    doctor::{Context, Outcome, Status},
    error::Result,
    ui::{duration, left},
};

/// How long a connection has to live in silence.
const SILENCE: Duration = Duration::from_secs(90);
/// How long that check may take.
pub(super) const IDLE_LIMIT: Duration = Duration::from_secs(110);
/// kdj sends a sign of life so often, and gives up after three times as long.
const PING: Duration = Duration::from_secs(5);
/// How long an exec of another check is waited for, when this one has failed.
const ENTERED: Duration = Duration::from_secs(3);
/// A certificate that lasts longer is none of anybody's business yet.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

pub(super) fn judge_certificate(shown: &ServerCertificate, context: &Context, now: Timestamp) -> Outcome {
    let until = match shown {
        ServerCertificate::Plain if is_this_machine(context.host()) => {
            return Outcome::pass("there is none, and the connection does not leave this machine");
        }
        ServerCertificate::Plain if context.protected => {
            return Outcome::fail("there is none: the connection is not encrypted")
                .fix("give the cluster's `server` in the kubeconfig an https address");
        }
        ServerCertificate::Plain => return Outcome::warn("there is none: the connection is not encrypted"),
        ServerCertificate::Unreachable => return Outcome::skip("no connection leads to it: see `cluster.reachable`"),
        ServerCertificate::BehindProxy => {
            return Outcome::skip("a proxy stands before the API server, and only it is seen");
        }
        ServerCertificate::Unchecked => return Outcome::skip("nobody looks at it: see `kubeconfig.verify`"),
        ServerCertificate::Checked { until: None } => return Outcome::pass("it is checked"),
        ServerCertificate::Checked { until: Some(until) } => *until,
    };
    let left = left(now, until);
    if until.duration_since(now) > SOON {
        return Outcome::pass(format!("it is checked, and good for another {left}"));
    }
    Outcome::warn(format!("it expires in {left}: then nobody reaches the cluster"))
        .fix("tell whoever runs the cluster: its certificate has to be renewed")
}

/// Whether a server's host is this machine itself, as that of `kubectl proxy`.
fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

pub(super) async fn websocket(home: Rc<Home>) -> Result<Outcome> {
    match home.cluster()?.websocket(&home.environment.namespace).await {
        Ok(()) => {
            Ok(Outcome::pass("the way lets upgrades through; tried with a watch of the pods, which changes nothing"))
        }
        Err(error) if error.is_forbidden() => {
            Ok(Outcome::open("it is tried with a watch of the pods, and you may not watch pods"))
        }
        // A proxy that knows Kubernetes may treat an exec otherwise: where one gets through, it says more of sessions.
        Err(error) if entered(&home).await => Ok(Outcome::of_error(&error)
            .at_worst(Status::Warn)
            .caused_by("a watch of the pods was tried; an exec, which a session is, got through")),
        Err(error) => Ok(Outcome::of_error(&error).fix(format!(
            "a watch of the pods was tried; see whether an exec, which a session is, gets through: `kdj shell {} -- true`",
            home.word()
        ))),
    }
}

/// Whether an exec of another check gets through in a moment.
async fn entered(home: &Home) -> bool {
    let deadline = Instant::now() + ENTERED;
    while home.found.entered.get().is_none() && Instant::now() < deadline {
        sleep(Duration::from_millis(100)).await;
    }
    home.found.entered.get().is_some()
}

pub(super) async fn idle(home: Rc<Home>) -> Result<Outcome> {
    if !home.world.slow {
        return Ok(Outcome::skip("it takes 90 s: `kdj doctor --slow`"));
    }
    Ok(judge_idle(home.cluster()?.idle_cut(&home.environment.namespace, SILENCE).await?))
}

fn judge_idle(cut: Option<Duration>) -> Outcome {
    let Some(after) = cut else { return Outcome::pass(format!("{} s and more", SILENCE.as_secs())) };
    let text = format!("something on the way cuts connections after {} of silence", duration(after));
    if after > PING * 2 {
        return Outcome::pass(format!("{text}; kdj sends a sign of life every {} s", PING.as_secs()));
    }
    Outcome::fail(format!("{text}: sessions will be cut"))
        .fix("raise the idle time-out of the load balancer or the proxy before the API server to a minute or more")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::ContextFacts;

    fn judged(shown: &ServerCertificate, protected: bool) -> Outcome {
        let context = Context { name: "acme".to_owned(), protected, ..Context::default() };
        judge_certificate(shown, &context, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_certificate_is_checked_and_lasts() {
        let until = |days: i64| {
            let until = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * days);
            ServerCertificate::Checked { until: Some(until) }
        };
        for (shown, protected, expected) in [
            (until(15), true, Status::Pass),
            (until(13), true, Status::Warn),
            (ServerCertificate::Checked { until: None }, true, Status::Pass),
            (ServerCertificate::Unchecked, true, Status::Skip),
            (ServerCertificate::Plain, false, Status::Warn),
            (ServerCertificate::Plain, true, Status::Fail),
            (ServerCertificate::BehindProxy, true, Status::Skip),
            (ServerCertificate::Unreachable, true, Status::Skip),
        ] {
            assert_eq!(judged(&shown, protected).status, expected, "{shown:?}");
        }
    }

    #[test]
    fn what_does_not_leave_this_machine_needs_no_certificate() {
        for (server, expected) in [
            ("http://127.0.0.1:8001", Status::Pass),
            ("http://localhost:8001", Status::Pass),
            ("http://[::1]:8001", Status::Pass),
            ("http://10.0.0.1:8001", Status::Fail),
            ("http://localhost.example.com", Status::Fail),
        ] {
            let facts = ContextFacts { server: server.to_owned(), ..ContextFacts::default() };
            let context = Context { protected: true, facts: facts.into(), ..Context::default() };
            let judged = judge_certificate(&ServerCertificate::Plain, &context, Timestamp::UNIX_EPOCH);
            assert_eq!(judged.status, expected, "{server}");
        }
    }

    #[test]
    fn a_cut_matters_when_it_comes_before_two_signs_of_life() {
        assert_eq!(judge_idle(None).status, Status::Pass);
        assert_eq!(judge_idle(Some(Duration::from_secs(60))).status, Status::Pass);
        assert_eq!(judge_idle(Some(Duration::from_secs(9))).status, Status::Fail);
    }
}
