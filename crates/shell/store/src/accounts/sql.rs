//! The statements, alike in both databases: SQLite too reads `$1`.

use super::value::{Kind, Table};

/// `SELECT` of a table's columns, then `tag`, then `sealed` where asked for.
pub(super) fn select(table: &Table, with_sealed: bool, tail: &str) -> String {
    format!("SELECT {} FROM {} {tail}", list(table, with_sealed), table.name)
}

/// `SELECT` of several tables' columns, of each by the letter that `from` gives it, then its `tag`.
pub(super) fn select_beside(tables: &[(char, &Table)], from: &str) -> String {
    let of = |(letter, table): &(char, &Table)| {
        let names = table.columns.iter().map(|(name, _)| *name).chain(["tag"]);
        names.map(|name| format!("{letter}.{name}")).collect::<Vec<_>>().join(", ")
    };
    let lists: Vec<String> = tables.iter().map(of).collect();
    format!("SELECT {} FROM {from}", lists.join(", "))
}

/// `DELETE` that gives what was there, without what is sealed.
pub(super) fn delete_returning(table: &Table, tail: &str) -> String {
    format!("DELETE FROM {} {tail} RETURNING {}", table.name, list(table, false))
}

/// The kinds of what [`select`] gives.
pub(super) fn kinds(table: &Table, with_sealed: bool) -> Vec<Kind> {
    let behind = if with_sealed { 2 } else { 1 };
    let columns = table.columns.iter().map(|(_, kind)| *kind);
    columns.chain(std::iter::repeat_n(Kind::Bytes, behind)).collect()
}

/// `INSERT` of so many rows.
pub(super) fn insert(table: &Table, with_sealed: bool, rows: usize) -> String {
    let width = table.columns.len() + if with_sealed { 2 } else { 1 };
    let (list, values) = (list(table, with_sealed), tuples(rows, width));
    format!("INSERT INTO {} ({list}) VALUES {values}", table.name)
}

/// `INSERT` of so many rows, each in place of the one of its key.
pub(super) fn upsert(table: &Table, rows: usize) -> String {
    let new = |name: &str| format!("{name} = excluded.{name}");
    let set: Vec<String> = others(table).map(new).collect();
    let insert = insert(table, false, rows);
    format!("{insert} ON CONFLICT ({}) DO UPDATE SET {}", table.key.join(", "), set.join(", "))
}

/// `INSERT` of so many rows, but of those whose key is there; gives a column of what is new.
pub(super) fn insert_new(table: &Table, rows: usize, column: &str) -> String {
    let (insert, key) = (insert(table, false, rows), table.key.join(", "));
    format!("{insert} ON CONFLICT ({key}) DO NOTHING RETURNING {column}")
}

/// `UPDATE` of the row with the key, from the values that [`insert`] takes.
pub(super) fn update(table: &Table) -> String {
    let numbered = |name: &str| format!("{name} = ${}", place(table, name));
    let set: Vec<String> = others(table).map(numbered).collect();
    let key: Vec<String> = table.key.iter().map(|name| numbered(name)).collect();
    format!("UPDATE {} SET {} WHERE {}", table.name, set.join(", "), key.join(" AND "))
}

/// `IN` over so many keys of so many columns.
pub(super) fn among(columns: &[&str], keys: usize, postgres: bool) -> String {
    let tuples = tuples(keys, columns.len());
    let columns = columns.join(", ");
    // SQLite compares rows with a subquery alone; PostgreSQL would read these as text there.
    if postgres {
        format!("({columns}) IN ({tuples})")
    } else {
        format!("({columns}) IN (VALUES {tuples})")
    }
}

/// How many rows go into each statement, so that few statements serve any number of rows.
pub(super) fn sizes(mut rows: usize) -> Vec<usize> {
    let mut sizes = Vec::new();
    for size in SIZES {
        while rows >= size {
            sizes.push(size);
            rows -= size;
        }
    }
    sizes
}

/// Rows of the longest statement.
pub(super) const ROWS_MAX: usize = 64;

/// A prepared statement each, and no more than 1,000 values in the longest.
const SIZES: [usize; 4] = [ROWS_MAX, 16, 4, 1];

/// All of them, and the last again until they fill one statement. Of use where naming a row twice changes nothing.
pub(super) fn padded<T>(all: &[T]) -> impl Iterator<Item = &T> {
    let size = SIZES.into_iter().rev().find(|size| *size >= all.len()).unwrap_or(all.len());
    all.iter().chain(all.last().into_iter().cycle()).take(size)
}

/// `($1, $2), ($3, $4)`
fn tuples(rows: usize, width: usize) -> String {
    let row = |r: usize| {
        let places: Vec<String> = (1..=width).map(|c| format!("${}", r * width + c)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

fn list(table: &Table, with_sealed: bool) -> String {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let behind = if with_sealed { ", tag, sealed" } else { ", tag" };
    names.join(", ") + behind
}

/// What is no part of the key.
fn others(table: &Table) -> impl Iterator<Item = &'static str> {
    let key = table.key;
    let columns = table.columns.iter().map(|(name, _)| *name);
    columns.chain(["tag"]).filter(move |name| !key.contains(name))
}

fn place(table: &Table, name: &str) -> usize {
    let found = table.columns.iter().position(|(column, _)| *column == name);
    found.unwrap_or(table.columns.len()) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Table = Table {
        name: "t",
        columns: &[("a", Kind::Bytes), ("n", Kind::Int), ("b", Kind::Text)],
        key: &["a", "n"],
        has_sealed: true,
    };

    #[test]
    fn statements_have_their_places() {
        assert_eq!(
            select(&T, true, "WHERE a = $1"),
            "SELECT a, n, b, tag, sealed FROM t WHERE a = $1"
        );
        assert_eq!(
            select_beside(&[('x', &T), ('y', &T)], "t x LEFT JOIN t y ON y.a = x.b"),
            "SELECT x.a, x.n, x.b, x.tag, y.a, y.n, y.b, y.tag FROM t x LEFT JOIN t y ON y.a = x.b"
        );
        assert_eq!(
            insert(&T, false, 2),
            "INSERT INTO t (a, n, b, tag) VALUES ($1, $2, $3, $4), ($5, $6, $7, $8)"
        );
        assert_eq!(update(&T), "UPDATE t SET b = $3, tag = $4 WHERE a = $1 AND n = $2");
        assert_eq!(
            upsert(&T, 1),
            "INSERT INTO t (a, n, b, tag) VALUES ($1, $2, $3, $4) ON CONFLICT (a, n) DO UPDATE SET b = excluded.b, tag = excluded.tag"
        );
        assert_eq!(
            insert_new(&T, 1, "a"),
            "INSERT INTO t (a, n, b, tag) VALUES ($1, $2, $3, $4) ON CONFLICT (a, n) DO NOTHING RETURNING a"
        );
        assert_eq!(among(&["a", "n"], 2, true), "(a, n) IN (($1, $2), ($3, $4))");
        assert_eq!(among(&["a", "n"], 1, false), "(a, n) IN (VALUES ($1, $2))");
        assert_eq!(sizes(150), [64, 64, 16, 4, 1, 1]);
        let filled = |rows: &[u8]| padded(rows).copied().collect::<Vec<u8>>();
        assert!(filled(&[]).is_empty());
        assert_eq!(filled(&[7]), [7]);
        assert_eq!(filled(&[7, 8]), [7, 8, 8, 8]);
        assert_eq!(filled(&[7; 17]).len(), ROWS_MAX);
        assert_eq!(kinds(&T, true).len(), 5);
    }
}
