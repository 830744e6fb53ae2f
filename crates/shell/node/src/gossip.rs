//! How messages spread: gossipsub with explicit validation, bounds that hold together, and scores that follow ours.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, IdentTopic, MessageAuthenticity, MessageId, PeerScoreParams,
    PeerScoreThresholds, TopicScoreParams, ValidationMode,
};
use symbolon_crypto::sha256;

use crate::wire::WireError;

/// The longest message: an entry of a log, and what stands around it.
pub const MESSAGE_BYTES_MAX: usize = 96 * 1024;

/// Sizes of the mesh.
///
/// **Everything that one node sends at once has to be within what another takes at once.** Of a frame that is longer,
/// gossipsub closes the stream that it came on, and yamux tells nobody: the other side writes until its credit is used up,
/// and then waits for ever, which is a link that stalls. Messages are bounded where they are published; what grows with the
/// rate is the list of message ids that a heartbeat offers to those outside the mesh (three heartbeats of them: 900 at
/// 300/s, 34 bytes each). So `ids_max` of them MUST fit `frame_bytes_max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Peers that each message is sent on to.
    pub mesh: usize,
    /// The longest frame.
    pub frame_bytes_max: usize,
    /// Message ids in one frame.
    pub ids_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self::of_frame(128 * 1024)
    }
}

impl Bounds {
    /// With as many ids as a frame of this length takes.
    pub fn of_frame(frame_bytes_max: usize) -> Self {
        let ids_max = frame_bytes_max.saturating_sub(FRAME_BYTES) / ID_BYTES;
        Self { mesh: 4, frame_bytes_max, ids_max }
    }

    /// Whether a frame of ids, and one with the longest message, are within the longest frame.
    pub fn hold(&self) -> bool {
        let room = self.frame_bytes_max.saturating_sub(FRAME_BYTES);
        self.ids_max * ID_BYTES <= room && MESSAGE_BYTES_MAX <= room
    }
}

/// Gossip on these topics and no others.
pub(crate) fn behaviour(topics: &[String], bounds: &Bounds) -> Result<Behaviour, WireError> {
    let mesh = bounds.mesh;
    let config = ConfigBuilder::default()
        .validate_messages()
        // Messages carry signatures of their own. Without an author, what comes back to us would count as forged.
        .validation_mode(ValidationMode::Anonymous)
        .allow_self_origin(true)
        .message_id_fn(|message| MessageId::new(sha256(&message.data).as_bytes()))
        .max_transmit_size(bounds.frame_bytes_max)
        .max_ihave_length(bounds.ids_max)
        .mesh_n(mesh)
        .mesh_n_low(mesh.saturating_sub(1))
        .mesh_n_high(mesh * 2)
        .mesh_outbound_min(mesh / 3)
        .heartbeat_initial_delay(Duration::from_millis(500))
        // A frame for each message to each peer costs more than the copies that it saves.
        .idontwant_message_size_threshold(bounds.frame_bytes_max)
        .flood_publish(true)
        .build()
        .map_err(|error| WireError::Library(error.to_string()))?;
    let library = |what: &str| WireError::Library(what.to_owned());
    let mut gossip = Behaviour::new(MessageAuthenticity::Anonymous, config).map_err(library)?;
    let topics: Vec<_> = topics.iter().map(IdentTopic::new).collect();
    let params = PeerScoreParams {
        topics: topics.iter().map(|topic| (topic.hash(), of_topic())).collect(),
        topic_score_cap: 10.0,
        // What the state machine counts; it cuts off at a hundred, which must not be where gossip stops to listen.
        app_specific_weight: 0.5,
        // Everything that Tor brings comes from here.
        ip_colocation_factor_whitelist: [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            .into(),
        ..Default::default()
    };
    let thresholds = PeerScoreThresholds {
        gossip_threshold: -20.0,
        publish_threshold: -50.0,
        graylist_threshold: -100.0,
        // Addresses that peers suggest are not dialled.
        accept_px_threshold: 1000.0,
        opportunistic_graft_threshold: 2.0,
    };
    gossip.with_peer_score(params, thresholds).map_err(WireError::Library)?;
    for topic in &topics {
        let subscribed = gossip.subscribe(topic);
        subscribed.map_err(|error| WireError::Library(error.to_string()))?;
    }
    Ok(gossip)
}

/// A quiet log is no offence. Refused messages count here too, should nobody cut off who sends them.
fn of_topic() -> TopicScoreParams {
    TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 300.0,
        first_message_deliveries_weight: 0.05,
        first_message_deliveries_decay: 0.9,
        first_message_deliveries_cap: 100.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        // Square of their number times this: the state machine cuts off after a few, and has to see them.
        invalid_message_deliveries_weight: -1.0,
        invalid_message_deliveries_decay: 0.99,
        ..Default::default()
    }
}

/// A message id in a frame: 32 bytes, their length and their field.
const ID_BYTES: usize = 34;
/// What stands in a frame around ids or a message: the topic's name, lengths.
const FRAME_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_at_once_can_be_taken_at_once() {
        let bounds = Bounds::default();
        assert!(bounds.hold());
        // As the library comes.
        assert!(!Bounds { ids_max: 5000, ..bounds }.hold());
        assert!(!Bounds { frame_bytes_max: 64 * 1024, ids_max: 100, ..bounds }.hold());
    }
}
