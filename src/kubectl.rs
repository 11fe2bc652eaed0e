//! What kdj does, in the words of kubectl: for `--explain`.

use crate::options::Options;

/// The words every equivalent command begins with.
pub fn prefix(options: &Options, context: &str, namespace: Option<&str>) -> Vec<String> {
    let mut words = vec!["kubectl".to_owned()];
    if let Some(file) = &options.kubeconfig {
        words.extend(["--kubeconfig".to_owned(), file.display().to_string()]);
    }
    words.extend(["--context".to_owned(), context.to_owned()]);
    if let Some(namespace) = namespace {
        words.extend(["-n".to_owned(), namespace.to_owned()]);
    }
    if let Some(user) = &options.impersonation.user {
        words.extend(["--as".to_owned(), user.clone()]);
    }
    for group in &options.impersonation.groups {
        words.extend(["--as-group".to_owned(), group.clone()]);
    }
    words
}

/// The words as a line that can be pasted into a shell.
pub fn line(words: &[String]) -> String {
    words.iter().map(|word| shell_words::quote(word)).collect::<Vec<_>>().join(" ")
}
