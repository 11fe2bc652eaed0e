//! Asks the clusters: all at once, each with a time limit, and what one of them has to say stops no other.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use futures::future::join_all;
use tokio::sync::Mutex;

use crate::{
    cluster::{Cluster, Kubeconfig, PluginCall, Survey},
    config::Config,
    connection,
    environment::{self, Environment, KubeContext, Overrides},
    error::{Error, Result},
    exit::Exit,
    explained::Explained,
    init::Found,
    kubectl, names,
    options::Options,
    ui::Ui,
};

/// How long a credential plugin may take that nobody is asked about.
const LOGIN_LIMIT: Duration = Duration::from_secs(15);
/// So often one command may not answer; as another profile it might.
const MOST_STUCK: usize = 3;

/// What to look for, and where.
pub(super) struct Look<'a> {
    kubeconfig: &'a Kubeconfig,
    contexts: Vec<KubeContext>,
    pub(super) options: &'a Options,
    config: &'a Config,
    pub(super) ui: &'a Ui,
    /// Whose turn it is to run a credential plugin that may open a browser; those that did not answer.
    stuck: Mutex<Vec<PluginCall>>,
}

/// What came of one context.
pub(super) struct Answer {
    /// The context.
    pub(super) context: KubeContext,
    /// Its cluster and what was found there, or why nothing could be.
    pub(super) outcome: Result<(Cluster, Survey), (Error, Trouble)>,
}

/// What kept a context from telling anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// There are no credentials, or they are not accepted.
    Login {
        /// Whether the context's plugin could ask for some.
        could_ask: bool,
    },
    /// The user may not look.
    Forbidden,
    /// Anything else: the cluster does not answer.
    Silent,
}

impl Answer {
    /// What was found, if it answered.
    pub(super) fn found(&self) -> Option<Found> {
        let (_, survey) = self.outcome.as_ref().ok()?;
        Some(Found { context: self.context.clone(), apps: survey.apps.clone() })
    }
}

impl<'a> Look<'a> {
    /// All contexts, or the one that `--context` names.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn new(
        kubeconfig: &'a Kubeconfig,
        options: &'a Options,
        config: &'a Config,
        ui: &'a Ui,
    ) -> Result<Self> {
        let mut contexts = kubeconfig.contexts();
        if let (Some(wanted), Some(any)) = (&options.overrides.context, contexts.first()) {
            // Says what is wrong with the name of a context that does not exist.
            environment::resolve(&format!("{}/default", any.name), config, &contexts, &options.overrides)?;
            contexts.retain(|context| context.name == *wanted);
        }
        if contexts.is_empty() {
            return Err(Error::usage("the kubeconfig has no contexts")
                .hint("your cluster's provider writes one: `aws eks update-kubeconfig`, `gcloud container clusters get-credentials`, ..."));
        }
        Ok(Self { kubeconfig, contexts, options, config, ui, stuck: Mutex::default() })
    }

    /// The contexts that are asked.
    pub(super) fn contexts(&self) -> &[KubeContext] {
        &self.contexts
    }

    /// Says what would be asked, as kubectl commands.
    pub(super) fn explain(&self) -> Result<Exit> {
        self.ui.status("would make these requests, and more where they are refused; nothing was done");
        let mut text = String::new();
        for context in &self.contexts {
            let namespace = self.options.overrides.namespace.as_deref();
            let mut words = kubectl::prefix(self.options, &context.name, namespace);
            words.extend(["get", "pods"].map(str::to_owned));
            if namespace.is_none() {
                words.push("--all-namespaces".to_owned());
            }
            text.push_str(&format!("{}\n", kubectl::line(&words)));
        }
        self.ui.data(&text)?;
        Ok(Exit::Success)
    }

    /// Asks all of them at once.
    pub(super) async fn ask(&self) -> Vec<Answer> {
        let total = self.contexts.len();
        let what = format!("looking for Django by {total} contexts");
        // A plugin may ask at the terminal, where a line that moves would stand in its way.
        let live = (!self.may_ask()).then(|| RefCell::new(self.ui.live(&what)));
        let through = Cell::new(0);
        let asking = self.contexts.iter().map(|context| async {
            let outcome = self.ask_one(context).await;
            through.set(through.get() + 1);
            if let Some(live) = &live {
                let done = through.get();
                live.borrow_mut().show(&format!("{what}, {done} of them done; `--context` asks one alone"));
            }
            Answer { context: context.clone(), outcome }
        });
        join_all(asking).await
    }

    /// Whether a credential plugin may ask: not for contexts that nobody has named, of which there may be dozens.
    fn may_ask(&self) -> bool {
        self.contexts.len() == 1
    }

    async fn ask_one(&self, context: &KubeContext) -> Result<(Cluster, Survey), (Error, Trouble)> {
        let environment = self.environment(context).map_err(|error| (error, Trouble::Silent))?;
        let opened = if self.may_ask() {
            connection::open(&environment, self.kubeconfig, self.options, self.ui).await
        } else {
            self.open_in_turn(&environment).await
        };
        let could_ask = !self.may_ask() && !self.kubeconfig.never_asks(&context.name);
        let trouble = |error: Error| {
            let trouble = match error.is_forbidden() {
                true => Trouble::Forbidden,
                false if error.is_about(Explained::Credentials) => Trouble::Login { could_ask },
                false => Trouble::Silent,
            };
            (error, trouble)
        };
        let cluster = opened.map_err(trouble)?;
        let survey = async {
            match self.options.overrides.namespace {
                Some(_) => cluster.survey_one(&environment).await,
                None => cluster.survey(&environment).await,
            }
        };
        let survey = if self.may_ask() {
            self.ui.waiting(&format!("looking for Django by context {}", context.name), survey).await
        } else {
            survey.await
        };
        let survey = survey.map_err(trouble)?;
        Ok((cluster, survey))
    }

    /// Opens a connection for which nothing is asked. A plugin that does not promise that it never asks may open a browser:
    /// these run one after the other, and one that did not answer is not run again for the next context.
    async fn open_in_turn(&self, environment: &Environment) -> Result<Cluster> {
        let open = || connection::open_silently(environment, self.kubeconfig, self.options, LOGIN_LIMIT, self.ui);
        if self.kubeconfig.never_asks(&environment.context) {
            return open().await;
        }
        let Some(call) = self.kubeconfig.plugin_call(&environment.context) else { return open().await };
        let mut stuck = self.stuck.lock().await;
        let alike = stuck.iter().filter(|other| other.command == call.command).count();
        if stuck.contains(&call) || alike >= MOST_STUCK {
            let contexts = if alike == 1 { "another context".to_owned() } else { format!("{alike} other contexts") };
            let plugin = names::shown(&call.command);
            return Err(Error::failed(format!("the credential plugin `{plugin}` is not run again"))
                .caused_by(format!("it did not answer for {contexts}")));
        }
        let start = Instant::now();
        let opened = open().await;
        if opened.is_err() && start.elapsed() >= LOGIN_LIMIT {
            stuck.push(call);
        }
        opened
    }

    /// The place to begin with: the namespace that was asked for, else the context's own.
    fn environment(&self, context: &KubeContext) -> Result<Environment> {
        let namespace = self.options.overrides.namespace.as_deref().unwrap_or_else(|| context.namespace_or_default());
        let name = format!("{}/{namespace}", context.name);
        environment::resolve(&name, self.config, &self.kubeconfig.contexts(), &Overrides::default())
    }
}
