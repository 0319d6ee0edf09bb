//! What the tests share.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opencti_client::graphql::{Platform, PlatformConfig};
use opencti_client::testing::StandIn;
use opencti_client::tls::TlsIdentity;
use opencti_client::{Backoff, Registration, Scope};
use rustls::server::WebPkiClientVerifier;
use serde_json::{Value, json};
use stix_model::{Identifier, Object, Timestamp};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The identifier of the connector.
pub(crate) const CONNECTOR: &str = "7c1d3b52-6f0e-4b41-9a25-0d2f6c9b8e77";

/// A configuration that does not wait long.
pub(crate) fn config(stand_in: &StandIn) -> PlatformConfig {
    let mut config = PlatformConfig::new(&stand_in.url(), stand_in.token()).unwrap();
    config.timeout = Duration::from_secs(10);
    config.backoff = Backoff { retries: 3, first: Duration::from_millis(5), longest: Duration::from_millis(50) };
    config
}

pub(crate) async fn platform(stand_in: &StandIn) -> Platform {
    Platform::connect(config(stand_in)).await.unwrap()
}

pub(crate) fn registration() -> Registration {
    Registration::new(CONNECTOR, "Example enrichment", Scope::parse("IPv4-Addr,StixFile,Indicator"))
}

pub(crate) fn now() -> Timestamp {
    "2026-01-01T00:00:00.000Z".parse().unwrap()
}

/// An object with a number in its identifier.
pub(crate) fn id(object_type: &str, number: u32) -> Identifier {
    format!("{object_type}--00000000-0000-4000-8000-{number:012}").parse().unwrap()
}

pub(crate) fn object(json: &Value) -> Object {
    Object::from_json(&json.to_string()).unwrap()
}

pub(crate) fn relation(number: u32, relationship: &str, from: &Identifier, to: &Identifier) -> Object {
    object(&json!({
        "type": "relationship", "id": id("relationship", number), "spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z", "relationship_type": relationship, "source_ref": from, "target_ref": to,
    }))
}

pub(crate) fn indicator(number: u32, name: &str, pattern: &str) -> Object {
    object(&json!({
        "type": "indicator", "id": id("indicator", number), "spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z", "name": name, "pattern": pattern, "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00.000Z", "confidence": 80, "labels": ["apt"],
        "object_marking_refs": ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"],
        "kill_chain_phases": [{ "kill_chain_name": "mitre-attack", "phase_name": "exfiltration" }],
        "x_opencti_score": 75, "x_opencti_detection": true, "x_opencti_main_observable_type": "IPv4-Addr",
    }))
}

/// An authority of our own, which signs certificates for `127.0.0.1` and for clients.
pub(crate) struct Authority {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Authority");
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: rcgen::Issuer::new(params, key) }
    }

    /// The authority's certificate.
    pub(crate) fn pem(&self) -> Vec<u8> {
        self.certificate.pem().into_bytes()
    }

    fn signed(&self, name: &str) -> (rcgen::Certificate, rcgen::KeyPair) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A client's certificate and key.
    pub(crate) fn client(&self) -> TlsIdentity {
        let (certificate, key) = self.signed("connector");
        TlsIdentity { certificates: certificate.pem().into_bytes(), key: key.serialize_pem().into() }
    }

    /// A server, which may want a certificate of its clients.
    pub(crate) fn server(&self, wants_certificate: bool) -> Arc<rustls::ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let (certificate, key) = self.signed("127.0.0.1");
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let builder = rustls::ServerConfig::builder_with_provider(provider.clone());
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = if wants_certificate {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(self.certificate.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

/// Takes encrypted connections for the stand-in. Returns the port.
pub(crate) async fn tls_before(stand_in: &StandIn, tls: Arc<rustls::ServerConfig>) -> u16 {
    let target = stand_in.url().trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let (target, acceptor) = (target.clone(), tokio_rustls::TlsAcceptor::from(tls.clone()));
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut server = TcpStream::connect(target).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}

/// A proxy for encrypted connections that wants these credentials. Returns its port, and what it is asked for.
pub(crate) async fn tunnel(credentials: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let told = asked.clone();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let mut client = BufReader::new(client);
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                client.read_line(&mut line).await.unwrap();
                if line.trim().is_empty() {
                    break;
                }
                head.push(line.trim().to_owned());
            }
            let target = head[0].split(' ').nth(1).unwrap().to_owned();
            let allowed =
                |line: &String| line.to_lowercase().starts_with("proxy-authorization:") && line.ends_with(credentials);
            told.lock().unwrap().push(head[0].clone());
            let answer: &[u8] = if head.iter().any(allowed) {
                b"HTTP/1.1 200 OK\r\n\r\n"
            } else {
                b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
            };
            client.write_all(answer).await.unwrap();
            if answer.starts_with(b"HTTP/1.1 200") {
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(target).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        }
    });
    (port, asked)
}
