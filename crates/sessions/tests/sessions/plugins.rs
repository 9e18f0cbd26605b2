use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use perennial_sessions::bundler::{FileSystem, Loader, LoaderOptions, MemoryFiles, Stat};
use perennial_sessions::protocol::{ErrorKind, RebuildReason, VmOrigin};
use perennial_sessions::{
    Allow, Capabilities, ModuleAccess, OpError, OpFuture, OpValue, PluginOptions, PluginSet, RunContext, RunRequest,
    ScriptError, SessionTable, TableConfig, use_supervisor,
};
use serde_json::{Value, json};

const HTML: &str = r#"import { definePlugin, defineTool } from "perennial:plugin";
import { words } from "./words.ts";

let started = 0;
export default definePlugin({
  name: "html", version: "1.2.0", description: "Reads HTML pages",
  tools: {
    count: defineTool({
      description: "Counts the words of a text",
      input: { type: "object", properties: { text: { type: "string" }, limit: { type: "integer", minimum: 1 } }, required: ["text"], additionalProperties: false },
      output: { type: "integer" },
      run({ text, limit = 1000 }: { text: string; limit?: number }): number { return Math.min(words(text).length, limit) },
    }),
    fail: defineTool({
      description: "Always fails",
      input: { type: "object" },
      async run() {
        await null;
        throw new RangeError("inside the tool")
      },
    }),
    wrong: defineTool({ description: "Returns what it should not", input: {}, output: { type: "string" }, run: () => 5 }),
    started: defineTool({ description: "How often the plugin was set up", input: {}, run: () => started }),
    slow: defineTool({ description: "Never ends", input: {}, timeoutMs: 20, run: () => new Promise(() => {}) }),
  },
  setup(ctx: any) { started++ },
});
"#;

fn files() -> MemoryFiles {
    let files = MemoryFiles::new();
    files.write("/plugins/html/plugin.ts", HTML);
    files.write("/plugins/html/words.ts", "export const words = (text: string) => text.split(/\\s+/).filter(Boolean)");
    files
}

fn plugin(name: &str, rest: &str) -> String {
    format!("export default {{ name: {name:?}, version: '1', description: 'd', {rest} }}")
}

const TOOL: &str = "tools: { t: { description: 't', input: {}, run: () => 't' } }";

async fn load(files: &MemoryFiles, paths: &[&str]) -> PluginSet {
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    PluginSet::load(
        &paths,
        &PluginOptions::default().configure(|options| {
            options.files = Arc::new(files.clone());
            options.deadline = Duration::from_millis(500);
        }),
    )
    .await
}

fn table(plugins: &PluginSet) -> SessionTable {
    SessionTable::with_config(TableConfig::default().configure(|config| config.plugins = Some(plugins.clone())))
}

async fn run(table: &SessionTable, script: &str) -> Value {
    let result = table.run("s", RunRequest::new(script)).await;
    assert!(result.error.is_none(), "{script}: {:?}", result.error);
    result.value.unwrap_or(Value::Null)
}

async fn fail(table: &SessionTable, script: &str) -> ScriptError {
    *table.run("s", RunRequest::new(script)).await.error.unwrap_or_else(|| panic!("{script} should fail"))
}

#[tokio::test]
async fn scripts_call_the_tools_of_a_plugin() {
    let plugins = load(&files(), &["/plugins/html"]).await;
    assert_eq!(plugins.failures(), []);
    let table = table(&plugins);
    assert_eq!(run(&table, "await tools.html.count({ text: 'a b  c' })").await, json!(3));
    assert_eq!(
        run(&table, "await Promise.all([tools.html.count({ text: 'a b c', limit: 2 }), tools.html.started({})])").await,
        json!([2, 1])
    );
    assert_eq!(run(&table, "Object.keys(tools.html).join()").await, json!("count,fail,slow,started,wrong"));
}

#[tokio::test]
async fn arguments_and_results_are_checked_and_the_error_says_where_and_what() {
    let plugins = load(&files(), &["/plugins/html"]).await;
    let table = table(&plugins);
    let error = fail(&table, "await tools.html.count({ text: 'a', limit: 'x' })").await;
    assert_eq!(
        (&*error.name, &*error.message),
        ("TypeError", "html.count: args.limit: \"x\" is not of type \"integer\"")
    );
    let error = fail(&table, "await tools.html.count({})").await;
    assert_eq!(error.message, "html.count: args: \"text\" is a required property");
    let error = fail(&table, "await tools.html.count()").await;
    assert_eq!(error.message, "html.count: args: \"text\" is a required property");
    let error = fail(&table, "await tools.html.count({ text: 'a', typo: 1 })").await;
    assert!(error.message.contains("typo"), "{}", error.message);
    let error = fail(&table, "await tools.html.wrong({})").await;
    assert_eq!(
        error.message,
        "html.wrong returned what its schema does not allow: result: 5 is not of type \"string\""
    );
    let error = fail(&table, "await tools.html.count({ text: () => 1 })").await;
    assert_eq!(error.name, "TypeError");
}

