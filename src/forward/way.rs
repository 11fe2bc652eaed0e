//! The way to one target, kept open: when its tunnel goes, another takes its place, to a ready pod, and says so once.

mod keep;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout_at},
};

use super::{
    Place,
    link::{Chosen, End, Keep, Link},
};
use crate::error::{Error, Result};

/// How long a connection waits for a way.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

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
