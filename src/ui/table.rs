//! Tables like kubectl's: upper-case headers, columns padded with three spaces, no borders, `<none>` for nothing.

/// A table that is built row by row and rendered once.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headers.
    pub fn new(headers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { rows: vec![headers.into_iter().map(Into::into).collect()] }
    }

    /// Adds a row; an empty cell is shown as `<none>`.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let none = |cell: String| if cell.is_empty() { "<none>".to_owned() } else { cell };
        self.rows.push(cells.into_iter().map(none).collect());
    }

    /// The text, a newline after every row; no white space at the end of lines.
    pub fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let line: String =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}   ")).collect::<String>();
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_empty_cells_say_so() {
        let mut table = Table::new(["NAME", "CONTEXT", "AGE"]);
        table.row(["qa".into(), "acme-staging".into(), "3d".into()]);
        table.row(["production".into(), String::new(), "1h".into()]);
        insta::assert_snapshot!(table.render(), @r"
        NAME         CONTEXT        AGE
        qa           acme-staging   3d
        production   <none>         1h
        ");
    }
}
