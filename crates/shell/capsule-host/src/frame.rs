//! What goes over the pipes between a parent and its child: frames of a length, a kind and bytes.

use std::io::{self, Read, Write};

use symbolon_capsule::Limits;
use symbolon_codec::{CodecError, Fields, FieldsReader};

use crate::error::RunError;
use crate::run::{Finished, Given, Job};

/// One frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Child: what is in force, as JSON.
    Measured(Vec<u8>),
    /// Parent: a component to compile.
    Compile(Vec<u8>),
    /// Child: its code.
    Compiled(Vec<u8>),
    /// Parent: code to run.
    Run(Vec<u8>, Job),
    /// Child: a line for the operator.
    Line(String),
    /// Child: an operation, and its parameters.
    Call(String, String),
    /// Parent: what came of it.
    Reply(Result<String, String>),
    /// Child: it is done.
    Done(Finished),
    /// Child: it is not.
    Failed(RunError),
}

/// Longest frame: code of the largest component, and its input.
pub(crate) const FRAME_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Longest frame of a child that runs: the longest output, and what stands around it.
pub(crate) const SAID_BYTES_MAX: usize = 17 * 1024 * 1024;
/// Longest text in a frame.
const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;

impl Frame {
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let bytes = self.encode();
        to.write_all(&(bytes.len() as u32).to_be_bytes())?;
        to.write_all(&bytes)?;
        to.flush()
    }

    /// `None` where the other side is gone. A frame longer than `bytes_max` is refused.
    pub fn read(from: &mut impl Read, bytes_max: usize) -> io::Result<Option<Self>> {
        let mut length = [0; 4];
        match from.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let length = u32::from_be_bytes(length) as usize;
        if length > bytes_max {
            return Err(io::ErrorKind::InvalidData.into());
        }
        // Grows with what comes, so that a length alone takes no memory.
        let mut bytes = Vec::new();
        if from.take(length as u64).read_to_end(&mut bytes)? < length {
            return Ok(None);
        }
        Self::decode(&bytes).map(Some).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Measured(json) => Fields::new("measured").bytes(json),
            Self::Compile(component) => Fields::new("compile").bytes(component),
            Self::Compiled(code) => Fields::new("compiled").bytes(code),
            Self::Run(code, job) => encode_job(Fields::new("run").bytes(code), job),
            Self::Line(text) => Fields::new("line").str(text),
            Self::Call(operation, parameters) => Fields::new("call").str(operation).str(parameters),
            Self::Reply(Ok(answer)) => Fields::new("reply").u64(1).str(answer),
            Self::Reply(Err(words)) => Fields::new("reply").u64(0).str(words),
            Self::Done(Finished { output, fuel_used, memory_bytes }) => {
                Fields::new("done").bytes(output).u64(*fuel_used).u64(*memory_bytes)
            }
            Self::Failed(error) => Fields::new("failed").str(error.code()).str(error.detail()),
        }
        .finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let tag_length = bytes.first_chunk::<4>().ok_or(CodecError::Truncated)?;
        let end = 4 + (u32::from_be_bytes(*tag_length) as usize).min(16);
        let known = ["measured", "compile", "compiled", "run", "line", "call", "reply", "done"];
        let said = bytes.get(4..end).ok_or(CodecError::Truncated)?;
        let tag = known.into_iter().find(|it| it.as_bytes() == said).unwrap_or("failed");
        let mut r = FieldsReader::new(tag, bytes)?;
        let frame = match tag {
            "measured" => Self::Measured(r.bytes(TEXT_BYTES_MAX)?.to_vec()),
            "compile" => Self::Compile(r.bytes(FRAME_BYTES_MAX)?.to_vec()),
            "compiled" => Self::Compiled(r.bytes(FRAME_BYTES_MAX)?.to_vec()),
            "run" => Self::Run(r.bytes(FRAME_BYTES_MAX)?.to_vec(), decode_job(&mut r)?),
            "line" => Self::Line(r.str(TEXT_BYTES_MAX)?.to_owned()),
            "call" => {
                Self::Call(r.str(TEXT_BYTES_MAX)?.to_owned(), r.str(TEXT_BYTES_MAX)?.to_owned())
            }
            "reply" => {
                let held = r.u64()? == 1;
                let text = r.str(TEXT_BYTES_MAX)?.to_owned();
                Self::Reply(if held { Ok(text) } else { Err(text) })
            }
            "done" => Self::Done(Finished {
                output: r.bytes(FRAME_BYTES_MAX)?.to_vec(),
                fuel_used: r.u64()?,
                memory_bytes: r.u64()?,
            }),
            _ => Self::Failed(RunError::from_wire(r.str(64)?, r.str(TEXT_BYTES_MAX)?)),
        };
        r.end()?;
        Ok(frame)
    }
}

