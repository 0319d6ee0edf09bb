//! Checking and carrying out GraphQL requests.

use std::sync::Arc;

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::Execution;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema as GraphQlSchema};
use serde_json::{Value, json};

use super::Shared;
use super::resolve::Root;
use crate::PlatformVersion;

/// The kept excerpt of the schema that suits a version.
pub(super) fn excerpt(version: PlatformVersion) -> &'static str {
    if version < PlatformVersion::new(6, 5, 7) {
        include_str!("../../graphql/schema/6.2.18.graphql")
    } else if version < PlatformVersion::new(7, 0, 0) {
        include_str!("../../graphql/schema/6.9.17.graphql")
    } else {
        include_str!("../../graphql/schema/7.260817.0.graphql")
    }
}

/// The schema of a version.
#[derive(Debug)]
pub(crate) struct Schema(Valid<GraphQlSchema>);

impl Schema {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        GraphQlSchema::parse_and_validate(text, "schema.graphql").map(Self).map_err(|error| error.to_string())
    }
}

/// How a request ended that the schema did not take, or that failed.
pub(super) fn failure(code: &str, message: &str) -> Value {
    json!({ "errors": [{ "message": message, "name": code, "extensions": { "code": code } }], "data": null })
}

/// The name of the operation of a document, for records and faults.
pub(super) fn operation_name(query: &str) -> String {
    let mut words = query.split(|character: char| !character.is_alphanumeric() && character != '_');
    words.find(|word| matches!(*word, "query" | "mutation"));
    words.find(|word| !word.is_empty()).unwrap_or_default().to_owned()
}

/// Checks and carries out a request.
pub(super) fn execute(shared: &Arc<Shared>, query: &str, variables: &Value, draft: Option<&str>) -> Value {
    let refuse = |code: &str, message: String| {
        shared.state().refuse(format!("{}: {message}", operation_name(query)));
        failure(code, &message)
    };
    let schema = &shared.schema.0;
    let document = match ExecutableDocument::parse_and_validate(schema, query, "request.graphql") {
        Ok(document) => document,
        Err(error) => return refuse("GRAPHQL_VALIDATION_FAILED", error.to_string()),
    };
    let Ok(operation) = document.operations.get(None) else {
        return refuse("GRAPHQL_VALIDATION_FAILED", "one operation is needed".to_owned());
    };
    let variables: JsonMap = match serde_json::from_value(variables.clone()) {
        Ok(variables) => variables,
        Err(error) => return refuse("BAD_USER_INPUT", error.to_string()),
    };
    let coerced = match coerce_variable_values(schema, operation, &variables) {
        Ok(coerced) => coerced,
        Err(error) => {
            let message = error.message().to_string();
            // The platform's words, by which a client knows that a member is new to it.
            return refuse("BAD_USER_INPUT", format!("{message} (a field is not defined by type)"));
        }
    };
    let root = Root { shared: shared.clone(), mutation: operation.is_mutation(), draft: draft.map(str::to_owned) };
    let execution = Execution::new(schema, &document).operation(operation).coerced_variable_values(&coerced);
    match execution.execute_sync(&root) {
        Err(error) => refuse("INTERNAL_SERVER_ERROR", error.message().to_string()),
        Ok(response) => {
            let mut answer = serde_json::to_value(&response).unwrap_or_default();
            let mut refusals = Vec::new();
            for error in answer["errors"].as_array_mut().into_iter().flatten() {
                let message = error["message"].as_str().unwrap_or_default().to_owned();
                let message = message.trim_start_matches("resolver error: ").to_owned();
                let (code, message) = message.split_once('|').unwrap_or(("INTERNAL_SERVER_ERROR", &message));
                if !matches!(code, "WORK_NOT_ALIVE" | "FUNCTIONAL_ERROR") {
                    refusals.push(format!("{}: {message}", operation_name(query)));
                }
                *error = json!({ "message": message, "name": code, "extensions": { "code": code } });
            }
            for refusal in refusals {
                shared.state().refuse(refusal);
            }
            if answer["errors"].as_array().is_some_and(Vec::is_empty) {
                answer.as_object_mut().map(|answer| answer.remove("errors"));
            }
            answer
        }
    }
}
