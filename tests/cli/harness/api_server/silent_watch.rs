//! A watch over WebSocket on which nothing is ever said: the server ends it after the time it asks for, or something on the
//! way cuts it.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, time::sleep};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{request::Recorded, wire::Stream};

/// A watch that is to be upgraded.
pub struct SilentWatch {
    accept: String,
    lasts: Duration,
    cut: Option<Duration>,
}

impl SilentWatch {
    /// The watch that is asked for; an Origin is needed, as a real server needs it.
    pub fn of(request: &Recorded, cut: Option<Duration>) -> Option<Self> {
        let upgrade = request.header("upgrade")?.eq_ignore_ascii_case("websocket");
        let key = request.header("sec-websocket-key").filter(|_| upgrade && request.is_watch())?;
        request.header("origin")?;
        let seconds = request.parameter("timeoutSeconds").and_then(|seconds| seconds.parse().ok()).unwrap_or(60);
        Some(Self { accept: derive_accept_key(key.as_bytes()), lasts: Duration::from_secs(seconds), cut })
    }

    /// Upgrades, is silent, and ends.
    pub async fn serve(self, mut stream: impl Stream) {
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \
             {}\r\n\r\n",
            self.accept
        );
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.flush().await;
        if let Some(cut) = self.cut.filter(|cut| *cut < self.lasts) {
            return sleep(cut).await;
        }
        sleep(self.lasts).await;
        let _ = stream.write_all(b"\x88\x02\x03\xe8").await;
        let _ = stream.flush().await;
    }
}
