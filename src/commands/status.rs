//! `kdj status`: what runs in an environment, what is wrong with it, and why.

mod inside;
mod open;
mod watch;
mod web;

use futures::future::join_all;

use self::open::{Opened, Places};
use crate::{
    cluster::INSTANCE_LABEL,
    config::Config,
    error::{Error, Result},
    exit::Exit,
    kubectl,
    options::Options,
    status::{self, Show, Status},
    ui::Ui,
    web::Page,
};

/// Arguments of `kdj status`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Ends with 1 when something is broken. With -w or --web it goes on until Ctrl-C.")]
pub struct StatusArgs {
    /// Environments, as `kdj envs` lists them, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV", required = true)]
    environments: Vec<String>,

    /// Go on showing what changes
    #[arg(short, long)]
    watch: bool,

    /// Say all that may be the cause of what is wrong, what speaks for it, and what the container said last
    #[arg(long)]
    why: bool,

    /// Ask the app for its queues' lengths and what Celery's workers are at
    #[arg(long, conflicts_with = "watch")]
    tasks: bool,

    /// Ask the app which migrations are not applied
    #[arg(long, conflicts_with = "watch")]
    migrations: bool,

    /// How to show it
    #[arg(short, long, value_enum)]
    output: Option<StatusFormat>,

    /// Show it as a live page for a browser on this machine; prints its address
    #[arg(long, conflicts_with_all = ["watch", "why", "output", "tasks", "migrations"])]
    web: bool,

    /// Port of the page (default: any free one)
    #[arg(long, value_name = "N", requires = "web", value_parser = clap::value_parser!(u16).range(1024..))]
    port: Option<u16>,
}

/// A form of output other than the usual table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum StatusFormat {
    /// JSON of a documented, versioned shape; with -w a line for each change
    Json,
    /// The table with more columns, and the pods
    Wide,
}

impl StatusArgs {
    fn is_json(&self) -> bool {
        self.output == Some(StatusFormat::Json)
    }

    fn show(&self, ui: &Ui) -> Show {
        let wide = self.output == Some(StatusFormat::Wide);
        Show { wide, why: self.why, colored: ui.stdout().colored }
    }
}

/// Runs `kdj status`.
pub async fn run(args: StatusArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let places = open::places(&args.environments, options, config)?;
    if options.explain {
        return explain(&places, options, ui);
    }
    let page = if args.web { Some(Page::open(args.port)?) } else { None };
    let opened = open::all(places, options, config, ui).await;
    if let Some(page) = page {
        return web::run(page, opened, ui).await;
    }
    if args.watch {
        return watch::run(&args, opened, ui).await;
    }
    once(&args, opened, ui).await
}

/// Asks once, all environments at the same time.
async fn once(args: &StatusArgs, opened: Vec<Opened>, ui: &Ui) -> Result<Exit> {
    let what = match opened.as_slice() {
        [only] => format!("asking the cluster of context {}", only.environment.context),
        many => format!("asking for {} environments", many.len()),
    };
    let asked = opened.into_iter().map(|opened| async move {
        let name = opened.environment.name.clone();
        (name, ask(opened, args).await)
    });
    let mut rows = ui.waiting(&what, join_all(asked)).await;
    if let [(_, row)] = &mut rows[..]
        && !args.is_json()
        && row.is_err()
    {
        return rows.remove(0).1.map(|_| Exit::Failed);
    }
    let fine = rows.iter().all(|(_, row)| row.as_ref().is_ok_and(|status| !status.is_broken()));
    if args.is_json() {
        ui.data(&json(&rows)?)?;
    } else {
        let texts = rows.iter().filter_map(|(_, row)| row.as_ref().ok());
        let texts: Vec<String> = texts.map(|status| status::text(status, args.show(ui))).collect();
        ui.data(&texts.join("\n"))?;
    }
    for (name, row) in &rows {
        match row {
            Ok(status) => status.missing.iter().for_each(|missing| ui.warning(&format!("{name}: not seen: {missing}"))),
            Err(error) => ui.error(error),
        }
    }
    Ok(if fine { Exit::Success } else { Exit::Failed })
}

async fn ask(opened: Opened, args: &StatusArgs) -> Result<Status> {
    let Opened { environment, cluster, program } = opened;
    let cluster = cluster?;
    let mut status = cluster.status(&environment, args.why, None).await?;
    inside::look(args, &cluster, &environment, &mut status).await;
    Ok(status.typed_with(&program))
}

/// The documented shape; an environment that could not be asked has its name and an `error`.
fn json(rows: &[(String, Result<Status>)]) -> Result<String> {
    let environments = rows.iter().map(|(name, row)| match row {
        Ok(status) => status.json(),
        Err(error) => status::failed(name, &error.to_string()),
    });
    let document = status::document(environments.collect());
    let text = serde_json::to_string_pretty(&document);
    Ok(text.map_err(|error| Error::failed("cannot write JSON").caused_by(error))? + "\n")
}

/// What would be asked, as kubectl commands.
fn explain(places: &Places, options: &Options, ui: &Ui) -> Result<Exit> {
    ui.status("would make these requests, and more where something is wrong; nothing was done");
    let mut text = String::new();
    for environment in &places.environments {
        let prefix = kubectl::prefix(options, &environment.context, Some(&environment.namespace));
        let selector = environment.instance.as_ref().map(|instance| format!("{INSTANCE_LABEL}={instance}"));
        for what in ["pods", "deployments", "statefulsets", "horizontalpodautoscalers"] {
            let mut words = prefix.clone();
            words.extend(["get", what].map(str::to_owned));
            if let Some(selector) = selector.as_ref().filter(|_| what == "pods") {
                words.extend(["-l".to_owned(), selector.clone()]);
            }
            text.push_str(&format!("{}\n", kubectl::line(&words)));
        }
    }
    ui.data(&text)?;
    Ok(Exit::Success)
}
