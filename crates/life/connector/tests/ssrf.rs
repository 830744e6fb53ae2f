//! What may be reached, held against the registries and lists in `vectors/iana` and `vectors/ssrf`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use symbolon_capability::url::{Host, HostError};
use symbolon_connector::ssrf::{Allow, ReachError, Why, base_url, check, check_host, check_name};

const SHUT: Allow = Allow { loopback: false, private: false };
const OPEN: Allow = Allow { loopback: true, private: true };
const EACH: [Allow; 4] = [
    SHUT,
    OPEN,
    Allow { loopback: true, private: false },
    Allow { loopback: false, private: true },
];

/// One block of a registry.
struct Block {
    name: &'static str,
    first: IpAddr,
    last: IpAddr,
    why: &'static str,
}

fn registry(text: &'static str) -> Vec<Block> {
    let rows = text.lines().skip(1).map(|row| {
        let cells: Vec<_> = row.split(',').collect();
        let [block, .., why] = cells[..] else { panic!("{row}") };
        let (first, bits) = block.split_once('/').unwrap();
        let (first, bits): (IpAddr, u32) = (first.parse().unwrap(), bits.parse().unwrap());
        let last = match first {
            IpAddr::V4(ip) => {
                IpAddr::V4((ip.to_bits() | u32::MAX.checked_shr(bits).unwrap_or(0)).into())
            }
            IpAddr::V6(ip) => {
                IpAddr::V6((ip.to_bits() | u128::MAX.checked_shr(bits).unwrap_or(0)).into())
            }
        };
        Block { name: block, first, last, why }
    });
    rows.collect()
}

fn v4() -> Vec<Block> {
    registry(include_str!("../../../../vectors/iana/ipv4-special.csv"))
}

fn v6() -> Vec<Block> {
    registry(include_str!("../../../../vectors/iana/ipv6-special.csv"))
}

/// The rows of a list, first cell and second.
fn rows(text: &'static str) -> impl Iterator<Item = (String, &'static str)> {
    text.lines().skip(1).map(|row| {
        let mut cells = row.splitn(3, ',');
        let host = cells.next().unwrap().replace("\\0", "\0").replace("\\\\", "\\");
        (unescape(&host), cells.next().unwrap())
    })
}

fn unescape(text: &str) -> String {
    let Some((before, rest)) = text.split_once("\\u{") else { return text.to_owned() };
    let (digits, after) = rest.split_once('}').unwrap();
    let c = char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap();
    format!("{before}{c}{}", unescape(after))
}

fn is_opened(why: Why, allow: Allow) -> bool {
    why == Why::Loopback && allow.loopback || why == Why::Private && allow.private
}

#[test]
fn every_block_of_the_registries_is_refused_from_its_first_address_to_its_last() {
    let (v4, v6) = (v4(), v6());
    assert_eq!((v4.len(), v6.len()), (27, 26), "the registries of 2025-10-09");
    for block in v4.iter().chain(&v6) {
        for ip in [block.first, block.last] {
            let blocked = check(ip, SHUT).err();
            // The block's public half: IPv4 behind NAT64.
            if block.name == "64:ff9b::/96" && ip == block.last {
                assert!(blocked.is_some(), "255.255.255.255 is not public: {ip}");
                continue;
            }
            let why = blocked.unwrap_or_else(|| panic!("{} lets {ip} through", block.name)).why;
            // An inner block may say more: 192.0.0.0/24 has 192.0.0.8/32.
            let inner = v4.iter().chain(&v6).any(|other| {
                (other.first..=other.last).contains(&ip) && format!("{why:?}") == other.why
            });
            assert!(inner, "{}: {ip} is {why:?}, not {}", block.name, block.why);
            for allow in EACH {
                assert_eq!(check(ip, allow).is_ok(), is_opened(why, allow), "{ip} {allow:?}");
            }
        }
    }
}

