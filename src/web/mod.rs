//! `kdj status --web`: what `kdj status` shows, as a live page on this machine's loopback address.
//!
//! The page only looks: there are three addresses, all of them read, and none takes anything but GET. What it shows comes
//! from the [`Update`]s it is handed; the log of a container from a [`ReadLog`]. Its files are in `page/`.
//!
//! * `token`, `guard`: who may ask, and for what.
//! * `reply`: what every answer says besides its text.
//! * `board`, `history`: what is known of each environment, and how it came to be.
//! * `events`, `log`: the two streams the page reads.

mod board;
mod events;
mod guard;
mod history;
mod log;
mod reply;
mod token;

use std::{cell::Cell, convert::Infallible, future::Future, pin::Pin, rc::Rc, time::Duration};

use futures::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, sync::mpsc};

use self::{
    board::Board,
    guard::{Guard, Route},
    reply::Reply,
    token::Token,
};
pub use self::{
    board::{Named, Update},
    log::{LogBatch, LogWanted, read_log},
};
use crate::{
    error::Result,
    forward::{self, LOOPBACK, Listeners, Local},
};

/// How many connections and streams are served at once, and how many of them are streams, each of which has a connection:
/// a page has two at most.
const MOST: usize = 100;
const MOST_STREAMS: usize = 40;
/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of a request is read at most: addresses and headers; a request has no body.
const LONGEST_REQUEST: usize = 16 * 1024;
/// How long to wait when the system has no descriptor for another connection.
const NO_ROOM: Duration = Duration::from_millis(200);

/// Reads the log of a container into the channel until nobody takes it any more.
pub type ReadLog = Box<dyn Fn(LogWanted, mpsc::Sender<LogBatch>) -> LocalBoxFuture<'static, Result<()>>>;

/// What goes on beside the answers: connections and streams.
type Task = Pin<Box<dyn Future<Output = ()>>>;

/// A page that can be opened.
pub struct Page {
    listeners: Listeners,
    guard: Guard,
    key: Token,
}

/// What answers requests.
struct Site {
    guard: Guard,
    /// What tells an open page that it is still this kdj.
    key: Token,
    board: Board,
    read_log: ReadLog,
    tasks: mpsc::UnboundedSender<Task>,
    /// The streams that are open.
    streams: Cell<usize>,
}

impl Page {
    /// Listens on the loopback addresses, on `port` or any that is free. The token is a new one each time, so a fixed port
    /// would make no address that lasts: any free one is as good, and nobody can lie in wait there.
    ///
    /// # Errors
    /// When the port is in use, or the system has no randomness.
    pub fn open(port: Option<u16>) -> Result<Self> {
        let listeners = match port {
            None => forward::listen(&LOOPBACK, Local::Any, 0)?,
            Some(port) => forward::listen(&LOOPBACK, Local::Given(port), 0)
                .map_err(|error| error.hint("without `--port` any free one is taken"))?,
        };
        let guard = Guard { token: Token::new()?, port: listeners.port };
        Ok(Self { listeners, guard, key: Token::new()? })
    }

    /// The address to open: whoever knows it may look.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.guard.port, self.guard.token.text())
    }

    /// Serves the page of these environments; shows what `updates` bring, and the logs that `read_log` reads.
    pub async fn serve(
        self,
        environments: Vec<Named>,
        read_log: ReadLog,
        mut updates: mpsc::Receiver<Update>,
    ) -> Infallible {
        let Self { listeners, guard, key } = self;
        let (sender, mut tasks) = mpsc::unbounded_channel();
        let board = Board::of(environments);
        let site = Rc::new(Site { guard, key, board, read_log, tasks: sender, streams: Cell::new(0) });
        let mut running = FuturesUnordered::<Task>::new();
        let mut may_come = true;
        loop {
            tokio::select! {
                accepted = listeners.accept(), if running.len() < MOST => {
                    running.push(match accepted {
                        Ok(stream) => Box::pin(connection(Rc::clone(&site), stream)),
                        // Those that are open go on meanwhile.
                        Err(_) => tokio::time::sleep(NO_ROOM).boxed_local(),
                    });
                }
                Some(task) = tasks.recv() => running.push(task),
                Some(()) = running.next(), if !running.is_empty() => {}
                update = updates.recv(), if may_come => match update {
                    Some(update) => site.board.take(update),
                    None => may_come = false,
                },
            }
        }
    }
}

/// Serves one connection; one that breaks is nobody's concern but the page's, which makes another.
async fn connection(site: Rc<Site>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let reply = site.answer(&request);
        async move { Ok::<_, Infallible>(reply) }
    });
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(LONGEST_REQUEST)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Site {
    fn answer<B>(self: &Rc<Self>, request: &Request<B>) -> Response<Reply> {
        match self.guard.route(request.method(), request.uri(), request.headers()) {
            Err(refusal) => reply::refusal(&refusal),
            Ok(Route::Page) => match Token::new() {
                Ok(nonce) => reply::page(nonce.text(), self.key.text()),
                Err(_) => reply::refusal(&guard::Refusal::failed("the system has no randomness")),
            },
            Ok(Route::Events) => self.stream(|site, out| {
                async move { events::send(&site.board, site.key.text(), &out).await }.boxed_local()
            }),
            Ok(Route::Log(wanted)) if !self.board.has(&wanted) => {
                reply::refusal(&guard::Refusal::unknown("the page shows no such container"))
            }
            Ok(Route::Log(wanted)) => {
                self.stream(|site, out| async move { log::send(&site.read_log, wanted, &out).await }.boxed_local())
            }
        }
    }

    /// A reply that `send` writes for as long as it is read.
    fn stream(
        self: &Rc<Self>,
        send: impl FnOnce(Rc<Self>, mpsc::Sender<reply::Piece>) -> LocalBoxFuture<'static, ()> + 'static,
    ) -> Response<Reply> {
        if self.streams.get() >= MOST_STREAMS {
            return reply::refusal(&guard::Refusal::busy());
        }
        self.streams.set(self.streams.get() + 1);
        let (out, pieces) = mpsc::channel(4);
        let site = Rc::clone(self);
        let _ = self.tasks.send(Box::pin(async move {
            let gone = out.clone();
            tokio::select! {
                () = send(Rc::clone(&site), out) => {}
                () = gone.closed() => {}
            }
            site.streams.set(site.streams.get() - 1);
        }));
        reply::stream(pieces)
    }
}

#[cfg(test)]
mod tests;
