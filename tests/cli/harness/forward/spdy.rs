//! SPDY/3.1, as much as port-forward needs: the server's side.

use std::{collections::HashMap, io};

/// A frame of the client.
#[derive(Debug)]
pub enum Frame {
    /// A stream is opened, with these headers.
    Open(u32, HashMap<String, String>),
    /// Bytes of a stream, and whether they are the last.
    Data(u32, Vec<u8>, bool),
    /// A stream is given up.
    Reset(u32),
    /// Are you there?
    Ping([u8; 4]),
}

/// Takes the first frame out of the bytes that came, if it is there in full.
///
/// # Errors
/// When it is no frame a client of port-forward sends.
pub fn take(bytes: &mut Vec<u8>) -> io::Result<Option<Frame>> {
    let Some(head) = bytes.first_chunk::<8>().copied() else { return Ok(None) };
    let length = u32::from_be_bytes([0, head[5], head[6], head[7]]) as usize;
    if bytes.len() < 8 + length {
        return Ok(None);
    }
    let body: Vec<u8> = bytes.drain(..8 + length).skip(8).collect();
    let stream = |bytes: &[u8]| bytes.first_chunk().map(|id| u32::from_be_bytes(*id)).unwrap_or_default();
    Ok(Some(match head[..4] {
        [0x80, 3, 0, 1] if length > 10 => Frame::Open(stream(&body), headers(&body[10..])?),
        [0x80, 3, 0, 3] if length == 8 => Frame::Reset(stream(&body)),
        [0x80, 3, 0, 6] if length == 4 => Frame::Ping([body[0], body[1], body[2], body[3]]),
        [0..0x80, ..] => Frame::Data(stream(&head), body, head[4] & 1 != 0),
        _ => return Err(invalid(&head)),
    }))
}

/// Reads a header block in stored blocks, which is all that kdj sends. (Any compressor would do for a real server.)
fn headers(mut block: &[u8]) -> io::Result<HashMap<String, String>> {
    let whole = block;
    if let [0x78, _, _, _, _, _, rest @ ..] = block {
        block = rest;
    }
    let mut plain = Vec::new();
    while let [0, low, high, not_low, not_high, rest @ ..] = block {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        if *not_low != !low || *not_high != !high || rest.len() < length {
            return Err(invalid(whole));
        }
        plain.extend_from_slice(&rest[..length]);
        block = &rest[length..];
    }
    let mut rest = plain.get(4..).ok_or_else(|| invalid(whole))?;
    let mut text = || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (text, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = after;
        String::from_utf8(text.to_vec()).ok()
    };
    let mut headers = HashMap::new();
    while let (Some(name), Some(value)) = (text(), text()) {
        headers.insert(name, value);
    }
    if block.is_empty() { Ok(headers) } else { Err(invalid(whole)) }
}

fn invalid(bytes: &[u8]) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("what came is no SPDY of port-forward's: {bytes:x?}"))
}

/// SYN_REPLY, with an empty header block.
pub fn reply(stream: u32) -> Vec<u8> {
    control(2, &[&stream.to_be_bytes()[..], b"\x78\xbb\xe3\xc6\xa7\xc2\0\x04\0\xfb\xff\0\0\0\0\0\0\0\xff\xff"].concat())
}

/// RST_STREAM.
pub fn reset(stream: u32) -> Vec<u8> {
    control(3, &[stream.to_be_bytes(), 5_u32.to_be_bytes()].concat())
}

/// PING, back to where it came from.
pub fn ping(id: [u8; 4]) -> Vec<u8> {
    control(6, &id)
}

/// DATA.
pub fn data(stream: u32, bytes: &[u8], last: bool) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a short frame") | u32::from(last) << 24;
    [&stream.to_be_bytes()[..], &length.to_be_bytes(), bytes].concat()
}

fn control(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a short frame");
    [&[0x80, 3, 0, kind][..], &length.to_be_bytes(), body].concat()
}
