//! WebSocket frames (RFC 6455), the server's side.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// More of the message before.
    Continuation,
    /// Text.
    Text,
    /// Bytes.
    Binary,
    /// The end.
    Close,
    /// Are you there?
    Ping,
    /// I am.
    Pong,
}

/// A frame.
#[derive(Debug)]
pub struct Frame {
    /// Whether the message ends with it.
    pub last: bool,
    /// What it is.
    pub opcode: Opcode,
    /// What it carries, unmasked.
    pub payload: Vec<u8>,
}

/// Reads one frame, `None` at the end of the connection.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Frame>> {
    let mut head = [0; 2];
    if stream.read(&mut head[..1]).await? == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut head[1..]).await?;
    let opcode = match head[0] & 0x0f {
        0 => Opcode::Continuation,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        other => return Err(invalid(format!("opcode {other}"))),
    };
    if head[0] & 0x70 != 0 {
        return Err(invalid("reserved bits are set"));
    }
    if head[1] & 0x80 == 0 {
        return Err(invalid("a client's frame must be masked"));
    }
    let length = match head[1] & 0x7f {
        126 => u64::from(stream.read_u16().await?),
        127 => stream.read_u64().await?,
        short => u64::from(short),
    };
    if length > 64 << 20 {
        return Err(invalid(format!("a frame of {length} bytes")));
    }
    let mut mask = [0; 4];
    stream.read_exact(&mut mask).await?;
    let mut payload = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    stream.read_exact(&mut payload).await?;
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Ok(Some(Frame { last: head[0] & 0x80 != 0, opcode, payload }))
}

/// Writes one frame.
pub async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    last: bool,
    opcode: Opcode,
    payload: &[u8],
) -> io::Result<()> {
    let opcode = match opcode {
        Opcode::Continuation => 0,
        Opcode::Text => 1,
        Opcode::Binary => 2,
        Opcode::Close => 8,
        Opcode::Ping => 9,
        Opcode::Pong => 10,
    };
    let mut bytes = Vec::with_capacity(payload.len() + 10);
    bytes.push(opcode | if last { 0x80 } else { 0 });
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short), _) if short < 126 => bytes.push(short),
        (_, Ok(medium)) => {
            bytes.push(126);
            bytes.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            bytes.push(127);
            bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    stream.write_all(&bytes).await?;
    stream.flush().await
}

fn invalid(what: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_string())
}
