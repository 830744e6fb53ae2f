//! Something of a vault for somebody else.

use symbolon_vault::share::SHARE_BYTES_MAX;

use crate::error::at_most;
use crate::{AccountError, AccountId, ItemId, ShareId};

/// A share: a sealed copy that its reader has a key for, and the server has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Its id; in a link's path.
    pub id: ShareId,
    /// Whose it is.
    pub from: AccountId,
    /// For whom.
    pub to: ShareTo,
    /// Of which item.
    pub item: Option<ItemId>,
    /// The sealed bytes: to the reader's share key, or under a link's key.
    pub sealed: Vec<u8>,
    /// When it was made, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// From when on nobody sees it, in Unix milliseconds.
    pub expires_unix_ms: Option<u64>,
    /// How often it may be seen.
    pub views_max: Option<u32>,
    /// How often it was.
    pub views: u32,
    /// When it was taken back, in Unix milliseconds.
    pub revoked_unix_ms: Option<u64>,
}

impl Share {
    /// It keeps its bounds.
    ///
    /// # Errors
    /// [`AccountError::TooLong`] or [`AccountError::Malformed`].
    pub fn check(&self) -> Result<(), AccountError> {
        if self.views_max == Some(0) || self.views != 0 || self.revoked_unix_ms.is_some() {
            return Err(AccountError::Malformed("a new share can be seen, and was not yet"));
        }
        at_most("share", self.sealed.len(), SHARE_BYTES_MAX)
    }

    /// Whether `viewer` may see it now.
    pub fn is_open_to(&self, viewer: Viewer, now_unix_ms: u64) -> bool {
        let meant = match (self.to, viewer) {
            (ShareTo::Account(to), Viewer::Account(viewer)) => to == viewer,
            (ShareTo::Link, _) => true,
            (ShareTo::Account(_), Viewer::Link) => false,
        };
        meant
            && self.revoked_unix_ms.is_none()
            && self.expires_unix_ms.is_none_or(|at| now_unix_ms < at)
            && self.views_max.is_none_or(|max| self.views < max)
    }
}

/// For whom a share is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareTo {
    /// An account here.
    Account(AccountId),
    /// Who has the link.
    Link,
}

/// Who wants to see a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// Who signed in to this account.
    Account(AccountId),
    /// Who came with a link and no session.
    Link,
}

/// Shares of one account that are kept.
pub const SHARES_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_seen_by_whom_it_is_for_while_it_lasts() {
        let (reader, other) = (AccountId::from([2; 16]), AccountId::from([3; 16]));
        let share = Share {
            id: [1; 16].into(),
            from: [9; 16].into(),
            to: ShareTo::Account(reader),
            item: None,
            sealed: vec![1],
            created_unix_ms: 0,
            expires_unix_ms: Some(100),
            views_max: Some(2),
            views: 1,
            revoked_unix_ms: None,
        };
        assert!(share.is_open_to(Viewer::Account(reader), 99));
        assert!(!share.is_open_to(Viewer::Account(reader), 100), "expired");
        assert!(!share.is_open_to(Viewer::Account(other), 1), "somebody else");
        assert!(!share.is_open_to(Viewer::Link, 1), "no link");
        let seen = Share { views: 2, ..share.clone() };
        assert!(!seen.is_open_to(Viewer::Account(reader), 1), "seen");
        let back = Share { revoked_unix_ms: Some(1), ..share };
        assert!(!back.is_open_to(Viewer::Account(reader), 2), "taken back");
    }
}
