//! `kdj doctor`: checks of this machine, the kubeconfig, the credentials, the clusters and the applications; each says
//! what is wrong, why that matters, and what to type.
//!
//! A category is a file with a [`Category`]: what its checks are about, and a function that makes them for a [`World`].
//! A check leaves what it learned in a [`Learned`] for those that need it. `run` runs them all at once; `text` and `json`
//! show them; `fix` mends what can be mended on this machine.

mod application;
mod check;
mod cluster;
mod configuration;
mod credentials;
mod examine;
mod fix;
mod json;
mod kubeconfig;
mod machine;
mod outcome;
mod project;
mod report;
mod run;
mod select;
mod text;
mod world;

use std::rc::Rc;

pub use self::{
    check::{About, Check, Subject},
    examine::{Form, Repair, examine, list},
    outcome::{Fix, How, Outcome, Status},
    project::trust::trust,
    world::{Context, Found, Learned, Wish, World},
};

/// Checks that belong together, in a file of their own.
pub struct Category {
    /// The part of their ids before the dot.
    pub name: &'static str,
    /// What its checks are about, in the order they are shown; what is found in the world comes after them.
    pub about: &'static [&'static About],
    /// Makes them.
    pub checks: fn(&Rc<World>) -> Vec<Check>,
}

/// All categories, in the order they are shown.
const CATEGORIES: [&Category; 7] = [
    &machine::CATEGORY,
    &configuration::CATEGORY,
    &kubeconfig::CATEGORY,
    &credentials::CATEGORY,
    &cluster::CATEGORY,
    &application::CATEGORY,
    &project::CATEGORY,
];

/// All checks of a world, category by category. Within one, a check stands for all its subjects before the next begins.
fn checks(world: &Rc<World>) -> Vec<Check> {
    let of_category = |category: &&Category| {
        let mut checks = (category.checks)(world);
        let place = |check: &Check| category.about.iter().position(|about| about.id == check.about.id);
        checks.sort_by_key(|check| place(check).unwrap_or(usize::MAX));
        checks
    };
    CATEGORIES.iter().flat_map(of_category).collect()
}

/// What `--only` takes: the categories, and the checks that every world has, each with what it is about.
pub fn names() -> Vec<(String, String)> {
    let category = |category: &&Category| (category.name.to_owned(), "all of them".to_owned());
    let mut names: Vec<_> = CATEGORIES.iter().map(category).collect();
    names.dedup();
    names.extend(abouts(&[]).into_iter().map(|about| (about.id.into_owned(), about.title.into_owned())));
    names
}

/// What all checks are about that there may be: those that are known, and those that a world has of its own.
fn abouts(checks: &[Check]) -> Vec<About> {
    let mut abouts: Vec<About> =
        CATEGORIES.iter().flat_map(|category| category.about.iter().copied().cloned()).collect();
    for Check { about, .. } in checks {
        if !abouts.iter().any(|known| known.id == about.id) {
            abouts.push(about.clone());
        }
    }
    abouts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explained::Explained;

    #[test]
    fn every_check_that_explains_an_error_is_there() {
        for explained in Explained::ALL {
            let is = |category: &&Category| {
                category.name == explained.id() || category.about.iter().any(|about| about.id == explained.id())
            };
            assert!(CATEGORIES.iter().any(is), "there is no check `{}`", explained.id());
        }
    }

    #[test]
    fn ids_begin_with_their_category_and_need_what_there_is() {
        let all: Vec<&About> = CATEGORIES.iter().flat_map(|category| category.about.iter().copied()).collect();
        for category in CATEGORIES {
            assert!(category.about.iter().all(|about| about.category() == category.name), "{}", category.name);
        }
        for needed in all.iter().flat_map(|about| about.needs) {
            assert!(all.iter().any(|about| about.id == *needed), "there is no check `{needed}`");
        }
    }
}
