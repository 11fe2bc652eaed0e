//! Scripts that run in a container, as they travel there.

/// A script in a URL or a manifest, where every byte counts: without its comments, indented by one for every four.
pub fn terse(script: &str) -> String {
    let lines = script.trim_end().lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.map(|line| line.replace("    ", " ")).collect::<Vec<_>>().join("\n")
}
