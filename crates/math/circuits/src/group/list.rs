//! The list of groups that there are.

use std::fmt;
use std::str::FromStr;

use crate::value::{Country, Element, lines};

/// A group's name and version, such as `EU/1`. There are those of `data/groups` and no others: a
/// verifier never takes a root, it takes a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct GroupName(usize);

/// No group of this name and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no group of this name and version")]
pub struct NoSuchGroup;

struct Listed {
    name: &'static str,
    file: &'static str,
    root: [u8; 32],
}

impl GroupName {
    /// All groups.
    pub fn all() -> Vec<Self> {
        (0..GROUPS.len()).map(Self).collect()
    }

    /// Its members, in the order of their codes.
    pub fn members(self) -> impl Iterator<Item = Country> {
        lines(GROUPS[self.0].file).filter_map(|code| code.parse().ok())
    }

    /// The root of its tree, as it is pinned.
    pub fn root(self) -> Element {
        // INFALLIBLE: the pins are canonical, which is tested.
        Element::from_bytes(&GROUPS[self.0].root).unwrap_or(Element(crate::Fr::default()))
    }
}

impl FromStr for GroupName {
    type Err = NoSuchGroup;

    fn from_str(text: &str) -> Result<Self, NoSuchGroup> {
        GROUPS.iter().position(|g| g.name == text).map(Self).ok_or(NoSuchGroup)
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(GROUPS[self.0].name)
    }
}

impl fmt::Debug for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

macro_rules! groups {
    ($($name:literal $file:literal $root:literal)*) => {
        const GROUPS: &[Listed] = &[$(Listed {
            name: $name,
            file: include_str!(concat!("../../data/groups/", $file)),
            root: hex32($root),
        }),*];
    };
}

groups! {
    "EU/1" "EU.1.txt" "751f5abec162ac203ea664c87fca828f62e6f078bfa64acd8a14bf7fc534c76d"
    "EEA/1" "EEA.1.txt" "f61e879e20094a6d4ec1e564d9942ee8621f198aa35dbe5b1964e3f576944b47"
    "EEA-CH/1" "EEA-CH.1.txt" "6b2c9c4fd0a09869257c2a66fbde6e6b17c3bb37cc69ffd062f0bfa56508b666"
    "SCHENGEN/1" "SCHENGEN.1.txt" "d3f93b1d5c3eb560a967ccadb13c8a13e152341679fcf0935c4638ca9deac446"
    "NORDIC/1" "NORDIC.1.txt" "46883f8b6d4a578c524cabd8f41d54ae89a722d80970f2a87fe7a6717811e847"
    "BENELUX/1" "BENELUX.1.txt" "d39b3f7d75acae28a23853f246dcb9cdb6782c084d028f5f70d0c1755b4eaa64"
    "CTA/1" "CTA.1.txt" "3a7b0c72242db02ace6186af1924f404f8d27048a9cb5aec0213a83cde0c3228"
    "WORLD/1" "WORLD.1.txt" "3ab8e6c22c1e8c56bf8048b4c5bbf7127c8ed2bd98638591a302838d3db9c868"
}

/// Reads 64 hex digits while compiling; others end the compilation.
pub(crate) const fn hex32(text: &str) -> [u8; 32] {
    let digits = text.as_bytes();
    assert!(digits.len() == 64);
    let mut bytes = [0; 32];
    let mut i = 0;
    while i < 64 {
        let digit = match digits[i] {
            d @ b'0'..=b'9' => d - b'0',
            d @ b'a'..=b'f' => d - b'a' + 10,
            // INFALLIBLE: it runs while compiling, on literals of this crate.
            _ => panic!("not a hex digit"),
        };
        bytes[i / 2] = bytes[i / 2] << 4 | digit;
        i += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::Group;

    #[test]
    fn lists_are_sorted_whole_and_their_roots_are_the_pinned_ones() {
        // One place at least is nobody's, so that each group is tried with padding.
        for (at, listed) in GROUPS.iter().enumerate() {
            let members: Vec<Country> = GroupName(at).members().collect();
            assert_eq!(members.len(), lines(listed.file).count(), "{}", listed.name);
            assert!(members.is_sorted_by(|a, b| a < b) && members.len() < 256, "{}", listed.name);
            let root = Group::of(GroupName(at)).root();
            assert_eq!(hex::encode(root.to_bytes()), hex::encode(listed.root), "{}", listed.name);
            assert_eq!(GroupName(at).root(), root);
        }
    }

    #[test]
    fn a_name_without_its_version_is_no_group() {
        assert_eq!("EU/1".parse::<GroupName>().unwrap().to_string(), "EU/1");
        for name in ["EU", "EU/2", "eu/1", "", "EU/1 "] {
            assert_eq!(name.parse::<GroupName>(), Err(NoSuchGroup));
        }
    }

    #[test]
    fn groups_are_what_their_treaties_say() {
        let has = |group: &str, code: &str| {
            let code: Country = code.parse().unwrap();
            group.parse::<GroupName>().unwrap().members().any(|m| m == code)
        };
        assert!(has("EU/1", "IRL") && has("EU/1", "D<<") && has("EU/1", "DEU"));
        assert!(!has("EU/1", "GBR") && !has("EU/1", "CHE") && !has("EU/1", "NOR"));
        assert!(has("EEA/1", "NOR") && !has("EEA/1", "CHE") && has("EEA-CH/1", "CHE"));
        assert!(has("SCHENGEN/1", "CHE") && has("SCHENGEN/1", "HRV") && has("SCHENGEN/1", "BGR"));
        assert!(!has("SCHENGEN/1", "IRL") && !has("SCHENGEN/1", "CYP"));
        assert!(has("CTA/1", "GBR") && has("CTA/1", "IRL"));
        assert!(has("WORLD/1", "D<<") && has("WORLD/1", "RKS") && has("WORLD/1", "XXA"));
        assert!(!has("WORLD/1", "ATA") && !has("WORLD/1", "UNO"));
    }
}
