//! A lane: one WebSocket with its SPDY/3.1 connection, which carries one forwarded connection at a time, and beside it those
//! whose users have sent all.
//!
//! Its two directions never wait for each other. A ping goes all the way to the runtime every 5 s, so that nothing on the
//! way takes the lane for idle; nothing heard for 15 s while waiting for the network is a lost lane.

mod leaving;
mod progress;
mod receive;
mod send;

use std::time::Duration;

use bytes::Bytes;
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    io::{self, AsyncRead, AsyncWrite},
    sync::oneshot,
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout, timeout_at},
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use self::{
    leaving::Leaving,
    progress::{Progress, State},
    receive::{Reception, receive},
    send::send,
};
use super::{
    super::session::{ASLEEP, End, GOODBYE_LIMIT, PING_EVERY, SILENCE_LIMIT, payload},
    frame::{self, Decoder, Frame},
    stream::Order,
};

/// Stream ids are 31 bits wide and go up by four with each connection.
const LAST_STREAM: u32 = 0x7fff_fff0;

/// How long the runtime may take to end connections whose users have sent all: a second, with some leeway.
const LEAVE_LIMIT: Duration = Duration::from_secs(3);

/// An open lane.
pub(super) struct Lane<S> {
    sink: SplitSink<WebSocketStream<S>, Message>,
    incoming: Incoming<S>,
    ping: Interval,
    pings: u32,
    next_stream: u32,
}

/// What the server sends.
struct Incoming<S> {
    source: SplitStream<WebSocketStream<S>>,
    decoder: Decoder,
    leaving: Vec<Leaving>,
    /// When something was heard last, or could have been.
    heard: Instant,
}

/// What became of a connection.
enum Outcome {
    /// It has ended.
    Over,
    /// The local side has sent all.
    Sent,
    /// The local side gave it up.
    Dropped,
    /// The lane is lost.
    Lost(String),
}

/// The two streams of a forwarded connection.
#[derive(Clone, Copy)]
struct Streams {
    /// Says what went wrong. Read only.
    error: u32,
    data: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Lane<S> {
    pub(super) fn new(socket: WebSocketStream<S>) -> Self {
        let (sink, source) = socket.split();
        let mut ping = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            sink,
            incoming: Incoming { source, decoder: Decoder::default(), leaving: Vec::new(), heard: Instant::now() },
            ping,
            pings: 0,
            next_stream: 1,
        }
    }

    /// Waits for a connection to carry; `None` when there will be none.
    ///
    /// # Errors
    /// When the lane is lost: why.
    pub(super) async fn rest(&mut self, orders: &mut oneshot::Receiver<Order>) -> Result<Option<Order>, String> {
        let progress = Progress::new();
        loop {
            let answer = tokio::select! {
                biased;
                order = &mut *orders => return Ok(order.ok()),
                frame = self.incoming.next(&progress) => match frame? {
                    Frame::Ping(number) if number % 2 == 0 => frame::ping(number),
                    Frame::GoAway => return Err("the server closed the connection".to_owned()),
                    // Of a stream that is over.
                    _ => continue,
                },
                _ = self.ping.tick() => next_ping(&mut self.pings),
            };
            self.sink.send(Message::Binary(answer)).await.map_err(|error| error.to_string())?;
        }
    }

