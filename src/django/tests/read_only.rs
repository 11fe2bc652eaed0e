//! What makes the databases read-only, with a Django of the same ways: of the drivers, one is not installed.

use std::{fs, process::Command};

use crate::{django::read_only::read_only_script, environment::DatabaseSettings};

const BASE: &str = "class BaseDatabaseWrapper:
    vendor = 'sqlite'
    def __init__(self, values, alias):
        self.settings_dict, self.alias, self.closed = values, alias, 0
    def connect(self):
        self.connection = Raw()
    def close(self):
        self.closed += 1
class Raw:
    description = True
    def cursor(self):
        return self
    def execute(self, sql):
        self.row = [('kdj::',)] if 'kdj' in sql else [(1,)]
    def fetchall(self):
        return self.row
    def close(self):
        pass
";
const CONNECTIONS: &str = "import threading
from django.db.backends.base.base import BaseDatabaseWrapper
class NotSupportedError(Exception): pass
class PostgreSQL(BaseDatabaseWrapper):
    vendor = 'postgresql'
class Connections:
    def __init__(self, databases):
        self.databases, self._connections = databases, threading.local()
    def __iter__(self):
        return iter(self.databases)
    def __getitem__(self, alias):
        if not hasattr(self._connections, alias):
            values = self.databases[alias]
            if values['ENGINE'] == 'oracle':
                raise ImportError('no driver of Oracle')
            kind = PostgreSQL if values['ENGINE'] == 'postgresql' else BaseDatabaseWrapper
            setattr(self._connections, alias, kind(values, alias))
        return getattr(self._connections, alias)
    def __delitem__(self, alias):
        delattr(self._connections, alias)
def engine(name, **options): return {'ENGINE': name, 'OPTIONS': options}
";

/// What this prints in such a Django, with the script between `before` and `after`.
#[track_caller]
fn run(databases: &str, alias: Option<&str>, before: &str, after: &str) -> String {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("django/__init__.py", String::new()),
        ("django/db/__init__.py", format!("{CONNECTIONS}connections = Connections({databases})\n")),
        ("django/db/backends/__init__.py", String::new()),
        ("django/db/backends/base/__init__.py", String::new()),
        ("django/db/backends/base/base.py", BASE.to_owned()),
    ] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let settings = DatabaseSettings { read_only_alias: alias.map(str::to_owned), ..DatabaseSettings::default() };
    let code = format!("from django.db import connections\n{before}\n{}\n{after}", read_only_script(&settings));
    let output = Command::new("python3").args(["-c", &code]).env("PYTHONPATH", root.path()).output().expect("python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn a_database_whose_driver_is_missing_is_left_alone() {
    let databases = "{'default': engine('sqlite'), 'late': engine('sqlite'), 'legacy': engine('oracle')}";
    let after = "print(default.closed, sorted(vars(connections._connections)))
connections['late'].connect()
print(BaseDatabaseWrapper.connect is connect_read_only)";
    let said = run(databases, None, "default = connections['default']", after);
    assert_eq!(said, "1 ['default']\nTrue");
    // Nor is the default's own needed where another stands for it.
    let databases = "{'default': engine('oracle'), 'replica': engine('sqlite', timeout=5)}";
    let after = "values = connections['default'].settings_dict\nprint(values == connections['replica'].settings_dict)
print(values['OPTIONS'] is connections['replica'].settings_dict['OPTIONS'])";
    assert_eq!(run(databases, Some("replica"), "", after), "True\nFalse");
    let databases = "{'default': engine('sqlite'), 'replica': engine('postgresql')}";
    let before = "connections['default']";
    assert_eq!(run(databases, Some("replica"), before, "print(connections['default'].vendor)"), "postgresql");
}

#[test]
fn postgresql_has_no_pool_of_the_apps() {
    let databases = "{'default': engine('postgresql', pool={'min_size': 4}, connect_timeout=3)}";
    let after = "connections['default'].connect()\nprint(connections['default'].settings_dict['OPTIONS'])";
    let expected = "{'connect_timeout': 3, 'options': '-c default_transaction_read_only=on'}";
    assert_eq!(run(databases, None, "", after), expected);
}
