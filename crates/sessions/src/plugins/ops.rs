//! What `tools.js` asks the host.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

use perennial_bundler::Importer;
use perennial_engine::{Area, Bound, Denied, ModuleGraph, ModuleLoader, OpContext, OpError, OpTable, OpValue};
use serde_json::{Value, json};

use super::manifest::Tool;
use super::set::{Plugin, PluginSet, Set};
use crate::capability::Declared;
use crate::library::Library;
use crate::modules::{op_error, session_modules};

/// Results of a search, unless the script asks for more.
const FOUND: usize = 10;

/// Bytes of a search that are looked at, and words.
const SEARCHED: usize = 1 << 10;
const WORDS: usize = 16;

/// Specifiers of plugins begin with this; scripts cannot know it, so that none imports a plugin past its tools.
static SPECIFIER: LazyLock<String> =
    LazyLock::new(|| format!("perennial:plugins/{:016x}/", RandomState::new().hash_one("plugins")));

fn text(args: &[OpValue], index: usize) -> Result<&str, OpError> {
    args.get(index).and_then(OpValue::as_str).ok_or_else(|| OpError::type_error("a text is wanted"))
}

fn take(args: &mut [OpValue], index: usize) -> Value {
    match args.get_mut(index).map(|value| std::mem::replace(value, OpValue::Undefined)) {
        Some(OpValue::Json(value)) => value,
        Some(OpValue::Bytes(bytes)) => perennial_engine::bytes_to_json(&bytes),
        Some(OpValue::Undefined) | None => Value::Null,
    }
}

impl Set {
    fn tool(&self, plugin: &str, tool: &str) -> Result<&Tool, OpError> {
        let found = self.plugins.get(plugin).and_then(|plugin| plugin.tools.get(tool));
        found.ok_or_else(|| OpError::type_error(format!("there is no tool {plugin}.{tool}")))
    }

    /// Plugins and tools, by the numbers that the manifest gives them.
    fn numbers(&self) -> Arc<[(String, String)]> {
        let of = |(plugin, of): (&String, &Plugin)| {
            of.tools.keys().map(|tool| (plugin.clone(), tool.clone())).collect::<Vec<_>>()
        };
        self.plugins.iter().flat_map(of).collect()
    }

    fn manifest(&self, capabilities: &[Declared]) -> Value {
        let mut number = 0;
        let plugins = self.plugins.values().map(|plugin| {
            let tools = plugin.tools.iter().map(|(name, tool)| {
                let timeout = tool.timeout.map(|timeout| timeout.as_secs_f64() * 1000.0);
                let mut entry = json!({"number": number, "hasOutput": tool.output.is_some()});
                number += 1;
                if let Some(timeout) = timeout {
                    entry["timeoutMs"] = json!(timeout);
                }
                (name.clone(), entry)
            });
            let specifier = format!("{}{}", *SPECIFIER, plugin.name);
            let tools: serde_json::Map<String, Value> = tools.collect();
            (plugin.name.clone(), json!({"specifier": specifier, "version": plugin.version, "tools": tools}))
        });
        let capabilities = capabilities.iter().map(|declared| {
            let capability = &declared.capability;
            // Whether whoever embeds this serves it, instead of the library.
            let methods = if self.capabilities().is_some() { capability.methods() } else { &[] };
            json!({"key": capability.key(), "context": capability.context_key(), "maker": capability.maker(), "served": methods})
        });
        let start = self.start_limit().as_secs_f64() * 1000.0;
        let plugins: serde_json::Map<String, Value> = plugins.collect();
        json!({"startMs": start, "capabilities": capabilities.collect::<Vec<_>>(), "plugins": plugins})
    }

