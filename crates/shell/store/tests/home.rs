//! Permissions, places and the lock.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use symbolon_store::{Home, HomeError};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_place_comes_from_the_environment_in_order() {
    let at = |pairs: &[(&str, &str)]| {
        Home::locate_with(|name| {
            pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v))
        })
    };
    let all = [("SYMBOLON_HOME", "/a"), ("XDG_DATA_HOME", "/b"), ("HOME", "/c")];
    assert_eq!(at(&all).unwrap(), PathBuf::from("/a"));
    assert_eq!(at(&all[1..]).unwrap(), PathBuf::from("/b/symbolon"));
    assert_eq!(at(&all[2..]).unwrap(), PathBuf::from("/c/.local/share/symbolon"));
    assert_eq!(
        at(&[("SYMBOLON_HOME", "relative"), ("HOME", "/c")]).unwrap(),
        PathBuf::from("/c/.local/share/symbolon")
    );
    assert!(matches!(at(&[]), Err(HomeError::Nowhere)));
}

#[test]
fn a_new_home_is_closed_and_opens() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/home");
    let missing = Home::open(&path).unwrap_err();
    assert_eq!(missing.next_step().as_deref(), Some("symbolon init"));
    let home = Home::create(&path).unwrap();
    for folder in [path.clone(), home.log(), home.run(), dir.path().join("deep")] {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
    }
    assert_eq!(Home::open(&path).unwrap(), home);
}

#[test]
fn wider_modes_are_refused_with_the_command_that_works() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("it's a home");
    let home = Home::create(&path).unwrap();
    for file in [home.database(), home.log().join("entries"), home.device_key()] {
        fs::write(&file, b"x").unwrap();
        set(&file, 0o600);
    }
    home.check().unwrap();
    for (target, wide) in [
        (path.clone(), 0o750),
        (home.database(), 0o640),
        (home.log(), 0o711),
        (home.log().join("entries"), 0o604),
        (home.run(), 0o702),
        (home.device_key(), 0o644),
    ] {
        let right = mode(&target);
        set(&target, wide);
        let error = Home::open(&path).unwrap_err();
        assert!(
            matches!(&error, HomeError::TooOpen { path, mode, .. } if *path == target && *mode == wide)
        );
        let command = error.next_step().unwrap();
        assert!(
            Command::new("sh").arg("-c").arg(&command).status().unwrap().success(),
            "{command}"
        );
        assert_eq!(mode(&target), right, "{command}");
        Home::open(&path).unwrap();
    }
    // Several at once, one command.
    set(&path, 0o755);
    set(&home.database(), 0o644);
    let command = Home::open(&path).unwrap_err().next_step().unwrap();
    assert!(command.starts_with("chmod 700 ") && command.contains(" && chmod 600 "), "{command}");
    assert!(Command::new("sh").arg("-c").arg(&command).status().unwrap().success());
    Home::open(&path).unwrap();
}

#[test]
fn links_and_files_in_the_wrong_place_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(&dir.path().join("home")).unwrap();
    symlink("/etc/passwd", home.device_key()).unwrap();
    assert!(matches!(home.check(), Err(HomeError::Kind { .. } | HomeError::Owner { .. })));
    fs::remove_file(home.device_key()).unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"x").unwrap();
    set(&file, 0o600);
    assert!(matches!(Home::open(&file), Err(HomeError::Kind { .. })));
}

#[test]
fn the_lock_is_for_one_and_names_its_holder() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(&dir.path().join("home")).unwrap();
    let lock = home.lock().unwrap();
    match home.lock() {
        Err(HomeError::Locked { pid }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other:?}"),
    }
    drop(lock);
    home.lock().unwrap();
    home.check().unwrap();
}
