//! Which of Django's own management commands only read. What an app brings along may do anything.

/// Read whatever their arguments.
const READING: [&str; 11] = [
    "check",
    "diffsettings",
    "findstatic",
    "help",
    "inspectdb",
    "showmigrations",
    "sqlflush",
    "sqlmigrate",
    "sqlsequencereset",
    "version",
    "--version",
];
/// Read when they have this argument. Before Django 4.2 `makemigrations --check` alone wrote the migrations.
const READING_WITH: [(&str, &[&str]); 5] = [
    ("migrate", &["--plan", "--check"]),
    ("makemigrations", &["--dry-run"]),
    ("optimizemigration", &["--check"]),
    ("collectstatic", &["--dry-run", "-n"]),
    ("createcachetable", &["--dry-run"]),
];

/// Whether a management command and its arguments change nothing. In doubt they do.
pub fn only_reads(command: &[String]) -> bool {
    let Some((name, arguments)) = command.split_first() else { return false };
    let asks_for_help = |argument: &String| argument == "--help" || argument == "-h";
    if READING.contains(&name.as_str()) || asks_for_help(name) || matches!(arguments, [only] if asks_for_help(only)) {
        return true;
    }
    let with = READING_WITH.iter().find(|(known, _)| known == name).map_or(&[][..], |(_, with)| *with);
    arguments.iter().any(|argument| with.contains(&argument.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(command: &str) -> bool {
        only_reads(&command.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_only_reads_is_known_and_nothing_else() {
        for command in [
            "check --deploy",
            "showmigrations shop",
            "sqlmigrate shop 0001",
            "--version",
            "version",
            "help",
            "migrate --plan",
            "migrate shop 0003 --plan",
            "migrate --check",
            "makemigrations --check --dry-run",
            "orders_report --help",
        ] {
            assert!(reads(command), "{command}");
        }
        for command in [
            "",
            "migrate",
            "migrate --fake",
            "makemigrations --check",
            "flush",
            "shell",
            "dbshell",
            "orders_report",
            "loaddata --plan",
            "orders_report --name --help",
            "--settings=x check",
            "Check",
        ] {
            assert!(!reads(command), "{command}");
        }
    }
}
