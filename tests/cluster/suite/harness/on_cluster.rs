//! A kdj whose cluster is the real one.

use std::{env, os::unix::fs::symlink, path::Path};

use super::Kdj;

impl Kdj {
    /// With this kubeconfig and no configuration. kubectl may be the machine's own.
    pub fn on(kubeconfig: &Path) -> Self {
        let kdj = Self::bare();
        let path = [kdj.bin(), "/usr/local/bin".into(), "/usr/bin".into(), "/bin".into()];
        kdj.variable("PATH", env::join_paths(path).expect("a PATH")).variable("KUBECONFIG", kubeconfig)
    }

    /// Puts a program into its PATH.
    pub fn link(self, program: &Path, name: &str) -> Self {
        if program.is_absolute() {
            symlink(program, self.bin().join(name)).expect("a link in PATH");
        }
        self
    }
}
