//! A text in the person's own editor: in memory, and wiped after.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use symbolon_ambient::{Rng, SystemRng};
use symbolon_codec::hex;

use crate::child;
use crate::failure::Failure;

/// Whether a person is there to edit.
pub fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Opens a text in `$VISUAL` or `$EDITOR`, and gives what stands in it when the editor ends. `flag` is the
/// command for where there is none.
pub fn edit(text: &str, flag: &str) -> Result<String, Failure> {
    let desk = Desk::begin(text, flag)?;
    let editor = ["VISUAL", "EDITOR"].iter().find_map(std::env::var_os);
    let editor = editor.filter(|it| !it.is_empty()).unwrap_or_else(|| "vi".into());
    // As git has it: the variable is a command with arguments of its own.
    let mut line = editor;
    line.push(" \"$@\"");
    let file = desk.file();
    let command: [OsString; 5] =
        ["sh".into(), "-c".into(), line, "editor".into(), file.clone().into_os_string()];
    let ended = child::run(&command, &[])?;
    if ended != std::process::ExitCode::SUCCESS {
        let what = "the editor ended with an error; nothing was changed";
        return Err(Failure::refused("editor", what).next(flag.to_owned()));
    }
    let failed = |error: io::Error| Failure::file("read", &file, &error);
    let mut text = String::new();
    let opened = File::open(&file).map_err(failed)?;
    opened.take(TEXT_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// A folder of this user's alone on a file system that is memory. Dropping it wipes what is in it, also
/// what the editor left beside the text.
struct Desk(PathBuf);

impl Desk {
    fn begin(text: &str, flag: &str) -> Result<Self, Failure> {
        let none = || {
            let what = "no folder of this machine is in memory, and a text is not put on a disk in the clear";
            Failure::environment("no_memory_folder", what).next(flag.to_owned())
        };
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let mut places = [Some(PathBuf::from("/dev/shm")), runtime].into_iter().flatten();
        let place = places.find(|place| is_memory(place)).ok_or_else(none)?;
        let mut name = [0; 8];
        SystemRng.fill(&mut name);
        let desk = Self(place.join(format!("symbolon-{}", hex::encode(name))));
        let failed = |error: io::Error| Failure::file("make", &desk.0, &error);
        DirBuilder::new().mode(0o700).create(&desk.0).map_err(failed)?;
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(desk.file());
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)?;
        Ok(desk)
    }

    fn file(&self) -> PathBuf {
        self.0.join("note.md")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            wipe(&entry.path());
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Zeros over a plain file's bytes. Where that fails the file is removed all the same.
fn wipe(path: &Path) {
    let Ok(about) = fs::symlink_metadata(path) else { return };
    if about.is_file()
        && let Ok(mut file) = OpenOptions::new().write(true).open(path)
    {
        let _ = io::copy(&mut io::repeat(0).take(about.len()), &mut file);
    }
}

fn is_memory(place: &Path) -> bool {
    rustix::fs::statfs(place).is_ok_and(|about| about.f_type as u64 == TMPFS)
}

/// `TMPFS_MAGIC` of linux/magic.h.
const TMPFS: u64 = 0x0102_1994;
/// More than a note holds: what is longer is refused by the note itself.
const TEXT_BYTES_MAX: u64 = (1 << 20) + 4096;
