//! Lengths and bounds of frames, the same for both sides; and reading and writing them without
//! a runtime. The broker's side is in `conn`.

use std::io::{self, Read, Write};

use symbolon_secret::Secret;

use super::error::ControlError;

/// The version of the protocol, in each request.
pub const VERSION: u32 = 1;
/// The longest request, without its secret, in bytes.
pub const JSON_BYTES_MAX: usize = 1 << 20;
/// The longest reply, without its secret, in bytes.
pub const REPLY_BYTES_MAX: usize = 64 << 20;
/// The longest secret in bytes.
pub const SECRET_BYTES_MAX: usize = 64 << 10;

/// A length as it stands on the wire, checked against its part's bound.
pub(super) fn length(
    bytes: [u8; 4],
    part: &'static str,
    min: usize,
    max: usize,
) -> Result<usize, ControlError> {
    let found = u32::from_be_bytes(bytes) as usize;
    if found < min || found > max {
        return Err(ControlError::TooLong { part, found });
    }
    Ok(found)
}

/// `JSON` with its length before it and the secret's length behind.
pub(super) fn head(
    json: &[u8],
    secret: Option<&Secret<[u8]>>,
    part: &'static str,
    max: usize,
) -> Result<Vec<u8>, ControlError> {
    let secret_len = secret.map_or(0, Secret::len);
    if json.len() > max {
        return Err(ControlError::TooLong { part, found: json.len() });
    }
    if secret_len > SECRET_BYTES_MAX {
        return Err(ControlError::TooLong { part: "secret", found: secret_len });
    }
    let mut out = Vec::with_capacity(json.len() + 8);
    // Both fit: the bounds above are far below 4 GiB.
    out.extend_from_slice(&(json.len() as u32).to_be_bytes());
    out.extend_from_slice(json);
    out.extend_from_slice(&(secret_len as u32).to_be_bytes());
    Ok(out)
}

/// Writes the secret behind its length: from its page to the socket.
pub(super) fn write_secret(
    mut to: impl Write,
    secret: Option<&Secret<[u8]>>,
) -> Result<(), ControlError> {
    if let Some(secret) = secret {
        // EXPOSE: written to the owner's broker over a local socket, straight from its page.
        to.write_all(secret.expose())?;
    }
    Ok(())
}

/// A frame's JSON and the secret behind it.
pub(super) type Parts = (Vec<u8>, Option<Secret<[u8]>>);

/// Reads a reply.
pub(super) fn read_reply(mut from: impl Read) -> Result<Parts, ControlError> {
    let mut word = [0; 4];
    read_exact(&mut from, &mut word)?;
    let mut json = vec![0; length(word, "reply", 2, REPLY_BYTES_MAX)?];
    read_exact(&mut from, &mut json)?;
    read_exact(&mut from, &mut word)?;
    let secret = match length(word, "secret", 0, SECRET_BYTES_MAX)? {
        0 => None,
        len => Some(Secret::<[u8]>::try_make_slice(len, |page| {
            read_exact(&mut from, page).map(|()| len)
        })?),
    };
    Ok((json, secret))
}

fn read_exact(mut from: impl Read, into: &mut [u8]) -> Result<(), ControlError> {
    from.read_exact(into).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => ControlError::Closed,
        _ => ControlError::Io(error),
    })
}
