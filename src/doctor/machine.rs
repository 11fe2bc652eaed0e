//! This machine: what kdj runs on, and what it may start here.

use std::rc::Rc;

use super::{About, Category, Check, Outcome, Subject, World};

const VERSION: About = About::new("machine.version", "kdj knows its version", "an error report needs it");

/// The category.
pub const CATEGORY: Category = Category { name: "machine", about: &[&VERSION], checks };

fn checks(world: &Rc<World>) -> Vec<Check> {
    vec![Check::new(&VERSION, Subject::All, world, version)]
}

async fn version(_: Rc<World>) -> Outcome {
    let platform = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    Outcome::pass(format!("kdj {} on {platform}", env!("CARGO_PKG_VERSION")))
}
