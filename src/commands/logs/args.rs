//! What is typed after `kdj logs`.

mod show;
#[cfg(test)]
mod tests;
mod time;

use jiff::Timestamp;
use regex::Regex;

use self::{
    show::{FilterArgs, ShowArgs},
    time::time,
};
use crate::{
    cluster::{Containers, LogsWanted, PodNames},
    config::Config,
    error::{Error, Result},
    logs::{self, Filter, Format, TextOptions},
    ui::StdoutIs,
};

/// How many lines of each container come first when logs are followed and nothing else is said.
const TAIL: i64 = 50;

/// Arguments of `kdj logs`.
#[derive(Debug, clap::Args)]
#[command(after_help = "T is a time ago (15m, 2h, 3d) or a point in time (10:42, \"2026-11-21 10:42\", RFC 3339).\n\
    Joins, leaves and gaps are told on stderr.")]
pub struct LogsArgs {
    /// Environment, and roles or workloads in it (default: all of the app's); ENV:ROLE for several environments
    #[arg(value_name = "ENV[:ROLE]", required_unless_present = "stdin")]
    places: Vec<String>,

    /// Go on with what is still to come (the default)
    #[arg(short, long, overrides_with = "no_follow")]
    follow: bool,

    /// Print what there is, and end
    #[arg(long, overrides_with = "follow")]
    no_follow: bool,

    /// Lines from this time on
    #[arg(long, visible_alias = "since-time", value_name = "T", value_parser = time)]
    since: Option<Timestamp>,

    /// Lines up to this time; does not follow
    #[arg(long, value_name = "T", value_parser = time)]
    until: Option<Timestamp>,

    /// The last N lines of each container, or all (default: 50 when following, all otherwise)
    #[arg(long, value_name = "N", value_parser = tail, allow_hyphen_values = true)]
    tail: Option<Tail>,

    /// Containers' logs from before their last restart; does not follow
    #[arg(short, long)]
    previous: bool,

    /// Pods whose names match
    #[arg(long, value_name = "REGEX")]
    pod: Option<Regex>,

    /// Container, instead of the app's
    #[arg(short, long, conflicts_with = "all_containers")]
    container: Option<String>,

    /// All containers, init containers too
    #[arg(long)]
    all_containers: bool,

    /// Pods with these labels, in kubectl's syntax
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    selector: Option<String>,

    /// The pods of this job, any job
    #[arg(long, value_name = "NAME", conflicts_with_all = ["pod", "selector"])]
    job: Option<String>,

    /// What the cluster says of the pods, too: restarts, failed probes, rollouts
    #[arg(long)]
    events: bool,

    /// Read lines from stdin instead of a cluster
    #[arg(long, conflicts_with_all = ["places", "follow", "previous", "pod", "container", "all_containers", "selector", "job", "events", "tail"])]
    pub stdin: bool,

    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    show: ShowArgs,
}

/// How many lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    All,
    Last(i64),
}

/// One environment, and what of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The environment's name.
    pub environment: String,
    /// The roles; none means all of the app's.
    pub roles: Vec<String>,
}

impl LogsArgs {
    /// Whether what is still to come is wanted.
    pub fn follows(&self) -> bool {
        !self.no_follow && !self.previous && self.until.is_none() && !self.stdin
    }

    /// The environments, each once, with their roles.
    ///
    /// # Errors
    /// When there is none, or roles stand with a job, which alone says which pods.
    pub fn places(&self) -> Result<Vec<Place>> {
        let mut places: Vec<Place> = Vec::new();
        let mut last = None;
        for word in &self.places {
            let (environment, role) = match (split(word), last) {
                ((role, None), Some(last)) => (last, Some(role)),
                (place, _) => place,
            };
            join(&mut places, environment, role);
            last = Some(environment);
        }
        if places.is_empty() {
            return Err(Error::usage("an environment is needed: `kdj logs ENV [ROLE]...`"));
        }
        let asked = places.iter().find_map(|place| Some((&place.environment, place.roles.first()?)));
        if let (Some(job), Some((environment, role))) = (&self.job, asked) {
            return Err(Error::usage(format!("a role (`{role}`) and `--job` exclude each other"))
                .hint(format!("all pods of the job: `kdj logs {environment} --job {job}`")));
        }
        Ok(places)
    }

    /// What is done with the lines.
    ///
    /// # Errors
    /// When a regular expression is none.
    pub fn pipeline(&self, stdout: StdoutIs, config: &Config) -> Result<logs::Options> {
        let options = show::options(&self.filter, &self.show, stdout, config)?;
        let logs::Options { filter, format, .. } = options;
        let filter = Filter { since: self.since, until: self.until, ..filter };
        let format = match format {
            // A file has no name worth repeating.
            Format::Text(text) => Format::Text(TextOptions { prefix: !self.stdin, ..text }),
            format => format,
        };
        // A pipe may be live.
        let follow = self.follows() || self.stdin;
        Ok(logs::Options { follow, stdin: self.stdin, filter, format, ..options })
    }

    /// What is wanted of one environment.
    pub fn wanted(&self, place: &Place) -> LogsWanted {
        let follow = self.follows();
        let tail = match self.tail {
            Some(Tail::All) => None,
            Some(Tail::Last(lines)) => Some(lines),
            None => (follow && self.since.is_none()).then_some(TAIL),
        };
        let containers = match &self.container {
            _ if self.all_containers => Containers::All,
            Some(name) => Containers::Named(name.clone()),
            None => Containers::App,
        };
        let pod = self.pod.clone().map(|pod| Box::new(move |name: &str| pod.is_match(name)) as PodNames);
        LogsWanted {
            roles: place.roles.clone(),
            pod,
            selector: self.selector.clone(),
            containers,
            job: self.job.clone(),
            since: self.since,
            until: self.until,
            tail,
            previous: self.previous,
            follow,
            events: self.events,
        }
    }
}

/// `qa:web` is a role of `qa`. What has a slash behind its last colon is none: `arn:aws:eks:…:cluster/shop/qa`.
fn split(word: &str) -> (&str, Option<&str>) {
    match word.rsplit_once(':') {
        Some((environment, role)) if !environment.is_empty() && !role.is_empty() && !role.contains('/') => {
            (environment, Some(role))
        }
        _ => (word, None),
    }
}

fn join(places: &mut Vec<Place>, environment: &str, role: Option<&str>) {
    let roles = role.map(str::to_owned);
    match places.iter_mut().find(|place| place.environment == environment) {
        Some(place) => place.roles.extend(roles),
        None => places.push(Place { environment: environment.to_owned(), roles: roles.into_iter().collect() }),
    }
}

fn tail(text: &str) -> Result<Tail, String> {
    match text {
        "all" | "-1" => Ok(Tail::All),
        _ => text
            .parse()
            .ok()
            .filter(|lines| *lines >= 0)
            .map(Tail::Last)
            .ok_or_else(|| "a number of lines is expected, or `all`".to_owned()),
    }
}
