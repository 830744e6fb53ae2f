//! Which addresses a request may go to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// What a connection's owner opened on purpose. Nothing else can: not a caller, not an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Allow {
    /// 127.0.0.0/8, ::1 and `localhost`; also plain `http` to them.
    pub loopback: bool,
    /// RFC 1918, 100.64.0.0/10, fc00::/7, and names that only a private network resolves.
    pub private: bool,
}

/// Whether a request may go to `ip`. What is not known to be public is refused.
pub fn check(ip: IpAddr, allow: Allow) -> Result<(), Blocked> {
    let why = match ip {
        IpAddr::V4(ip) => why_v4(ip),
        IpAddr::V6(ip) => why_v6(ip),
    };
    match why {
        None => Ok(()),
        Some(Why::Loopback) if allow.loopback => Ok(()),
        Some(Why::Private) if allow.private => Ok(()),
        Some(why) => Err(Blocked { ip, why }),
    }
}

/// A refused address. The fault is that of whoever controls the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{ip} is {why}")]
pub struct Blocked {
    /// The address.
    pub ip: IpAddr,
    /// What it is.
    pub why: Why,
}

/// What an address is, where it is not a public one. Sources: the IANA special-purpose registries
/// (RFC 6890) and the clouds' documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// A cloud's metadata service, which hands out credentials. No `Allow` opens it.
    #[error("a cloud metadata service")]
    Metadata,
    /// This machine.
    #[error("a loopback address")]
    Loopback,
    /// A private or shared network, or a unique local address.
    #[error("a private network address")]
    Private,
    /// 169.254.0.0/16, fe80::/10, or the former site-local fec0::/10.
    #[error("a link-local address")]
    LinkLocal,
    /// 0.0.0.0/8 and ::, which some systems take for this machine.
    #[error("an unspecified address")]
    Unspecified,
    /// 224.0.0.0/4, ff00::/8.
    #[error("a multicast address")]
    Multicast,
    /// 255.255.255.255.
    #[error("the broadcast address")]
    Broadcast,
    /// RFC 5737, RFC 3849, RFC 9637.
    #[error("a documentation address")]
    Documentation,
    /// RFC 2544, RFC 5180.
    #[error("a benchmarking address")]
    Benchmarking,
    /// Anything else that is not routed publicly.
    #[error("a reserved address")]
    Reserved,
    /// ::ffff:0:0/96, ::ffff:0:0:0/96 and ::/96: an IPv4 address in other clothes.
    #[error("an IPv4 address written as IPv6")]
    Mapped,
    /// 64:ff9b:1::/48, or 64:ff9b::/96 with an IPv4 address inside that is not public.
    #[error("a NAT64 address of something that is not public")]
    Nat64,
    /// 2002::/16.
    #[error("a 6to4 address")]
    SixToFour,
    /// 2001::/32.
    #[error("a Teredo address")]
    Teredo,
    /// An interface identifier `0:5efe` or `200:5efe`, which carries an IPv4 address (RFC 5214).
    #[error("an ISATAP address")]
    Isatap,
}

fn why_v4(ip: Ipv4Addr) -> Option<Why> {
    if METADATA_V4.contains(&ip) {
        return Some(Why::Metadata);
    }
    Some(match ip.octets() {
        [0, ..] => Why::Unspecified,
        [127, ..] => Why::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Why::Private,
        [169, 254, ..] => Why::LinkLocal,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Why::Documentation,
        [198, 18..=19, ..] => Why::Benchmarking,
        // IETF protocol assignments, AS112, the former 6to4 relays, AMT.
        [192, 0, 0, _]
        | [192, 31, 196, _]
        | [192, 52, 193, _]
        | [192, 88, 99, _]
        | [192, 175, 48, _] => Why::Reserved,
        [224..=239, ..] => Why::Multicast,
        [255, 255, 255, 255] => Why::Broadcast,
        [240..=255, ..] => Why::Reserved,
        _ => return None,
    })
}

