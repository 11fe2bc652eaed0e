//! A workload and the role it plays.

use jiff::Timestamp;
use serde::Serialize;

use super::{Exit, Health};
use crate::environment::Kind;

/// One workload of the app. Two workloads may play one role: blue and green.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Role {
    /// The role's name: `web`.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// The workload: `deployment/shop-web`.
    pub workload: String,
    /// How it is.
    pub health: Health,
    /// How many pods there should be; `None` when only the pods themselves could be read.
    pub desired: Option<u32>,
    /// How many pods are ready.
    pub ready: u32,
    /// How many are of the newest revision.
    pub updated: Option<u32>,
    /// How many have been ready for as long as they must be (`minReadySeconds`).
    pub available: Option<u32>,
    /// How often the containers of its pods were started again.
    pub restarts: u32,
    /// The last time one was.
    pub last_restart: Option<LastRestart>,
    /// The image's tag, or the beginning of its digest.
    pub version: String,
    /// The release it says it is: the label `app.kubernetes.io/version`.
    pub release: Option<String>,
    /// The image of the app's container, as the template names it.
    pub image: String,
    /// The digests of the images that run: one, unless a rollout is under way or a tag was pushed again.
    pub digests: Vec<String>,
    /// When the workload was made.
    pub created: Option<Timestamp>,
    /// The rollout that is under way.
    pub rollout: Option<Rollout>,
    /// What scales it.
    pub autoscaler: Option<Autoscaler>,
    /// Who owns it and may change it back: ``Helm release `shop` ``.
    pub managers: Vec<String>,
    /// What keeps it from making pods, as it says itself: a quota, a policy.
    pub failure: Option<String>,
    /// Whether its worker sends periodic tasks, too (`celery worker -B`).
    pub embeds_beat: bool,
    /// When something about it changed last: it was made, or its pods became or ceased to be available.
    #[serde(skip)]
    pub changed: Option<Timestamp>,
    /// Whether its controller gives a rollout up after a time, and says so. A StatefulSet's never does.
    #[serde(skip)]
    pub has_deadline: bool,
    /// The words of its containers' command lines; they may hold what is nobody's business, and are not shown.
    #[serde(skip)]
    pub words: Vec<String>,
}

/// When and how a container ended the last time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastRestart {
    /// The pod.
    pub pod: String,
    /// How it ended.
    #[serde(flatten)]
    pub exit: Exit,
}

/// A rollout that is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rollout {
    /// How it is getting on.
    pub phase: RolloutPhase,
    /// The same in words, as `kubectl rollout status` has it.
    pub text: String,
    /// What holds it, if something does: the first pod of the new revision that is not ready, and why.
    pub held_by: Option<String>,
}

/// How a rollout is getting on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutPhase {
    /// It goes on.
    Progressing,
    /// Somebody paused it.
    Paused,
    /// The rest of it is for somebody to do: `updateStrategy: OnDelete`.
    Waiting,
    /// It did not get anywhere within its deadline.
    Failed,
}

/// What scales a workload by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Autoscaler {
    /// `hpa` or `keda`.
    pub kind: &'static str,
    /// Its name: KEDA's object's, or the HPA's.
    pub name: String,
    /// The least and the most pods.
    pub min: u32,
    /// The most pods.
    pub max: u32,
    /// How many there are by its count.
    pub current: u32,
    /// How many it wants.
    pub wanted: u32,
    /// What keeps it from doing its work, in its own words.
    pub trouble: Option<String>,
}

impl Role {
    /// A workload of which nothing is known yet.
    pub fn new(name: &str, kind: Kind, workload: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            workload: workload.to_owned(),
            health: Health::Ok,
            desired: None,
            ready: 0,
            updated: None,
            available: None,
            restarts: 0,
            last_restart: None,
            version: String::new(),
            release: None,
            image: String::new(),
            digests: Vec::new(),
            created: None,
            rollout: None,
            autoscaler: None,
            managers: Vec::new(),
            failure: None,
            embeds_beat: false,
            changed: None,
            has_deadline: false,
            words: Vec::new(),
        }
    }

    /// `web`; with its workload where another one plays the same role.
    pub fn title(&self, among: &[Role]) -> String {
        let alike = among.iter().filter(|other| other.name == self.name).count();
        if alike > 1 { format!("{} ({})", self.name, self.workload) } else { self.name.clone() }
    }

    /// Whether nothing is meant to run.
    pub fn is_idle(&self) -> bool {
        self.desired == Some(0)
    }

    /// The app of its Celery: what follows `-A`.
    pub fn celery_app(&self) -> Option<&str> {
        let mut words = self.words.iter().flat_map(|word| word.split_whitespace());
        let mut is_next = false;
        words.find_map(|word| {
            let app = if is_next { Some(word) } else { word.strip_prefix("--app=") };
            is_next = matches!(word, "-A" | "--app");
            app
        })
    }

    /// Whether it sends periodic tasks.
    pub fn is_beat(&self) -> bool {
        self.kind == Kind::Beat || self.embeds_beat
    }
}

impl Autoscaler {
    /// `hpa 2-10`, `keda 0-5`.
    pub fn range(&self) -> String {
        format!("{} {}-{}", self.kind, self.min, self.max)
    }

    /// Whether it would like more pods than it may have.
    pub fn is_at_its_limit(&self) -> bool {
        self.max > self.min && self.wanted >= self.max && self.current >= self.max
    }
}

/// The tag of an image, or the beginning of its digest where it has no tag.
pub fn version_of(image: &str) -> String {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    match (last.split_once(':'), digest) {
        (Some((_, tag)), _) => tag.to_owned(),
        (None, Some(digest)) => digest.chars().take("sha256:".len() + 12).collect(),
        (None, None) if image.is_empty() => String::new(),
        (None, None) => "latest".to_owned(),
    }
}

/// An image's name without its tag and its digest.
pub(super) fn repository(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    let at = name.rfind('/').map_or(0, |at| at + 1);
    name[at..].find(':').map_or(name, |tag| &name[..at + tag])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_tag() {
        for (image, expected) in [
            ("registry.acme.dev:5000/shop:1.42", "1.42"),
            ("registry.acme.dev:5000/shop", "latest"),
            ("shop:1.42@sha256:0123456789abcdef", "1.42"),
            ("shop@sha256:0123456789abcdef", "sha256:0123456789ab"),
            ("", ""),
        ] {
            assert_eq!(version_of(image), expected);
        }
    }
}
