//! The types of what a session offers.

use serde_json::Value;

use super::set::PluginSet;

/// What the engine and the sessions provide, besides the areas of the library.
const SESSION: &str = include_str!("../../../../js-runtime/types/session.d.ts");

impl PluginSet {
    /// TypeScript declarations of everything that scripts of a session with these plugins find.
    pub fn types(&self) -> String {
        let mut text = [&[SESSION], perennial_stdlib::DECLARATIONS].concat().join("\n");
        text.push_str("\ndeclare const tools: PerennialToolSearch & {\n");
        for plugin in self.plugins() {
            comment(&mut text, "  ", &plugin.description);
            text.push_str(&format!("  readonly {}: {{\n", plugin.name));
            for (name, tool) in &plugin.tools {
                comment(&mut text, "    ", &tool.description);
                let input = type_of(&tool.input, &tool.input, 0);
                // A tool that asks for nothing can be called with nothing.
                let optional = if needs_nothing(&tool.input) { "?" } else { "" };
                let output = tool.output.as_ref().map_or("any".to_owned(), |output| type_of(output, output, 0));
                text.push_str(&format!("    {name}(args{optional}: {input}): Promise<{output}>;\n"));
            }
            text.push_str("  };\n");
        }
        text.push_str("};\n");
        text
    }
}

fn comment(text: &mut String, indent: &str, description: &str) {
    let description = description.replace("*/", "* /").split_whitespace().collect::<Vec<_>>().join(" ");
    text.push_str(&format!("{indent}/** {description} */\n"));
}

fn needs_nothing(schema: &Value) -> bool {
    schema.get("required").is_none_or(|required| required.as_array().is_some_and(Vec::is_empty))
}

/// Schemas nested deeper are `any`.
const MAX_DEPTH: usize = 8;

/// A JSON Schema as a type; what TypeScript has no word for is wider. `root` is the schema that references are relative to.
fn type_of(schema: &Value, root: &Value, depth: usize) -> String {
    let any = || "any".to_owned();
    if depth > MAX_DEPTH {
        return any();
    }
    let union = |schemas: &Vec<Value>| {
        let types: Vec<String> =
            schemas.iter().map(|schema| format!("({})", type_of(schema, root, depth + 1))).collect();
        types.join(" | ")
    };
    if let Some(pointer) = schema.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#')) {
        return root.pointer(pointer).map_or_else(any, |schema| type_of(schema, root, depth + 1));
    }
    if let Some(constant) = schema.get("const") {
        return literal(constant);
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        return values.iter().map(literal).collect::<Vec<_>>().join(" | ");
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(Value::Array(schemas)) =
            schema.get(key).filter(|schemas| schemas.as_array().is_some_and(|s| !s.is_empty()))
        {
            return union(schemas);
        }
    }
    match schema.get("type") {
        Some(Value::Array(types)) => {
            let types = types.iter().map(|name| {
                let mut one = schema.clone();
                one["type"] = name.clone();
                format!("({})", type_of(&one, root, depth + 1))
            });
            types.collect::<Vec<_>>().join(" | ")
        }
        Some(Value::String(name)) => match &**name {
            "string" => "string".to_owned(),
            "number" | "integer" => "number".to_owned(),
            "boolean" => "boolean".to_owned(),
            "null" => "null".to_owned(),
            "array" => format!("({})[]", schema.get("items").map_or_else(any, |items| type_of(items, root, depth + 1))),
            "object" => object(schema, root, depth),
            _ => any(),
        },
        _ if schema.get("properties").is_some() => object(schema, root, depth),
        _ => any(),
    }
}

fn object(schema: &Value, root: &Value, depth: usize) -> String {
    let Some(Value::Object(properties)) = schema.get("properties") else {
        let values = schema.get("additionalProperties").filter(|values| values.is_object());
        return format!(
            "{{ [key: string]: {} }}",
            values.map_or("any".to_owned(), |values| type_of(values, root, depth + 1))
        );
    };
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = properties.iter().map(|(name, schema)| {
        let optional = if required.contains(&&**name) { "" } else { "?" };
        format!("{}{optional}: {}", Value::from(name.as_str()), type_of(schema, root, depth + 1))
    });
    format!("{{ {} }}", fields.collect::<Vec<_>>().join("; "))
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => value.to_string(),
        _ => "any".to_owned(),
    }
}
