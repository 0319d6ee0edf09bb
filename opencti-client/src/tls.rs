//! Trust and identity on encrypted connections, the same for the platform, the broker and the listener.

mod quick;

use std::fmt;
use std::sync::Arc;

use pkcs8::der::pem::LineEnding;
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};

use crate::{Error, Secret};

/// Whom to trust, and who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsConfig {
    /// Certificates of further authorities, in PEM.
    pub ca: Option<Vec<u8>>,
    /// Whether the authorities that the system trusts are trusted, too.
    pub system_roots: bool,
    /// Whether the peer's certificate must be trusted. Without that anybody can read what is sent.
    pub verify: bool,
    /// Our own certificate.
    pub identity: Option<TlsIdentity>,
    /// For programs that ask once and end: keys come from the system's generator, and the authorities from the system's
    /// bundle. Filling the generator of the library takes some 30 ms, reading a folder of authorities about as long. In
    /// return, key exchanges with post-quantum algorithms are not offered.
    pub quick: bool,
}

/// A certificate with its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsIdentity {
    /// The certificate and those between it and the authority, in PEM.
    pub certificates: Vec<u8>,
    /// The private key, in PEM, without a passphrase.
    pub key: Secret,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self { ca: None, system_roots: true, verify: true, identity: None, quick: false }
    }
}

impl TlsIdentity {
    /// Decrypts a private key that has a passphrase: PKCS #8 in PEM (`BEGIN ENCRYPTED PRIVATE KEY`), with PBES2.
    ///
    /// A key without a passphrase is taken as it is, whatever the passphrase.
    pub fn with_passphrase(certificates: Vec<u8>, key: &Secret, passphrase: &Secret) -> Result<Self, Error> {
        const BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
        const END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
        let text = key.expose();
        let Some(start) = text.find(BEGIN) else { return Ok(Self { certificates, key: key.clone() }) };
        let unreadable =
            || Error::config("the private key with a passphrase cannot be read; it must be PKCS #8 in PEM");
        let end = text[start..].find(END).ok_or_else(unreadable)? + start + END.len();
        let (_, encrypted) = SecretDocument::from_pem(&text[start..end]).map_err(|_| unreadable())?;
        let encrypted = EncryptedPrivateKeyInfoRef::try_from(encrypted.as_bytes()).map_err(|_| unreadable())?;
        let plain = encrypted.decrypt(passphrase.expose()).map_err(|_| {
            Error::config(
                "the private key cannot be decrypted: the passphrase is wrong, or the way of encryption too old",
            )
        })?;
        let plain = plain.to_pem("PRIVATE KEY", LineEnding::LF).map_err(|_| unreadable())?;
        Ok(Self { certificates, key: plain.as_str().into() })
    }

    /// The configuration for being called, by anybody.
    ///
    /// Fails if the certificate or the key cannot be read, or do not belong together.
    pub fn server(&self) -> Result<Arc<ServerConfig>, Error> {
        let (certificates, key) = self.read()?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::config(format!("TLS cannot be set up: {error}")))?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(|error| Error::config(format!("the certificate cannot be used: {error}")))?;
        Ok(Arc::new(config))
    }

    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
        let key = self.key.expose();
        if key.contains("ENCRYPTED") {
            return Err(Error::config(
                "the private key has a passphrase; give it, with a key in PKCS #8 (`openssl pkcs8 -topk8`)",
            ));
        }
        let certificates = certificates(&self.certificates, "the certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|_| Error::config("the private key cannot be read; it must be in PEM"))?;
        Ok((certificates, key))
    }
}

impl TlsConfig {
    /// Whether everything in it can be read.
    pub fn check(&self) -> Result<(), Error> {
        self.client().map(|_| ())
    }

    /// The configuration for calling somebody.
    pub(crate) fn client(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(if self.quick { quick::provider() } else { aws_lc_rs::default_provider() });
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::config(format!("TLS cannot be set up: {error}")))?;
        let builder = if self.verify {
            let mut roots = RootCertStore::empty();
            if self.system_roots {
                // What cannot be read of the system's store is not trusted; the rest is.
                let loaded = if self.quick { quick::authorities() } else { rustls_native_certs::load_native_certs() };
                roots.add_parsable_certificates(loaded.certs);
            }
            if let Some(pem) = &self.ca {
                for certificate in certificates(pem, "the authority's certificate")? {
                    roots.add(certificate).map_err(|error| {
                        Error::config(format!("the authority's certificate cannot be used: {error}"))
                    })?;
                }
            }
            builder.with_root_certificates(roots)
        } else {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(TrustAll(provider)))
        };
        match &self.identity {
            None => Ok(builder.with_no_client_auth()),
            Some(identity) => {
                let (certificates, key) = identity.read()?;
                builder
                    .with_client_auth_cert(certificates, key)
                    .map_err(|error| Error::config(format!("the client certificate cannot be used: {error}")))
            }
        }
    }
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Error::config(format!("{what} cannot be read; it must be in PEM"))),
    }
}

/// Takes every certificate. Only where an operator asked for it.
struct TrustAll(Arc<CryptoProvider>);

impl fmt::Debug for TrustAll {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TrustAll")
    }
}

impl ServerCertVerifier for TrustAll {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
