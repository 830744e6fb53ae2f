//! Certificates of document signers and of states' authorities (ICAO 9303-12, section 7.1).

use cms::signed_data::SignerIdentifier;
use der::asn1::ObjectIdentifier;
use der::{Encode, Tag, Tagged};
use symbolon_crypto::{DocumentKey, DocumentScheme};
use x509_cert::certificate::{Certificate, Version};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectKeyIdentifier,
};
use x509_cert::name::Name;

use super::error::Who;
use super::{ChipError, TrustError};

const COUNTRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.6");
/// Critical extensions that are looked at, or that say nothing of what is judged here: key usage, basic
/// constraints, and the private key's usage period.
const UNDERSTOOD: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("2.5.29.15"),
    ObjectIdentifier::new_unwrap("2.5.29.19"),
    ObjectIdentifier::new_unwrap("2.5.29.16"),
];

/// Who signed a document, as its certificate says.
pub struct Signer {
    certificate: Certificate,
    key: DocumentKey,
    country: String,
}

impl Signer {
    pub fn of(certificate: &Certificate) -> Result<Self, ChipError> {
        let wrong = |what| ChipError::Certificate(Who::Signer, what);
        check_form(certificate).map_err(wrong)?;
        if is_authority(certificate).map_err(wrong)? {
            return Err(wrong("it is an authority's"));
        }
        if !may(certificate, KeyUsages::DigitalSignature).map_err(wrong)? {
            return Err(wrong("it may not sign documents"));
        }
        let key = key_of(certificate)?;
        let country = country(certificate.tbs_certificate().subject());
        let country = country.ok_or_else(|| wrong("it is of no state"))?;
        Ok(Self { certificate: certificate.clone(), key, country })
    }

    /// Whether a CMS names this certificate as its signer's.
    pub fn is_named(certificate: &Certificate, by: &SignerIdentifier) -> bool {
        let own = certificate.tbs_certificate();
        match by {
            SignerIdentifier::IssuerAndSerialNumber(named) => {
                named.issuer == *own.issuer() && named.serial_number == *own.serial_number()
            }
            SignerIdentifier::SubjectKeyIdentifier(named) => {
                matches!(own.get_extension::<SubjectKeyIdentifier>(), Ok(Some((_, own))) if own == *named)
            }
        }
    }

    pub const fn key(&self) -> &DocumentKey {
        &self.key
    }

    /// Two letters.
    pub fn country(&self) -> &str {
        &self.country
    }

    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

/// A state's authority, which is trusted.
pub struct Authority {
    certificate: Certificate,
    key: DocumentKey,
    country: String,
    name: String,
}

impl Authority {
    pub fn of(certificate: Certificate) -> Result<Self, TrustError> {
        check_form(&certificate).map_err(TrustError::NotAuthority)?;
        if !is_authority(&certificate).map_err(TrustError::NotAuthority)? {
            return Err(TrustError::NotAuthority("it may not sign certificates"));
        }
        if !may(&certificate, KeyUsages::KeyCertSign).map_err(TrustError::NotAuthority)? {
            return Err(TrustError::NotAuthority("it may not sign certificates"));
        }
        let key = key_of(&certificate)?;
        let subject = certificate.tbs_certificate().subject();
        let country = country(subject).ok_or(TrustError::NotAuthority("it is of no state"))?;
        let name = subject.to_string();
        Ok(Self { certificate, key, country, name })
    }

    /// Whether it signed the certificate of the signer. States renew keys under one name, and names
    /// under one key: a key identifier decides where both have one.
    pub fn signed(&self, signer: &Signer) -> Result<bool, ChipError> {
        let (own, other) =
            (self.certificate.tbs_certificate(), signer.certificate.tbs_certificate());
        if self.subject() != other.issuer() || !self.country.eq_ignore_ascii_case(&signer.country) {
            return Ok(false);
        }
        let named = other.get_extension::<AuthorityKeyIdentifier>();
        let own_id = own.get_extension::<SubjectKeyIdentifier>();
        if let (Ok(Some((_, named))), Ok(Some((_, own_id)))) = (named, own_id)
            && named.key_identifier.is_some_and(|named| named != own_id.0)
        {
            return Ok(false);
        }
        let algorithm = signer.certificate.signature_algorithm();
        self.has_signed(other, algorithm, signer.certificate.signature().raw_bytes())
    }

