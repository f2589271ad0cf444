//! What programs read: every document against the schema that docs/json.md prints for its verb.

use serde_json::{Map, Value, json};

use crate::program::{Program, python, root};
use crate::verb::{Folder, document, printed};

/// The schemas of docs/json.md, by verb: the first block of JSON below each heading.
fn schemas() -> Map<String, Value> {
    let text = std::fs::read_to_string(root().join("docs/json.md")).unwrap();
    let mut schemas = Map::new();
    for section in text.split("\n## ").skip(1) {
        let (heading, body) = section.split_once('\n').unwrap();
        let Some((_, block)) = body.split_once("```json\n") else { continue };
        let (block, _) = block.split_once("\n```").unwrap();
        let schema =
            serde_json::from_str(block).unwrap_or_else(|error| panic!("{heading}: {error}"));
        schemas.insert(heading.trim_matches('`').to_owned(), schema);
    }
    schemas
}

/// Forbids whatever a schema does not describe. Readers must allow it, for keys are added; but what this
/// version writes stands in the document of this version.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let mut map: Map<String, Value> =
                map.iter().map(|(key, value)| (key.clone(), closed(value))).collect();
            if map.contains_key("properties") && !map.contains_key("additionalProperties") {
                map.insert("additionalProperties".to_owned(), json!(false));
            }
            Value::Object(map)
        }
        Value::Array(list) => list.iter().map(closed).collect(),
        other => other.clone(),
    }
}

#[track_caller]
pub(crate) fn assert_valid(verb: &str, document: &Value) {
    let schema = &schemas()[verb];
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{verb}");
    for schema in [schema.clone(), closed(schema)] {
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(document)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{verb}: {errors:#?}");
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[track_caller]
fn assert_has(value: &Value, wanted: &[&str]) {
    let missing: Vec<&&str> = wanted.iter().filter(|key| !keys(value).contains(key)).collect();
    assert!(missing.is_empty(), "{missing:?} not in {:?}", keys(value));
}

#[test]
fn every_document_is_as_its_schema_says() {
    let folder = Folder::new("json");
    let file = folder.file("leaky.dwsnap");
    let mut program = Program::leaky();
    let pid = program.pid();
    let saved = document(&["snapshot", &pid, "-o", &file]);
    assert_valid("snapshot", &saved);
    assert_eq!(saved["file"], Value::from(file.as_str()));
    assert_eq!(saved["file_bytes"], std::fs::metadata(&file).unwrap().len());
    for target in [&pid, &file] {
        assert_valid("weigh", &document(&["weigh", target]));
        assert_valid("census", &document(&["census", target]));
        assert_valid("census", &document(&["census", target, "--shallow"]));
        assert_valid("census", &document(&["census", target, "--by", "module", "--top", "3"]));
        assert_valid("why", &document(&["why", target, "UserRecord"]));
        let none = document(&["why", target, "Gone"]);
        assert_valid("why", &none);
        assert_eq!((&none["count"], &none["paths"]), (&json!(0), &json!([])));
        assert_valid("why", &document(&["why", target, "str", "--top", "30"]));
        assert_valid("why", &document(&["why", target, "__main__.cache"]));
        assert_valid("tree", &document(&["tree", target]));
        assert_valid(
            "tree",
            &document(&["tree", target, "--from", "__main__.cache", "--least", "0"]),
        );
    }
    for target in [&pid, &file] {
        assert_valid("gc", &document(&["gc", target]));
        assert_valid("gc", &document(&["gc", target, "--top", "0"]));
    }
    assert_valid("sizes", &document(&["sizes", "--python", python()]));
    assert_valid("sizes", &document(&["sizes", "--python", python(), "list"]));
    program.assert_answers();
}

/// The keys that scripts have relied on from the start.
#[test]
fn the_first_keys_are_there_and_required() {
    let program = Program::leaky();
    let pid = program.pid();
    let census = document(&["census", &pid]);
    assert_has(&census, &["objects", "tracked", "references", "types"]);
    let of_type = |name: &str| {
        let types = census["types"].as_array().unwrap();
        types.iter().find(|row| row["name"] == name).unwrap().clone()
    };
    let columns = ["name", "count", "shallow_bytes", "retained_bytes", "getsizeof_bytes"];
    for name in ["dict", "__main__.UserRecord", "_frozen_importlib.ModuleSpec"] {
        assert_has(&of_type(name), &columns);
    }
    assert_eq!(of_type("__main__.UserRecord")["count"], 20_000);

    let weigh = document(&["weigh", &pid]);
    assert_has(&weigh, &["rss_bytes", "pause_ms", "account"]);
    assert_has(&weigh["account"][0], &["kind", "bytes"]);
    assert!(weigh["pause_ms"].as_f64().unwrap() > 0.0);

    let why = document(&["why", &pid, "UserRecord"]);
    assert_has(&why["paths"][0], &["count", "retained_bytes", "steps"]);
    let steps = why["paths"][0]["steps"].as_array().unwrap();
    for step in steps {
        assert_has(step, &["edge", "type", "address"]);
    }
    assert_eq!(steps[0]["type"], "module", "root first");
    assert_eq!(steps.last().unwrap()["type"], "__main__.UserRecord");

    let schemas = schemas();
    let required = |verb: &str, at: &str| -> Vec<String> {
        let list = schemas[verb].pointer(at).unwrap_or_else(|| panic!("{verb}: {at}"));
        serde_json::from_value(list.clone()).unwrap()
    };
    for (verb, at, wanted) in [
        ("census", "/required", &["objects", "tracked", "references", "types"][..]),
        ("census", "/properties/types/items/required", &columns),
        ("weigh", "/required", &["rss_bytes", "pause_ms", "account"]),
        ("weigh", "/properties/account/items/required", &["kind", "bytes"]),
        ("why", "/required", &["paths"]),
        ("why", "/properties/paths/items/required", &["count", "retained_bytes", "steps"]),
        (
            "why",
            "/properties/paths/items/properties/steps/items/required",
            &["edge", "type", "address"],
        ),
    ] {
        let required = required(verb, at);
        assert!(wanted.iter().all(|key| required.iter().any(|row| row == key)), "{verb}{at}");
    }
}

/// A schema that accepts anything would prove nothing.
#[test]
fn schemas_refuse_what_is_wrong() {
    let right = document(&["sizes", "--python", python(), "list"]);
    let schema = &schemas()["sizes"];
    let accepts = |document: &Value| jsonschema::draft202012::is_valid(schema, document);
    assert!(accepts(&right));
    for (key, wrong) in [("sizes", json!({})), ("cached_ints", json!([1])), ("python", json!(3.12))]
    {
        let mut document = right.clone();
        document[key] = wrong;
        assert!(!accepts(&document), "{key}");
    }
    let mut more = right.clone();
    more["a key of a later version"] = json!(1);
    assert!(accepts(&more), "keys are added");
    assert!(printed(&["--version"]).starts_with("deadweight "));
}