fn why_v6(ip: Ipv6Addr) -> Option<Why> {
    let embedded = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        Ipv4Addr::new(a, b, c, d)
    };
    if METADATA_V6.contains(&ip) {
        return Some(Why::Metadata);
    }
    Some(match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Why::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Why::Loopback,
        [0, 0, 0, 0, 0, 0, _, _]
        | [0, 0, 0, 0, 0, 0xffff, _, _]
        | [0, 0, 0, 0, 0xffff, 0, _, _] => Why::Mapped,
        // A network with IPv6 alone reaches public IPv4 hosts through it (RFC 6052, section 3.1).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            return why_v4(embedded(high, low)).map(|_| Why::Nat64);
        }
        [0x64, 0xff9b, 1, ..] => Why::Nat64,
        [0x2001, 0, ..] => Why::Teredo,
        [0x2002, ..] => Why::SixToFour,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Why::Documentation,
        [0x2001, 2, 0, ..] => Why::Benchmarking,
        // IETF protocol assignments (2001::/23), AS112, 6bone.
        [0x2001, 0..=0x1ff, ..] | [0x2620, 0x4f, 0x8000, ..] | [0x3ffe, ..] => Why::Reserved,
        // AWS keeps its instance services in this part of fc00::/7.
        [0xfd00, 0x0ec2, ..] => Why::Metadata,
        [0xfc00..=0xfdff, ..] => Why::Private,
        [0xfe80..=0xfeff, ..] => Why::LinkLocal,
        [0xff00..=0xffff, ..] => Why::Multicast,
        // An ISATAP router takes the address inside for where to tunnel.
        [0x2000..=0x3fff, _, _, _, 0 | 0x200, 0x5efe, _, _] => Why::Isatap,
        // Global unicast; all else is unassigned or reserved.
        [0x2000..=0x3fff, ..] => return None,
        _ => Why::Reserved,
    })
}

const METADATA_V4: [Ipv4Addr; 8] = [
    Ipv4Addr::new(169, 254, 169, 254), // AWS, Google, Azure, DigitalOcean, OpenStack, Oracle
    Ipv4Addr::new(169, 254, 170, 2),   // AWS ECS task credentials
    Ipv4Addr::new(169, 254, 170, 23),  // AWS EKS pod identity
    Ipv4Addr::new(169, 254, 42, 42),   // Scaleway
    Ipv4Addr::new(169, 254, 0, 23),    // Tencent
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba
    Ipv4Addr::new(168, 63, 129, 16),   // Azure platform, a public address
    Ipv4Addr::new(192, 0, 0, 192),     // Oracle, classic
];

