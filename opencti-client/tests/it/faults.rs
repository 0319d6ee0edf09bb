//! A platform that is down, slow, wrong or odd.

use std::time::Duration;

use opencti_client::graphql::{Platform, PlatformConfig, ProxyConfig};
use opencti_client::testing::{Fault, StandIn};
use opencti_client::tls::TlsIdentity;
use opencti_client::{
    ConnectorApi, Context, EntityReader, ErrorKind, Heartbeat, Notices, Retry, Secret, WorkApi, judge,
};

use crate::support::*;

/// Acceptance 2: refused connection, unsupported version and a wrong token give one clear line without the token, and a
/// judgement instead of a crash loop.
#[tokio::test]
async fn a_platform_that_cannot_be_used() {
    let stand_in = StandIn::builder().version("6.1.13").start().await;
    let error = Platform::connect(config(&stand_in)).await.unwrap_err();
    assert_eq!(error.to_string(), "OpenCTI 6.1.13 is not supported; 6.2.0 or later is needed");
    assert_eq!(judge(&error), Retry::Later);

    let mut wrong = config(&stand_in);
    wrong.token = "geheim-4711".into();
    let error = Platform::connect(wrong).await.unwrap_err();
    assert_eq!(judge(&error), Retry::Later);
    assert!(!error.to_string().contains("geheim"), "{error}");

    stand_in.stop().await;
    let error = Platform::connect(config(&stand_in)).await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("no connection to OpenCTI at http://127.0.0.1:") && !text.contains('\n'), "{text}");
    assert!(text.contains("refused") && text.contains("tried 4 times"), "{text}");
    assert!(!error.outcome_unknown());
    assert_eq!(judge(&error), Retry::Soon);
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let stand_in = StandIn::start().await;
    let platform = platform(&stand_in).await;
    let address = stand_in.insert(stix_model::sco::Ipv4Addr::new("198.51.100.3")).to_string();
    for fault in [
        Fault::Status(503, "starting".to_owned()),
        Fault::Status(502, "<html>".to_owned()),
        Fault::Status(500, String::new()),
        Fault::TooMany(0),
        Fault::Html,
        Fault::error("DATABASE_ERROR", "no shard"),
        Fault::error("LOCK_ERROR", "Execution timeout, too many concurrent call on the same entities"),
        Fault::Truncated,
        Fault::Half,
        Fault::Cut,
        Fault::LostAnswer,
    ] {
        stand_in.clear_requests();
        stand_in.faults().times(2, fault.clone());
        let entity = platform.entity(&address, &Context::new()).await;
        assert!(entity.is_ok_and(|entity| entity.is_some()), "{fault:?}");
        assert_eq!(stand_in.requests().len(), 3, "{fault:?}");
    }
    stand_in.assert_nothing_refused();
}

#[tokio::test]
async fn what_does_not_pass_is_told() {
    let stand_in = StandIn::start().await;
    let platform = platform(&stand_in).await;
    let check = async |fault: Fault, requests: usize| {
        stand_in.clear_requests();
        stand_in.faults().always(fault);
        let error = platform.entity("x", &Context::new()).await.unwrap_err();
        stand_in.faults().clear();
        assert_eq!(stand_in.requests().len(), requests, "{error}");
        assert!(!error.to_string().contains('\n'));
        error.to_string()
    };
    let text = check(Fault::Redirect("https://sso.example/login".to_owned()), 1).await;
    assert!(text.contains("it redirects to https://sso.example/login"), "{text}");
    let text = check(Fault::error("FORBIDDEN_ACCESS", "You are not allowed to do this."), 1).await;
    assert!(text.starts_with("OpenCTI forbids this"), "{text}");
    let text = check(Fault::error("FUNCTIONAL_ERROR", "bad"), 1).await;
    assert_eq!(text, "OpenCTI refused the operation (FUNCTIONAL_ERROR): bad");
    let text = check(Fault::Html, 4).await;
    assert!(text.contains("it is HTML, not JSON: <!DOCTYPE html>"), "{text}");
    let text = check(Fault::Status(407, "proxy".to_owned()), 1).await;
    assert!(text.contains("HTTP status 407: proxy"), "{text}");
    // A server that repeats the token does not bring it into an error.
    let text = check(Fault::error("FUNCTIONAL_ERROR", &format!("Bearer {}", StandIn::TOKEN)), 1).await;
    assert!(text.ends_with("Bearer ***"), "{text}");
}