#[tokio::test]
async fn what_a_handler_throws_says_where_in_the_plugin() {
    let plugins = load(&files(), &["/plugins/html"]).await;
    let table = table(&plugins);
    let error = fail(&table, "await tools.html.fail({})").await;
    assert_eq!((&*error.name, &*error.message), ("RangeError", "inside the tool"));
    assert_eq!(
        (error.file.as_deref(), error.line, error.column),
        (Some("/plugins/html/plugin.ts"), Some(19), Some(19))
    );
    assert!(error.excerpt.is_some_and(|excerpt| excerpt.contains("throw new RangeError")));
    let error = fail(&table, "await tools.html.slow({})").await;
    assert_eq!(error.message, "html.slow took longer than 20 ms");
}

#[tokio::test]
async fn models_find_their_way_with_search_and_describe() {
    let plugins = load(&files(), &["/plugins/html"]).await;
    let table = table(&plugins);
    let found = run(&table, "tools.search('count words')").await;
    assert_eq!(found[0], json!({"name": "html.count", "description": "Counts the words of a text"}));
    assert_eq!(run(&table, "tools.search('zebra')").await, json!([]));
    let described = run(&table, "tools.describe('html.count')").await;
    assert_eq!(
        (&described["output"], &described["input"]["required"]),
        (&json!({"type": "integer"}), &json!(["text"]))
    );
    assert_eq!(run(&table, "tools.describe('html').version").await, json!("1.2.0"));
    let error = fail(&table, "tools.describe('html.cuont')").await;
    assert_eq!(
        error.message,
        "there is no tool 'html.cuont' (did you mean 'html.count'?); tools.search(\"…\") finds those there are"
    );
}

#[tokio::test]
async fn a_session_without_plugins_has_no_tools() {
    let table = SessionTable::new(1, Duration::from_secs(60));
    assert_eq!(run(&table, "[Object.keys(tools), tools.search('x')]").await, json!([["search", "describe"], []]));
}

