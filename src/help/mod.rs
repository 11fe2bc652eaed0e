//! The pages of the documentation that kdj carries with it: `kdj help TOPIC`. Pure.

mod page;

pub use self::page::render;

/// A page.
pub struct Topic {
    /// What to type.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its Markdown.
    pub text: &'static str,
}

macro_rules! topics {
    ($($name:literal, $file:literal, $about:literal;)*) => {
        /// All pages, in the order in which they are listed.
        pub const TOPICS: &[Topic] =
            &[$(Topic { name: $name, about: $about, text: include_str!(concat!("../../docs/", $file)) }),*];
    };
}

topics! {
    "getting-started", "getting-started.md", "From nothing to a shell in five minutes";
    "environments", "environments.md", "What a name means, and how it is found";
    "configuration", "configuration.md", "kdj.toml, the user file, variables, aliases";
    "completion", "completion.md", "What a Tab completes, and in which shells";
    "sessions", "sessions.md", "Shells: which pod, which role, how they end";
    "databases", "databases.md", "dbshell and db: clients, read-only sessions, locks, dumps";
    "jobs", "jobs.md", "Commands that outlive the laptop";
    "migrations", "migrations.md", "Plan, lint, lock, receipt";
    "logs", "logs.md", "The logs of all pods as one";
    "status", "status.md", "What runs, what is broken, and why";
    "operating", "operating.md", "Scale, restart, releases, rollback, config";
    "forwarding", "forwarding.md", "Local ports that lead into an environment";
    "protected", "protection.md", "Protected environments: what asks, what is recorded";
    "rights", "rights.md", "What the cluster must permit, verb by verb";
    "doctor", "doctor.md", "The checks, and what to do about each";
    "troubleshooting", "troubleshooting.md", "From what kdj said to the check that explains it";
    "cookbook", "cookbook.md", "EKS, GKE, AKS, Teleport, Argo CD, continuous integration";
    "coming-from", "coming-from.md", "From kubectl, ridectl, heroku: what is called how";
    "exit-codes", "exit-codes.md", "What the numbers mean";
}

/// The page of this name.
pub fn find(name: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_can_be_read_at_a_terminal() {
        for topic in TOPICS {
            let text = render(topic.text, 80, &|heading| format!("<{heading}>"));
            assert!(text.starts_with('<'), "{}: {}", topic.name, text.lines().next().unwrap_or_default());
            assert!(!text.contains("]("), "{}: a link is left", topic.name);
            assert!(!text.contains("```"), "{}: a fence is left", topic.name);
            assert!(topic.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", topic.name);
        }
    }
}
