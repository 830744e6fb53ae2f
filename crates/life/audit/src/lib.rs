#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod cells;
pub mod entry;
pub mod error;
pub mod filter;
pub mod line;
pub mod pack;
mod same;
pub mod segment;
pub mod summary;
mod table;

pub use entry::{Entry, Row, Word};
pub use error::AuditError;
pub use filter::{Filter, Glob};
pub use line::{Lines, read_lines, write_line};
pub use pack::{ENTRIES_MAX, Packer, pack};
pub use same::Same;
pub use segment::{Segment, Source};
pub use summary::Summary;
