//! This machine beside the API server: its clock, its kubectl. Both need what `cluster.reachable` learned.

use std::{process::Stdio, rc::Rc};

use jiff::SignedDuration;
use serde::Deserialize;
use tokio::{process::Command, sync::OnceCell};

use super::{About, Category, Check, Context, Outcome, Subject, World};
use crate::{
    error::{Error, Result},
    ui::lasted,
};

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

/// From then on it is told of.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// From then on credentials are refused.
const TOO_MUCH: SignedDuration = SignedDuration::from_mins(5);

/// A part of the category `cluster`.
pub const CATEGORY: Category = Category { name: "cluster", about: &[&CLOCK, &KUBECTL], checks };

/// A context, and the kubectl of this machine, which is asked once for all of them.
struct Place {
    context: Rc<Context>,
    kubectl: Rc<OnceCell<Option<(String, u32)>>>,
}

fn checks(world: &Rc<World>) -> Vec<Check> {
    let kubectl = Rc::default();
    // Without an environment no cluster is asked.
    let contexts = world.contexts.iter().filter(|_| !world.asked.is_empty());
    let of_context = |context: &Rc<Context>| {
        let subject = || Subject::Contexts(vec![context.name.clone()]);
        let place = Rc::new(Place { context: Rc::clone(context), kubectl: Rc::clone(&kubectl) });
        [Check::new(&CLOCK, subject(), context, clock), Check::new(&KUBECTL, subject(), &place, fits)]
    };
    contexts.flat_map(of_context).collect()
}

async fn clock(context: Rc<Context>) -> Result<Outcome> {
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

async fn fits(place: Rc<Place>) -> Result<Outcome> {
    let server = place.context.server.known()?;
    let Some((version, minor)) = place.kubectl.get_or_try_init(ask_kubectl).await? else {
        let problem = "`kubectl version --client -o json` does not say its version";
        return Ok(Outcome::warn(problem).fix("install kubectl anew: https://kubernetes.io/docs/tasks/tools/"));
    };
    let shown = format!("kubectl {version}, server {}", server.version);
    Ok(if minor.abs_diff(server.minor) <= 1 {
        Outcome::pass(shown)
    } else {
        let fix = format!("install kubectl 1.{}: https://kubernetes.io/docs/tasks/tools/", server.minor);
        Outcome::warn(format!("{shown}: more than one minor version apart")).fix(fix)
    })
}

/// The version of this machine's kubectl; nothing when it does not say it.
async fn ask_kubectl() -> Result<Option<(String, u32)>> {
    let mut command = Command::new("kubectl");
    command.args(["version", "--client", "-o", "json"]).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await;
    Ok(version_of(&output.map_err(|error| Error::failed("cannot run kubectl").caused_by(error))?.stdout))
}

/// kubectl's version and minor version, from what it prints.
fn version_of(json: &[u8]) -> Option<(String, u32)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Printed {
        client_version: Version,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        git_version: String,
        minor: String,
    }
    let version = serde_json::from_slice::<Printed>(json).ok()?.client_version;
    let minor = version.minor.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok()?;
    Some((version.git_version, minor))
}
