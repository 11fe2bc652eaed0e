//! The signals of a session: what asks kdj to end, the window's size, Ctrl-Z from outside.

use std::{io, sync::Arc};

use rustix::process::{Signal, getpid, kill_process};
use tokio::{
    signal::unix::{Signal as Arrivals, SignalKind, signal},
    sync::{mpsc, watch},
};

use super::raw_mode::{self, RawMode};
use crate::streams::{Control, Size};

/// The signals that ask kdj to end.
pub(super) struct EndSignals {
    interrupt: Arrivals,
    terminate: Arrivals,
    hang_up: Arrivals,
}

impl EndSignals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The number of the next one.
    pub(super) async fn next(&mut self) -> u8 {
        let signal = tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.hang_up.recv() => Signal::HUP,
        };
        u8::try_from(signal.as_raw()).unwrap_or(u8::MAX)
    }
}

/// The signals a session listens to.
pub(super) struct Signals {
    end: EndSignals,
    window: Arrivals,
    stop: Arrivals,
    resume: Arrivals,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        let raw = |signal_of: Signal| signal(SignalKind::from_raw(signal_of.as_raw()));
        Ok(Self {
            end: EndSignals::new()?,
            window: signal(SignalKind::window_change())?,
            stop: raw(Signal::TSTP)?,
            resume: raw(Signal::CONT)?,
        })
    }

    /// Tells the session what the signals mean, until nobody listens any more; returns the signal that found that out.
    pub(super) async fn forward(
        mut self,
        controls: mpsc::Sender<Control>,
        sizes: watch::Sender<Option<Size>>,
        raw: Option<Arc<RawMode>>,
    ) -> u8 {
        loop {
            tokio::select! {
                _ = self.window.recv() => {}
                _ = self.stop.recv() => {
                    if let Some(raw) = &raw {
                        raw.pause();
                    }
                    // The handler took SIGTSTP's default away; this is what it would have done.
                    let _ = kill_process(getpid(), Signal::STOP);
                }
                _ = self.resume.recv() => {
                    if let Some(raw) = &raw {
                        let _ = raw.resume();
                    }
                }
                number = self.end.next() => {
                    if controls.send(Control::Signal(number)).await.is_err() {
                        return number;
                    }
                }
            }
            if raw.is_some() {
                sizes.send_if_modified(|size| {
                    let now = raw_mode::size();
                    now.is_some() && std::mem::replace(size, now) != now
                });
            }
        }
    }
}
