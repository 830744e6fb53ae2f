//! Values: elements, hashes, dates, countries, sessions.

mod country;
mod date;
mod element;
pub(crate) mod poseidon;
mod session;
#[cfg(test)]
mod tests;

pub(crate) use country::{COUNTRY_BITS, lines};
pub use country::{Country, NoSuchCountry};
pub(crate) use date::{DATE_BITS, YEAR};
pub use date::{Date, NoSuchDay};
pub(crate) use element::parts;
pub use element::{ELEMENT_BYTES, Element, Hidden, NotCanonical, TEXT_BYTES_MAX};
pub(crate) use poseidon::{Domain, hash, node, tag};
pub use session::{Account, Audience, NAME_BYTES_MAX, NameLength, Nonce, Session};
