//! A connection somebody makes to the local port, from its accepting to its end.

use std::{cell::RefCell, time::Duration};

use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{
    copy::{Copied, Far, Unanswered, copy},
    link::NotConnected,
    way::{PATIENCE, Way},
};
use crate::cluster::TunnelStream;

/// The first pause before a connection that did not come about is tried again; it grows.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Far for TunnelStream {
    fn failure(&self) -> Option<String> {
        TunnelStream::failure(self)
    }
}

/// Serves it. What fails at the other end is a reset here, as it would be without a tunnel.
pub(super) async fn serve(way: &Way<'_>, mut local: TcpStream) {
    // Without it, it is slower and works.
    let _ = local.set_nodelay(true);
    match tunnel(way, &mut local).await {
        Ok(()) => {}
        Err(why) => {
            if let Some(why) = why {
                way.report(why);
            }
            // The next thing is to close it.
            let _ = local.set_zero_linger();
        }
    }
}

/// Ends with an error when the connection is to be reset, and with why, if that is worth a word.
async fn tunnel(way: &Way<'_>, local: &mut TcpStream) -> Result<(), Option<String>> {
    let unanswered = RefCell::new(Unanswered::default());
    let deadline = Instant::now() + PATIENCE;
    let mut pause = PAUSE;
    let mut after = 0;
    loop {
        let link = way.link(after, deadline).await.map_err(|error| Some(error.to_string()))?;
        let pod = &link.found.pod;
        let refused = |why: &str| format!("no connection by pod {pod}: {}", in_short(why));
        let another = Instant::now() < deadline;
        let again = async || {
            way.doubt();
            match link.is_over() || !way.is_current(&link) {
                true => link.number,
                // Another link takes its place, or it may be well again.
                false => {
                    let _ = timeout(pause, way.replaced(&link)).await;
                    0
                }
            }
        };
        let stream = match link.connect().await {
            Ok(stream) => stream,
            Err(NotConnected::Broken(why)) if another => {
                way.detail(&format!("{}; trying again", refused(&why)));
                after = again().await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
            Err(NotConnected::Broken(why) | NotConnected::Refused(why)) => return Err(Some(refused(&why))),
        };
        let stream = RefCell::new(stream);
        let copied = tokio::select! {
            copied = copy(local, &stream, &unanswered) => copied,
            () = link.ended() => return Err(None),
        };
        match copied {
            Copied::Whole => {
                stream.into_inner().finish();
                way.works();
                return Ok(());
            }
            Copied::Left => {
                way.works();
                return Ok(());
            }
            // What may have reached the pod is not said twice.
            Copied::Refused(why) if another && never_arrived(&why) && !way.is_usable(&link).await => {
                after = again().await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Copied::Refused(why) => return Err(Some(refused(&why))),
            Copied::Broken(why) => {
                way.works();
                way.detail(&format!("a connection by pod {pod} broke: {}", in_short(&why)));
                return Err(None);
            }
        }
    }
}

/// Whether nothing was ever connected in the pod, by the kubelet's or the runtime's words.
fn never_arrived(why: &str) -> bool {
    ["dial tcp", "failed to connect", "sandbox", "network namespace", "not running", "not found"]
        .iter()
        .any(|words| why.contains(words))
}

/// The part of the kubelet's and the runtime's message that says something: ``… inside namespace "a1b2", IPv4: dial tcp4
/// 127.0.0.1:5555: connect: connection refused``.
fn in_short(why: &str) -> &str {
    let start = why.find("dial tcp").unwrap_or(0);
    let end = why[start..].find(" IPv6 dial").map_or(why.len(), |end| start + end);
    why[start..end].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_the_message_took_is_left_out() {
        let message = r#"error forwarding port 5555 to pod 0c2f, uid : failed to execute portforward in network namespace "/var/run/netns/cni-1": failed to connect to localhost:5555 inside namespace "0c2f", IPv4: dial tcp4 127.0.0.1:5555: connect: connection refused IPv6 dial tcp6 [::1]:5555: connect: connection refused "#;
        assert_eq!(in_short(message), "dial tcp4 127.0.0.1:5555: connect: connection refused");
        assert_eq!(in_short("Connection refused"), "Connection refused");
    }
}
