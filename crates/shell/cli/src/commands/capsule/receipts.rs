//! The folder of a tool's receipts: its owner's alone, and never with half a receipt under a receipt's name.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use symbolon_ambient::{Rng, SystemRng};
use symbolon_codec::hex;

use crate::failure::Failure;

/// The folder.
#[derive(Debug)]
pub struct Receipts(PathBuf);

/// Where one receipt will be. Given up, it leaves nothing.
#[derive(Debug)]
pub struct Place {
    folder: PathBuf,
    /// What is written: the name of a receipt comes when all of it is there.
    new: PathBuf,
    path: PathBuf,
    file: File,
}

impl Receipts {
    /// Opens it, and makes it where it is not there.
    pub fn open(folder: PathBuf) -> Result<Self, Failure> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|error| Failure::file("make", &folder, &error))?;
        check(&folder)?;
        Ok(Self(folder))
    }

    /// A new place of a name that no other receipt has.
    pub fn place(&self, capsule: &str, now_ms: u64) -> Result<Place, Failure> {
        // It may be another folder than the one that was opened.
        check(&self.0)?;
        let unique: [u8; 8] = SystemRng.bytes();
        let name = format!("{capsule}-{now_ms}-{}.json", hex::encode(unique));
        let (new, path) = (self.0.join(format!("{name}.new")), self.0.join(name));
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
        let file = made.map_err(|error| Failure::file("make", &new, &error))?;
        Ok(Place { folder: self.0.clone(), new, path, file })
    }
}

impl Place {
    /// Puts the receipt there, so that a crash leaves all of it or none.
    pub fn write(mut self, receipt: &[u8]) -> Result<(), Failure> {
        let written = self.put(receipt);
        written.map_err(|error| Failure::file("write", &self.path, &error))
    }

    fn put(&mut self, receipt: &[u8]) -> io::Result<()> {
        self.file.write_all(receipt)?;
        self.file.sync_all()?;
        fs::rename(&self.new, &self.path)?;
        File::open(&self.folder)?.sync_all()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Where it was written it has another name.
        let _ = fs::remove_file(&self.new);
    }
}

/// Whether nobody else can put something into it, or take a receipt away.
fn check(folder: &Path) -> Result<(), Failure> {
    let found = fs::metadata(folder).map_err(|error| Failure::file("open", folder, &error))?;
    let shown = folder.display();
    let refused = |what| Failure::refused("receipts_rights", format!("{shown} {what}"));
    if !found.is_dir() {
        return Err(refused("is no folder").next("the same command with another --receipts"));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(
            refused("is somebody else's folder").next("the same command with another --receipts")
        );
    }
    if found.mode() & 0o022 != 0 {
        return Err(
            refused("can be written by others than its owner").next(format!("chmod go-w {shown}"))
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let all = fs::read_dir(folder).unwrap();
        all.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_receipt_has_its_name_when_all_of_it_is_there_and_one_given_up_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("all/runs");
        let receipts = Receipts::open(folder.clone()).unwrap();
        for made in [&folder, &home.path().join("all")] {
            assert_eq!(fs::metadata(made).unwrap().mode() & 0o777, 0o700);
        }
        let place = receipts.place("clerk", 7).unwrap();
        assert!(names(&folder).iter().all(|it| !it.ends_with(".json")), "{:?}", names(&folder));
        place.write(b"{}").unwrap();
        let [name] = &names(&folder)[..] else { panic!("{:?}", names(&folder)) };
        assert!(name.starts_with("clerk-7-") && name.ends_with(".json"), "{name}");
        assert_eq!(fs::read(folder.join(name)).unwrap(), b"{}");
        assert_eq!(fs::metadata(folder.join(name)).unwrap().mode() & 0o777, 0o600);
        drop(receipts.place("clerk", 8).unwrap());
        assert_eq!(names(&folder).len(), 1);
    }

    #[test]
    fn a_folder_that_others_write_to_or_that_is_gone_is_refused_each_time() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("runs");
        let receipts = Receipts::open(folder.clone()).unwrap();
        for mode in [0o720, 0o702] {
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            for refused in
                [receipts.place("clerk", 7).map(drop), Receipts::open(folder.clone()).map(drop)]
            {
                let refused = refused.unwrap_err();
                assert_eq!(refused.code, "receipts_rights");
                assert_eq!(refused.next, Some(format!("chmod go-w {}", folder.display())));
            }
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(receipts.place("clerk", 7).is_ok());
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(receipts.place("clerk", 7).unwrap_err().code, "file");
    }
}
