//! kdj by another name: kubectl's plugin is typed `kubectl kdj`, and so are the commands in kdj's texts.

/// A text whose commands, which stand in backticks, begin with this name.
pub fn in_text(text: &str, name: &str) -> String {
    ["`kdj ", "`kdj\n"].iter().fold(text.to_owned(), |text, typed| text.replace(typed, &typed.replace("kdj", name)))
}

/// The same for a page, where commands stand in lines of their own, too, with blanks in front.
pub fn in_page(text: &str, name: &str) -> String {
    let line = |line: &str| {
        let typed = line.trim_start();
        match typed.strip_prefix("kdj ") {
            Some(words) if typed.len() < line.len() => format!("{}{name} {words}", &line[..line.len() - typed.len()]),
            _ => line.to_owned(),
        }
    };
    in_text(text, name).split_inclusive('\n').map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_and_other_words_are_left() {
        let page = "kdj knows `kdj.toml`.\n\n    kdj envs\n      kdj shell qa  # kdj there\n\nType `kdj\nhelp` or `kdj doctor qa`.\n";
        let named = "kdj knows `kdj.toml`.\n\n    kubectl kdj envs\n      kubectl kdj shell qa  # kdj there\n\nType `kubectl kdj\nhelp` or `kubectl kdj doctor qa`.\n";
        assert_eq!(in_page(page, "kubectl kdj"), named);
        assert_eq!(in_page(page, "kdj"), page);
        assert_eq!(in_text("`kdj envs`\n  kdj envs", "k"), "`k envs`\n  kdj envs");
    }
}
