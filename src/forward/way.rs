//! The way to one target, kept open: when its tunnel goes, another takes its place, to a ready pod, and says so once.

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    future::Future,
    mem,
    pin::pin,
    rc::Rc,
    time::Duration,
};

use futures::{StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout_at},
};

use super::{
    Place,
    link::{Chosen, End, Event, Keep, Link},
};
use crate::{
    cluster::{PortOfPod, Trouble},
    error::{Error, Result},
};

/// How long a connection waits for a way.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
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

/// The way to one target.
pub(super) struct Way<'a> {
    place: Place<'a>,
    /// What it is called in messages.
    pub(super) name: String,
    end: End,
    current: watch::Sender<Option<Rc<Link>>>,
    wanted: Notify,
    /// A connection by the current link did not come about.
    doubted: Notify,
    number: Cell<u64>,
    /// Why there is none just now.
    trouble: RefCell<Option<String>>,
    /// What was reported last, until something works again.
    reported: RefCell<Option<String>>,
    /// Whether the terminal is a program's, and events are a detail.
    hushed: Cell<bool>,
}

type Old<'a> = FuturesUnordered<LocalBoxFuture<'a, ()>>;

impl<'a> Way<'a> {
    /// A way that is not open yet.
    pub(super) fn new(place: Place<'a>, name: String, end: End) -> Self {
        Self {
            place,
            name,
            end,
            current: watch::channel(None).0,
            wanted: Notify::new(),
            doubted: Notify::new(),
            number: Cell::new(0),
            trouble: RefCell::new(None),
            reported: RefCell::new(None),
            hushed: Cell::new(false),
        }
    }

    /// Opens it, to the pod that was chosen or to one that is now. What is returned must be [kept](Self::keep).
    ///
    /// # Errors
    /// When there is no pod, or it cannot be reached.
    pub(super) async fn open(&self, chosen: Option<Chosen>) -> Result<Keep<'a>> {
        self.end.open(&self.place, self.next_number(), chosen).await
    }

    /// The pod to open it to.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn choose(&self) -> Result<Chosen> {
        self.end.choose(&self.place, &[]).await
    }

    fn next_number(&self) -> u64 {
        self.number.set(self.number.get() + 1);
        self.number.get()
    }

    /// The link of a number greater than `after`, waited for if need be.
    ///
    /// # Errors
    /// When there is none in time.
    pub(super) async fn link(&self, after: u64, deadline: Instant) -> Result<Rc<Link>> {
        let mut current = self.current.subscribe();
        let found = async {
            loop {
                if let Some(link) = current.borrow_and_update().clone().filter(|link| link.number > after) {
                    return link;
                }
                self.wanted.notify_one();
                if current.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
        };
        timeout_at(deadline, found).await.map_err(|_| {
            let error = Error::failed("there is no way there just now");
            match self.trouble.borrow().as_ref() {
                Some(trouble) => error.caused_by(trouble),
                None => error,
            }
        })
    }

    /// Keeps the way open, for as long as this is polled.
    pub(super) async fn keep(&self, first: Keep<'a>) -> Infallible {
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

    /// Whether the pod a link leads to is still there to be connected with.
    pub(super) async fn is_usable(&self, link: &Link) -> bool {
        self.place.cluster.trouble(&link.found).await.is_none()
    }

    /// A connection did not come about: it is looked what is wrong with the pod.
    pub(super) fn doubt(&self) {
        self.doubted.notify_one();
    }

    /// Resolves when new connections do not take this link any more.
    pub(super) async fn replaced(&self, link: &Link) {
        let is_other = |now: &Option<Rc<Link>>| now.as_ref().is_none_or(|now| now.number != link.number);
        let _ = self.current.subscribe().wait_for(is_other).await;
    }

    /// Whether new connections take this link.
    pub(super) fn is_current(&self, link: &Link) -> bool {
        self.current.borrow().as_ref().is_some_and(|current| current.number == link.number)
    }

    /// Something went through: what goes wrong next is new.
    pub(super) fn works(&self) {
        self.reported.replace(None);
    }

    /// Reports what went wrong with a connection, once until something works again.
    pub(super) fn report(&self, text: String) {
        if self.reported.borrow().as_ref() != Some(&text) {
            self.say(&text);
            self.reported.replace(Some(text));
        }
    }

    /// Says what is of no consequence, under `--verbose`.
    pub(super) fn detail(&self, text: &str) {
        self.place.ui.verbose(&format!("{}: {text}", self.name));
    }

    /// From now on the terminal is a program's: events are told under `--verbose` only.
    pub(super) fn hush(&self) {
        self.hushed.set(true);
    }

    fn say(&self, text: &str) {
        match self.hushed.get() {
            true => self.detail(text),
            false => self.place.ui.status(&format!("{}: {text}", self.name)),
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
