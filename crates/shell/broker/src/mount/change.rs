//! What becomes of a mount: looked at anew, and taken away.

use std::sync::Arc;

use symbolon_capability::MountStore;
use symbolon_capability::catalog::{Catalog, Operation, Service};
use symbolon_import::mount;

use super::add::{Endpoint, file_auth, import_error, name_of, options};
use super::view::{MountChange, MountRefreshed, mount_name, no_mount, tool_view};
use crate::Broker;
use crate::api::CallError;
use crate::errors;

impl Broker {
    /// Asks a mounted server for its list anew and tells what differs from what is in force. With
    /// `accept`, the name of a list that was shown, puts that list into force: what was shown, or
    /// nothing.
    ///
    /// # Errors
    /// [`CallError`]: locked, no such mount, a server that does not answer, or whose list is
    /// another by now.
    pub async fn mount_refresh(
        &self,
        name: &str,
        accept: Option<&str>,
    ) -> Result<MountRefreshed, CallError> {
        let open = self.opened()?;
        let kept = self.kept_mount(name).await?;
        let live = self.live_of(&kept.row.name).ok_or_else(|| {
            CallError::caller("no_connection", format!("{name} has no connection"))
                .status(404)
                .next(format!("symbolon mount remove {name}"))
        })?;
        let (list, receipt) = self.look(&live).await?;
        let found = name_of(&list).to_string();
        if accept.is_some_and(|accepted| accepted != found) {
            let what = "the server's list is another than the one that was shown";
            return Err(CallError::caller("mount_changed", what)
                .status(409)
                .next(format!("symbolon mount refresh {name}"))
                .receipt(Some(receipt)));
        }
        let connection = &live.registration.connection;
        let is_inside = connection.allow_loopback || connection.allow_private;
        let endpoint = Endpoint::of(name, &kept.spec.place)?.in_catalog(name, is_inside);
        let auth = file_auth(&connection.auth)
            .ok_or_else(|| CallError::bug("a mount with another scheme"))?;
        let previous = std::fs::read_to_string(self.home.imported(name)).ok();
        let options = options(name, &endpoint, auth, &kept.spec.marks, previous.as_deref());
        let made = mount(Some(&list), &options).map_err(|e| import_error(&e))?;
        let before = self.engine.catalog();
        let catalog = self.catalog_with(name, Some(&made.file))?;
        let changes = differences(name, &before, &catalog);
        let mut accepted = changes.is_empty();
        if accept.is_some() {
            let _one = self.changes.lock().await;
            if !Arc::ptr_eq(&open, &self.opened()?) {
                return Err(errors::locked());
            }
            // Another change of the catalogue may have come between.
            let catalog = self.catalog_with(name, Some(&made.file))?;
            self.home.put_imported(name, &made.file)?;
            self.engine.replace_catalog(catalog);
            self.rebuild(&open).await?;
            accepted = true;
        }
        let marked = made.marked.iter().map(|r| format!("{}: {}", r.at, r.why)).collect();
        Ok(MountRefreshed {
            name: name.to_owned(),
            changes,
            list: found,
            accepted,
            marked,
            receipt,
        })
    }

    /// Takes a mount away, with its connection and its service. Its program is stopped; its grants
    /// rest.
    ///
    /// # Errors
    /// [`CallError`] where there is none of that name.
    pub async fn mount_remove(&self, name: &str) -> Result<(), CallError> {
        let _one = self.changes.lock().await;
        let open = self.opened()?;
        let row = mount_name(name)?;
        if !self.store.mounts().await?.iter().any(|kept| kept.name == row) {
            return Err(no_mount(name));
        }
        let live = self.live_of(&row);
        self.store.delete_mount(&row).await?;
        if let Some(mount) = live.as_ref().and_then(|live| live.mount.as_ref()) {
            mount.stop();
        }
        match std::fs::remove_file(self.home.imported(name)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(errors::io(e)),
            _ => {}
        }
        self.engine.replace_catalog(self.catalog_with(name, None)?);
        self.count_setup().await?;
        self.rebuild(&open).await
    }
}

/// What two catalogues say differently of the tools of one mount, by name.
fn differences(name: &str, before: &Catalog, now: &Catalog) -> Vec<MountChange> {
    let tools = |catalog: &Catalog| -> Vec<(String, String, Arc<Operation>)> {
        let operations = catalog.service(name).map(|s: &Arc<Service>| s.operations().to_vec());
        let all = operations.unwrap_or_default().into_iter();
        all.filter_map(|o| tool_view(&o).map(|view| (view.tool, view.definition, o))).collect()
    };
    let (old, new) = (tools(before), tools(now));
    let mut names: Vec<&String> = old.iter().chain(&new).map(|(tool, ..)| tool).collect();
    names.sort_unstable();
    names.dedup();
    let find = |all: &[(String, String, Arc<Operation>)], tool: &str| {
        all.iter()
            .find(|(own, ..)| own == tool)
            .map(|(_, definition, o)| (definition.clone(), o.clone()))
    };
    let mut changes = Vec::new();
    for tool in names {
        let kind = match (find(&old, tool), find(&new, tool)) {
            (Some((before, one)), Some((now, other)))
                if before == now && one.effect() == other.effect() =>
            {
                continue;
            }
            (None, _) => "new",
            (_, None) => "gone",
            _ => "changed",
        };
        let both = (find(&old, tool), find(&new, tool));
        let effect =
            |found: &Option<(String, Arc<Operation>)>| found.as_ref().map(|(_, o)| o.effect());
        let description = |found: &Option<(String, Arc<Operation>)>| {
            found.as_ref().map(|(_, o)| o.description().to_owned())
        };
        let parameters =
            |found: &Option<(String, Arc<Operation>)>| found.as_ref().map(|(_, o)| o.usage());
        changes.push(MountChange {
            tool: tool.clone(),
            kind: kind.to_owned(),
            effects: (effect(&both.0), effect(&both.1)),
            descriptions: (description(&both.0), description(&both.1)),
            parameters: (parameters(&both.0), parameters(&both.1)),
        });
    }
    changes
}
