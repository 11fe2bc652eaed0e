//! What every command's help ends with: something to type. A test parses each of them.

use clap::builder::styling::Style;

/// A command's path below `kdj`, and its examples: what to type, and what that does.
type Examples = (&'static [&'static str], &'static [(&'static str, &'static str)]);

#[rustfmt::skip]
const EXAMPLES: &[Examples] = &[
    (&["audit"], &[("kdj audit prod", "who changed what"), ("kdj audit prod --since 7d -o json", "of the last week, for a program")]),
    (&["completions"], &[("source <(kdj completions bash)", "in ~/.bashrc"), ("source <(kdj completions zsh)", "in ~/.zshrc, after compinit"), ("kdj completions fish | source", "in ~/.config/fish/config.fish")]),
    (&["config"], &[("kdj config qa web", "variables and files, without secrets"), ("kdj config qa web --diff celeryd", "what differs between two roles"), ("kdj config qa --diff prod", "between two environments")]),
    (&["db"], &[("kdj db qa locks", "who blocks whom"), ("kdj db qa dump -o shop.sql", "a dump of the database")]),
    (&["db", "activity"], &[("kdj db qa activity", "the sessions that do something"), ("kdj db qa activity --all --full", "all of them, their queries whole")]),
    (&["db", "locks"], &[("kdj db qa locks", "who blocks whom")]),
    (&["db", "size"], &[("kdj db qa size", "the largest tables")]),
    (&["db", "kill"], &[("kdj db qa kill 4711", "end what the session does"), ("kdj db qa kill 4711 --terminate", "end the session")]),
    (&["db", "dump"], &[("kdj db qa dump -o shop.sql", "into a file"), ("kdj db qa dump --schema-only > schema.sql", "tables without rows"), ("kdj db qa dump --format custom -o shop.dump", "for pg_restore")]),
    (&["dbshell"], &[("kdj dbshell qa", "psql, mysql, sqlite3 or redis-cli"), ("kdj dbshell qa -c 'select count(*) from auth_user'", "one statement"), ("kdj dbshell qa -f report.sql -o csv > report.csv", "a file of them, as CSV")]),
    (&["doctor"], &[("kdj doctor", "this machine, the files, the logins"), ("kdj doctor qa", "the cluster and the app of qa, too"), ("kdj doctor --fix", "mend what can be mended here")]),
    (&["envs"], &[("kdj envs", "the environments and where they are"), ("kdj envs --live", "and how they are"), ("kdj envs -v", "and which file says so")]),
    (&["forward"], &[("kdj forward qa db", "the app's database at a local port"), ("kdj forward qa web 8080:8000", "a role's port"), ("kdj forward qa db --exec pytest -x", "a program with what it needs to reach it"), ("kdj forward qa", "what there is")]),
    (&["gc"], &[("kdj gc qa --dry-run", "what would be removed"), ("kdj gc qa", "remove it, after asking")]),
    (&["help"], &[("kdj help", "the topics"), ("kdj help configuration", "a page"), ("kdj help migrate", "a command")]),
    (&["init"], &[("kdj init", "look everywhere, show the file, ask"), ("kdj init --context acme-staging -n shop-qa", "in one place"), ("kdj init --dry-run", "only print it"), ("kdj init --yes", "write it without asking")]),
    (&["jobs"], &[("kdj jobs qa", "the jobs kdj made"), ("kdj jobs attach qa kdj-run-x7k2m", "follow one"), ("kdj jobs cancel qa kdj-run-x7k2m", "end it")]),
    (&["jobs", "attach"], &[("kdj jobs attach kdj-run-x7k2m", "one made from this machine"), ("kdj jobs attach qa kdj-run-x7k2m", "anybody's")]),
    (&["jobs", "logs"], &[("kdj jobs logs qa kdj-run-x7k2m", "all it has printed so far")]),
    (&["jobs", "cancel"], &[("kdj jobs cancel qa kdj-run-x7k2m", "end it and remove it")]),
    (&["logs"], &[("kdj logs qa", "all pods of the app, from now on"), ("kdj logs qa web celeryd --since 10m", "two roles, the last ten minutes first"), ("kdj logs prod --no-follow --since 2h -o json > errors.json", "for a program"), ("kdj logs qa:web prod:web", "two environments")]),
    (&["manage"], &[("kdj manage qa -- check --deploy", "any management command"), ("kdj manage qa -- dumpdata auth.group > groups.json", "its output is kdj's"), ("kdj manage qa --fresh -- rebuild_index", "in a pod of its own")]),
    (&["migrate"], &[("kdj migrate qa --plan", "what would be done, and what is dangerous about it"), ("kdj migrate qa", "do it, once"), ("kdj migrate qa catalog 0041", "one app, up to or back to a migration")]),
    (&["pyshell"], &[("kdj pyshell qa", "shell_plus, IPython or plain"), ("kdj pyshell qa -c 'from shop.models import Order; print(Order.objects.count())'", "run code"), ("kdj pyshell qa -f fix.py", "run a file"), ("kdj pyshell prod --read-write", "in a protected environment, where it is a change")]),
    (&["releases"], &[("kdj releases qa", "the revisions of all roles"), ("kdj releases qa web -o wide", "of one, with more columns")]),
    (&["restart"], &[("kdj restart qa", "all roles, one after the other"), ("kdj restart qa celeryd --drain", "let the workers finish first"), ("kdj restart prod web --confirm prod --reason 'leak in 1.42'", "a protected environment, from a script")]),
    (&["rollback"], &[("kdj rollback qa", "the release before"), ("kdj rollback qa 41 web", "a revision of one role"), ("kdj rollback qa --dry-run", "what would be done")]),
    (&["run"], &[("kdj run qa -- ./import.sh", "follow it; it outlives the laptop"), ("kdj run qa --detach -- python manage.py rebuild_index", "do not wait"), ("kdj run -it qa -- bash", "with a terminal")]),
    (&["scale"], &[("kdj scale qa", "how many pods there are"), ("kdj scale qa web=3", "that many"), ("kdj scale qa celeryd+2 --wait", "two more, and wait for them")]),
    (&["sessions"], &[("kdj sessions qa", "what is open, and by whom"), ("kdj sessions attach qa kdj-session-p3q4r", "take one up again")]),
    (&["sessions", "attach"], &[("kdj sessions attach qa kdj-session-p3q4r", "take it up where it was left")]),
    (&["sessions", "end"], &[("kdj sessions end qa kdj-session-p3q4r", "end it and its pod")]),
    (&["shell"], &[("kdj shell qa", "bash or sh, in the app's directory"), ("kdj shell qa --role celeryd -- df -h", "one command in another role"), ("kdj shell qa --fresh", "in a pod of its own"), ("kdj shell acme-staging/shop-qa", "without any configuration")]),
    (&["status"], &[("kdj status prod", "what runs, what is broken, why"), ("kdj status qa prod -w", "two environments, as they change"), ("kdj status prod --web", "the same as a page"), ("kdj status prod -o json", "for a program")]),
];