    /// Whether the signature over the DER of `what` is its own.
    pub fn has_signed(
        &self,
        what: &impl Encode,
        algorithm: &x509_cert::AlgorithmIdentifier,
        signature: &[u8],
    ) -> Result<bool, ChipError> {
        let der = |_| ChipError::Certificate(Who::Signer, "it is not in DER");
        let scheme = DocumentScheme::from_der(&algorithm.to_der().map_err(der)?, None)?;
        Ok(self.key.verify(scheme, &what.to_der().map_err(der)?, signature).is_ok())
    }

    pub fn subject(&self) -> &Name {
        self.certificate.tbs_certificate().subject()
    }

    /// Its name (RFC 4514).
    pub fn name(&self) -> &str {
        &self.name
    }

    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub fn may_sign_lists(&self) -> bool {
        may(&self.certificate, KeyUsages::CRLSign) == Ok(true)
    }
}

/// Whether it is good at a time, the ends included (RFC 5280, section 4.1.2.5).
pub fn is_valid_at(certificate: &Certificate, unix_ms: u64) -> bool {
    let validity = certificate.tbs_certificate().validity();
    let seconds = u128::from(unix_ms / 1000);
    let start = u128::from(validity.not_before.to_unix_duration().as_secs());
    let end = u128::from(validity.not_after.to_unix_duration().as_secs());
    (start..=end).contains(&seconds)
}

/// What both kinds have to be.
fn check_form(certificate: &Certificate) -> Result<(), &'static str> {
    let own = certificate.tbs_certificate();
    if own.version() != Version::V3 {
        return Err("it is not of X.509's third version");
    }
    if own.signature() != certificate.signature_algorithm() {
        return Err("it names two algorithms");
    }
    if certificate.signature().unused_bits() != 0 {
        return Err("its signature is not in bytes");
    }
    let extensions = own.extensions().map_or(&[][..], |all| all.as_slice());
    let is_unknown = |id: &ObjectIdentifier| !UNDERSTOOD.contains(id);
    if extensions.iter().any(|extension| extension.critical && is_unknown(&extension.extn_id)) {
        return Err("it has a critical extension that is not understood");
    }
    Ok(())
}

fn is_authority(certificate: &Certificate) -> Result<bool, &'static str> {
    let basic = certificate.tbs_certificate().get_extension::<BasicConstraints>();
    let basic = basic.map_err(|_| "its basic constraints are not one extension in DER")?;
    Ok(basic.is_some_and(|(_, basic)| basic.ca))
}

/// Key usage is mandatory in both kinds (9303-12, table 6).
fn may(certificate: &Certificate, usage: KeyUsages) -> Result<bool, &'static str> {
    let given = certificate.tbs_certificate().get_extension::<KeyUsage>();
    let given = given.map_err(|_| "its key usage is not one extension in DER")?;
    let (_, given) = given.ok_or("it does not say what its key is for")?;
    Ok(given.0.contains(usage))
}

fn key_of(certificate: &Certificate) -> Result<DocumentKey, symbolon_crypto::DocumentKeyError> {
    let spki = certificate.tbs_certificate().subject_public_key_info().to_der();
    let spki = spki.map_err(|_| symbolon_crypto::DocumentKeyError::Malformed)?;
    DocumentKey::from_spki(&spki)
}

/// The one country of a name; some states write it as UTF-8 against the rule.
fn country(name: &Name) -> Option<String> {
    let mut countries = name.iter().filter(|part| part.oid == COUNTRY);
    let (country, more) = (countries.next()?, countries.next());
    let is_text = matches!(country.value.tag(), Tag::PrintableString | Tag::Utf8String);
    let text = std::str::from_utf8(country.value.value()).ok()?;
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    (more.is_none() && is_text && is_code).then(|| text.to_owned())
}
