//! Every unary request: a time limit, a bounded retry of what may be repeated, and a word to the observer.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use kube::{Error as KubeError, core::Status};
use tokio::time::{sleep, timeout};

pub(super) mod error;
mod refusal;
mod upgrade;

pub(super) use self::{
    refusal::{is_status, refusal},
    upgrade::{Io, WebSocket, upgrade},
};

use super::{Glimpse, Place, access::client::Overloaded};
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
    /// Names that a request has told of, which was made anyway.
    Glimpse(Glimpse),
}

/// Whom requests are reported to. It must not block.
pub type Observer = Box<dyn Fn(Notice)>;

/// Makes an idempotent request, up to [`ATTEMPTS`] times while the server is overloaded (429, 503, 504) or the
/// connection breaks before an answer.
pub(in crate::cluster) async fn repeatable<T, F>(
    what: &str,
    place: &Place,
    observer: &Observer,
    attempt: impl FnMut() -> F,
) -> Result<T>
where
    F: Future<Output = Result<T, KubeError>>,
{
    let answer = repeat(what, place, observer, pause_if_idempotent, attempt).await?;
    answer.map_err(|failure| error::explain(failure, what, place))
}

/// Makes a request that must not be made twice, such as an exec: it is repeated only when the server answered that it
/// has not begun (429, 503, 401). The outer error is the time limit's or the credentials'.
pub(in crate::cluster) async fn unrepeatable<T, F>(
    what: &str,
    place: &Place,
    observer: &Observer,
    attempt: impl FnMut() -> F,
) -> Result<Result<T, KubeError>>
where
    F: Future<Output = Result<T, KubeError>>,
{
    repeat(what, place, observer, pause_if_not_begun, attempt).await
}

/// Makes a request until it succeeds, fails for good, or [`ATTEMPTS`] are over; a 401 is tried once more with a new
/// token, if there is one.
async fn repeat<T, F>(
    what: &str,
    place: &Place,
    observer: &Observer,
    pause_before_another: impl Fn(&KubeError) -> Option<Duration>,
    mut attempt: impl FnMut() -> F,
) -> Result<Result<T, KubeError>>
where
    F: Future<Output = Result<T, KubeError>>,
{
    let mut pause = FIRST_PAUSE;
    let mut renewed = false;
    for number in 1.. {
        // Before the time runs: a plugin may take its own.
        let sent = place.credentials.prepare().await?;
        let failure = match once(what, place, observer, attempt()).await? {
            Ok(value) => return Ok(Ok(value)),
            Err(failure) => failure,
        };
        if is_unauthorized(&failure) && !renewed && place.credentials.renew_after(sent.as_ref()).await? {
            renewed = true;
            continue;
        }
        let wait = match pause_before_another(&failure) {
            Some(asked) if number < ATTEMPTS && asked <= LONGEST_PAUSE => asked.max(pause),
            _ => return Ok(Err(failure)),
        };
        observer(Notice::Retrying { what: what.to_owned(), why: reason(&failure), pause: wait });
        sleep(wait).await;
        pause *= 2;
    }
    unreachable!("the loop returns at the last attempt")
}

/// Makes a request once; the outer error is the time limit's.
async fn once<T>(
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

/// How long to wait before an idempotent request is repeated; `None` when that would not help.
fn pause_if_idempotent(failure: &KubeError) -> Option<Duration> {
    match failure {
        KubeError::Api(status) if status.code == 504 => Some(asked_in(status)),
        // A kept connection that the server closed meanwhile.
        KubeError::Service(error) if is_broken_connection(error.as_ref()) => Some(Duration::ZERO),
        _ => pause_if_not_begun(failure),
    }
}

/// How long to wait before a request is repeated that the server has refused to begin.
fn pause_if_not_begun(failure: &KubeError) -> Option<Duration> {
    match failure {
        KubeError::Api(status) if matches!(status.code, 429 | 503) => Some(asked_in(status)),
        KubeError::Service(error) => error.downcast_ref::<Overloaded>().map(|overloaded| overloaded.pause),
        _ => None,
    }
}

/// Whether no connection could be had: the server knows nothing of the request.
pub(in crate::cluster) fn never_sent(failure: &KubeError) -> bool {
    let KubeError::Service(error) = failure else { return false };
    error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(hyper_util::client::legacy::Error::is_connect)
}

/// Whether the connection broke after it was there: the server may know of the request.
pub(in crate::cluster) fn is_broken_connection(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|error| !error.is_connect())
}

fn asked_in(status: &Status) -> Duration {
    let seconds = status.details.as_ref().map(|details| details.retry_after_seconds);
    Duration::from_secs(seconds.unwrap_or_default().into())
}

fn is_unauthorized(failure: &KubeError) -> bool {
    matches!(failure, KubeError::Api(status) if status.code == 401)
}

fn reason(failure: &KubeError) -> String {
    match failure {
        KubeError::Api(status) => status.message.clone(),
        KubeError::Service(error) => error.to_string(),
        other => other.to_string(),
    }
}