/// The program with the examples behind each command's help, in `header`'s style.
pub fn with_examples(program: clap::Command, header: &Style) -> clap::Command {
    attach(program, &[], header)
}

fn attach(command: clap::Command, path: &[String], header: &Style) -> clap::Command {
    let command = match EXAMPLES.iter().find(|(of, _)| of.iter().eq(path.iter())) {
        Some((_, examples)) => {
            let before = command.get_after_help().map(|help| format!("{}\n\n", help.ansi())).unwrap_or_default();
            command.after_help(format!("{before}{}", text(examples, header)))
        }
        None => command,
    };
    command.mut_subcommands(|below| {
        let path: Vec<String> = path.iter().cloned().chain([below.get_name().to_owned()]).collect();
        attach(below, &path, header)
    })
}

fn text(examples: &[(&str, &str)], header: &Style) -> String {
    let width = examples.iter().map(|(typed, _)| typed.chars().count()).filter(|width| *width <= 52).max().unwrap_or(0);
    let line = |(typed, does): &(&str, &str)| format!("\n  {typed:<width$}  # {does}");
    let lines: String = examples.iter().map(line).collect();
    format!("{}Examples:{}{lines}", header.render(), header.render_reset())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visible(command: &clap::Command, path: &[String], found: &mut Vec<Vec<String>>) {
        for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
            let path: Vec<String> = path.iter().cloned().chain([below.get_name().to_owned()]).collect();
            found.push(path.clone());
            visible(below, &path, found);
        }
    }

    #[test]
    fn every_command_has_examples_and_each_parses() {
        let program = crate::cli::command();
        let mut paths = vec![vec!["help".to_owned()]];
        visible(&program, &[], &mut paths);
        for path in &paths {
            let examples = EXAMPLES.iter().find(|(of, _)| of.iter().eq(path.iter()));
            assert!(examples.is_some(), "`kdj {}` has no examples", path.join(" "));
        }
        for (path, examples) in EXAMPLES {
            assert!(paths.iter().any(|known| known.iter().eq(path.iter())), "`kdj {}` is no command", path.join(" "));
            for (typed, _) in *examples {
                let typed = typed.trim_start_matches("source <(").trim_end_matches(')');
                let typed = [" > ", " | "].iter().find_map(|sign| Some(typed.split_once(sign)?.0)).unwrap_or(typed);
                let words = shell_words::split(typed).unwrap();
                let parsed = program.clone().try_get_matches_from(&words);
                assert!(parsed.is_ok(), "`{typed}`: {}", parsed.unwrap_err());
                assert!(words.contains(&path[0].to_owned()), "`{typed}` is no example of `{}`", path.join(" "));
            }
        }
    }
}
