//! How it stands with a node, as others read it in `run/node.json`.

use serde::{Deserialize, Serialize};

/// The file's name in the home's `run/`.
pub const REPORT: &str = "node.json";

/// A node, a second ago at most while it runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its name to peers.
    pub peer: String,
    /// When this was written, RFC 3339.
    pub at: String,
    /// Addresses that others join it at.
    pub listening: Vec<String>,
    /// Those that are there.
    pub peers: Vec<PeerStatus>,
    /// Those that are not, and why, as far as that is known.
    pub unreached: Vec<Unreached>,
    /// Logs that are followed, its own among them.
    pub logs: Vec<LogStatus>,
    /// Messages.
    pub messages: Messages,
    /// What was refused last, the newest first.
    pub refused: Vec<Refused>,
    /// Those who are cut off.
    pub cut: Vec<CutOff>,
    /// Operators that contradicted themselves.
    pub accused: Vec<String>,
}

/// A peer that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerStatus {
    /// Its name.
    pub peer: String,
    /// Its operator's key in hex, once it showed a certificate.
    pub operator: Option<String>,
    /// Whether messages are sent on to it as they come.
    pub mesh: bool,
    /// Gossip's points.
    pub points: f64,
}

/// A peer that is dialled in vain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unreached {
    /// Its name.
    pub peer: String,
    /// What the system said.
    pub reason: String,
}

/// A log that is followed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogStatus {
    /// Its name in its checkpoints.
    pub origin: String,
    /// Its short name in the mesh.
    pub id: String,
    /// Whether it is this home's.
    pub own: bool,
    /// Entries that are here, under a checkpoint.
    pub entries: u64,
    /// Entries of them that witnesses signed for, of those that this node believes.
    #[serde(default)]
    pub cosigned: u64,
    /// How many of those witnesses did.
    #[serde(default)]
    pub witnesses: usize,
    /// Whether it was shown to have two histories.
    pub forked: bool,
}

/// Messages since the node's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages {
    /// Right, and sent on.
    pub accepted: u64,
    /// Wrong.
    pub refused: u64,
    /// Known already, or of nothing that is followed.
    pub ignored: u64,
    /// Not looked at for want of time.
    pub shed: u64,
}

/// Something that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// When, RFC 3339.
    pub at: String,
    /// Of whom.
    pub peer: String,
    /// Why.
    pub reason: String,
}

/// A peer that is cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutOff {
    /// Its name.
    pub peer: String,
    /// Until when, RFC 3339.
    pub until: String,
}
