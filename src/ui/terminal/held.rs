//! What a remote program at a terminal reads before anything typed. A terminal shows what is sent to it until the
//! program turns that off; so it is held back until the program says, by [`READY`], that it has.

use tokio::sync::{mpsc, oneshot};

use super::WAITING;
use crate::streams::{Input, Pieces, READY};

/// Sends `first` to `inputs` as soon as the remote output has the sign, which `output` does not get. Returns where the
/// local stdin goes, which waits for that, and where the remote output goes.
pub(super) fn hold(
    first: Vec<Input>,
    inputs: mpsc::Sender<Input>,
    output: mpsc::Sender<Pieces>,
) -> (mpsc::Sender<Input>, mpsc::Sender<Pieces>) {
    let (local, mut typed) = mpsc::channel(WAITING);
    let (remote, mut shown) = mpsc::channel::<Pieces>(WAITING);
    let (ready, is_ready) = oneshot::channel();
    tokio::spawn(async move {
        // Without the sign the program has ended.
        if is_ready.await.is_err() {
            return;
        }
        for input in first {
            if inputs.send(input).await.is_err() {
                return;
            }
        }
        while let Some(input) = typed.recv().await {
            if inputs.send(input).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        let mut ready = Some((ready, Vec::new()));
        while let Some(pieces) = shown.recv().await {
            let pieces = match ready.take() {
                None => pieces,
                Some((sender, mut seen)) => {
                    pieces.iter().for_each(|piece| seen.extend_from_slice(piece));
                    match seen.windows(READY.len()).position(|window| window == READY.as_bytes()) {
                        Some(at) => {
                            let _ = sender.send(());
                            seen.drain(at..at + READY.len());
                            vec![seen.into()]
                        }
                        None => {
                            let rest = seen.split_off(seen.len() - begun(&seen));
                            ready = Some((sender, rest));
                            vec![seen.into()]
                        }
                    }
                }
            };
            if output.send(pieces).await.is_err() {
                return;
            }
        }
        if let Some((_, rest)) = ready {
            let _ = output.send(vec![rest.into()]).await;
        }
    });
    (local, remote)
}

/// How many of the last bytes may be the beginning of the sign.
fn begun(seen: &[u8]) -> usize {
    (1..READY.len().min(seen.len() + 1)).rev().find(|length| seen.ends_with(&READY.as_bytes()[..*length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    async fn all(mut pieces: mpsc::Receiver<Pieces>) -> String {
        let mut text = Vec::new();
        while let Some(pieces) = pieces.recv().await {
            pieces.iter().for_each(|piece| text.extend_from_slice(piece));
        }
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn nothing_is_sent_before_the_sign_and_the_sign_is_not_shown() {
        let (inputs, mut input) = mpsc::channel(4);
        let (output, outputs) = mpsc::channel(16);
        let (local, remote) = hold(vec![Input::Data("code".into())], inputs, output);
        local.send(Input::Data("typed".into())).await.unwrap();
        // In small pieces, and after what looks like it.
        for piece in format!("hello \x1b_k {READY}").as_bytes().chunks(3) {
            assert!(input.try_recv().is_err(), "sent before the sign");
            remote.send(vec![Bytes::copy_from_slice(piece)]).await.unwrap();
        }
        for expected in ["code", "typed"] {
            assert_eq!(input.recv().await, Some(Input::Data(expected.into())));
        }
        remote.send(vec![">>> ".into(), READY.into()]).await.unwrap();
        drop(remote);
        assert_eq!(all(outputs).await, format!("hello \x1b_k >>> {READY}"));
    }

    #[tokio::test]
    async fn a_program_that_ends_before_is_shown_whole() {
        let (inputs, mut input) = mpsc::channel(4);
        let (output, outputs) = mpsc::channel(16);
        let (local, remote) = hold(vec![Input::Data("code".into())], inputs, output);
        remote.send(vec!["no python\x1b_".into()]).await.unwrap();
        drop(remote);
        assert_eq!(all(outputs).await, "no python\x1b_");
        assert_eq!(input.recv().await, None);
        assert!(local.is_closed());
    }
}