#[tokio::test]
async fn a_broken_plugin_is_told_of_and_breaks_no_other() {
    let files = files();
    for (name, source) in [
        ("loops", "for (;;) {}"),
        ("waits", "await new Promise(() => {})"),
        ("throws", "throw new TypeError('at the top')"),
        ("syntax", "export default {"),
        ("nothing", "export const a = 1"),
        ("imports", "import './gone.ts'"),
        ("outside", "import '../html/words.ts'"),
        ("allow", &plugin("allowed", &format!("allow: {{ nett: [] }}, {TOOL}"))),
        ("keys", &plugin("keys", &format!("toolz: {{}}, {TOOL}"))),
        ("schema", &plugin("schema", "tools: { t: { description: 't', input: { type: 'nothing' }, run() {} } }")),
        ("reserved", &plugin("search", TOOL)),
        ("badname", &plugin("Bad-Name", TOOL)),
        ("taken", &plugin("html", TOOL)),
        ("norun", &plugin("norun", "tools: { t: { description: 't', input: {} } }")),
    ] {
        files.write(format!("/plugins/{name}/plugin.ts"), source);
    }
    let names = [
        "html", "loops", "waits", "throws", "syntax", "nothing", "imports", "outside", "allow", "keys", "schema",
        "reserved", "badname", "taken", "norun", "missing",
    ];
    let paths: Vec<String> = names.iter().map(|name| format!("/plugins/{name}")).collect();
    let plugins = load(&files, &paths.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let failures: Vec<String> = plugins.failures().iter().map(ToString::to_string).collect();
    let expected = [
        "loops: it did not come to an end within 500ms when it was evaluated (timeout)",
        "waits: it did not come to an end within 500ms when it was evaluated (timeout)",
        "throws: TypeError: at the top (/plugins/throws/plugin.ts:1:11)",
        "syntax: unexpected end of the script",
        "nothing: TypeError: the module has no default export made by definePlugin({ … })",
        "imports: cannot import './gone.ts' at /plugins/imports/plugin.ts:1:8: not found",
        "outside: cannot import '../html/words.ts' at /plugins/outside/plugin.ts:1:8: /plugins/html/words.ts is outside",
        "allow: allow: there is no 'nett' (did you mean 'net'?)",
        "keys: a plugin has no 'toolz' (did you mean 'tools'?)",
        "schema: tools.t.input",
        "reserved: name: 'search' is reserved",
        "badname: name: 'Bad-Name' is no name",
        "taken: its name 'html' is taken by /plugins/html",
        "norun: tools.t.run: not a function",
        "missing: ",
    ];
    assert_eq!(failures.len(), expected.len(), "{failures:#?}");
    for (failure, expected) in failures.iter().zip(expected) {
        assert!(
            failure.starts_with(&format!("plugin /plugins/{expected}")),
            "{failure}\nshould begin with\n{expected}"
        );
    }
    assert_eq!(run(&table(&plugins), "await tools.html.count({ text: 'a b' })").await, json!(2));
}

#[tokio::test]
async fn a_rebuilt_vm_has_its_plugins_and_reloading_brings_a_new_one() {
    let files = files();
    let plugins = load(&files, &["/plugins/html"]).await;
    let table = table(&plugins);
    assert_eq!(run(&table, "globalThis.mine = 1; await tools.html.started({})").await, json!(1));
    let stopped = table.run("s", RunRequest::new("for (;;) {}").with_timeout_ms(30)).await;
    assert_eq!(stopped.error.unwrap().kind, ErrorKind::Timeout);
    let again = table.run("s", RunRequest::new("await tools.html.count({ text: 'a b' })")).await;
    assert_eq!((again.vm, again.value), (Some(VmOrigin::Rebuilt), Some(json!(2))));
    // What is edited is there in the next VM; what the plugin says of itself, after a reload.
    files.write("/plugins/html/words.ts", "export const words = (text: string) => [...text]");
    assert_eq!(run(&table, "await tools.html.count({ text: 'a b' })").await, json!(2));
    assert!(table.reset("s").await);
    assert_eq!(run(&table, "await tools.html.count({ text: 'a b' })").await, json!(3));
    files.write(
        "/plugins/html/plugin.ts",
        HTML.replace("Counts the words of a text", "Counts letters").replace("1.2.0", "1.3.0"),
    );
    assert_eq!(run(&table, "tools.describe('html').version").await, json!("1.2.0"));
    assert_eq!(table.reload_plugins().await.unwrap().failures(), []);
    let reloaded = table.run("s", RunRequest::new("tools.describe('html').version")).await;
    assert_eq!((reloaded.rebuilt_because, reloaded.value), (Some(RebuildReason::Config), Some(json!("1.3.0"))));
}

/// Files of which one reading waits until it is let go on.
struct Held {
    files: MemoryFiles,
    /// Says that it waits, and is told to go on.
    once: Mutex<Option<(mpsc::Sender<()>, mpsc::Receiver<()>)>>,
}

impl FileSystem for Held {
    fn stat(&self, path: &Path, follow: bool) -> std::io::Result<Stat> {
        self.files.stat(path, follow)
    }

    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        let once = self.once.lock().unwrap().take();
        if let Some((waits, go_on)) = once {
            waits.send(()).unwrap();
            go_on.recv().unwrap();
        }
        self.files.read(path)
    }

    fn read_link(&self, path: &Path) -> std::io::Result<PathBuf> {
        self.files.read_link(path)
    }

    fn canonicalize(&self, path: &Path) -> std::io::Result<PathBuf> {
        self.files.canonicalize(path)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_that_are_given_while_others_are_loaded_again_stay() {
    let held = Arc::new(Held { files: files(), once: Mutex::default() });
    let options = PluginOptions::default().configure(|options| options.files = held.clone());
    let first = PluginSet::load(&["/plugins/html".into()], &options).await;
    let table = table(&first);
    // What is loaded again is read, since it has changed.
    held.files.write("/plugins/html/words.ts", "export const words = (text: string) => [...text]");
    let ((waits, waiting), (let_go, go_on)) = (mpsc::channel(), mpsc::channel());
    *held.once.lock().unwrap() = Some((waits, go_on));
    let reloading = tokio::spawn({
        let table = table.clone();
        async move { table.reload_plugins().await }
    });
    tokio::task::spawn_blocking(move || waiting.recv_timeout(Duration::from_secs(20))).await.unwrap().unwrap();
    let other = PluginSet::load(&[], &PluginOptions::default()).await;
    table.set_plugins(&other).unwrap();
    let_go.send(()).unwrap();
    let reloaded = reloading.await.unwrap().unwrap();
    assert_eq!((reloaded.plugins().count(), table.plugins().plugins().count()), (0, 0));
}

#[tokio::test]
async fn scripts_cannot_import_a_plugin_past_its_tools() {
    let plugins = load(&files(), &["/plugins/html"]).await;
    let table = table(&plugins);
    for specifier in ["perennial:plugins/html", "/plugins/html/plugin.ts", "plugin"] {
        assert!(
            fail(&table, &format!("await import({specifier:?})")).await.message.starts_with("cannot import"),
            "{specifier}"
        );
    }
    assert_eq!(
        run(&table, "const { definePlugin } = await import('perennial:plugin'); typeof definePlugin").await,
        json!("function")
    );
}

/// Answers who asked and what that plugin was granted, one call after the other and in the order of how long each wants to wait.
#[derive(Default)]
struct Recording(Mutex<Vec<String>>);

impl Capabilities for Recording {
    fn call(&self, plugin: &str, granted: &Allow, method: &str, args: Vec<OpValue>) -> OpFuture {
        let host = args.first().and_then(OpValue::as_str).unwrap_or("").to_owned();
        let allowed = method != "net.fetch" || granted.items("net").contains(&host);
        self.0.lock().unwrap().push(format!("{plugin} {method} {host} {allowed}"));
        let answer = format!("{plugin}:{host}");
        Box::pin(async move {
            tokio::task::yield_now().await;
            if allowed {
                Ok(json!(answer).into())
            } else {
                Err(OpError::permission(&format!("{host} for {answer}"), "allow.net"))
            }
        })
    }
}

#[tokio::test]
async fn capabilities_are_the_plugin_s_own_whatever_runs_at_the_same_time() {
    let files = MemoryFiles::new();
    for (name, host) in [("one", "one.com"), ("two", "two.com")] {
        let source = plugin(
            name,
            &format!(
                "allow: {{ net: ['{host}', 'three.com'] }}, tools: {{ get: {{ description: 'g', input: {{}}, async run({{ host, other }}, ctx) {{
                    const first = await ctx.fetch(host);
                    await new Promise((done) => setTimeout(done, 1));
                    const inner = other ? await globalThis.tools[other].get({{ host: other + '.com' }}) : undefined;
                    const second = await ctx.fetch(host);
                    return {{ first, inner, second, fetch: typeof globalThis.fetch }};
                }} }}, steal: {{ description: 's', input: {{}}, run: (_, ctx) => {{ globalThis.stolen = ctx; return ctx.fetch('{host}') }} }},
                files: {{ description: 'f', input: {{}}, run: (_, ctx) => ctx.fs.readText('x') }} }}"
            ),
        );
        files.write(format!("/p/{name}.ts"), source);
    }
    let recording = Arc::new(Recording::default());
    let ceiling = Allow::parse(&json!({"net": ["one.com", "two.com"]})).unwrap();
    let options = PluginOptions::default().configure(|options| {
        options.ceiling = ceiling;
        options.capabilities = Some(recording.clone());
        options.files = Arc::new(files);
    });
    let plugins = PluginSet::load(&["/p/one.ts".into(), "/p/two.ts".into()], &options).await;
    assert_eq!(plugins.failures(), []);
    let withheld: Vec<String> = plugins.plugins().flat_map(|plugin| plugin.withheld.items("net")).collect();
    assert_eq!(withheld, ["three.com", "three.com"]);
    let table = table(&plugins);
    // Each within its own, interleaved at every await, one calling the other.
    let script = "const all = []; for (let i = 0; i < 20; i++) { all.push(tools.one.get({ host: 'one.com', other: 'two' }), tools.two.get({ host: 'two.com', other: 'one' })) }
        const done = await Promise.all(all); [done.length, ...new Set(done.map((d) => JSON.stringify(d)))]";
    let one = r#"{"first":"one:one.com","inner":{"first":"two:two.com","second":"two:two.com","fetch":"function"},"second":"one:one.com","fetch":"function"}"#;
    let two = r#"{"first":"two:two.com","inner":{"first":"one:one.com","second":"one:one.com","fetch":"function"},"second":"two:two.com","fetch":"function"}"#;
    assert_eq!(run(&table, script).await, json!([40, one, two]));
    assert!(
        recording.0.lock().unwrap().iter().all(|line| line.ends_with("true")),
        "no call was served with another's grants"
    );
    for (script, part) in [
        ("await tools.one.get({ host: 'two.com' })", "two.com"),
        ("await tools.one.get({ host: 'three.com' })", "three.com"),
        ("await tools.one.files({})", "read for plugin one"),
    ] {
        let error = fail(&table, script).await;
        assert_eq!(error.kind, ErrorKind::Permission, "{script}");
        assert!(error.message.contains(part), "{}", error.message);
    }
    // A plugin that gives its context away gives its own away and nobody else's.
    assert_eq!(run(&table, "await tools.one.steal({}); await stolen.fetch('one.com')").await, json!("one:one.com"));
    assert_eq!(fail(&table, "await stolen.fetch('two.com')").await.kind, ErrorKind::Permission);
}

