//! What came back: bytes, and the responses in them.

use crate::mcp;

/// All that a step got.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    /// Everything read, TLS taken off.
    pub(crate) bytes: Vec<u8>,
    /// Time was up before the peer had ended.
    pub(crate) timed_out: bool,
    /// The status of an HTTP/2 answer, whose head is compressed.
    pub(crate) h2_status: Option<u16>,
    /// The answer is a message of MCP, which says by itself whether it is an error.
    pub(crate) is_mcp: bool,
}

/// One response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) is_whole: bool,
}

impl Reply {
    /// The final responses; informational ones are left out.
    pub(crate) fn responses(&self) -> Vec<Response> {
        if let Some(status) = self.h2_status {
            return vec![Response { status, body: self.bytes.clone(), is_whole: !self.timed_out }];
        }
        let mut found = Vec::new();
        let mut rest = &self.bytes[..];
        while let Some((response, used)) = response(rest) {
            rest = &rest[used..];
            if response.status == 101 || response.status >= 200 {
                found.push(response);
            }
        }
        found
    }

    /// Whether an answer with a status below 400 came whole.
    pub(crate) fn passed(&self) -> bool {
        let last = self.responses().pop();
        last.is_some_and(|r| {
            r.status < 400 && r.is_whole && !(self.is_mcp && mcp::is_error(&r.body))
        })
    }

    /// In a few words.
    pub(crate) fn told(&self) -> String {
        let responses = self.responses();
        match responses.as_slice() {
            [] if self.timed_out => "no answer in time".to_owned(),
            [] => "closed".to_owned(),
            all => {
                let words: Vec<String> = all
                    .iter()
                    .map(|r| {
                        let is_error = self.is_mcp && r.status < 400 && mcp::is_error(&r.body);
                        let error = if is_error { " with an error" } else { "" };
                        format!("{}{error}{}", r.status, if r.is_whole { "" } else { " cut off" })
                    })
                    .collect();
                words.join(" ")
            }
        }
    }
}

/// The first response in `bytes` and how long it is.
fn response(bytes: &[u8]) -> Option<(Response, usize)> {
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let status = text.strip_prefix("http/1.")?.split(' ').nth(1)?.parse().ok()?;
    let value =
        |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).map(|v| v.trim().to_owned());
    let rest = &bytes[head..];
    let bare = |is_whole, body: &[u8], used| {
        Some((Response { status, body: body.to_vec(), is_whole }, head + used))
    };
    if status == 101 {
        return bare(true, rest, rest.len());
    }
    if status < 200 || status == 204 || status == 304 {
        return bare(true, &[], 0);
    }
    if value("transfer-encoding:").is_some_and(|v| v.contains("chunked")) {
        let (body, used) = unchunk(rest);
        return bare(used.is_some(), &body, used.unwrap_or(rest.len()));
    }
    match value("content-length:").and_then(|v| v.parse::<usize>().ok()) {
        Some(length) if rest.len() >= length => bare(true, &rest[..length], length),
        Some(_) => bare(false, rest, rest.len()),
        None => bare(true, rest, rest.len()),
    }
}

/// The pieces put together, and where they ended if they did.
fn unchunk(bytes: &[u8]) -> (Vec<u8>, Option<usize>) {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let Some(rest) = bytes.get(at..) else { return (body, None) };
        let Some(line) = rest.windows(2).position(|w| w == b"\r\n") else { return (body, None) };
        let size = std::str::from_utf8(&rest[..line]).unwrap_or_default();
        let size = size.split(';').next().unwrap_or_default().trim();
        let Ok(size) = usize::from_str_radix(size, 16) else { return (body, None) };
        at += line + 2;
        if size == 0 {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.starts_with(b"\r\n") {
                return (body, Some(at + 2));
            }
            let end = rest.windows(4).position(|w| w == b"\r\n\r\n");
            return (body, end.map(|e| at + e + 4));
        }
        let Some(piece) = at.checked_add(size).and_then(|end| bytes.get(at..end)) else {
            body.extend_from_slice(bytes.get(at..).unwrap_or_default());
            return (body, None);
        };
        body.extend_from_slice(piece);
        at += size + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_told_apart() {
        let reply = |bytes: &[u8]| Reply { bytes: bytes.to_vec(), ..Reply::default() };
        let two = reply(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 404 No\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        );
        let all = two.responses();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].status, &all[0].body[..]), (200, &b"ok"[..]));
        assert_eq!((all[1].status, &all[1].body[..], all[1].is_whole), (404, &b"x"[..], true));
        assert_eq!(two.told(), "200 404");
        let cut = reply(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab");
        assert!(!cut.passed());
        assert_eq!(cut.told(), "200 cut off");
        assert_eq!(reply(b"nonsense").told(), "closed");
    }
}
