//! A signed component and what vouches for it: its files, and the root that the home trusts.

use std::path::{Path, PathBuf};

use symbolon_capsule::{Certified, CheckError, Revocations};

use super::trust::{self, Trusted};
use super::{Ctx, build, place};
use crate::failure::Failure;

/// Where it is.
#[derive(Debug, Clone, clap::Args)]
pub struct Source {
    /// The component
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
    /// The signed manifest
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The publisher's certificate
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The root that certified the publisher, instead of the one that the home trusts
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// A revocation list of the root
    #[arg(long, value_name = "FILE")]
    revocations: Option<PathBuf>,
}

/// Its files, read; nothing of them is believed yet.
pub struct Files {
    pub component: Vec<u8>,
    pub manifest: Vec<u8>,
    pub certificate: Vec<u8>,
}

impl Source {
    /// Manifest and certificate are looked for beside the component where they are not named.
    pub fn read(&self) -> Result<Files, Failure> {
        let beside = |named: &Option<PathBuf>, extension| {
            let found = || place::beside(&self.component, extension);
            place::envelope(&named.clone().unwrap_or_else(found))
        };
        Ok(Files {
            component: build::read(&self.component)?,
            manifest: beside(&self.manifest, "capsule.json")?,
            certificate: beside(&self.certificate, "certificate.json")?,
        })
    }

    /// The home, where there is one: it is of use, and not needed. Without one nothing is kept, and the root is named.
    pub fn home(ctx: &Ctx) -> Result<Option<symbolon_store::Home>, Failure> {
        match ctx.folder()?.join("home.json").exists() {
            true => Ok(Some(ctx.existing()?)),
            false => Ok(None),
        }
    }

    /// The certificate, by the root that is named or the one that the home trusts, as of now.
    pub fn certified(
        &self,
        certificate: &[u8],
        home: Option<&Path>,
        now_ms: u64,
    ) -> Result<Certified, Failure> {
        let trusted = home.map(Trusted::of);
        let root = match (&trusted, &self.root) {
            (_, Some(path)) => place::public(path)?,
            (Some(trusted), None) => trusted.root(None)?,
            (None, None) => return Err(trust::no_root()),
        };
        // The home's list is of the home's root.
        let kept = match &trusted {
            Some(trusted) if self.root.is_none() => trusted.revocations(&root)?,
            _ => None,
        };
        let revocations: Option<Revocations> = match &self.revocations {
            Some(path) => {
                let known = kept.as_ref().map(|(_, known)| *known);
                Some(trust::open(&place::envelope(path)?, &root, known)?.0)
            }
            None => kept.map(|(list, _)| list),
        };
        Certified::check(certificate, &root, revocations, now_ms).map_err(unchecked)
    }
}

/// A capsule that may not run.
pub fn unchecked(error: CheckError) -> Failure {
    let (code, next) = match &error {
        CheckError::CertificateEnvelope(_) | CheckError::Certificate(_) => {
            ("capsule_certificate", "--root with the keys of the root that certified the publisher")
        }
        CheckError::Early | CheckError::Expired => {
            ("capsule_certificate_time", "a new certificate: symbolon capsule certify --help")
        }
        CheckError::CertificateRevoked(_) | CheckError::ComponentRevoked => {
            ("capsule_revoked", "do not run it; ask its publisher for another version")
        }
        CheckError::Ceiling(_) => {
            ("capsule_ceiling", "a certificate that allows it: symbolon capsule certify --help")
        }
        CheckError::Statement => (
            "capsule_statement",
            "a certificate of the publisher's keys as they are now: symbolon capsule certify --help",
        ),
        CheckError::Length { .. } | CheckError::Hash => {
            ("capsule_hash", "the component that the manifest was signed for")
        }
        _ => ("capsule_manifest", "symbolon capsule sign NAME.manifest.json --key publisher.key"),
    };
    Failure::refused(code, error.to_string()).next(next)
}
