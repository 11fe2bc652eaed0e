//! Pod to local.

use std::time::Duration;

use bytes::Bytes;
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

/// What the server has said of a connection so far.
pub(super) struct Reception {
    streams: Streams,
    words: Vec<u8>,
    error_over: bool,
    reset: bool,
    /// When the data ended.
    ended: Option<Instant>,
}

impl Reception {
    pub(super) fn new(streams: Streams) -> Self {
        Self { streams, words: Vec::new(), error_over: false, reset: false, ended: None }
    }

    /// Takes note of a frame of the connection; gives the bytes to be handed over. A frame of another is given back.
    pub(super) fn take(&mut self, frame: Frame) -> Result<Bytes, Frame> {
        let Streams { error, data } = self.streams;
        match frame {
            Frame::Reply { stream, last } if stream == data => self.end_data(last),
            Frame::Data { stream, last, bytes } if stream == data => {
                self.end_data(last);
                return Ok(bytes);
            }
            Frame::Data { stream, last, bytes } if stream == error => {
                let room = MOST_WORDS.saturating_sub(self.words.len());
                self.words.extend_from_slice(&bytes[..bytes.len().min(room)]);
                self.error_over |= last;
            }
            Frame::Reset { stream } if stream == data => {
                self.reset = true;
                self.end_data(true);
            }
            Frame::Reset { stream } if stream == error => self.error_over = true,
            other => return Err(other),
        }
        Ok(Bytes::new())
    }

    /// containerd ends the data before it says what went wrong: it is over when both streams are.
    pub(super) fn is_over(&self) -> bool {
        self.ended.is_some() && self.error_over
    }

    /// Why the connection ended, if not well.
    pub(super) fn failure(&self, progress: &Progress) -> Option<String> {
        let words = String::from_utf8_lossy(&self.words).trim().to_owned();
        if !words.is_empty() {
            return Some(words);
        }
        if self.reset {
            return Some("the connection was reset".to_owned());
        }
        self.was_cut(progress).then(|| {
            "the container runtime ended the connection a second after the end of what was sent: \
             the answer may be incomplete"
                .to_owned()
        })
    }

    /// Whether the runtime, not the pod, may have ended the connection before its answer, or in the middle of it.
    fn was_cut(&self, progress: &Progress) -> bool {
        let sent = progress.state().end_sent;
        self.ended.zip(sent).is_some_and(|(end, sent)| end >= sent + CUT_AFTER)
    }

    fn end_data(&mut self, last: bool) {
        if last {
            self.ended.get_or_insert_with(Instant::now);
        }
    }
}

/// Hands over what the pod sends, until both streams are over. Can be given up while nothing is being handed over.
///
/// # Errors
/// When the lane is lost: why.
pub(super) async fn receive(
    incoming: &mut Incoming<impl AsyncRead + AsyncWrite + Unpin>,
    reception: &mut Reception,
    mut local: impl AsyncWrite + Unpin,
    accepted: oneshot::Sender<()>,
    progress: &Progress,
) -> Result<(), String> {
    let mut accepted = Some(accepted);
    while !reception.is_over() {
        let next = incoming.next(progress);
        let frame = match reception.ended {
            None => next.await?,
            Some(_) => match timeout(WORDS_LIMIT, next).await {
                Ok(frame) => frame?,
                Err(_) => break,
            },
        };
        let is_reply = matches!(frame, Frame::Reply { stream, .. } if stream == reception.streams.data);
        match reception.take(frame) {
            Ok(_) if is_reply => {
                progress.state().accepted = true;
                progress.wake.notify_one();
                if let Some(accepted) = accepted.take() {
                    let _ = accepted.send(());
                }
            }
            Ok(bytes) if !bytes.is_empty() => {
                progress.state().delivering = true;
                // Who does not read any more will drop the stream.
                let _ = local.write_all(&bytes).await;
                progress.delivered(bytes.len());
                // While nothing was read, nothing could be heard.
                incoming.heard = Instant::now();
            }
            Ok(_) => {}
            Err(Frame::Ping(number)) if number % 2 == 0 => {
                progress.state().pong = Some(number);
                progress.wake.notify_one();
            }
            Err(Frame::GoAway) => return Err("the server closed the connection".to_owned()),
            // Without meaning, or of a connection that was given up.
            Err(_) => {}
        }
    }
    Ok(())
}
