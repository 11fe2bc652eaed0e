//! What keeps a way open: it looks after the present link, and opens another when that goes.

use std::{convert::Infallible, future::Future, mem, pin::pin, rc::Rc, time::Duration};

use futures::{StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use tokio::time::{Instant, sleep};

use super::{
    super::link::{Event, Keep, Link},
    Way,
};
use crate::cluster::{PortOfPod, Trouble};

/// The first pause between two tries; it grows.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long it is tried without anybody who wants to connect.
const EAGER: Duration = Duration::from_secs(5 * 60);
/// How often another pod is looked for while the present one still serves, but is not ready.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// The shortest time between two looks at a pod whose connections fail.
const DOUBT: Duration = Duration::from_millis(500);
/// How often it is looked whether an old link is still used.
const OLD: Duration = Duration::from_secs(1);

type Old<'a> = FuturesUnordered<LocalBoxFuture<'a, ()>>;

impl<'a> Way<'a> {
    /// Keeps the way open, for as long as this is polled.
    pub(in crate::forward) async fn keep(&self, first: Keep<'a>) -> Infallible {
        let mut old = Old::new();
        let mut keep = first;
        loop {
            self.current.send_replace(Some(Rc::clone(&keep.link)));
            let event = beside(&mut old, self.event(&mut keep, false)).await;
            let event = match event {
                Event::Pod(Trouble::NotReady(why)) => {
                    // The present link is kept alive all the while: who is connected is not to notice.
                    let found = keep.link.found.clone();
                    let other = async {
                        tokio::select! {
                            event = self.event(&mut keep, true) => Err(event),
                            other = self.other(&found, &why) => Ok(other),
                        }
                    };
                    match beside(&mut old, other).await {
                        Ok(Some(other)) => {
                            old.push(Box::pin(retire(mem::replace(&mut keep, other))));
                            continue;
                        }
                        Ok(None) => continue,
                        Err(event) => event,
                    }
                }
                event => event,
            };
            let pod = keep.link.found.pod.clone();
            keep = match event {
                // Dealt with above.
                Event::Pod(Trouble::NotReady(_)) => keep,
                Event::Pod(Trouble::Going(why)) => {
                    self.current.send_replace(None);
                    old.push(Box::pin(retire(keep)));
                    self.reopen(&mut old, &format!("pod {pod} {why}")).await
                }
                Event::Pod(Trouble::Gone(why)) => {
                    self.end_link(&keep.link);
                    drop(keep);
                    self.reopen(&mut old, &format!("pod {pod} {why}")).await
                }
                Event::Cut(why) => {
                    self.end_link(&keep.link);
                    drop(keep);
                    self.reopen(&mut old, &format!("the connection to pod {pod} is lost ({why})")).await
                }
            };
        }
    }

    /// What happens next to a link; that its pod is not ready is left out if that is known.
    async fn event(&self, keep: &mut Keep<'a>, known: bool) -> Event {
        let found = keep.link.found.clone();
        loop {
            let event = tokio::select! {
                event = keep.event() => event,
                trouble = self.trouble(&found) => Event::Pod(trouble),
            };
            if !(known && matches!(event, Event::Pod(Trouble::NotReady(_)))) {
                return event;
            }
        }
    }

    /// Looks at the pod whenever a connection did not come about: the watch may not be allowed, or be behind.
    async fn trouble(&self, found: &PortOfPod) -> Trouble {
        loop {
            self.doubted.notified().await;
            if let Some(trouble) = self.place.cluster.trouble(found).await {
                return trouble;
            }
            sleep(DOUBT).await;
        }
    }

    /// A way by another pod, while the one it goes by is not ready; `None` once that is well again.
    async fn other(&self, than: &PortOfPod, why: &str) -> Option<Keep<'a>> {
        let pod = &than.pod;
        let mut said = false;
        loop {
            match self.end.open_other(&self.place, self.next_number(), than).await {
                Ok(Some(other)) => {
                    match said {
                        true => self.say(&now(&other)),
                        false => self.say(&format!("pod {pod} {why}; {}", now(&other))),
                    }
                    return Some(other);
                }
                Ok(None) => return None,
                Err(error) if !said => {
                    self.say(&format!("pod {pod} {why}; it is used all the same: {error}"));
                    said = true;
                }
                Err(_) => {}
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    fn end_link(&self, link: &Link) {
        self.current.send_replace(None);
        link.end();
    }

    /// Tries until there is a way again: for a while by itself, then whenever somebody wants to connect.
    async fn reopen(&self, old: &mut Old<'a>, why: &str) -> Keep<'a> {
        let started = Instant::now();
        let mut pause = PAUSE;
        let mut said = false;
        loop {
            match beside(old, self.open(None)).await {
                Ok(keep) => {
                    let news = if said { now(&keep) } else { format!("{why}; {}", now(&keep)) };
                    self.say(&news);
                    self.trouble.replace(None);
                    return keep;
                }
                Err(error) => {
                    if !said && started.elapsed() > LONGEST_PAUSE / 5 {
                        self.say(&format!("{why}; waiting for a way: {error}"));
                        said = true;
                    }
                    self.trouble.replace(Some(error.to_string()));
                }
            }
            beside(old, sleep(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            if started.elapsed() > EAGER {
                beside(old, self.wanted.notified()).await;
            }
        }
    }
}

fn now(keep: &Keep<'_>) -> String {
    format!("now by pod {}", keep.link.found.pod)
}

/// Does `work`, and keeps what is old alive meanwhile.
async fn beside<T>(old: &mut Old<'_>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            Some(()) = old.next() => {}
        }
    }
}

/// Keeps a link that gets no new connections, until its last one has ended or it breaks.
async fn retire(mut keep: Keep<'_>) {
    let link = Rc::clone(&keep.link);
    let broken = async { while !matches!(keep.event().await, Event::Cut(_) | Event::Pod(Trouble::Gone(_))) {} };
    // Ours, and the one of what keeps it.
    let unused = async {
        while Rc::strong_count(&link) > 2 {
            sleep(OLD).await
        }
    };
    tokio::select! {
        () = broken => link.end(),
        () = unused => {}
    }
}
