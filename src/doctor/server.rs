//! This machine beside the API server: its clock, its kubectl. Both need what `cluster.reachable` learned.

use std::{rc::Rc, time::Duration};

use jiff::SignedDuration;
use serde::Deserialize;
use tokio::process::Command;

use super::{About, Category, Check, Context, Outcome, Subject, World};
use crate::{cluster::Release, error::Result, program, ui::duration};

const CLOCK: About = About::new(
    "cluster.clock",
    "this machine's clock agrees with the server's",
    "tokens and certificates are refused before their time, and `--since` shows other lines than you mean",
)
.needs(&["cluster.reachable"]);
const KUBECTL: About = About::new(
    "cluster.kubectl",
    "kubectl is within one minor version of the server",
    "what `--explain` prints may not work with it; kdj itself does without it",
)
.needs(&["cluster.reachable", "machine.kubectl"]);

/// How long kubectl may take to say its version: it may be a wrapper that looks for it first.
const KUBECTL_LIMIT: Duration = Duration::from_secs(5);
/// From then on it is told of.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// From then on credentials are refused.
const TOO_MUCH: SignedDuration = SignedDuration::from_mins(5);

/// A part of the category `cluster`.
pub const CATEGORY: Category = Category { name: "cluster", about: &[&CLOCK, &KUBECTL], checks };

fn checks(world: &Rc<World>) -> Vec<Check> {
    // Without an environment no cluster is asked.
    let contexts = world.contexts.iter().filter(|_| !world.asked.is_empty());
    let of_context = |context: &Rc<Context>| {
        let subject = || Subject::Contexts(vec![context.name.clone()]);
        [
            Check::new(&CLOCK, subject(), context, clock),
            Check::new(&KUBECTL, subject(), context, kubectl).within(KUBECTL_LIMIT * 2),
        ]
    };
    contexts.flat_map(of_context).collect()
}

async fn clock(context: Rc<Context>) -> Result<Outcome> {
    let Some((theirs, ours)) = context.server.known()?.clock else {
        return Ok(Outcome::skip("the server does not say what time it is"));
    };
    let skew = ours.duration_since(theirs);
    let way = if skew.is_positive() { "ahead of" } else { "behind" };
    let shown = format!("this machine's clock is {} {way} the server's", duration(skew.unsigned_abs()));
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

async fn kubectl(context: Rc<Context>) -> Result<Outcome> {
    let Some(server) = context.server.known()?.release.clone() else {
        return Ok(Outcome::skip("you may not see the server's version"));
    };
    let Some(path) = program::find("kubectl") else { return Ok(Outcome::skip("it is not on this machine")) };
    let mut command = Command::new(&path);
    command.args(["version", "--client", "-o", "json"]);
    // It only warns: kdj does without kubectl.
    let ran = match program::run_unattended(command, KUBECTL_LIMIT).await {
        Ok(ran) => ran,
        Err(error) => return Ok(Outcome::warn("kubectl cannot be started").caused_by(error.to_string())),
    };
    if ran.status.is_none() {
        let seconds = KUBECTL_LIMIT.as_secs();
        return Ok(Outcome::warn(format!("`kubectl version --client` did not end within {seconds} s")));
    }
    let Some(own) = release_of(&ran.stdout) else {
        return Ok(
            Outcome::warn("`kubectl version --client -o json` does not say its version").fix("install kubectl anew")
        );
    };
    let shown = format!("kubectl {}, server {}", own.version, server.version);
    Ok(if own.minor.abs_diff(server.minor) <= 1 {
        Outcome::pass(shown)
    } else {
        let fix = format!("install kubectl 1.{}: https://kubernetes.io/docs/tasks/tools/", server.minor);
        Outcome::warn(format!("{shown}: more than one minor version apart")).fix(fix)
    })
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
