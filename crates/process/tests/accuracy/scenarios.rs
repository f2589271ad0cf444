//! The scenarios of `corpus/heaps`: a program and the facts it must yield.

use serde::Deserialize;

use crate::subject::corpus;

/// The `.toml` beside a scenario.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// The name of its file, and of its module.
    #[serde(skip)]
    pub(crate) name: String,
    /// The first minor version that can run it.
    #[serde(default)]
    pub(crate) since: u32,
    /// It cannot share a process with the others: why.
    pub(crate) alone: Option<String>,
    /// What must be found.
    #[serde(default)]
    pub(crate) fact: Vec<Fact>,
}

/// What a path must lead to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fact {
    pub(crate) path: String,
    /// The minor versions it holds for.
    #[serde(default)]
    pub(crate) since: u32,
    pub(crate) until: Option<u32>,
    /// The full name of the type of all it leads to.
    #[serde(rename = "type")]
    pub(crate) type_name: Option<String>,
    /// How many objects it leads to; 1 unless said.
    pub(crate) count: Option<usize>,
    /// The kind of a reference to each of them.
    pub(crate) edge: Option<String>,
    /// What each of them holds, in bytes.
    pub(crate) held: Option<u64>,
    /// What each of them keeps alive, in bytes: no less, no more.
    pub(crate) retained: Option<u64>,
}

impl Fact {
    pub(crate) fn holds_for(&self, minor: u32) -> bool {
        self.since <= minor && self.until.is_none_or(|until| minor <= until)
    }
}

/// All of them, by name.
pub(crate) fn all() -> Vec<Scenario> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(corpus().join("heaps")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "py") {
            let facts = path.with_extension("toml");
            let text = std::fs::read_to_string(&facts)
                .unwrap_or_else(|error| panic!("{}: {error}", facts.display()));
            let mut scenario: Scenario = toml::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", facts.display()));
            scenario.name = path.file_stem().unwrap().to_string_lossy().into_owned();
            found.push(scenario);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Those that run in one process on 3.`minor`.
pub(crate) fn together(scenarios: &[Scenario], minor: u32) -> Vec<&Scenario> {
    scenarios.iter().filter(|it| it.alone.is_none() && it.since <= minor).collect()
}
