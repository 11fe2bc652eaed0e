//! `kdj status --web`: a live page on this machine.

use std::{cell::Cell, collections::BTreeSet, rc::Rc, time::Duration};

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::Opened;
use crate::{
    cluster::Cluster,
    environment::Environment,
    error::{Error, Result},
    exit::Exit,
    status::Status,
    ui::{Ui, terminal},
    web::{self, Named, Page, ReadLog, Update},
};

/// When an environment that could not be seen is looked for again.
const AGAIN: Duration = Duration::from_secs(10);

/// An environment the page shows, and its cluster.
struct Place {
    environment: Environment,
    cluster: Cluster,
    program: String,
}

/// Serves the page until a signal ends it.
pub(super) async fn run(page: Page, opened: Vec<Opened>, ui: &Ui) -> Result<Exit> {
    let named = |opened: &Opened| Named { name: opened.environment.name.clone(), program: opened.program.clone() };
    let all: Vec<Named> = opened.iter().map(named).collect();
    let names: Vec<&str> = all.iter().map(|named| named.name.as_str()).collect();
    let say = format!("open this address to see {}; Ctrl-C ends it", names.join(", "));
    let (mut places, mut failed) = (Vec::new(), Vec::new());
    for Opened { environment, cluster, program } in opened {
        match cluster {
            Ok(cluster) => places.push(Place { environment, cluster, program }),
            Err(error) => failed.push((environment.name, error)),
        }
    }
    if places.is_empty()
        && let Some((_, error)) = failed.pop()
    {
        return Err(error);
    }
    ui.data(&format!("{}\n", page.address()))?;
    ui.status(&say);
    let (updates, receiver) = mpsc::channel(all.len());
    for (environment, error) in failed {
        ui.error(&error);
        // There is room for one of each. A plugin may ask at the terminal: that is done once, when kdj begins.
        let _ = updates.try_send(Update::Failed { environment, error, again: false });
    }
    let places = Rc::new(places);
    tokio::select! {
        never = page.serve(all, logs(&places), receiver) => match never {},
        error = follow(&places, &updates, ui) => Err(error),
        number = terminal::interrupted() => Ok(Exit::Interrupted(number)),
    }
}

/// Reads the logs of the places' containers.
fn logs(places: &Rc<Vec<Place>>) -> ReadLog {
    let places = Rc::clone(places);
    Box::new(move |wanted, out| {
        let places = Rc::clone(&places);
        async move {
            match places.iter().find(|place| place.environment.name == wanted.environment) {
                Some(Place { environment, cluster, .. }) => web::read_log(cluster, environment, wanted, out).await,
                None => Ok(()),
            }
        }
        .boxed_local()
    })
}

/// Follows them all. What one cannot be seen for stops no other, and is tried again; ends when nothing was ever seen.
async fn follow(places: &[Place], updates: &mpsc::Sender<Update>, ui: &Ui) -> Error {
    let is_seen = Cell::new(false);
    let is_seen = &is_seen;
    let attempt = |at: usize, pause| async move {
        sleep(pause).await;
        (at, follow_one(&places[at], updates, is_seen, pause.is_zero()).await)
    };
    let mut attempts: FuturesUnordered<_> = (0..places.len()).map(|at| attempt(at, Duration::ZERO)).collect();
    let mut failed = BTreeSet::new();
    loop {
        let Some((at, error)) = attempts.next().await else { return std::future::pending().await };
        let is_first = failed.insert(at);
        if !is_seen.get() && failed.len() == places.len() {
            return error;
        }
        if is_first {
            ui.error(&error);
        }
        let environment = places[at].environment.name.clone();
        let _ = updates.send(Update::Failed { environment, error, again: true }).await;
        attempts.push(attempt(at, AGAIN));
    }
}

/// Follows one until it fails. What is tried again is told on the page; the terminal hears of it the first time.
async fn follow_one(place: &Place, updates: &mpsc::Sender<Update>, is_seen: &Cell<bool>, is_first: bool) -> Error {
    let Place { environment, cluster, program } = place;
    let quiet = (!is_first).then(|| cluster.beside(environment, Box::new(|_| {})));
    let cluster = quiet.as_ref().unwrap_or(cluster);
    let (sender, mut statuses) = watch::channel(None);
    let hand_on = async {
        while statuses.changed().await.is_ok() {
            let status: Option<Status> = statuses.borrow_and_update().clone();
            if let Some(status) = status {
                is_seen.set(true);
                let _ = updates.send(Update::Status(Box::new(status.typed_with(program)))).await;
            }
        }
    };
    let outcome = tokio::select! {
        outcome = cluster.follow_status(environment, &sender) => outcome,
        () = hand_on => Ok(()),
    };
    outcome.err().unwrap_or_else(|| Error::failed("nothing is watched any more"))
}
