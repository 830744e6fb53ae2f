//! What a new grant asks for that the grants above it do not have: found when it is made, and named.
//! Whatever is found or not, all of them hold when it is used ([`LiveGrant::under`]).
//!
//! [`LiveGrant::under`]: crate::LiveGrant::under

use crate::{Grant, Hours, Zone};

/// What a grant asks for beyond those above it, one phrase each. `zone` gives a window's clock; a
/// window whose zone is not known opens nothing.
pub fn excess(
    own: &Grant,
    above: &[Grant],
    unix_ms: u64,
    zone: impl Fn(&Hours) -> Option<Zone>,
) -> Vec<String> {
    let mut found = Vec::new();
    for parent in above {
        let mut beyond = |what: String, has: &dyn std::fmt::Display| {
            found.push(format!("{what} (grant {} has {has})", parent.id));
        };
        for limit in &own.limits {
            if let Some(wider) = parent.limits.iter().find(|l| limit.exceeds(l)) {
                beyond(format!("the limit {limit}"), wider);
            }
        }
        for budget in &own.budgets {
            if let Some(less) = parent.budgets.iter().find(|b| budget.exceeds(b)) {
                beyond(format!("the budget {budget}"), less);
            }
        }
        if let (Some(pause), Some(longer)) = (own.cooldown_seconds, parent.cooldown_seconds)
            && pause < longer
        {
            beyond(format!("a cooldown of {pause} s"), &format_args!("{longer} s"));
        }
        if is_open_beyond(&own.hours, &parent.hours, unix_ms, &zone) {
            beyond(format!("the hours {}", joined(&own.hours)), &joined(&parent.hours));
        }
    }
    found
}

/// Whether a window is open at a minute of the next eight days at which none above is.
fn is_open_beyond(
    own: &[Hours],
    above: &[Hours],
    unix_ms: u64,
    zone: impl Fn(&Hours) -> Option<Zone>,
) -> bool {
    if own.is_empty() || above.is_empty() {
        return false;
    }
    let known = |windows: &[Hours]| -> Vec<(Hours, Zone)> {
        windows.iter().filter_map(|w| Some((w.clone(), zone(w)?))).collect()
    };
    let (own, above) = (known(own), known(above));
    let is_open = |windows: &[(Hours, Zone)], at: u64| windows.iter().any(|(w, z)| w.admits(at, z));
    (0..MINUTES).map(|m| unix_ms + m * 60_000).any(|at| is_open(&own, at) && !is_open(&above, at))
}

fn joined(windows: &[Hours]) -> String {
    windows.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// Every window comes by in a week; a day more for zones.
const MINUTES: u64 = 8 * 1440;
