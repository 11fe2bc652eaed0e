//! `kdj init`: looks where Django runs, and writes the `kdj.toml` that says so.

mod file;
mod find;
mod verify;

use self::{
    file::{Existing, Place},
    find::{Answer, Look},
};
use crate::{
    cluster::{Kubeconfig, Scope},
    config::Config,
    error::{Error, Result},
    exit::Exit,
    init::{self, Found, Proposed},
    names,
    options::Options,
    ui::{Ui, style::Role},
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
    for answer in &answers {
        tell(answer, options, ui);
    }
    let found: Vec<Found> = answers.iter().filter_map(Answer::found).collect();
    let contexts = kubeconfig.contexts();
    let all = init::propose(&found);
    let lacking: Vec<Proposed> = all.iter().filter(|one| !one.is_in(config, &contexts)).cloned().collect();
    if all.is_empty() {
        return Err(nothing_found(&answers, options));
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

/// What came of one context.
fn tell(answer: &Answer, options: &Options, ui: &Ui) {
    let name = names::shown(&answer.context.name);
    let survey = match &answer.outcome {
        Ok((_, survey)) => survey,
        Err(error) => {
            // Of what is forbidden the message says all.
            let causes = error.causes().iter().take(1).filter(|_| !error.is_forbidden());
            let causes: String = causes.map(|cause| format!(": {cause}")).collect();
            ui.warning(&format!("context `{name}` is left out: {}{causes}", error.message()));
            let context = shell_words::quote(&answer.context.name);
            if error.is_forbidden() {
                ui.status(&format!("  `kdj init --context {context} -n NAMESPACE` looks into another namespace"));
            }
            if answer.could_ask {
                ui.status(&format!("  `kdj init --context {context}` lets its credential plugin ask"));
            }
            return;
        }
    };
    let apps: Vec<&str> = survey.apps.iter().map(|app| app.namespace.as_str()).collect();
    let apps = if apps.is_empty() { "nothing that looks like Django".to_owned() } else { apps.join(", ") };
    let limits = match survey.scope {
        Scope::Cluster | Scope::Namespaces(0) => String::new(),
        Scope::Namespaces(1) => "; one namespace may not be looked into".to_owned(),
        Scope::Namespaces(number) => format!("; {number} namespaces may not be looked into"),
        Scope::One if options.overrides.namespace.is_some() => String::new(),
        Scope::One => format!(
            "; only namespace `{}` was looked into, as you may not list the others: `-n` names another one",
            answer.context.namespace_or_default()
        ),
    };
    ui.status(&format!("context {name}: {apps}{limits}"));
}

fn nothing_found(answers: &[Answer], options: &Options) -> Error {
    let error = Error::failed("no Django app was found");
    let error = match answers.iter().filter(|answer| answer.outcome.is_ok()).count() {
        0 => error.caused_by("no context let itself be looked into; why stands above"),
        1 => error.caused_by("one context answered, and nothing in it looks like Django"),
        number => error.caused_by(format!("{number} contexts answered, and nothing in them looks like Django")),
    };
    match &options.overrides.namespace {
        Some(_) => error.hint("is it the right namespace? without `-n` all that you may see are looked into"),
        None => error.hint("name where it is: `kdj init --context CONTEXT -n NAMESPACE`"),
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
    let ui = look.ui;
    let text = init::document(all);
    // Before anybody is asked: a file that does not load would be in the way of every command.
    let written = place.loaded(&text)?;
    let path = names::shown(&place.path.display().to_string());
    if args.yes {
        ui.status(&format!("\n{}", text.trim_end()));
    } else {
        ui.before_question(&format!("\n{}\n", text.trim_end()));
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
    let Some(first) = tried.iter().find(|tried| tried.works && !tried.protected) else {
        return Ok(if all_work { Exit::Success } else { Exit::Failed });
    };
    ui.status(&format!("\nlooking into the app of {}; this runs Python in its container", names::shown(&first.name)));
    let examined = verify::examine(&first.name, commands, look).await?;
    let name = names::shown(&first.name);
    ui.status(&format!(
        "\n{} `kdj doctor {name}` looks at all of it, `kdj pyshell {name}` opens Django's shell",
        ui.paint("hint:", Role::Hint)
    ));
    Ok(if all_work { examined } else { Exit::Failed })
}
