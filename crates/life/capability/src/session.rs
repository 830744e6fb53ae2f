//! Who is calling, and from within what.

use serde::{Deserialize, Serialize};
use symbolon_ambient::Rng;
use symbolon_codec::{Digest32, Fields};

use crate::AgentName;

/// Through which door a caller came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// MCP over standard input and output.
    McpStdio,
    /// MCP over streamable HTTP.
    McpHttp,
    /// The JSON API and the gateway.
    Http,
    /// The command line, over the control socket.
    Cli,
    /// The HTTPS proxy of a run.
    Proxy,
}

impl Door {
    /// The word that intents and receipts carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::McpStdio => "mcp_stdio",
            Self::McpHttp => "mcp_http",
            Self::Http => "http",
            Self::Cli => "cli",
            Self::Proxy => "proxy",
        }
    }
}

/// One caller from connect to disconnect. A token is good in the session that asked for it alone.
/// Clones are the same session.
#[derive(Debug, Clone)]
pub struct Session {
    id: [u8; 16],
    agent: AgentName,
    door: Door,
}

impl Session {
    /// A new session, named by 128 random bits.
    pub fn make(agent: AgentName, door: Door, rng: &dyn Rng) -> Self {
        let mut id = [0; 16];
        rng.fill(&mut id);
        Self { id, agent, door }
    }

    /// The agent's name, as grants name it.
    pub fn agent(&self) -> &AgentName {
        &self.agent
    }

    /// The door this caller came through.
    pub fn door(&self) -> Door {
        self.door
    }

    /// The session's random name.
    pub fn id(&self) -> &[u8; 16] {
        &self.id
    }
}

/// In which execution a call stands. A token of one does not work in another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Context {
    /// A call by itself.
    #[default]
    Direct,
    /// A step of a pipeline run.
    Pipeline {
        /// The run.
        run: String,
        /// The step in it.
        step: String,
    },
    /// A step of an assembly line run.
    AssemblyLine {
        /// The run.
        run: String,
        /// The step in it.
        step: String,
    },
    /// A step of a radial burst run.
    RadialBurst {
        /// The run.
        run: String,
        /// The step in it.
        step: String,
    },
}

impl Context {
    /// The kind, as intents and receipts name it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Pipeline { .. } => "pipeline",
            Self::AssemblyLine { .. } => "assembly_line",
            Self::RadialBurst { .. } => "radial_burst",
        }
    }

    /// What a token is bound to. Zero for a direct call.
    pub fn digest(&self) -> Digest32 {
        match self {
            Self::Direct => Digest32([0; 32]),
            Self::Pipeline { run, step }
            | Self::AssemblyLine { run, step }
            | Self::RadialBurst { run, step } => symbolon_crypto::sha256(
                &Fields::new("symbolon/context/v1").str(self.kind()).str(run).str(step).finish(),
            ),
        }
    }
}
