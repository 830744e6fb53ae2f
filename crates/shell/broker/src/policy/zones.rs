//! Time zones of this machine, by name.

use std::path::{Path, PathBuf};

use symbolon_capability::{Zone, ZoneName};

/// Where systems keep the zone database.
const FOLDERS: [&str; 3] =
    ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/var/db/timezone/zoneinfo"];
/// The largest zone file has some 4 KiB.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The clock of a zone; `None` where this machine does not know it.
pub(crate) fn zone(name: &ZoneName) -> Option<Zone> {
    match name {
        ZoneName::Offset(seconds) => Some(Zone::Offset(*seconds)),
        // The name has no dots and no empty parts, so it stays below the folder.
        ZoneName::Named(name) => FOLDERS.iter().find_map(|folder| {
            let file = Path::new(folder).join(name);
            let size = std::fs::metadata(&file).ok().filter(std::fs::Metadata::is_file)?.len();
            let bytes = (size <= FILE_BYTES_MAX).then(|| std::fs::read(file).ok())??;
            Zone::from_tzif(name, &bytes)
        }),
    }
}

/// The name of the machine's own zone, which `local` stands for when a grant is made: what the
/// machine's zone is later does not move it.
pub(crate) fn local() -> Option<String> {
    let link: PathBuf = std::fs::read_link("/etc/localtime").ok()?;
    let (_, name) = link.to_str()?.split_once("zoneinfo/")?;
    Some(name.to_owned())
}
