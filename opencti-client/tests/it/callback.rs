//! Messages by HTTP.

use std::sync::Arc;
use std::time::Duration;

use opencti_client::callback::{CallbackConfig, CallbackKeys, CallbackSource};
use opencti_client::testing::{Enrich, StandIn};
use opencti_client::{ConnectorApi, MessageSource, Registered, Registration, conformance};
use serde_json::json;

use crate::support::*;

async fn listen(change: impl FnOnce(&mut CallbackConfig)) -> CallbackSource {
    let mut config = CallbackConfig::new(StandIn::TOKEN);
    config.address = "127.0.0.1:0".parse().unwrap();
    change(&mut config);
    CallbackSource::bind(config, Arc::new(CallbackKeys::default())).await.unwrap()
}

fn with_callback(source: &CallbackSource) -> Registration {
    let mut registration = registration();
    registration.listen_callback_uri = Some(format!("http://{}/api/callback", source.address()));
    registration
}

async fn register(stand_in: &StandIn, source: &CallbackSource) -> Registered {
    let platform = platform(stand_in).await;
    let registered = platform.register(&with_callback(source)).await.unwrap();
    source.keys().set(registered.jwks.as_deref());
    registered
}

/// Posts with a token of the test's choice. Returns status and body.
async fn post(source: &CallbackSource, token: Option<&str>, body: Vec<u8>) -> (u16, String) {
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls()).build().unwrap();
    let mut request = client.post(format!("http://{}/api/callback", source.address())).body(body);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn tls() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

