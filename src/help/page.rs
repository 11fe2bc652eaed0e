//! A page of Markdown as text for a terminal: paragraphs wrapped, tables aligned, links without their targets, code as it is.

/// How many columns the last cell of a row needs to stand beside the others.
const ROOM: usize = 24;

/// What the lines of a page are.
enum Block<'a> {
    Heading(String),
    Code(&'a str),
    Row(Vec<String>),
    /// A paragraph, or an item of a list: how far its lines are indented, and the first one.
    Text {
        indent: usize,
        words: String,
    },
    Blank,
}

/// The page in lines of at most `columns`; `heading` paints a heading.
pub fn render(markdown: &str, columns: usize, heading: &dyn Fn(&str) -> String) -> String {
    let mut text = String::new();
    let blocks = blocks(markdown);
    let mut at = 0;
    while let Some(block) = blocks.get(at) {
        at += 1;
        match block {
            Block::Heading(title) => text.push_str(&heading(title)),
            Block::Code(line) => text.push_str(&format!("    {line}")),
            Block::Text { indent, words } => text.push_str(&wrap(words, columns, *indent)),
            Block::Blank => {}
            Block::Row(_) => {
                let rows: Vec<&Vec<String>> = blocks[at - 1..].iter().map_while(Block::row).collect();
                at += rows.len() - 1;
                text.push_str(&table(&rows, columns));
                continue;
            }
        }
        text.push('\n');
    }
    text
}

impl Block<'_> {
    fn row(&self) -> Option<&Vec<String>> {
        if let Self::Row(cells) = self { Some(cells) } else { None }
    }
}

fn blocks(markdown: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut fenced = false;
    for line in markdown.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            blocks.push(Block::Code(line));
        } else if let Some(code) = line.strip_prefix("    ") {
            blocks.push(Block::Code(code));
        } else if trimmed.is_empty() {
            blocks.push(Block::Blank);
        } else if let Some(title) = line.strip_prefix('#') {
            blocks.push(Block::Heading(plain(title.trim_start_matches('#').trim())));
        } else if trimmed.starts_with('|') {
            let cells = cells(trimmed);
            if !cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| "-: ".contains(c))) {
                blocks.push(Block::Row(cells));
            }
        } else if trimmed.starts_with("![") {
            // A picture says nothing here.
        } else {
            let indent = line.len() - trimmed.len() + marker(trimmed);
            match blocks.last_mut() {
                Some(Block::Text { words, .. }) if marker(trimmed) == 0 => {
                    words.push(' ');
                    words.push_str(trimmed);
                }
                _ => blocks.push(Block::Text { indent, words: trimmed.to_owned() }),
            }
        }
    }
    // A link may go over two lines.
    for block in &mut blocks {
        if let Block::Text { words, .. } = block {
            *words = plain(words);
        }
    }
    blocks
}

/// How long the mark of a list's item is: `- `, `1. `.
fn marker(text: &str) -> usize {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match &text.as_bytes()[digits..] {
        [b'.', b' ', ..] if digits > 0 => digits + 2,
        [b'-' | b'*', b' ', ..] if digits == 0 => 2,
        _ => 0,
    }
}

/// The cells of a table's row; `\|` is a bar.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_start_matches('|').replace("\\|", "\u{1}");
    let row = row.trim_end().trim_end_matches('|');
    row.split('|').map(|cell| plain(cell.trim()).replace('\u{1}', "|")).collect()
}

/// Text without links and emphasis.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('[') {
        let (before, after) = rest.split_at(start);
        out.push_str(before);
        let link = after.find("](").and_then(|middle| Some((middle, middle + 2 + after[middle + 2..].find(')')?)));
        match link.filter(|(middle, _)| !after[1..*middle].contains('[')) {
            Some((middle, end)) => {
                out.push_str(&after[1..middle]);
                rest = &after[end + 1..];
            }
            None => {
                out.push('[');
                rest = &after[1..];
            }
        }
    }
    out.push_str(rest);
    out.replace("**", "")
}

fn wrap(words: &str, columns: usize, indent: usize) -> String {
    let first = indent - marker(words).min(indent);
    let mut text = " ".repeat(first);
    let mut width = first;
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if width > indent.max(first) && width + 1 + length > columns {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            width = indent;
        } else if width > first {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += length;
    }
    text
}

/// The first columns as wide as they need, the last one wrapped; where that leaves no room, one cell below the other.
fn table(rows: &[&Vec<String>], columns: usize) -> String {
    let count = rows.iter().map(|row| row.len()).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| Some(row.get(column)?.chars().count())).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count.saturating_sub(1)).map(width).collect();
    let indent = 2 + widths.iter().map(|width| width + 2).sum::<usize>();
    let mut text = String::new();
    for row in rows.iter().filter(|row| row.iter().any(|cell| !cell.is_empty())) {
        if indent + ROOM <= columns {
            let beside: String = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect();
            let last = row.get(widths.len()).map(String::as_str).unwrap_or_default();
            text.push_str(format!("  {beside}{}", indented(last, columns, indent).trim_start()).trim_end());
            text.push('\n');
        } else {
            for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
                text.push_str(&indented(cell, columns, if column == 0 { 2 } else { 6 }));
                text.push('\n');
            }
        }
    }
    text
}

/// Words wrapped, every line indented alike.
fn indented(words: &str, columns: usize, indent: usize) -> String {
    // The mark keeps the words from being taken for an item of a list.
    let wrapped = wrap(&format!("\u{1}{words}"), columns.saturating_sub(indent), 0);
    let lines: Vec<String> = wrapped.lines().map(|line| format!("{}{line}", " ".repeat(indent))).collect();
    lines.join("\n").replace('\u{1}', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# A page

Some [linked](other.md#x) text that is **long** enough to be wrapped where
it must be, and `code [not a link]`.

| Name | What |
| --- | --- |
| `a` | [one](x.md) thing, or \\| another that goes on and on |
| `long-name` | two |

- an item that is long enough for a second line
- another

```toml
x = 1  # as it is, however long the line may be, since code is not wrapped
```

    indented
";

    #[test]
    fn markdown_becomes_text() {
        let text = render(PAGE, 44, &|heading| heading.to_uppercase());
        insta::assert_snapshot!(text);
    }
}
