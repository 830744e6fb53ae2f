#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod answer;
pub mod api;
mod approvals;
mod arm;
mod authorship;
mod broker;
mod by_hand;
mod call;
mod calls;
mod capsule_log;
mod containers;
mod custody;
mod desk;
mod echo;
mod edge;
mod endpoint;
mod errors;
mod flow;
mod held;
mod identity;
mod json_text;
mod lanes;
mod live;
mod metrics;
mod minted;
mod mount;
mod oauth;
mod policy;
mod reading;
mod receipts;
mod refusals;
mod relay;
mod retry;
mod revocation;
mod rotation;
mod runs;
mod services;
mod setup;
mod shards;
mod sign;
mod taps;
mod tools;
mod upstream;
pub mod wire;

pub use api::*;
pub use broker::{Broker, Options};
pub use capsule_log::LoggedView;
pub use containers::{ContainerKeys, DeedSignature, SealedLayerKey, SignatureView, SignerView};
pub use desk::{DeskOpened, DeskSession, PageLink};
pub use edge::{Strict, Watch};
pub use endpoint::EndpointView;
pub use identity::{ExecutionProofView, ExecutionView, IdentityProofView};
pub use lanes::Lanes;
pub use live::{LiveEvent, LogHead, Since};
pub use minted::{MintError, PLACEHOLDER_BYTES, UnusableMinted, has_placeholder, is_placeholder};
pub use mount::{
    MountChange, MountError, MountFault, MountPlace, MountProgram, MountRefreshed, MountToolView,
    MountView, NewMount, Surrounding, Surroundings,
};
pub use oauth::TokenError;
pub use relay::{RelayBody, RelayLimits, RelayReply, RelayRequest, RelayedBody, Upgraded};
pub use revocation::{OperatorView, RevocationView};
pub use rotation::{RotationView, finish_rotation};
pub use runs::{Route, RunVariables};
pub use services::home_catalog;
pub use setup::{
    CONNECTIONS_AT_ONCE_MAX, CatalogView, LENT_MAX, LentConnection, ScopeView, ServiceRow,
    ServiceView,
};
pub use shards::{Every, ShardView, ShardsView};
pub use taps::{TapAnswer, TapAsked, TapPasskey};
pub use upstream::{Answer, Outgoing, ToolOutcome, Upstream, UpstreamError};
