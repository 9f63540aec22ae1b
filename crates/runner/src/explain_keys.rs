//! Every key of a deck with its meaning, from the structs that read it: the manual cannot drift from the program.

use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use crate::deck::{DeckFile, RestartSystem};
use crate::import::ImportSystem;

type BuiltDeck = DeckFile<amelo_build::SystemConfig>;

/// JSON schemas of the three kinds of deck.
pub fn schemas() -> Value {
    serde_json::json!({
        "deck": schema_for!(BuiltDeck).to_value(),
        "deck with [system.restart]": schema_for!(DeckFile<RestartSystem>).to_value(),
        "deck with [system.import]": schema_for!(DeckFile<ImportSystem>).to_value(),
    })
}

/// The manual of the deck as text, one key per paragraph.
pub fn text() -> String {
    let mut out = String::from(
        "Keys of a deck (TOML). Quantities are text with a unit: \"1.2 nm\", \"363 K\", \"2 fs\", \"1 bar\".\n\
         An unknown key is an error. [[x]] is a list of tables, one per entry; <NAME> stands for a name of your choice.\n\n",
    );
    write::<BuiltDeck>(&mut out, "");
    out.push_str("\nInstead of the keys of [system] above, [system] may hold the state of another run:\n\n");
    write::<RestartSystem>(&mut out, "system.");
    out.push_str("\nOr another program's files:\n\n");
    write::<ImportSystem>(&mut out, "system.");
    out
}

fn write<T: JsonSchema>(out: &mut String, prefix: &str) {
    let schema = schema_for!(T).to_value();
    let mut writer = Writer { definitions: &schema["$defs"], out, depth: 0 };
    writer.properties(&schema, prefix);
}

struct Writer<'a> {
    definitions: &'a Value,
    out: &'a mut String,
    depth: usize,
}

impl Writer<'_> {
    /// The schema behind a reference, and whether the value may be left out.
    fn resolve<'v>(&'v self, schema: &'v Value) -> &'v Value {
        if let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
            return self.resolve(&self.definitions[name]);
        }
        if let Some(options) = schema["anyOf"].as_array()
            && let [one, other] = options.as_slice()
            && other["type"] == "null"
        {
            return self.resolve(one);
        }
        schema
    }

    fn properties(&mut self, schema: &Value, prefix: &str) {
        let Some(properties) = schema["properties"].as_object() else { return };
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in properties {
            self.key(&format!("{prefix}{name}"), property, required.contains(&name.as_str()));
        }
    }

    /// One key, then the keys below it.
    fn key(&mut self, path: &str, property: &Value, required: bool) {
        // Recursive schemas do not occur in a deck; a bound keeps a mistake from running forever.
        if self.depth > 12 {
            return;
        }
        self.depth += 1;
        let schema = self.resolve(property).clone();
        let description = property["description"].as_str().or(schema["description"].as_str()).unwrap_or("");
        let mut traits = vec![kind(&schema, |s| self.resolve(s).clone())];
        if required {
            traits.push("required".into());
        }
        if let Some(default) = property.get("default").filter(|d| !d.is_null() && !d.is_object() && !d.is_array()) {
            traits.push(format!("default {default}"));
        }
        self.line(path, &traits.join(", "), description);
        self.below(path, &schema);
        self.depth -= 1;
    }

    fn below(&mut self, path: &str, schema: &Value) {
        self.properties(schema, &format!("{path}."));
        self.variants(path, schema);
        if let Some(items) = schema.get("items") {
            let items = self.resolve(items).clone();
            self.properties(&items, &format!("{path}[]."));
            self.variants(&format!("{path}[]"), &items);
        }
        if let Some(values) = schema.get("additionalProperties").filter(|v| v.is_object()) {
            let values = self.resolve(values).clone();
            self.below(&format!("{path}.<NAME>"), &values);
        }
    }

    /// Alternatives: named constants, or tables whose single key is the kind.
    fn variants(&mut self, path: &str, schema: &Value) {
        let alternatives = schema["oneOf"].as_array().or(schema["anyOf"].as_array()).cloned().unwrap_or_default();
        for alternative in &alternatives {
            let alternative = self.resolve(alternative).clone();
            let description = alternative["description"].as_str().unwrap_or("").to_string();
            if let Some(value) = alternative["const"].as_str() {
                self.line(&format!("{path} = \"{value}\""), "", &description);
            } else if let Some(values) = alternative["enum"].as_array() {
                for value in values {
                    self.line(&format!("{path} = {value}"), "", &description);
                }
            } else if let Some(properties) = alternative["properties"].as_object() {
                for (name, property) in properties {
                    let inner = self.resolve(property).clone();
                    let own = property["description"].as_str().or(inner["description"].as_str());
                    let is_kind = properties.len() == 1 && !description.is_empty();
                    let text = if is_kind { &description } else { own.unwrap_or("") };
                    self.line(&format!("{path}.{name}"), &kind(&inner, |s| self.resolve(s).clone()), text);
                    self.below(&format!("{path}.{name}"), &inner);
                }
            } else {
                self.variants(path, &alternative);
            }
        }
    }

    fn line(&mut self, path: &str, traits: &str, description: &str) {
        self.out.push_str(path);
        if !traits.is_empty() {
            self.out.push_str(&format!("   ({traits})"));
        }
        self.out.push('\n');
        for line in wrap(&description.replace('\n', " "), 96) {
            self.out.push_str("    ");
            self.out.push_str(&line);
            self.out.push('\n');
        }
    }
}

/// What a value is, in one or two words.
fn kind(schema: &Value, resolve: impl Fn(&Value) -> Value + Copy) -> String {
    let is_text =
        schema["type"] == "string" || schema["type"].as_array().is_some_and(|t| t.iter().any(|t| t == "string"));
    if let Some(quantity) = schema["format"].as_str().filter(|_| is_text) {
        return format!("{quantity}, for example {}", schema["examples"][0]);
    }
    let name = match &schema["type"] {
        Value::String(s) => s.as_str(),
        Value::Array(a) => a.iter().filter_map(Value::as_str).find(|s| *s != "null").unwrap_or(""),
        _ => "",
    };
    match name {
        "string" => "text".into(),
        "integer" => "whole number".into(),
        "number" => "number".into(),
        "boolean" => "true or false".into(),
        "array" => match schema.get("items").or(schema["prefixItems"].get(0)) {
            Some(items) => format!("list of {}", kind(&resolve(items), resolve)),
            None => "list".into(),
        },
        "object" => "table".into(),
        _ => "choice".into(),
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}
