//! `kdj doctor`: what is wrong with this machine, the kubeconfig, the credentials, a cluster or an application, and what
//! to type.

use crate::{
    doctor::{self, Form, Repair, Wish},
    error::Result,
    exit::Exit,
    options::Options,
    ui::Ui,
};

/// Arguments of `kdj doctor`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without ENV it looks at this machine, the files, and the credentials of the contexts that the \
                        environments of kdj.toml use.\n\nEnds with 1 when a check fails; warnings are no failures."
)]
pub struct DoctorArgs {
    /// Environments whose clusters and applications to look at, too
    #[arg(value_name = "ENV")]
    environments: Vec<String>,

    /// Look at all environments
    #[arg(long, conflicts_with = "environments")]
    all: bool,

    /// Run only these checks or categories, and what they need
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,

    /// Also what takes a minute: how long the way to the cluster keeps an idle connection
    #[arg(long)]
    slow: bool,

    /// Mend what can be mended on this machine, after asking each time
    #[arg(long)]
    fix: bool,

    /// Do not ask before a fix
    #[arg(short, long, requires = "fix")]
    yes: bool,

    /// Trust kdj.toml as it is now: the commands of its own checks run on this computer from now on
    #[arg(long)]
    trust: bool,

    /// List the checks and run none
    #[arg(long, conflicts_with_all = ["only", "fix"])]
    list: bool,

    /// How to show it
    #[arg(short, long, value_enum)]
    output: Option<DoctorFormat>,
}

/// A form of output other than text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum DoctorFormat {
    /// JSON of a documented, versioned shape
    Json,
}

/// Runs `kdj doctor`. It reads the configuration itself, since that may be what is wrong.
pub async fn run(args: DoctorArgs, commands: Vec<String>, options: &Options, ui: &Ui) -> Result<Exit> {
    let form = if args.output.is_some() { Form::Json } else { Form::Text };
    let wish = Wish { environments: args.environments, all: args.all, slow: args.slow, commands, opened: None };
    if args.trust && !options.explain {
        doctor::trust(ui)?;
    }
    if args.list {
        return doctor::list(&wish, form, options, ui);
    }
    let repair = match (args.fix, args.yes) {
        (false, _) => Repair::No,
        (true, false) => Repair::Ask,
        (true, true) => Repair::Yes,
    };
    doctor::examine(&wish, &args.only, repair, form, options, ui).await
}
