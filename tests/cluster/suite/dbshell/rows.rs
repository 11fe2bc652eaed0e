//! `-o csv` and `-o json`: typed rows, by the app's own driver.

use serde_json::{Value, json};

use super::{
    super::harness::{SHOP, cluster, databases::Server},
    with,
};

#[test]
fn rows_keep_their_types() {
    let Some(cluster) = cluster() else { return };
    // No client is needed.
    let databases = with(cluster, SHOP, &[Server::Postgres, Server::Mariadb]);
    let kdj = databases.kdj("");
    let rows = |alias: &str, output: &str, sql: &str| {
        kdj.run(["-q", "dbshell", "own", "--database", alias, "-o", output, "-c", sql]).expect_code(0).stdout_text()
    };
    let sql = "select 1 as n, 1.50::numeric as d, 2.5::float8 as f, true as b, null as nothing, 'a,\"b\"\nzü' as t, \
               '2026-01-02 03:04:05.6'::timestamp as w, '{\"x\": [1, null]}'::jsonb as j, array[1, 2] as a, '\\x00ff'::bytea as y, 2 as n";
    let found: Value = serde_json::from_str(&rows("default", "json", sql)).expect("JSON");
    let row = json!({
        "n": 1, "d": "1.50", "f": 2.5, "b": true, "nothing": null, "t": "a,\"b\"\nzü", "w": "2026-01-02T03:04:05.600000",
        "j": {"x": [1, null]}, "a": [1, 2], "y": "\\x00ff", "n_2": 2,
    });
    let columns = ["n", "d", "f", "b", "nothing", "t", "w", "j", "a", "y", "n_2"];
    assert_eq!(found, json!({"version": 1, "columns": columns, "rows": [row], "count": 1}));
    let csv = rows("default", "csv", sql);
    assert_eq!(
        csv,
        "n,d,f,b,nothing,t,w,j,a,y,n\n1,1.50,2.5,true,,\"a,\"\"b\"\"\nzü\",2026-01-02T03:04:05.600000,\"{\"\"x\"\": [1, null]}\",\"[1, 2]\",\\x00ff,2\n"
    );
    let maria: Value =
        serde_json::from_str(&rows("maria", "json", "select 1 as n, 'zü' as t, 1.50 as d, null as x")).expect("JSON");
    assert_eq!(maria["rows"], json!([{"n": 1, "t": "zü", "d": "1.50", "x": null}]));
    // What returns no rows, and what returns none of them.
    let made: Value = serde_json::from_str(&rows("default", "json", "create table notes (id int)")).expect("JSON");
    assert_eq!(made, json!({"version": 1, "columns": [], "rows": [], "count": 0}));
    assert_eq!(rows("default", "csv", "insert into notes values (1), (2) returning id"), "id\n1\n2\n");
    assert_eq!(rows("default", "csv", "select id from notes where false"), "id\n");
    assert_eq!(rows("lite", "csv", "select 6 * 7 as n"), "n\n42\n");
    // Many, and in order.
    let many = rows("default", "csv", "select g from generate_series(1, 100000) g");
    assert_eq!(many.lines().skip(1).map(|line| line.parse::<u64>().expect("a number")).sum::<u64>(), 5_000_050_000);
    let failed = kdj.run(["dbshell", "own", "-o", "json", "-c", "select nonsense"]).expect_code(1);
    let _ = failed.says(&["column \"nonsense\" does not exist"]);
    let _ = kdj.run(["dbshell", "own", "-o", "json", "-c", "select 1; select 2"]).expect_code(1);
    let _ = kdj
        .run(["dbshell", "own", "-o", "json", "--client", "local", "-c", "select 1"])
        .expect_code(125)
        .says(&["need no client"]);
}