/// Acceptance 15: the connector's token before 7.x, a signed one since, and an answer once the message is settled.
#[tokio::test]
async fn both_kinds_of_credentials() {
    for version in ["6.9.17", "7.260817.0"] {
        let stand_in = StandIn::builder().version(version).start().await;
        let mut source = listen(|_| {}).await;
        let registered = register(&stand_in, &source).await;
        assert_eq!(registered.jwks.is_some(), version.starts_with('7'));
        let entity = stand_in.insert(stix_model::sco::Ipv4Addr::new("198.51.100.3")).to_string();
        let (body, work) = stand_in.message(CONNECTOR, &entity, &Enrich::auto());
        let taken = async {
            let delivery = source.next().await.unwrap().unwrap();
            assert_eq!(delivery.message.as_ref().unwrap().work_id(), work.as_deref());
            delivery.accept().await.unwrap();
        };
        let (status, ()) = tokio::join!(stand_in.post(CONNECTOR, body.clone()), taken);
        assert_eq!(status, 200);
        // Delivered again because the answer got lost: it is not done twice.
        assert_eq!(stand_in.post(CONNECTOR, body.clone()).await, 200);
        for wrong in [None, Some("other"), Some("a.b.c")] {
            assert_eq!(post(&source, wrong, body.clone()).await.0, 401);
        }
        let plain = post(&source, Some(StandIn::TOKEN), b"{}".to_vec());
        if version.starts_with('7') {
            assert_eq!(plain.await.0, 401);
            let expired = StandIn::delivery_token(
                &json!({ "alg": "EdDSA", "kid": "stand-in" }),
                &json!({ "iss": "opencti", "sub": "connector", "exp": 1_000 }),
            );
            let (status, text) = post(&source, Some(&expired), body.clone()).await;
            assert_eq!((status, text.as_str()), (401, r#"{"message":"the token has expired"}"#));
        }
        stand_in.assert_nothing_refused();
    }
}

/// What the platform's worker does: it posts a message until it is taken.
#[tokio::test]
async fn the_contract_of_sources() {
    let mut source = listen(|_| {}).await;
    let target = format!("http://{}/api/callback", source.address());
    let push = async |body: String| {
        let (client, target) =
            (reqwest::Client::builder().tls_backend_preconfigured(tls()).build().unwrap(), target.clone());
        tokio::spawn(async move {
            loop {
                let request = client.post(&target).header("authorization", format!("Bearer {}", StandIn::TOKEN));
                if request.body(body.clone()).send().await.unwrap().status().is_success() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
    };
    conformance::message_source(&mut source, false, push).await;
}

/// A key that is not known asks for a new registration.
#[tokio::test]
async fn unknown_keys() {
    let stand_in = StandIn::start().await;
    let source = listen(|_| {}).await;
    register(&stand_in, &source).await;
    let header = json!({ "alg": "EdDSA", "kid": "next" });
    let token =
        StandIn::delivery_token(&header, &json!({ "iss": "opencti", "sub": "connector", "exp": 9_999_999_999_u64 }));
    let (answer, ()) = tokio::join!(post(&source, Some(&token), b"{}".to_vec()), source.keys().wanted());
    assert_eq!(answer.0, 401);
}

/// Acceptance 15: 202 in time, and what takes longer is neither lost nor done twice.
#[tokio::test]
async fn long_work() {
    let stand_in = StandIn::builder().version("6.9.17").start().await;
    let mut source = listen(|config| config.limit = Duration::from_millis(50)).await;
    register(&stand_in, &source).await;
    let entity = stand_in.insert(stix_model::sco::Ipv4Addr::new("198.51.100.3")).to_string();
    let (body, _) = stand_in.message(CONNECTOR, &entity, &Enrich::auto());
    assert_eq!(stand_in.post(CONNECTOR, body.clone()).await, 202);
    let delivery = source.next().await.unwrap().unwrap();
    assert_eq!(stand_in.post(CONNECTOR, body.clone()).await, 202, "the same one is not handed over twice");
    assert!(tokio::time::timeout(Duration::from_millis(50), source.next()).await.is_err());
    delivery.accept().await.unwrap();
    assert_eq!(stand_in.post(CONNECTOR, body).await, 200);

    // Given back after 202 it comes again from within.
    let (body, _) = stand_in.message(CONNECTOR, &entity, &Enrich::auto());
    assert_eq!(stand_in.post(CONNECTOR, body).await, 202);
    source.next().await.unwrap().unwrap().give_back().await.unwrap();
    let again = source.next().await.unwrap().unwrap();
    assert!(again.redelivered);
    again.accept().await.unwrap();
}

#[tokio::test]
async fn what_is_not_taken_comes_again() {
    let stand_in = StandIn::builder().version("6.9.17").start().await;
    let mut source = listen(|config| config.waiting = 1).await;
    register(&stand_in, &source).await;
    let entity = stand_in.insert(stix_model::sco::Ipv4Addr::new("198.51.100.3")).to_string();
    let bodies: Vec<_> = (0..3).map(|_| stand_in.message(CONNECTOR, &entity, &Enrich::auto()).0).collect();
    let given_back = async { source.next().await.unwrap().unwrap().give_back().await.unwrap() };
    let (status, ()) = tokio::join!(stand_in.post(CONNECTOR, bodies[0].clone()), given_back);
    assert_eq!(status, 503);
    // One waits, the next is asked to come back.
    let waiting = stand_in.post(CONNECTOR, bodies[1].clone());
    let crowded = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let status = stand_in.post(CONNECTOR, bodies[2].clone()).await;
        drop(source.next().await.unwrap().unwrap());
        status
    };
    assert_eq!(tokio::join!(waiting, crowded), (503, 503));
    source.stop().await;
    assert!(source.next().await.unwrap().is_none());
    assert_eq!(stand_in.post(CONNECTOR, bodies[0].clone()).await, 503);
}

#[tokio::test]
async fn odd_requests() {
    let mut source = listen(|config| config.largest = 1_000).await;
    let base = format!("http://{}", source.address());
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls()).build().unwrap();
    let health = client.get(format!("{base}/health")).send().await.unwrap();
    assert_eq!((health.status().as_u16(), health.text().await.unwrap().as_str()), (200, r#"{"status":"ok"}"#));
    assert_eq!(client.get(format!("{base}/api/callback")).send().await.unwrap().status().as_u16(), 405);
    assert_eq!(client.post(format!("{base}/other")).send().await.unwrap().status().as_u16(), 404);
    assert_eq!(post(&source, Some(StandIn::TOKEN), vec![b' '; 1_001]).await.0, 400);
    // What cannot be read is handed over as such, or it would come again for ever.
    let unreadable = async {
        let delivery = source.next().await.unwrap().unwrap();
        assert!(delivery.message.is_err());
        delivery.accept().await.unwrap();
    };
    let target = format!("{base}/api/callback");
    let sent = client.post(target).header("authorization", format!("Bearer {}", StandIn::TOKEN)).body("[1").send();
    let (answer, ()) = tokio::join!(sent, unreadable);
    assert_eq!(answer.unwrap().status().as_u16(), 200);
    let mut taken = CallbackConfig::new("t");
    taken.address = source.address();
    assert!(CallbackSource::bind(taken, Arc::default()).await.is_err());
}
