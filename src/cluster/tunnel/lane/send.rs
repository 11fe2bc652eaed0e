//! Local to pod, and a ping now and then.

use std::{convert::Infallible, future::pending, time::Duration};

use bytes::{BufMut, Bytes, BytesMut};
use futures::{SinkExt, stream::SplitSink};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    time::{Instant, Interval, sleep_until},
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use super::{Progress, State, Streams, frame, next_ping};

/// So much goes in one message at most.
const CHUNK: usize = 64 * 1024;
/// The end of what the user sends is passed on once the pod has been quiet for so long: soon after, the runtime ends the
/// connection, whatever the pod still has to say.
const QUIET: Duration = Duration::from_millis(250);

/// Sends for as long as it is polled. A lane that cannot be written is for the receiving side to report.
pub(super) async fn send(
    sink: &mut SplitSink<WebSocketStream<impl AsyncRead + AsyncWrite + Unpin>, Message>,
    opening: Bytes,
    streams: Streams,
    mut local: impl AsyncRead + Unpin,
    progress: &Progress,
    ping: &mut Interval,
    pings: &mut u32,
) -> Infallible {
    let mut buffer = BytesMut::new();
    let mut message = opening;
    loop {
        progress.state().blocked = true;
        if sink.send(Message::Binary(message)).await.is_err() {
            return pending().await;
        }
        progress.state().blocked = false;
        message = loop {
            if buffer.is_empty() {
                buffer.reserve(frame::HEAD + CHUNK);
                buffer.put_bytes(0, frame::HEAD);
            }
            let (reads, due) = {
                let mut state = progress.state();
                if let Some(number) = state.pong.take() {
                    break frame::ping(number);
                }
                (state.accepted && state.ended.is_none(), end_due(&state))
            };
            let mut room = (&mut buffer).limit(CHUNK);
            tokio::select! {
                biased;
                _ = ping.tick() => break next_ping(pings),
                _ = progress.wake.notified() => {}
                read = local.read_buf(&mut room), if reads => {
                    if let Ok(length @ 1..) = read {
                        buffer[..frame::HEAD].copy_from_slice(&frame::data(streams.data, length, false));
                        break buffer.split().freeze();
                    }
                    progress.state().ended = Some(Instant::now());
                }
                _ = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
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

/// When the local side's end is to be passed on, as far as can be said now.
fn end_due(state: &State) -> Option<Instant> {
    let ended = state.ended.filter(|_| state.end_sent.is_none())?;
    let quiet_since = if state.delivering { Instant::now() } else { ended.max(state.received) };
    Some(quiet_since + QUIET)
}
