//! Fake credential plugins: small sh scripts that count their runs.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

/// A plugin, written to a test's directory.
#[derive(Clone, Debug)]
pub struct Plugin {
    path: PathBuf,
    runs: PathBuf,
    extra: Value,
}

impl Plugin {
    /// Prints a token that does not expire.
    pub fn with_token(directory: &Path, token: &str) -> Self {
        Self::printing(directory, &credential(json!({"token": token})))
    }

    /// Prints a token that expires at this time: `2026-11-21T10:00:00Z`.
    pub fn with_expiring_token(directory: &Path, token: &str, expires: &str) -> Self {
        Self::printing(directory, &credential(json!({"token": token, "expirationTimestamp": expires})))
    }

    /// Prints a new token at each run, `PREFIX-1`, `PREFIX-2`, each of which expires so many seconds later.
    pub fn with_fresh_tokens(directory: &Path, prefix: &str, seconds: u32) -> Self {
        let script = format!(
            r#"count=$(wc -l < "$runs" | tr -d ' ')
expires=$(date -u -d "+{seconds} seconds" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -v+{seconds}S +%Y-%m-%dT%H:%M:%SZ)
printf '{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"%s","expirationTimestamp":"%s"}}}}\n' "{prefix}-$count" "$expires""#
        );
        Self::script(directory, &script)
    }

    /// Prints a certificate and key, in PEM.
    pub fn with_certificate(directory: &Path, (certificate, key): &(String, String)) -> Self {
        let status = json!({"clientCertificateData": certificate, "clientKeyData": key});
        Self::printing(directory, &credential(status))
    }

    /// Prints a token in YAML.
    pub fn with_yaml(directory: &Path, token: &str) -> Self {
        let text = "apiVersion: client.authentication.k8s.io/v1\nkind: ExecCredential\nstatus:\n  token: ";
        Self::printing(directory, &format!("{text}{token}\n"))
    }

    /// Prints a token for one who asks for an old version of the API.
    pub fn with_old_version(directory: &Path, token: &str) -> Self {
        let text = credential(json!({"token": token})).replace("k8s.io/v1\"", "k8s.io/v1alpha1\"");
        Self::printing(directory, &text)
    }

    /// Prints something else altogether.
    pub fn printing(directory: &Path, text: &str) -> Self {
        Self::script(directory, &format!("cat <<'END_OF_OUTPUT'\n{text}\nEND_OF_OUTPUT"))
    }

    /// Says this on stderr, a secret on stdout, and fails.
    pub fn failing(directory: &Path, stderr: &str, code: u8) -> Self {
        let script =
            format!("echo canary-of-plugin-stdout\ncat >&2 <<'END_OF_OUTPUT'\n{stderr}\nEND_OF_OUTPUT\nexit {code}");
        Self::script(directory, &script)
    }

    /// Never ends, and has a child that keeps its output open.
    pub fn hanging(directory: &Path) -> Self {
        Self::script(directory, "echo 'opening your browser' >&2\nsleep 40 &\nwait")
    }

    /// Asks a question on stderr and reads the answer from stdin; prints it as the token.
    pub fn asking(directory: &Path) -> Self {
        let script = r#"printf 'Enter the code: ' >&2
read -r answer || { echo 'cannot ask without a terminal' >&2; exit 1; }
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}\n' "$answer""#;
        Self::script(directory, script)
    }

    /// Is not there.
    pub fn missing(directory: &Path) -> Self {
        let plugin = Self { path: "acme-login".into(), runs: directory.join("acme-login.runs"), extra: json!({}) };
        plugin.install_hint("install it with: brew install acme/tap/acme-login")
    }

    /// Takes this long before it goes on.
    pub fn slow(directory: &Path, token: &str, seconds: &str) -> Self {
        let text = credential(json!({"token": token}));
        Self::script(directory, &format!("sleep {seconds}\ncat <<'END_OF_OUTPUT'\n{text}\nEND_OF_OUTPUT"))
    }

    /// Runs any sh script; `$runs` is the file its runs are counted in.
    pub fn script(directory: &Path, script: &str) -> Self {
        let path = directory.join("acme-login.sh");
        let runs = directory.join("acme-login.runs");
        let quoted = runs.display();
        let text = format!("#!/bin/sh\nruns='{quoted}'\necho \"$KUBERNETES_EXEC_INFO\" >> \"$runs\"\n{script}\n");
        fs::write(&path, text).expect("a plugin is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a plugin may be executed");
        Self { path, runs, extra: json!({}) }
    }

    /// Adds an install hint.
    pub fn install_hint(self, hint: &str) -> Self {
        self.setting("installHint", json!(hint))
    }

    /// Adds any other field of the kubeconfig's `exec`.
    pub fn setting(mut self, key: &str, value: Value) -> Self {
        self.extra[key] = value;
        self
    }

    /// The `exec` of a kubeconfig's user.
    pub fn exec_config(&self) -> Value {
        let mut config = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "command": self.path, "interactiveMode": "IfAvailable",
            "provideClusterInfo": false,
        });
        for (key, value) in self.extra.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        config
    }

    /// What `KUBERNETES_EXEC_INFO` was at each run.
    pub fn runs(&self) -> Vec<String> {
        match fs::read_to_string(&self.runs) {
            Ok(text) => text.lines().map(str::to_owned).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => panic!("cannot read {}: {error}", self.runs.display()),
        }
    }
}

fn credential(status: Value) -> String {
    json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}).to_string()
}
