//! A large document imported, a large catalogue searched, and loaded as a broker loads it at its start.

use std::fmt::Write;
use std::time::Instant;

use symbolon_broker::home_catalog;
use symbolon_capability::catalog::Catalog;
use symbolon_import::{Options as ImportOptions, import};
use symbolon_store::Home;

use crate::meter::Meter;
use crate::row::Report;
use crate::{BenchError, Options};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let document = document();
    let given = ImportOptions { id: "big", ..ImportOptions::default() };
    let meter = Meter::start(std::process::id());
    let mut file = String::new();
    let mut correct = true;
    for _ in 0..IMPORTS {
        let start = Instant::now();
        let made = import(document.as_bytes(), &given).map_err(BenchError::new)?;
        meter.record(start);
        correct &= made.report.imported == TOOLS && made.report.left_out.is_empty();
        file = made.file;
    }
    let mut row = meter.row("catalog", "import", 1, "none", correct);
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    row.note = Some(format!(
        "{:.1} MiB of JSON, {TOOLS} operations, a file of {:.1} MiB",
        mib(document.len()),
        mib(file.len())
    ));
    report.row(&row);
    drop(document);
    load(options, report, &file)?;
    let catalog = Catalog::empty().with_imported(&file).map_err(BenchError::new)?;
    search(options, report, &catalog);
    Ok(())
}

/// The catalogue of a home as its broker loads it: the built-in files alone, then with the large one.
fn load(options: &Options, report: &mut Report, file: &str) -> Result<(), BenchError> {
    let folder = tempfile::tempdir()?;
    let home = Home::create(&folder.path().join("home")).map_err(BenchError::new)?;
    let own = Catalog::builtin().map_err(BenchError::new)?.operations().len();
    let times = options.iterations.unwrap_or(20).min(1000);
    for (case, tools) in [("load-built-in", own), ("load-5000-more", own + TOOLS)] {
        if tools > own {
            home.put_imported("big", file).map_err(BenchError::new)?;
        }
        let meter = Meter::start(std::process::id());
        let mut correct = true;
        for _ in 0..times {
            let start = Instant::now();
            let catalog = home_catalog(&home, &[])?;
            meter.record(start);
            correct &= catalog.operations().len() == tools;
        }
        let mut row = meter.row("catalog", case, 1, "none", correct);
        row.note = Some(format!("{tools} tools"));
        report.row(&row);
    }
    Ok(())
}

fn search(options: &Options, report: &mut Report, catalog: &Catalog) {
    // The first search makes the index.
    let start = Instant::now();
    std::hint::black_box(catalog.search("anything", 1));
    let index = start.elapsed();
    let times = options.iterations.unwrap_or(2000).min(100_000);
    for (case, ask) in [("search", "create invoice"), ("search-misspelt", "creat invoise")] {
        let meter = Meter::start(std::process::id());
        let mut correct = true;
        for n in 0..times {
            let noun = NOUNS[n % NOUNS.len()];
            let (verb, noun) = match case {
                "search" => ("create", noun.to_owned()),
                _ => ("creat", misspelt(noun)),
            };
            let start = Instant::now();
            let hits = catalog.search(&format!("{verb} {noun}"), 10);
            meter.record(start);
            let wanted = NOUNS[n % NOUNS.len()];
            correct &= hits.first().is_some_and(|hit| {
                let name = hit.operation().name().as_str();
                name.starts_with("big.create_") && name.contains(wanted)
            });
        }
        let mut row = meter.row("catalog", case, 1, "none", correct);
        row.note = Some(format!("{ask:?} and others, {TOOLS} tools, index made in {index:.1?}"));
        report.row(&row);
    }
}

/// The word with its last vowel taken for another.
fn misspelt(word: &str) -> String {
    let at =
        word.char_indices().filter(|(_, c)| "aeiou".contains(*c)).map(|(at, _)| at).next_back();
    let Some(at) = at else { return word.to_owned() };
    format!("{}y{}", &word[..at], &word[at + 1..])
}

/// About 10 MiB of OpenAPI 3.0.
fn document() -> String {
    let mut out = String::from(
        r##"{"openapi":"3.0.3","info":{"title":"Big","version":"1"},"servers":[{"url":"https://big.example"}],"components":{"schemas":{"Address":{"type":"object","properties":{"street":{"type":"string"},"next":{"$ref":"#/components/schemas/Address"}}}}},"paths":{"##,
    );
    let filler = "What it does is said at some length, as such documents do. ".repeat(25);
    for n in 0..TOOLS / 2 {
        let (noun, group) = (NOUNS[n % NOUNS.len()], n / NOUNS.len());
        let comma = if n == 0 { "" } else { "," };
        // A String takes what it is given.
        let _ = write!(
            out,
            r##"{comma}"/v1/{noun}/{group}/{{id}}":{{"get":{{"operationId":"get_{noun}_{group}","tags":["{noun}"],"summary":"Get one {noun} of {group}","description":"{filler}","parameters":[{{"name":"id","in":"path","required":true,"schema":{{"type":"string"}}}},{{"name":"limit","in":"query","schema":{{"type":"integer","minimum":1,"maximum":100}}}}]}},"post":{{"operationId":"create_{noun}_{group}","tags":["{noun}"],"summary":"Create one {noun} in {group}","description":"{filler}","parameters":[{{"name":"id","in":"path","required":true,"schema":{{"type":"string"}}}}],"requestBody":{{"required":true,"content":{{"application/json":{{"schema":{{"type":"object","required":["name"],"properties":{{"name":{{"type":"string","maxLength":80}},"amount":{{"type":"integer"}},"home":{{"$ref":"#/components/schemas/Address"}},"tags":{{"type":"array","items":{{"type":"string"}}}}}}}}}}}}}}}}}}"##
        );
    }
    out.push_str("}}");
    out
}

const TOOLS: usize = 5000;
const IMPORTS: usize = 3;

const NOUNS: [&str; 25] = [
    "invoice",
    "customer",
    "repository",
    "issue",
    "cluster",
    "droplet",
    "payment",
    "refund",
    "message",
    "channel",
    "volume",
    "snapshot",
    "certificate",
    "domain",
    "webhook",
    "schedule",
    "contract",
    "shipment",
    "warehouse",
    "employee",
    "department",
    "campaign",
    "template",
    "folder",
    "document",
];
