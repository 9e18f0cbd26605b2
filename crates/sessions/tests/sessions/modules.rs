//! Imports where transcripts do not reach: who may import as whom, cycles, imports nobody waits for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use perennial_sessions::bundler::{FileSystem, Loader, LoaderOptions, MemoryFiles, Stat};
use perennial_sessions::protocol::VmOrigin;
use perennial_sessions::{
    ModuleAccess, PluginOptions, PluginSet, RunContext, RunRequest, ScriptResult, SessionTable, TableConfig,
};
use serde_json::{Value, json};

struct Project {
    table: SessionTable,
    files: MemoryFiles,
    access: ModuleAccess,
}

fn project(files: &[(&str, &str)]) -> Project {
    let memory = MemoryFiles::new();
    for (path, content) in files {
        memory.write(format!("/app/{path}"), *content);
    }
    let options = LoaderOptions::default().configure(|options| options.roots = vec!["/app".into()]);
    let access = ModuleAccess::new(Loader::new(Arc::new(memory.clone()), options), "/app");
    Project { table: SessionTable::new(10, Duration::from_secs(60)), files: memory, access }
}

impl Project {
    async fn result(&self, script: &str) -> ScriptResult {
        self.table.run_with("s", RunRequest::new(script), RunContext::new().grant(self.access.clone())).await
    }

    async fn run(&self, script: &str) -> Value {
        let result = self.result(script).await;
        assert!(result.error.is_none(), "{script}: {:?}", result.error);
        result.value.unwrap_or(Value::Null)
    }
}

