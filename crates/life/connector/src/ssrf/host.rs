//! Which hosts a request may go to, as far as it can be known before a name is resolved.

use symbolon_capability::url::Host;

use super::{Allow, Blocked, check};

/// Whether requests may go to `host`; a name's addresses are checked all the same.
pub fn check_host(host: &Host, allow: Allow) -> Result<(), ReachError> {
    match host.ip() {
        Some(ip) => Ok(check(ip, allow)?),
        None => check_name(host.as_str(), allow),
    }
}

/// Whether a name may be resolved at all; its addresses are checked all the same.
pub fn check_name(name: &str, allow: Allow) -> Result<(), ReachError> {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let is_named_so = METADATA_LABELS
        .iter()
        .any(|label| name.strip_prefix(label).is_some_and(|rest| rest.starts_with('.')));
    let is_inside = PRIVATE_SUFFIXES.iter().any(|suffix| is_or_below(&name, suffix));
    if METADATA_NAMES.iter().any(|metadata| is_or_below(&name, metadata))
        || is_named_so && is_inside
    {
        return Err(ReachError::Metadata);
    }
    if is_or_below(&name, "localhost") || is_or_below(&name, "localdomain") {
        return if allow.loopback { Ok(()) } else { Err(ReachError::Loopback) };
    }
    let is_private = is_inside || !name.contains('.');
    if is_private && !allow.private { Err(ReachError::Private) } else { Ok(()) }
}

/// Why a host is out of a connection's reach. The fault is that of whoever made the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReachError {
    /// `localhost` without [`Allow::loopback`].
    #[error("the host is this machine, which the connection does not allow")]
    Loopback,
    /// A name that only a private network resolves, without [`Allow::private`].
    #[error("the host is on a private network, which the connection does not allow")]
    Private,
    /// A cloud's metadata service or a cluster's API server. No `Allow` opens it.
    #[error("the host is a cloud metadata service")]
    Metadata,
    /// A literal address that is not public.
    #[error(transparent)]
    Address(#[from] Blocked),
}

fn is_or_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// First labels of metadata services in private networks: `instance-data.eu-west-1.compute.internal`.
const METADATA_LABELS: [&str; 3] = ["metadata", "instance-data", "rancher-metadata"];

const METADATA_NAMES: [&str; 20] = [
    "metadata",
    "metadata.internal",
    "metadata.goog",
    "metadata.google.internal",
    "metadata.google.com",
    "metadata.azure.com",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
    "metadata.aliyun.com",
    "metadata.oraclecloud.com",
    "metadata.platformequinix.com",
    "metadata.packet.net",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.cloud.ibm.com",
    "rancher-metadata",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

const PRIVATE_SUFFIXES: [&str; 12] = [
    "internal",
    "local",
    "lan",
    "home.arpa",
    "intranet",
    "corp",
    "home",
    "private",
    "onion",
    "test",
    "svc",
    "consul",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_before_they_are_resolved() {
        use ReachError::*;
        let open = Allow { loopback: true, private: true };
        for (name, error, opened) in [
            ("metadata", Metadata, false),
            ("METADATA.google.internal.", Metadata, false),
            ("x.metadata.google.internal", Metadata, false),
            ("instance-data.ec2.internal", Metadata, false),
            ("instance-data.eu-west-1.compute.internal", Metadata, false),
            ("kubernetes.default.svc", Metadata, false),
            ("payments.shop.svc", Private, true),
            ("payments.shop.svc.cluster.local", Private, true),
            ("localhost", Loopback, true),
            ("a.localhost", Loopback, true),
            ("localhost.localdomain", Loopback, true),
            ("router", Private, true),
            ("db.prod.internal", Private, true),
            ("printer.local", Private, true),
        ] {
            assert_eq!(check_name(name, Allow::default()), Err(error), "{name}");
            assert_eq!(check_name(name, open).is_ok(), opened, "{name}");
        }
        for name in ["api.github.com", "notlocalhost.com", "metadata.example.com"] {
            assert_eq!(check_name(name, Allow::default()), Ok(()), "{name}");
        }
    }

    #[test]
    fn literal_addresses_are_checked_at_once() {
        let checked = |text: &str, allow| check_host(&Host::parse(text).unwrap(), allow);
        let allow = Allow { loopback: true, private: false };
        assert!(matches!(checked("127.0.0.1", Allow::default()), Err(ReachError::Address(_))));
        assert_eq!(checked("127.0.0.1", allow), Ok(()));
        assert!(matches!(checked("[::ffff:127.0.0.1]", allow), Err(ReachError::Address(_))));
        assert!(matches!(checked("169.254.169.254", allow), Err(ReachError::Address(_))));
    }
}
