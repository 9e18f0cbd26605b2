//! How values get into a command.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::declaration::{Declaration, Run, is_variable};

/// A value as one text.
fn scalar(name: &str, value: &Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return Err(format!("the value of {name} is no text, number or boolean")),
    };
    if text.contains('\0') {
        return Err(format!("the value of {name} has a NUL in it"));
    }
    Ok(text)
}

fn value<'v>(name: &str, values: &'v Map<String, Value>) -> Result<&'v Value, String> {
    values.get(name).ok_or_else(|| format!("there is no value for {name}"))
}

/// Names and values.
pub(super) type Variables = Vec<(String, String)>;

/// The argument vector and the variables of a command with its values and ports. Every value has to be wanted; ports need not.
pub(super) fn fill(
    declaration: &Declaration,
    values: &Map<String, Value>,
    ports: &BTreeMap<String, u16>,
) -> Result<(Vec<String>, Variables), String> {
    if let Some(name) = values.keys().find(|name| ports.contains_key(*name)) {
        return Err(format!("{name} is a port of the command, which nobody else chooses"));
    }
    let mut variables: Vec<_> = ports.iter().map(|(name, port)| (name.clone(), port.to_string())).collect();
    match &declaration.run {
        Run::Shell(text) => {
            for (name, value) in values {
                if !is_variable(name) || declaration.env.contains(name) {
                    return Err(format!("{name:?} cannot be the name of a value of this command"));
                }
                // What the text does not ask for may still mean something to a program: MAKEFLAGS, TAR_OPTIONS.
                if !mentions(text, name) {
                    return Err(no_place(name));
                }
                variables.push((name.clone(), scalar(name, value)?));
            }
            // What is missing is an error there too.
            Ok((vec!["/bin/sh".to_owned(), "-uc".to_owned(), text.clone()], variables))
        }
        Run::Argv(parts) => {
            let mut all = values.clone();
            all.extend(ports.iter().map(|(name, port)| (name.clone(), (*port).into())));
            let (mut argv, mut used) = (Vec::new(), HashSet::new());
            for part in parts {
                if let Some(name) = part.strip_prefix("${...").and_then(|rest| rest.strip_suffix('}')) {
                    let (name, is_optional) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
                    if is_optional && !all.contains_key(name) {
                        continue;
                    }
                    used.insert(name.to_owned());
                    let Value::Array(items) = value(name, &all)? else {
                        return Err(format!("the value of {name} is no list"));
                    };
                    for item in items {
                        let item = scalar(name, item)?;
                        refuse_option(declaration, part, &item)?;
                        argv.push(item);
                    }
                    continue;
                }
                let filled = filled(part, &all, &mut used)?;
                // Where the first thing in it is a value, be that an empty one before another.
                if part.starts_with("${") {
                    refuse_option(declaration, part, &filled)?;
                }
                argv.push(filled);
            }
            match values.keys().find(|name| !used.contains(*name)) {
                Some(name) => Err(no_place(name)),
                None => Ok((argv, variables)),
            }
        }
    }
}

fn no_place(name: &str) -> String {
    let hint = match name {
        "stdin" | "timeoutMs" | "signal" => {
            format!(
                ": it is an option, and options are the third argument, as in commands.run(name, {{}}, {{ {name} }})"
            )
        }
        _ => String::new(),
    };
    format!("the command has no place for {name}{hint}")
}

/// Whether a text for the shell has `$name` or `${name` in it.
fn mentions(text: &str, name: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices('$').any(|(at, _)| {
        let rest = &text[at + 1..];
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        rest.strip_prefix(name).is_some_and(|after| !after.starts_with(is_of_name))
    })
}

fn refuse_option(declaration: &Declaration, part: &str, filled: &str) -> Result<(), String> {
    if !filled.starts_with('-') || declaration.allow_options {
        return Ok(());
    }
    Err(format!(
        "the argument {part} would be {filled:?}, which begins with - and would be taken for an option; the declaration's allowOptions permits that"
    ))
}