#[tokio::test]
async fn slow_and_large_answers() {
    let stand_in = StandIn::start().await;
    let mut patient = config(&stand_in);
    patient.timeout = Duration::from_millis(200);
    patient.backoff.retries = 1;
    let platform = Platform::connect(patient).await.unwrap();
    stand_in.faults().next(Fault::Hang);
    assert!(platform.entity("x", &Context::new()).await.unwrap().is_none());
    stand_in.faults().times(2, Fault::Hang);
    let error = platform.entity("x", &Context::new()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout { .. }), "{error}");

    let mut small = config(&stand_in);
    small.largest_answer = 100;
    let platform = Platform::connect(small).await.unwrap();
    let address = stand_in.insert(stix_model::sco::Ipv4Addr::new("198.51.100.3")).to_string();
    let error = platform.entity(&address, &Context::new()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TooLarge { limit: 100, .. }), "{error}");
    assert_eq!(judge(&error), Retry::Never);
}

/// A count that may have been taken is not sent again blindly.
#[tokio::test]
async fn counts_are_not_repeated_blindly() {
    let stand_in = StandIn::start().await;
    let platform = platform(&stand_in).await;
    platform.register(&registration()).await.unwrap();
    let work = platform.open(CONNECTOR, "w").await.unwrap();
    stand_in.faults().on("WorkExpect", Fault::LostAnswer);
    let error = platform.expect(&work, 5).await.unwrap_err();
    assert!(error.outcome_unknown());
    assert_eq!(stand_in.work(&work).unwrap().expected, 5);
    // Where it is certain that nothing was done, it is.
    stand_in.faults().on("WorkExpect", Fault::Status(503, String::new()));
    platform.expect(&work, 1).await.unwrap();
    assert_eq!(stand_in.work(&work).unwrap().expected, 6);
}

#[tokio::test]
async fn the_platform_is_upgraded_under_way() {
    let stand_in = StandIn::builder().version("6.2.0").start().await;
    let old = opencti_client::PlatformVersion::new(7, 260_817, 0);
    // A version from a cache that is not true any more.
    let platform = Platform::with_version(config(&stand_in), old).unwrap();
    let registered = platform.register(&registration()).await.unwrap();
    assert_eq!(registered.id, CONNECTOR);
    assert_eq!(platform.version(), opencti_client::PlatformVersion::new(6, 2, 0));
}

/// Custom authorities, untrusted certificates and no verification.
#[tokio::test]
async fn certificates() {
    let certificate = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let pem = certificate.cert.pem().into_bytes();
    let identity = TlsIdentity { certificates: pem.clone(), key: certificate.signing_key.serialize_pem().into() };
    let stand_in = StandIn::builder().tls(identity.clone()).start().await;
    assert!(stand_in.url().starts_with("https://"));
    let error = Platform::connect(config(&stand_in)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Certificate { .. }), "{error}");
    assert_eq!((judge(&error), error.tries()), (Retry::Later, 1));

    let mut trusting = config(&stand_in);
    trusting.tls.ca = Some(pem);
    trusting.tls.identity = Some(identity);
    platform_answers(trusting).await;
    let mut blind = config(&stand_in);
    blind.tls.verify = false;
    platform_answers(blind).await;

    let mut odd = config(&stand_in);
    odd.tls.ca = Some(b"no PEM".to_vec());
    let error = Platform::connect(odd).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Config(_)), "{error}");
}

/// Certificates of ours, where the server wants one.
#[tokio::test]
async fn client_certificates() {
    let stand_in = StandIn::start().await;
    let authority = Authority::new();
    let port = tls_before(&stand_in, authority.server(true)).await;
    let mut config = PlatformConfig::new(&format!("https://127.0.0.1:{port}"), StandIn::TOKEN).unwrap();
    config.backoff = opencti_client::Backoff::NONE;
    config.tls.ca = Some(authority.pem());
    let error = Platform::connect(config.clone()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Certificate { .. }), "{error}");
    let identity = authority.client();
    config.tls.identity = Some(identity.clone());
    platform_answers(config.clone()).await;
    // A key with a passphrase.
    let (certificates, key) = (identity.certificates.clone(), encrypted(&identity.key, "geheim"));
    let decrypted = TlsIdentity::with_passphrase(certificates.clone(), &key, &"geheim".into()).unwrap();
    config.tls.identity = Some(decrypted);
    platform_answers(config.clone()).await;
    assert_eq!(TlsIdentity::with_passphrase(certificates.clone(), &identity.key, &"x".into()).unwrap(), identity);
    for (key, passphrase) in [(&key, "other"), (&key, ""), (&"-----BEGIN ENCRYPTED PRIVATE KEY-----x".into(), "x")] {
        let error = TlsIdentity::with_passphrase(certificates.clone(), key, &passphrase.into()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Config(_)), "{error}");
    }
    config.tls.identity = Some(TlsIdentity { certificates, key });
    assert!(config.tls.check().unwrap_err().to_string().contains("passphrase"));
    config.tls.identity = Some(identity);
    // Somebody else's authority.
    config.tls.ca = Some(Authority::new().pem());
    let error = Platform::connect(config).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Certificate { .. }), "{error}");
}

