//! `kdj forward`: local ports that lead into an environment.

mod show;

use std::{cell::RefCell, net::IpAddr};

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use self::show::{explain, list, print};
use crate::{
    cluster::Involved,
    commands::args::{ChangeArgs, OutputArgs},
    config::{Config, Sources},
    connection,
    environment::Environment,
    error::{Error, Result},
    exit::Exit,
    forward::{self, Asked, Forwards, LOOPBACK, Place, Reserved},
    options::Options,
    protection::{self, Change, Record, Who},
    ui::{
        Ui,
        terminal::{has_terminal, interrupted},
    },
};

/// Arguments of `kdj forward`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Ports behind a target are kubectl's: LOCAL:REMOTE, :REMOTE for any free local one, one number for both.\n\
                  Without a target it lists what there is. Ctrl-C ends it."
)]
pub struct ForwardArgs {
    /// Environment, as `kdj envs` lists it, or CONTEXT/NAMESPACE[/INSTANCE]
    #[arg(value_name = "ENV")]
    environment: String,

    #[arg(
        value_name = "TARGET",
        add = target_candidates(),
        help = "db[:ALIAS], redis[:USE], ROLE[:PORT], svc/NAME[:PORT], pod/NAME:PORT, or a name of [forwards]; and ports"
    )]
    targets: Vec<String>,

    /// Address to listen on, may be repeated (default: 127.0.0.1 and ::1)
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', value_parser = addresses)]
    address: Vec<Addresses>,

    /// Program to run on this machine with the variables that lead there; all that follows is its command line
    #[arg(long, value_name = "CMD", num_args = 1.., allow_hyphen_values = true, requires = "targets")]
    exec: Vec<String>,

    /// Print the password, too
    #[arg(long, requires = "targets")]
    show_password: bool,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    change: ChangeArgs,
}

impl ForwardArgs {
    /// Whether it ends with another program's exit code.
    pub fn is_pass_through(&self) -> bool {
        !self.exec.is_empty()
    }
}

/// Completes what no cluster needs to be asked for.
fn target_candidates() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let configured = Config::load(&Sources::of_this_process()).map(|config| config.forwards).unwrap_or_default();
        let settings = ["db", "redis"].map(str::to_owned);
        settings.into_iter().chain(configured.into_keys()).map(CompletionCandidate::new).collect()
    })
}

/// What a word of `--address` stands for.
#[derive(Clone, Debug)]
struct Addresses(Vec<IpAddr>);

fn addresses(text: &str) -> Result<Addresses, String> {
    match text.trim() {
        "localhost" => Ok(Addresses(LOOPBACK.to_vec())),
        text => text
            .parse()
            .map(|address| Addresses(vec![address]))
            .map_err(|_| "expected an IP address or `localhost`".to_owned()),
    }
}

/// Runs `kdj forward`.
pub async fn run(args: ForwardArgs, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let asked = forward::parse(&args.targets, |name| config.forwards.contains_key(name))?;
    let (environment, kubeconfig) = connection::resolve(&args.environment, options, config)?;
    if asked.is_empty() {
        let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
        let reachable = ui.waiting("asking for roles and Services", cluster.reachable(&environment)).await?;
        return list(&environment, &reachable, config, args.output.output, ui);
    }
    let addresses = listen_on(&args.address, &environment, ui)?;
    let reserved = match options.explain {
        true => None,
        false => Some(forward::reserve(&asked, &addresses)?),
    };
    let permit = match options.explain {
        true => None,
        false => Some(protection::permit(&environment, &change(&args), &args.change.consent(), ui).await?),
    };
    let cluster = connection::open(&environment, &kubeconfig, options, ui).await?;
    let place = Place { cluster: &cluster, environment: &environment, ui };
    let (Some(permit), Some(reserved)) = (permit, reserved) else {
        return explain(&place, asked, config, options).await;
    };
    let who = Who::of(&permit, &cluster);
    // Begun with the first pod that is chosen, before anything is done there.
    let record = RefCell::new(None);
    let begin = |object| {
        let begin = || Record::begin(&permit, &environment, object, who.clone(), &cluster, ui);
        let _ = record.borrow_mut().get_or_insert_with(begin);
    };
    let outcome = tokio::select! {
        forwards = who.beside(open(&place, asked, reserved, &args, config, &addresses, &begin)) => forwards.map(Ok),
        number = interrupted() => Ok(Err(number)),
    };
    let rest = async {
        match outcome? {
            Ok(forwards) => serve(forwards, &environment, &args, ui).await,
            Err(number) => Ok(Exit::Interrupted(number)),
        }
    };
    let record = record.take();
    match record {
        Some(record) => record.keep(rest).await,
        None => rest.await,
    }
}

async fn open<'a>(
    place: &Place<'a>,
    asked: Vec<Asked>,
    reserved: Reserved,
    args: &ForwardArgs,
    config: &Config,
    addresses: &[IpAddr],
    begin: &dyn Fn(Involved),
) -> Result<Forwards<'a>> {
    let with_password = args.show_password || !args.exec.is_empty();
    let configured = |name: &str| config.forwards.get(name).cloned();
    let targets = forward::resolve(place, asked, configured, with_password, begin).await?;
    forward::open(*place, targets, reserved, addresses, begin).await
}

/// Says what to use, and serves until a signal or the program's end.
async fn serve(forwards: Forwards<'_>, environment: &Environment, args: &ForwardArgs, ui: &Ui) -> Result<Exit> {
    print(&forwards, environment, args.output.output, args.show_password, !args.exec.is_empty(), ui)?;
    let variables = show::variables(&forwards);
    if !args.exec.is_empty() && has_terminal() {
        forwards.hush();
    }
    let until = async {
        match args.exec.is_empty() {
            true => Ok(Exit::Interrupted(interrupted().await)),
            false => forward::run_child(&args.exec, &variables).await,
        }
    };
    tokio::select! {
        ended = until => ended,
        never = forwards.serve() => match never {},
    }
}

/// What is asked and recorded.
fn change(args: &ForwardArgs) -> Change {
    let mut words: Vec<&str> = args.targets.iter().map(String::as_str).collect();
    let mut what = format!("open a way from this machine to {}", words.join(" "));
    if !args.exec.is_empty() {
        words.push("--exec");
        words.extend(args.exec.iter().map(String::as_str));
        what.push_str(&format!(", for `{}`", args.exec.join(" ")));
    }
    if args.show_password {
        // At the end: what follows such a word is taken for a secret, and not recorded.
        words.push("--show-password");
        what.push_str(", and show the password");
    }
    Change::new("forward", &what, words)
}

/// The addresses to listen on.
///
/// # Errors
/// When others than this machine could come in, and the environment is protected.
fn listen_on(asked: &[Addresses], environment: &Environment, ui: &Ui) -> Result<Vec<IpAddr>> {
    let mut all: Vec<IpAddr> = asked.iter().flat_map(|addresses| addresses.0.clone()).collect();
    if all.is_empty() {
        return Ok(LOOPBACK.to_vec());
    }
    let mut seen = Vec::new();
    all.retain(|address| {
        !seen.contains(address) && {
            seen.push(*address);
            true
        }
    });
    if let Some(open) = all.iter().find(|address| !address.is_loopback()) {
        if environment.protected {
            return Err(Error::usage(format!(
                "`--address {open}` is not for protected environment `{}`",
                environment.name
            ))
            .caused_by("everybody who reaches this machine could come in")
            .hint("leave it out: the port is on 127.0.0.1 and ::1 then"));
        }
        ui.warning(&format!("everybody who reaches {open} of this machine can come in, without a password of kdj's"));
    }
    Ok(all)
}
