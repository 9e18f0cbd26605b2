//! What works here, for scripts that look for what works elsewhere.

use perennial_engine::Extensions;
#[cfg(feature = "net")]
use perennial_stdlib::net::Secrets;
use perennial_stdlib::node::Environment;

use crate::plugins::PluginSet;

/// What is said of a name that is not there.
pub(crate) fn advise(path: &str, granted: &Extensions, plugins: &PluginSet) -> Option<String> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let text = match first {
        "require" => {
            "modules are imported, as in `import { join } from \"node:path\"` or `await import(\"node:path\")`; files need none: `await fs.readFile(path, \"utf8\")`"
        }
        "module" | "exports" => "what a cell gives is what it returns, or the value of its last expression",
        "__dirname" | "__filename" => "scripts have no file; `fs.cwd()` is the working directory",
        "document" | "window" | "localStorage" | "sessionStorage" | "XMLHttpRequest" | "alert" | "HTMLElement" => {
            "there is no page here; `fetch` makes requests, `fs` and `vars` keep things"
        }
        "page" | "context" | "browser" | "expect" => {
            "it is not here; `typeof page` says whether this run was lent a browser, and `perennial types` what that has"
        }
        "Deno" | "Bun" => {
            "files are `fs.readFile` and the like, requests `fetch`, variables `process.env`, programs `commands.run`"
        }
        "Intl" => "there is no Intl; numbers have `toFixed`, dates `toISOString`, texts `localeCompare`",
        "WebSocket" | "EventSource" => "requests are made by `fetch`, whose `body` is a stream",
        "fs" if rest.starts_with("promises") => {
            "the functions of `fs` give promises themselves, as in `await fs.readFile(path, \"utf8\")`"
        }
        "fs" if matches!(rest, "createReadStream" | "createWriteStream") => {
            "`await fs.open(path)` gives a handle that reads and writes parts"
        }
        "artifacts" => "artifacts have `write(name, textOrBytes)`, `read`, `list` and `remove`",
        "secrets" => return Some(secrets(granted)),
        "process" if rest.starts_with("env.") => return environment(&rest["env.".len()..], granted),
        "tools" => return tools(rest, plugins),
        first if is_plugin(first, plugins) => return Some(format!("a plugin's tools are `tools.{path}`")),
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(feature = "modules")]
fn is_plugin(name: &str, plugins: &PluginSet) -> bool {
    plugins.plugins().any(|plugin| plugin.name == name)
}

#[cfg(not(feature = "modules"))]
fn is_plugin(_: &str, _: &PluginSet) -> bool {
    false
}

fn list(names: &[&str]) -> String {
    const MOST: usize = 20;
    let more = if names.len() > MOST { format!(", … and {} more", names.len() - MOST) } else { String::new() };
    format!("{}{more}", names[..names.len().min(MOST)].join(", "))
}

#[cfg(feature = "net")]
fn secret_names(granted: &Extensions) -> Vec<String> {
    granted.get::<Secrets>().map_or_else(Vec::new, |secrets| secrets.iter().map(|(name, _)| name.to_owned()).collect())
}

#[cfg(not(feature = "net"))]
fn secret_names(_: &Extensions) -> Vec<String> {
    Vec::new()
}

fn secrets(granted: &Extensions) -> String {
    let names = secret_names(granted);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match names.first() {
        Some(first) => format!("a secret is used as `perennial.secret(\"{first}\")`; granted: {}", list(&names)),
        None => "a secret is used as `perennial.secret(\"NAME\")`; none was granted".to_owned(),
    }
}

fn environment(name: &str, granted: &Extensions) -> Option<String> {
    if secret_names(granted).iter().any(|known| known == name) {
        return Some(format!("it is a secret, which is used and never seen: `perennial.secret(\"{name}\")`"));
    }
    let environment = granted.get::<Environment>();
    let names: Vec<&str> = environment.iter().flat_map(|environment| environment.names()).collect();
    Some(match names[..] {
        [] => format!("no variable was granted; {}", secrets(granted)),
        _ => format!("process.env has {}", list(&names)),
    })
}

#[cfg(feature = "modules")]
fn tools(path: &str, plugins: &PluginSet) -> Option<String> {
    let (name, tool) = path.split_once('.').unwrap_or((path, ""));
    let failed = plugins.failures().iter().find(|failure| failure.path.file_stem().is_some_and(|stem| stem == name));
    if failed.is_some() {
        // Why is full of the host's paths, and nothing that a script can mend.
        return Some("the plugin could not be loaded".to_owned());
    }
    let known = plugins.plugins().find(|plugin| plugin.name == name);
    let (there, of) = match known {
        // One of another name, perhaps.
        Some(plugin) if tool.is_empty() || plugin.tools.contains_key(tool.split('.').next().unwrap_or(tool)) => {
            return None;
        }
        Some(plugin) => (plugin.tools.keys().map(String::as_str).collect::<Vec<_>>(), format!("tools.{name} has")),
        None => (plugins.plugins().map(|plugin| &*plugin.name).collect(), "tools has".to_owned()),
    };
    let hint = perennial_engine::did_you_mean(if known.is_some() { tool } else { name }, &there);
    Some(match there[..] {
        [] => "there are no plugins".to_owned(),
        _ => format!("{of} {}{hint}", list(&there)),
    })
}

#[cfg(not(feature = "modules"))]
fn tools(_: &str, _: &PluginSet) -> Option<String> {
    Some("there are no plugins".to_owned())
}
