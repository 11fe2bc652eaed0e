//! What a statement is about. Django writes its SQL in one way; of other SQL only as much is read.

/// The statement's words, quoted names without their quotes.
fn words(statement: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for character in statement.chars() {
        match character {
            '"' => quoted = !quoted,
            _ if quoted => word.push(character),
            '(' | ')' | ',' | ';' => {
                words.push(std::mem::take(&mut word));
                words.push(character.to_string());
            }
            _ if character.is_whitespace() => words.push(std::mem::take(&mut word)),
            _ => word.push(character),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// A statement, as far as it is understood.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The table, without its schema.
    pub table: Option<String>,
    /// The index that is made or dropped.
    pub index: Option<String>,
    /// The column that an `ALTER TABLE` is about.
    pub column: Option<String>,
    /// What it does, in upper case: `CREATE TABLE`, `ADD COLUMN`, `DROP DEFAULT` …
    pub action: &'static str,
    /// The table's new name.
    pub new_name: Option<String>,
    /// Whether a column that is added refuses NULL.
    pub not_null: bool,
}

/// Reads a statement.
pub fn subject(statement: &str) -> Subject {
    let words = words(statement);
    let upper: Vec<String> = words.iter().map(|word| word.to_uppercase()).collect();
    let name = |at: Option<usize>| {
        let noise = ["IF", "NOT", "EXISTS", "ONLY", "CONCURRENTLY"];
        let at = at? + upper.get(at?..)?.iter().position(|word| !noise.contains(&word.as_str()))?;
        words.get(at).map(|word| word.rsplit('.').next().unwrap_or_default().to_owned())
    };
    let after = |word: &str| upper.iter().position(|other| other == word).map(|at| at + 1);
    let is = |begin: &[&str]| upper.len() >= begin.len() && begin.iter().zip(&upper).all(|(begin, word)| begin == word);
    let has = |sequence: &[&str]| upper.windows(sequence.len()).position(|window| window == sequence);
    let mut found = Subject::default();
    if is(&["CREATE", "TABLE"]) || is(&["DROP", "TABLE"]) {
        found.action = if is(&["CREATE"]) { "CREATE TABLE" } else { "DROP TABLE" };
        found.table = name(Some(2));
    } else if is(&["CREATE", "INDEX"]) || is(&["CREATE", "UNIQUE", "INDEX"]) {
        found.action = "CREATE INDEX";
        found.index = name(after("INDEX"));
        found.table = name(after("ON"));
    } else if is(&["DROP", "INDEX"]) {
        found.action = "DROP INDEX";
        found.index = name(Some(2));
    } else if is(&["ALTER", "TABLE"]) {
        found.table = name(Some(2));
        let column = |sequence: &[&str]| name(has(sequence).map(|at| at + sequence.len()));
        if let Some(new) = column(&["RENAME", "TO"]) {
            found.action = "RENAME TABLE";
            found.new_name = Some(new);
        } else if let Some(added) = column(&["ADD", "COLUMN"]) {
            found.action = "ADD COLUMN";
            found.column = Some(added);
            found.not_null = has(&["NOT", "NULL"]).is_some();
        } else if let Some(altered) = column(&["ALTER", "COLUMN"]) {
            found.action = if has(&["DROP", "DEFAULT"]).is_some() { "DROP DEFAULT" } else { "ALTER COLUMN" };
            found.column = Some(altered);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn djangos_statements_are_understood() {
        let about = |sql| {
            let Subject { table, index, column, action, .. } = subject(sql);
            [Some(action.to_owned()), table, index, column].into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        let cases = [
            (r#"CREATE TABLE "shop_item" ("id" bigint NOT NULL);"#, "CREATE TABLE shop_item"),
            (r#"CREATE TABLE IF NOT EXISTS a.b (id int)"#, "CREATE TABLE b"),
            (r#"DROP TABLE "shop_item" CASCADE;"#, "DROP TABLE shop_item"),
            (r#"CREATE INDEX "i" ON "shop_item" ("n");"#, "CREATE INDEX shop_item i"),
            (r#"CREATE INDEX CONCURRENTLY "i" ON "shop_item" ("n");"#, "CREATE INDEX shop_item i"),
            (r#"CREATE UNIQUE INDEX "i" ON "shop_item" ("n") WHERE x;"#, "CREATE INDEX shop_item i"),
            (r#"DROP INDEX CONCURRENTLY IF EXISTS "i";"#, "DROP INDEX i"),
            (r#"ALTER TABLE "t" ADD COLUMN "c" text DEFAULT 'x' NOT NULL;"#, "ADD COLUMN t c"),
            (r#"ALTER TABLE "t" ALTER COLUMN "c" DROP DEFAULT;"#, "DROP DEFAULT t c"),
            (r#"ALTER TABLE "t" ALTER COLUMN "c" TYPE text;"#, "ALTER COLUMN t c"),
            (r#"ALTER TABLE "t" RENAME TO "u";"#, "RENAME TABLE t"),
            ("SELECT 1", ""),
            ("", ""),
        ];
        for (sql, expected) in cases {
            assert_eq!(about(sql), expected, "{sql}");
        }
        assert!(subject(r#"ALTER TABLE "t" ADD COLUMN "c" text DEFAULT 'x' NOT NULL;"#).not_null);
        assert!(!subject(r#"ALTER TABLE "t" ADD COLUMN "c" integer DEFAULT 3 NULL;"#).not_null);
    }
}
