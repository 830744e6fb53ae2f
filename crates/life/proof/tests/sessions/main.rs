//! Sessions with real proofs: what is taken, and what is not.

mod attacks;
mod forms;
mod work;
mod world;
