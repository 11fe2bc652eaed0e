//! The rights kdj's commands need in the cluster: the one table of them. `kdj doctor` asks the cluster for what stands here,
//! and `docs/rights.md` says what stands here; a test compares the two.

#[cfg(test)]
mod tests;

use std::fmt;

/// A right, as RBAC has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Right {
    /// What may be done: `create`.
    pub verb: &'static str,
    /// To what: `jobs`, `pods/exec`.
    pub resource: &'static str,
}

impl Right {
    /// The API group of the resource; the core's is empty.
    pub fn group(self) -> &'static str {
        match self.resource.split('/').next().unwrap_or_default() {
            "deployments" | "statefulsets" | "replicasets" | "controllerrevisions" => "apps",
            "jobs" => "batch",
            "horizontalpodautoscalers" => "autoscaling",
            "poddisruptionbudgets" => "policy",
            "selfsubjectreviews" => "authentication.k8s.io",
            _ => "",
        }
    }

    /// Whether it is a right in the whole cluster, which a ClusterRole gives.
    pub fn is_of_cluster(self) -> bool {
        matches!(self, Right { verb: "list", resource: "namespaces" } | Right { resource: "selfsubjectreviews", .. })
    }
}

/// `create jobs.batch`, `get pods/exec`.
impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (resource, below) = self.resource.split_once('/').map_or((self.resource, None), |(r, b)| (r, Some(b)));
        write!(f, "{} {resource}", self.verb)?;
        if !self.group().is_empty() {
            write!(f, ".{}", self.group())?;
        }
        below.map_or(Ok(()), |below| write!(f, "/{below}"))
    }
}

/// What a user can do with kdj.
#[derive(Clone, Copy, Debug)]
pub struct Capability {
    /// The commands, or what of them: `shell, pyshell, manage`.
    pub name: &'static str,
    /// Without these they end with an error.
    pub needed: &'static [Right],
    /// Without these they do less, and say so.
    pub helpful: &'static [Right],
}

macro_rules! rights {
    ($($resource:literal: $($verb:literal),+);* $(;)?) => {
        &[$($(Right { verb: $verb, resource: $resource }),+),*]
    };
}

/// What each command needs. The most important stands first: where each right has to be asked for, only so many are.
pub const CAPABILITIES: &[Capability] = &[
    Capability {
        name: "shell, pyshell, manage",
        needed: rights!("pods": "list"; "pods/exec": "get", "create"),
        helpful: rights!(
            "pods": "get"; "replicasets": "list"; "statefulsets": "get", "list"; "services": "list";
            "deployments": "list"; "events": "list", "create"; "selfsubjectreviews": "create";
        ),
    },
    Capability {
        name: "logs",
        needed: rights!("pods": "list"; "pods/log": "get"),
        helpful: rights!("pods": "watch"; "events": "list", "watch"; "jobs": "get"),
    },
    Capability {
        name: "status",
        needed: rights!("pods": "list"),
        helpful: rights!(
            "deployments": "list", "watch"; "statefulsets": "list", "watch"; "replicasets": "list", "watch";
            "horizontalpodautoscalers": "list", "watch"; "events": "list", "watch"; "pods": "watch"; "pods/log": "get";
            "namespaces": "get";
        ),
    },
    Capability {
        name: "status --why",
        needed: rights!("pods": "list"),
        helpful: rights!("pods/log": "get"; "configmaps": "list"),
    },
    Capability {
        name: "run",
        needed: rights!("deployments": "list"; "jobs": "create"; "pods": "list"),
        helpful: rights!(
            "pods": "watch", "get", "create"; "pods/log": "get"; "jobs": "get", "delete"; "statefulsets": "list";
            "services": "list"; "poddisruptionbudgets": "list"; "events": "list";
        ),
    },
    Capability {
        name: "migrate",
        needed: rights!(
            "deployments": "list"; "pods": "list"; "pods/exec": "get", "create"; "jobs": "list", "create", "get";
            "pods/log": "get";
        ),
        helpful: rights!(
            "jobs": "delete", "patch"; "pods": "watch", "get", "create"; "statefulsets": "list"; "services": "list";
            "replicasets": "list"; "poddisruptionbudgets": "list"; "events": "list";
        ),
    },
    Capability {
        name: "dbshell, db",
        needed: rights!("pods": "list"; "pods/exec": "get", "create"),
        helpful: rights!("pods": "get"; "pods/portforward": "get", "create"; "jobs": "create", "delete"),
    },
    Capability {
        name: "forward",
        needed: rights!("pods": "list", "get"; "pods/portforward": "get", "create"),
        helpful: rights!("services": "get", "list"; "pods/exec": "get", "create"; "pods": "watch"),
    },
    Capability {
        name: "scale",
        needed: rights!("deployments": "list"; "deployments/scale": "patch"),
        helpful: rights!(
            "horizontalpodautoscalers": "list"; "statefulsets": "list"; "statefulsets/scale": "patch"; "pods": "list";
            "deployments": "watch"; "statefulsets": "watch"; "pods": "watch"; "events": "list"; "pods/log": "get";
        ),
    },
    Capability {
        name: "restart",
        needed: rights!("deployments": "list", "patch"; "pods": "list"),
        helpful: rights!(
            "statefulsets": "list", "patch", "watch"; "deployments": "watch"; "pods": "watch"; "events": "list";
            "pods/log": "get"; "pods/exec": "get", "create";
        ),
    },
    Capability {
        name: "releases",
        needed: rights!("deployments": "list"; "replicasets": "list"),
        helpful: rights!("pods": "list"; "statefulsets": "list"; "controllerrevisions": "list"),
    },
    Capability {
        name: "rollback",
        needed: rights!("deployments": "list", "patch"; "replicasets": "list"),
        helpful: rights!(
            "pods": "list", "watch"; "statefulsets": "list", "patch", "watch"; "controllerrevisions": "list";
            "pods/exec": "get", "create"; "jobs": "create", "delete"; "deployments": "watch"; "events": "list";
            "pods/log": "get";
        ),
    },
    Capability {
        name: "jobs",
        needed: rights!("jobs": "list", "get"),
        helpful: rights!("jobs": "delete"; "pods": "list", "watch"; "pods/log": "get"),
    },
    Capability {
        name: "--fresh, sessions, gc",
        needed: rights!(
            "deployments": "list"; "jobs": "create", "list", "get", "delete"; "pods": "list"; "pods/exec": "get", "create";
        ),
        helpful: rights!(
            "pods": "watch", "get", "create"; "statefulsets": "list"; "services": "list"; "poddisruptionbudgets": "list";
            "events": "list";
        ),
    },
    Capability {
        name: "config",
        needed: rights!("deployments": "list"; "configmaps": "get"),
        helpful: rights!(
            "secrets": "get"; "statefulsets": "list"; "services": "list"; "pods": "list"; "pods/exec": "get", "create";
        ),
    },
    Capability { name: "audit", needed: &[], helpful: rights!("events": "list"; "jobs": "list") },
    Capability { name: "envs --live", needed: rights!("pods": "list"), helpful: rights!("namespaces": "list") },
];

/// All rights of the table, the most important first.
pub fn all() -> Vec<Right> {
    let mut all: Vec<Right> = Vec::new();
    let needed = CAPABILITIES.iter().flat_map(|capability| capability.needed);
    for right in needed.chain(CAPABILITIES.iter().flat_map(|capability| capability.helpful)) {
        if !all.contains(right) {
            all.push(*right);
        }
    }
    all
}