    /// Tools by how well their names and descriptions fit the words.
    fn search(&self, words: &str, limit: usize) -> Value {
        let words: Vec<String> = words[..words.floor_char_boundary(SEARCHED)]
            .to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(WORDS)
            .map(str::to_owned)
            .collect();
        let mut found = Vec::new();
        for plugin in self.plugins.values() {
            for (name, tool) in &plugin.tools {
                let full = format!("{}.{name}", plugin.name);
                let (title, text) = (full.to_lowercase(), tool.description.to_lowercase());
                let about = plugin.description.to_lowercase();
                let score: usize = words
                    .iter()
                    .map(|word| {
                        // Singular and plural are one.
                        let stem = word.strip_suffix('s').filter(|stem| stem.len() > 2).unwrap_or(word);
                        4 * usize::from(title.contains(stem))
                            + 2 * usize::from(text.contains(stem))
                            + usize::from(about.contains(stem))
                    })
                    .sum();
                if score > 0 || words.is_empty() {
                    found.push((score, json!({"name": full, "description": tool.description})));
                }
            }
        }
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.into_iter().take(limit).map(|(_, entry)| entry).collect()
    }

    fn describe(&self, name: &str) -> Result<Value, OpError> {
        if let Some(plugin) = self.plugins.get(name) {
            let tools: serde_json::Map<String, Value> =
                plugin.tools.iter().map(|(name, tool)| (name.clone(), json!(tool.description))).collect();
            return Ok(
                json!({"name": plugin.name, "version": plugin.version, "description": plugin.description, "tools": tools}),
            );
        }
        let (plugin, tool) = name.split_once('.').unwrap_or((name, ""));
        let Ok(tool) = self.tool(plugin, tool) else {
            let known: Vec<String> = self
                .plugins
                .values()
                .flat_map(|plugin| plugin.tools.keys().map(|tool| format!("{}.{tool}", plugin.name)))
                .collect();
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            let hint = perennial_engine::did_you_mean(name, &names);
            return Err(OpError::type_error(format!(
                "there is no tool '{}'{hint}; tools.search(\"…\") finds those there are",
                &name[..name.floor_char_boundary(SEARCHED)]
            )));
        };
        let mut entry = json!({"name": name, "description": tool.description, "input": tool.input});
        if let Some(timeout) = tool.timeout {
            entry["timeoutMs"] = json!(timeout.as_secs_f64() * 1000.0);
        }
        if let Some(output) = &tool.output {
            entry["output"] = output.clone();
        }
        Ok(entry)
    }
}

/// What scripts reach plugins by, once all that these may have been granted is declared.
pub(crate) fn declare(plugins: &PluginSet, library: &mut Library) {
    static TOOLS: LazyLock<Area> = LazyLock::new(|| Area::new("tools", &["tools"], include_str!("../../js/tools.js")));
    library.area(TOOLS.clone());
    tell(plugins, library);
    let capabilities = library.capabilities().to_vec();
    library.ops(ops(plugins, capabilities));
}

/// What is known of the plugins before any is called.
fn tell(plugins: &PluginSet, library: &mut Library) {
    if plugins.plugins().next().is_some() {
        let text = "Plugins: `await tools.PLUGIN.TOOL(args)`; tools.search(\"words\") and tools.describe(\"plugin.tool\") say more of";
        let named = plugins.plugins().map(|plugin| {
            let tools: Vec<&str> = plugin.tools.keys().map(String::as_str).collect();
            format!("{} {{ {} }} ({})", plugin.name, tools.join(", "), plugin.description)
        });
        library.tell(text, named);
    }
    if !plugins.failures().is_empty() {
        let failed = plugins
            .failures()
            .iter()
            .map(|failure| failure.path.file_stem().unwrap_or(failure.path.as_os_str()).to_string_lossy().into_owned());
        // Why is full of the host's paths, and nothing that a script can mend.
        library.tell("Plugins that could not be loaded:", failed);
    }
}

/// Plugin and tool of the number that an op is given.
fn numbered<'n>(numbers: &'n [(String, String)], args: &[OpValue]) -> Result<&'n (String, String), OpError> {
    let number = args.first().and_then(OpValue::as_f64).filter(|number| *number >= 0.0);
    let found = number.and_then(|number| numbers.get(number as usize));
    found.ok_or_else(|| OpError::type_error("there is no such tool"))
}

