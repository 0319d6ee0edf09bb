//! A cluster behind a private certificate authority.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use wazuh_query::dsl::Query;
use wazuh_query::store::opensearch::{Auth, OpenSearchStore};
use wazuh_query::store::{AlertStore, StoreErrorKind};

use crate::faults::config;
use crate::server::{ok, perform, read_request};

const ONE: &str = r#"{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},
    "hits":{"total":{"value":1,"relation":"eq"},"hits":[]}}"#;

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for a name with its key, both in PEM.
fn issued(name: &str, by: &CertifiedIssuer<'_, KeyPair>) -> (CertificateDer<'static>, KeyPair, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, by).unwrap();
    let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
    (certificate.der().clone(), key, pem)
}

/// A server that answers `count` connections.
fn serve(by: &CertifiedIssuer<'_, KeyPair>, wants_client: bool, count: usize) -> String {
    let (certificate, key, _) = issued("localhost", by);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = if wants_client {
        let mut roots = RootCertStore::empty();
        roots.add(by.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = Arc::new(builder.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for _ in 0..count {
            let Ok((stream, _)) = listener.accept() else { return };
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
            if read_request(&mut stream).is_some() {
                perform(&mut stream, &ok(ONE));
            }
        }
    });
    format!("https://localhost:{port}")
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_named() {
    let authority = authority();
    let url = serve(&authority, false, 8);
    let error = OpenSearchStore::connect(config(&url)).unwrap().count(&Query::MatchAll).await.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Transport(_)), "{error:?}");
    // A certificate does not become trusted by asking again.
    assert_eq!(error.tries(), 1, "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");

    let mut with_authority = config(&url);
    with_authority.ca = Some(authority.pem().into_bytes());
    assert_eq!(OpenSearchStore::connect(with_authority).unwrap().count(&Query::MatchAll).await.unwrap(), 1);

    let mut unverified = config(&url);
    unverified.verify_tls = false;
    assert_eq!(OpenSearchStore::connect(unverified).unwrap().count(&Query::MatchAll).await.unwrap(), 1);

    // Another authority does not help.
    let mut with_other = config(&url);
    with_other.ca = Some(self::authority().pem().into_bytes());
    assert!(OpenSearchStore::connect(with_other).unwrap().count(&Query::MatchAll).await.is_err());
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let authority = authority();
    let url = serve(&authority, true, 8);
    let mut config = config(&url);
    config.ca = Some(authority.pem().into_bytes());
    config.retries = 0;
    assert!(OpenSearchStore::connect(config.clone()).unwrap().count(&Query::MatchAll).await.is_err());
    let (_, _, pem) = issued("reader", &authority);
    config.auth = Auth::ClientCertificate(pem.into());
    let store = OpenSearchStore::connect(config).unwrap();
    assert_eq!(store.count(&Query::MatchAll).await.unwrap(), 1);
    assert!(!format!("{store:?}").contains("PRIVATE"));
}

#[test]
fn certificates_that_are_none_are_refused() {
    let mut without = config("https://localhost:1");
    without.ca = Some(b"not a certificate".to_vec());
    let error = OpenSearchStore::connect(without).unwrap_err();
    assert!(error.to_string().starts_with("the CA certificate cannot be read"), "{error}");
    let mut without = config("https://localhost:1");
    without.auth = Auth::ClientCertificate("geheim".into());
    let error = OpenSearchStore::connect(without).unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Config(_)) && !error.to_string().contains("geheim"), "{error}");
}
