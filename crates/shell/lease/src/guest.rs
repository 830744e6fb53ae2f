//! Who keeps something of what a lease reached.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;

use symbolon_account::AccountId;

/// Lets go of what it has of an account's connections when no lease for them is live any more. Who ends
/// a lease waits for it.
pub trait Guest: Send + Sync {
    /// The last lease for connections of this account is over.
    fn let_go(&self, account: AccountId) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// The account is about to be deleted by its holder: nothing that names it stays.
    ///
    /// # Errors
    /// Where something does. The account is then not deleted.
    fn forget(&self, account: AccountId) -> Forgetting<'_>;
}

/// Ends when nothing that names an account is left, or says why something is.
pub type Forgetting<'a> =
    Pin<Box<dyn Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send + 'a>>;