/// The ops behind the `tools` of these plugins.
fn ops(plugins: &PluginSet, capabilities: Vec<Declared>) -> OpTable {
    let set = |plugins: &PluginSet| plugins.0.clone();
    let (manifest, arguments, output, search, describe, capability) =
        (set(plugins), set(plugins), set(plugins), set(plugins), set(plugins), set(plugins));
    let numbers = arguments.numbers();
    let numbers_of_output = numbers.clone();
    OpTable::new()
        .sync("tools_manifest", Bound::SMALL, move |_, _| Ok(manifest.manifest(&capabilities).into()))
        .sync("tools_arguments", Bound::DATA.with_values_from(1), move |context, mut args| {
            let value = take(&mut args, 1);
            let (plugin, tool) = numbered(&numbers, &args)?;
            let name = || format!("{plugin}.{tool}");
            arguments.tool(plugin, tool)?.check_input(name, &value, &context.budget)?;
            Ok(value.into())
        })
        .sync("tools_output", Bound::DATA.with_values_from(1), move |context, mut args| {
            let value = take(&mut args, 1);
            let (plugin, tool) = numbered(&numbers_of_output, &args)?;
            let name = || format!("{plugin}.{tool}");
            output.tool(plugin, tool)?.check_output(name, &value, &context.budget)?;
            Ok(OpValue::Undefined)
        })
        .sync("tools_search", Bound::SMALL, move |_, args| {
            let words = args.first().and_then(OpValue::as_str).unwrap_or("");
            let limit = args.get(1).and_then(OpValue::as_f64).map_or(FOUND, |limit| limit.clamp(0.0, 1000.0) as usize);
            Ok(search.search(words, limit).into())
        })
        .sync("tools_describe", Bound::SMALL, move |_, args| Ok(describe.describe(text(&args, 0)?)?.into()))
        .asynchronous("tools_served", Bound::bytes(66 << 20), move |_, mut args| {
            let set = capability.clone();
            Box::pin(async move {
                let given = take(&mut args, 3);
                let (name, key, method) = (text(&args, 0)?, text(&args, 1)?, text(&args, 2)?);
                let plugin = set.plugins.get(name).ok_or_else(|| OpError::type_error("there is no such plugin"))?;
                let Some(capabilities) = set.capabilities().filter(|_| plugin.granted.get(key).is_some()) else {
                    return Err(Denied::in_allow(format!("{key} for plugin {name}"), key, name).into());
                };
                let given = match given {
                    Value::Array(items) => items.into_iter().map(OpValue::Json).collect(),
                    _ => Vec::new(),
                };
                let called = capabilities.call(name, &plugin.granted, &format!("{key}.{method}"), given).await;
                called.map_err(|error| match error.denied {
                    Some(denied) if denied.plugin.is_none() => denied.to_plugin(name).into(),
                    denied => OpError { denied, ..error },
                })
            })
        })
}

/// What loads the modules of sessions with these plugins.
pub(crate) fn loader(plugins: &PluginSet) -> Option<Arc<dyn ModuleLoader>> {
    Some(Arc::new(PluginModules(plugins.clone())))
}

/// Finds the modules of plugins, and of sessions besides.
struct PluginModules(PluginSet);

impl ModuleLoader for PluginModules {
    fn load(
        &self,
        context: &OpContext,
        importer: Option<&str>,
        specifier: &str,
        kind: Option<&str>,
    ) -> Result<Arc<ModuleGraph>, OpError> {
        let plugins = &self.0.0.plugins;
        match importer {
            None => {
                if let Some(plugin) = specifier.strip_prefix(&**SPECIFIER).and_then(|name| plugins.get(name)) {
                    // As it is now: a new VM has what was edited since the plugin was loaded.
                    return plugin.graph(&context.budget).map_err(|error| op_error(&error));
                }
            }
            Some(key) => {
                // What a plugin's module imports while it runs is looked for where the plugin is.
                if let Some(plugin) = plugins.values().find(|plugin| plugin.loader.knows(key)) {
                    return session_modules().load_with(
                        &plugin.loader,
                        Importer::Module(key),
                        specifier,
                        kind,
                        &context.budget,
                    );
                }
            }
        }
        session_modules().load(context, importer, specifier, kind)
    }
}
