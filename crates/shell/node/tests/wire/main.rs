//! Two wires on loopback.

mod links;
mod network;
mod pair;
mod stall;
