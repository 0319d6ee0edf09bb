//! What options demand of one another.

use std::collections::BTreeSet;

use serde_json::Value;
use stix_model::{Tlp, Uuid};

use super::option::Spec;
use super::resolver::Resolver;
use super::table::{connector, mq, opencti, opensearch, root, service};

/// Defaults that follow from other options.
pub(super) fn derive(resolver: &mut Resolver<'_>) {
    for (total, per_rule, why) in [
        (&root::MAX_EXTREFS, &root::MAX_EXTREFS_PER_ALERT_RULE, "with max_extrefs"),
        (&root::MAX_NOTES, &root::MAX_NOTES_PER_ALERT_RULE, "with max_notes"),
    ] {
        let limit: i64 = resolver.number(total);
        if resolver.number::<i64>(per_rule) > limit {
            resolver.set_default(per_rule, limit.into(), why);
        }
    }
    let (concurrency, prefetch): (i64, i64) =
        (resolver.number(&service::CONCURRENCY), resolver.number(&service::PREFETCH));
    if prefetch < concurrency {
        resolver.set_default(&service::PREFETCH, concurrency.into(), "with service.concurrency");
        let prefetch: i64 = resolver.number(&service::PREFETCH);
        if prefetch < concurrency {
            resolver.set_default(&service::CONCURRENCY, prefetch.into(), "with service.prefetch");
        }
    }
    let scheme = if resolver.boolean(&connector::LISTEN_PROTOCOL_API_SSL) { "https" } else { "http" };
    let port: i64 = resolver.number(&connector::LISTEN_PROTOCOL_API_PORT);
    if scheme == "https" || port != 7070 {
        let uri = format!("{scheme}://127.0.0.1:{port}");
        resolver.set_default(&connector::LISTEN_PROTOCOL_API_URI, uri.into(), "with the port and TLS");
    }
}

/// Notes what does not fit together, and what is hardly meant.
pub(super) fn check(resolver: &mut Resolver<'_>) {
    for (total, per_rule) in [
        (&root::MAX_EXTREFS, &root::MAX_EXTREFS_PER_ALERT_RULE),
        (&root::MAX_NOTES, &root::MAX_NOTES_PER_ALERT_RULE),
        (&service::PREFETCH, &service::CONCURRENCY),
    ] {
        let (most, number): (i64, i64) = (resolver.number(total), resolver.number(per_rule));
        if number > most {
            resolver.mistake(per_rule, &format!("{number} is more than `{}` ({most})", total.key));
        }
    }
    check_connector(resolver);
    check_opensearch(resolver);
    check_certificates(resolver);
    check_labels(resolver);
    if resolver.is_given(&root::TLPS)
        && let Some(most) = resolver.tlp(&root::MAX_TLP)
    {
        let markings: Vec<String> = resolver.texts(&root::TLPS);
        if markings.iter().filter_map(|marking| marking.parse::<Tlp>().ok()).any(|marking| marking > most) {
            resolver.warn(&root::TLPS, &format!("what is made is marked above `max_tlp` ({most})"));
        }
    }
}

