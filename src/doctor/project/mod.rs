//! The project's own checks: `[[doctor.checks]]` of kdj.toml and config.toml.
//!
//! A check is a command on this computer. One from a project's file, which somebody else may have written, runs only when
//! the user has trusted that file as it is; the user's own file needs no trust.

mod command;
pub mod trust;

use std::{borrow::Cow, path::PathBuf, rc::Rc};

use self::trust::Trust;
use super::{About, Category, Check, Outcome, Subject, World};
use crate::{
    config::{DoctorCheck, Origin},
    names,
};

/// The category; its checks are found in the files.
pub const CATEGORY: Category = Category { name: "project", about: &[], checks };

/// One of them.
struct Own {
    check: DoctorCheck,
    world: Rc<World>,
}

fn checks(world: &Rc<World>) -> Vec<Check> {
    let of = |check: &DoctorCheck| {
        let about = About {
            id: Cow::Owned(format!("project.{}", check.id)),
            title: Cow::Owned(check.title.clone()),
            why: Cow::Owned(check.why.clone().unwrap_or_else(|| "the project asks for it".to_owned())),
            needs: &["configuration.file"],
        };
        let own = Rc::new(Own { check: check.clone(), world: Rc::clone(world) });
        Check::new(&about, Subject::All, &own, run).within(command::LIMIT * 2)
    };
    world.config.doctor.iter().map(of).collect()
}

async fn run(own: Rc<Own>) -> Outcome {
    let Own { check, world } = &*own;
    let asked = |name: &&String| world.asked.iter().any(|asked| asked.name == **name);
    let Some(environments) = (match check.environments.iter().filter(asked).cloned().collect::<Vec<_>>() {
        none if none.is_empty() && !check.environments.is_empty() => None,
        some => Some(some),
    }) else {
        let names = names::quoted(check.environments.iter().map(String::as_str), ", ");
        return Outcome::skip(format!("it is about {names}"));
    };
    if !matches!(check.origin, Origin::User(_)) {
        let Some(project) = &world.config.project else {
            return Outcome::skip("it is of a file that is not known, and cannot be trusted");
        };
        let file = names::shown(&project.path.to_string_lossy());
        let why = match trust::of(project) {
            Trust::Trusted => None,
            Trust::Changed => Some(format!("{file} has changed since you trusted it")),
            Trust::Unknown => Some(format!("you have not trusted {file}, whose commands run on this computer")),
        };
        if let Some(why) = why {
            return Outcome::skip(why).fix(format!("read {file}, then: `kdj doctor --trust`"));
        }
    }
    let outcome = command::run(&check.command, &directory(check), &environments).await;
    match &check.fix {
        Some(fix) if outcome.status == super::Status::Fail => outcome.fix(fix.clone()),
        _ => outcome,
    }
}

/// Commands run where their file is.
fn directory(check: &DoctorCheck) -> PathBuf {
    match &check.origin {
        Origin::Project(location) | Origin::User(location) => {
            location.path.parent().map(PathBuf::from).unwrap_or_default()
        }
        _ => PathBuf::new(),
    }
}
