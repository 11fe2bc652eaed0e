//! The pods whose logs are read, as they come and go.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    pin::Pin,
    rc::Rc,
};

use futures::stream::FuturesUnordered;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use tokio::sync::{Semaphore, mpsc, watch};

use super::{
    super::{
        Cluster,
        target::{Roles, workload_of},
    },
    Announcement,
    container::ContainerLog,
    descriptors,
    events::Known,
    reader::Reader,
    run::{self, Runs},
    wanted::{Chosen, LogsWanted},
};
use crate::{
    environment::Environment,
    error::{Error, Result},
    logs::{Event, Source},
};

/// How many batches of one container wait to be shown.
const WAITING: usize = 2;

/// One container that is read: its pod's uid and its name.
type Key = (String, String);

type Reading<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// What is read at the moment.
pub(super) struct Pods<'a> {
    cluster: &'a Cluster,
    environment: &'a Environment,
    wanted: &'a LogsWanted,
    roles: &'a Roles<'a>,
    streams: &'a mpsc::UnboundedSender<Announcement>,
    ramp: &'a Semaphore,
    say: &'a dyn Fn(String),
    /// What each container tells its reader of its runs.
    known: HashMap<Key, watch::Sender<Runs>>,
    /// The pods that were seen and what controls them.
    objects: Rc<Known>,
    /// What reads them.
    pub(super) readers: FuturesUnordered<Reading<'a>>,
    /// The roles asked for of which no pod was seen.
    missing: HashSet<&'a str>,
    /// Whether the pods that are there have all been seen.
    has_begun: bool,
    were_seen: bool,
    room: usize,
    read: usize,
    first_failure: Option<Error>,
}

impl<'a> Pods<'a> {
    pub(super) fn new(
        cluster: &'a Cluster,
        environment: &'a Environment,
        wanted: &'a LogsWanted,
        roles: &'a Roles<'a>,
        streams: &'a mpsc::UnboundedSender<Announcement>,
        (ramp, say): (&'a Semaphore, &'a dyn Fn(String)),
    ) -> Self {
        Self {
            cluster,
            environment,
            wanted,
            roles,
            streams,
            ramp,
            say,
            known: HashMap::new(),
            objects: Rc::default(),
            readers: FuturesUnordered::new(),
            missing: wanted.roles.iter().map(String::as_str).collect(),
            has_begun: false,
            were_seen: false,
            room: descriptors::room(),
            read: 0,
            first_failure: None,
        }
    }

    /// From here on, pods are new ones.
    pub(super) fn begin(&mut self) {
        self.has_begun = true;
    }

    /// The pods that were seen and what controls them, as they become known.
    pub(super) fn objects(&self) -> Rc<Known> {
        Rc::clone(&self.objects)
    }

    /// Whether nothing is read.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether there is a pod as asked for, if not a container.
    pub(super) fn were_seen(&self) -> bool {
        self.were_seen
    }

    /// A role that was asked for and has no pod.
    pub(super) fn missing_role(&self) -> Option<&'a str> {
        self.wanted.roles.iter().map(String::as_str).find(|role| self.missing.contains(role))
    }

    /// Looks at a pod: what of it is not read yet is from now on.
    pub(super) fn see(&mut self, pod: &Pod) {
        let Some(chosen) = self.wanted.of(pod, self.environment, self.roles) else { return };
        self.were_seen = true;
        self.objects.add(format!("pod/{}", pod.name_any()));
        self.objects.add(chosen.owner.clone());
        if !self.missing.is_empty() {
            let workload = workload_of(pod, self.roles);
            self.missing.retain(|role| !workload.is_meant_by(role));
        }
        let uid = run::uid(pod);
        for container in &chosen.containers {
            let runs = self.runs(pod, container);
            match self.known.get(&(uid.clone(), container.clone())) {
                Some(known) => {
                    known.send_if_modified(|old| std::mem::replace(old, runs.clone()) != runs);
                }
                None => self.add(&uid, pod, container, &chosen, runs),
            }
        }
    }

    /// A pod is gone.
    pub(super) fn forget(&mut self, uid: &str) {
        self.known.retain(|(of, _), runs| {
            if of == uid {
                runs.send_modify(|runs| (runs.is_gone, runs.is_last) = (true, true));
            }
            of != uid
        });
    }

    /// Forgets what is not among these.
    pub(super) fn keep(&mut self, pods: &[Pod]) {
        let there: HashSet<String> = pods.iter().map(run::uid).collect();
        let gone: HashSet<String> =
            self.known.keys().map(|(uid, _)| uid).filter(|uid| !there.contains(*uid)).cloned().collect();
        gone.iter().for_each(|uid| self.forget(uid));
    }

    /// What became of one of the readers.
    pub(super) fn count(&mut self, read: Option<Result<()>>) {
        match read {
            Some(Ok(())) => self.read += 1,
            Some(Err(error)) => {
                self.first_failure.get_or_insert(error);
            }
            None => {}
        }
    }

    /// Whether there was nothing but failures, and nothing is read any more.
    pub(super) fn has_only_failed(&self) -> bool {
        self.first_failure.is_some() && self.read == 0
    }

    /// What came of it all: an error where something could not be read.
    pub(super) fn outcome(&mut self) -> Result<()> {
        self.first_failure.take().map_or(Ok(()), Err)
    }

    /// Announces a stream; `None` when nobody wants to know.
    pub(super) fn announce(&self) -> Option<mpsc::Sender<Vec<Event>>> {
        let (out, events) = mpsc::channel(WAITING);
        self.streams.send(Announcement::Stream(events)).ok().map(|()| out)
    }

    fn runs(&self, pod: &Pod, container: &str) -> Runs {
        let runs = Runs::of(pod, container);
        match self.wanted {
            LogsWanted { previous: true, .. } => runs.before().stopped(),
            LogsWanted { follow: false, .. } => runs.stopped(),
            _ => runs,
        }
    }

    fn add(&mut self, uid: &str, pod: &Pod, container: &str, chosen: &Chosen, runs: Runs) {
        if self.readers.len() >= self.room {
            let (short, room) = (&chosen.short, self.room);
            (self.say)(format!(
                "{short} is not read: {room} logs are, and there may not be more open files; raise `ulimit -n`"
            ));
            return;
        }
        let source = Source {
            environment: self.environment.name.clone(),
            role: chosen.role.clone(),
            pod: pod.name_any(),
            container: container.to_owned(),
            instance: 0,
            short: chosen.short.clone(),
        };
        let (sender, runs) = watch::channel(runs);
        let Some(out) = self.announce() else { return };
        self.known.insert((uid.to_owned(), container.to_owned()), sender);
        let (cluster, wanted, ramp, say, is_new) = (self.cluster, self.wanted, self.ramp, self.say, self.has_begun);
        let (namespace, uid) = (&self.environment.namespace, uid.to_owned());
        self.readers.push(Box::pin(async move {
            let Source { pod, container, .. } = source.clone();
            let log = ContainerLog { cluster, namespace, pod: &pod, uid: Some(&uid), container: &container, ramp };
            Reader { log, wanted, source, runs, out, is_new, say }.read().await
        }));
    }
}
