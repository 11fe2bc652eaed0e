//! `kdj status -w`: redrawn in place on a terminal, a line for each change elsewhere.

use std::{cmp::Reverse, collections::BTreeMap};

use futures::{StreamExt, future::select_all, stream::FuturesUnordered};
use tokio::sync::watch;

use super::{StatusArgs, open::Opened};
use crate::{
    error::{Error, Result},
    exit::Exit,
    status::{self, Health, Line, Status},
    ui::{Screen, Ui, style::sanitize, terminal},
};

/// One environment, as it was seen last.
struct View {
    name: String,
    statuses: watch::Receiver<Option<Status>>,
    /// What a command that is about it begins with.
    program: String,
    /// Why it is not seen any more.
    error: Option<Error>,
}

impl View {
    /// As it was seen last.
    fn status(&self) -> Option<Status> {
        self.statuses.borrow().clone().map(|status| status.typed_with(&self.program))
    }
}

/// Follows the environments until a signal ends it.
pub(super) async fn run(args: &StatusArgs, opened: Vec<Opened>, ui: &Ui) -> Result<Exit> {
    let (mut views, mut feeds) = (Vec::new(), FuturesUnordered::new());
    for (at, Opened { environment, cluster, program }) in opened.into_iter().enumerate() {
        let (sender, statuses) = watch::channel(None);
        let name = environment.name.clone();
        match cluster {
            Ok(cluster) => {
                views.push(View { name, statuses, program, error: None });
                feeds.push(async move { (at, cluster.follow_status(&environment, &sender).await) });
            }
            Err(error) => views.push(View { name, statuses, program, error: Some(error) }),
        }
    }
    if feeds.is_empty() {
        return Err(last_error(views, Some(ui)));
    }
    let mut shown = Shown::new(args, ui);
    for at in 0..views.len() {
        if views[at].error.is_some() {
            shown.fail(&views, at)?;
        }
    }
    shown.draw(&views);
    let interrupted = terminal::interrupted();
    let (resized, unread) = (terminal::resized(), ui.nobody_reads());
    tokio::pin!(interrupted, resized, unread);
    loop {
        tokio::select! {
            biased;
            number = &mut interrupted => {
                shown.end(&views)?;
                return Ok(Exit::Interrupted(number));
            }
            Some((at, outcome)) = feeds.next(), if !feeds.is_empty() => {
                if let Err(error) = outcome {
                    views[at].error = Some(error);
                }
                if feeds.is_empty() {
                    // What was said on the screen only is gone with it.
                    let unsaid = shown.screen.is_some().then_some(ui);
                    shown.end(&[])?;
                    return Err(last_error(views, unsaid));
                }
                shown.fail(&views, at)?;
            }
            Some(at) = changed(&mut views) => shown.show(&views, at)?,
            () = &mut resized, if shown.screen.is_some() => {
                resized.set(terminal::resized());
                shown.draw(&views);
            }
            () = &mut unread => return Ok(Exit::Success),
        }
    }
}

/// Waits until one of the views has something new, and says which; `None` when its feed has ended, which says why itself.
async fn changed(views: &mut [View]) -> Option<usize> {
    let seen = views.iter_mut().enumerate().filter(|(_, view)| view.error.is_none());
    let waiting = seen.map(|(at, view)| Box::pin(async move { view.statuses.changed().await.ok().map(|()| at) }));
    let waiting: Vec<_> = waiting.collect();
    if waiting.is_empty() {
        return std::future::pending().await;
    }
    select_all(waiting).await.0
}

/// When nothing can be seen any more: why. The other errors are said, where they have not been.
fn last_error(views: Vec<View>, unsaid: Option<&Ui>) -> Error {
    let mut errors: Vec<Error> = views.into_iter().filter_map(|view| view.error).collect();
    let last = errors.pop().unwrap_or_else(|| Error::failed("nothing is watched any more"));
    if let Some(ui) = unsaid {
        errors.iter().for_each(|error| ui.error(error));
    }
    last
}

/// What is shown, and how.
struct Shown<'a> {
    args: &'a StatusArgs,
    ui: &'a Ui,
    screen: Option<Screen>,
    /// The lines that were appended last, by environment and what they are about.
    lines: BTreeMap<(String, String), String>,
    /// What was printed last of each environment as JSON, without what grows by itself.
    printed: BTreeMap<String, Status>,
}

impl<'a> Shown<'a> {
    fn new(args: &'a StatusArgs, ui: &'a Ui) -> Self {
        let screen = if args.is_json() { None } else { ui.screen() };
        Self { args, ui, screen, lines: BTreeMap::new(), printed: BTreeMap::new() }
    }

