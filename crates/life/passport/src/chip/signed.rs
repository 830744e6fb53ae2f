//! The CMS around what is signed (RFC 5652; ICAO 9303-10, section 4.6.2), held to DER throughout: what
//! is verified is what is read.

use cms::cert::CertificateChoices;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{ObjectIdentifier, OctetString};
use der::{Decode, Encode};
use symbolon_crypto::{DocumentHash, DocumentScheme};
use x509_cert::attr::AttributeValue;

use super::ChipError;
use super::certificate::Signer;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
/// `id-icao-mrtd-security-ldsSecurityObject`.
const SECURITY_OBJECT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.136.1.1.1");
/// A chip carries its signer's, and seldom its authority's.
const CERTIFICATES_MAX: usize = 8;

/// A security object with one signature.
pub struct Signed {
    content: Vec<u8>,
    info: SignerInfo,
    signer: Signer,
}

impl Signed {
    pub fn read(der: &[u8]) -> Result<Self, ChipError> {
        let outer =
            ContentInfo::from_der(der).map_err(|_| ChipError::Object("not a CMS in DER"))?;
        if outer.content_type != SIGNED_DATA {
            return Err(ChipError::Object("not signed data"));
        }
        let data: SignedData =
            outer.content.decode_as().map_err(|_| ChipError::Object("not a CMS in DER"))?;
        let is_der = outer.to_der().is_ok_and(|again| again == der)
            && data.to_der().ok() == outer.content.to_der().ok();
        if !is_der {
            return Err(ChipError::Object("not a CMS in DER"));
        }
        if data.encap_content_info.econtent_type != SECURITY_OBJECT {
            return Err(ChipError::Object("what is signed is another kind of object"));
        }
        let [info] = data.signer_infos.0.as_slice() else {
            return Err(ChipError::Object("not signed once"));
        };
        let named = match info.sid {
            SignerIdentifier::IssuerAndSerialNumber(_) => CmsVersion::V1,
            SignerIdentifier::SubjectKeyIdentifier(_) => CmsVersion::V3,
        };
        if data.version != CmsVersion::V3 || info.version != named {
            return Err(ChipError::Object("a CMS of another version"));
        }
        if data.digest_algorithms.as_slice() != std::slice::from_ref(&info.digest_alg) {
            return Err(ChipError::Object("hashed by another algorithm than it says"));
        }
        let content = data.encap_content_info.econtent.as_ref();
        let content = content.and_then(|any| any.decode_as::<OctetString>().ok());
        let content = content.ok_or(ChipError::Object("what is signed is not in it"))?;
        let (content, info) = (content.as_bytes().to_vec(), info.clone());
        let signer = Self::certificate_of(&info, &data)?;
        Ok(Self { content, info, signer })
    }

    /// The signer's certificate, which a chip carries (9303-10, table 37).
    fn certificate_of(info: &SignerInfo, data: &SignedData) -> Result<Signer, ChipError> {
        let given = data.certificates.as_ref().map_or(&[][..], |set| set.0.as_slice());
        if given.len() > CERTIFICATES_MAX {
            return Err(ChipError::Object("more than 8 certificates"));
        }
        let plain = given.iter().filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate),
            CertificateChoices::Other(_) => None,
        });
        let mut named = plain.filter(|certificate| Signer::is_named(certificate, &info.sid));
        match (named.next(), named.next()) {
            (Some(certificate), None) => Signer::of(certificate),
            _ => Err(ChipError::Object("the signer's certificate is not in it")),
        }
    }

    /// What is signed.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Who says that they signed it.
    pub const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// That the signer signed it (RFC 5652, section 5.6).
    pub fn verify(&self) -> Result<(), ChipError> {
        let hash = DocumentHash::by_oid(&self.info.digest_alg.oid.to_string())?;
        let der = |_| ChipError::Object("not a CMS in DER");
        let attributes = self
            .info
            .signed_attrs
            .as_ref()
            .ok_or(ChipError::Object("without signed attributes"))?;
        let only = |kind: ObjectIdentifier| {
            let mut of_kind = attributes.iter().filter(|attribute| attribute.oid == kind);
            let (attribute, more) = (of_kind.next()?, of_kind.next());
            match (attribute.values.as_slice(), more) {
                ([value], None) => Some(value),
                _ => None,
            }
        };
        let kind = only(CONTENT_TYPE).and_then(|v: &AttributeValue| v.decode_as().ok());
        let digest = only(MESSAGE_DIGEST).and_then(|v| v.decode_as::<OctetString>().ok());
        let is_of_content =
            digest.is_some_and(|digest| digest.as_bytes() == hash.digest(&self.content));
        if kind != Some(SECURITY_OBJECT) || !is_of_content {
            return Err(ChipError::OtherContent);
        }
        let algorithm = self.info.signature_algorithm.to_der().map_err(der)?;
        let scheme = DocumentScheme::from_der(&algorithm, Some(hash))?;
        // As a SET OF, not under the tag that it has in the CMS (section 5.4).
        let signed = attributes.to_der().map_err(der)?;
        let signature = self.info.signature.as_bytes();
        self.signer.key().verify(scheme, &signed, signature).map_err(|_| ChipError::Signature)
    }
}