#[tokio::test]
async fn a_plugin_that_uses_a_global_is_told_where_what_it_was_granted_is() {
    let files = MemoryFiles::new();
    let source = plugin(
        "one",
        "allow: { net: ['one.com'] }, tools: {
            lost: { description: 'l', input: {}, async run() { await fetch('https://one.com/') } },
            own: { description: 'o', input: {}, run: (_, ctx) => ctx.fetch('https://two.com/') } }",
    );
    files.write("/p/one.ts", source);
    let options = PluginOptions::default().configure(|options| {
        options.ceiling = Allow::parse(&json!({"net": ["one.com"]})).unwrap();
        options.files = Arc::new(files);
    });
    let plugins = PluginSet::load(&["/p/one.ts".into()], &options).await;
    assert_eq!(plugins.failures(), []);
    let table = table(&plugins);
    let lost = fail(&table, "await tools.one.lost()").await;
    assert_eq!(lost.kind, ErrorKind::Permission);
    let (advice, refusal) = lost.message.split_once(": ").unwrap_or_else(|| panic!("{}", lost.message));
    assert!(refusal.starts_with("GET https://one.com is not permitted; a rule"), "{refusal}");
    assert_eq!(
        advice,
        "plugin one has what it was granted itself in ctx (ctx.fs, ctx.fetch, ctx.commands), and in its globals what the script was granted"
    );
    // A script that leaves `tools` out is told where they are.
    assert_eq!(fail(&table, "one.lost()").await.message, "one is not defined: a plugin's tools are `tools.one`");
    // A refusal of its own says what it has, and nothing of globals.
    let own = fail(&table, "await tools.one.own()").await;
    assert_eq!(
        own.message,
        "GET https://two.com is not permitted; `net` in its allow, within what the operator grants in [allow], would grant it (granted: https://one.com)"
    );
    assert_eq!(run(&table, "tools.one.own().catch((error) => error.plugin)").await, json!("one"));
}

