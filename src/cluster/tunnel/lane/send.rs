//! Local to pod, and a ping now and then.

use std::{future::pending, time::Duration};

use bytes::{BufMut, Bytes, BytesMut};
use futures::{SinkExt, stream::SplitSink};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    time::{Instant, Interval, sleep_until},
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use super::{Progress, State, Streams, frame, next_ping};

/// So much goes in one message, at first and at most: what many idle connections need, and what a large write does.
const SMALL: usize = 4 * 1024;
const LARGE: usize = 64 * 1024;
/// How long an answer to what was sent last is waited for.
const NO_ANSWER: Duration = Duration::from_secs(5);
/// An answer of at most so many bytes may well be whole ...
const SHORT: usize = 64 * 1024;
/// ... once nothing more has come for so long.
const SHORT_PAUSE: Duration = Duration::from_millis(50);
/// A longer one is taken for whole after a longer pause.
const LONG_PAUSE: Duration = Duration::from_millis(250);

/// Sends until the local side's end was passed on. A lane that cannot be written is for the receiving side to report.
pub(super) async fn send(
    sink: &mut SplitSink<WebSocketStream<impl AsyncRead + AsyncWrite + Unpin>, Message>,
    opening: Bytes,
    streams: Streams,
    mut local: impl AsyncRead + Unpin,
    progress: &Progress,
    ping: &mut Interval,
    pings: &mut u32,
) {
    let mut buffer = BytesMut::new();
    let mut chunk = SMALL;
    let mut message = opening;
    loop {
        progress.state().blocked = true;
        if sink.send(Message::Binary(message)).await.is_err() {
            return pending().await;
        }
        progress.state().blocked = false;
        message = loop {
            if buffer.is_empty() {
                buffer.reserve(frame::HEAD + chunk);
                buffer.put_bytes(0, frame::HEAD);
            }
            let (reads, due) = {
                let mut state = progress.state();
                if let Some(number) = state.pong.take() {
                    break frame::ping(number);
                }
                if state.end_sent.is_some() && !state.delivering {
                    return;
                }
                (state.accepted && state.ended.is_none(), end_due(&state))
            };
            let mut room = (&mut buffer).limit(chunk);
            tokio::select! {
                biased;
                _ = ping.tick() => break next_ping(pings),
                () = progress.wake.notified() => {}
                read = local.read_buf(&mut room), if reads => {
                    let mut state = progress.state();
                    let Ok(length @ 1..) = read else {
                        state.ended = Some(Instant::now());
                        continue;
                    };
                    state.answered = 0;
                    buffer[..frame::HEAD].copy_from_slice(&frame::data(streams.data, length, false));
                    if length == chunk && chunk < LARGE {
                        chunk *= 4;
                    }
                    break buffer.split().freeze();
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    let mut state = progress.state();
                    if end_due(&state).is_some_and(|due| due <= Instant::now()) {
                        state.end_sent = Some(Instant::now());
                        break Bytes::copy_from_slice(&frame::data(streams.data, 0, true));
                    }
                }
            }
        };
    }
}

/// When the local side's end is to be passed on, as far as can be said now. Soon after, the runtime ends the connection,
/// whatever the pod still has to say: so it must have answered what was sent last. An end that comes after a short answer,
/// as that of a client that is done, is passed on at once.
fn end_due(state: &State) -> Option<Instant> {
    let ended = state.ended.filter(|_| state.end_sent.is_none())?;
    let last = ended.max(state.received);
    Some(match state.answered {
        _ if state.delivering => Instant::now() + LONG_PAUSE,
        0 => last + NO_ANSWER,
        1..=SHORT if state.received <= ended => ended,
        1..=SHORT => last + SHORT_PAUSE,
        _ => last + LONG_PAUSE,
    })
}
