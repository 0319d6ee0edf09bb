//! Reports of work.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Platform;
use crate::documents::{
    Document, WORK_ALIVE, WORK_EXPECT, WORK_OPEN, WORK_PING, WORK_PROCESSED, WORK_RECEIVED, WORK_REPORT, WORK_STATE,
};
use crate::work::WorkLine;
use crate::{Context, Error, ErrorKind, Feature, WorkApi, WorkError, WorkState};

/// The longest text that a work shows.
const LONGEST: usize = 50_000;

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

impl Platform {
    async fn edit(&self, document: &Document, variables: Value) -> Result<(), Error> {
        self.call::<Value>(document, variables, &Context::new()).await.map(|_| ())
    }
}

#[async_trait]
impl WorkApi for Platform {
    async fn open(&self, connector: &str, label: &str) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "workAdd")]
            work: Opened,
        }
        #[derive(Deserialize)]
        struct Opened {
            id: String,
        }
        let variables = json!({ "connector": connector, "label": cut(label) });
        let data: Data = self.call(&WORK_OPEN, variables, &Context::new()).await?;
        Ok(data.work.id)
    }

    async fn received(&self, work: &str, message: &str) -> Result<(), Error> {
        self.edit(&WORK_RECEIVED, json!({ "id": work, "message": cut(message) })).await
    }

    async fn expect(&self, work: &str, parts: u64) -> Result<(), Error> {
        if parts == 0 {
            return Ok(());
        }
        self.edit(&WORK_EXPECT, json!({ "id": work, "parts": parts })).await
    }

    async fn report(&self, work: &str, error: Option<&WorkError>) -> Result<(), Error> {
        let error = error.map(|error| json!({ "error": cut(&error.error), "source": cut(&error.source) }));
        self.edit(&WORK_REPORT, json!({ "id": work, "error": error })).await
    }

    async fn processed(&self, work: &str, message: &str, in_error: bool) -> Result<(), Error> {
        self.edit(&WORK_PROCESSED, json!({ "id": work, "message": cut(message), "in_error": in_error })).await
    }

    async fn keep_alive(&self, work: &str) -> Result<(), Error> {
        self.edit(&WORK_PING, json!({ "id": work })).await
    }

    async fn is_alive(&self, work: &str) -> Result<bool, Error> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "isWorkAlive")]
            alive: Option<bool>,
        }
        if !self.platform_version().has(Feature::WorkAlive) {
            return Ok(self.state(work).await?.is_some());
        }
        let answer = self.call::<Data>(&WORK_ALIVE, json!({ "id": work }), &Context::new()).await;
        match answer {
            Ok(data) => Ok(data.alive.unwrap_or(false)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound(_) | ErrorKind::WorkGone(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn state(&self, work: &str) -> Result<Option<WorkState>, Error> {
        #[derive(Deserialize)]
        struct Data {
            work: Option<Work>,
        }
        #[derive(Deserialize)]
        struct Work {
            status: String,
            #[serde(default)]
            tracking: Option<Tracking>,
            #[serde(default)]
            messages: Option<Vec<Option<WorkLine>>>,
            #[serde(default)]
            errors: Option<Vec<Option<WorkLine>>>,
        }
        #[derive(Default, Deserialize)]
        struct Tracking {
            #[serde(default)]
            import_expected_number: Option<u64>,
            #[serde(default)]
            import_processed_number: Option<u64>,
        }
        let answer = self.call::<Data>(&WORK_STATE, json!({ "id": work }), &Context::new()).await;
        let data = match answer {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound(_) | ErrorKind::WorkGone(_)) => return Ok(None),
            other => other?,
        };
        let lines = |lines: Option<Vec<Option<WorkLine>>>| {
            lines.into_iter().flatten().flatten().filter_map(|line| line.message).collect()
        };
        Ok(data.work.map(|work| {
            let tracking = work.tracking.unwrap_or_default();
            WorkState {
                status: work.status,
                expected: tracking.import_expected_number.unwrap_or(0),
                processed: tracking.import_processed_number.unwrap_or(0),
                messages: lines(work.messages),
                errors: lines(work.errors),
            }
        }))
    }
}
