//! The channel protocol of exec, attach and port-forward over WebSocket: the first byte of a binary message is the
//! channel. Source: `k8s.io/apimachinery/pkg/util/remotecommand/constants.go`, protocols `v4.channel.k8s.io` and
//! `v5.channel.k8s.io`.

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::json;

/// The fourth version of the protocol.
pub(super) const V4: &str = "v4.channel.k8s.io";
/// The fifth, which can tell the end of stdin.
pub(super) const V5: &str = "v5.channel.k8s.io";
const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const RESIZE: u8 = 4;
/// Since v5: the second byte names the channel that is closed.
const CLOSE: u8 = 255;

/// A message of the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    Stdout(Bytes),
    Stderr(Bytes),
    Status(Bytes),
    /// An empty message, or a channel this version does not know.
    Nothing,
}

/// Reads a message of the server; the payload is not copied.
pub(super) fn decode(mut message: Bytes) -> Received {
    if message.len() < 2 {
        return Received::Nothing;
    }
    let payload = message.split_off(1);
    match message[0] {
        STDOUT => Received::Stdout(payload),
        STDERR => Received::Stderr(payload),
        STATUS => Received::Status(payload),
        _ => Received::Nothing,
    }
}

/// Bytes of stdin.
pub(super) fn stdin(data: &[u8]) -> Bytes {
    let mut message = BytesMut::with_capacity(data.len() + 1);
    message.put_u8(STDIN);
    message.put_slice(data);
    message.freeze()
}

/// The end of stdin, which only v5 can tell.
pub(super) fn close_stdin() -> Bytes {
    Bytes::from_static(&[CLOSE, STDIN])
}

/// The terminal's size in character cells.
pub(super) fn resize(columns: u16, rows: u16) -> Bytes {
    let mut message = vec![RESIZE];
    message.extend_from_slice(json!({ "Width": columns, "Height": rows }).to_string().as_bytes());
    message.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_is_the_channel() {
        assert_eq!(decode(Bytes::from_static(b"\x01abc")), Received::Stdout(Bytes::from_static(b"abc")));
        assert_eq!(decode(Bytes::from_static(b"\x02abc")), Received::Stderr(Bytes::from_static(b"abc")));
        assert_eq!(decode(Bytes::from_static(b"\x03{}")), Received::Status(Bytes::from_static(b"{}")));
    }

    #[test]
    fn empty_and_unknown_messages_are_passed_over() {
        for message in [&b""[..], b"\x01", b"\x09abc"] {
            assert_eq!(decode(Bytes::from_static(message)), Received::Nothing);
        }
    }

    #[test]
    fn what_is_sent_is_what_the_server_reads() {
        assert_eq!(&stdin(b"ls\n")[..], b"\x00ls\n");
        assert_eq!(&close_stdin()[..], b"\xff\x00");
        assert_eq!(
            &resize(80, 24)[..],
            br#"{"Height":24,"Width":80}"#.iter().fold(vec![4], |mut m, b| {
                m.push(*b);
                m
            })
        );
    }
}
