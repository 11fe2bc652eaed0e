//! `kdj logs`: the logs of all the app's pods as one, line by line, and not a line lost.

mod args;
mod pump;
mod stdin;
mod writer;

use std::{
    cell::RefCell,
    collections::HashMap,
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use tokio::{sync::mpsc, time::timeout};

pub use self::args::LogsArgs;
use self::{args::Place, pump::Pump, writer::Writer};
use crate::{
    cluster::{Cluster, LogsWanted},
    config::Config,
    connection,
    environment::Environment,
    error::{Error, Result},
    exit::{Exit, Failure},
    kubectl,
    logs::{Counts, Pipeline},
    options::Options,
    streams::{Control, Pieces, Streams},
    ui::{
        Ui,
        terminal::{LocalSide, Stdin},
    },
};

/// How long the same is not said again.
const QUIET: Duration = Duration::from_secs(60);
/// How long what is held may take to be written once the end was asked for.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// One environment whose logs are read.
struct Reading {
    environment: Environment,
    cluster: Cluster,
    wanted: LogsWanted,
}

/// Runs `kdj logs`.
pub async fn run(args: LogsArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let pipeline = Pipeline::new(args.pipeline(ui.stdout(), config)?);
    if args.stdin {
        return stdin::run(pipeline, ui).await;
    }
    if options.explain {
        return explain(&args, options, config, ui);
    }
    let mut readings: Vec<Reading> = Vec::new();
    for place in &args.places()? {
        readings.push(open(&args, place, &readings, options, config, ui).await?);
    }
    let environments = (!args.follows()).then_some(readings.len());
    let (side, stdout, mut control) = output()?;
    let (sources, streams) = mpsc::unbounded_channel();
    let mut pump = Pump::new(pipeline, streams, Writer::new(stdout, ui));
    let outcome = {
        let said = RefCell::new(HashMap::new());
        let say = |text: String| {
            // Hundreds of streams have one server.
            let mut said = said.borrow_mut();
            said.retain(|_, at: &mut Instant| at.elapsed() < QUIET);
            if said.insert(text.clone(), Instant::now()).is_none() {
                ui.warning(&text);
            }
        };
        let read = async {
            let sources = sources;
            let each = readings.iter().map(|it| it.cluster.logs(&it.environment, &it.wanted, &sources, &say));
            try_join_all(each).await.map(|_| ())
        };
        tokio::select! {
            (read, ()) = async { tokio::join!(read, pump.run(environments)) } => read.map(|()| None),
            signal = control.recv() => match signal {
                Some(Control::Signal(number)) => Ok(Some(number)),
                Some(Control::Leave) | None => Ok(None),
            },
        }
    };
    // Who ends it while nobody reads its output does not wait for what is held.
    let outcome = match outcome {
        Ok(Some(number)) => {
            let _ = timeout(LAST_WORDS, pump.finish()).await;
            Ok(Some(number))
        }
        outcome => tokio::select! {
            () = pump.finish() => outcome,
            Some(Control::Signal(number)) = control.recv() => Ok(Some(number)),
        },
    };
    let is_asked_to_end = matches!(outcome, Ok(Some(_)));
    let counts = pump.counts();
    // With it goes what it writes to: only then stdout is done.
    drop(pump);
    let written = side.finish(false, is_asked_to_end).await;
    let late = written.map_err(|error| Error::failed("cannot write the output").caused_by(error))?;
    let Counts { lines, shown, gaps, .. } = counts;
    ui.verbose(&format!("{lines} lines read, {shown} shown, {gaps} gaps"));
    match outcome?.or(late) {
        None => Ok(Exit::Success),
        Some(number) => Ok(Exit::Remote(Failure::Signal(number).code(false))),
    }
}

/// What kubectl would be told, for a pod and a container of those that are listed.
fn explain(args: &LogsArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    ui.status("would list the pods, and read the log of each container that is meant; nothing was done");
    for place in &args.places()? {
        let (environment, _) = connection::resolve(&place.environment, options, config)?;
        let prefix = kubectl::prefix(options, &environment.context, Some(&environment.namespace));
        let follow = if args.follows() { "--follow" } else { "--follow=false" };
        for rest in [&["get", "pods"][..], &["logs", follow, "--timestamps", "POD", "-c", "CONTAINER"]] {
            let words: Vec<String> = prefix.iter().cloned().chain(rest.iter().map(|it| (*it).to_owned())).collect();
            ui.data(&format!("{}\n", kubectl::line(&words)))?;
        }
    }
    Ok(Exit::Success)
}

/// The local stdout, and the signals.
fn output() -> Result<(LocalSide, mpsc::Sender<Pieces>, mpsc::Receiver<Control>)> {
    let attached = LocalSide::attach(false, Stdin::Closed);
    let (side, streams) = attached.map_err(|error| Error::failed("cannot use the output").caused_by(error))?;
    let Streams { control, stdout, .. } = streams;
    Ok((side, stdout, control))
}

async fn open(
    args: &LogsArgs,
    place: &Place,
    others: &[Reading],
    options: &Options,
    config: &Config,
    ui: &Ui,
) -> Result<Reading> {
    let (environment, kubeconfig) = connection::resolve(&place.environment, options, config)?;
    let same = others.iter().find(|other| other.environment.context == environment.context);
    let cluster = match same {
        Some(same) => connection::reuse(&same.cluster, &environment, ui),
        None => connection::open(&environment, &kubeconfig, options, ui).await?,
    };
    Ok(Reading { wanted: args.wanted(place), environment, cluster })
}
