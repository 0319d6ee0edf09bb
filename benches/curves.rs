//! The hot paths as curves.

use std::hint::black_box;
use std::time::Duration;

use alert_enricher::extract::{ExtractOptions, Extractor};
use alert_enricher::hunt::{HuntOptions, Hunter};
use benches::{alerts, indicators, objects, patterns};
use criterion::{BenchmarkId, Criterion, Throughput};
use stix_model::Timestamp;
use stix_model::pattern::Pattern;
use stix_model::pattern::matcher::{CompiledPattern, MatchOptions, Observation, Seen};
use wazuh_query::alert::Alert;
use wazuh_query::builder::QueryBuilder;
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::options::SearchOptions;

fn main() {
    let criterion = Criterion::default().warm_up_time(Duration::from_millis(500)).sample_size(20);
    let mut criterion = criterion.measurement_time(Duration::from_secs(2)).configure_from_args();
    one_object(&mut criterion);
    pattern(&mut criterion);
    matching(&mut criterion);
    one_alert(&mut criterion);
    hunt(&mut criterion);
    criterion.final_summary();
}

fn one_object(criterion: &mut Criterion) {
    let builder = QueryBuilder::new(&Catalogue::builtin(), Schema::Wazuh4, SearchOptions::default());
    for sample in objects::samples() {
        let references = sample.references.as_slice();
        let mut group = criterion.benchmark_group(sample.name);
        group.throughput(Throughput::Elements(1));
        let mut turn = sample.objects.iter().cycle();
        group.bench_function("identifier", |bench| bench.iter(|| turn.next().map(sample.identify)));
        let mut turn = sample.objects.iter().cycle();
        group.bench_function("query", |bench| {
            bench.iter(|| turn.next().map(|object| builder.build(object, references)));
        });
        let mut turn = sample.objects.iter().cycle();
        group.bench_function("query text", |bench| {
            bench.iter(|| {
                turn.next().map(|object| builder.build(object, references).map(|built| built.query.to_json()))
            });
        });
    }
}

fn pattern(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pattern");
    for (name, texts) in [("simple", patterns::simple()), ("mixed", patterns::mixed())] {
        group.throughput(Throughput::Elements(texts.len() as u64));
        group.bench_function(BenchmarkId::new("read", name), |bench| {
            bench.iter(|| texts.iter().filter(|text| Pattern::parse(text).is_ok()).count());
        });
        let read: Vec<Pattern> = texts.iter().filter_map(|text| Pattern::parse(text).ok()).collect();
        group.bench_function(BenchmarkId::new("print", name), |bench| {
            bench.iter(|| read.iter().map(|pattern| pattern.to_string().len()).sum::<usize>());
        });
    }
}

fn matching(criterion: &mut Criterion) {
    let pattern = Pattern::parse(patterns::COMPOUND).expect("a pattern");
    let compiled = CompiledPattern::new(&pattern, &MatchOptions::alerts()).expect("a pattern that can be run");
    let objects = patterns::alert();
    let observation = [Observation::from_objects(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, &objects)];
    let mut group = criterion.benchmark_group("match");
    group.bench_function("compile", |bench| bench.iter(|| CompiledPattern::new(&pattern, &MatchOptions::alerts())));
    group.bench_function("test", |bench| bench.iter(|| compiled.is_match(&observation)));
    group.bench_function("bind", |bench| bench.iter(|| compiled.matches(&observation)));
    // Many observations, of which every third serves a part of the sequence.
    let pattern =
        Pattern::parse("([a:b = 1] FOLLOWEDBY [a:b = 2] FOLLOWEDBY [a:b = 3]) WITHIN 10 SECONDS REPEATS 100 TIMES");
    let pattern = pattern.expect("a pattern");
    let compiled = CompiledPattern::new(&pattern, &MatchOptions::alerts()).expect("a pattern that can be run");
    for count in [100_usize, 1_000, 10_000] {
        let at = |place: usize| Timestamp::from_unix_millis(i64::try_from(place).unwrap_or_default() * 1_000);
        let seen: Vec<Seen> =
            (0..count).filter_map(at).map(|time| Seen { first: time, last: time, number_observed: 1 }).collect();
        let satisfied: Vec<Vec<usize>> = (0..3).map(|from| (from..count).step_by(3).collect()).collect();
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new("sequence", count), |bench| {
            bench.iter(|| compiled.combine(&seen, &satisfied).is_ok());
        });
    }
}

fn one_alert(criterion: &mut Criterion) {
    let catalogue = Catalogue::builtin();
    let options = ExtractOptions::default();
    let extractor = Extractor::new(&catalogue, &options);
    let text = alerts::samples();
    let lines: Vec<&str> = text.lines().collect();
    let mut group = criterion.benchmark_group("alert");
    group.throughput(Throughput::Elements(lines.len() as u64));
    group.bench_function("read", |bench| {
        bench.iter(|| lines.iter().filter(|line| Alert::read(line, &catalogue).is_ok()).count());
    });
    group.bench_function("extract", |bench| {
        let alerts: Vec<Alert<'_>> = lines.iter().filter_map(|line| Alert::read(line, &catalogue).ok()).collect();
        bench.iter(|| alerts.iter().for_each(|alert| drop(black_box(extractor.extract(alert)))));
    });
}

fn hunt(criterion: &mut Criterion) {
    let catalogue = Catalogue::builtin();
    let text = alerts::many(20_000_000);
    let mut group = criterion.benchmark_group("hunt");
    group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(10);
    for count in [1, 1_000, 10_000, 100_000, 1_000_000] {
        let snapshot = indicators::listed(count).snapshot();
        group.bench_with_input(BenchmarkId::from_parameter(count), &snapshot, |bench, snapshot| {
            bench.iter(|| {
                let mut hunter = Hunter::new(&catalogue, snapshot, HuntOptions::default());
                text.lines().filter(|line| hunter.alert(line).is_ok()).count()
            });
        });
    }
}
