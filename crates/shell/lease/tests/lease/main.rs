//! Leases over the accounts' store in SQLite.

mod attacks;
mod endings;
mod made;
mod work;