fn check_connector(resolver: &mut Resolver<'_>) {
    if resolver.text(&connector::ID).is_some_and(|id| id.parse::<Uuid>().is_err()) {
        resolver.warn(&connector::ID, "should be a UUID");
    }
    if resolver.texts::<Vec<String>>(&connector::SCOPE).is_empty() {
        resolver.mistake(&connector::SCOPE, "an empty scope would mean every entity of the platform");
    }
    // Somebody who waits for a person's approval must not get an import without it.
    if resolver.boolean(&connector::VALIDATE_BEFORE_IMPORT) {
        resolver.mistake(
            &connector::VALIDATE_BEFORE_IMPORT,
            "is not possible: every bundle is imported at once. Limit what is made (`tlps`, `create_incident`), or set it to false",
        );
    }
    if resolver.boolean(&connector::SEND_TO_DIRECTORY) {
        if resolver.text(&connector::SEND_TO_DIRECTORY_PATH).is_none() {
            resolver.require(&connector::SEND_TO_DIRECTORY_PATH);
        }
    } else if !resolver.boolean(&connector::SEND_TO_QUEUE) {
        resolver.warn(&connector::SEND_TO_QUEUE, "results go nowhere");
    }
    if resolver.text(&connector::LISTEN_PROTOCOL).as_deref() != Some("api") {
        return;
    }
    if resolver.text(&connector::LISTEN_PROTOCOL_API_PATH).is_some_and(|path| !path.starts_with('/')) {
        resolver.mistake(&connector::LISTEN_PROTOCOL_API_PATH, "must start with a slash");
    }
    if resolver.boolean(&connector::LISTEN_PROTOCOL_API_SSL) {
        resolver.require(&connector::LISTEN_PROTOCOL_API_SSL_CERT);
        resolver.require(&connector::LISTEN_PROTOCOL_API_SSL_KEY);
    }
    if !resolver.is_given(&connector::LISTEN_PROTOCOL_API_URI) {
        resolver.warn(&connector::LISTEN_PROTOCOL_API_URI, "only workers on this machine reach the default");
    }
}

fn check_opensearch(resolver: &mut Resolver<'_>) {
    let ways = [&opensearch::USERNAME, &opensearch::PASSWORD, &opensearch::API_KEY, &opensearch::CLIENT_CERTIFICATE];
    if !ways.into_iter().any(|spec| resolver.is_there(spec)) {
        resolver.mistake(
            &opensearch::USERNAME,
            "is missing, as are `api_key` and `client_certificate`; write `none` if the indexer wants no user",
        );
    }
    let limit: i64 = resolver.number(&opensearch::LIMIT);
    if resolver.integer::<i64>(&root::HITS_ABORT_LIMIT).is_some_and(|abort| abort < limit) {
        resolver.warn(&opensearch::LIMIT, "is above `hits_abort_limit`, so a full page is never used");
    }
    if !resolver.json::<Vec<Value>>(&opensearch::FILTER).is_empty() {
        for spec in [&opensearch::SEARCH_AFTER, &opensearch::INCLUDE_MATCH, &opensearch::EXCLUDE_MATCH] {
            if resolver.is_given(spec) {
                resolver.warn(spec, &format!("has no effect because of `{}`", opensearch::FILTER.key));
            }
        }
    }
}

fn check_certificates(resolver: &mut Resolver<'_>) {
    for (switch, ca, what) in [
        (&opencti::SSL_VERIFY, &opencti::CA, "the platform"),
        (&opensearch::VERIFY_TLS, &opensearch::CA, "the indexer"),
        (&mq::USE_SSL_REJECT_UNAUTHORIZED, &mq::USE_SSL_CA, "the broker"),
    ] {
        if !resolver.boolean(switch) {
            resolver.warn(switch, &format!("anybody can pretend to be {what}; give its authority in `{}`", ca.key));
        }
    }
}

/// A label on what is made, which is also ignored, keeps the connector from searching for what it made (B-17).
fn check_labels(resolver: &mut Resolver<'_>) {
    // The platform keeps labels in small letters.
    let fold = |labels: BTreeSet<String>| labels.into_iter().map(|label| label.to_lowercase()).collect::<BTreeSet<_>>();
    let made = fold(resolver.texts(&root::ENRICH_LABELS));
    let ignored = fold(resolver.texts(&root::LABEL_IGNORE_LIST));
    if made.is_disjoint(&ignored) {
        let spec: &Spec =
            if resolver.is_given(&root::LABEL_IGNORE_LIST) { &root::LABEL_IGNORE_LIST } else { &root::ENRICH_LABELS };
        resolver.warn(
            spec,
            "no label of `enrich_labels` is in `label_ignore_list`: the connector will search for what it makes itself",
        );
    }
}
