//! `--fix`: mends what can be mended on this machine, after asking, and runs the check again to see that it is.

use std::collections::BTreeSet;

use tokio::process::Command;

use super::{
    check::{Check, Fix, How, Status},
    run::{self, Done},
    text::{self, Look},
};
use crate::{
    error::{Error, Result},
    ui::Ui,
};

/// Makes the fixes of the checks that did not pass, one after the other. A check is run again after its fix, and so are
/// those that were skipped for its sake.
///
/// # Errors
/// When the terminal cannot be read, or stdout not be written. A fix that fails is said, and stops no other.
pub async fn mend(
    checks: &[Check],
    shown: &BTreeSet<usize>,
    done: &mut [Option<Done>],
    yes: bool,
    look: Look,
    ui: &Ui,
) -> Result<()> {
    let mut found = false;
    let mut made: Vec<String> = Vec::new();
    for &place in shown {
        let Some(fix) = done[place].as_mut().and_then(|done| done.outcome.safe_fix.take()) else { continue };
        found = true;
        // One login may be what several checks want.
        if made.contains(&says(&fix)) {
            again(checks, shown, place, done, look, ui).await;
            continue;
        }
        ui.before_question(&format!("\n{}: {}", checks[place].about.id, says(&fix)));
        if !ui.ask_yes_no("Do it?", yes).await? {
            restore(done, place, fix);
            continue;
        }
        if let Err(error) = make(&fix).await {
            ui.error(&error);
            restore(done, place, fix);
            continue;
        }
        made.push(says(&fix));
        again(checks, shown, place, done, look, ui).await;
    }
    if !found {
        ui.status("there is nothing that `--fix` can mend");
    }
    Ok(())
}

/// Runs a check again, and those that were skipped for its sake, and says what came of them.
async fn again(
    checks: &[Check],
    shown: &BTreeSet<usize>,
    place: usize,
    done: &mut [Option<Done>],
    look: Look,
    ui: &Ui,
) {
    let again = skipped_for(checks, place, done);
    again.iter().for_each(|&place| done[place] = None);
    run::run(checks, &again, done, |_| ()).await;
    let look = Look { colored: ui.has_color(), ..look };
    let over = again.iter().filter(|place| shown.contains(place));
    let rows = text::rows(over.filter_map(|&place| Some((&checks[place], done[place].as_ref()?))));
    let width = rows.iter().map(|row| row.check.about.name().chars().count()).max().unwrap_or(0);
    rows.iter().for_each(|row| ui.before_question(text::line(row, width, look).trim_end()));
}

fn restore(done: &mut [Option<Done>], place: usize, fix: Fix) {
    if let Some(done) = &mut done[place] {
        done.outcome.safe_fix = Some(fix);
    }
}

/// This check, and those that were skipped because it, or one of them, taught nothing.
fn skipped_for(checks: &[Check], place: usize, done: &[Option<Done>]) -> BTreeSet<usize> {
    let mut all = BTreeSet::from([place]);
    loop {
        let more = (0..checks.len()).find(|number| {
            let skipped = done[*number].as_ref().is_some_and(|done| done.outcome.status == Status::Skip);
            skipped && !all.contains(number) && run::parents(checks, *number).iter().any(|parent| all.contains(parent))
        });
        match more {
            Some(number) => all.insert(number),
            None => return all,
        };
    }
}

/// What a fix does, with its command.
fn says(fix: &Fix) -> String {
    match &fix.how {
        How::Command(words) => format!("{}: `{}`", fix.what, shell_words::join(words)),
        How::Change(_) => fix.what.clone(),
    }
}

async fn make(fix: &Fix) -> Result<()> {
    let words = match &fix.how {
        How::Change(change) => return change(),
        How::Command(words) => words,
    };
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let line = shell_words::join(words);
    let mut command = Command::new(program);
    // stdout is the report's.
    if let Ok(stderr) = rustix::io::dup(rustix::stdio::stderr()) {
        command.stdout(stderr);
    }
    let ended = command.args(arguments).status().await;
    let ended = ended.map_err(|error| Error::failed(format!("cannot run `{line}`")).caused_by(error))?;
    match ended.success() {
        true => Ok(()),
        false => Err(Error::failed(format!("`{line}` did not succeed")).caused_by(ended)),
    }
}