fn encrypted(key: &Secret, passphrase: &str) -> Secret {
    use pkcs8::der::pem::LineEnding;
    let (_, plain) = pkcs8::SecretDocument::from_pem(key.expose()).unwrap();
    let plain = pkcs8::PrivateKeyInfoRef::try_from(plain.as_bytes()).unwrap();
    let encrypted = plain.encrypt(passphrase).unwrap();
    encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap().as_str().into()
}

/// A token that expires under way, and is renewed.
#[tokio::test]
async fn the_token_expires() {
    let stand_in = StandIn::start().await;
    let platform = std::sync::Arc::new(platform(&stand_in).await);
    let registered = platform.register(&registration()).await.unwrap();
    let heartbeat = Heartbeat::new(platform.clone(), registration(), &registered, Notices::default());
    stand_in.clear_requests();
    stand_in.faults().always(Fault::error("AUTH_REQUIRED", "You must be logged in to do this."));
    let error = platform.entity("x", &Context::new()).await.unwrap_err();
    // One line, tried once.
    assert_eq!(error.to_string(), "OpenCTI refused the token (AUTH_REQUIRED): You must be logged in to do this.");
    assert!(error.is_auth() && judge(&error) == Retry::Later && !error.outcome_unknown());
    assert!(heartbeat.beat().await.unwrap_err().is_auth());
    assert_eq!(stand_in.requests().len(), 2);
    stand_in.faults().clear();
    heartbeat.beat().await.unwrap();
    assert!(platform.entity("x", &Context::new()).await.unwrap().is_none());
}

/// Encrypted connections through a proxy that wants credentials.
#[tokio::test]
async fn tunnels() {
    let stand_in = StandIn::start().await;
    let authority = Authority::new();
    let port = tls_before(&stand_in, authority.server(false)).await;
    let (proxy, asked) = tunnel("Basic bWU6Z2VoZWlt").await;
    let mut config = PlatformConfig::new(&format!("https://127.0.0.1:{port}"), StandIn::TOKEN).unwrap();
    config.backoff = opencti_client::Backoff::NONE;
    config.tls.ca = Some(authority.pem());
    config.proxy = ProxyConfig::Url(format!("http://me:geheim@127.0.0.1:{proxy}").into());
    platform_answers(config.clone()).await;
    assert_eq!(asked.lock().unwrap().first(), Some(&format!("CONNECT 127.0.0.1:{port} HTTP/1.1")));
    config.proxy = ProxyConfig::Url(format!("http://me:wrong@127.0.0.1:{proxy}").into());
    let error = Platform::connect(config).await.unwrap_err();
    assert!(error.to_string().starts_with("no connection to") && !error.to_string().contains("wrong"), "{error}");
}

async fn platform_answers(config: PlatformConfig) {
    Platform::connect(config).await.unwrap().account().await.unwrap();
}

#[tokio::test]
async fn further_headers_and_proxies() {
    let stand_in = StandIn::start().await;
    let mut with = config(&stand_in);
    with.set_headers("x-tenant:blue;x-key:geheim").unwrap();
    Platform::connect(with).await.unwrap();
    let headers = &stand_in.requests()[0].headers;
    assert_eq!((headers["x-tenant"].as_str(), headers["x-key"].as_str()), ("blue", "geheim"));

    // The stand-in as the proxy: the name of the platform is never resolved.
    let mut through = PlatformConfig::new("http://opencti.invalid", StandIn::TOKEN).unwrap();
    through.proxy = ProxyConfig::Url(stand_in.url().into());
    through.backoff = opencti_client::Backoff::NONE;
    Platform::connect(through).await.unwrap();
}
