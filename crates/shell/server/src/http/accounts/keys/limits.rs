//! How often keys are tried: the server's function most of all, for who has a guess must ask it.

use symbolon_account::rate::{Buckets, Rate};
use symbolon_ambient::Clock;
use symbolon_broker::CallError;
use symbolon_possession::{DeviceId, ServiceId};

use super::super::limits::{Address, KEYS_MAX, RateLimits, too_often};

/// The buckets.
#[derive(Debug)]
pub(in crate::http::accounts) struct KeyLimits {
    evaluate_by_address: Buckets<Address>,
    evaluate_by_service: Buckets<ServiceId>,
    login: Buckets<DeviceId>,
    introspect: Buckets<ServiceId>,
}

impl KeyLimits {
    pub fn new(rates: &RateLimits) -> Self {
        Self {
            evaluate_by_address: Buckets::new(Rate::per_minute(30, 30), KEYS_MAX),
            evaluate_by_service: Buckets::new(Rate::per_second(200, 20), KEYS_MAX),
            login: Buckets::new(rates.key_login, KEYS_MAX),
            introspect: Buckets::new(rates.introspections, KEYS_MAX),
        }
    }

    /// Before the function is evaluated for somebody.
    pub fn evaluate(
        &self,
        service: ServiceId,
        address: Address,
        clock: &dyn Clock,
    ) -> Result<(), CallError> {
        self.evaluate_by_address.take(address, clock).map_err(too_often)?;
        self.evaluate_by_service.take(service, clock).map_err(too_often)
    }

    /// Before a proof of a device is checked.
    pub fn login(&self, device: DeviceId, clock: &dyn Clock) -> Result<(), CallError> {
        self.login.take(device, clock).map_err(too_often)
    }

    /// Before a service's token is looked up for it.
    pub fn introspect(&self, service: ServiceId, clock: &dyn Clock) -> Result<(), CallError> {
        self.introspect.take(service, clock).map_err(too_often)
    }
}