#[test]
fn no_clothes_open_an_ipv4_address_that_is_not_public() {
    for block in v4() {
        let (IpAddr::V4(first), IpAddr::V4(last)) = (block.first, block.last) else { panic!() };
        for ip in [first, last, Ipv4Addr::from_bits(first.to_bits().midpoint(last.to_bits()))] {
            for dressed in dressed(ip) {
                for allow in EACH {
                    let checked = check(dressed.into(), allow);
                    // `::1` is 0.0.0.1 dressed, and an address of its own.
                    let own = dressed.is_loopback() && allow.loopback;
                    assert!(checked.is_err() || own, "{ip} as {dressed} with {allow:?}");
                }
            }
        }
    }
}

/// An IPv4 address in every IPv6 form that some network or program takes for it.
fn dressed(ip: Ipv4Addr) -> Vec<Ipv6Addr> {
    let low = u128::from(ip.to_bits());
    let at = |text: &str| text.parse::<Ipv6Addr>().unwrap().to_bits();
    [
        at("::ffff:0:0") | low,
        at("::") | low,
        at("::ffff:0:0:0") | low,
        at("64:ff9b::") | low,
        at("64:ff9b:1::") | low,
        at("64:ff9b:1:fffe::") | low,
        at("2002::1") | low << 80,
        at("2001:0:4136:e378::") | low ^ 0xffff_ffff,
        at("2001:0:0:0:8000::") | low << 64,
        at("fe80::5efe:0:0") | low,
        at("2001:470:1:2:0:5efe::") | low,
        at("2a00:1450:4001::200:5efe:0:0") | low,
    ]
    .map(Ipv6Addr::from_bits)
    .to_vec()
}

#[test]
fn a_host_has_one_notation_and_the_others_are_refused() {
    let notations = include_str!("../../../../vectors/ssrf/notations.csv");
    let mut count = 0;
    for (host, error) in rows(notations) {
        let refused = Host::parse(&host).expect_err(&host);
        assert_eq!(format!("{refused:?}"), error, "{host:?}");
        // The same behind a scheme, with everything open: no parser in between mends it.
        for scheme in ["https", "http"] {
            assert!(base_url(&format!("{scheme}://{host}"), OPEN).is_err(), "{host:?}");
            assert!(base_url(&format!("{scheme}://{host}:443/x"), OPEN).is_err(), "{host:?}");
        }
        count += 1;
    }
    assert!(count > 60, "{count}");
    assert_eq!(Host::parse(""), Err(HostError::Empty));
}

#[test]
fn metadata_services_stay_shut_whatever_a_connection_allows() {
    for (host, whose) in rows(include_str!("../../../../vectors/ssrf/metadata.csv")) {
        let parsed = Host::parse(&host).unwrap();
        for allow in EACH {
            let refused = check_host(&parsed, allow).expect_err(&host);
            let is_metadata = match refused {
                ReachError::Metadata => true,
                ReachError::Address(blocked) => blocked.why == Why::Metadata,
                _ => false,
            };
            assert!(is_metadata, "{host} ({whose}) with {allow:?}: {refused}");
        }
        if parsed.ip().is_none() {
            assert_eq!(check_name(&format!("{host}."), OPEN), Err(ReachError::Metadata), "{host}.");
        }
    }
    // Names that only look like one.
    for name in
        ["metadata.example.com", "instance-data.example.com", "kubernetes.io", "my.svc.example"]
    {
        assert_eq!(check_name(name, SHUT), Ok(()), "{name}");
    }
}

#[test]
fn addresses_beside_the_blocks_are_public() {
    for text in ["1.1.1.1", "9.9.9.9", "100.128.0.1", "192.0.1.1", "198.20.0.1", "223.255.255.254"]
    {
        assert_eq!(check(text.parse().unwrap(), SHUT), Ok(()), "{text}");
    }
    for text in
        ["2606:4700::1111", "2001:4860:4860::8888", "2620:fe::fe", "3ffd::1", "2a00:1450::5eff:1:1"]
    {
        assert_eq!(check(text.parse().unwrap(), SHUT), Ok(()), "{text}");
    }
}
