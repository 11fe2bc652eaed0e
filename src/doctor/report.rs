//! What came of the checks, put together: how many ended how, and whether an environment is good to go.

use super::{
    check::{Check, Subject},
    outcome::Status,
    run::Done,
    world::World,
};

/// How many checks ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Passed.
    pub pass: usize,
    /// With something to know.
    pub warn: usize,
    /// Failed.
    pub fail: usize,
    /// Skipped.
    pub skip: usize,
    /// Those of the skipped that leave something open.
    pub open: usize,
}

impl Counts {
    /// Counts the outcomes of these checks.
    pub fn of<'a>(rows: impl IntoIterator<Item = (&'a Check, &'a Done)>) -> Self {
        let mut counts = Self::default();
        for (_, done) in rows {
            counts.open += usize::from(done.outcome.open);
            *match done.outcome.status {
                Status::Pass => &mut counts.pass,
                Status::Warn => &mut counts.warn,
                Status::Fail => &mut counts.fail,
                Status::Skip => &mut counts.skip,
            } += 1;
        }
        counts
    }

    /// Whether nothing failed, and something is known.
    pub fn is_good(self) -> bool {
        self.fail == 0 && (self.open == 0 || self.pass + self.warn > 0)
    }

    /// `good to go, 1 warning` or `not yet: 2 failures`. Of a `part` of the checks, and where some leave something open, it
    /// says no more than is known.
    pub fn verdict(self, part: bool) -> String {
        let several = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        if self.fail > 0 {
            return format!("not yet: {}", several(self.fail, "failure"));
        }
        let known = self.pass + self.warn;
        let mut verdict = match (part, self.open) {
            (_, open) if open > 0 && known == 0 => return format!("not known: {} skipped", several(open, "check")),
            (false, 0) => "good to go".to_owned(),
            (true, 0) => "nothing wrong in what was looked at".to_owned(),
            (_, open) => format!("nothing wrong as far as was looked, {} skipped", several(open, "check")),
        };
        if self.warn > 0 {
            verdict.push_str(&format!(", {}", several(self.warn, "warning")));
        }
        verdict
    }
}

/// The verdict of each environment asked for; without any, of everything, which has no name.
pub fn verdicts(world: &World, rows: &[(&Check, &Done)]) -> Vec<(Option<String>, Counts)> {
    if world.asked.is_empty() {
        return vec![(None, Counts::of(rows.iter().copied()))];
    }
    let of_one = |asked: &super::world::Asked| {
        let context = asked.environment.as_ref().ok().map(|environment| environment.context.clone());
        let subject = Subject::Environment { name: asked.name.clone(), context };
        let own = rows.iter().copied().filter(|(check, _)| check.subject.serves(&subject));
        (Some(asked.name.clone()), Counts::of(own))
    };
    world.asked.iter().map(of_one).collect()
}
