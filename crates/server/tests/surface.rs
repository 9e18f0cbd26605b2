//! What a model is told, and what it reads.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use perennial_server::{BatchOptions, McpOptions, request_schema, serve_batch, serve_mcp};
use perennial_sessions::commands::CommandSet;
use perennial_sessions::files::{Artifacts, Mount, MountMode, Mounts};
use perennial_sessions::net::{NetLimits, NetPolicy, Secrets};
use perennial_sessions::node::Environment;
use perennial_sessions::{Owner, PluginOptions, PluginSet, SessionTable, TableConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};

struct Client {
    write: WriteHalf<DuplexStream>,
    read: BufReader<ReadHalf<DuplexStream>>,
    id: u64,
    notes: Vec<Value>,
}

impl Client {
    async fn connect(owner: Owner, options: McpOptions) -> Self {
        let (client, server) = tokio::io::duplex(1 << 20);
        let (input, output) = tokio::io::split(server);
        tokio::spawn(serve_mcp(owner, input, output, options));
        let (read, write) = tokio::io::split(client);
        let mut client = Self { write, read: BufReader::new(read), id: 0, notes: Vec::new() };
        let hello =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        client.ask("initialize", hello).await;
        client.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        client
    }

    async fn send(&mut self, message: Value) {
        self.write.write_all(format!("{message}\n").as_bytes()).await.expect("it is written");
    }

    async fn line(&mut self) -> Value {
        let mut line = String::new();
        let read = tokio::time::timeout(Duration::from_secs(30), self.read.read_line(&mut line)).await;
        assert!(read.expect("in time").expect("it is read") > 0, "the connection is closed");
        serde_json::from_str(&line).expect("JSON")
    }

