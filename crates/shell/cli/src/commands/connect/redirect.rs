//! Waits for a browser to come back (RFC 8252, section 7.3).
//!
//! A listener on 127.0.0.1, at a port that the system chose, for as long as the flow takes. What the
//! browser brings is read into a secret page and handed to the broker, which alone knows the state
//! and the verifier; who else comes here learns nothing and ends nothing.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use symbolon_secret::{MemoryError, Secret};

use super::oauth::late;
use crate::failure::Failure;

/// The listener of one flow.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    port: u16,
}

impl Listener {
    pub fn bind() -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            let message = format!("no port of 127.0.0.1 can be listened on: {error}");
            Failure::environment("redirect", message)
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Self { listener, port })
    }

    /// Where a browser is sent.
    pub fn uri(&self) -> String {
        format!("http://127.0.0.1:{}/callback", self.port)
    }

    /// Gives each redirect's query to `finish`, until one is the flow's own or `end` has come.
    pub fn wait<T>(
        &self,
        end: Instant,
        mut finish: impl FnMut(Secret<[u8]>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        while Instant::now() < end {
            let Ok((mut browser, _)) = self.listener.accept() else {
                thread::sleep(PAUSE);
                continue;
            };
            match query(&mut browser) {
                Ok(Some(query)) => match finish(query) {
                    // Somebody else's redirect: the right one may still come.
                    Err(failure) if failure.code == "oauth_state" => {
                        tell(&mut browser, "403 Forbidden", OTHER);
                    }
                    done => {
                        let text = if done.is_ok() { CONNECTED } else { FAILED };
                        tell(&mut browser, "200 OK", text);
                        return done;
                    }
                },
                Ok(None) => tell(&mut browser, "404 Not Found", OTHER),
                // It said nothing, or too much.
                Err(_) => {}
            }
        }
        Err(late())
    }
}

/// The query of a `GET /callback?…`; `None` for any other request.
fn query(browser: &mut TcpStream) -> io::Result<Option<Secret<[u8]>>> {
    browser.set_nonblocking(false)?;
    let end = Instant::now() + READ_TIME_MAX;
    let mut page =
        Secret::<[u8]>::try_make_slice(HEAD_BYTES_MAX, |_| Ok::<_, MemoryError>(HEAD_BYTES_MAX))
            .map_err(io::Error::other)?;
    let mut len = 0;
    loop {
        let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        browser.set_read_timeout(Some(left.ok_or(io::ErrorKind::TimedOut)?))?;
        // EXPOSE: filled from the socket, in place.
        let n = browser.read(&mut page.expose_mut()[len..])?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        len += n;
        // EXPOSE: its end is looked for, and the query is copied from one secret page into another.
        let head = &page.expose()[..len];
        if !head.windows(4).any(|end| end == b"\r\n\r\n") {
            continue;
        }
        let line = head.split(|b| *b == b'\r').next().unwrap_or_default();
        let query = line.strip_prefix(b"GET /callback?").and_then(|l| l.strip_suffix(b" HTTP/1.1"));
        let is_plain = |q: &&[u8]| q.iter().all(u8::is_ascii_graphic);
        return Ok(query.filter(is_plain).map(|query| {
            Secret::<[u8]>::make_slice(query.len(), |out| out.copy_from_slice(query))
        }));
    }
}

/// Says something to whoever is at the browser. Where they are gone, nobody is told.
fn tell(browser: &mut TcpStream, status: &str, text: &str) {
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\nx-content-type-options: nosniff\r\n\
         connection: close\r\n\r\n{text}",
        text.len()
    );
    let _ = browser.write_all(answer.as_bytes());
}

const CONNECTED: &str = "Connected. You can close this page.\n";
const FAILED: &str = "Not connected. The command says why; you can close this page.\n";
const OTHER: &str = "This is not what is waited for here.\n";

const PAUSE: Duration = Duration::from_millis(20);
const READ_TIME_MAX: Duration = Duration::from_secs(2);
const HEAD_BYTES_MAX: usize = 16 * 1024;
