//! `--fix`: mends what can be mended on this machine, after asking, and runs the check again to see that it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use super::{
    outcome::{Fix, How, Status},
    run::{Checks, Done},
    text::{self, Look},
    world::World,
};
use crate::{
    error::{Error, Result},
    ui::{Ui, duration},
};

/// How long a login may take: somebody looks for a browser and a telephone.
const LOGIN_LIMIT: Duration = Duration::from_secs(10 * 60);

/// What is to be mended, and how one is asked.
pub struct Mending<'a> {
    /// All checks.
    pub checks: &'a Checks,
    /// The places of those whose fixes are made.
    pub shown: &'a BTreeSet<usize>,
    /// What they looked at.
    pub world: &'a World,
    /// Whether nobody is asked.
    pub yes: bool,
    /// How to show what came of it.
    pub look: Look,
    /// Where.
    pub ui: &'a Ui,
}

impl Mending<'_> {
    /// Makes the fixes of the checks that did not pass, one after the other. A check is run again after its fix, and so
    /// are those that were skipped for its sake.
    ///
    /// # Errors
    /// When the terminal cannot be read, or stdout not be written. A fix that fails is said, and stops no other.
    pub async fn mend(&self, done: &mut [Option<Done>]) -> Result<()> {
        let mut found = false;
        // One login may be what several checks want. It is asked for once, and made once, whatever came of it.
        let mut tried: BTreeMap<String, bool> = BTreeMap::new();
        for &place in self.shown {
            let Some(fix) = done[place].as_mut().and_then(|done| done.outcome.safe_fix.take()) else { continue };
            found = true;
            let says = says(&fix);
            let is_made = match tried.get(&says) {
                Some(&is_made) => is_made,
                None => {
                    self.ui.before_question(&format!("\n{}: {says}", self.checks[place].about.id));
                    let is_made = self.try_one(&fix).await?;
                    tried.insert(says, is_made);
                    is_made
                }
            };
            if is_made {
                self.again(place, done).await;
            } else if let Some(done) = &mut done[place] {
                done.outcome.safe_fix = Some(fix);
            }
        }
        if !found {
            self.ui.status("there is nothing that `--fix` can mend");
        }
        Ok(())
    }

    /// Whether the fix was made.
    async fn try_one(&self, fix: &Fix) -> Result<bool> {
        let made = match &fix.how {
            How::Login { words, variables } => {
                if let Some(why) = self.no_login() {
                    self.ui.status(&format!("not done: {why}"));
                    return Ok(false);
                }
                if !self.ui.ask_yes_no("Do it?", self.yes).await? {
                    return Ok(false);
                }
                log_in(words, variables, self.ui).await
            }
            How::Change(change) => {
                if !self.ui.ask_yes_no("Do it?", self.yes).await? {
                    return Ok(false);
                }
                change()
            }
        };
        if let Err(error) = &made {
            self.ui.error(error);
        }
        Ok(made.is_ok())
    }

    /// Why no login is made: it opens a browser, or asks.
    fn no_login(&self) -> Option<&'static str> {
        if !self.ui.can_ask() {
            return Some("a login needs a terminal and somebody at it; type its line there");
        }
        // Of all contexts of kdj.toml one will rarely want every one.
        let nobody_was_named = self.yes && self.world.asked.is_empty();
        nobody_was_named.then_some("`--yes` logs in for environments that are named: `kdj doctor ENV --fix --yes`")
    }

    /// Runs a check again, and those that were skipped for its sake, and says what came of them.
    async fn again(&self, place: usize, done: &mut [Option<Done>]) {
        let again = self.skipped_for(place, done);
        again.iter().for_each(|&place| done[place] = None);
        self.checks.run(&again, done, |_| ()).await;
        let look = Look { colored: self.ui.has_color(), ..self.look };
        let over = again.iter().filter(|place| self.shown.contains(place));
        let rows = text::rows(over.filter_map(|&place| Some((&self.checks[place], done[place].as_ref()?))));
        let width = rows.iter().map(|row| row.check.about.name().chars().count()).max().unwrap_or(0);
        rows.iter().for_each(|row| self.ui.before_question(text::line(row, width, look).trim_end()));
    }

    /// This check, and those that were skipped because it, or one of them, taught nothing.
    fn skipped_for(&self, place: usize, done: &[Option<Done>]) -> BTreeSet<usize> {
        let mut all = BTreeSet::from([place]);
        loop {
            let is_skipped = |number: &usize| {
                let skipped = done[*number].as_ref().is_some_and(|done| done.outcome.status == Status::Skip);
                skipped && !all.contains(number)
            };
            let is_for_one = |number: &usize| self.checks.parents(*number).iter().any(|parent| all.contains(parent));
            let more = (0..done.len()).filter(is_skipped).find(is_for_one);
            match more {
                Some(number) => all.insert(number),
                None => return all,
            };
        }
    }
}

/// What a fix does, with its command.
fn says(fix: &Fix) -> String {
    match &fix.how {
        How::Login { words, .. } => format!("{}: `{}`", fix.what, shell_words::join(words)),
        How::Change(_) => fix.what.clone(),
    }
}

/// Runs a login at the terminal. What it prints is no part of the report, and goes to stderr.
async fn log_in(words: &[String], variables: &[(String, String)], ui: &Ui) -> Result<()> {
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let line = shell_words::join(words);
    let failed = || Error::failed(format!("`{line}` did not succeed"));
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::inherit()).stdout(ui.stderr_for_child()).kill_on_drop(true);
    let ended = timeout(LOGIN_LIMIT, command.status()).await;
    let ended = ended.map_err(|_| failed().caused_by(format!("it did not end within {}", duration(LOGIN_LIMIT))))?;
    let ended = ended.map_err(|error| Error::failed(format!("cannot run `{line}`")).caused_by(error))?;
    match ended.success() {
        true => Ok(()),
        false => Err(failed().caused_by(ended)),
    }
}
