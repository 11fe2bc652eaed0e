//! Which lines are shown, and how.

use jiff::tz::TimeZone;

use crate::{
    config::{Config, Sourced},
    error::Result,
    logs::{self, Filter, Format, Id, Json, Level, TextOptions},
    ui::StdoutIs,
};

/// Which lines are shown. A traceback is one line in this.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Which lines")]
pub(super) struct FilterArgs {
    /// Lines that match, or that match one of several; they are marked, too
    #[arg(short, long, value_name = "REGEX")]
    include: Vec<String>,

    /// Lines that do not match
    #[arg(short, long, value_name = "REGEX")]
    exclude: Vec<String>,

    /// Lines of this level or worse: debug, info, warning, error, critical
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    level: Option<Level>,

    /// Tracebacks and logged exceptions
    #[arg(long)]
    exceptions: bool,

    /// Exceptions that are the same counted as one, with one example
    #[arg(long)]
    group: bool,

    /// Lines about one request, by its id
    #[arg(long, value_name = "ID")]
    request: Vec<String>,

    /// Lines about one Celery task, by its id
    #[arg(long, value_name = "ID")]
    task: Vec<String>,
}

/// How lines are shown.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How they are shown")]
pub(super) struct ShowArgs {
    /// How to show them
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,

    /// Mark what matches
    #[arg(short = 'H', long, value_name = "REGEX")]
    highlight: Vec<String>,

    /// Of JSON lines only these fields, behind the message
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    fields: Option<Vec<String>>,

    /// Each line's time
    #[arg(short, long)]
    timestamps: bool,

    /// Times in UTC instead of local time
    #[arg(long)]
    utc: bool,

    /// How lines of several pods are put in order
    #[arg(long, value_enum, default_value_t = Ordering::Time)]
    order: Ordering,
}

/// How lines are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people: the pod, then the line; JSON lines in words
    Text,
    /// Each line as the program wrote it, byte for byte
    Raw,
    /// One JSON object per line, of a documented, versioned shape
    Json,
}

/// How lines of several pods are put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Ordering {
    /// By their time; while following, one that is late by more than 300 ms is not waited for
    Time,
    /// As they arrive
    Arrival,
}

/// What is done with the lines, as far as it is said here: all of any time, not followed.
///
/// # Errors
/// When a regular expression is none.
pub(super) fn options(
    filter: &FilterArgs,
    show: &ShowArgs,
    stdout: StdoutIs,
    config: &Config,
) -> Result<logs::Options> {
    let regexes =
        |flag, patterns: &[String]| patterns.iter().map(|it| logs::regex(flag, it)).collect::<Result<Vec<_>>>();
    let include = regexes("--include", &filter.include)?;
    let fields = |configured: &Option<Sourced<Vec<String>>>, usual: &[&str]| match configured {
        Some(fields) => fields.value.clone(),
        None => usual.iter().map(|name| (*name).to_owned()).collect(),
    };
    let requests: Vec<String> = fields(&config.logs.request_fields, &logs::REQUEST_FIELDS);
    let tasks: Vec<String> = fields(&config.logs.task_fields, &logs::TASK_FIELDS);
    let id = |value: &String, fields: &[String]| Id { value: value.clone(), fields: fields.to_vec() };
    let requested = filter.request.iter().map(|value| id(value, &requests));
    let ids = requested.chain(filter.task.iter().map(|value| id(value, &tasks))).collect();
    let mut highlight = regexes("--highlight", &show.highlight)?;
    highlight.extend(include.iter().cloned());
    let format = match show.output {
        Output::Raw => Format::Raw,
        Output::Json => {
            Format::Json(Json { fields: show.fields.clone(), request_fields: requests, task_fields: tasks })
        }
        Output::Text => Format::Text(TextOptions {
            terminal: stdout.is_terminal,
            colored: stdout.colored,
            prefix: true,
            timestamps: show.timestamps,
            width: stdout.columns,
            fields: show.fields.clone(),
            highlight: if stdout.colored { highlight } else { Vec::new() },
        }),
    };
    Ok(logs::Options {
        follow: false,
        stdin: false,
        by_time: show.order == Ordering::Time,
        filter: Filter {
            include,
            exclude: regexes("--exclude", &filter.exclude)?,
            level: filter.level,
            exceptions: filter.exceptions,
            ids,
            since: None,
            until: None,
        },
        group: filter.group,
        format,
        zone: if show.utc { TimeZone::UTC } else { TimeZone::system() },
    })
}

fn level(text: &str) -> Result<Level, String> {
    Level::of_word(text).ok_or_else(|| format!("a level is one of {}", Level::NAMES.join(", ")))
}