#[tokio::test]
async fn scripts_that_change_every_prototype_get_hold_of_no_plugin_s_capabilities() {
    let files = MemoryFiles::new();
    files.write("/p.ts", plugin("p", "allow: { net: ['one.com'] }, tools: { quiet: { description: 'q', input: {}, async run(args) { await null; return 'done' } }, fails: { description: 'f', input: {}, run: ({ s }, ctx) => ctx.fetch(s + '\\ud800') } }"));
    let thieves = [
        "Object.defineProperty(Object.prototype, 'setup', { get() { return (ctx) => { take(ctx) } }, configurable: true })",
        "Function.prototype.call = function (self, ...args) { args.forEach(take); return Reflect.apply(this, self, args) }",
        "Function.prototype.apply = function (self, args) { [...args].forEach(take); return Reflect.apply(this, self, args) }",
        "const apply = Reflect.apply; Reflect.apply = (f, self, args) => { args.forEach(take); return apply(f, self, args) }",
        "const then = Promise.prototype.then; Promise.prototype.then = function (ok, no) { return then.call(this, (v) => { take(v); return ok?.(v) }, no) }",
        // Whoever waits for a promise asks for its constructor.
        "const native = Promise; Reflect.defineProperty(Promise.prototype, 'constructor', { get() { watch(this); return native }, configurable: true })",
        "for (const name of ['handlers', 'ctx', 'run', 'tool', 'tools', 'then', 'default', 'setup']) Object.defineProperty(Object.prototype, name, { set(value) { take(value); take(this) }, get() { take(this) }, configurable: true })",
    ];
    for thief in thieves {
        let capabilities: Option<Arc<dyn Capabilities>> = Some(Arc::new(Recording::default()));
        let ceiling = Allow::parse(&json!({"net": ["one.com"]})).unwrap();
        let options = PluginOptions::default().configure(|options| {
            options.ceiling = ceiling;
            options.capabilities = capabilities;
            options.files = Arc::new(files.clone());
        });
        let plugins = PluginSet::load(&["/p.ts".into()], &options).await;
        let table = table(&plugins);
        let script = format!(
            "const seen = new Set();
             function take(value, depth = 0) {{
               if (value === null || typeof value !== 'object' && typeof value !== 'function' || seen.has(value) || depth > 4) return;
               seen.add(value);
               for (const key of Reflect.ownKeys(value)) {{ const own = Object.getOwnPropertyDescriptor(value, key); if (Object.hasOwn(own, 'value')) take(own.value, depth + 1) }}
             }}
             const watched = [], nativeThen = Promise.prototype.then;
             function watch(promise) {{ if (!watched.includes(promise)) {{ watched.push(promise); Reflect.apply(nativeThen, promise, [take, take]) }} }}
             {thief};
             const results = [];
             for (let i = 0; i < 2; i++) results.push(await tools.p.quiet({{}}));
             results.join() + [...seen].some((value) => Object.hasOwn(value, 'fetch') && value !== globalThis)"
        );
        assert_eq!(run(&table, &script).await, json!("done,donefalse"), "{thief}");
    }
}

#[tokio::test]
async fn a_setup_that_never_ends_is_waited_for_no_longer_than_a_call_may_take() {
    let files = MemoryFiles::new();
    let never = "setup: () => new Promise(() => {}), tools: { quick: { description: 'q', input: {}, timeoutMs: 20, run: () => 1 }, plain: { description: 'p', input: {}, run: () => 1 } }";
    files.write("/never.ts", plugin("never", never));
    let flaky = "setup() { globalThis.tries = (globalThis.tries ?? 0) + 1; if (tries < 2) throw new Error('not yet') }, tools: { get: { description: 'g', input: {}, run: () => tries } }";
    files.write("/flaky.ts", plugin("flaky", flaky));
    let options = PluginOptions::default().configure(|options| {
        options.files = Arc::new(files);
        options.deadline = Duration::from_millis(300);
    });
    let plugins = PluginSet::load(&["/never.ts".into(), "/flaky.ts".into()], &options).await;
    let table = table(&plugins);
    let error = fail(&table, "await tools.never.quick({})").await;
    assert_eq!(error.message, "never.quick took longer than 20 ms");
    let error = fail(&table, "await tools.never.plain({})").await;
    assert_eq!(error.message, "plugin never did not start: its setup took longer than 300 ms");
    assert_eq!(fail(&table, "await tools.flaky.get({})").await.message, "plugin flaky did not start: not yet");
    assert_eq!(
        run(&table, "[await tools.flaky.get({}), await tools.flaky.get({})]").await,
        json!([2, 2]),
        "once it has started it stays so"
    );
}

