//! `--only`: which checks are wanted, by their ids or categories.

use std::collections::BTreeSet;

use super::{
    CATEGORIES, abouts,
    check::{Check, Subject},
    kubeconfig,
    world::{World, find},
};
use crate::error::{Error, Result};

/// The places of the checks that are wanted; without a word, of all. Of an environment whose place is not known it is
/// always wanted why: nothing else can be said of it.
///
/// # Errors
/// When a word is neither an id nor a category, or there is no such check here.
pub fn wanted(checks: &[Check], world: &World, only: &[String]) -> Result<BTreeSet<usize>> {
    if only.is_empty() {
        return Ok((0..checks.len()).collect());
    }
    let abouts = abouts(checks);
    let mut known: Vec<&str> = abouts.iter().map(|about| &*about.id).collect();
    let categories: BTreeSet<&str> = CATEGORIES.iter().map(|category| category.name).collect();
    known.extend(categories);
    let words: Vec<&str> = only.iter().map(|word| find(word, &known, "check or category")).collect::<Result<_>>()?;
    let is_lost = |check: &Check| {
        let Subject::Environment { name, .. } = &check.subject else { return false };
        let mut lost = world.asked.iter().filter(|asked| asked.environment.is_err());
        check.about.id == kubeconfig::CONTEXTS.id && lost.any(|asked| asked.name == *name)
    };
    let is_wanted = |check: &Check| {
        words.iter().any(|word| *word == check.about.id || *word == check.about.category()) || is_lost(check)
    };
    let wanted = checks.iter().enumerate().filter(|(_, check)| is_wanted(check)).map(|(place, _)| place);
    let wanted: BTreeSet<usize> = wanted.collect();
    if wanted.is_empty() {
        return Err(nothing(&words, world));
    }
    Ok(wanted)
}

/// No check is among those that are wanted.
fn nothing(words: &[&str], world: &World) -> Error {
    let own = super::project::CATEGORY.name;
    let shown = words.join(",");
    let error = Error::usage(format!("there is nothing here for `{shown}` to look at"));
    if words == [own] {
        return error.hint("kdj.toml and config.toml have no checks of their own: `[[doctor.checks]]` makes one");
    }
    match &*world.asked {
        [] => error.hint(format!("name an environment: `kdj doctor ENV --only {shown}`")),
        [asked, ..] => {
            error.hint(format!("`kdj doctor {}` makes all checks that there are", shell_words::quote(&asked.name)))
        }
    }
}
