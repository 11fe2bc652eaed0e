//! This machine beside the API server: its clock, its kubectl. Both need what `cluster.reachable` learned.

use std::{rc::Rc, time::Duration};

use jiff::SignedDuration;
use serde::Deserialize;
use tokio::{process::Command, sync::OnceCell};

use crate::{
    cluster::Release,
    doctor::{Context, Outcome},
    error::Result,
    program::run_unattended,
    ui::lasted,
};

/// How long kubectl may take to say its version: it may be a wrapper that looks for it first.
pub(super) const KUBECTL_LIMIT: Duration = Duration::from_secs(5);
/// From then on it is told of.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// From then on credentials are refused.
const TOO_MUCH: SignedDuration = SignedDuration::from_mins(5);

/// A context, and the kubectl of this machine, which is asked once for all of them.
pub(super) struct Beside {
    pub(super) context: Rc<Context>,
    pub(super) kubectl: Rc<OnceCell<Result<Release, String>>>,
}

pub(super) async fn clock(context: Rc<Context>) -> Result<Outcome> {
    let Some((theirs, ours)) = context.server.known()?.clock else {
        return Ok(Outcome::skip("the server does not say what time it is"));
    };
    let skew = ours.duration_since(theirs);
    let way = if skew.is_positive() { "ahead of" } else { "behind" };
    let shown = format!("this machine's clock is {} {way} the server's", lasted(skew.as_secs().abs()));
    let fix = match cfg!(target_os = "macos") {
        true => "`sudo sntp -sS time.apple.com`",
        false => "`sudo timedatectl set-ntp true`",
    };
    Ok(if skew.abs() > TOO_MUCH {
        Outcome::fail(shown).fix(fix)
    } else if skew.abs() > SKEW {
        Outcome::warn(shown).fix(fix)
    } else {
        Outcome::pass("to the minute")
    })
}

pub(super) async fn fits(beside: Rc<Beside>) -> Result<Outcome> {
    let Some(server) = beside.context.server.known()?.release.clone() else {
        return Ok(Outcome::skip("you may not see the server's version"));
    };
    // It only warns: kdj does without kubectl.
    let own = match beside.kubectl.get_or_init(ask_kubectl).await {
        Ok(own) => own,
        Err(problem) => {
            let fix = "install kubectl anew: https://kubernetes.io/docs/tasks/tools/";
            return Ok(Outcome::warn(problem.clone()).fix(fix));
        }
    };
    let shown = format!("kubectl {}, server {}", own.version, server.version);
    Ok(if own.minor.abs_diff(server.minor) <= 1 {
        Outcome::pass(shown)
    } else {
        let fix = format!("install kubectl 1.{}: https://kubernetes.io/docs/tasks/tools/", server.minor);
        Outcome::warn(format!("{shown}: more than one minor version apart")).fix(fix)
    })
}

/// The version of this machine's kubectl, or why it is not known.
async fn ask_kubectl() -> Result<Release, String> {
    let mut command = Command::new("kubectl");
    command.args(["version", "--client", "-o", "json"]);
    let ran = run_unattended(command, KUBECTL_LIMIT).await.map_err(|error| format!("cannot run kubectl: {error}"))?;
    if ran.status.is_none() {
        return Err(format!("`kubectl version --client` did not end within {} s", KUBECTL_LIMIT.as_secs()));
    }
    release_of(&ran.stdout).ok_or_else(|| "`kubectl version --client -o json` does not say its version".to_owned())
}

/// kubectl's version, from what it prints.
fn release_of(json: &[u8]) -> Option<Release> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Printed {
        client_version: Version,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        git_version: String,
    }
    Release::of(&serde_json::from_slice::<Printed>(json).ok()?.client_version.git_version)
}