#[tokio::test]
async fn odd_numbers_and_names_are_what_they_are() {
    let files = MemoryFiles::new();
    let halve = "tools: { halve: { description: 'h', input: { type: 'object', properties: { n: { type: 'number' } } }, output: { type: 'number' }, run: ({ n }) => n / 2 } }";
    files.write("/halve.ts", plugin("halve", halve));
    for (name, rest) in [
        ("nan", "tools: { t: { description: 't', input: {}, timeoutMs: NaN, run: () => 1 } }"),
        (
            "proto",
            "tools: { ['__proto__']: { description: 't', input: {}, run: () => 1 }, u: { description: 'u', input: {}, run: () => 1 } }",
        ),
        ("several", "tools: { a: null, b: { input: 5, run: () => 1 } }"),
    ] {
        files.write(format!("/{name}.ts"), plugin(name, rest));
    }
    let plugins = load(&files, &["/halve.ts", "/nan.ts", "/proto.ts", "/several.ts"]).await;
    let said: Vec<String> = plugins.failures().iter().map(|failure| failure.problems.join("; ")).collect();
    assert!(said[0].contains("timeoutMs: \"NaN\" is no number of milliseconds"), "{said:?}");
    assert!(said[1].contains("tools.__proto__: no name for a tool"), "{said:?}");
    assert!(
        said[2].contains("tools.a: not made by defineTool") && said[2].contains("tools.b.description: missing"),
        "{said:?}"
    );
    let table = table(&plugins);
    assert_eq!(run(&table, "Object.is(await tools.halve.halve({ n: -0 }), -0)").await, json!(true));
    assert!(fail(&table, "await tools.halve.halve({ n: NaN })").await.message.contains("is not of type"));
}

#[tokio::test]
async fn the_call_sites_of_an_error_hand_out_no_function() {
    let files = MemoryFiles::new();
    files.write("/p.ts", plugin("p", "allow: { net: ['one.com'] }, tools: { fails: { description: 'f', input: {}, run: (_, ctx) => ctx.fetch('\\ud800') } }"));
    let table = table(&load(&files, &["/p.ts"]).await);
    let script = "const files = new Set(), functions = [];
        Error.prepareStackTrace = (_, sites) => { for (const site of sites) { files.add(site.getFileName()); try { functions.push(site.getFunction()) } catch {} } return '' };
        await tools.p.fails({}).catch((error) => error.stack);
        [files.has('perennial:tools'), functions.length, 'getFunction' in Object.getPrototypeOf(sitesOf(new Error('x'))[0])];
        function sitesOf(error) { Error.prepareStackTrace = (_, sites) => sites; return new Error('y').stack }";
    assert_eq!(run(&table, script).await, json!([true, 0, false]));
}

#[tokio::test]
async fn a_script_that_imports_a_plugin_s_file_gets_a_module_of_its_own() {
    let files = MemoryFiles::new();
    files.write("/app/p.ts", plugin("p", TOOL));
    let options = PluginOptions::default().configure(|options| options.files = Arc::new(files.clone()));
    // As the operator may name it: positions call both the same.
    let plugins = PluginSet::load(&["/app/p.ts".into()], &options).await;
    let table = table(&plugins);
    let loader_options = LoaderOptions::default().configure(|options| {
        options.roots = vec!["/app".into()];
        options.label = Some("/app".into());
    });
    let access = ModuleAccess::new(Loader::new(Arc::new(files), loader_options), "/app");
    let script = "import p from './p.ts'; p.tools.t.run = (_, ctx) => { globalThis.stolen = ctx; return 'changed' }; [await tools.p.t({}), typeof stolen]";
    let result = table.run_with("s", RunRequest::new(script), RunContext::new().grant(access)).await;
    assert_eq!(result.value, Some(json!(["t", "undefined"])), "{result:?}");
}

#[tokio::test]
async fn a_plugin_reads_what_it_was_granted_of_the_host_and_nothing_else() {
    let base = tempfile::tempdir().unwrap();
    std::fs::create_dir(base.path().join("data")).unwrap();
    std::fs::write(base.path().join("data/a.txt"), "text").unwrap();
    std::fs::write(base.path().join("data/b.bin"), [0xff]).unwrap();
    std::fs::write(base.path().join("secret.txt"), "secret").unwrap();
    std::os::unix::fs::symlink("../secret.txt", base.path().join("data/link")).unwrap();
    let files = MemoryFiles::new();
    let tools =
        "tools: { read: { description: 'r', input: {}, run: ({ method, path }, ctx) => ctx.fs[method](path) } }";
    files.write("/p/one.ts", plugin("one", &format!("allow: {{ read: ['data', 'other'] }}, {tools}")));
    files.write("/p/two.ts", plugin("two", tools));
    let ceiling = Allow::parse(&json!({"read": ["data"]})).unwrap();
    let base_path = base.path().to_owned();
    let options = PluginOptions::default().configure(|options| {
        options.ceiling = ceiling;
        options.base = base_path;
        options.files = Arc::new(files);
    });
    let plugins = PluginSet::load(&["/p/one.ts".into(), "/p/two.ts".into()], &options).await;
    assert_eq!(plugins.failures(), []);
    let table = table(&plugins);
    let read = |tool: &str, method: &str, path: &str| {
        format!("await tools.{tool}.read({{ method: '{method}', path: '{path}' }})")
    };
    assert_eq!(run(&table, &read("one", "readText", "data/a.txt")).await, json!("text"));
    assert_eq!(run(&table, &read("one", "list", "data")).await, json!(["a.txt", "b.bin", "link"]));
    assert_eq!(run(&table, &format!("({}).length", read("one", "readBytes", "data/b.bin"))).await, json!(1));
    assert_eq!(fail(&table, &read("one", "readText", "data/b.bin")).await.name, "TypeError");
    for (tool, path) in [
        ("one", "secret.txt"),
        ("one", "data/../secret.txt"),
        ("one", "data/link"),
        ("one", "other"),
        ("two", "data/a.txt"),
        ("one", "/etc/hostname"),
    ] {
        assert_eq!(fail(&table, &read(tool, "readText", path)).await.kind, ErrorKind::Permission, "{tool} {path}");
    }
    assert_eq!(
        fail(&table, &read("one", "readText", "data/none")).await.kind,
        ErrorKind::Runtime,
        "not there is not refused"
    );
}

