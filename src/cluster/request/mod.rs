//! Every unary request: a time limit, a bounded retry of what may be repeated, and a word to the observer.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use kube::Error as KubeError;
use tokio::time::{sleep, timeout};

pub(super) mod error;

use super::Place;
use crate::error::Result;

/// How long one attempt may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How often an idempotent request is made at most.
const ATTEMPTS: u32 = 4;
/// The first pause; it doubles. What the server asks for in Retry-After counts when it is longer.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause that is waited for; a server that asks for more gets an error instead.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What is told while a request is under way.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A request was answered, or failed.
    Done {
        /// What it was: `list pods`.
        what: String,
        /// How long it took.
        took: Duration,
        /// Whether it succeeded.
        ok: bool,
    },
    /// The server is overloaded; the request will be made again.
    Retrying {
        /// What it was.
        what: String,
        /// The server's reason.
        why: String,
        /// After which pause.
        pause: Duration,
    },
}

/// Whom requests are reported to. It must not block.
pub type Observer = Box<dyn Fn(Notice)>;

/// Makes an idempotent request, up to [`ATTEMPTS`] times while the server is overloaded (429, 503, 504) or the
/// connection breaks before an answer.
pub(in crate::cluster) async fn repeatable<T, F>(
    what: &str,
    place: &Place,
    observer: &Observer,
    mut attempt: impl FnMut() -> F,
) -> Result<T>
where
    F: Future<Output = Result<T, KubeError>>,
{
    let mut pause = FIRST_PAUSE;
    for number in 1.. {
        let failure = match once(what, place, observer, attempt()).await? {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        let wait = match asked_pause(&failure) {
            Some(asked) if number < ATTEMPTS && asked <= LONGEST_PAUSE => asked.max(pause),
            _ => return Err(error::explain(failure, what, place)),
        };
        observer(Notice::Retrying { what: what.to_owned(), why: reason(&failure), pause: wait });
        sleep(wait).await;
        pause *= 2;
    }
    unreachable!("the loop returns at the last attempt")
}

/// Makes a request once; the outer error is the time limit's.
pub(in crate::cluster) async fn once<T>(
    what: &str,
    place: &Place,
    observer: &Observer,
    request: impl Future<Output = Result<T, KubeError>>,
) -> Result<Result<T, KubeError>> {
    let start = Instant::now();
    let answer = timeout(TIME_LIMIT, request).await;
    let ok = matches!(answer, Ok(Ok(_)));
    observer(Notice::Done { what: what.to_owned(), took: start.elapsed(), ok });
    answer.map_err(|_| error::too_slow(what, place, TIME_LIMIT.as_secs()))
}

/// How long to wait before the request may be repeated; `None` when it may not.
fn asked_pause(failure: &KubeError) -> Option<Duration> {
    match failure {
        KubeError::Api(status) if matches!(status.code, 429 | 503 | 504) => {
            let seconds = status.details.as_ref().map(|details| details.retry_after_seconds);
            Some(Duration::from_secs(seconds.unwrap_or_default().into()))
        }
        // A kept connection that the server closed meanwhile.
        KubeError::Service(error) => error
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .filter(|error| !error.is_connect())
            .map(|_| Duration::ZERO),
        _ => None,
    }
}

fn reason(failure: &KubeError) -> String {
    match failure {
        KubeError::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}
