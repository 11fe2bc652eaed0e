//! The session itself: opened, copied to its end, and tried again where that is safe.

use super::{Program, banner, explain, outcome, own::Own, pod_cache};
use crate::{
    cluster::{Cluster, Ending, Exec, ExecStdin, NotOpened, Session, Target, Unread, Wanted, leave},
    environment::Environment,
    error::{Error, Result},
    exit::{Exit, Failure},
    options::Options,
    ui::{
        Ui,
        terminal::{Framed, LocalSide, Stdin, interrupted},
    },
};

/// So much fits into the pipe to a program that does not read yet; a quarter of Linux' 64 KiB.
const ROOM: usize = 16 * 1024;

/// Where a session opens.
pub struct Place<'a> {
    /// The connection to its cluster.
    pub cluster: &'a Cluster,
    /// The environment.
    pub environment: &'a Environment,
    /// What is looked for.
    pub wanted: Wanted,
    /// The pod's Job, when the pod is the session's own.
    pub(super) own: Option<Own>,
    /// What the banner says of the session before a person starts to type; absent of a shell in a container.
    pub(super) says: Option<String>,
    /// Where kdj writes.
    pub ui: &'a Ui,
}

impl<'a> Place<'a> {
    /// A running pod.
    pub fn new(cluster: &'a Cluster, environment: &'a Environment, wanted: Wanted, ui: &'a Ui) -> Self {
        Self { cluster, environment, wanted, own: None, says: None, ui }
    }

    /// Has the banner say `what` and how to leave, in the place of what is said of a shell.
    pub fn saying(self, what: String) -> Self {
        Self { says: Some(what), ..self }
    }

    /// Runs the program in `target`, or in another pod when that went away, and ends as it ends.
    ///
    /// # Errors
    /// When it cannot be started, when the connection is lost, or when a signal ends kdj.
    pub async fn run(&self, target: Target, program: Program) -> Result<Exit> {
        let (named, ending) = self.session(target, program).await?;
        outcome::of(ending, &named, self).await
    }

    /// Opens the session and copies bytes until it ends. Another try follows when the words to execute begin with a
    /// program the image lacks and there are others, and, once, when the container was not running.
    pub(super) async fn session(&self, mut target: Target, program: Program) -> Result<(Named, Ending)> {
        let Program { alternatives, tty, stdin, kept, name, mode } = program;
        let reads = match &stdin {
            Stdin::Closed => ExecStdin::Absent,
            Stdin::Bytes { first, then_local: false } if first.len() <= ROOM => ExecStdin::AtOnce,
            Stdin::Framed { then: Framed::Bytes(bytes), .. } if bytes.len() <= ROOM => ExecStdin::AtOnce,
            Stdin::Local | Stdin::Bytes { .. } | Stdin::Framed { .. } => ExecStdin::Streamed,
        };
        // The others know from what they read that no more comes.
        let waits_for_end = matches!(stdin, Stdin::Local | Stdin::Bytes { then_local: true, .. });
        // Its stdin says so; at a terminal a companion does.
        let ends = matches!(stdin, Stdin::Framed { .. }) || self.says.is_some();
        let mut replaced = false;
        let mut alternatives = alternatives.into_iter();
        let Some(mut argv) = alternatives.next() else { return Err(Error::failed("there is nothing to execute")) };
        let opening = self.open(&mut target, &argv, tty, reads, kept, &mut replaced);
        let mut session = match &self.own {
            None => opening.await?,
            // The signals are kdj's since its pod was made.
            Some(_) => tokio::select! {
                opened = opening => opened?,
                number = interrupted() => {
                    return Err(Error::new(Failure::Signal(number), "interrupted before the session began"));
                }
            },
        };
        banner::show(self, &target, tty, mode);
        if waits_for_end && !tty && !session.supports_half_close() {
            self.ui.warning("this API server cannot pass on the end of input (channel protocol v4): a command that reads to the end will wait");
        }
        let attached = LocalSide::attach(tty, stdin);
        let (side, mut streams) =
            attached.map_err(|error| Error::new(Failure::Lost, "cannot use the terminal").caused_by(error))?;
        let mut unread = Unread::default();
        let ending = loop {
            let ending = session.run(&mut streams, &mut unread).await;
            let gone = match ending {
                Ending::NotFound(_) if unread.is_whole() => match alternatives.next() {
                    Some(other) => {
                        argv = other;
                        false
                    }
                    None => break ending,
                },
                Ending::Gone(_) if unread.is_whole() && !replaced && self.wanted.pod.is_none() => true,
                _ => break ending,
            };
            side.pause();
            let open = async {
                if gone {
                    self.replace(&mut target, &mut replaced).await?;
                }
                self.open(&mut target, &argv, tty, reads, kept, &mut replaced).await
            };
            session = tokio::select! {
                opened = open => opened?,
                ending = leave(&mut streams.control) => break ending,
            };
            side.resume();
        };
        drop(streams);
        let calm = !matches!(ending, Ending::Exited(_) | Ending::OutputClosed);
        let leave = matches!(ending, Ending::Left | Ending::Signal(_));
        let unread = side.unread().map(ToString::to_string);
        let named = Named { target, name, ends };
        match side.finish(calm, leave).await {
            Ok(None) => match unread {
                None => Ok((named, ending)),
                Some(error) => {
                    let name = &named.name;
                    Err(Error::failed(format!("cannot read what {name} was to read: {name} was ended"))
                        .caused_by(error)
                        .hint("what it had read before may have been run"))
                }
            },
            Ok(Some(signal)) => Ok((named, Ending::Signal(signal))),
            // What the command did after that nobody knows.
            Err(error) => Err(Error::new(Failure::Lost, "cannot write the output").caused_by(error)),
        }
    }