    /// The result, or the error.
    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        self.send(json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params})).await;
        loop {
            let mut answer = self.line().await;
            if answer["id"] == json!(self.id) {
                return if answer["error"].is_null() { answer["result"].take() } else { answer["error"].take() };
            }
            self.notes.push(answer);
        }
    }

    async fn run(&mut self, script: &str) -> Value {
        self.ask("tools/call", json!({"name": "run", "arguments": {"script": script}})).await
    }

    async fn description(&mut self) -> String {
        let tools = self.ask("tools/list", json!({})).await;
        tools["tools"][0]["description"].as_str().expect("a text").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_told_what_is_granted_in_two_thousand_characters_however_much_that_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let mount = |n: usize| Mount::open(folder.path(), &format!("/data{n}"), MountMode::ReadOnly).expect("a folder");
    let mut config = TableConfig::default();
    let mut granted = |count: usize| {
        config.mounts = Some(Mounts::new((0..count).map(mount).collect()).expect("they fit"));
        let hosts: Vec<String> = (0..count).map(|n| format!("GET https://api{n}.example.com/v1")).collect();
        config.net = Some(NetPolicy::parse(&hosts, NetLimits::default()).expect("rules"));
        let secrets = Secrets::new().with("GITHUB", "0123456789", &["https://api.github.com"]).expect("a secret");
        config.secrets = secrets;
        let count_of = |set: CommandSet, n: usize| {
            let run = json!({"run": ["grep", "${pattern}", "${...files}"]});
            set.with_json(&format!("grep{n}"), &run).expect("a command")
        };
        config.commands = (0..count).fold(CommandSet::new(), count_of);
        config.env = (0..count).fold(Environment::new(), |env, n| env.with(format!("MODE{n}"), "x"));
        config.clone()
    };
    let few = SessionTable::with_config(granted(1));
    let told = Client::connect(few.local(), McpOptions::default()).await.description().await;
    for part in [
        "- `fs` also has folders of the host: /data0 (read-only)",
        "- `fetch` reaches GET https://api0.example.com/v1",
        "perennial.secret(\"GITHUB\") } })`: GITHUB (for https://api.github.com)",
        "{ stdin: \"text\" })` gives { stdout, stderr, exitCode } of grep0 { pattern, files: […] }",
        "- `process.env` has MODE0",
        "await fs.readFile(path, \"utf8\")",
        "`vars` and files stay",
        "{\"$bytes\": base64}",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains("--"), "flags are for operators: {told}");
    let many = SessionTable::with_config(granted(500));
    let told = Client::connect(many.local(), McpOptions::default()).await.description().await;
    assert!(told.chars().count() <= 2000, "{}", told.chars().count());
    for part in ["/data0", "api0.example.com", "GITHUB", "grep0", "MODE0", ", … and "] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let none = SessionTable::builder().build().expect("a table");
    let told = Client::connect(none.local(), McpOptions::default()).await.description().await;
    assert!(told.contains("`fetch` reaches nothing here.") && told.contains("`commands` runs nothing here."), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_read_as_they_are_and_structured_content_is_there_for_whom_asks() {
    let table = SessionTable::builder().build().expect("a table");
    let script = "'a \"quoted\"\\nline \\\\ ü'";
    let mut model = Client::connect(table.of("model"), McpOptions::default()).await;
    let answer = model.run(script).await;
    assert_eq!(answer["content"], json!([{"type": "text", "text": "a \"quoted\"\nline \\ ü"}]));
    assert_eq!(answer.get("structuredContent"), None);
    let tools = model.ask("tools/list", json!({})).await;
    assert!(
        tools["tools"].as_array().expect("a list").iter().all(|tool| tool.get("outputSchema").is_none()),
        "{tools}"
    );
    assert!(tools.to_string().len() < 5000, "{} bytes", tools.to_string().len());
    let structured = McpOptions::default().configure(|options| options.structured = true);
    let mut program = Client::connect(table.of("program"), structured).await;
    assert_eq!(program.run(script).await["structuredContent"]["value"], json!("a \"quoted\"\nline \\ ü"));
    let tools = program.ask("tools/list", json!({})).await.to_string();
    assert!(tools.contains("outputSchema") && !tools.contains("\"format\":\"uint"), "{tools}");
}

/// The smallest PNG: one pixel.
const PNG: &str = "Uint8Array.from(atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='), (c) => c.charCodeAt(0))";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_script_shows_is_an_image_of_the_answer_within_bounds() {
    let table = SessionTable::builder().build().expect("a table");
    let mut model = Client::connect(table.local(), McpOptions::default()).await;
    let answer =
        model.run(&format!("await show({PNG}); await show(new Blob([{PNG}]), {{ type: 'image/png' }}); 'two'")).await;
    let content = answer["content"].as_array().expect("blocks");
    let kinds: Vec<&Value> = content.iter().map(|block| &block["type"]).collect();
    assert_eq!(kinds, ["text", "image", "image"]);
    assert_eq!(content[0]["text"], json!("two\nnote: shown: image/png, image/png"));
    assert_eq!(content[1]["mimeType"], json!("image/png"));
    assert!(content[1]["data"].as_str().expect("base64").starts_with("iVBORw0KGgo"));
    let script = format!(
        "const t = (p) => p.then(() => 'shown', (e) => e.name + ': ' + e.message), png = {PNG}, big = new Uint8Array(1_500_001); big.set(png); big.set(png.subarray(-8), big.length - 8);
         const all = [await t(show(new Uint8Array([1, 2, 3]))), await t(show(png, {{ type: 'image/jpeg' }})), await t(show(big)), await t(show('none.png')), await t(show(7))];
         for (let i = 0; i < 5; i++) all.push(await t(show(png)));
         globalThis.later = () => t(show(png)); setTimeout(async () => vars.set('later', await later()), 1); all"
    );
    let answer = model.run(&script).await;
    let content = answer["content"].as_array().expect("blocks");
    assert_eq!(content.len(), 5, "{answer}");
    let text = content[0]["text"].as_str().expect("a text");
    for part in [
        "these bytes begin or end as none of them does",
        "the bytes are image/png, not image/jpeg",
        "QuotaExceededError: the images of an answer have at most 1500000 bytes",
        "PermissionError: a text given to show is the name of an artifact, and there is none: producing artifacts is not permitted",
        "\"shown\",\"shown\",\"shown\",\"shown\",\"QuotaExceededError: an answer has at most 4 images\"",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // What is called between two runs is in the next answer, and nothing of the last.
    let vars = table.local().vars("default").await.expect("it is there");
    let later = async {
        loop {
            match vars.get("later") {
                Some(later) => return later.to_string(),
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    let later = tokio::time::timeout(Duration::from_secs(20), later).await.expect("in time");
    assert!(later.contains("shown"), "{later}");
    assert_eq!(model.run("1").await["content"].as_array().map(Vec::len), Some(2));
    assert_eq!(model.run("1").await["content"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_scripts_produce_is_linked_and_read_as_resources() {
    let table = SessionTable::builder().build().expect("a table");
    let options = McpOptions::default().configure(|options| options.artifacts = Some(Artifacts::in_memory(1 << 20)));
    let mut model = Client::connect(table.local(), options).await;
    assert!(model.description().await.contains("`await artifacts.write(name, textOrBytes)`"));
    let answer = model.run("await artifacts.write('out/täble 1.csv', 'a,b'); await artifacts.writeBytes('x.bin', new Uint8Array([255, 0]))").await;
    let link = &answer["content"][1];
    assert_eq!(
        (&link["type"], &link["name"], &link["mimeType"]),
        (&json!("resource_link"), &json!("out/täble 1.csv"), &json!("text/csv"))
    );
    let uri = link["uri"].clone();
    let read = model.ask("resources/read", json!({"uri": uri})).await;
    assert_eq!((&read["contents"][0]["text"], &read["contents"][0]["mimeType"]), (&json!("a,b"), &json!("text/csv")));
    let read = model.ask("resources/read", json!({"uri": "artifact:///x.bin"})).await;
    assert_eq!(read["contents"][0]["blob"], json!("/wA="));
    let listed = model.ask("resources/list", json!({})).await;
    assert_eq!(listed["resources"].as_array().map(Vec::len), Some(2), "{listed}");
    for uri in ["artifact:///none", "artifact:///../etc/passwd", "file:///etc/passwd", "artifact:///%zz"] {
        let refused = model.ask("resources/read", json!({"uri": uri})).await;
        assert!(
            refused["message"].as_str().is_some_and(|message| message.contains("there is no resource")),
            "{refused}"
        );
    }
}

fn plugin(path: &std::path::Path, tool: &str) {
    let text = format!(
        "import {{ definePlugin, defineTool }} from 'perennial:plugin';\nexport default definePlugin({{ name: 'p', version: '1.0.0', description: 'A plugin', tools: {{ {tool}: defineTool({{ description: 'A tool', input: {{ type: 'object' }}, run: async () => '{tool}' }}) }} }});\n"
    );
    std::fs::write(path, text).expect("it is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_that_were_loaded_again_are_told_of_and_those_that_failed_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let (good, bad) = (folder.path().join("good.ts"), folder.path().join("bad.ts"));
    plugin(&good, "first");
    std::fs::write(&bad, "export default 1;").expect("it is written");
    let set = PluginSet::load(&[good.clone(), bad], &PluginOptions::default()).await;
    let table = SessionTable::builder().plugins(set).build().expect("a table");
    let mut model = Client::connect(table.local(), McpOptions::default()).await;
    let told = model.description().await;
    assert!(
        told.contains("p { first } (A plugin)") && told.contains("- Plugins that could not be loaded: bad"),
        "{told}"
    );
    assert_eq!(model.run("await tools.p.first()").await["content"][0]["text"], json!("first"));
    plugin(&good, "second");
    table.reload_plugins().await.expect("they fit");
    assert!(model.description().await.contains("p { second } (A plugin)"));
    assert!(
        model.run("await tools.p.second()").await["content"][0]["text"]
            .as_str()
            .expect("a text")
            .starts_with("second\nnote:")
    );
    while !model.notes.iter().any(|note| note["method"] == json!("notifications/tools/list_changed")) {
        let note = model.line().await;
        model.notes.push(note);
    }
}

/// What a batch writes.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn batch(table: &SessionTable, lines: &[Value]) -> Vec<Value> {
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let written = Written::default();
    let served = serve_batch(
        table.local(),
        std::io::Cursor::new(input),
        written.clone(),
        BatchOptions::default().configure(|options| options.may_reload = true),
    );
    tokio::time::timeout(Duration::from_secs(30), served).await.expect("in time").expect("it is served");
    let text = String::from_utf8(written.0.lock().expect("nobody panicked").clone()).expect("a text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_cancelled_listed_and_loaded_again_while_it_runs() {
    let table = SessionTable::builder().build().expect("a table");
    // Before: a cancelled run may have got as far as to any of its statements.
    let set = "vars.set('n', 1); session.checkpoint('c'); vars.set('n', 2)";
    assert_eq!(batch(&table, &[json!({"id": 1, "session": "c", "script": set})]).await[0]["status"], json!("ok"));
    let lines = [
        json!({"id": 1, "session": "a", "script": "vars.set('n', 1); await new Promise(() => {})"}),
        json!({"id": 2, "session": "a", "script": "2"}),
        json!({"id": 3, "session": "b", "script": "for (;;) {}"}),
        json!({"id": 4, "op": "cancel", "session": "a"}),
        json!({"id": 5, "op": "cancel", "request": 3}),
        json!({"id": 6, "op": "reload"}),
        json!({"id": 7, "op": "sessions"}),
        json!({"id": 8, "op": "cancel"}),
        json!({"id": 11, "session": "c", "script": "await new Promise(() => {})"}),
        json!({"id": 12, "session": "c", "op": "rollback", "to": "c"}),
        json!({"id": 13, "session": "c", "op": "cancel"}),
        json!({"id": 9, "op": "sessions", "session": "a"}),
        json!({"id": 10, "op": "nothing", "session": "a"}),
    ];
    let answers = batch(&table, &lines).await;
    let of = |id: u64| answers.iter().find(|answer| answer["id"] == json!(id)).expect("an answer");
    assert_eq!(of(13)["cancelled"], json!(2));
    assert_ne!(table.vars("c").get("n"), Some(json!(1)), "nobody went back");
    for id in [1, 2, 3, 11, 12] {
        assert_eq!(of(id)["error"]["kind"], json!("cancelled"), "{}", of(id));
    }
    assert_eq!((&of(4)["cancelled"], &of(5)["cancelled"]), (&json!(2), &json!(1)));
    assert_eq!((&of(6)["status"], &of(6)["plugins"]), (&json!("ok"), &json!([])));
    assert!(of(7)["sessions"].is_array(), "{}", of(7));
    for (id, part) in [
        (8, "cancel says of which session"),
        (9, "sessions and reload are of no session"),
        (10, "unknown variant `nothing`, expected one of `reset`"),
    ] {
        assert!(of(id)["error"]["message"].as_str().is_some_and(|message| message.contains(part)), "{}", of(id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_remembers_goes_back_and_forks_in_the_order_of_its_lines() {
    let table = SessionTable::builder().build().expect("a table");
    let lines = [
        json!({"id": 1, "session": "a", "script": "vars.set('n', 1)"}),
        json!({"id": 2, "op": "checkpoint", "session": "a", "name": "one"}),
        json!({"id": 3, "session": "a", "script": "vars.set('n', 2)"}),
        json!({"id": 4, "op": "changes", "session": "a", "from": "one"}),
        // Whatever is asked of the fork comes after it, and the fork after what was asked of its name before.
        json!({"id": 5, "op": "close", "session": "b"}),
        json!({"id": 6, "op": "fork", "session": "a", "name": "b"}),
        json!({"id": 7, "session": "b", "script": "return vars.get('n')"}),
        json!({"id": 8, "op": "rollback", "session": "a", "to": 1}),
        json!({"id": 9, "session": "a", "script": "return vars.get('n')"}),
        json!({"id": 10, "op": "checkpoints", "session": "a"}),
        json!({"id": 11, "op": "forget", "session": "a", "checkpoint": "one"}),
        json!({"id": 12, "op": "rollback", "session": "a", "to": "one"}),
        json!({"id": 13, "op": "fork", "session": "a", "name": "a"}),
        json!({"id": 14, "op": "rollback", "session": "a"}),
        json!({"id": 15, "op": "checkpoint", "session": "a", "nam": "x"}),
        json!({"id": 17, "op": "rollback", "session": "a", "to": -1}),
        json!({"id": 16, "op": "close", "session": "a"}),
    ];
    let answers = batch(&table, &lines).await;
    let of = |id: u64| answers.iter().find(|answer| answer["id"] == json!(id)).expect("an answer");
    assert_eq!((&of(2)["status"], &of(2)["checkpoint"]["name"]), (&json!("ok"), &json!("one")));
    assert_eq!(of(4)["changes"], json!([{"of": "vars", "name": "n", "change": "modified"}]));
    assert_eq!((&of(6)["name"], &of(7)["value"], &of(9)["value"]), (&json!("b"), &json!(2), &json!(1)));
    assert_eq!(of(10)["checkpoints"].as_array().map(Vec::len), Some(1));
    for (id, part) in [
        (12, "there is no checkpoint \"one\": there are none"),
        (13, "there is a session \"a\" already"),
        (14, "missing field `to`"),
        (17, "the id of one, a whole number, or its name"),
        (15, "unknown field `nam`, expected `name`"),
    ] {
        assert_eq!(of(id)["status"], json!("error"), "{}", of(id));
        assert!(of(id)["error"]["message"].as_str().is_some_and(|message| message.contains(part)), "{}", of(id));
    }
    assert_eq!((&of(16)["status"], &of(16)["existed"]), (&json!("ok"), &json!(true)));
    assert_eq!(table.sessions().iter().map(|session| &*session.name).collect::<Vec<_>>(), ["b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn console_lines_of_a_batch_come_before_the_answer_where_that_is_asked_for() {
    let table = SessionTable::builder().build().expect("a table");
    let script = "console.log('one'); console.warn('two'); 3";
    let lines = [
        json!({"id": 1, "session": "a", "script": script, "stream": true}),
        json!({"id": 2, "session": "a", "script": script}),
        json!({"id": 3, "session": "a", "script": script, "stream": "yes"}),
    ];
    let answers = batch(&table, &lines).await;
    let of = |id: u64| answers.iter().filter(move |answer| answer["id"] == json!(id)).collect::<Vec<_>>();
    let streamed: Vec<&Value> = of(1).iter().map(|answer| &answer["console"]["message"]).collect();
    assert_eq!(streamed[..2], [&json!("one"), &json!("two")]);
    assert_eq!((of(1).len(), &of(1)[2]["value"], of(2).len()), (3, &json!(3), 1));
    assert!(of(3)[0]["error"]["message"].as_str().is_some_and(|message| message.contains("stream is true or false")));
}

#[test]
fn the_schema_of_a_batch_s_lines_is_published() {
    let text = serde_json::to_string_pretty(&request_schema()).expect("JSON") + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/batch-request.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &text).expect("it is written");
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), text, "UPDATE_SCHEMA=1 writes it");
}
