//! What is known of a person from their document: its chip, or its printed zone.

use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use symbolon_ambient::{Clock, SystemClock};
use symbolon_circuits::Date;
use symbolon_passport::{Chip, ChipError, Mrz, Revocation, Trust};
use symbolon_proof::Particulars;
use symbolon_secret::Secret;

use crate::facts;
use crate::failure::Failure;

/// What a state signed, and whose authority stands for it.
pub struct Read {
    /// What is said of the person.
    pub known: Particulars,
    /// The state's authority.
    pub authority: String,
    /// Whether it was looked up if the signer was revoked.
    pub revocation: Revocation,
}

/// A chip's files, believed where one of these authorities signed for them.
pub fn of_chip(dg1: &Path, sod: &Path, csca: &[PathBuf], today: Date) -> Result<Read, Failure> {
    let trust = trusted(csca)?;
    let (dg1, sod) = (facts::read_secret(dg1)?, facts::read_secret(sod)?);
    // EXPOSE: the chip's files are read, and judged.
    let chip = Chip::read(dg1.expose(), sod.expose()).map_err(refused)?;
    let authentic = chip.authenticate(&trust, SystemClock.unix_ms()).map_err(refused)?;
    Ok(Read {
        known: particulars(authentic.mrz(), today)?,
        authority: authentic.authority().to_owned(),
        revocation: authentic.revocation(),
    })
}

/// A printed zone, which anybody can print.
pub fn of_zone(path: &Path, today: Date) -> Result<Particulars, Failure> {
    let zone = facts::read_secret(path)?;
    let day = symbolon_passport::Date::of_unix_ms(SystemClock.unix_ms());
    // EXPOSE: the zone is read.
    let zone = Mrz::parse(zone.expose(), day).map_err(|error| {
        Failure::refused("zone", error.to_string()).next("read the document once more")
    })?;
    particulars(&zone, today)
}

fn particulars(zone: &Mrz, today: Date) -> Result<Particulars, Failure> {
    let answers = [
        shown(&zone.birth())?,
        shown(&zone.nationality())?,
        shown(&zone.expiry())?,
        shown(&zone.issuer())?,
        shown(&zone.number())?,
    ];
    Ok(Particulars::new(answers, today)?)
}

/// A value's text, written into a secret page.
fn shown(value: &dyn Display) -> Result<Secret<[u8]>, Failure> {
    let mut long = [0; VALUE_BYTES_MAX];
    let mut rest = &mut long[..];
    let written = write!(rest, "{value}").map(|()| VALUE_BYTES_MAX - rest.len());
    let page = written.map_err(|_| {
        Failure::refused("zone", "a field of the zone is too long")
            .next("read the document once more")
    });
    let page = page.map(|length| {
        Secret::<[u8]>::make_slice(length, |page| page.copy_from_slice(&long[..length]))
    });
    symbolon_secret::wipe(&mut long);
    page
}

/// Authorities first, then their lists of revoked signers.
fn trusted(paths: &[PathBuf]) -> Result<Trust, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let failed = |error| Failure::file("read", path, &error);
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        for entry in fs::read_dir(path).map_err(failed)?.take(FILES_MAX) {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    let (mut trust, mut lists) = (Trust::new(), Vec::new());
    for path in files {
        let bytes = facts::read(&path, CERTIFICATE_BYTES_MAX)?;
        if let Err(error) = trust.add_authority(&bytes) {
            lists.push((path, bytes, error));
        }
    }
    for (path, bytes, error) in lists {
        if trust.add_list(&bytes).is_err() {
            let what = format!("{}: {error}", path.display());
            return Err(Failure::refused("csca", what)
                .next("--csca with certificates (CSCA) and revocation lists of states alone"));
        }
    }
    if trust.is_empty() {
        return Err(Failure::refused("csca", "no certificate of a state's authority was found")
            .next("--csca FILE, from the state or the ICAO's directory"));
    }
    Ok(trust)
}

fn refused(error: ChipError) -> Failure {
    let next = match error {
        ChipError::Untrusted(_) => "--csca with that state's certificate, from the state itself",
        ChipError::ListOutOfDate => "--csca with the state's next list of revoked signers",
        _ => "read the chip once more; do not issue claims from these files",
    };
    Failure::refused("chip", error.to_string()).next(next)
}

/// Longer than any value of a zone.
const VALUE_BYTES_MAX: usize = 64;
const FILES_MAX: usize = 3000;
const CERTIFICATE_BYTES_MAX: usize = 4 << 20;
