#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod body;
pub mod inject;
pub mod limits;
pub mod redact;
pub mod sign;
pub mod ssrf;
