//! Pod to local.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    sync::oneshot,
    time::{Instant, timeout},
};

use super::{Frame, Incoming, Progress, Streams};

/// How long after the end of the data the error stream may take to say why.
const WORDS_LIMIT: Duration = Duration::from_secs(2);
/// More of its words nobody reads.
const MOST_WORDS: usize = 4096;
/// So long after it was told the end of what the user sends, the runtime cuts a connection; measured with some leeway.
const CUT_AFTER: Duration = Duration::from_millis(900);

/// How a connection ended.
pub(super) struct Over {
    /// Why, if not well.
    pub(super) failure: Option<String>,
}

/// Hands over what the pod sends, until both streams are over.
pub(super) async fn receive(
    incoming: &mut Incoming<impl AsyncRead + AsyncWrite + Unpin>,
    streams: Streams,
    mut local: impl AsyncWrite + Unpin,
    accepted: oneshot::Sender<()>,
    progress: &Progress,
) -> Result<Over, String> {
    let mut accepted = Some(accepted);
    let mut words = Vec::new();
    let (mut data_over, mut error_over, mut reset) = (false, false, false);
    let mut ended_at = None;
    while !(data_over && error_over) {
        let next = incoming.next(progress);
        let frame = if data_over {
            match timeout(WORDS_LIMIT, next).await {
                Ok(frame) => frame?,
                Err(_) => break,
            }
        } else {
            next.await?
        };
        match frame {
            Frame::Reply { stream, last } if stream == streams.data => {
                progress.state().accepted = true;
                progress.wake.notify_one();
                if let Some(accepted) = accepted.take() {
                    let _ = accepted.send(());
                }
                data_over = last;
            }
            Frame::Data { stream, last, bytes } if stream == streams.data => {
                if !bytes.is_empty() {
                    progress.state().delivering = true;
                    // Who does not read any more will drop the stream.
                    let _ = local.write_all(&bytes).await;
                    let mut state = progress.state();
                    state.delivering = false;
                    state.received = Instant::now();
                }
                data_over = last;
            }
            Frame::Data { stream, last, bytes } if stream == streams.error => {
                let room = MOST_WORDS.saturating_sub(words.len());
                words.extend_from_slice(&bytes[..bytes.len().min(room)]);
                error_over = last;
            }
            Frame::Reset { stream } if stream == streams.data => (data_over, reset) = (true, true),
            Frame::Reset { stream } if stream == streams.error => error_over = true,
            Frame::Ping(number) if number % 2 == 0 => {
                progress.state().pong = Some(number);
                progress.wake.notify_one();
            }
            Frame::GoAway => return Err("the server closed the connection".to_owned()),
            // Of an earlier connection, or without meaning.
            _ => {}
        }
        if data_over {
            ended_at.get_or_insert_with(Instant::now);
        }
    }
    let words = String::from_utf8_lossy(&words).trim().to_owned();
    let failure = if !words.is_empty() {
        Some(words)
    } else if reset {
        Some("the connection was reset".to_owned())
    } else {
        ended_at.filter(|&end| is_cut(progress, end)).map(|_| {
            "the container runtime ended the connection a second after the end of what was sent: the answer may be incomplete"
                .to_owned()
        })
    };
    Ok(Over { failure })
}

/// Whether the runtime, not the pod, may have ended the connection in the middle of an answer.
fn is_cut(progress: &Progress, end: Instant) -> bool {
    let state = progress.state();
    let answered = state.ended.is_some_and(|ended| state.received > ended);
    answered && state.end_sent.is_some_and(|sent| end >= sent + CUT_AFTER)
}
