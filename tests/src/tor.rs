//! A Tor network of this machine's own: an authority, relays, and for each member a client that serves its onion. Nothing
//! of it leaves loopback.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::service::{Service, free_port};

/// A member of the network: what it listens at is reached by its onion, and by nothing else.
pub struct Member {
    /// Where its proxy listens.
    pub socks: u16,
    /// The port on this machine that its onion leads to.
    pub port: u16,
    folder: PathBuf,
    client: Option<Service>,
}

impl Member {
    /// Its onion as a part of a node's address.
    pub fn onion(&self) -> String {
        let name = self.host();
        format!("/onion3/{}:{ONION_PORT}", name.trim_end_matches(".onion"))
    }

    /// Ends its way into the network: all that went over it ends.
    pub fn cut(&mut self) {
        self.client = None;
    }

    fn host(&self) -> String {
        let began = Instant::now();
        loop {
            match fs::read_to_string(self.folder.join("onion/hostname")) {
                Ok(name) => return name.trim().to_owned(),
                Err(_) => wait(began, "the onion's name"),
            }
        }
    }

    /// Waits until what another's onion leads to can be reached from here.
    pub fn wait_for(&self, other: &Self) {
        let (began, host) = (Instant::now(), other.host());
        while !is_reached(self.socks, &host) {
            wait(began, &format!("way to {host}"));
        }
    }
}

/// A private network, until it is dropped.
pub struct Tor {
    /// Its members, who find nobody but each other.
    pub members: Vec<Member>,
    _relays: Vec<Service>,
    _folder: tempfile::TempDir,
}

impl Tor {
    /// With so many members. It takes about 20 seconds until they find each other.
    pub fn start(members: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let authority = Authority::make(&make(folder.path(), "authority"));
        let mut relays = vec![authority.start()];
        for number in 0..RELAYS {
            let name = format!("relay{number}");
            let own = [relay(&name, free_port()), lines(&["ExitRelay 0"])].concat();
            relays.push(start(&make(folder.path(), &name), &authority.line, &own));
        }
        let members = (0..members).map(|number| {
            let folder = make(folder.path(), &format!("member{number}"));
            let (socks, port) = (free_port(), free_port());
            let own = lines(&[
                &format!("SocksPort 127.0.0.1:{socks}"),
                &format!("HiddenServiceDir {}", folder.join("onion").display()),
                &format!("HiddenServicePort {ONION_PORT} 127.0.0.1:{port}"),
            ]);
            let client = Some(start(&folder, &authority.line, &own));
            Member { socks, port, folder, client }
        });
        let members = members.collect();
        Self { members, _relays: relays, _folder: folder }
    }
}

/// What says which relays there are.
struct Authority {
    folder: PathBuf,
    ports: (u16, u16),
    /// How the others know it.
    line: String,
}

impl Authority {
    fn make(folder: &Path) -> Self {
        let (ports, keys) = ((free_port(), free_port()), make(folder, "keys"));
        let (or, directory) = ports;
        let certificate = keys.join("authority_certificate");
        let mut command = Command::new("tor-gencert");
        command.args(["--create-identity-key", "-m", "12", "-a"]);
        command.arg(format!("127.0.0.1:{directory}"));
        command.arg("-i").arg(keys.join("authority_identity_key"));
        command.arg("-s").arg(keys.join("authority_signing_key"));
        command.arg("-c").arg(&certificate);
        // The passphrase of its identity: none that anybody has to keep.
        command.args(["--passphrase-fd", "0"]).stdin(Stdio::piped());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut made = command.spawn().expect("tor-gencert is installed");
        let mut given = made.stdin.take().expect("it is piped");
        given.write_all(b"\n").expect("it reads a line");
        drop(given);
        assert!(made.wait().expect("it ends").success(), "tor-gencert makes keys");
        let mut command = tor();
        command.args(["--ignore-missing-torrc", "--list-fingerprint", "--quiet"]);
        command.arg("-f").arg(folder.join("none"));
        command.args(["--orport", &or.to_string(), "--datadirectory"]).arg(folder);
        command.args(["--dirauthority", &format!("x 127.0.0.1:1 {}", "f".repeat(40))]);
        let said = command.output().expect("tor runs").stdout;
        let said = String::from_utf8_lossy(&said).replace(' ', "");
        let print = said.split_whitespace().find_map(hex_end).expect("its fingerprint");
        let text = fs::read_to_string(certificate).expect("its certificate");
        let identity = text.lines().find_map(|line| line.strip_prefix("fingerprint "));
        let identity = identity.expect("its identity").trim();
        let line = format!(
            "DirAuthority a orport={or} no-v2 v3ident={identity} 127.0.0.1:{directory} {print}\n"
        );
        Self { folder: folder.to_owned(), ports, line }
    }

