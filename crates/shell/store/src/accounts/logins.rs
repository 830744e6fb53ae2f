//! What every login asks of the database: who the device is, and that its nonce was not used.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use symbolon_account::{AccountError, ServerKey};
use symbolon_possession::{ApiKey, Device, DeviceId, Known, Service};

use super::db::part;
use super::engine::Engine;
use super::gather::Gather;
use super::rows_of_keys::SpentNonce;
use super::sql;
use super::value::{Record, Value, bytes};

/// The tasks that ask for many logins at once.
pub(super) struct Logins {
    known: Gather<DeviceId, Option<Row>>,
    spent: Gather<SpentNonce, ()>,
    key: Arc<ServerKey>,
}

/// Of a row its part of each table.
type Row = Vec<Vec<Value>>;

impl Logins {
    pub fn new(engine: &Arc<Engine>) -> Self {
        Self {
            known: Gather::new(engine.clone(), |engine, ids| Box::pin(rows_of(engine, ids))),
            spent: Gather::new(engine.clone(), |engine, all| Box::pin(use_up(engine, all))),
            key: engine.key.clone(),
        }
    }

    /// A device with its key and service, each tag checked.
    pub async fn known(&self, device: DeviceId) -> Result<Option<Known>, AccountError> {
        let row = self.known.ask(device).await?;
        // Each caller reads its own row: tags and points are for as many processors as there are.
        let mut parts = row.unwrap_or_default().into_iter();
        // The tag of the row that names is checked before what it names is missed.
        let Some(device) = part::<Device>(&self.key, parts.next())? else { return Ok(None) };
        let Some(key) = part::<ApiKey>(&self.key, parts.next())? else { return Ok(None) };
        let service = part::<Service>(&self.key, parts.next())?;
        Ok(service.map(|service| Known { device, key, service }))
    }

    /// Uses a nonce up; durable when this returns.
    ///
    /// # Errors
    /// [`AccountError::Exists`] where it was used.
    pub async fn spend(&self, nonce: SpentNonce) -> Result<(), AccountError> {
        self.spent.ask(nonce).await
    }
}

async fn rows_of(
    engine: &Engine,
    ids: Vec<DeviceId>,
) -> Result<Vec<Result<Option<Row>, AccountError>>, AccountError> {
    let tables = [('d', Device::TABLE), ('k', ApiKey::TABLE), ('s', Service::TABLE)];
    let mut db = engine.reader().await?;
    let args: Vec<Value> = sql::padded(&ids).map(|id| bytes(id.as_bytes())).collect();
    let among = sql::among(&["d.id"], args.len(), db.conn.is_postgres());
    let from = format!(
        "{} d LEFT JOIN {} k ON k.id = d.api_key LEFT JOIN {} s ON s.id = k.service WHERE {among}",
        Device::TABLE.name,
        ApiKey::TABLE.name,
        Service::TABLE.name
    );
    let rows = db.beside(&tables, &from, args).await?;
    let found: HashMap<Vec<u8>, Row> =
        rows.into_iter().filter_map(|row| Some((id_of(&row)?, row))).collect();
    Ok(ids.iter().map(|id| Ok(found.get(&id.as_bytes()[..]).cloned())).collect())
}

/// The device's id, which stands first.
fn id_of(row: &Row) -> Option<Vec<u8>> {
    match row.first()?.first()? {
        Value::Bytes(id) => id.clone(),
        _ => None,
    }
}

async fn use_up(
    engine: &Engine,
    mut nonces: Vec<SpentNonce>,
) -> Result<Vec<Result<(), AccountError>>, AccountError> {
    let asked: Vec<[u8; 16]> = nonces.iter().map(|nonce| nonce.id).collect();
    // In one order, so that no two servers wait for each other.
    nonces.sort_unstable_by_key(|nonce| nonce.id);
    let new = engine.write_one(move |db| {
        Box::pin(async move {
            let rows: Vec<&SpentNonce> = sql::padded(&nonces).collect();
            db.insert_new(&rows, "id").await
        })
    });
    let mut new: HashSet<Vec<u8>> = new.await?.into_iter().collect();
    // Of two that ask for one nonce at once the first has it.
    let one =
        |id: [u8; 16]| if new.remove(&id[..]) { Ok(()) } else { Err(AccountError::Exists(USED)) };
    Ok(asked.into_iter().map(one).collect())
}

pub(super) const USED: &str = "a use of this nonce";
