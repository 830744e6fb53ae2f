//! The targets as plain functions, so that a test can replay a corpus without a fuzzer.

pub mod audit;
pub mod authorship;
pub mod capsule;
pub mod catalog;
pub mod checkpoint;
pub mod container;
pub mod custody;
pub mod disclosure;
pub mod dsse;
pub mod envelope;
pub mod evm;
pub mod flow;
pub mod foreign;
pub mod log_records;
pub mod mesh_gossip;
pub mod mesh_node;
pub mod oauth;
pub mod opaque;
pub mod openapi;
pub mod ots;
pub mod passport;
pub mod path_template;
pub mod possession;
pub mod proof;
pub mod redact;
pub mod revocation;
pub mod shard;
pub mod siwe;
pub mod stark;
pub mod succession;
pub mod tools_list;
pub mod vault;
pub mod witness;

/// Reads one input; panics where a property does not hold.
pub type Target = fn(&[u8]);

/// Every target, by the name of its corpus.
pub const ALL: &[(&str, Target)] = &[
    ("audit", audit::run),
    ("authorship", authorship::run),
    ("capsule", capsule::run),
    ("catalog", catalog::run),
    ("checkpoint", checkpoint::run),
    ("container", container::run),
    ("custody", custody::run),
    ("disclosure", disclosure::run),
    ("dsse", dsse::run),
    ("envelope", envelope::run),
    ("evm", evm::run),
    ("flow", flow::run),
    ("foreign", foreign::run),
    ("log_records", log_records::run),
    ("mesh_gossip", mesh_gossip::run),
    ("mesh_node", mesh_node::run),
    ("opaque", opaque::run),
    ("openapi", openapi::run),
    ("ots", ots::run),
    ("passport", passport::run),
    ("path_template", path_template::run),
    ("possession", possession::run),
    ("proof", proof::run),
    ("redact", redact::run),
    ("revocation", revocation::run),
    ("shard", shard::run),
    ("oauth", oauth::run),
    ("siwe", siwe::run),
    ("stark", stark::run),
    ("succession", succession::run),
    ("tools_list", tools_list::run),
    ("vault", vault::run),
    ("witness", witness::run),
];