const METADATA_V6: [Ipv6Addr; 6] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254), // AWS
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x23),  // AWS EKS pod identity
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254), // Google
    Ipv6Addr::new(0xfd00, 0x00c1, 0, 0, 0, 0, 0xa9fe, 0xa9fe), // Oracle
    Ipv6Addr::new(0xfd00, 0x0042, 0, 0, 0, 0, 0, 0x42),  // Scaleway
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe), // OpenStack
];

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Allow = Allow { loopback: true, private: true };
    const CASES: &[(&str, Why)] = &[
        ("0.0.0.0", Why::Unspecified),
        ("0.1.2.3", Why::Unspecified),
        ("127.0.0.1", Why::Loopback),
        ("127.255.255.255", Why::Loopback),
        ("10.0.0.0", Why::Private),
        ("10.255.255.255", Why::Private),
        ("172.16.0.0", Why::Private),
        ("172.31.255.255", Why::Private),
        ("192.168.1.1", Why::Private),
        ("100.64.0.0", Why::Private),
        ("100.127.255.255", Why::Private),
        ("169.254.1.1", Why::LinkLocal),
        ("169.254.169.254", Why::Metadata),
        ("169.254.170.2", Why::Metadata),
        ("100.100.100.200", Why::Metadata),
        ("168.63.129.16", Why::Metadata),
        ("192.0.0.192", Why::Metadata),
        ("192.0.0.1", Why::Reserved),
        ("192.0.2.1", Why::Documentation),
        ("198.51.100.1", Why::Documentation),
        ("203.0.113.1", Why::Documentation),
        ("198.18.0.1", Why::Benchmarking),
        ("198.19.255.255", Why::Benchmarking),
        ("192.88.99.1", Why::Reserved),
        ("224.0.0.1", Why::Multicast),
        ("239.255.255.255", Why::Multicast),
        ("240.0.0.1", Why::Reserved),
        ("255.255.255.254", Why::Reserved),
        ("255.255.255.255", Why::Broadcast),
        ("::", Why::Unspecified),
        ("::1", Why::Loopback),
        ("::7f00:1", Why::Mapped),
        ("::8.8.8.8", Why::Mapped),
        ("::ffff:127.0.0.1", Why::Mapped),
        ("::ffff:8.8.8.8", Why::Mapped),
        ("::ffff:0:8.8.8.8", Why::Mapped),
        ("64:ff9b::127.0.0.1", Why::Nat64),
        ("64:ff9b::169.254.169.254", Why::Nat64),
        ("64:ff9b::10.0.0.1", Why::Nat64),
        ("64:ff9b::168.63.129.16", Why::Nat64),
        ("64:ff9b:1::8.8.8.8", Why::Nat64),
        ("64:ff9b:2::1", Why::Reserved),
        ("2001::1", Why::Teredo),
        ("2002:7f00:1::1", Why::SixToFour),
        ("2002:808:808::1", Why::SixToFour),
        ("2001:2::1", Why::Benchmarking),
        ("2001:20::1", Why::Reserved),
        ("2001:db8::1", Why::Documentation),
        ("3fff:fff::1", Why::Documentation),
        ("3ffe::1", Why::Reserved),
        ("fc00::1", Why::Private),
        ("fdff::1", Why::Private),
        ("fd00:ec2::254", Why::Metadata),
        ("fd00:ec2::123", Why::Metadata),
        ("fd20:ce::254", Why::Metadata),
        ("fe80::1", Why::LinkLocal),
        ("febf::1", Why::LinkLocal),
        ("fec0::1", Why::LinkLocal),
        ("fe80::a9fe:a9fe", Why::Metadata),
        ("ff02::1", Why::Multicast),
        ("100::1", Why::Reserved),
        ("5f00::1", Why::Reserved),
        ("2001:470:1::5efe:7f00:1", Why::Isatap),
        ("2606:4700::200:5efe:a00:1", Why::Isatap),
        ("4000::1", Why::Reserved),
        ("1fff::1", Why::Reserved),
    ];

    #[test]
    fn what_is_not_public_is_refused_with_its_reason() {
        for (text, why) in CASES {
            let ip: IpAddr = text.parse().unwrap();
            assert_eq!(check(ip, Allow::default()), Err(Blocked { ip, why: *why }), "{text}");
        }
    }

    #[test]
    fn a_connection_opens_loopback_and_private_and_nothing_else() {
        for (text, why) in CASES {
            let ip: IpAddr = text.parse().unwrap();
            let opened = matches!(why, Why::Loopback | Why::Private);
            assert_eq!(check(ip, OPEN).is_ok(), opened, "{text}");
            let loopback = Allow { loopback: true, private: false };
            assert_eq!(check(ip, loopback).is_ok(), *why == Why::Loopback, "{text}");
            let private = Allow { loopback: false, private: true };
            assert_eq!(check(ip, private).is_ok(), *why == Why::Private, "{text}");
        }
    }

    #[test]
    fn the_neighbours_of_each_range_are_public() {
        let public = [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "140.82.121.4",
            "168.63.129.15",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "203.0.112.255",
            "223.255.255.255",
            "2000::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:4700::1111",
            "3fff:1000::1",
            "64:ff9b::8.8.8.8",
        ];
        for text in public {
            assert_eq!(check(text.parse().unwrap(), Allow::default()), Ok(()), "{text}");
        }
    }

    #[test]
    fn the_reason_is_legible() {
        let blocked = check("10.1.2.3".parse().unwrap(), Allow::default()).unwrap_err();
        assert_eq!(blocked.to_string(), "10.1.2.3 is a private network address");
    }
}