/// One argument.
fn filled(part: &str, values: &Map<String, Value>, used: &mut HashSet<String>) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), part);
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').ok_or_else(|| format!("{part:?} has a ${{ without its }}"))?;
        out.push_str(before);
        out.push_str(&scalar(name, value(name, values)?)?);
        used.insert(name.to_owned());
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn argv(parts: &[&str], values: Value) -> Result<Vec<String>, String> {
        let parts = parts.iter().map(|part| (*part).to_owned()).collect();
        let Value::Object(values) = values else { unreachable!("an object") };
        fill(&Declaration::new(Run::Argv(parts)), &values, &BTreeMap::new()).map(|(argv, _)| argv)
    }

    #[test]
    fn values_are_inert_in_an_argument_vector() {
        for text in ["a b", "'\"", "$(id)", "`id`", "a\nb", "*", "; rm -rf /", "${other}", "\\"] {
            assert_eq!(
                argv(&["p", "x", "${v}"], json!({"v": text})),
                Ok(vec!["p".into(), "x".into(), text.into()]),
                "{text}"
            );
        }
        assert_eq!(argv(&["p", "--port=${port}"], json!({"port": 80})), Ok(vec!["p".into(), "--port=80".into()]));
        assert_eq!(argv(&["p", "${...all}"], json!({"all": ["a", 1]})), Ok(vec!["p".into(), "a".into(), "1".into()]));
        assert_eq!(argv(&["p", "${...all?}"], json!({})), Ok(vec!["p".into()]));
    }

    #[test]
    fn what_is_missing_wrong_or_would_be_an_option_is_refused() {
        for (parts, values, why) in [
            (&["p", "${v}"][..], json!({}), "there is no value for v"),
            (&["p", "${v}"], json!({"v": null}), "no text, number or boolean"),
            (&["p", "${v}"], json!({"v": {}}), "no text, number or boolean"),
            (&["p", "${v}"], json!({"v": "--help"}), "taken for an option"),
            (&["p", "${a}${v}"], json!({"a": "", "v": "-x"}), "taken for an option"),
            (&["p", "${...v}"], json!({"v": ["a", "--output=x"]}), "taken for an option"),
            (&["p", "${v}"], json!({"v": "a\0b"}), "a NUL"),
            (&["p"], json!({"v": "a"}), "no place for v"),
            (&["p", "${...v}"], json!({"v": "a"}), "is no list"),
        ] {
            let error = argv(parts, values).expect_err(why);
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn values_of_a_shell_command_are_variables_and_never_text() {
        let declaration = Declaration::new(Run::Shell("echo \"$v\"".to_owned()));
        let filled = |values: Value| match values {
            Value::Object(values) => fill(&declaration, &values, &BTreeMap::new()),
            _ => unreachable!("an object"),
        };
        let (argv, variables) = filled(json!({"v": "$(id) '\" `x`"})).expect("values");
        assert_eq!((argv[2].as_str(), variables), ("echo \"$v\"", vec![("v".to_owned(), "$(id) '\" `x`".to_owned())]));
        for name in ["PATH", "LD_PRELOAD", "IFS", "1a", "a-b", "", "ENV"] {
            assert!(filled(json!({ name: "x" })).is_err(), "{name}");
        }
    }

    #[test]
    fn a_shell_command_gets_the_values_that_its_text_asks_for_and_no_other() {
        for (name, is_asked) in
            [("a", true), ("b", true), ("c", true), ("d", false), ("ab", false), ("MAKEFLAGS", false)]
        {
            assert_eq!(mentions("echo \"$a\" ${b:-x} $c/d $abc", name), is_asked, "{name}");
        }
        let mut declaration = Declaration::new(Run::Shell("send \"$TOKEN\" to \"$URL\" $x".to_owned()));
        declaration.env = vec!["TOKEN".to_owned(), "URL".to_owned()];
        for name in ["URL", "MAKEFLAGS", "TAR_OPTIONS"] {
            let values = Map::from_iter([(name.to_owned(), json!("x"))]);
            assert!(fill(&declaration, &values, &BTreeMap::new()).is_err(), "{name}");
        }
    }

    #[test]
    fn ports_are_values_and_variables_and_nobody_else_chooses_them() {
        let declaration = Declaration::new(Run::Argv(vec!["p".to_owned(), "${web}".to_owned()]));
        let ports = BTreeMap::from([("web".to_owned(), 4000), ("other".to_owned(), 4001)]);
        let (argv, variables) = fill(&declaration, &Map::new(), &ports).expect("it is filled");
        assert_eq!(argv, ["p", "4000"]);
        assert_eq!(variables, [("other".to_owned(), "4001".to_owned()), ("web".to_owned(), "4000".to_owned())]);
        let chosen = Map::from_iter([("web".to_owned(), json!(80))]);
        assert!(fill(&declaration, &chosen, &ports).is_err());
    }
}
