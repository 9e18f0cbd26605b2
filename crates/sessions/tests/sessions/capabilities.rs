//! What a script puts on the prototypes of the language changes nothing of what a plugin asks its capabilities for: the plugin gets what it has asked for,
//! or an error.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use perennial_sessions::bundler::MemoryFiles;
use perennial_sessions::net::Network;
use perennial_sessions::{Allow, PluginOptions, PluginSet, RunRequest, SessionTable, TableConfig, use_supervisor};
use serde_json::{Value, json};

use super::net::{Names, Server};

/// Each tool asks one capability for what is written here, and returns what came of it.
const TOOLS: &str = r#"
    get: async (ctx) => (await ctx.fetch("URL/echo?a=1")).text(),
    headers: async (ctx) => (await ctx.fetch("URL/echo", { headers: { authorization: "Bearer own", "x-b": "c" } })).text(),
    pairs: async (ctx) => (await ctx.fetch("URL/echo", { headers: [["authorization", "Bearer own"]], redirect: "manual" })).text(),
    post: async (ctx) => (await ctx.fetch("URL/echo", { method: "POST", body: "what is sent" })).text(),
    bytes: async (ctx) => (await ctx.fetch(new URL("URL/echo"), { method: "PUT", body: bytes, headers: {} })).text(),
    form: async (ctx) => (await ctx.fetch("URL/echo", { method: "POST", body: new URLSearchParams([["a", "1"]]) })).text(),
    request: async (ctx) => (await ctx.fetch(new Request("URL/echo", { method: "POST", body: "b", headers: new Headers({ "x-a": "1" }) }))).text(),
    redirect: async (ctx) => String((await ctx.fetch("URL/redirect?/echo", { redirect: "manual", signal: new AbortController().signal })).status),
    read: async (ctx) => await ctx.fs.readText("data/a.txt"),
    raw: async (ctx) => { const b = await ctx.fs.readBytes("data/a.txt"); return b.length + ":" + b[0] },
    list: async (ctx) => { const l = await ctx.fs.list("data"); return l.length + l[0] + l[1] },
    run: async (ctx) => (await ctx.commands.run("say", { word: "own" })).stdout,
    input: async (ctx) => (await ctx.commands.run("cat", undefined, { stdin: "own", timeoutMs: 20000 })).stdout,
    given: async (ctx) => (await ctx.commands.run("cat", {}, { stdin: bytes })).stdout,
"#;

/// Defines `check(names, tampers)`: calls a tool as it is, and under each tamper with each of the names, and returns where what came of it was neither the
/// same nor an error.
const CHECK: &str = r#"
    const { defineProperty, deleteProperty, getOwnPropertyDescriptor, ownKeys, getPrototypeOf, apply } = Reflect;
    const tool = tools.p[TOOL], { then } = Promise.prototype, later = setTimeout;
    // `then` on a prototype is met by whoever waits: what never ends is no answer.
    const call = () => new Promise((done) => {
      try { apply(then, tool({}), [done, () => done()]) } catch { done() }
      later(done, 2000);
    });
    const first = await call();
    if (typeof first !== "string" || first === "") throw new Error("as it is: " + JSON.stringify(first));
    const changed = [];
    let count = 0, same = 0;
    const compare = (what, found) => {
      count++;
      if (found === first) same++;
      else if (typeof found === "string") changed[changed.length] = what + ": " + found;
    };
"#;

/// Properties that nobody has defined, each on the prototypes of objects and lists.
const FORGED: &str = r#"
    const evil = ["/evil", () => "/evil", ["/evil"], { evil: "/evil" }];
    for (let i = 0; i < NAMES.length; i++) for (let j = 0; j < evil.length; j++) for (const on of [Object.prototype, Array.prototype]) {
      if (Object.hasOwn(on, NAMES[i])) continue;
      defineProperty(on, NAMES[i], { __proto__: null, get() { return evil[j] }, set() {}, configurable: true });
      let found;
      try { found = await call() } finally { deleteProperty(on, NAMES[i]) }
      compare(NAMES[i] + " " + j, found);
    }
    ({ count, same, changed: changed.slice(0, 20) })
"#;

