//! `--only`: which checks are wanted, by their ids or categories.

use std::collections::BTreeSet;

use super::{
    CATEGORIES,
    check::{About, Check},
    world::find,
};
use crate::error::{Error, Result};

/// The places of the checks that are wanted; without a word, of all.
///
/// # Errors
/// When a word is neither an id nor a category, or there is no such check without an environment.
pub fn wanted(checks: &[Check], abouts: &[About], only: &[String]) -> Result<BTreeSet<usize>> {
    if only.is_empty() {
        return Ok((0..checks.len()).collect());
    }
    let mut known: Vec<&str> = abouts.iter().map(|about| &*about.id).collect();
    let categories: BTreeSet<&str> = CATEGORIES.iter().map(|category| category.name).collect();
    known.extend(categories);
    let words: Vec<&str> = only.iter().map(|word| find(word, &known, "check or category")).collect::<Result<_>>()?;
    let is_wanted = |check: &Check| words.iter().any(|word| *word == check.about.id || *word == check.about.category());
    let wanted = checks.iter().enumerate().filter(|(_, check)| is_wanted(check)).map(|(place, _)| place);
    let wanted: BTreeSet<usize> = wanted.collect();
    if wanted.is_empty() {
        let words = words.join(",");
        let error = Error::usage(format!("there is nothing here for `{words}` to look at"));
        return Err(error.hint(format!("name an environment: `kdj doctor ENV --only {words}`")));
    }
    Ok(wanted)
}
