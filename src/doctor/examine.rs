//! From what is wanted to a report: runs the checks, shows them in their order as they finish, repeats what failed.

use std::{collections::BTreeSet, rc::Rc};

use super::{
    abouts,
    check::Check,
    checks,
    fix::Mending,
    json,
    outcome::Status,
    report,
    run::{Checks, Done},
    select,
    text::{self, Look, Row},
    world::{Wish, World},
};
use crate::{
    error::{Error, Result},
    exit::Exit,
    names,
    options::Options,
    ui::{Live, Stall, Ui},
};

/// How to show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Whether to mend what can be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// No.
    No,
    /// After asking, each time.
    Ask,
    /// Without asking.
    Yes,
}

/// Looks at everything that is wanted; `only` names checks or categories.
///
/// # Errors
/// When an environment or a word of `only` is unknown, or `repair` would have to ask and nobody is there.
pub async fn examine(
    wish: &Wish,
    only: &[String],
    repair: Repair,
    form: Form,
    options: &Options,
    ui: &Ui,
) -> Result<Exit> {
    if repair == Repair::Ask && !ui.can_ask() {
        return Err(Error::usage("`--fix` asks before each fix, and there is no terminal to ask at")
            .hint("`kdj doctor --fix --yes` does not ask"));
    }
    let enters = only.iter().any(|word| word.split('.').next() == Some("application"));
    let mut live = ui.live("reading the configuration and the kubeconfig");
    let stall = Stall::new(live.warner());
    let world = stall.within("kdj", || World::read(wish, options, ui))?;
    let world = Rc::new(World { enters, part: !only.is_empty(), ..world });
    if !world.left_out.is_empty() {
        let patterns = names::quoted(world.left_out.iter().map(String::as_str), ", ");
        live.aside(|| ui.warning(&format!("left out: {patterns}, which may stand for many: name those you mean")));
    }
    let checks = Checks::new(checks(&world), stall, options.invocation());
    let asked_for = select::wanted(checks.all(), &world, only)?;
    let wanted = checks.with_parents(asked_for.iter().copied());
    if options.explain {
        live.clear();
        ui.status("would run these checks, which change nothing; nothing was done");
        let lines = wanted.iter().map(|&place| text::planned(&checks[place]));
        ui.data(&lines.collect::<String>())?;
        return Ok(Exit::Success);
    }
    let mut done: Vec<Option<Done>> = checks.all().iter().map(|_| None).collect();
    let stdout = ui.stdout();
    let look = Look { colored: stdout.colored, columns: stdout.columns, verbose: ui.is_verbose() };
    let written = BTreeSet::new();
    let mut stream = Stream { checks: &checks, asked_for: &asked_for, written, category: "", look, live };
    if world.asks_at_terminal() {
        stream.live.clear();
    }
    let mut written = Ok(());
    checks
        .run(&wanted, &mut done, |done| {
            if form == Form::Text && written.is_ok() {
                written = stream.show(done, ui);
            }
        })
        .await;
    stream.live.clear();
    written?;
    let mut shown = checks.with_what_failed(&asked_for, &done);
    if repair != Repair::No {
        Mending { checks: &checks, shown: &shown, world: &world, yes: repair == Repair::Yes, look, ui }
            .mend(&mut done)
            .await?;
        // What a fix let run may have failed, too.
        shown = checks.with_what_failed(&shown, &done);
    }
    let rows: Vec<(&Check, &Done)> =
        shown.iter().filter_map(|&place| Some((&checks[place], done[place].as_ref()?))).collect();
    let failed = report::Counts::of(rows.iter().copied()).fail;
    match form {
        Form::Json => ui.data(&json::report(&world, &rows)?)?,
        Form::Text => ui.data(&end(&world, &rows, look))?,
    }
    Ok(if failed == 0 { Exit::Success } else { Exit::Failed })
}

/// The list of all checks.
///
/// # Errors
/// When stdout cannot be written.
pub fn list(wish: &Wish, form: Form, options: &Options, ui: &Ui) -> Result<Exit> {
    let abouts = abouts(&checks(&Rc::new(World::read(wish, options, ui)?)));
    ui.data(&match form {
        Form::Json => json::list(&abouts)?,
        Form::Text => text::list(abouts.iter()),
    })?;
    Ok(Exit::Success)
}

/// What failed, once more, and the last line.
fn end(world: &World, rows: &[(&Check, &Done)], look: Look) -> String {
    let failed = rows.iter().copied().filter(|(_, done)| done.outcome.status == Status::Fail);
    let failed = text::rows(failed).into_iter();
    let mut text: String = failed.map(|row| format!("\n{}", text::failure(&row, look))).collect();
    text.push('\n');
    let closing = text::closing(&report::verdicts(world, rows), world.part, look);
    text.push_str(&world.options.invocation().in_text(&closing));
    text
}

/// The lines of checks, written as soon as nothing that stands before them is missing. What failed and had one of them
/// skipped is among them.
struct Stream<'a> {
    checks: &'a Checks,
    asked_for: &'a BTreeSet<usize>,
    /// The places that were.
    written: BTreeSet<usize>,
    category: &'a str,
    look: Look,
    live: Live,
}

impl<'a> Stream<'a> {
    fn show(&mut self, done: &[Option<Done>], ui: &Ui) -> Result<()> {
        let shown = self.checks.with_what_failed(self.asked_for, done);
        let width = self.width(&shown);
        let mut lines = String::new();
        while let Some((category, group)) = self.next_group(&shown, done) {
            if self.category != category {
                self.category = category;
                lines.push_str(&text::heading(self.category, self.look));
            }
            lines.extend(group.iter().map(|row| text::line(row, width, self.look)));
        }
        let over = shown.iter().filter(|&&place| done[place].is_some()).count();
        self.live.show(&format!("checking: {over} of {}", shown.len()));
        if lines.is_empty() { Ok(()) } else { self.live.aside(|| ui.data(&lines)) }
    }

    /// The next check's category, and its rows, when it is over for all its subjects.
    fn next_group<'d>(&mut self, shown: &BTreeSet<usize>, done: &'d [Option<Done>]) -> Option<(&'a str, Vec<Row<'d>>)>
    where
        'a: 'd,
    {
        let checks = self.checks;
        let open = || shown.iter().copied().filter(|place| !self.written.contains(place));
        let about = &checks[open().next()?].about;
        let group: Vec<usize> = open().take_while(|&place| checks[place].about.id == about.id).collect();
        let over: Option<Vec<_>> = group.iter().map(|&place| Some((&checks[place], done[place].as_ref()?))).collect();
        let rows = text::rows(over?);
        self.written.extend(group);
        Some((about.category(), rows))
    }

    /// The longest name of a category's checks: they stand below each other.
    fn width(&self, shown: &BTreeSet<usize>) -> usize {
        let shown = shown.iter().map(|&place| &self.checks[place].about);
        shown.map(|about| about.name().chars().count()).max().unwrap_or(0)
    }
}
