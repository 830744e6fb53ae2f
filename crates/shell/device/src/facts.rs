//! What this machine says about itself, and says again after a reboot.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Facts about a machine. Host name, memory and network addresses are left out: they change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    machine_id: Option<String>,
    product_uuid: Option<String>,
    board_serial: Option<String>,
    model: Option<String>,
    processor: Option<String>,
}

/// Which facts: some can be read by the superuser alone, so a fingerprint says what it was
/// taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FactSet(u8);

impl FactSet {
    const MACHINE_ID: u8 = 1;
    const PRODUCT_UUID: u8 = 2;
    const BOARD_SERIAL: u8 = 4;
    const MODEL: u8 = 8;
    const PROCESSOR: u8 = 16;
    /// One of these is different on every machine.
    const UNIQUE: u8 = Self::MACHINE_ID | Self::PRODUCT_UUID | Self::BOARD_SERIAL;

    /// As stored; `None` for bits that mean nothing, and for no bits.
    pub fn from_byte(byte: u8) -> Option<Self> {
        (1..32).contains(&byte).then_some(Self(byte))
    }

    /// For storing.
    pub const fn to_byte(self) -> u8 {
        self.0
    }

    /// Whether there is a fact among them that two machines of one model do not share.
    pub const fn is_unique(self) -> bool {
        self.0 & Self::UNIQUE != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Facts {
    /// Of the machine that this runs on.
    pub fn read() -> Self {
        Self::read_under(Path::new("/"))
    }

    /// Of the machine whose files are under `root`.
    pub fn read_under(root: &Path) -> Self {
        let dmi = |name: &str| text(&root.join("sys/class/dmi/id").join(name)).filter(|t| says(t));
        let id = |path: &str| {
            let is_id = |t: &String| t.len() == 32 && t.bytes().all(|b| b.is_ascii_hexdigit());
            text(&root.join(path)).filter(is_id)
        };
        let model: Vec<_> = ["sys_vendor", "product_name", "board_vendor", "board_name"]
            .into_iter()
            .filter_map(dmi)
            .collect();
        Self {
            machine_id: id("etc/machine-id").or_else(|| id("var/lib/dbus/machine-id")),
            product_uuid: dmi("product_uuid").map(|u| u.to_ascii_lowercase()),
            board_serial: dmi("board_serial"),
            model: (!model.is_empty()).then(|| model.join("\n")),
            processor: text(&root.join("proc/cpuinfo")).and_then(|t| processor(&t)),
        }
    }

    /// Which of them could be read.
    pub fn set(&self) -> FactSet {
        FactSet(self.each().iter().filter(|(_, _, v)| v.is_some()).fold(0, |all, (b, ..)| all | b))
    }

    /// Name and value of those in `set`, in the spec's order. `Err` names the first that is asked
    /// for and could not be read.
    pub(crate) fn pick(&self, set: FactSet) -> Result<Vec<(&'static str, &str)>, &'static str> {
        self.each()
            .into_iter()
            .filter(|(bit, ..)| set.0 & bit != 0)
            .map(|(_, name, value)| value.map(|v| (name, v)).ok_or(name))
            .collect()
    }

    fn each(&self) -> [(u8, &'static str, Option<&str>); 5] {
        [
            (FactSet::MACHINE_ID, "machine-id", self.machine_id.as_deref()),
            (FactSet::PRODUCT_UUID, "product-uuid", self.product_uuid.as_deref()),
            (FactSet::BOARD_SERIAL, "board-serial", self.board_serial.as_deref()),
            (FactSet::MODEL, "model", self.model.as_deref()),
            (FactSet::PROCESSOR, "processor", self.processor.as_deref()),
        ]
    }
}

/// A small text file, trimmed; `None` where it cannot be read or is empty.
fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(READ_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// What makers leave in the firmware where they forgot to say something.
fn says(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let nothing = ["to be filled", "default string", "not specified", "not applicable", "none"];
    let filler = lower.bytes().all(|b| matches!(b, b'0' | b'f' | b'-' | b' ' | b'.' | b'x'));
    !filler && !nothing.iter().any(|n| lower.starts_with(n))
}

/// The processor's model, by the first name that this architecture has for it.
fn processor(cpuinfo: &str) -> Option<String> {
    let value = |key: &str| {
        let lines = || cpuinfo.lines().filter_map(|l| l.split_once(':'));
        lines().find(|(k, _)| k.trim() == key).map(|(_, v)| v.trim().to_owned())
    };
    let arm = || Some(format!("{} {}", value("CPU implementer")?, value("CPU part")?));
    value("model name").or_else(|| value("cpu model")).or_else(arm).or_else(|| value("uarch"))
}

/// The first processor's lines are within.
const READ_BYTES_MAX: u64 = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_say_nothing() {
        for filler in
            ["None", "Default string", "To Be Filled By O.E.M.", "0", "00000000-0000", "ffff"]
        {
            assert!(!says(filler), "{filler}");
        }
        for fact in ["PF3ABC", "4c4c4544-0042-3510-8051-b4c04f4e3232", "f00d-1"] {
            assert!(says(fact), "{fact}");
        }
    }

    #[test]
    fn each_architecture_names_its_processor() {
        let x86 = "processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC\n\nmodel name : other\n";
        assert_eq!(processor(x86).unwrap(), "AMD EPYC");
        let arm = "processor : 0\nCPU implementer : 0x41\nCPU part\t: 0xd0c\n";
        assert_eq!(processor(arm).unwrap(), "0x41 0xd0c");
        assert_eq!(processor("processor : 0\n"), None);
    }

    #[test]
    fn a_set_survives_its_byte() {
        assert_eq!(FactSet::from_byte(0), None);
        assert_eq!(FactSet::from_byte(32), None);
        assert_eq!(FactSet::from_byte(31).map(FactSet::to_byte), Some(31));
        assert!(!FactSet(FactSet::MODEL | FactSet::PROCESSOR).is_unique());
    }
}