/// Functions of the language, each replaced by one that answers something else.
const REPLACED: &str = r#"
    const objects = [Object, Object.prototype, Array, Array.prototype, String, String.prototype, Number.prototype, Boolean.prototype, Symbol.prototype, Function.prototype,
      JSON, Reflect, Promise, Map.prototype, Set.prototype, WeakMap.prototype, RegExp.prototype, Uint8Array, Uint8Array.prototype, getPrototypeOf(Uint8Array),
      getPrototypeOf(Uint8Array.prototype), ArrayBuffer, ArrayBuffer.prototype, getPrototypeOf([][Symbol.iterator]()), getPrototypeOf(""[Symbol.iterator]()),
      getPrototypeOf(new Map().entries()), getPrototypeOf((function* () {})()), Error, Error.prototype, Math, Date, Number, BigInt];
    // What waits for promises is not the capability's but whoever calls it.
    const names = ["defineProperty", "race", "then"];
    for (let i = 0; i < objects.length; i++) {
      const on = objects[i], keys = ownKeys(on);
      for (let j = 0; j < keys.length; j++) for (let k = 0; k < 2; k++) {
        const key = keys[j], own = getOwnPropertyDescriptor(on, key);
        if (typeof own.value !== "function" || !own.configurable || key === "constructor" || names.indexOf(key) >= 0) continue;
        const answer = k === 0 ? "/evil" : ["/evil"];
        defineProperty(on, key, { __proto__: null, value: function () { return answer } });
        let found;
        try { found = await call() } finally { defineProperty(on, key, own) }
        compare(String(key) + " of " + i, found);
      }
    }
    for (const on of [Object.prototype, Array.prototype, String.prototype, Number.prototype, Uint8Array.prototype]) {
      on.toJSON = () => "/evil";
      const found = await call();
      delete on.toJSON;
      compare("toJSON", found);
    }
    ({ count, same, changed: changed.slice(0, 20) })
"#;

/// The names that the library uses where it serves a capability: members that it reads, and texts that are names.
fn names(tool: &str) -> Vec<String> {
    let files: &[&str] = match tool {
        "run" | "input" | "given" => &["commands", "webidl"],
        "read" | "raw" | "list" => &["fs", "fs-shared", "webidl"],
        _ => &["fetch", "request", "response", "headers", "body", "url", "webidl"],
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../js-runtime/src");
    let mut names = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(folder.join(format!("{file}.ts"))).unwrap();
        for (at, mark) in text.match_indices(['.', '"']) {
            let rest = &text[at + 1..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let is_whole = mark == "." || rest[end..].starts_with('"');
            if is_whole && rest[..end].starts_with(|c: char| c.is_ascii_lowercase()) {
                names.insert(rest[..end].to_owned());
            }
        }
    }
    names.into_iter().collect()
}

async fn table(server: &Server, folder: &Path) -> SessionTable {
    use_supervisor(env!("CARGO_BIN_EXE_perennial-supervisor"));
    std::fs::create_dir(folder.join("data")).unwrap();
    std::fs::write(folder.join("data/a.txt"), "text").unwrap();
    std::fs::write(folder.join("data/b.txt"), "other").unwrap();
    let url = format!("http://localhost:{}", server.address.port());
    let tools: String = TOOLS
        .replace("URL/", &format!("{url}/"))
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .map(|(name, run)| {
            format!(
                "{name}: {{ description: 'd', input: {{}}, run: (args, ctx) => ({})(ctx) }},\n",
                run.trim_end_matches(',')
            )
        })
        .collect();
    let commands = json!({"say": {"run": ["echo", "${word}"]}, "cat": {"run": ["cat"]}});
    let plugin = format!(
        "const bytes = new Uint8Array(2); bytes[0] = 111; bytes[1] = 107;
         export default {{ name: 'p', version: '1', description: 'd', allow: {{ net: ['{url}'], read: ['data'], commands: {commands} }}, tools: {{ {tools} }} }}"
    );
    let files = MemoryFiles::new();
    files.write("/p.js", plugin);
    let ceiling = json!({"net": [url], "read": ["data"], "commands": {"say": {"run": ["echo", "${word}"]}, "cat": {}}});
    let options = PluginOptions::default().configure(|options| {
        options.ceiling = Allow::parse(&ceiling).unwrap();
        options.base = folder.to_owned();
        options.files = Arc::new(files);
        options.environment = [("PATH".to_owned(), std::env::var("PATH").unwrap())].into();
    });
    let plugins = PluginSet::load(&["/p.js".into()], &options).await;
    assert_eq!(plugins.failures(), []);
    let known = Names::default();
    known.set("localhost", &[&["127.0.0.1"]]);
    let network = Network::new(Arc::new(known));
    SessionTable::with_config(TableConfig::default().configure(|config| {
        config.plugins = Some(plugins);
        config.network = network;
    }))
}

/// Every tool under all tampers of a kind.
async fn check(tampers: &str) {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let table = table(&server, folder.path()).await;
    for (tool, _) in TOOLS.lines().filter_map(|line| line.trim().split_once(": ")) {
        let script = format!("const TOOL = {}, NAMES = {};{CHECK}{tampers}", json!(tool), json!(names(tool)));
        let result = table.run(tool, RunRequest::new(script).with_timeout_ms(300_000)).await;
        assert_eq!(result.error, None, "{tool}");
        let found = result.value.unwrap_or(Value::Null);
        assert_eq!(found["changed"], json!([]), "{tool}");
        let (count, same) = (found["count"].as_u64().unwrap(), found["same"].as_u64().unwrap());
        // Nearly nothing of it is met at all.
        assert!(count > 300 && same * 10 > count * 8, "{tool}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_on_prototypes_changes_no_argument_of_a_capability() {
    check(FORGED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_language_s_functions_are_replaced_by_changes_no_argument_of_a_capability() {
    check(REPLACED).await;
}
