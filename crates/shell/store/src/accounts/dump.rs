//! All rows out of one database, as they are, and into another: of the same kind or not, as a
//! row's tag says nothing of where it is kept.

use symbolon_account::AccountError;
use symbolon_codec::{Fields, FieldsReader};
use symbolon_crypto::labels;

use super::Accounts;
use super::db::Db;
use super::engine::Base;
use super::fault::fault;
use super::records::TABLES;
use super::sql;
use super::value::{Kind, Table, Value, checked, damaged};

/// A row of a table, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The table's name.
    pub table: &'static str,
    /// `F("symbolon/row/v1", …)`: each column, the tag, and what is sealed; a byte before each says
    /// whether there is one.
    pub bytes: Vec<u8>,
}

/// Bytes of the longest row.
pub(crate) const ROW_BYTES_MAX: usize = 2 << 20;

/// Rows that are read at once.
const PAGE: usize = 200;
const PAGE_SEALED: usize = 16;

impl Accounts {
    /// The tables' names, in the order of [`Accounts::export`].
    pub fn tables() -> impl Iterator<Item = &'static str> {
        TABLES.iter().map(|table| table.name)
    }

    /// Gives every row of one moment, each tag checked, until `each` errs.
    ///
    /// # Errors
    /// [`AccountError`], or what `each` gives.
    pub async fn export<E: From<AccountError>>(
        &self,
        mut each: impl FnMut(Row) -> Result<(), E> + Send,
    ) -> Result<u64, E> {
        let mut db = self.engine.snapshot().await?;
        let mut rows = 0;
        for table in TABLES {
            let mut after: Option<Vec<Value>> = None;
            loop {
                let page = page(&mut db, table, after.take()).await?;
                let Some(last) = page.last() else { break };
                after = Some(key(table, last));
                rows += page.len() as u64;
                for row in page {
                    let values = row[..table.columns.len()].to_vec();
                    let tag = match &row[table.columns.len()] {
                        Value::Bytes(Some(tag)) => tag,
                        _ => return Err(damaged(table.name).into()),
                    };
                    checked(&db.key, table, values, tag)?;
                    each(Row { table: table.name, bytes: written(&row) })?;
                }
            }
        }
        db.commit().await?;
        Ok(rows)
    }

    /// Keeps rows that [`Accounts::export`] gave, in its order, in one transaction; then reads all
    /// of them again. The database must have no account yet.
    ///
    /// # Errors
    /// [`AccountError::Exists`] where there is one, [`AccountError::Damaged`] where a row is not
    /// what was given, or what `next` gives; nothing is kept then.
    pub async fn import(
        &self,
        mut next: impl FnMut() -> Result<Option<Row>, AccountError> + Send + 'static,
    ) -> Result<u64, AccountError> {
        let rows = self.engine.write(move |db| {
            Box::pin(async move {
                if !page(db, TABLES[0], None).await?.is_empty() {
                    return Err(AccountError::Exists("an account"));
                }
                // What opening made: the row by which a key is known, under this very key.
                let own = "DELETE FROM server_secret".to_owned();
                db.run(own, Vec::new()).await.map_err(fault)?;
                let mut rows = 0;
                while let Some(row) = next()? {
                    let table = TABLES.iter().find(|table| table.name == row.table);
                    let table = table.ok_or_else(|| damaged(row.table))?;
                    let values = read(table, &row.bytes).ok_or_else(|| damaged(table.name))?;
                    let width = table.columns.len();
                    let Value::Bytes(Some(tag)) = &values[width] else {
                        return Err(damaged(table.name));
                    };
                    checked(&db.key, table, values[..width].to_vec(), tag)?;
                    let insert = sql::insert(table, table.has_sealed, 1);
                    db.run(insert, values).await.map_err(fault)?;
                    rows += 1;
                }
                Ok(rows)
            })
        });
        rows.await
    }

    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.engine.base, Base::Postgres { .. })
    }
}

/// Rows after a key, in the order of keys: the columns, `tag`, and `sealed` where there is one.
async fn page(
    db: &mut Db,
    table: &Table,
    after: Option<Vec<Value>>,
) -> Result<Vec<Vec<Value>>, AccountError> {
    let names = table.key.join(", ");
    let limit = if table.has_sealed { PAGE_SEALED } else { PAGE };
    let order = format!("ORDER BY {names} LIMIT {limit}");
    let (tail, args) = match after {
        None => (order, Vec::new()),
        Some(args) => {
            let places: Vec<_> = (1..=args.len()).map(|n| format!("${n}")).collect();
            (format!("WHERE ({names}) > ({}) {order}", places.join(", ")), args)
        }
    };
    let sql = sql::select(table, table.has_sealed, &tail);
    db.rows(sql, args, &sql::kinds(table, table.has_sealed)).await
}

fn key(table: &Table, row: &[Value]) -> Vec<Value> {
    let of = |name: &&str| table.columns.iter().position(|(column, _)| column == name);
    table.key.iter().filter_map(of).map(|i| row[i].clone()).collect()
}

fn written(row: &[Value]) -> Vec<u8> {
    let fields = Fields::new(labels::ROW.as_str());
    let one = |fields: Fields, value: &Value| match value {
        Value::Int(Some(n)) => fields.bytes(&[&[1], &n.to_be_bytes()[..]].concat()),
        Value::Text(Some(text)) => fields.bytes(&[&[1], text.as_bytes()].concat()),
        Value::Bytes(Some(bytes)) => fields.bytes(&[&[1], &bytes[..]].concat()),
        Value::Int(None) | Value::Text(None) | Value::Bytes(None) => fields.bytes(&[0]),
    };
    row.iter().fold(fields, one).finish()
}

fn read(table: &Table, bytes: &[u8]) -> Option<Vec<Value>> {
    let mut fields = FieldsReader::new(labels::ROW.as_str(), bytes).ok()?;
    let mut values = Vec::new();
    for kind in sql::kinds(table, table.has_sealed) {
        let field = fields.bytes(ROW_BYTES_MAX).ok()?;
        let value = match field.split_first()? {
            (0, []) => None,
            (1, value) => Some(value),
            _ => return None,
        };
        values.push(match kind {
            Kind::Int => {
                let n = value.map(|v| v.try_into().map(i64::from_be_bytes)).transpose().ok()?;
                Value::Int(n)
            }
            Kind::Text => {
                Value::Text(value.map(|v| String::from_utf8(v.to_vec())).transpose().ok()?)
            }
            Kind::Bytes => Value::Bytes(value.map(<[u8]>::to_vec)),
        });
    }
    fields.end().ok()?;
    Some(values)
}