    /// Carries a connection until it has ended, or only the pod has something to say any more. The result says whether the
    /// lane can carry another one.
    ///
    /// # Errors
    /// When the lane is lost: why.
    pub(super) async fn carry(&mut self, order: Order) -> Result<bool, String> {
        let Order { port, pipe, failure, accepted, mut dropped } = order;
        let streams = Streams { error: self.next_stream, data: self.next_stream + 2 };
        let opening = self.open(streams, port);
        let (mut from_local, mut to_local) = io::split(pipe);
        let progress = Progress::new();
        let mut reception = Reception::new(streams);
        let outcome = tokio::select! {
            biased;
            over = receive(&mut self.incoming, &mut reception, &mut to_local, accepted, &progress) => match over {
                Ok(()) => Outcome::Over,
                Err(why) => Outcome::Lost(why),
            },
            _ = &mut dropped => Outcome::Dropped,
            () = send(
                &mut self.sink, opening, streams, &mut from_local, &progress, &mut self.ping, &mut self.pings,
            ) => Outcome::Sent,
        };
        let is_good = self.next_stream < LAST_STREAM;
        match outcome {
            Outcome::Over => {
                if let Some(why) = reception.failure(&progress) {
                    let _ = failure.set(why);
                }
                let forgotten = progress.state().end_sent.is_some();
                // Now the local side sees the end.
                drop((from_local, to_local));
                if !forgotten {
                    let _ = self.sink.send(Message::Binary(frame::reset(streams.data))).await;
                }
                Ok(is_good)
            }
            Outcome::Sent => {
                self.incoming.leaving.push(Leaving::new(reception, progress, failure, from_local.unsplit(to_local)));
                Ok(is_good)
            }
            // What the pod still sends nobody wants: that ends soonest when the lane does.
            Outcome::Dropped => {
                let _ = self.sink.send(Message::Binary(frame::reset(streams.data))).await;
                Ok(false)
            }
            Outcome::Lost(why) => {
                let _ = failure.set(format!("the connection to the cluster is lost: {why}"));
                Err(why)
            }
        }
    }

    /// The frames that open the two streams of a connection, in one message. `next_stream` is the next one afterwards.
    fn open(&mut self, streams: Streams, port: u16) -> Bytes {
        let first = self.next_stream == 1;
        self.next_stream += 4;
        let (port, request) = (port.to_string(), streams.error.to_string());
        let headers = |kind| [("streamtype", kind), ("port", port.as_str()), ("requestid", request.as_str())];
        let mut message = frame::open(streams.error, &headers("error"), true, first);
        message.extend(frame::open(streams.data, &headers("data"), false, false));
        message.into()
    }

    /// Ends the lane once those who leave have got what was still to come; then says goodbye, best effort: the other side
    /// may be gone.
    pub(super) async fn close(mut self) {
        let progress = Progress::new();
        let leave = async { while !self.incoming.leaving.is_empty() && self.incoming.next(&progress).await.is_ok() {} };
        let _ = timeout(LEAVE_LIMIT, leave).await;
        let _ = timeout(GOODBYE_LIMIT, self.sink.close()).await;
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Incoming<S> {
    /// The next frame, or piece of one. Can be given up at any time and asked again.
    async fn next(&mut self, progress: &Progress) -> Result<Frame, String> {
        loop {
            match self.decoder.next() {
                Ok(Some(frame)) => match self.others(frame) {
                    Some(frame) => return Ok(frame),
                    None => continue,
                },
                Ok(None) => {}
                Err(_) => return Err("the server does not speak SPDY/3.1".to_owned()),
            }
            let deadline = self.heard + SILENCE_LIMIT;
            match timeout_at(deadline, self.source.next()).await {
                Ok(message) => match payload(message) {
                    Ok(bytes) => {
                        self.heard = Instant::now();
                        self.decoder.add(bytes);
                    }
                    Err(End::Closed(why) | End::Broken(why)) => return Err(why),
                },
                // Nor is it silence while the server is not read from in full, or while the laptop slept.
                Err(_) if progress.state().blocked || Instant::now() > deadline + ASLEEP => self.heard = Instant::now(),
                Err(_) => return Err(format!("nothing heard for {} s", SILENCE_LIMIT.as_secs())),
            }
        }
    }
}

impl<S> Incoming<S> {
    /// The frame, unless it is for a connection that is leaving.
    fn others(&mut self, mut frame: Frame) -> Option<Frame> {
        for (place, leaving) in self.leaving.iter_mut().enumerate() {
            match leaving.take(frame) {
                Ok(()) => {
                    if leaving.is_over() {
                        self.leaving.swap_remove(place);
                    }
                    return None;
                }
                Err(another) => frame = another,
            }
        }
        Some(frame)
    }
}

/// A PING; a client's have odd numbers.
fn next_ping(pings: &mut u32) -> Bytes {
    *pings = pings.wrapping_add(1);
    frame::ping((*pings << 1 | 1) & 0x7fff_ffff)
}

#[cfg(test)]
mod tests;