    fn start(&self) -> Service {
        let (or, directory) = self.ports;
        let own = lines(&[
            &format!("DirPort 127.0.0.1:{directory}"),
            "AuthoritativeDirectory 1",
            "V3AuthoritativeDirectory 1",
            "ExitPolicy reject *:*",
            // As often as an authority may be made to vote.
            "TestingV3AuthInitialVotingInterval 10",
            "TestingV3AuthInitialVoteDelay 2",
            "TestingV3AuthInitialDistDelay 2",
            "V3AuthVotingInterval 10",
            "V3AuthVoteDelay 2",
            "V3AuthDistDelay 2",
        ]);
        start(&self.folder, &self.line, &[relay("authority", or), own].concat())
    }
}

/// Whether the proxy gets through to a host's onion (RFC 1928, by name).
fn is_reached(socks: u16, host: &str) -> bool {
    let asked = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, socks))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(&[5, 1, 0])?;
        stream.read_exact(&mut [0; 2])?;
        let length = host.len() as u8;
        let port = ONION_PORT.to_be_bytes();
        stream.write_all(&[&[5, 1, 0, 3, length], host.as_bytes(), &port].concat())?;
        let mut answer = [0; 2];
        stream.read_exact(&mut answer)?;
        Ok(answer == [5, 0])
    };
    asked().unwrap_or(false)
}

fn start(folder: &Path, authority: &str, own: &str) -> Service {
    let common = lines(&[
        "TestingTorNetwork 1",
        &format!("DataDirectory {}", folder.display()),
        "AssumeReachable 1",
        "PathsNeededToBuildCircuits 0.25",
        "TestingDirAuthVoteExit *",
        "TestingDirAuthVoteHSDir *",
        "TestingDirAuthVoteGuard *",
        "V3AuthNIntervalsValid 2",
        "ShutdownWaitLength 0",
        "Log notice stdout",
    ]);
    let file = folder.join("torrc");
    fs::write(&file, [&common, authority, own].concat()).expect("a file");
    Service::start("tor", tor().arg("-f").arg(file))
}

fn relay(name: &str, port: u16) -> String {
    let ports = format!("ORPort 127.0.0.1:{port}");
    lines(&[&format!("Nickname {name}"), "Address 127.0.0.1", &ports, "SocksPort 0"])
}

/// Debian keeps it where not everybody looks.
fn tor() -> Command {
    let there = ["/usr/bin/tor", "/usr/sbin/tor"].into_iter().find(|path| Path::new(path).exists());
    Command::new(there.unwrap_or("tor"))
}

fn make(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).expect("a folder");
    path
}

fn lines(all: &[&str]) -> String {
    all.iter().map(|line| format!("{line}\n")).collect()
}

/// 40 hex digits at the end of a word.
fn hex_end(word: &str) -> Option<String> {
    let start = word.len().checked_sub(40)?;
    let end = word.get(start..)?;
    end.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| end.to_owned())
}

fn wait(began: Instant, what: &str) {
    assert!(began.elapsed() < Duration::from_secs(90), "no {what} yet");
    std::thread::sleep(Duration::from_millis(200));
}

const ONION_PORT: u16 = 80;
/// With the authority, as few as three hops of two sides need.
const RELAYS: usize = 5;
