//! The client in the image, at a terminal: one exec that has the terminal, and a companion beside it, which keeps the
//! history in the pod for so long and removes it at the end, whatever ends it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    history,
    problem::{Problem, no_answer},
};
use crate::{
    cluster::{Target, Wanted},
    django::{self, ClientRequest},
    error::{Error, Result},
    exit::Exit,
    session::{Companion, Place, Program, Silent, terminal_type},
    ui::terminal::Stdin,
};

/// Stands before what the companion says.
const MARK: &str = "kdj-client: ";

/// Whose history is kept, as Django calls them: no client can read another's.
const KEPT: [&str; 4] = ["postgresql", "mysql", "sqlite", "redis"];

/// What the companion says.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Said {
    Ready(Ready),
    Error(Problem),
    History(String),
}

/// The client can be started.
#[derive(Deserialize)]
struct Ready {
    python: String,
    socket: String,
    program: String,
    vendor: String,
    version: String,
    about: String,
}

/// Runs the client at the terminal; the inner `None` is for an image without one.
pub(super) async fn in_image(
    place: &Place<'_>,
    mut target: Target,
    request: &ClientRequest<'_>,
) -> Result<Option<Exit>> {
    let environment = place.environment;
    let before: BTreeMap<&str, String> = KEPT.map(|vendor| (vendor, history::read(environment, vendor))).into();
    let (start, stdin) = django::client_companion(&environment.django, request, &before);
    let beside = async |target: &Target, line: String, companion: &mut Companion| {
        let ready = match read(&line)? {
            Said::Ready(ready) => ready,
            Said::Error(problem) if ["no-client", "redis"].contains(&problem.kind.as_str()) => return Ok(None),
            Said::Error(problem) => return Err(problem.explain(request.database, environment)),
            Said::History(_) => return Err(Error::failed("the client's companion ended too early")),
        };
        let vendor = ready.vendor.clone();
        let ended = at_terminal(place, target.clone(), ready).await;
        companion.finish().await;
        let after = companion.line(MARK).await.and_then(|line| match read(&line) {
            Ok(Said::History(text)) => Some(text),
            _ => None,
        });
        if let (Some(before), Some(after)) = (before.get(vendor.as_str()), after)
            && let Err(error) = history::keep(environment, &vendor, before, &after)
        {
            place.ui.warning(&format!("cannot keep the history of what was typed: {error}"));
        }
        ended.map(Some)
    };
    match place.accompany(&mut target, &start.alternatives, &stdin, MARK, beside).await? {
        Ok(ended) => ended,
        Err(Silent { ending, stderr }) => Err(no_answer(&ending, &stderr, &target, environment)),
    }
}

fn read(line: &str) -> Result<Said> {
    serde_json::from_str(line)
        .map_err(|error| Error::failed("cannot read what the client's companion says").caused_by(error))
}

async fn at_terminal(place: &Place<'_>, target: Target, ready: Ready) -> Result<Exit> {
    let Ready { python, socket, program, version, about, .. } = ready;
    let term = terminal_type().unwrap_or_default();
    let session = Program {
        alternatives: vec![django::attend(&python, &socket, &term)],
        tty: true,
        stdin: Stdin::Local,
        kept: false,
        name: program.clone(),
        mode: None,
    };
    // Beside its companion, and nowhere else.
    let wanted =
        Wanted { pod: Some(target.pod.clone()), container: Some(target.container.clone()), ..Wanted::default() };
    let version = if version.is_empty() { program } else { version };
    let place = Place::new(place.cluster, place.environment, wanted, place.ui);
    place.saying(format!("{about}; {version} in the image")).run(target, session).await
}