#[tokio::test]
async fn what_scripts_can_get_at_of_the_helper_imports_with_their_own_rights_only() {
    let files = MemoryFiles::new();
    files.write("/plugins/p/plugin.ts", "export default { name: 'p', version: '1', description: 'd', tools: { fail: { description: 'f', input: {}, run() { throw new Error('x') } } } }");
    files.write("/plugins/p/secret.txt", "secret");
    let options = PluginOptions::default().configure(|options| options.files = Arc::new(files));
    let plugins = PluginSet::load(&["/plugins/p".into()], &options).await;
    assert_eq!(plugins.failures(), []);
    let table = SessionTable::with_config(TableConfig::default().configure(|config| config.plugins = Some(plugins)));
    let script = r#"let x = 1;
        const helper = eval("$ce" + "ll");
        const key = await tools.p.fail({}).catch((error) => /\(?([^\s(]*plugin\.ts#[0-9a-f]+)/.exec(error.stack)[1]);
        const tries = [];
        for (const name of Object.keys(helper)) {
          for (const args of [[key, "./secret.txt", "text"], [key, "./secret.txt", { with: { type: "text" } }], ["./secret.txt", "text", []], [key]]) {
            try {
              let got = await helper[name](...args);
              if (typeof got === "function") got = await got("./secret.txt", { with: { type: "text" } });
              if (got?.default === "secret") tries.push(name);
            } catch {}
          }
        }
        [Object.isFrozen(helper), "importer" in helper, tries, key.length > 10]"#;
    let result = table.run("s", RunRequest::new(script)).await;
    assert_eq!(result.value, Some(json!([true, false, [], true])), "{:?}", result.error);
}

#[tokio::test]
async fn modules_of_a_cycle_are_there_once_whichever_is_imported_first() {
    let project = project(&[
        (
            "x.js",
            "import { y } from './y.js'; globalThis.ran = (globalThis.ran ?? 0) + 1; export const X = {}; export const viaY = () => y().x",
        ),
        ("y.js", "import { X } from './x.js'; export const y = () => ({ x: X })"),
    ]);
    assert_eq!(project.run("const x = await import('./x.js'); const y = await import('./y.js'); [x.X === y.y().x, x.viaY() === x.X, ran]").await, json!([true, true, 1]));
}

#[tokio::test]
async fn an_edge_within_a_cycle_that_changes_changes_the_cycle() {
    let files = [
        ("package.json", r##"{"imports": {"#p": "./b.js"}}"##),
        ("a.js", "import { name } from '#p'; import './b.js'; import './c.js'; export const got = () => name"),
        ("b.js", "import './a.js'; export const name = 'b'"),
        ("c.js", "import './a.js'; export const name = 'c'"),
    ];
    let project = project(&files);
    assert_eq!(project.run("(await import('./a.js')).got()").await, json!("b"));
    project.files.write("/app/package.json", r##"{"imports": {"#p": "./c.js"}}"##);
    assert_eq!(project.run("(await import('./a.js')).got()").await, json!("c"));
}

#[tokio::test]
async fn a_cycle_that_awaits_is_refused_instead_of_waited_for() {
    let project =
        project(&[("a.js", "import './b.js'"), ("b.js", "import './a.js'; await 1"), ("c.js", "import './a.js'")]);
    for specifier in ["./a.js", "./c.js"] {
        let error = project.result(&format!("import '{specifier}'")).await.error.unwrap();
        assert!(error.message.contains("cannot await at its top level (b.js)"), "{}", error.message);
    }
}

#[tokio::test]
async fn an_import_that_nobody_waits_for_is_part_of_the_run() {
    let many: String = (0..3_000).map(|n| format!("export function f{n}(a) {{ return a + {n} }}\n")).collect();
    let project = project(&[("big.js", &many)]);
    assert_eq!(
        project.run("let keep = 1; import('./big.js').then((big) => { globalThis.got = big.f7(1) }); 5").await,
        json!(5)
    );
    let next = project.result("[keep, got]").await;
    assert_eq!((next.vm, next.value), (Some(VmOrigin::Warm), Some(json!([1, 8]))));
}

#[tokio::test]
async fn a_module_that_waits_goes_on_when_what_it_waits_for_comes() {
    let project = project(&[("w.js", "await globalThis.gate; export const w = 1")]);
    let script = "let open; globalThis.gate = new Promise((resolve) => { open = resolve });
        import('./w.js').then(({ w }) => { globalThis.through = w }); setTimeout(() => open(), 0); 1";
    assert_eq!(project.run(script).await, json!(1));
    perennial_testkit::eventually("the callbacks have run", || {
        project.table.sessions().iter().all(|session| !session.background)
    })
    .await;
    assert_eq!(project.run("through").await, json!(1));
}

#[tokio::test]
async fn a_module_that_never_settles_costs_its_run_and_no_other() {
    let project = project(&[
        ("never.js", "await new Promise(() => {})"),
        ("spins.js", "for (;;) {}"),
        ("fine.js", "export default 1"),
    ]);
    for specifier in ["./never.js", "./spins.js"] {
        let request = RunRequest::new(format!("import '{specifier}'")).with_timeout_ms(50);
        let result = project.table.run_with("s", request, RunContext::new().grant(project.access.clone())).await;
        assert_eq!(result.error.unwrap().kind.as_str(), "timeout", "{specifier}");
        assert_eq!(project.run("(await import('./fine.js')).default").await, json!(1));
    }
}

/// Files of which one is read only when it is let.
struct Gated {
    files: MemoryFiles,
    gate: std::sync::Mutex<std::sync::mpsc::Receiver<()>>,
    reached: std::sync::mpsc::SyncSender<()>,
}

impl FileSystem for Gated {
    fn stat(&self, path: &Path, follow: bool) -> io::Result<Stat> {
        self.files.stat(path, follow)
    }
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if path.ends_with("slow.ts") {
            self.reached.send(()).unwrap();
            self.gate.lock().unwrap().recv_timeout(Duration::from_secs(60)).unwrap();
        }
        self.files.read(path)
    }
    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        self.files.read_link(path)
    }
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.files.canonicalize(path)
    }
}

#[tokio::test]
async fn a_session_whose_module_is_slow_to_read_holds_up_no_other() {
    let Project { table, files, .. } = project(&[("slow.ts", "export default 1"), ("fast.ts", "export default 2")]);
    let (open, gate) = std::sync::mpsc::channel();
    let (reached, arrived) = std::sync::mpsc::sync_channel(1);
    let gated = Gated { files, gate: gate.into(), reached };
    let options = LoaderOptions::default().configure(|options| options.roots = vec!["/app".into()]);
    let access = ModuleAccess::new(Loader::new(Arc::new(gated), options), "/app");
    let run = |session: &'static str, script: &'static str| {
        let (table, access) = (table.clone(), access.clone());
        async move { table.run_with(session, RunRequest::new(script), RunContext::new().grant(access)).await }
    };
    let slow = tokio::spawn(run("slow", "import n from './slow.ts'; n"));
    tokio::task::spawn_blocking(move || arrived.recv_timeout(Duration::from_secs(60)).unwrap()).await.unwrap();
    let fast = tokio::time::timeout(Duration::from_secs(60), run("fast", "import n from './fast.ts'; n")).await;
    assert_eq!(fast.expect("the slow module is still being read").value, Some(json!(2)));
    open.send(()).unwrap();
    assert_eq!(slow.await.unwrap().value, Some(json!(1)));
}

#[tokio::test]
async fn a_graph_that_cannot_be_linked_fails_its_imports_and_nothing_else() {
    let project = project(&[
        ("a.ts", "export const x = 1"),
        ("b.ts", "export const x = 2"),
        // The one thing about names that is found out by linking.
        ("both.ts", "export * from './a.ts'; export * from './b.ts'"),
        ("takes.ts", "import { x } from './both.ts'; export default x"),
    ]);
    project.run("let kept = 1").await;
    for _ in 0..3 {
        let failed = project.result("import t from './takes.ts'").await.error.unwrap();
        assert_eq!(failed.message, "export 'x' in module 'both.ts' is ambiguous");
        assert_eq!(project.run("(await import('./a.ts')).x").await, json!(1));
    }
    project.files.write("/app/b.ts", "export const y = 2");
    assert_eq!(project.run("import t from './takes.ts'; [t, kept]").await, json!([1, 1]));
}

#[tokio::test]
async fn graphs_that_are_kept_for_the_engine_are_bounded_and_come_back_when_asked_for() {
    let project = project(&[("n.ts", "export default 0")]);
    // More than are kept.
    for n in 0..300 {
        project.files.write("/app/n.ts", format!("export default {n}"));
        assert_eq!(project.run("(await import('./n.ts')).default").await, json!(n));
    }
    project.files.write("/app/n.ts", "export default 0");
    assert_eq!(project.run("(await import('./n.ts')).default").await, json!(0));
}
