//! Certificates.

use super::unset;
use crate::{Hashes, Timestamp};

stix_object! {
    /// An X.509 certificate (STIX 2.1, section 6.18). Identified by one hash and the serial number.
    ScoCommon X509Certificate = "x509-certificate" {
        /// True if it signed itself.
        is_self_signed: Option<bool>,
        /// Hashes of the whole certificate.
        hashes: Hashes,
        /// Version of the encoding.
        version: Option<String>,
        /// Serial number.
        serial_number: Option<String>,
        /// Algorithm of the signature.
        signature_algorithm: Option<String>,
        /// Who issued it.
        issuer: Option<String>,
        /// Start of its validity.
        validity_not_before: Option<Timestamp>,
        /// End of its validity.
        validity_not_after: Option<Timestamp>,
        /// Whom it names.
        subject: Option<String>,
        /// Algorithm of the public key.
        subject_public_key_algorithm: Option<String>,
        /// Modulus of an RSA key.
        subject_public_key_modulus: Option<String>,
        /// Exponent of an RSA key.
        subject_public_key_exponent: Option<i64>,
        /// Version 3 extensions.
        x509_v3_extensions: Option<Box<X509V3Extensions>>,
    }
}

stix_part! {
    /// X.509 version 3 extensions (STIX 2.1, section 6.18.2).
    X509V3Extensions {
        /// Whether the key may sign certificates.
        basic_constraints: Option<String>,
        /// Names that certificates further down may carry.
        name_constraints: Option<String>,
        /// Policies that certificates further down must follow.
        policy_constraints: Option<String>,
        /// What the key may be used for.
        key_usage: Option<String>,
        /// What else the key may be used for.
        extended_key_usage: Option<String>,
        /// Identifies the key.
        subject_key_identifier: Option<String>,
        /// Identifies the key that signed the certificate.
        authority_key_identifier: Option<String>,
        /// Further names of the subject.
        subject_alternative_name: Option<String>,
        /// Further names of the issuer.
        issuer_alternative_name: Option<String>,
        /// Attributes of the subject.
        subject_directory_attributes: Option<String>,
        /// Where revocations are published.
        crl_distribution_points: Option<String>,
        /// How many certificates further down may forbid any policy.
        inhibit_any_policy: Option<String>,
        /// Start of the validity of the private key.
        private_key_usage_period_not_before: Option<Timestamp>,
        /// End of the validity of the private key.
        private_key_usage_period_not_after: Option<Timestamp>,
        /// Policies.
        certificate_policies: Option<String>,
        /// Policies of other domains that are equivalent.
        policy_mappings: Option<String>,
    }
}

unset!(X509Certificate);
