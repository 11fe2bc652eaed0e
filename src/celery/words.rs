//! What a worker's command line says of its app.

/// The app and the queues that workers' command lines name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// `shop`, `shop.celery:app`: what `-A` says.
    pub app: Option<String>,
    /// What `-Q` says.
    pub queues: Vec<String>,
}

impl Named {
    /// Adds what this command line says: `celery -A shop worker -Q default,mails`, also as one word of a shell's.
    pub fn add<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        let mut words = words.into_iter().flat_map(str::split_whitespace).skip_while(|word| !is_celery(word));
        while let Some(word) = words.next() {
            if let Some(app) = value(word, "-A", "--app", &mut words) {
                self.app.get_or_insert_with(|| app.to_owned());
            } else if let Some(queues) = value(word, "-Q", "--queues", &mut words) {
                for queue in queues.split(',').filter(|queue| !queue.is_empty()) {
                    if !self.queues.iter().any(|known| known == queue) {
                        self.queues.push(queue.to_owned());
                    }
                }
            }
        }
    }
}

fn is_celery(word: &str) -> bool {
    word.rsplit('/').next() == Some("celery")
}

/// The value of an option: `-A shop`, `-Ashop`, `--app shop`, `--app=shop`.
fn value<'a>(word: &'a str, short: &str, long: &str, rest: &mut impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let found = match word.strip_prefix(long) {
        Some("") => rest.next(),
        Some(value) => value.strip_prefix('='),
        None => match word.strip_prefix(short) {
            Some("") => rest.next(),
            value => value,
        },
    };
    found.map(|value| value.trim_matches(['\'', '"']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(words: &[&str]) -> (Option<String>, Vec<String>) {
        let mut named = Named::default();
        named.add(words.iter().copied());
        (named.app, named.queues)
    }

    #[test]
    fn a_command_line_names_the_app_and_its_queues() {
        let found =
            |app: &str, queues: &[&str]| (Some(app.to_owned()), queues.iter().map(|it| (*it).to_owned()).collect());
        assert_eq!(named(&["celery", "-A", "shop", "worker", "-Q", "mails,slow"]), found("shop", &["mails", "slow"]));
        assert_eq!(
            named(&["/venv/bin/celery", "--app=shop.celery:app", "worker", "--queues=a"]),
            found("shop.celery:app", &["a"])
        );
        assert_eq!(named(&["python", "-m", "celery", "-Ashop", "worker", "-Qa,,a"]), found("shop", &["a"]));
        assert_eq!(named(&["sh", "-c", "exec celery -A 'shop' worker --queues a"]), found("shop", &["a"]));
        // Another program's -A is none.
        assert_eq!(named(&["gunicorn", "-A", "x", "shop.wsgi"]), (None, vec![]));
        assert_eq!(named(&["celery", "worker", "-A"]), (None, vec![]));
    }
}
