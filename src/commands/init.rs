//! `kdj init`: looks where Django runs, and writes the `kdj.toml` that says so.

mod file;
mod find;
mod tell;
mod verify;

use self::{
    file::{Existing, Place},
    find::{Answer, Look},
};
use crate::{
    cluster::Kubeconfig,
    config::Config,
    error::{Error, Result},
    exit::Exit,
    init::{self, Found, Proposed},
    invocation::Invocation,
    names,
    options::Options,
    ui::Ui,
};

/// Arguments of `kdj init`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Asks the clusters of all contexts, or of --context alone; with -n only about that namespace. Reads only: pods, and where \
                  those of the whole cluster may not be listed, namespaces.\nA kdj.toml that is there is never changed: what it lacks is \
                  printed.\nAfter a new one is written, `kdj doctor` looks into the app of the first environment that is not \
                  protected: that runs Python in its container."
)]
pub struct InitArgs {
    /// Write the file without asking
    #[arg(short, long, conflicts_with = "dry_run")]
    yes: bool,

    /// Print the file, and write nothing
    #[arg(long, visible_alias = "print")]
    dry_run: bool,
}

/// Runs `kdj init`.
pub async fn run(args: InitArgs, commands: Vec<String>, options: &Options, config: &Config, ui: &Ui) -> Result<Exit> {
    let kubeconfig = Kubeconfig::load(options.kubeconfig.as_deref())?;
    let look = Look::new(&kubeconfig, options, config, ui)?;
    if options.explain {
        return look.explain();
    }
    let place = file::place(config)?;
    if place.existing == Existing::None && !args.dry_run {
        file::check_in_force()?;
    }
    if !args.dry_run && !args.yes && !ui.can_ask() && place.existing == Existing::None {
        return Err(Error::usage("cannot ask whether to write `kdj.toml`: this is no terminal")
            .hint("`kdj init --yes` writes it, `kdj init --dry-run` prints it"));
    }
    let answers = look.ask().await;
    let found: Vec<Found> = answers.iter().filter_map(Answer::found).collect();
    tell::tell(&answers, &found, options, ui);
    let contexts = kubeconfig.contexts();
    let all = init::propose(&found);
    let lacking: Vec<Proposed> = all.iter().filter(|one| !one.is_in(config, &contexts)).cloned().collect();
    if all.is_empty() {
        return Err(tell::nothing_found(&answers, options));
    }
    match place.existing {
        Existing::Here => complete(&place, &lacking, config, ui),
        _ if args.dry_run => {
            ui.data(&init::document(&all))?;
            Ok(Exit::Success)
        }
        Existing::None => write(&args, &place, &all, &answers, &look, commands).await,
    }
}

/// Says what a file that is there lacks. It is never written to.
fn complete(place: &Place, lacking: &[Proposed], config: &Config, ui: &Ui) -> Result<Exit> {
    let path = names::shown(&place.path.display().to_string());
    if lacking.is_empty() {
        ui.status(&format!("`{path}` has all of it; nothing was changed"));
        return Ok(Exit::Success);
    }
    ui.status(&format!("`{path}` is there and stays as it is; it lacks what follows, for you to add"));
    let text = init::addition(lacking, &config.roles.keys().map(String::as_str).collect());
    if let Err(error) = place.loaded_with(&text) {
        ui.warning(&format!("behind what is there it would not load as it stands: {}", error.message()));
    }
    ui.data(&text)?;
    Ok(Exit::Success)
}

/// Shows the file, asks, writes it and tries it out.
async fn write(
    args: &InitArgs,
    place: &Place,
    all: &[Proposed],
    answers: &[Answer],
    look: &Look<'_>,
    commands: Vec<String>,
) -> Result<Exit> {
    // In the file's environments nothing has to lead anywhere; the file itself is shown as it is.
    let ui = &look.ui.clone().called(look.options.invocation().without(&["--context", "-n"]));
    let plain = look.ui.clone().called(Invocation::default());
    let text = init::document(all);
    // Before anybody is asked: a file that does not load would be in the way of every command.
    let written = place.loaded(&text)?;
    let path = names::shown(&place.path.display().to_string());
    if args.yes {
        plain.status(&format!("\n{}", text.trim_end()));
    } else {
        plain.before_question(&format!("\n{}\n", text.trim_end()));
        if !ui.ask_yes_no(&format!("Write this to {path}?"), false).await? {
            ui.status("nothing was written");
            return Ok(Exit::Failed);
        }
    }
    place.write(&text)?;
    ui.status(&format!("\nwrote {path}"));
    let tried = verify::verify(&written, all, answers, look).await;
    for tried in &tried {
        ui.status(&tried.line);
    }
    let all_work = tried.iter().all(|tried| tried.works);
    // Inside the app is looked where nothing is protected; one place tells whether Django is found.
    let first = tried.iter().find(|tried| tried.works && !tried.protected);
    let examined = match first {
        Some(first) => {
            let name = names::shown(&first.name);
            ui.status(&format!("\nlooking into the app of {name}; this runs Python in its container"));
            verify::examine(&first.name, &written, answers, look, commands).await?
        }
        None => Exit::Success,
    };
    tell::next(&tried, first, ui);
    Ok(if all_work { examined } else { Exit::Failed })
}
