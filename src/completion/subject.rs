//! What a word names that is completed, and how old an answer may be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::memory::{Known, Learned};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// The roles.
    Roles,
    /// The containers of the roles' pods.
    Containers,
    /// The pods.
    Pods,
    /// The jobs.
    Jobs,
    /// The sessions.
    Sessions,
    /// What can be forwarded to.
    Targets,
    /// What only a look into the app can tell: it is never asked for.
    App,
}

impl Subject {
    /// How old an answer may be that is taken without asking. Roles come and go seldom.
    pub(super) fn fresh(self) -> Duration {
        Duration::from_secs(match self {
            Subject::Roles | Subject::Containers | Subject::Targets => 10 * 60,
            Subject::Pods => 20,
            Subject::Jobs | Subject::Sessions => 10,
            Subject::App => 0,
        })
    }

    /// How old it may be when no newer one can be had in time.
    pub fn usable(self) -> Duration {
        Duration::from_secs(match self {
            Subject::Jobs | Subject::Sessions => 60 * 60,
            Subject::Pods => 24 * 60 * 60,
            Subject::Roles | Subject::Containers | Subject::Targets | Subject::App => 30 * 24 * 60 * 60,
        })
    }

    pub(super) fn is_fresh(self, known: &Known) -> bool {
        fn within<T>(learned: &Option<Learned<T>>, time: Duration) -> bool {
            learned.as_ref().is_some_and(|learned| learned.is_within(time))
        }
        let fresh = self.fresh();
        match self {
            Subject::Roles => within(&known.roles, fresh) || within(&known.pods, fresh),
            Subject::Containers | Subject::Pods => within(&known.pods, fresh),
            Subject::Jobs => within(&known.jobs, fresh),
            Subject::Sessions => within(&known.sessions, fresh),
            Subject::Targets => within(&known.targets, fresh),
            Subject::App => true,
        }
    }
}
