#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod accounts;
mod alone;
pub mod audit;
pub mod backup;
pub mod faults;
pub mod folder;
pub mod home;
mod line;
pub mod log_service;
mod log_storage;
pub mod manifest;
pub mod sqlite;
mod trust;

pub use accounts::{Accounts, DatabaseAddress};
pub use alone::count_tasks;
pub use audit::{Audit, AuditFault};
pub use faults::{Fault, Faults, Op};
pub use folder::{FolderStorage, replace_file};
pub use home::{Home, HomeError, HomeLock};
pub use log_service::{LogService, LogSettings};
pub use log_storage::{LogDatabaseError, LogPlace, LogStorage, PostgresStorage, newest_checkpoint};
pub use manifest::{LogKept, Manifest, ManifestError};
pub use sqlite::{ExecutionHead, ExecutionRow, SqliteStore};
pub use symbolon_log::InclusionBundle;
pub use trust::{TrustFile, TrustFileError};
