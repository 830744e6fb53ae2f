//! Where a capsule's lines and calls go: to standard error, and to the home's broker.

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};
use symbolon_broker::{CallReply, CallRequest, ConnectionView, Context};
use symbolon_capability::AgentName;
use symbolon_capsule::{Capability, Checked};
use symbolon_capsule_host::Doors;
use symbolon_server::control::{Hangup, Op};

use super::Ctx;
use crate::failure::Failure;
use crate::link::Link;
use crate::out;

/// The command's doors. Calls are made as the agent `capsule_PUBLISHER_NAME`, which needs a grant as any other.
pub struct CommandDoors {
    agent: String,
    hosts: Vec<String>,
    /// Where its manifest asks for calls.
    broker: Option<Ctx>,
    asked: Mutex<Asked>,
}

/// The call that has no answer yet.
#[derive(Debug)]
enum Asked {
    None,
    One(Hangup),
    /// The run is over.
    Over,
}

impl CommandDoors {
    /// For a capsule.
    ///
    /// # Errors
    /// Where it asks for calls, and its names are too long for an agent's, or there is no broker.
    pub fn new(capsule: &Checked, ctx: &Ctx) -> Result<Self, Failure> {
        let manifest = capsule.manifest();
        let broker = manifest.capabilities.contains(&Capability::Call).then(|| ctx.clone());
        // No `_` is in either name: one publisher's capsule is never another's agent.
        let agent = format!("capsule_{}_{}", capsule.publisher(), manifest.name);
        if let Some(ctx) = &broker {
            // Before the run: it is there for what the capsule asks.
            drop(ctx.broker()?);
            if AgentName::parse(&agent).is_err() {
                let what = format!("`{agent}` is longer than an agent's name can be");
                return Err(Failure::refused("capsule_name", what).next(
                    "a shorter name in the manifest or the certificate: 55 characters together",
                ));
            }
        }
        let asked = Mutex::new(Asked::None);
        Ok(Self { agent, hosts: manifest.hosts.clone(), broker, asked })
    }

    /// A line for one call: the broker closes one that is silent for as long as a capsule may compute.
    fn open(&self) -> Result<Link, Failure> {
        let none = || Failure::refused("no_broker", "there is no broker").next("symbolon status");
        // One that its owner stopped meanwhile is not started again by a capsule.
        let link = self.broker.as_ref().ok_or_else(none)?.running_broker()?.ok_or_else(none)?;
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Asked::Over = *asked {
            return Err(Failure::refused("capsule_time", "the run is over").next("symbolon status"));
        }
        *asked = Asked::One(link.hangup()?);
        Ok(link)
    }

    fn ask(&self, operation: &str, parameters: &str) -> Result<String, Failure> {
        let arguments: Map<String, Value> = serde_json::from_str(parameters)
            .map_err(|_| Failure::usage("the parameters are no JSON object"))?;
        let mut broker = self.open()?;
        let said = self.ask_on(&mut broker, operation, arguments);
        // What ends the line would hold it open.
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Asked::One(_) = *asked {
            *asked = Asked::None;
        }
        said
    }

    fn ask_on(
        &self,
        broker: &mut Link,
        operation: &str,
        arguments: Map<String, Value>,
    ) -> Result<String, Failure> {
        let service = operation.split('.').next().unwrap_or_default();
        let all: Vec<ConnectionView> = broker.ask(&Op::Connections {})?;
        let fits = |it: &&ConnectionView| {
            it.service == service && self.hosts.contains(&host(&it.base_url))
        };
        let connection = all.iter().find(fits).map(|it| it.name.clone()).ok_or_else(|| {
            let what = "no connection goes to a host that the manifest names";
            Failure::refused("capsule_host", what)
        })?;
        let request = CallRequest {
            tool: operation.to_owned(),
            arguments,
            connection: Some(connection),
            minted: None,
        };
        let agent = self.agent.clone();
        let reply: CallReply =
            broker.ask(&Op::Call { agent, request, context: Context::Direct })?;
        let says = serde_json::json!({
            "status": reply.status, "body": reply.body, "receipt": reply.receipt,
        });
        Ok(says.to_string())
    }
}

/// The host of a base URL, without its port.
fn host(base_url: &str) -> String {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default().to_owned()
}

impl Doors for CommandDoors {
    fn line(&self, text: &str) {
        out::say(&format!("{}: {text}", self.agent));
    }

    fn call(&self, operation: &str, parameters: &str) -> Result<String, String> {
        self.ask(operation, parameters).map_err(|failure| failure.message)
    }

    fn leave(&self) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Asked::One(line) = std::mem::replace(&mut *asked, Asked::Over) {
            line.hang_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_host_of_a_base_url_has_no_port_and_no_path() {
        assert_eq!(host("https://api.github.com/v3"), "api.github.com");
        assert_eq!(host("https://127.0.0.1:8443"), "127.0.0.1");
    }
}
