//! `graph.toml`: the ranks, the owners of outside crates, and who may hold unsafe code.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::Failure;

/// The file, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    pub layers: Vec<Layer>,
    pub folders: BTreeMap<String, String>,
    pub owned: Vec<Owned>,
    #[serde(default)]
    pub dev: Vec<DevException>,
    pub unsafe_code: UnsafeCode,
}

/// One layer and its crates, lowest first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    pub name: String,
    pub crates: Vec<String>,
}

/// Outside crates that only some of ours may use.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owned {
    pub crates: Vec<String>,
    pub by: Vec<String>,
    pub why: String,
}

/// A dev-dependency that is allowed although its place forbids it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DevException {
    pub from: String,
    pub to: String,
    /// For the reader of the file; a rule without a reason does not parse.
    #[serde(rename = "why")]
    pub _why: String,
}

/// Crates without `#![forbid(unsafe_code)]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnsafeCode {
    pub own: Vec<String>,
    pub modules: Vec<String>,
}

/// Where a crate stands: its layer, then its place in the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    layer: usize,
    place: usize,
}

impl Rules {
    /// The file that this repository keeps.
    pub fn load() -> Result<Self, Failure> {
        Self::parse(include_str!("../../graph.toml"))
    }

    pub fn parse(text: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| Failure::new(format!("xtask/graph.toml: {error}")))
    }

    pub fn rank(&self, name: &str) -> Option<Rank> {
        self.layers.iter().enumerate().find_map(|(layer, it)| {
            let place = it.crates.iter().position(|krate| krate == name)?;
            Some(Rank { layer, place })
        })
    }

    pub fn layer_of(&self, name: &str) -> Option<&str> {
        self.rank(name).map(|rank| self.layers[rank.layer].name.as_str())
    }

    /// The folder that a crate must be in, from the checkout's top.
    pub fn folder(&self, name: &str) -> Option<String> {
        match self.folders.get(name) {
            Some(folder) => Some(folder.clone()),
            None => self.layer_of(name).map(|layer| format!("crates/{layer}/{name}")),
        }
    }

    /// The rule that `name` breaks by using the outside crate `outside`, if it breaks one.
    pub fn refusal(&self, name: &str, outside: &str) -> Option<&Owned> {
        let rule = self.owned.iter().find(|rule| rule.crates.iter().any(|it| it == outside))?;
        let layer = self.layer_of(name);
        let allowed = rule.by.iter().any(|by| by == name || Some(by.as_str()) == layer);
        (!allowed).then_some(rule)
    }

    pub fn excepts_dev(&self, from: &str, to: &str) -> bool {
        self.dev.iter().any(|it| it.from == from && it.to == to)
    }
}

/// `symbolon-codec` is the crate `codec`; a package without the prefix keeps its name.
pub fn crate_name(package: &str) -> &str {
    package.strip_prefix("symbolon-").unwrap_or(package)
}