    /// Says what would be done, as a kubectl command, and does nothing.
    ///
    /// # Errors
    /// When there is no pod for it.
    pub async fn explain(&self, program: &Program, reads_only: bool, options: &Options) -> Result<Exit> {
        let target = self.ui.waiting("choosing a pod", self.cluster.target(self.environment, &self.wanted)).await?;
        explain::confirmation(self.environment, reads_only, self.ui);
        explain::show(self.environment, &target, program, options, self.ui)
    }

    /// The pod to use: the one used a moment ago, or one chosen anew.
    ///
    /// # Errors
    /// When there is none.
    pub async fn target(&self) -> Result<Target> {
        if let Some(target) = pod_cache::read(self.environment, &self.wanted, self.cluster) {
            self.ui.verbose(&format!("using pod {} again, chosen a moment ago", target.pod));
            return Ok(target);
        }
        self.choose(&self.wanted).await
    }

    async fn choose(&self, wanted: &Wanted) -> Result<Target> {
        let target = self.ui.waiting("choosing a pod", self.cluster.target(self.environment, wanted)).await?;
        pod_cache::write(self.environment, &self.wanted, self.cluster, &target);
        Ok(target)
    }

    /// Opens the session; when the pod went away meanwhile, in another one, once. A pod asked for by name is never
    /// replaced.
    pub(super) async fn open(
        &self,
        target: &mut Target,
        argv: &[String],
        tty: bool,
        stdin: ExecStdin,
        kept: bool,
        replaced: &mut bool,
    ) -> Result<Session> {
        loop {
            let Target { namespace, pod, container, .. } = &*target;
            let exec = Exec { namespace, pod, container, argv, tty, stdin, kept };
            let waited = format!("opening a session in pod {pod}");
            match self.ui.waiting(&waited, self.cluster.exec(exec)).await {
                Err(NotOpened::Gone(_)) if !*replaced && self.wanted.pod.is_none() => {
                    self.replace(target, replaced).await?;
                }
                opened => return opened.map_err(Error::from),
            }
        }
    }

    /// Chooses another pod in the place of one that turned out to be gone, and says so.
    async fn replace(&self, target: &mut Target, replaced: &mut bool) -> Result<()> {
        pod_cache::forget(self.environment, &self.wanted, self.cluster);
        let wanted = Wanted { exclude: vec![target.pod.clone()], ..self.wanted.clone() };
        let gone = std::mem::replace(target, self.choose(&wanted).await?);
        *replaced = true;
        self.ui.status(&format!("pod {} went away; using {}", gone.pod, target.pod));
        Ok(())
    }
}

/// A target, and what ran in it.
pub(super) struct Named {
    pub(super) target: Target,
    pub(super) name: String,
    /// Whether it ends with kdj.
    pub(super) ends: bool,
}
