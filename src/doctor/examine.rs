//! From what is wanted to a report: runs the checks, shows them in their order as they finish, repeats what failed.

use std::{collections::BTreeSet, rc::Rc};

use super::{
    abouts,
    check::{Check, Status},
    checks, fix, json, report,
    run::{self, Done},
    select,
    text::{self, Look, Row},
    world::{Wish, World},
};
use crate::{
    error::{Error, Result},
    exit::Exit,
    options::Options,
    ui::{Live, Ui},
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
    let world = Rc::new(World::read(wish, options, ui)?);
    let checks = checks(&world);
    let shown = select::wanted(&checks, &abouts(&world), only)?;
    let wanted = run::with_parents(&checks, shown.iter().copied());
    if options.explain {
        ui.status("would run these checks, which change nothing; nothing was done");
        let lines = wanted.iter().map(|&place| text::planned(&checks[place]));
        ui.data(&lines.collect::<String>())?;
        return Ok(Exit::Success);
    }
    let mut done: Vec<Option<Done>> = checks.iter().map(|_| None).collect();
    let stdout = ui.stdout();
    let look = Look { colored: stdout.colored, columns: stdout.columns, verbose: ui.is_verbose() };
    let mut stream = Stream { checks: &checks, shown: &shown, next: 0, category: "", look, live: ui.live("checking") };
    if world.asks_at_terminal() {
        stream.live.clear();
    }
    let mut written = Ok(());
    run::run(&checks, &wanted, &mut done, |done| {
        if form == Form::Text && written.is_ok() {
            written = stream.show(done, ui);
        }
    })
    .await;
    stream.live.clear();
    written?;
    if repair != Repair::No {
        fix::mend(&checks, &shown, &mut done, repair == Repair::Yes, look, ui).await?;
    }
    let rows: Vec<(&Check, &Done)> = rows(&checks, &shown, &done).collect();
    let good = report::Counts::of(rows.iter().copied()).is_good();
    match form {
        Form::Json => ui.data(&json::report(&world, &rows)?)?,
        Form::Text => ui.data(&end(&world, &rows, look))?,
    }
    Ok(if good { Exit::Success } else { Exit::Failed })
}

/// The list of all checks.
///
/// # Errors
/// When stdout cannot be written.
pub fn list(wish: &Wish, form: Form, options: &Options, ui: &Ui) -> Result<Exit> {
    let abouts = abouts(&Rc::new(World::read(wish, options, ui)?));
    ui.data(&match form {
        Form::Json => json::list(&abouts)?,
        Form::Text => text::list(abouts.iter()),
    })?;
    Ok(Exit::Success)
}

fn rows<'a>(
    checks: &'a [Check],
    shown: &'a BTreeSet<usize>,
    done: &'a [Option<Done>],
) -> impl Iterator<Item = (&'a Check, &'a Done)> {
    shown.iter().filter_map(|&place| Some((&checks[place], done[place].as_ref()?)))
}

/// What failed, once more, and the last line.
fn end(world: &World, rows: &[(&Check, &Done)], look: Look) -> String {
    let failed = rows.iter().copied().filter(|(_, done)| done.outcome.status == Status::Fail);
    let failed = text::rows(failed).into_iter();
    let mut text: String = failed.map(|row| format!("\n{}", text::failure(&row, look))).collect();
    text.push('\n');
    text.push_str(&text::closing(&report::verdicts(world, rows), look));
    text
}

/// The lines of checks, written as soon as nothing that stands before them is missing.
struct Stream<'a> {
    checks: &'a [Check],
    shown: &'a BTreeSet<usize>,
    /// The first place that has not been written.
    next: usize,
    category: &'a str,
    look: Look,
    live: Live,
}

impl<'a> Stream<'a> {
    fn show(&mut self, done: &[Option<Done>], ui: &Ui) -> Result<()> {
        let mut lines = String::new();
        while let Some((category, group)) = self.next_group(done) {
            if self.category != category {
                self.category = category;
                lines.push_str(&text::heading(self.category, self.look));
            }
            lines.extend(group.iter().map(|row| text::line(row, self.width(), self.look)));
        }
        let over = self.shown.iter().filter(|&&place| done[place].is_some()).count();
        self.live.show(&format!("checking: {over} of {}", self.shown.len()));
        if lines.is_empty() { Ok(()) } else { self.live.aside(|| ui.data(&lines)) }
    }

    /// The next check's category, and its rows, when it is over for all its subjects.
    fn next_group<'d>(&mut self, done: &'d [Option<Done>]) -> Option<(&'a str, Vec<Row<'d>>)>
    where
        'a: 'd,
    {
        let checks = self.checks;
        let about = &checks[*self.shown.range(self.next..).next()?].about;
        let id = &about.id;
        let group = self.shown.range(self.next..).copied().take_while(|&place| checks[place].about.id == *id);
        let group: Vec<usize> = group.collect();
        let over: Option<Vec<_>> = group.iter().map(|&place| Some((&checks[place], done[place].as_ref()?))).collect();
        let rows = text::rows(over?);
        self.next = group.last()? + 1;
        Some((about.category(), rows))
    }

    /// The longest name of a category's checks: they stand below each other.
    fn width(&self) -> usize {
        let shown = self.shown.iter().map(|&place| &self.checks[place].about);
        shown.map(|about| about.name().chars().count()).max().unwrap_or(0)
    }
}
