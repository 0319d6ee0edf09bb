//! `query`: STIX objects in, queries out.

use std::collections::HashMap;
use std::io::Write;

use alert_enricher::indicator::keys_of_pattern;
use anyhow::Result;
use serde::Serialize;
use stix_model::{Identifier, Object, Timestamp};
use wazuh_query::builder::{Built, NotSearchable, QueryBuilder};
use wazuh_query::dsl::{Query, SearchRequest};

use crate::cli::QueryArguments;
use crate::config::Config;
use crate::output::{self, Outcome, Warnings};
use alert_enricher_cli::input::stix_objects;

#[derive(Serialize)]
struct Line<'a> {
    id: &'a Identifier,
    r#type: &'a str,
    query: Option<&'a Query>,
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<SearchRequest>,
}

pub(crate) fn run(arguments: &QueryArguments) -> Result<Outcome> {
    let config = Config::load(&arguments.config)?;
    let schema = arguments.schema.into();
    let builder = QueryBuilder::new(&config.catalogue, schema, config.search.clone());
    let mut warnings = Warnings::default();
    let mut order: Vec<Identifier> = Vec::new();
    let mut objects: HashMap<Identifier, Object> = HashMap::new();
    stix_objects(&arguments.file, &mut warnings, |object| {
        let id = object.id().clone();
        if objects.insert(id.clone(), object).is_none() {
            order.push(id);
        }
    })?;
    let now = Timestamp::from_unix_millis(jiff::Timestamp::now().as_millisecond()).unwrap_or(Timestamp::UNIX_EPOCH);
    let profile = config.profile(schema, now)?;
    let mut out = output::writer(None)?;
    for object in order.iter().filter_map(|id| objects.get(id)) {
        let built = build(&builder, object, &objects);
        let (query, reason, notes) = match &built {
            Ok(built) => (Some(&built.query), None, built.notes.iter().map(ToString::to_string).collect()),
            Err(reason) => (None, Some(reason.to_string()), Vec::new()),
        };
        let request = query.filter(|_| arguments.request).map(|query| profile.counting_request(query.clone(), now));
        let line = Line { id: object.id(), r#type: object.object_type(), query, reason, notes, request };
        if arguments.pretty {
            pretty(&mut out, &line)?;
        } else {
            serde_json::to_writer(&mut out, &line)?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    if order.is_empty() && warnings.count > 0 {
        warnings.finish("objects could not be read");
        return Ok(Outcome::Failed);
    }
    warnings.finish("objects could not be read");
    Ok(Outcome::of(warnings.count))
}

/// The query for an object; for an indicator, the queries for the values of its pattern.
fn build(
    builder: &QueryBuilder,
    object: &Object,
    objects: &HashMap<Identifier, Object>,
) -> Result<Built, NotSearchable> {
    let Object::Indicator(indicator) = object else { return builder.build(object, objects) };
    if !matches!(indicator.pattern_type.as_str(), "" | "stix") {
        return Err(NotSearchable::Type(format!("indicator with a pattern of type {}", indicator.pattern_type)));
    }
    let keys = keys_of_pattern(&indicator.pattern)
        .map_err(|error| NotSearchable::Type(format!("indicator with this pattern ({error})")))?;
    let mut queries = Vec::new();
    let mut notes = Vec::new();
    let mut last = None;
    for key in keys {
        match builder.build(&key.to_object(), &()) {
            Ok(built) => {
                queries.push(built.query);
                notes.extend(built.notes);
            }
            Err(reason) => last = Some(reason),
        }
    }
    match last {
        Some(reason) if queries.is_empty() => Err(reason),
        _ => Ok(Built { query: Query::any(queries), notes }),
    }
}

fn pretty(out: &mut impl Write, line: &Line<'_>) -> Result<()> {
    writeln!(out, "{}", line.id)?;
    if let Some(reason) = &line.reason {
        writeln!(out, "  cannot be searched: {reason}")?;
    }
    for note in &line.notes {
        writeln!(out, "  note: {note}")?;
    }
    let body = match (&line.request, line.query) {
        (Some(request), _) => Some(serde_json::to_value(request)?),
        (None, Some(query)) => Some(serde_json::to_value(query)?),
        (None, None) => None,
    };
    if let Some(body) = body {
        writeln!(out, "{}", serde_json::to_string_pretty(&body)?)?;
    }
    writeln!(out)?;
    Ok(())
}
