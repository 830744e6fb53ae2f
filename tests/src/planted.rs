//! A home with one credential that is looked for everywhere.

use crate::canary::Canaries;
use crate::home::{Home, Unlock};
use crate::random;
use crate::upstream::Upstream;

/// An unlocked home, a service that takes its credential, and what finds a piece of that.
#[derive(Debug)]
pub struct Planted {
    pub home: Home,
    pub upstream: Upstream,
    pub credential: String,
    pub canaries: Canaries,
}

impl Planted {
    /// In a home that nothing was made in yet.
    pub fn in_home(home: Home) -> Self {
        let credential = random::secret(40);
        home.init(Unlock::Device);
        home.add_service("upstream/service.toml");
        let upstream = Upstream::api(&credential);
        home.connect("upstream", &upstream, &credential);
        let canaries = Canaries::new().plant("credential", credential.as_bytes());
        Self { home, upstream, credential, canaries }
    }
}
