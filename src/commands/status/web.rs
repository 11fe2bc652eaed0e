//! `kdj status --web`: a live page on this machine.

use std::{collections::BTreeSet, rc::Rc, time::Duration};

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
    ui::{Ui, terminal},
    web::{self, Page, ReadLog, Update},
};

/// When an environment that could not be seen is looked for again.
const AGAIN: Duration = Duration::from_secs(10);

/// An environment the page shows, and its cluster.
struct Place {
    environment: Environment,
    cluster: Cluster,
}

/// Serves the page until a signal ends it.
pub(super) async fn run(page: Page, opened: Vec<Opened>, ui: &Ui) -> Result<Exit> {
    let names: Vec<String> = opened.iter().map(|opened| opened.environment.name.clone()).collect();
    let (mut places, mut failed) = (Vec::new(), Vec::new());
    for Opened { environment, cluster } in opened {
        match cluster {
            Ok(cluster) => places.push(Place { environment, cluster }),
            Err(error) => failed.push((environment.name, error)),
        }
    }
    if places.is_empty()
        && let Some((_, error)) = failed.pop()
    {
        return Err(error);
    }
    ui.data(&format!("{}\n", page.address()))?;
    ui.status(&format!("open this address to see {}; Ctrl-C ends it", names.join(", ")));
    let (updates, receiver) = mpsc::channel(names.len());
    for (name, error) in failed {
        ui.error(&error);
        // There is room for one of each.
        let _ = updates.try_send(Update::Failed(name, error));
    }
    let places = Rc::new(places);
    tokio::select! {
        never = page.serve(names, logs(&places), receiver) => match never {},
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
                Some(Place { environment, cluster }) => web::read_log(cluster, environment, wanted, out).await,
                None => Ok(()),
            }
        }
        .boxed_local()
    })
}

/// Follows them all. What one cannot be seen for stops no other, and is tried again; ends when nothing was ever seen.
async fn follow(places: &[Place], updates: &mpsc::Sender<Update>, ui: &Ui) -> Error {
    let attempt = |at: usize, pause| async move {
        sleep(pause).await;
        (at, follow_one(&places[at], updates).await)
    };
    let mut attempts: FuturesUnordered<_> = (0..places.len()).map(|at| attempt(at, Duration::ZERO)).collect();
    let mut unseen = BTreeSet::new();
    loop {
        let Some((at, (was_seen, error))) = attempts.next().await else { return std::future::pending().await };
        let is_first = !was_seen && unseen.insert(at);
        if unseen.len() == places.len() {
            return error;
        }
        if is_first {
            ui.error(&error);
        }
        let _ = updates.send(Update::Failed(places[at].environment.name.clone(), error)).await;
        attempts.push(attempt(at, AGAIN));
    }
}

/// Follows one until it fails; whether anything was seen before.
async fn follow_one(Place { environment, cluster }: &Place, updates: &mpsc::Sender<Update>) -> (bool, Error) {
    let (sender, mut statuses) = watch::channel(None);
    let mut was_seen = false;
    let hand_on = async {
        while statuses.changed().await.is_ok() {
            let status = statuses.borrow_and_update().clone();
            if let Some(status) = status {
                was_seen = true;
                let _ = updates.send(Update::Status(Box::new(status))).await;
            }
        }
    };
    let outcome = tokio::select! {
        outcome = cluster.follow_status(environment, &sender) => outcome,
        () = hand_on => Ok(()),
    };
    let error = outcome.err().unwrap_or_else(|| Error::failed("nothing is watched any more"));
    (was_seen, error)
}