fn encode_job(fields: Fields, job: &Job) -> Fields {
    let Given { call, log, random, time, deterministic } = job.given;
    let bits = [call, log, random, time, deterministic];
    let given = bits.iter().enumerate().fold(0, |sum, (at, bit)| sum | u64::from(*bit) << at);
    let Limits { fuel, memory_bytes, output_bytes, time_ms } = job.limits;
    let fields = fields.bytes(&job.input).u64(given).u64(job.now_ms).u64(job.seed);
    fields.u64(fuel).u64(memory_bytes).u64(output_bytes).u64(time_ms)
}

fn decode_job(r: &mut FieldsReader<'_>) -> Result<Job, CodecError> {
    let input = r.bytes(FRAME_BYTES_MAX)?.to_vec();
    let bits = r.u64()?;
    let bit = |at: u32| bits >> at & 1 == 1;
    let given =
        Given { call: bit(0), log: bit(1), random: bit(2), time: bit(3), deterministic: bit(4) };
    let (now_ms, seed) = (r.u64()?, r.u64()?);
    let limits = Limits {
        fuel: r.u64()?,
        memory_bytes: r.u64()?,
        output_bytes: r.u64()?,
        time_ms: r.u64()?,
    };
    Ok(Job { input, limits, given, now_ms, seed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        Job {
            input: b"in".to_vec(),
            limits: Limits::DRAFT,
            given: Given { call: true, log: false, random: true, time: false, deterministic: true },
            now_ms: 7,
            seed: 8,
        }
    }

    fn all() -> Vec<Frame> {
        vec![
            Frame::Measured(b"{}".to_vec()),
            Frame::Compile(b"component".to_vec()),
            Frame::Compiled(b"code".to_vec()),
            Frame::Run(b"code".to_vec(), job()),
            Frame::Line("line".into()),
            Frame::Call("a.b".into(), "{}".into()),
            Frame::Reply(Ok("answer".into())),
            Frame::Reply(Err("why".into())),
            Frame::Done(Finished { output: b"out".to_vec(), fuel_used: 1, memory_bytes: 2 }),
            Frame::Failed(RunError::Trap("why".into())),
            Frame::Failed(RunError::Fuel),
        ]
    }

    #[test]
    fn each_frame_reads_back_and_a_cut_one_does_not() {
        for frame in all() {
            let mut bytes = Vec::new();
            frame.write(&mut bytes).unwrap();
            assert_eq!(Frame::read(&mut &bytes[..], 999).unwrap(), Some(frame));
            for cut in 0..bytes.len() {
                assert_eq!(Frame::read(&mut &bytes[..cut], 999).unwrap(), None, "{cut}");
            }
            let inner = &bytes[4..];
            for cut in 0..inner.len() {
                assert!(Frame::decode(&inner[..cut]).is_err(), "{cut}");
            }
        }
    }

    #[test]
    fn a_length_beyond_the_bound_is_refused_before_anything_is_read() {
        assert!(Frame::read(&mut &[0xff; 8][..], FRAME_BYTES_MAX).is_err());
        assert!(Frame::read(&mut &[0, 0, 0, 9, 0, 0, 0, 0][..], 8).is_err());
    }
}
