//! The header block of SPDY/3.1: names and values, compressed with zlib.
//!
//! Nothing is gained by compressing thirty bytes, so they go in deflate's stored blocks: to the server a zlib stream like
//! any other, here no library. What the server's own blocks say is nothing (its replies carry no headers), so none is
//! ever unpacked.
//!
//! Sources: SPDY Protocol Draft 3.1, section 2.6.10; RFC 1950 and 1951; Go's `compress/zlib` and moby/spdystream, which
//! read it.

use bytes::BufMut;

/// The beginning of a zlib stream that names a preset dictionary: CMF, FLG with FDICT, the Adler-32 checksum of SPDY/3's
/// dictionary.
const ZLIB_START: [u8; 6] = [0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2];
/// A stored block of no bytes, which makes the reader hand over what came before it (zlib's sync flush).
const FLUSH: [u8; 5] = [0, 0, 0, 0xff, 0xff];

/// Appends a header block. All blocks of a connection are one zlib stream: the `first` one begins it. Names are lower
/// case; the whole must be below 64 KiB, or nothing is appended.
pub(super) fn put_block(out: &mut Vec<u8>, headers: &[(&str, &str)], first: bool) {
    let mut plain = Vec::new();
    plain.put_u32(u32::try_from(headers.len()).unwrap_or_default());
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        plain.put_u32(u32::try_from(text.len()).unwrap_or_default());
        plain.put_slice(text.as_bytes());
    }
    let Ok(length) = u16::try_from(plain.len()) else { return };
    if first {
        out.put_slice(&ZLIB_START);
    }
    out.put_u8(0);
    out.put_u16_le(length);
    out.put_u16_le(!length);
    out.put_slice(&plain);
    out.put_slice(&FLUSH);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_what_zlib_reads() {
        let mut out = Vec::new();
        put_block(&mut out, &[("port", "80")], true);
        let plain = b"\0\0\0\x01\0\0\0\x04port\0\0\0\x0280";
        let expected = [&ZLIB_START[..], b"\0\x12\0\xed\xff", plain, &FLUSH].concat();
        assert_eq!(out, expected);
        assert_eq!(u16::from_be_bytes([out[0], out[1]]) % 31, 0, "zlib's check of its header");
    }

    #[test]
    fn only_the_first_block_begins_the_stream() {
        let mut out = Vec::new();
        put_block(&mut out, &[], false);
        assert_eq!(out, b"\0\x04\0\xfb\xff\0\0\0\0\0\0\0\xff\xff");
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let mut out = Vec::new();
        put_block(&mut out, &[("name", &"x".repeat(70_000))], true);
        assert!(out.is_empty());
    }
}
