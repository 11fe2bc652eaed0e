use super::*;

/// All frames in these bytes, which arrive cut into messages of `size`, with pieces of one data frame joined.
fn decode(bytes: &[u8], size: usize) -> Result<Vec<Frame>, Malformed> {
    let mut decoder = Decoder::default();
    let mut frames: Vec<Frame> = Vec::new();
    let mut in_a_frame = false;
    for message in bytes.chunks(size) {
        decoder.add(Bytes::copy_from_slice(message));
        while let Some(frame) = decoder.next()? {
            let before = frames.last_mut().filter(|_| in_a_frame);
            match (before, frame) {
                (Some(Frame::Data { last, bytes, .. }), Frame::Data { last: ends, bytes: more, .. }) => {
                    *bytes = [&bytes[..], &more].concat().into();
                    *last = ends;
                }
                (_, frame) => frames.push(frame),
            }
            in_a_frame = decoder.data.is_some();
        }
    }
    Ok(frames)
}

fn data_frame(stream: u32, payload: &[u8], last: bool) -> Vec<u8> {
    [&data(stream, payload.len(), last)[..], payload].concat()
}

#[test]
fn frames_are_the_same_however_messages_cut_them() {
    let bytes = [
        &data_frame(3, b"hello", false)[..],
        b"\x80\x03\0\x02\0\0\0\x0a\0\0\0\x03zipped",
        &data_frame(3, b"", true),
        &reset(1),
        &ping(4),
        b"\x80\x03\0\x04\0\0\0\x04\0\0\0\0",
        b"\x80\x03\0\x07\0\0\0\x08\0\0\0\0\0\0\0\0",
        &data_frame(7, b"bye", true),
    ]
    .concat();
    let expected = vec![
        Frame::Data { stream: 3, last: false, bytes: Bytes::from_static(b"hello") },
        Frame::Reply { stream: 3, last: false },
        Frame::Data { stream: 3, last: true, bytes: Bytes::new() },
        Frame::Reset { stream: 1 },
        Frame::Ping(4),
        Frame::Other,
        Frame::GoAway,
        Frame::Data { stream: 7, last: true, bytes: Bytes::from_static(b"bye") },
    ];
    for size in 1..=bytes.len() {
        assert_eq!(decode(&bytes, size).as_ref(), Ok(&expected), "messages of {size}");
    }
}

#[test]
fn only_the_last_piece_ends_a_stream() {
    let bytes = data_frame(3, b"abcdef", true);
    let mut decoder = Decoder::default();
    decoder.add(Bytes::copy_from_slice(&bytes[..10]));
    assert_eq!(decoder.next(), Ok(Some(Frame::Data { stream: 3, last: false, bytes: Bytes::from_static(b"ab") })));
    assert_eq!(decoder.next(), Ok(None));
    decoder.add(Bytes::copy_from_slice(&bytes[10..]));
    assert_eq!(decoder.next(), Ok(Some(Frame::Data { stream: 3, last: true, bytes: Bytes::from_static(b"cdef") })));
    assert_eq!(decoder.next(), Ok(None));
}

#[test]
fn payload_is_not_copied() {
    let message = Bytes::from(data_frame(3, &[7; 1000], false));
    let inside = message[HEAD..].as_ptr();
    let mut decoder = Decoder::default();
    decoder.add(message);
    let Ok(Some(Frame::Data { bytes, .. })) = decoder.next() else { panic!("no data") };
    assert_eq!((bytes.as_ptr(), bytes.len()), (inside, 1000));
}

#[test]
fn what_cannot_be_spdy_is_malformed() {
    for bytes in [
        &b"\0\0\0\0\0\0\0\x01x"[..],           // data of stream 0
        b"\x80\x02\0\x06\0\0\0\x04\0\0\0\x01", // version 2
        b"\x80\x03\0\x06\0\xff\xff\xff",       // a control frame of 16 MiB
        b"\x80\x03\0\x03\0\0\0\0",             // RST_STREAM of nothing
        b"\x80\x03\0\x06\0\0\0\x02\0\0",       // half a ping
    ] {
        assert_eq!(decode(bytes, bytes.len()), Err(Malformed), "{bytes:x?}");
    }
}

#[test]
fn nothing_the_server_sends_makes_it_panic() {
    // xorshift: the same bytes each time.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..20_000 {
        let length = random() as usize % 64 + 1;
        let mut bytes: Vec<u8> = (0..length).map(|_| random() as u8).collect();
        if random() % 2 == 0 {
            // Likely frames: the right version, known kinds, short lengths.
            let head = [0x80, 3, 0, random() as u8 % 10, random() as u8 % 2, 0, 0, random() as u8 % 24];
            let known = bytes.len().min(HEAD);
            bytes[..known].copy_from_slice(&head[..known]);
        }
        let _ = decode(&bytes, random() as usize % 9 + 1);
    }
}

#[test]
fn streams_are_opened_as_the_server_reads_it() {
    let headers = [("streamtype", "error"), ("port", "80")];
    let frame = open(5, &headers, true, true);
    let length = frame.len() - HEAD;
    assert_eq!(frame[..HEAD], [0x80, 3, 0, 1, 1, 0, 0, u8::try_from(length).expect("a short frame")]);
    assert_eq!(frame[HEAD..HEAD + 10], [0, 0, 0, 5, 0, 0, 0, 0, 0, 0]);
    let mut block = Vec::new();
    header::put_block(&mut block, &headers, true);
    assert_eq!(frame[HEAD + 10..], block);
    assert_eq!(open(7, &headers, false, false)[4], 0, "open both ways");
}

#[test]
fn what_is_sent_has_the_form_of_the_standard() {
    assert_eq!(data(3, 0x01_0203, true), [0, 0, 0, 3, 1, 1, 2, 3]);
    assert_eq!(&reset(9)[..], b"\x80\x03\0\x03\0\0\0\x08\0\0\0\x09\0\0\0\x05");
    assert_eq!(&ping(1)[..], b"\x80\x03\0\x06\0\0\0\x04\0\0\0\x01");
}
