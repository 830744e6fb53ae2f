//! Two wires on loopback.

mod links;
mod pair;
mod stall;
