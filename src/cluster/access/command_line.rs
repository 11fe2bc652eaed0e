//! A credential plugin's command line as it may be shown: its arguments may hold secrets.

use kube::config::ExecConfig;

/// What stands in place of what is not shown.
const HIDDEN: &str = "…";
/// Flags whose next word is not shown have one of these in their name.
const SECRET: [&str; 5] = ["secret", "token", "password", "passwd", "key"];

/// The command and its arguments, without what follows a `=`, a flag that is named like a secret, or `://` with a login.
pub(super) fn shown(name: &str, exec: &ExecConfig) -> String {
    let mut words = vec![name.to_owned()];
    let mut hide = false;
    for argument in exec.args.iter().flatten() {
        let is_flag = argument.starts_with('-');
        let word = match argument.split_once('=') {
            Some((flag, _)) => format!("{flag}={HIDDEN}"),
            None if hide && !is_flag || argument.contains("://") && argument.contains('@') => HIDDEN.to_owned(),
            None => argument.clone(),
        };
        let lower = argument.to_lowercase();
        hide = is_flag && !argument.contains('=') && SECRET.iter().any(|secret| lower.contains(secret));
        words.push(word);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_arguments_are_not_shown() {
        for (arguments, expected) in [
            (
                &["oidc-login", "get-token", "--oidc-client-secret=hunter2", "-v", "1"][..],
                "p oidc-login get-token --oidc-client-secret=… -v 1",
            ),
            (
                &["--client-secret", "hunter2", "--region", "eu", "--api-Key", "hunter2"],
                "p --client-secret … --region eu --api-Key …",
            ),
            (&["--token", "--force", "login"], "p --token --force login"),
            (&["PASSWORD=hunter2", "https://u:hunter2@host"], "p PASSWORD=… …"),
        ] {
            let args = Some(arguments.iter().map(|&word| word.to_owned()).collect());
            let exec = ExecConfig { args, ..serde_json::from_str("{}").unwrap() };
            assert_eq!(shown("p", &exec), expected);
        }
    }
}
