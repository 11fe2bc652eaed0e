//! Answers: the page, a stream of events, or why not; and what each of them tells the browser to leave alone.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{
    HeaderMap, Response, StatusCode,
    body::{Body, Frame},
    header::{
        ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
        REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};
use tokio::sync::mpsc;

use super::guard::Refusal;

/// The page; `{{…}}` is filled in.
const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
/// One script: later parts use what earlier ones define.
const SCRIPT: &str = concat!(
    include_str!("page/draw.js"),
    include_str!("page/plot.js"),
    include_str!("page/parts.js"),
    include_str!("page/environment.js"),
    include_str!("page/log.js"),
    include_str!("page/page.js"),
);

/// A part of a stream.
pub(super) type Piece = Bytes;

/// The body of an answer.
pub(super) enum Reply {
    /// All of it, not sent yet.
    Whole(Bytes),
    /// Piece by piece.
    Pieces(mpsc::Receiver<Piece>),
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Reply::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Reply::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Reply::Pieces(pieces) => pieces.poll_recv(context).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }
}

/// The page. Only scripts and styles with this `nonce` are taken, and only streams that know the `key`.
pub(super) fn page(nonce: &str, key: &str) -> Response<Reply> {
    let parts = [("{{style}}", STYLE), ("{{script}}", SCRIPT), ("{{nonce}}", nonce), ("{{key}}", key)];
    let text = parts.iter().fold(PAGE.to_owned(), |text, (name, value)| text.replace(name, value));
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'"
    );
    let mut response = reply(StatusCode::OK, "text/html; charset=utf-8", Reply::Whole(text.into()));
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A stream of server-sent events.
pub(super) fn stream(pieces: mpsc::Receiver<Piece>) -> Response<Reply> {
    reply(StatusCode::OK, "text/event-stream", Reply::Pieces(pieces))
}

/// Why not, as text. The connection ends with it: who asks for what is refused, and reads no answers, holds none.
pub(super) fn refusal(refusal: &Refusal) -> Response<Reply> {
    let text = format!("{}\n", refusal.why);
    let mut response = reply(refusal.status, "text/plain; charset=utf-8", Reply::Whole(text.into()));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    if refusal.status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    }
    response
}

/// One event: its name and its data, which is one line, as JSON is.
pub(super) fn event(name: &str, data: &str) -> Piece {
    format!("event: {name}\ndata: {data}\n\n").into()
}

fn reply(status: StatusCode, content: &'static str, body: Reply) -> Response<Reply> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    protect(response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content));
    response
}

/// Nothing is kept, nothing is guessed, the address is told nobody, and no other page may embed or read it.
fn protect(headers: &mut HeaderMap) {
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