const RUNS: &str = r#"export default { name: "git", version: "1", description: "d",
    allow: { commands: { echo: { run: ["echo", "${word}"] }, sleep: { run: ["sleep", "1000"], persistent: true }, sh: { run: ["sh", "-c", "id"] }, rm: { run: ["rm"] } } },
    tools: {
        say: { description: "d", input: {}, async run({ word }, ctx) { return (await ctx.commands.run("echo", { word })).stdout } },
        operator: { description: "d", input: {}, async run(args, ctx) { return (await ctx.commands.run("sh")).stdout } },
        forbidden: { description: "d", input: {}, async run(args, ctx) { return await ctx.commands.run("rm") } },
        serve: { description: "d", input: {}, async run(args, ctx) { await ctx.commands.start("sleep"); return ctx.commands.list().length } },
    } }"#;

#[tokio::test]
async fn a_plugin_runs_what_it_declares_and_the_operator_grants_and_scripts_see_nothing_of_it() {
    use_supervisor(env!("CARGO_BIN_EXE_perennial-supervisor"));
    let files = MemoryFiles::new();
    files.write("/p.js", RUNS);
    let ceiling = json!({"commands": {"echo": {}, "sleep": {}, "sh": {"run": ["echo", "the operator's"]}}});
    let options = |ceiling: &Value| {
        PluginOptions::default().configure(|options| {
            options.files = Arc::new(files.clone());
            options.ceiling = Allow::parse(ceiling).unwrap();
            options.environment = [("PATH".to_owned(), std::env::var("PATH").unwrap())].into();
        })
    };
    let plugins = PluginSet::load(&[PathBuf::from("/p.js")], &options(&ceiling)).await;
    assert_eq!(plugins.failures(), []);
    let table = table(&plugins);
    let script = "const { git } = tools; const seen = [];
        for (const call of [() => git.say({ word: '$(id)' }), () => git.operator({}), () => git.forbidden({}).catch((e) => e.name), () => git.serve({}), () => commands.list(), () => commands.run('echo').catch((e) => e.name)]) seen.push(await call());
        seen";
    let result = table.run("s", RunRequest::new(script).with_timeout_ms(30_000)).await;
    let expected = json!(["$(id)\n", "the operator's\n", "PermissionError", 1, [], "PermissionError"]);
    assert_eq!(result.value, Some(expected), "{:?}", result.error);
    assert_eq!(result.usage.commands_running, 1);
    // What is said of a grant without `run` would hold for nothing.
    files.write("/p.js", plugin("git", &format!("allow: {{ commands: {{ echo: {{}} }} }}, {TOOL}")));
    let restricted =
        PluginSet::load(&[PathBuf::from("/p.js")], &options(&json!({"commands": {"echo": {"timeoutMs": 5}}}))).await;
    assert!(restricted.failures()[0].problems[0].contains("goes with a `run` only"), "{:?}", restricted.failures());
    // What the operator grants by its name is that program, with the variables that it names.
    for (declared, why) in [
        (r#"{ echo: { run: ["sh", "-c", "id"] } }"#, "has to be a list that begins with \"echo\""),
        (r#"{ echo: { run: "echo; id" } }"#, "has to be a list that begins with \"echo\""),
        (r#"{ echo: { run: ["echo"], env: ["SECRET"] } }"#, "does not grant it the variable \"SECRET\""),
        (r#"{ echo: { run: ["echo"], unknown: 1 } }"#, "unknown field"),
    ] {
        files.write("/p.js", plugin("git", &format!("allow: {{ commands: {declared} }}, {TOOL}")));
        let plugins = PluginSet::load(&[PathBuf::from("/p.js")], &options(&ceiling)).await;
        assert!(plugins.failures()[0].problems[0].contains(why), "{:?}", plugins.failures());
    }
}

#[tokio::test]
async fn a_command_that_a_plugin_declares_wrongly_is_an_error_though_nobody_grants_it() {
    let files = MemoryFiles::new();
    let declared = r#"{ ls: {}, git: { runs: ["git"] }, node: { run: ["node", "${x"] }, cargo: { cwd: "project", timeoutMs: "1" } }"#;
    let tools = "tools: { call: { description: 'd', input: {}, run() {} } }";
    files.write("/p.js", plugin("wrong", &format!("allow: {{ commands: {declared} }}, {tools}")));
    let options = PluginOptions::default().configure(|options| options.files = Arc::new(files.clone()));
    let plugins = PluginSet::load(&[PathBuf::from("/p.js")], &options).await;
    let problems = &plugins.failures()[0].problems;
    assert_eq!(problems.len(), 3, "{problems:?}");
    for (problem, part) in problems.iter().zip(["git", "node", "cargo"]) {
        assert!(problem.contains(part), "{problems:?}");
    }
}

#[tokio::test]
async fn a_plugin_s_command_has_a_name_of_its_own_and_runs_in_the_project_where_that_is_granted() {
    use_supervisor(env!("CARGO_BIN_EXE_perennial-supervisor"));
    let project = tempfile::tempdir().unwrap();
    std::fs::write(project.path().join("file"), "x").unwrap();
    let files = MemoryFiles::new();
    let declared = r#"{ here: { run: ["ls"], cwd: "project" }, home: { run: ["ls"] }, twice: { run: ["ls", "-d", "/"] }, rm: { run: ["rm"] } }"#;
    let tools = "tools: { call: { description: 'd', input: {}, async run({ name }, ctx) { return (await ctx.commands.run(name)).stdout } } }";
    files.write("/p.js", plugin("lists", &format!("allow: {{ commands: {declared} }}, {tools}")));
    let load = async |ceiling: Value| {
        let options = PluginOptions::default().configure(|options| {
            options.files = Arc::new(files.clone());
            options.ceiling = Allow::parse(&ceiling).unwrap();
            options.base = project.path().to_owned();
            options.environment = [("PATH".to_owned(), std::env::var("PATH").unwrap())].into();
        });
        PluginSet::load(&[PathBuf::from("/p.js")], &options).await
    };
    let plugins = load(json!({"commands": {"ls": {"cwd": "project"}}})).await;
    assert_eq!(plugins.failures(), []);
    let withheld = &plugins.plugins().next().unwrap().withheld;
    assert_eq!(withheld.items("commands"), ["rm"]);
    let table = table(&plugins);
    let script = "const seen = []; for (const name of ['here', 'home', 'twice', 'rm']) seen.push(await tools.lists.call({ name }).catch((e) => e.name)); seen";
    let result = table.run("s", RunRequest::new(script).with_timeout_ms(30_000)).await;
    assert_eq!(result.value, Some(json!(["file\n", "", "/\n", "PermissionError"])), "{:?}", result.error);
    for (ceiling, why) in [
        (json!({"commands": {"ls": {}}}), "ls = { cwd = \"project\" } would"),
        (json!({"commands": {"ls": {"cwd": "/etc"}}}), "grants \"project\" as `cwd`, and no other folder"),
    ] {
        let plugins = load(ceiling).await;
        assert!(plugins.failures()[0].problems[0].contains(why), "{:?}", plugins.failures());
    }
}

#[tokio::test]
async fn a_tool_that_computes_for_longer_than_it_may_is_an_error_for_its_caller() {
    let files = MemoryFiles::new();
    let spin = "run: () => { const end = Date.now() + 60; while (Date.now() < end); return 1 }";
    let source = format!("tools: {{ spin: {{ description: 's', input: {{}}, timeoutMs: 20, {spin} }} }}");
    files.write("/p/one.ts", plugin("one", &source));
    let table = table(&load(&files, &["/p/one.ts"]).await);
    assert_eq!(fail(&table, "await tools.one.spin()").await.message, "one.spin took longer than 20 ms");
}

#[tokio::test]
async fn a_tool_that_the_code_has_no_more_is_missing_alone_until_plugins_are_loaded_again() {
    let files = MemoryFiles::new();
    let other = "other: { description: 'o', input: {}, run: () => 'other' }";
    files.write(
        "/p/one.ts",
        plugin("one", &format!("tools: {{ gone: {{ description: 'g', input: {{}}, run: () => 1 }}, {other} }}")),
    );
    let table = table(&load(&files, &["/p/one.ts"]).await);
    files.write("/p/one.ts", plugin("one", &format!("tools: {{ {other} }}")));
    assert_eq!(run(&table, "await tools.one.other()").await, json!("other"));
    let gone = fail(&table, "await tools.one.gone()").await;
    assert!(gone.message.contains("has no tool gone any more"), "{}", gone.message);
}

#[tokio::test]
async fn a_plugin_that_is_named_twice_is_loaded_once() {
    let files = MemoryFiles::new();
    files.write("/p/one.ts", plugin("one", TOOL));
    files.write("/p/other.ts", plugin("one", TOOL));
    let set = load(&files, &["/p/one.ts", "/p/one.ts"]).await;
    assert_eq!((set.plugins().count(), set.failures().len()), (1, 0));
    assert_eq!(load(&files, &["/p/one.ts", "/p/other.ts"]).await.failures().len(), 1, "another of its name");
}

#[tokio::test]
async fn a_tool_without_a_schema_of_its_argument_is_told_what_that_is_for_none() {
    let files = MemoryFiles::new();
    files.write("/p/one.ts", plugin("one", "tools: { t: { description: 't', run: () => 1 } }"));
    let set = load(&files, &["/p/one.ts"]).await;
    let expected = "tools.t.input: missing; that of a tool without arguments is { type: \"object\" }";
    assert_eq!(set.failures()[0].problems, [expected]);
}
