//! Reading entities.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use stix_model::{Identifier, Object};

use super::Platform;
use super::filter::{filter, group};
use crate::documents::{CONTENTS, Document, ENTITIES, ENTITY, RELATED_FROM, RELATED_TOWARDS, RELATIONS, SIGHTINGS};
use crate::{
    Author, Context, End, Entity, EntityReader, Error, ErrorKind, Marking, Page, PageRequest, Relation, Select, Sighted,
};

/// A list with a cursor.
#[derive(Deserialize)]
pub(super) struct Connection {
    #[serde(default)]
    pub(super) edges: Option<Vec<Option<Edge>>>,
    #[serde(rename = "pageInfo", default)]
    pub(super) page_info: PageInfo,
}

#[derive(Deserialize)]
pub(super) struct Edge {
    #[serde(default)]
    pub(super) node: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
pub(super) struct PageInfo {
    #[serde(rename = "endCursor", default)]
    end_cursor: Option<String>,
    #[serde(rename = "hasNextPage", default)]
    pub(super) has_next_page: bool,
    #[serde(rename = "globalCount", default)]
    global_count: Option<u64>,
}

impl Connection {
    /// Reads each node. One that cannot be read costs itself.
    pub(super) fn read<T>(self, read: impl Fn(&RawValue) -> Result<Option<T>, String>) -> Page<T> {
        let mut page = Page {
            next: self.page_info.end_cursor.filter(|end| self.page_info.has_next_page && !end.is_empty()),
            total: self.page_info.global_count,
            ..Page::default()
        };
        for node in self.edges.into_iter().flatten().flatten().filter_map(|edge| edge.node) {
            match read(&node) {
                Ok(Some(item)) => page.items.push(item),
                Ok(None) => {}
                Err(why) => page.skipped.push(why),
            }
        }
        page
    }
}

#[derive(Deserialize)]
struct EntityNode {
    id: String,
    standard_id: String,
    entity_type: String,
    #[serde(default)]
    representative: Option<Representative>,
    #[serde(rename = "toStix", default)]
    stix: Option<String>,
    #[serde(flatten)]
    common: CommonNode,
}

#[derive(Deserialize)]
pub(super) struct Representative {
    #[serde(default)]
    pub(super) main: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CommonNode {
    #[serde(rename = "createdBy", default)]
    created_by: Option<AuthorNode>,
    #[serde(rename = "objectMarking", default)]
    markings: Option<Vec<MarkingNode>>,
    #[serde(rename = "objectLabel", default)]
    labels: Option<Vec<LabelNode>>,
}

#[derive(Deserialize)]
struct AuthorNode {
    standard_id: String,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct MarkingNode {
    standard_id: String,
    #[serde(default)]
    definition_type: Option<String>,
    #[serde(default)]
    definition: Option<String>,
}

#[derive(Deserialize)]
struct LabelNode {
    #[serde(default)]
    value: Option<String>,
}

/// Author, markings and labels.
pub(super) struct Common {
    pub(super) author: Option<Author>,
    pub(super) markings: Vec<Marking>,
    pub(super) labels: Vec<String>,
}

impl CommonNode {
    /// A marking that cannot be read is an error: without it something could be passed on that must not be.
    pub(super) fn read(self) -> Result<Common, String> {
        let author = self.created_by.and_then(|author| {
            let id = author.standard_id.parse().ok()?;
            Some(Author::new(id, author.name.unwrap_or_default()))
        });
        let markings = self.markings.into_iter().flatten().map(|marking| {
            let text = |text: Option<String>| text.unwrap_or_default();
            Ok(Marking::new(identifier(&marking.standard_id)?, text(marking.definition_type), text(marking.definition)))
        });
        Ok(Common {
            author,
            markings: markings.collect::<Result<_, String>>()?,
            labels: self.labels.into_iter().flatten().filter_map(|label| label.value).collect(),
        })
    }
}

pub(super) fn identifier(text: &str) -> Result<Identifier, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// Reads an entity; `None` where the place of it is empty (the user may not see it, or it is a relation).
fn entity_of(raw: &RawValue) -> Result<Option<Entity>, String> {
    if matches!(raw.get().trim(), "null" | "{}") {
        return Ok(None);
    }
    let node: EntityNode = serde_json::from_str(raw.get()).map_err(|error| format!("an entity: {error}"))?;
    let wrong = |what: String| format!("{} {}: {what}", node.entity_type, node.standard_id);
    let stix = node.stix.as_deref().ok_or_else(|| wrong("the STIX form is missing".to_owned()))?;
    let object = Object::from_json(stix).map_err(|error| wrong(error.to_string()))?;
    let standard_id = identifier(&node.standard_id).map_err(wrong)?;
    let Common { author, markings, labels } =
        node.common.read().map_err(|what| format!("{} {}: {what}", node.entity_type, node.standard_id))?;
    Ok(Some(Entity {
        id: node.id,
        standard_id,
        entity_type: node.entity_type,
        name: node.representative.and_then(|representative| representative.main),
        object,
        author,
        markings,
        labels,
    }))
}

/// An entity at one end of a relation.
fn end_entity_of(end: &str) -> impl Fn(&RawValue) -> Result<Option<Entity>, String> + use<> {
    let end = end.to_owned();
    move |raw| {
        let node: std::collections::HashMap<String, Option<Box<RawValue>>> =
            serde_json::from_str(raw.get()).map_err(|error| format!("a relation: {error}"))?;
        node.get(&end).and_then(Option::as_ref).map_or(Ok(None), |raw| entity_of(raw))
    }
}

fn relation_of(raw: &RawValue) -> Result<Option<Relation>, String> {
    #[derive(Deserialize)]
    struct Node {
        standard_id: String,
        relationship_type: String,
        #[serde(default)]
        start_time: Option<String>,
        #[serde(default)]
        stop_time: Option<String>,
        #[serde(default)]
        confidence: Option<i64>,
        #[serde(default)]
        from: Option<EndNode>,
        #[serde(default)]
        to: Option<EndNode>,
    }
    #[derive(Deserialize)]
    struct EndNode {
        #[serde(default)]
        id: Option<String>,
        #[serde(default)]
        standard_id: Option<String>,
        #[serde(default)]
        entity_type: Option<String>,
        #[serde(default)]
        representative: Option<Representative>,
    }
    let end = |node: Option<EndNode>| {
        let node = node?;
        Some(End {
            id: node.id?,
            standard_id: node.standard_id?.parse().ok()?,
            entity_type: node.entity_type?,
            name: node.representative.and_then(|representative| representative.main),
        })
    };
    let node: Node = serde_json::from_str(raw.get()).map_err(|error| format!("a relation: {error}"))?;
    Ok(Some(Relation {
        standard_id: identifier(&node.standard_id)?,
        relationship_type: node.relationship_type,
        from: end(node.from),
        to: end(node.to),
        start_time: node.start_time,
        stop_time: node.stop_time,
        confidence: node.confidence,
    }))
}

/// A sighting; `None` where the user may not see one of its ends.
fn sighted_of(raw: &RawValue) -> Result<Option<Sighted>, String> {
    #[derive(Deserialize)]
    struct Node {
        standard_id: String,
        #[serde(default)]
        x_opencti_stix_ids: Option<Vec<String>>,
        #[serde(default)]
        first_seen: Option<String>,
        #[serde(default)]
        last_seen: Option<String>,
        #[serde(default)]
        attribute_count: Option<i64>,
        #[serde(rename = "createdBy", default)]
        created_by: Option<EndNode>,
        #[serde(default)]
        from: Option<EndNode>,
        #[serde(default)]
        to: Option<EndNode>,
    }
    #[derive(Deserialize)]
    struct EndNode {
        #[serde(default)]
        standard_id: Option<String>,
    }
    let node: Node = serde_json::from_str(raw.get()).map_err(|error| format!("a sighting: {error}"))?;
    let id = |node: Option<EndNode>| node?.standard_id?.parse::<Identifier>().ok();
    let (Some(of), Some(at)) = (id(node.from), id(node.to)) else { return Ok(None) };
    let further = node.x_opencti_stix_ids.into_iter().flatten().filter_map(|id| id.parse().ok());
    Ok(Some(Sighted {
        ids: std::iter::once(identifier(&node.standard_id)?).chain(further).collect(),
        of,
        at,
        author: id(node.created_by),
        first_seen: node.first_seen,
        last_seen: node.last_seen,
        count: node.attribute_count.and_then(|count| u64::try_from(count).ok()).unwrap_or(1),
    }))
}

/// An empty list means no restriction, which the platform wants as null.
fn types_or_null(types: &[String]) -> Value {
    if types.is_empty() { Value::Null } else { json!(types) }
}

impl Platform {
    async fn connection(
        &self,
        document: &Document,
        mut variables: Value,
        page: &PageRequest,
        context: &Context,
        field: &str,
    ) -> Result<Option<Connection>, Error> {
        variables["first"] = page.first.clamp(1, 500).into();
        variables["after"] = json!(page.after);
        let mut data: std::collections::HashMap<String, Option<Connection>> =
            self.call(document, variables, context).await?;
        Ok(data.remove(field).flatten())
    }
}

#[async_trait]
impl EntityReader for Platform {
    async fn entity(&self, id: &str, context: &Context) -> Result<Option<Entity>, Error> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "stixCoreObject")]
            object: Option<Box<RawValue>>,
        }
        let answer = self.call::<Data>(&ENTITY, json!({ "id": id }), context).await;
        let object = match answer {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound(_)) => None,
            other => other?.object,
        };
        let Some(object) = object else { return Ok(None) };
        entity_of(&object).map_err(|what| self.inner.http.unexpected(what, object.get()))
    }

    async fn page(&self, select: &Select, page: &PageRequest, context: &Context) -> Result<Page<Entity>, Error> {
        let connection = match select {
            Select::Ids(ids) if ids.is_empty() => return Ok(Page::default()),
            Select::Ids(ids) => {
                let filters = group("and", &[filter("ids", "eq", ids)]);
                let variables = json!({ "types": null, "filters": filters });
                self.connection(&ENTITIES, variables, page, context, "stixCoreObjects").await?
            }
            Select::Types { types, changed_since } => {
                let since = changed_since.iter().map(|date| filter("updated_at", "gt", std::slice::from_ref(date)));
                let filters = changed_since.is_some().then(|| group("and", &since.collect::<Vec<_>>()));
                let variables = json!({ "types": types_or_null(types), "filters": filters });
                self.connection(&ENTITIES, variables, page, context, "stixCoreObjects").await?
            }
            Select::ContentsOf { container, types } => {
                #[derive(Deserialize)]
                struct Data {
                    container: Option<Contents>,
                }
                #[derive(Deserialize)]
                struct Contents {
                    objects: Option<Connection>,
                }
                let variables = json!({
                    "id": container, "types": types_or_null(types),
                    "first": page.first.clamp(1, 500), "after": page.after,
                });
                let data: Data = self.call(&CONTENTS, variables, context).await?;
                data.container.and_then(|container| container.objects)
            }
            Select::Towards { id, relationship, types } => {
                let variables = json!({ "id": [id], "relationship": [relationship], "types": types_or_null(types) });
                let connection =
                    self.connection(&RELATED_TOWARDS, variables, page, context, "stixCoreRelationships").await?;
                return Ok(connection.map(|list| list.read(end_entity_of("from"))).unwrap_or_default());
            }
            Select::From { id, relationship, types } => {
                let variables = json!({ "id": [id], "relationship": [relationship], "types": types_or_null(types) });
                let connection =
                    self.connection(&RELATED_FROM, variables, page, context, "stixCoreRelationships").await?;
                return Ok(connection.map(|list| list.read(end_entity_of("to"))).unwrap_or_default());
            }
        };
        Ok(connection.map(|list| list.read(entity_of)).unwrap_or_default())
    }

    async fn relations(
        &self,
        id: &str,
        types: &[String],
        page: &PageRequest,
        context: &Context,
    ) -> Result<Page<Relation>, Error> {
        let variables = json!({ "id": [id], "types": types_or_null(types) });
        let connection = self.connection(&RELATIONS, variables, page, context, "stixCoreRelationships").await?;
        Ok(connection.map(|list| list.read(relation_of)).unwrap_or_default())
    }

    async fn sightings(&self, id: &str, page: &PageRequest, context: &Context) -> Result<Page<Sighted>, Error> {
        let variables = json!({ "id": id });
        let connection = self.connection(&SIGHTINGS, variables, page, context, "stixSightingRelationships").await?;
        Ok(connection.map(|list| list.read(sighted_of)).unwrap_or_default())
    }
}
