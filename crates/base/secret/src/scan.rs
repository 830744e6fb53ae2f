//! Searching the process's own readable memory for a value: for tests and benches.
//!
//! What a debugger, a core dump or `/proc/PID/mem` would give is what is searched, by the same
//! door. The value looked for is kept only masked, so that the search does not find itself.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Values to look for, by every window of eight bytes.
pub struct Needle {
    windows: HashSet<u64>,
    /// Which low 16 bits of a masked window are worth a look in the set.
    filter: Vec<bool>,
}

impl Needle {
    /// `masked` is the value with each byte XORed with [`MASK`].
    pub fn masked(masked: &[u8]) -> Self {
        let mut needle = Needle { windows: HashSet::new(), filter: vec![false; 1 << 16] };
        needle.add_masked(masked);
        needle
    }

    /// One more value (or one more encoding of the same), masked likewise. Values shorter than
    /// eight bytes are never found.
    pub fn add_masked(&mut self, masked: &[u8]) {
        for window in masked.windows(8) {
            let value = window.iter().rev().fold(0u64, |all, b| all << 8 | u64::from(*b));
            self.filter[(value & 0xffff) as usize] = true;
            self.windows.insert(value);
        }
    }

    /// How many windows of `bytes` are windows of a value.
    pub fn count(&self, bytes: &[u8]) -> usize {
        if bytes.len() < 8 {
            return 0;
        }
        let mask = u64::from(MASK) * 0x0101_0101_0101_0101;
        let mut value = bytes[..7]
            .iter()
            .enumerate()
            .fold(0u64, |v, (i, b)| v | u64::from(*b) << (8 * (i + 1)));
        let mut hits = 0;
        for byte in &bytes[7..] {
            value = value >> 8 | u64::from(*byte) << 56;
            let masked = value ^ mask;
            if self.filter[(masked & 0xffff) as usize] && self.windows.contains(&masked) {
                hits += 1;
            }
        }
        hits
    }
}

/// What a search of a process found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Findings {
    /// Bytes that could be read.
    pub bytes: u64,
    /// Mappings that the kernel refused to read (secret pages are among them).
    pub refused: usize,
    /// Name of the mapping (or `anonymous`) and number of windows found, where there were any.
    pub hits: Vec<(String, usize)>,
}

/// Reads every readable mapping of this process and looks for `needle`.
///
/// # Errors
/// Where `/proc/self` cannot be read: after [`crate::harden`] only root can.
pub fn own_memory(needle: &Needle) -> io::Result<Findings> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let memory = File::open("/proc/self/mem")?;
    let mut found = Findings::default();
    // One buffer on a mapping of its own; it is searched too (and holds what was last read), so
    // its address is left out below.
    let mut buffer = vec![0u8; CHUNK];
    let own = buffer.as_ptr() as u64;
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (Some(range), Some(rights)) = (fields.next(), fields.next()) else { continue };
        let name = fields.nth(3).unwrap_or("anonymous");
        let Some((from, to)) = range.split_once('-') else { continue };
        let (Ok(from), Ok(to)) = (u64::from_str_radix(from, 16), u64::from_str_radix(to, 16))
        else {
            continue;
        };
        if !rights.starts_with('r') || name.starts_with("[v") {
            continue;
        }
        let (mut at, mut hits, mut refused) = (from, 0, false);
        while at < to {
            let len = (to - at).min(CHUNK as u64);
            if at < own + CHUNK as u64 && own < at + len {
                // The search's own buffer: around it, not in it.
                let before = own.saturating_sub(at);
                if before > 0 {
                    let n = memory.read_at(&mut buffer[..before as usize], at).unwrap_or(0);
                    hits += needle.count(&buffer[..n]);
                }
                at = own + CHUNK as u64;
                continue;
            }
            match memory.read_at(&mut buffer[..len as usize], at) {
                Ok(n) if n >= 8 => {
                    found.bytes += n as u64;
                    hits += needle.count(&buffer[..n]);
                    // The next read begins seven bytes early: a window over the edge counts.
                    at += if at + n as u64 >= to { n as u64 } else { n as u64 - 7 };
                }
                Ok(_) => break,
                Err(_) => {
                    refused = true;
                    break;
                }
            }
        }
        found.refused += usize::from(refused);
        if hits > 0 {
            found.hits.push((name.to_owned(), hits));
        }
    }
    crate::wipe(&mut buffer);
    Ok(found)
}

/// What values are XORed with while they wait to be looked for.
pub const MASK: u8 = 0xA5;

const CHUNK: usize = 1 << 20;
