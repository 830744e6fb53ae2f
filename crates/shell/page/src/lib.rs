#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod answer;
mod assets;
mod policy;

pub use answer::{VIEWS, answer};
pub use assets::{Asset, is_built};
pub use policy::POLICY;
