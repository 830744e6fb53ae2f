//! Signing up and in, as far as it is the Worker's: the password, which only it ever reads.

mod password;

pub use password::{Login, Registration, ServerPin};
