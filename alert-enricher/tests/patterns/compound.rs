//! Compound patterns: brackets with AND, OR and NOT, and several brackets over several alerts.

use std::sync::OnceLock;

use alert_enricher::pattern::{Observer, PatternHunt, Verifier};
use proptest::prelude::*;
use stix_model::pattern::Pattern;
use stix_model::pattern::matcher::{AndReading, CompiledPattern, MatchOptions, Observation};
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::evaluate::Evaluator;
use wazuh_query::pattern::{PatternOptions, PatternTranslator, Scope};

use crate::samples::{properties, tests};
use crate::{Sample, indexed, read, samples};

/// What the tests share: reading the corpus takes longer than any of them.
struct World {
    catalogue: Catalogue,
    indexed: Catalogue,
    samples: Vec<Sample>,
    translators: [PatternTranslator; 2],
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let catalogue = Catalogue::builtin();
        let options = PatternOptions::default();
        let translators =
            [Schema::Wazuh4, Schema::Wazuh5].map(|schema| PatternTranslator::new(&catalogue, schema, options));
        World { indexed: indexed(), samples: samples(), translators, catalogue }
    })
}

impl World {
    fn objects(&self, place: usize) -> Vec<(String, serde_json::Value)> {
        let observer = Observer::new(&self.indexed, PatternOptions::default());
        observer.objects(&read(&self.samples[place].text, &self.indexed))
    }

    fn observation(&self, place: usize) -> Observation<'static> {
        let observer = Observer::new(&self.indexed, PatternOptions::default());
        observer.observe(&read(&self.samples[place].text, &self.indexed))
    }

    fn translator(&self, place: usize) -> &PatternTranslator {
        &self.translators[usize::from(self.samples[place].schema == Schema::Wazuh5)]
    }
}

/// A test of some value of an alert.
fn test(place: usize, property: usize, operator: usize) -> Option<String> {
    let properties = properties(&world().objects(place));
    let (path, value) = properties.get(property % properties.len().max(1))?;
    let tests = tests(path, value);
    tests.get(operator % tests.len()).cloned()
}

/// A bracket: a tree of tests, of which each is about one of two alerts.
#[derive(Clone, Debug)]
enum Tree {
    Test { other: bool, property: usize, operator: usize },
    And(Vec<Tree>),
    Or(Vec<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = (prop::bool::weighted(0.2), any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(
        |(other, property, operator)| Tree::Test {
            other,
            property: property.index(10_000),
            operator: operator.index(10_000),
        },
    );
    leaf.prop_recursive(3, 12, 4, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 2..4).prop_map(Tree::And),
            prop::collection::vec(inside, 2..4).prop_map(Tree::Or),
        ]
    })
}

