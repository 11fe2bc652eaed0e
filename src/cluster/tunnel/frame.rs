//! Frames of SPDY/3.1, as far as port-forward uses them. Pure.
//!
//! Source: SPDY Protocol Draft 3.1, section 2.6. The other side is moby/spdystream, in the container runtime or the
//! kubelet. It knows no flow control: it ignores WINDOW_UPDATE, and sends as much as the connection takes.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::header;

const VERSION: u16 = 0x8003;
const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GOAWAY: u16 = 7;
/// Flag of DATA, SYN_STREAM and SYN_REPLY: the sender sends nothing more on this stream.
const FIN: u8 = 1;
/// The status of an RST_STREAM from the side that opened the stream.
const CANCEL: u32 = 5;
/// A frame's header.
pub(super) const HEAD: usize = 8;
/// No control frame of a port-forward comes near it.
const LARGEST_CONTROL: usize = 64 * 1024;

/// A frame of the server, or a piece of one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// Bytes of a stream; a long frame comes in pieces. Nothing follows the `last`.
    Data {
        stream: u32,
        last: bool,
        bytes: Bytes,
    },
    /// A stream was accepted.
    Reply {
        stream: u32,
        last: bool,
    },
    /// A stream is no more.
    Reset {
        stream: u32,
    },
    Ping(u32),
    /// The server will close the connection.
    GoAway,
    /// A frame of no meaning here: SETTINGS, HEADERS, WINDOW_UPDATE, NOOP.
    Other,
}

/// What cannot be SPDY/3.1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Takes the server's bytes apart, however they were cut into messages. Payload is not copied.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    message: Bytes,
    /// The beginning of a frame: a data frame's header, or a whole control frame.
    head: BytesMut,
    /// The data frame whose payload comes now.
    data: Option<Payload>,
}

#[derive(Debug)]
struct Payload {
    stream: u32,
    last: bool,
    left: usize,
}

impl Decoder {
    /// Adds bytes, once [`Decoder::next`] has given `None`.
    pub(super) fn add(&mut self, message: Bytes) {
        debug_assert!(self.message.is_empty(), "bytes were passed over");
        self.message = message;
    }

    /// The next frame, or piece of one; `None` when more bytes are needed.
    ///
    /// # Errors
    /// When the bytes are no SPDY/3.1. There is no going on after that.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, Malformed> {
        if let Some(payload) = &mut self.data {
            if self.message.is_empty() {
                return Ok(None);
            }
            let bytes = self.message.split_to(payload.left.min(self.message.len()));
            payload.left -= bytes.len();
            let (stream, last) = (payload.stream, payload.last && payload.left == 0);
            if payload.left == 0 {
                self.data = None;
            }
            return Ok(Some(Frame::Data { stream, last, bytes }));
        }
        if !self.fill(HEAD) {
            return Ok(None);
        }
        let word = u32::from_be_bytes([self.head[0], self.head[1], self.head[2], self.head[3]]);
        let flags = self.head[4];
        let length = usize::from(self.head[5]) << 16 | usize::from(self.head[6]) << 8 | usize::from(self.head[7]);
        if word >> 31 == 0 {
            self.head.clear();
            let (stream, last) = (word, flags & FIN != 0);
            if stream == 0 {
                return Err(Malformed);
            }
            if length == 0 {
                return Ok(Some(Frame::Data { stream, last, bytes: Bytes::new() }));
            }
            self.data = Some(Payload { stream, last, left: length });
            return self.next();
        }
        let [version, kind] = [word >> 16, word & 0xffff];
        if version != u32::from(VERSION) || length > LARGEST_CONTROL {
            return Err(Malformed);
        }
        if !self.fill(HEAD + length) {
            return Ok(None);
        }
        let control = self.head.split().freeze().slice(HEAD..);
        read_control(kind, flags, control).map(Some)
    }

    /// Gets the beginning of a frame to this length; `false` while there are too few bytes.
    fn fill(&mut self, length: usize) -> bool {
        let missing = length.saturating_sub(self.head.len()).min(self.message.len());
        self.head.put(self.message.split_to(missing));
        self.head.len() >= length
    }
}

fn read_control(kind: u32, flags: u8, mut control: Bytes) -> Result<Frame, Malformed> {
    let mut number = || control.try_get_u32().map(|number| number & 0x7fff_ffff).map_err(|_| Malformed);
    Ok(match u16::try_from(kind) {
        Ok(SYN_REPLY) => Frame::Reply { stream: number()?, last: flags & FIN != 0 },
        Ok(RST_STREAM) => Frame::Reset { stream: number()? },
        Ok(PING) => Frame::Ping(number()?),
        Ok(GOAWAY) => Frame::GoAway,
        _ => Frame::Other,
    })
}

/// SYN_STREAM: opens a stream of port-forward. A stream that is `read_only` is half-closed from the start.
pub(super) fn open(stream: u32, headers: &[(&str, &str)], read_only: bool, first: bool) -> Vec<u8> {
    let mut block = Vec::new();
    header::put_block(&mut block, headers, first);
    let mut frame = Vec::with_capacity(HEAD + 10 + block.len());
    put_control(&mut frame, SYN_STREAM, u8::from(read_only) * FIN, 10 + block.len());
    frame.put_u32(stream);
    // No associated stream, no priority, no slot.
    frame.put_bytes(0, 6);
    frame.put_slice(&block);
    frame
}

/// The header of a DATA frame with so many bytes (less than 16 MiB), which follow it.
pub(super) fn data(stream: u32, length: usize, last: bool) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(&stream.to_be_bytes());
    head[4..].copy_from_slice(&(length as u32 & 0xff_ffff).to_be_bytes());
    head[4] = u8::from(last) * FIN;
    head
}

/// RST_STREAM: a stream is given up.
pub(super) fn reset(stream: u32) -> Bytes {
    let mut frame = Vec::with_capacity(HEAD + 8);
    put_control(&mut frame, RST_STREAM, 0, 8);
    frame.put_u32(stream);
    frame.put_u32(CANCEL);
    frame.into()
}

/// PING: the other side sends it back. A client's have odd numbers.
pub(super) fn ping(number: u32) -> Bytes {
    let mut frame = Vec::with_capacity(HEAD + 4);
    put_control(&mut frame, PING, 0, 4);
    frame.put_u32(number);
    frame.into()
}

fn put_control(frame: &mut Vec<u8>, kind: u16, flags: u8, length: usize) {
    frame.put_u16(VERSION);
    frame.put_u16(kind);
    frame.put_u32(u32::from(flags) << 24 | (length as u32 & 0xff_ffff));
}

#[cfg(test)]
mod tests;
