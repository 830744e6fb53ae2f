//! Keeps a number of `tools/call` requests in flight and says how long each took.
//!
//! `load stdio SLOTS SECONDS -- PROGRAM ARGS...` over a pair of pipes, or
//! `load http SLOTS SECONDS HOST:PORT KEY [PATH]` over kept connections; with PATH, plain GETs of it.

use std::{
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, slots, seconds, rest @ ..] = arguments.as_slice() else {
        return Err(
            "load stdio SLOTS SECONDS -- PROGRAM, or load http SLOTS SECONDS HOST:PORT KEY".into(),
        );
    };
    let slots: usize = slots.parse()?;
    let run = Duration::from_secs_f64(seconds.parse()?);
    let (mut taken, wall) = match (kind.as_str(), rest) {
        ("stdio", [_, program, more @ ..]) => stdio(slots, run, program, more)?,
        ("http", [address, key, path @ ..]) => http(slots, run, address, key, path.first())?,
        _ => return Err("stdio or http".into()),
    };
    taken.sort_unstable();
    let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize] as f64 / 1000.0;
    let per_second = taken.len() as f64 / wall.as_secs_f64();
    let (p50, p95, p99) = (at(0.50), at(0.95), at(0.99));
    println!(
        "{kind} slots={slots} n={} p50={p50:.1}us p95={p95:.1}us p99={p99:.1}us {per_second:.0}/s",
        taken.len()
    );
    Ok(())
}

fn call(id: &str) -> String {
    let meta = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"load","version":"0"},"io.modelcontextprotocol/clientCapabilities":{}"#;
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"echo.noop","arguments":{{}},"_meta":{{{meta}}}}}}}"#
    )
}

fn stdio(
    slots: usize,
    run: Duration,
    program: &str,
    more: &[String],
) -> Outcome<(Vec<u64>, Duration)> {
    let mut child =
        Command::new(program).args(more).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut to = child.stdin.take().ok_or("no stdin")?;
    let mut from = BufReader::with_capacity(1 << 16, child.stdout.take().ok_or("no stdout")?);
    let template = call("@");
    let (head, tail) = template.split_once('@').ok_or("no id")?;
    let mut sent = vec![Instant::now(); slots];
    let mut out = Vec::new();
    for (slot, at) in sent.iter_mut().enumerate() {
        writeln!(out, "{head}{slot}{tail}")?;
        *at = Instant::now();
    }
    to.write_all(&out)?;
    let (begun, mut since, mut taken) = (Instant::now(), None, Vec::with_capacity(1 << 20));
    let mut line = String::new();
    while begun.elapsed() < run + WARM {
        out.clear();
        // Whatever is buffered already is answered with one write.
        loop {
            line.clear();
            if from.read_line(&mut line)? == 0 {
                return Err("the server closed the pipe".into());
            }
            if line.contains(r#""error""#) || line.contains(r#""isError":true"#) {
                return Err(line.into());
            }
            let slot = id_of(&line)?;
            let now = Instant::now();
            match since {
                Some(_) => taken.push(now.duration_since(sent[slot]).as_nanos() as u64),
                None if begun.elapsed() > WARM => since = Some(now),
                None => {}
            }
            sent[slot] = now;
            writeln!(out, "{head}{slot}{tail}")?;
            if !from.buffer().contains(&b'\n') {
                break;
            }
        }
        to.write_all(&out)?;
    }
    let wall = since.ok_or("too short")?.elapsed();
    drop(to);
    child.kill()?;
    child.wait()?;
    Ok((taken, wall))
}

fn id_of(line: &str) -> Outcome<usize> {
    let digits = line.split(r#""id":"#).nth(1).ok_or("no id")?;
    Ok(digits.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse()?)
}

fn http(
    slots: usize,
    run: Duration,
    address: &str,
    key: &str,
    path: Option<&String>,
) -> Outcome<(Vec<u64>, Duration)> {
    let body = call("1");
    let request = match path {
        Some(path) => {
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\r\n")
        }
        None => format!(
            "POST /mcp HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\
             Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n\
             MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: echo.noop\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    };
    let begun = Instant::now();
    let workers: Vec<_> = (0..slots)
        .map(|_| {
            let (address, request) = (address.to_owned(), request.clone());
            std::thread::spawn(move || -> Outcome<Vec<u64>> {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                let mut stream = BufReader::new(stream);
                let mut taken = Vec::new();
                while begun.elapsed() < run + WARM {
                    let at = Instant::now();
                    stream.get_mut().write_all(request.as_bytes())?;
                    answer(&mut stream)?;
                    if begun.elapsed() > WARM {
                        taken.push(at.elapsed().as_nanos() as u64);
                    }
                }
                Ok(taken)
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.join().map_err(|_| "a worker panicked")??);
    }
    Ok((all, begun.elapsed().saturating_sub(WARM)))
}

fn answer(stream: &mut BufReader<TcpStream>) -> Outcome<()> {
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err("the server closed the connection".into());
        }
        if line == "\r\n" {
            break;
        }
        if line.starts_with("HTTP/1.1 ") && !line.starts_with("HTTP/1.1 20") {
            return Err(line.into());
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    if String::from_utf8_lossy(&body).contains(r#""isError":true"#) {
        return Err("an error result".into());
    }
    Ok(())
}

const WARM: Duration = Duration::from_millis(500);
