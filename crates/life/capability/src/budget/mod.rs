//! Budgets: what a grant may use up, counted before a call and given back where nothing happened.
//! `specs/policy.md`.

mod account;
mod amount;
#[allow(clippy::module_inception)] // the file of the type of that name
mod budget;
mod hold;
mod ledger;
mod period;
mod store;

pub use account::{Account, Short};
pub use amount::{Amount, Scale};
pub use budget::{Budget, BudgetError};
pub use hold::{Hold, Settlement, Settler};
pub(crate) use hold::{Started, Taken};
pub use ledger::{Ledger, Mark};
pub use period::Period;
pub use store::{
    Cooled, GiveBack, Line, Reservation, Shadowed, SpendingChange, SpendingStore, Spent,
};
