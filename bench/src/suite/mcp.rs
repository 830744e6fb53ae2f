//! `tools/call` over standard input and output: every gate, intent, release, receipt; the upstream
//! answers in the same process. The peer is rmcp alone, with a tool that does nothing.

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use symbolon_broker::Options as BrokerOptions;

use crate::child::{Role, Spawned};
use crate::home::{BenchHome, TOOL, make_credential};
use crate::meter::Meter;
use crate::row::Report;
use crate::{BenchError, Options};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let runtime = super::runtime()?;
    for &slots in &options.concurrency {
        let mut child = Spawned::start(Role::McpBare, None)?;
        open_session(&mut child)?;
        let count = options.iterations.unwrap_or(60_000);
        let is_right = |line: &str| line.contains(r#""text":"ok""#);
        drive(&mut child, slots, (count / 10).max(slots), None, is_right)?;
        let meter = Meter::start(child.pid());
        let correct = drive(&mut child, slots, count, Some(&meter), is_right)?;
        report.row(&meter.row("mcp", "rmcp, no-op", slots, "none", correct));
    }
    for (role, durability) in [(Role::McpRelaxed, "relaxed"), (Role::McpGroup, "group")] {
        for &slots in &options.concurrency {
            let home = runtime.block_on(async {
                let home = BenchHome::make().await?;
                let broker = BenchHome::open(&home.path(), BrokerOptions::default()).await?;
                BenchHome::set_up(&broker, "https://bench.invalid", None, make_credential())
                    .await?;
                broker.close().await;
                Ok::<_, BenchError>(home)
            })?;
            let mut child = Spawned::start(role, Some(home.path()))?;
            open_session(&mut child)?;
            let usual = if role == Role::McpGroup { 400 * slots.min(50) } else { 60_000 };
            let is_right = |line: &str| {
                line.contains(r#""status":200"#)
                    && line.contains(r#""receipt":"#)
                    && !line.contains(r#""isError":true"#)
            };
            drive(&mut child, slots, (usual / 10).max(slots), None, is_right)?;
            let count = options.iterations.unwrap_or(usual);
            let meter = Meter::start(child.pid());
            let correct = drive(&mut child, slots, count, Some(&meter), is_right)?;
            report.row(&meter.row("mcp", "symbolon", slots, durability, correct));
        }
    }
    Ok(())
}

fn open_session(child: &mut Spawned) -> Result<(), BenchError> {
    say(child, br#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"0"}}}"#)?;
    let hello = child.line()?;
    if !hello.contains("\"result\"") {
        return Err(BenchError::new(format!("the server did not open a session: {hello}")));
    }
    say(child, br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
}

fn say(child: &mut Spawned, line: &[u8]) -> Result<(), BenchError> {
    let stdin = child.stdin.as_mut().ok_or_else(|| BenchError::new("no input"))?;
    stdin.write_all(line)?;
    stdin.write_all(b"\n")?;
    Ok(())
}

/// Keeps `slots` calls on their way until `count` are answered; each answer is looked at.
fn drive(
    child: &mut Spawned,
    slots: usize,
    count: usize,
    meter: Option<&Meter>,
    is_right: impl Fn(&str) -> bool,
) -> Result<bool, BenchError> {
    let call = |out: &mut Vec<u8>, slot: usize| {
        // Writing into a Vec cannot fail.
        let _ = writeln!(
            out,
            r#"{{"jsonrpc":"2.0","id":{slot},"method":"tools/call","params":{{"name":"{TOOL}","arguments":{{}}}}}}"#
        );
    };
    let (mut sent, mut asked, mut answered, mut correct) =
        (vec![Instant::now(); slots], 0, 0, true);
    let (mut out, mut line, begin) = (Vec::new(), String::new(), Instant::now());
    for (slot, at) in sent.iter_mut().enumerate().take(count) {
        call(&mut out, slot);
        (*at, asked) = (Instant::now(), asked + 1);
    }
    while answered < count {
        if begin.elapsed() > Duration::from_secs(120) {
            return Err(BenchError::new("the server is too slow to be measured"));
        }
        if !out.is_empty() {
            child.stdin.as_mut().ok_or_else(|| BenchError::new("no input"))?.write_all(&out)?;
            out.clear();
        }
        if slots == 1 {
            child.watch()?;
        }
        // Everything that is there already is answered with one write.
        loop {
            line.clear();
            if child.stdout.read_line(&mut line)? == 0 {
                return Err(BenchError::new("the server closed its output"));
            }
            let Some(slot) = slot_of(&line) else { continue };
            answered += 1;
            correct &= is_right(&line);
            if let Some(meter) = meter {
                meter.record(sent[slot]);
            }
            if asked < count {
                call(&mut out, slot);
                (sent[slot], asked) = (Instant::now(), asked + 1);
            }
            if answered == count || !child.stdout.buffer().contains(&b'\n') {
                break;
            }
        }
    }
    Ok(correct)
}

/// The id of an answer; notifications have none.
fn slot_of(line: &str) -> Option<usize> {
    let rest = &line[line.find(r#""id":"#)? + 5..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}
