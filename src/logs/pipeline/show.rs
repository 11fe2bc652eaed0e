//! The last step: what is left out, what is counted, and how the rest is shown.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{
    super::{
        entry::Source,
        filter::Filter,
        group::{self, Groups},
        render::{self, Clock, Json, Names, Text},
        unit::Unit,
        view::View,
    },
    Counts, Format, Options, Out,
};

/// How often groups that have grown are shown, following.
const REPORT: Duration = Duration::from_secs(10);

/// Shows units, or counts them.
#[derive(Debug)]
pub(super) struct Show {
    follow: bool,
    filter: Filter,
    writer: Writer,
    groups: Option<Groups>,
    /// When groups that have grown are shown.
    pub(super) report: Option<Instant>,
    clock: Clock,
    pub(super) names: Names,
    pub(super) counts: Counts,
}

#[derive(Debug)]
enum Writer {
    Text(Box<Text>),
    /// With the line that had no line feed.
    Raw(Option<(Arc<Source>, Timestamp)>),
    Json(Json),
}

impl Show {
    pub(super) fn new(options: Options) -> Self {
        let Options { follow, stdin, mut filter, group, format, zone, .. } = options;
        filter.exceptions |= group;
        let writer = match format {
            Format::Text(options) => Writer::Text(Box::new(Text::new(options, zone.clone()))),
            Format::Raw => Writer::Raw(None),
            Format::Json(json) => Writer::Json(json),
        };
        Self {
            // Nobody knows whether a pipe is live: its groups are told at its end.
            follow: follow && !stdin,
            filter,
            writer,
            groups: group.then(Groups::default),
            report: None,
            clock: Clock::new(zone),
            names: Names::default(),
            counts: Counts::default(),
        }
    }

    /// A unit's turn has come. `before` is whether the source's last one was shown; so it is returned of this one.
    pub(super) fn unit(&mut self, unit: &Unit, before: bool, now: Instant, out: &mut Out) -> bool {
        let view = View::new(unit);
        // What goes on with another unit is shown if that was, and counted with it.
        if !if unit.continues { before } else { self.filter.passes(&view) } {
            return false;
        }
        self.counts.shown += unit.lines().count() as u64;
        if !unit.continues && self.is_counted(&view, now) {
            return false;
        }
        match &mut self.writer {
            Writer::Text(text) => text.unit(&view, &self.names, out.data()),
            Writer::Raw(open) => render::raw(unit, open, out.data()),
            Writer::Json(json) => json.unit(&view, out.data()),
        }
        true
    }

    /// Whether a unit is counted instead of shown. Following, the first of a group is shown, too.
    fn is_counted(&mut self, view: &View<'_>, now: Instant) -> bool {
        let Some(groups) = &mut self.groups else { return false };
        let is_new = groups.add(view);
        if self.follow && !is_new {
            self.report = self.report.or(Some(now + REPORT));
        }
        !(self.follow && is_new)
    }

    /// A gap's turn has come.
    pub(super) fn gap(
        &mut self,
        source: &Arc<Source>,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        why: &str,
        out: &mut Out,
    ) {
        self.counts.gaps += 1;
        if let Writer::Json(_) = self.writer {
            render::gap(source, from, to, why, out.data());
        }
        let mut shown = |time: Option<Timestamp>, word: &str| {
            let Some(time) = time else { return String::new() };
            let mut text = Vec::new();
            self.clock.time(time, &mut text);
            format!(" {word} {}", String::from_utf8_lossy(&text))
        };
        let (from, to) = (shown(from, "after"), shown(to, "before"));
        out.warning(format!("gap: lines of {}{from}{to} may be lost: {why}", self.names.get(source)));
    }

    /// Shows the groups that have grown, when it is time to.
    pub(super) fn tick(&mut self, now: Instant, out: &mut Out) {
        if self.report.is_some_and(|report| report <= now) {
            self.report = None;
            let changed = self.groups.as_mut().map(Groups::take_changed).unwrap_or_default();
            let text = match &self.writer {
                Writer::Json(_) => group::objects(&changed),
                _ => group::changed(&changed, &mut self.clock),
            };
            self.words(&text, out);
        }
    }

    /// Shows all groups.
    pub(super) fn finish(&mut self, out: &mut Out) {
        let Some(groups) = &self.groups else { return };
        let text = match &self.writer {
            Writer::Json(_) => group::json(groups),
            _ => group::table(groups, &mut self.clock, !self.follow),
        };
        self.words(&text, out);
    }

    /// Writes text of kdj's own among the data.
    fn words(&self, text: &str, out: &mut Out) {
        match &self.writer {
            Writer::Text(writer) => writer.words(text, out.data()),
            _ => out.data().extend_from_slice(text.as_bytes()),
        }
    }
}
