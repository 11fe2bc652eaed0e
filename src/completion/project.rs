//! What the project's own files tell: its apps, their migrations and their management commands. The working directory of
//! who types `kdj migrate qa` is most often the project itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use crate::config::{Config, PROJECT_FILE};

/// How deep below the project's directory is looked.
const DEEPEST: usize = 5;
/// How many directories are looked into: a Tab has little time.
const MOST: usize = 2000;
/// Directories that hold other people's code, or none.
const SKIPPED: [&str; 10] =
    ["node_modules", "venv", "env", "site-packages", "static", "media", "target", "dist", "build", "__pycache__"];

/// Django's own management commands that make sense in a cluster.
pub const BUILT_IN_COMMANDS: [&str; 25] = [
    "changepassword",
    "check",
    "clearsessions",
    "collectstatic",
    "compilemessages",
    "createcachetable",
    "createsuperuser",
    "dbshell",
    "diffsettings",
    "dumpdata",
    "findstatic",
    "flush",
    "help",
    "inspectdb",
    "loaddata",
    "makemigrations",
    "migrate",
    "remove_stale_contenttypes",
    "sendtestemail",
    "shell",
    "showmigrations",
    "sqlflush",
    "sqlmigrate",
    "sqlsequencereset",
    "version",
];

/// What a project's files tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// The apps that have migrations, with the names of these.
    pub migrations: BTreeMap<String, BTreeSet<String>>,
    /// The management commands.
    pub commands: BTreeSet<String>,
}

impl Project {
    /// The project of the working directory: where its `kdj.toml` is, or the `manage.py` above.
    pub fn here(config: &Config) -> Self {
        let mut project = Self::default();
        let mut left = MOST;
        // A home directory has a whole life in it.
        if let Some(root) = root(config).filter(|root| dirs::home_dir().is_none_or(|home| home != *root)) {
            project.look(&root, DEEPEST, &mut left);
        }
        project
    }

    fn look(&mut self, directory: &Path, depth: usize, left: &mut usize) {
        if depth == 0 || *left == 0 {
            return;
        }
        *left -= 1;
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.') && !SKIPPED.contains(name)) else {
                continue;
            };
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let path = entry.path();
            match name {
                "migrations" => {
                    let app = directory.file_name().map(|name| name.to_string_lossy().into_owned());
                    let found = modules(&path).filter(|module| module.starts_with(|c: char| c.is_ascii_digit()));
                    let found: BTreeSet<String> = found.collect();
                    if let Some(app) = app.filter(|_| !found.is_empty()) {
                        self.migrations.entry(app).or_default().extend(found);
                    }
                }
                "management" => self.commands.extend(modules(&path.join("commands"))),
                _ => self.look(&path, depth - 1, left),
            }
        }
    }
}

/// The modules in a directory that are meant to be called.
fn modules(directory: &Path) -> impl Iterator<Item = String> {
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    files.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.strip_suffix(".py").filter(|name| !name.starts_with('_')).map(str::to_owned)
    })
}

fn root(config: &Config) -> Option<PathBuf> {
    let file = config.files.iter().rev().find(|file| file.file_name().is_some_and(|name| name == PROJECT_FILE));
    if let Some(folder) = file.and_then(|file| file.parent()) {
        return Some(folder.to_owned());
    }
    let here = env::current_dir().ok()?;
    here.ancestors().find(|directory| directory.join("manage.py").is_file()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apps_and_commands_are_found_and_other_people_s_are_not() {
        let directory = tempfile::tempdir().unwrap();
        for file in [
            "shop/catalog/migrations/0001_initial.py",
            "shop/catalog/migrations/0002_price.py",
            "shop/catalog/migrations/__init__.py",
            "shop/catalog/management/commands/orders_report.py",
            "shop/catalog/management/commands/_base.py",
            "shop/empty/migrations/__init__.py",
            "venv/lib/other/migrations/0001_initial.py",
            ".git/x/migrations/0001_initial.py",
        ] {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let mut project = Project::default();
        let mut left = MOST;
        project.look(directory.path(), DEEPEST, &mut left);
        let found: Vec<_> = project.migrations.iter().map(|(app, names)| (app.as_str(), names.len())).collect();
        assert_eq!(found, [("catalog", 2)]);
        assert_eq!(project.commands.into_iter().collect::<Vec<_>>(), ["orders_report"]);
        let mut limited = Project::default();
        limited.look(directory.path(), DEEPEST, &mut 1);
        assert_eq!(limited, Project::default());
    }
}
