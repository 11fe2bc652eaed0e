//! What is shown while several workloads are waited for.

use std::cell::RefCell;

use super::Place;
use crate::ui::Live;

/// One line for all that is waited for at once: two would write over each other.
pub(super) struct Line {
    live: RefCell<Live>,
    texts: RefCell<Vec<String>>,
}

impl Line {
    pub(super) fn new(place: &Place<'_>, number: usize) -> Self {
        let live = RefCell::new(place.ui.live("waiting"));
        Self { live, texts: RefCell::new(vec![String::new(); number]) }
    }

    /// Shows `text` for the one at `at`; elsewhere than on a terminal `elsewhere`, once.
    pub(super) fn show_or_say(&self, at: usize, text: &str, elsewhere: &str) {
        if let Some(own) = self.texts.borrow_mut().get_mut(at) {
            text.clone_into(own);
        }
        let texts = self.texts.borrow();
        let all: Vec<&str> = texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        self.live.borrow_mut().show_or_say(&all.join(" · "), elsewhere);
    }

    /// Says something for good, and nothing more for the one at `at`.
    pub(super) fn conclude(&self, at: usize, place: &Place<'_>, text: &str) {
        if let Some(own) = self.texts.borrow_mut().get_mut(at) {
            own.clear();
        }
        self.live.borrow().aside(|| place.ui.status(text));
    }
}