    /// Shows what is new of one environment.
    fn show(&mut self, views: &[View], at: usize) -> Result<()> {
        if self.screen.is_some() {
            self.draw(views);
            return Ok(());
        }
        let Some(status) = views[at].status() else { return Ok(()) };
        if self.args.is_json() {
            let ageless = status.ageless();
            return match self.printed.insert(status.environment.clone(), ageless.clone()) {
                Some(before) if before == ageless => Ok(()),
                _ => self.line(&status.json()),
            };
        }
        self.append(&status)
    }

    /// Shows that an environment is seen no more.
    fn fail(&mut self, views: &[View], at: usize) -> Result<()> {
        let View { name, error, .. } = &views[at];
        match error {
            Some(error) if self.args.is_json() => self.line(&status::failed(name, &error.to_string())),
            Some(error) if self.screen.is_none() => {
                self.ui.error(error);
                Ok(())
            }
            _ => {
                self.draw(views);
                Ok(())
            }
        }
    }

    fn line(&self, value: &serde_json::Value) -> Result<()> {
        self.ui.data(&format!("{value}\n"))
    }

    fn draw(&mut self, views: &[View]) {
        let text = self.text(views);
        if let Some(screen) = &mut self.screen {
            screen.draw(&text);
        }
    }

    /// Appends the lines that differ from those before.
    fn append(&mut self, status: &Status) -> Result<()> {
        let time = status.taken.strftime("%H:%M:%S");
        let lines = status::lines(status);
        let gone: Vec<_> = self.lines.keys().filter(|(of, _)| *of == status.environment).cloned().collect();
        let mut before: BTreeMap<_, _> = gone.into_iter().filter_map(|key| self.lines.remove_entry(&key)).collect();
        let mut text = String::new();
        for Line { about, state, detail } in lines {
            let key = (status.environment.clone(), about);
            if before.remove(&key).as_ref() != Some(&state) {
                text.push_str(&format!("{time} {}: {state}{detail}\n", status.environment));
            }
            self.lines.insert(key, state);
        }
        for (_, about) in before.into_keys() {
            text.push_str(&format!("{time} {}: over: {}\n", status.environment, sanitize(&about)));
        }
        if text.is_empty() { Ok(()) } else { self.ui.data(&text) }
    }

    /// All environments, one below the other.
    fn text(&self, views: &[View]) -> String {
        let show = self.args.show(self.ui);
        let texts = views.iter().map(|view| match (&view.error, view.status()) {
            (Some(error), _) => (Health::Broken, sanitize(&format!("{}: {error}\n", view.name))),
            (None, Some(status)) => {
                let missing = status.missing.iter().map(|missing| sanitize(&format!("not seen: {missing}\n")));
                (status.health, status::text(&status, show) + &missing.collect::<String>())
            }
            (None, None) => (Health::Ok, format!("{}: asking the cluster\n", view.name)),
        });
        arranged(texts.collect(), self.screen.as_ref().map(Screen::rows))
    }

    /// Gives the terminal back, and leaves there what was seen last.
    fn end(&mut self, views: &[View]) -> Result<()> {
        let Some(screen) = self.screen.take() else { return Ok(()) };
        screen.close();
        match views {
            [] => Ok(()),
            views => self.ui.data(&self.text(views)),
        }
    }
}

/// The texts, one below the other. On a terminal what does not fit is cut off below: there how each is comes first then,
/// the worst first.
fn arranged(mut texts: Vec<(Health, String)>, rows: Option<usize>) -> String {
    let lines = texts.iter().map(|(_, text)| text.lines().count() + 1).sum::<usize>();
    let mut overview = String::new();
    if texts.len() > 1 && rows.is_some_and(|rows| lines > rows + 1) {
        texts.sort_by_key(|(health, _)| Reverse(*health));
        let first = texts.iter().filter_map(|(_, text)| text.lines().next());
        overview = first.map(|line| format!("{line}\n")).chain(["\n".to_owned()]).collect();
    }
    overview + &texts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_begins_with_how_each_is_the_worst_first() {
        let texts = || vec![(Health::Ok, "a: ok\nweb\n".to_owned()), (Health::Broken, "b: BROKEN\nweb\n".to_owned())];
        let all = "a: ok\nweb\n\nb: BROKEN\nweb\n";
        assert_eq!((arranged(texts(), None), arranged(texts(), Some(5))), (all.to_owned(), all.to_owned()));
        assert_eq!(arranged(texts(), Some(4)), "b: BROKEN\na: ok\n\nb: BROKEN\nweb\n\na: ok\nweb\n");
    }
}
