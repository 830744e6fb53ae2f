//! Sessions with real proofs: what is taken, and what is not.

mod attacks;
mod before;
mod forms;
mod work;
mod world;
