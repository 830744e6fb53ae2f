//! The command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

const USAGE: &str = "\
usage: symbolon-upstream api --ca FILE [--listen ADDRESS] [--stay]   (credential on standard input)
       symbolon-upstream forward --to ADDRESS --ca FILE [--listen ADDRESS] [--stay]
       symbolon-upstream reset --ca FILE [--listen ADDRESS] [--stay]";

/// What the process does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Api,
    Forward { to: SocketAddr },
    Reset,
}

#[derive(Debug)]
pub struct Options {
    pub mode: Mode,
    pub listen: SocketAddr,
    /// Where the authority's certificate goes.
    pub ca: PathBuf,
    /// Whether it lives on when standard input ends.
    pub stays: bool,
}

impl Options {
    /// Errs with the usage.
    pub fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let name = given.next().unwrap_or_default();
        let (mut ca, mut to, mut stays) = (None, None, false);
        let mut listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let usage = |what: &str| format!("{what}\n{USAGE}");
        while let Some(option) = given.next() {
            let mut value =
                || given.next().ok_or_else(|| usage(&format!("{option} needs a value")));
            let address = |text: String| {
                text.parse::<SocketAddr>().map_err(|_| usage(&format!("`{text}` is no address")))
            };
            match option.as_str() {
                "--ca" => ca = Some(PathBuf::from(value()?)),
                "--to" => to = Some(address(value()?)?),
                "--listen" => listen = address(value()?)?,
                "--stay" => stays = true,
                _ => return Err(usage(&format!("unknown option `{option}`"))),
            }
        }
        let mode = match (name.as_str(), to) {
            ("api", None) => Mode::Api,
            ("reset", None) => Mode::Reset,
            ("forward", Some(to)) => Mode::Forward { to },
            _ => return Err(usage("what is it to do?")),
        };
        let loopback = |address: &SocketAddr| address.ip().is_loopback();
        if !loopback(&listen) || !to.as_ref().is_none_or(loopback) {
            return Err(usage("it stays on loopback"));
        }
        let ca = ca.ok_or_else(|| usage("--ca is missing"))?;
        Ok(Self { mode, listen, ca, stays })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_each_mode() {
        assert_eq!(parse("api --ca a.pem").unwrap().mode, Mode::Api);
        assert_eq!(parse("reset --ca a.pem --stay").unwrap().mode, Mode::Reset);
        let forward = parse("forward --to 127.0.0.1:80 --ca a.pem").unwrap();
        assert_eq!(forward.mode, Mode::Forward { to: ([127, 0, 0, 1], 80).into() });
        assert!(!forward.stays);
    }

    #[test]
    fn refuses_the_rest() {
        for line in [
            "",
            "api",
            "forward --ca a.pem",
            "api --ca a --to 127.0.0.1:1",
            "api --ca a --listen 0.0.0.0:1",
            "forward --ca a --to 10.0.0.1:80",
            "api --ca",
        ] {
            assert!(parse(line).unwrap_err().contains("usage:"), "{line}");
        }
    }
}