impl Tree {
    fn text(&self, place: usize, other: usize) -> Option<String> {
        let join = |parts: &[Self], word: &str| {
            let parts: Option<Vec<String>> = parts.iter().map(|part| part.text(place, other)).collect();
            Some(format!("({})", parts?.join(word)))
        };
        match self {
            Self::Test { other: of_other, property, operator } => {
                test(if *of_other { other } else { place }, *property, *operator)
            }
            Self::And(parts) => join(parts, " AND "),
            Self::Or(parts) => join(parts, " OR "),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn brackets_lose_no_true_match(
        place in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        tree in tree(),
        same_object: bool,
    ) {
        let world = world();
        let (place, other) = (place.index(world.samples.len()), other.index(world.samples.len()));
        let Some(text) = tree.text(place, other).map(|text| format!("[{text}]")) else { return Ok(()) };
        let Ok(mut pattern) = Pattern::parse(&text) else { return Ok(()) };
        let translation = world.translator(place).translate(&pattern);
        pattern.version = stix_model::pattern::PatternVersion::V2_0;
        let and = if same_object { AndReading::SameObject } else { AndReading::Event };
        // What has no field can be true of an observation all the same; it is told, and not searched.
        let Some(verified) = &translation.pattern else { return Ok(()) };
        let mut verified = verified.clone();
        verified.version = pattern.version;
        let Ok(compiled) = CompiledPattern::new(&verified, &MatchOptions { and, ..MatchOptions::alerts() }) else {
            return Ok(());
        };
        if compiled.comparison_holds(0, &world.observation(place)).unwrap() {
            let evaluator = Evaluator::new(&world.catalogue, world.samples[place].schema);
            let document = &world.samples[place].document;
            let found = translation.observations[0].queries.iter().any(|query| evaluator.matches(query, document).unwrap());
            prop_assert!(found, "{} does not find {}", text, world.samples[place].text);
        }
    }

    /// What a hunt finds satisfies the pattern, and it finds something whenever the pattern holds, also when it is only
    /// given what the queries find.
    #[test]
    fn hunts_find_what_satisfies_the_pattern(
        places in prop::collection::vec(any::<prop::sample::Index>(), 5),
        tests in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 3),
        words in prop::collection::vec(prop_oneof![Just("AND"), Just("OR"), Just("FOLLOWEDBY")], 2),
        qualifier in prop_oneof![
            4 => Just(""),
            1 => Just(" WITHIN 30 SECONDS"),
            1 => Just(" REPEATS 2 TIMES"),
            1 => Just(" START t'2020-01-01T00:00:00Z' STOP t'2030-01-01T00:00:00Z'")
        ],
        across: bool,
        seconds in prop::collection::vec(0_u32..60, 10),
    ) {
        let world = world();
        // The hunt is over alerts of one schema: copies of five alerts, on two agents, at other times.
        let of_4: Vec<usize> =
            (0..world.samples.len()).filter(|place| world.samples[*place].schema == Schema::Wazuh4).collect();
        let places: Vec<usize> = places.iter().map(|place| of_4[place.index(of_4.len())]).collect();
        let brackets: Option<Vec<String>> = places
            .iter()
            .zip(&tests)
            .map(|(place, (property, operator))| test(*place, property.index(10_000), operator.index(10_000)))
            .collect();
        let Some(brackets) = brackets else { return Ok(()) };
        let text = format!(
            "([{}] {} [{}]{qualifier}) {} [{}]",
            brackets[0], words[0], brackets[1], words[1], brackets[2]
        );
        let Ok(pattern) = Pattern::parse(&text) else { return Ok(()) };
        let scope = if across { Scope::AcrossAgents } else { Scope::PerAgent };
        let options = PatternOptions { scope, ..PatternOptions::default() };
        let translator = PatternTranslator::new(&world.catalogue, Schema::Wazuh4, options);
        let translation = translator.translate(&pattern);
        let Ok(verifier) = Verifier::new(&world.indexed, &translation, options) else { return Ok(()) };

        let mut alerts = Vec::new();
        for (number, second) in seconds.iter().enumerate() {
            let mut alert = world.samples[places[number % 5]].document.clone();
            let inside = if alert.get("_source").is_some() { &mut alert["_source"] } else { &mut alert };
            let time = format!("2026-01-01T00:00:{second:02}Z");
            inside["timestamp"] = time.clone().into();
            inside.as_object_mut().unwrap().remove("@timestamp");
            inside["agent"] = serde_json::json!({"id": format!("{:03}", number % 2), "name": "x"});
            inside["id"] = number.to_string().into();
            alert.as_object_mut().unwrap().remove("_id");
            alerts.push(alert);
        }
        let evaluator = Evaluator::new(&world.catalogue, Schema::Wazuh4);
        let fetched: Vec<&serde_json::Value> = alerts
            .iter()
            .filter(|alert| {
                let mut queries = translation.observations.iter().flat_map(|observation| &observation.queries);
                queries.any(|query| evaluator.matches(query, alert).unwrap())
            })
            .collect();
        let hunt = |alerts: &[&serde_json::Value]| {
            let mut hunt = PatternHunt::new(&verifier);
            for alert in alerts {
                hunt.add(&alert.to_string()).unwrap();
                hunt.add(&alert.to_string()).unwrap();
            }
            hunt.finish().unwrap()
        };
        let found = hunt(&fetched);
        let all: Vec<&serde_json::Value> = alerts.iter().collect();
        prop_assert_eq!(found.is_match(), hunt(&all).is_match(), "{} loses alerts in its queries", &text);

        let verified = translation.pattern.clone().unwrap();
        let compiled = CompiledPattern::new(&verified, &MatchOptions::alerts()).unwrap();
        let texts: Vec<String> = alerts.iter().map(ToString::to_string).collect();
        let observe = |place: usize| verifier.observer().observe(&read(&texts[place], &world.indexed));
        for group in &found.groups {
            let observations: Vec<_> =
                group.alerts.iter().map(|alert| observe(alert.id.as_ref().unwrap().parse().unwrap())).collect();
            // Vulnerabilities are no observables of STIX 2.1; see `Verifier::new`.
            if !text.contains("vulnerability:") {
                prop_assert!(compiled.is_match(&observations).unwrap(), "{} is not satisfied by {:?}", &text, group);
            }
            let agents: std::collections::BTreeSet<_> = group.alerts.iter().map(|alert| &alert.agent_id).collect();
            prop_assert!(across || agents.len() == 1);
        }
        let mut alerts_of_groups: Vec<_> =
            found.groups.iter().flat_map(|group| group.alerts.iter().map(|alert| alert.id.clone())).collect();
        let count = alerts_of_groups.len();
        alerts_of_groups.sort();
        alerts_of_groups.dedup();
        prop_assert_eq!(count, alerts_of_groups.len(), "an alert is in two groups");
        if !text.contains("vulnerability:") {
            let holds = if across {
                compiled.is_match(&(0..10).map(observe).collect::<Vec<_>>()).unwrap()
            } else {
                [0, 1].iter().any(|agent| {
                    let of_agent: Vec<_> = (0..10).filter(|number| number % 2 == *agent).map(observe).collect();
                    compiled.is_match(&of_agent).unwrap()
                })
            };
            prop_assert_eq!(found.is_match(), holds, "{}", &text);
        }
    }
}
