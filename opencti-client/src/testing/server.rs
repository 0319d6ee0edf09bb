//! The HTTP side.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::execute::{execute, failure, operation_name};
use super::faults::Fault;
use super::state::Recorded;
use super::{Shared, StandIn, stream};
use crate::serve::{Answer, json, serve, typed};

/// The platform's own limit.
const LARGEST: usize = 50 << 20;

pub(super) async fn run(listener: TcpListener, tls: Option<Arc<rustls::ServerConfig>>, shared: Arc<Shared>) {
    let handler = move |request| answer(shared.clone(), request);
    serve(listener, tls, 1_000, handler).await;
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Response<Answer> {
    let path = request.uri().path().to_owned();
    match (request.method(), path.as_str()) {
        (&Method::POST, "/graphql") => graphql(&shared, request).await,
        (_, "/graphql") => typed(405, "text/plain", "Method Not Allowed".to_owned()),
        (&Method::GET, path) if path.starts_with("/stream/") => stream::answer(&shared, &request),
        _ => typed(404, "text/html", "<html><body>Not found</body></html>".to_owned()),
    }
}

fn header<'a>(request: &'a Request<Incoming>, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

pub(super) fn is_authorized(request: &Request<Incoming>) -> bool {
    header(request, "authorization") == Some(&format!("Bearer {}", StandIn::TOKEN))
}

async fn graphql(shared: &Arc<Shared>, request: Request<Incoming>) -> Response<Answer> {
    let authorized = is_authorized(&request);
    let is_json = header(&request, "content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let draft = header(&request, "opencti-draft-id").map(str::to_owned);
    let applicant = header(&request, "opencti-applicant-id").map(str::to_owned);
    let headers: BTreeMap<String, String> = request
        .headers()
        .iter()
        .filter(|(name, _)| *name != "authorization")
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let Ok(body) = Limited::new(request.into_body(), LARGEST).collect().await else {
        return typed(413, "text/plain", "Payload Too Large".to_owned());
    };
    let body: Value = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
    let query = body["query"].as_str().unwrap_or_default().to_owned();
    let operation = operation_name(&query);
    let variables = body["variables"].clone();
    shared.state().requests.push(Recorded {
        operation: operation.clone(),
        variables: variables.clone(),
        draft: draft.clone(),
        applicant,
        headers,
    });
    let fault = shared.faults.take(&operation);
    if let Some(early) = before(fault.as_ref()).await {
        return early;
    }
    let refuse = |status, code: &str, message: &str| {
        shared.state().refuse(format!("{operation}: {message}"));
        json(status, failure(code, message).to_string())
    };
    if !is_json {
        return refuse(415, "UNSUPPORTED_ERROR", "the content type is not JSON");
    }
    if !authorized {
        return refuse(200, "AUTH_REQUIRED", "You must be logged in to do this.");
    }
    match draft.as_deref() {
        None if shared.require_draft_header => {
            return refuse(200, "FUNCTIONAL_ERROR", "the header opencti-draft-id is missing");
        }
        Some(draft) if !draft.is_empty() && !shared.state().drafts.contains(draft) => {
            return refuse(200, "RESOURCE_NOT_FOUND", "there is no such draft");
        }
        _ => {}
    }
    let draft = draft.filter(|draft| !draft.is_empty());
    let worker = shared.clone();
    #[cfg(feature = "amqp")]
    let connector = variables["input"]["id"].as_str().map(str::to_owned);
    // Checking a document takes a while, which must not hold up other connections.
    let done = tokio::task::spawn_blocking(move || execute(&worker, &query, &variables, draft.as_deref()));
    let text = done.await.unwrap_or_else(|error| failure("INTERNAL_SERVER_ERROR", &error.to_string())).to_string();
    #[cfg(feature = "amqp")]
    if operation == "ConnectorRegistration"
        && let Some(broker) = &shared.broker
        && let Some(id) = connector
        && let Err(error) = broker.declare(shared, &id).await
    {
        return refuse(200, "FUNCTIONAL_ERROR", &error.to_string());
    }
    after(fault.as_ref(), text)
}

/// What goes wrong before anything is done.
async fn before(fault: Option<&Fault>) -> Option<Response<Answer>> {
    Some(match fault? {
        Fault::Slow(time) => {
            tokio::time::sleep(*time).await;
            return None;
        }
        Fault::Hang => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            return None;
        }
        Fault::Status(status, text) => typed(*status, "text/plain", text.clone()),
        Fault::TooMany(seconds) => {
            let mut answer = typed(429, "text/plain", "Too Many Requests".to_owned());
            answer.headers_mut().insert("retry-after", (*seconds).into());
            answer
        }
        Fault::Html => typed(200, "text/html", "<!DOCTYPE html><html><title>Sign in</title></html>".to_owned()),
        Fault::Error(code, message) => json(200, failure(code, message).to_string()),
        Fault::Cut => cut(None),
        Fault::Redirect(to) => {
            let mut answer = typed(302, "text/plain", String::new());
            if let Ok(place) = to.parse() {
                answer.headers_mut().insert("location", place);
            }
            answer
        }
        Fault::Truncated | Fault::Half | Fault::LostAnswer => return None,
    })
}

fn after(fault: Option<&Fault>, text: String) -> Response<Answer> {
    let half = || text[..text.floor_char_boundary(text.len() / 2)].to_owned();
    match fault {
        Some(Fault::LostAnswer) => cut(None),
        Some(Fault::Truncated) => cut(Some(half())),
        Some(Fault::Half) => json(200, half()),
        _ => json(200, text),
    }
}

/// An answer that ends in a broken connection.
fn cut(text: Option<String>) -> Response<Answer> {
    let (parts, receiver) = mpsc::channel(2);
    if let Some(text) = text {
        let _ = parts.try_send(Ok(Bytes::from(text)));
    }
    let _ = parts.try_send(Err(io::ErrorKind::ConnectionReset.into()));
    let mut response = Response::new(Answer::Parts(receiver));
    *response.status_mut() = StatusCode::OK;
    response
}
