use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use perennial_bundler::{
    Denied, Disk, Graph, Here, ImportError, ImportErrorKind, Importer, Loader, LoaderOptions, MemoryFiles, Preparer,
    Product, SourceError, Task, look, prepare_entry,
};

fn in_memory(files: &[(&str, &str)], options: LoaderOptions) -> (MemoryFiles, Loader) {
    let memory = MemoryFiles::new();
    for (path, content) in files {
        memory.write(path, *content);
    }
    let loader = Loader::new(Arc::new(memory.clone()), options);
    (memory, loader)
}

fn below_app() -> LoaderOptions {
    LoaderOptions::default().configure(|options| options.roots = vec!["/app".into()])
}

fn load(loader: &Loader, specifier: &str) -> Result<Arc<Graph>, ImportError> {
    loader.load(Importer::Directory(Path::new("/app")), specifier, None, &Here)
}

fn names(graph: &Graph) -> Vec<&str> {
    graph.modules.iter().map(|module| &*module.name).collect()
}

#[test]
fn a_graph_is_in_the_order_of_evaluation() {
    let (_, loader) = in_memory(
        &[
            ("/app/a.ts", "import './b.ts'; import './c.ts'; import { d } from './d.ts'"),
            ("/app/b.ts", "import './c.ts'"),
            ("/app/c.ts", ""),
            ("/app/d.ts", "export type d = 1"),
        ],
        below_app(),
    );
    let graph = load(&loader, "./a.ts").unwrap();
    // What is imported for its types alone is not imported.
    assert_eq!(names(&graph), ["c.ts", "b.ts", "a.ts"]);
    assert_eq!(graph.root().name, "a.ts");
}

#[test]
fn a_key_stands_for_the_content_of_a_module_and_of_all_it_imports() {
    let (files, loader) = in_memory(
        &[
            ("/app/a.ts", "import './b.ts'"),
            ("/app/b.ts", "import './c.ts'; import './a.ts'"),
            ("/app/c.ts", ""),
            ("/app/d.ts", ""),
        ],
        below_app(),
    );
    let before = load(&loader, "./a.ts").unwrap();
    files.write("/app/d.ts", "1");
    assert!(Arc::ptr_eq(&before, &load(&loader, "./a.ts").unwrap()), "what is not imported does not matter");
    files.write("/app/c.ts", "1");
    let after = load(&loader, "./a.ts").unwrap();
    for (before, after) in before.modules.iter().zip(&after.modules) {
        assert_ne!(before.key, after.key, "{}", before.name);
    }
    files.write("/app/c.ts", "");
    let again = load(&loader, "./a.ts").unwrap();
    assert_eq!(before.root().key, again.root().key);
}

#[test]
fn a_file_that_appears_is_found() {
    let (files, loader) = in_memory(&[("/app/a.ts", "import './b'"), ("/app/b.js", "export const x = 1")], below_app());
    assert_eq!(names(&load(&loader, "./a.ts").unwrap()), ["b.js", "a.ts"]);
    files.write("/app/b.ts", "export const x = 2");
    assert_eq!(names(&load(&loader, "./a.ts").unwrap()), ["b.ts", "a.ts"]);
    files.remove("/app/b.ts");
    files.remove("/app/b.js");
    assert_eq!(load(&loader, "./a.ts").unwrap_err().kind, ImportErrorKind::NotFound);
}

#[test]
fn an_import_map_says_what_names_stand_for() {
    let imports = [("lib", "./src/lib.ts"), ("lib/", "./src/"), ("host", "perennial:host")];
    let imports = imports.iter().map(|(from, to)| ((*from).to_owned(), to.replace("./", "/app/"))).collect();
    let provided = [("perennial:host".to_owned(), "export const h: number = 1".into())].into_iter().collect();
    let options = below_app().configure(|options| {
        options.imports = imports;
        options.provided = provided;
    });
    let (_, loader) = in_memory(&[("/app/src/lib.ts", "import 'host'"), ("/app/src/deep/x.ts", "")], options);
    assert_eq!(names(&load(&loader, "lib").unwrap()), ["perennial:host", "src/lib.ts"]);
    assert_eq!(names(&load(&loader, "lib/deep/x.ts").unwrap()), ["src/deep/x.ts"]);
}

#[test]
fn nothing_outside_of_the_roots_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    let write = |path: &str, content: &str| {
        let path = base.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write("secret.ts", "export default 'secret'");
    write("outside/index.ts", "export default 'secret'");
    write("outside/package.json", "{\"name\": \"outside\", \"main\": \"index.ts\"}");
    write("app/a.ts", "export default 1");
    write("app/evil/package.json", "{\"name\": \"evil\"}");
    write(
        "app/node_modules/evil/package.json",
        "{\"name\": \"evil\", \"main\": \"../../../secret.ts\", \"exports\": {\".\": \"./../../../secret.ts\", \"./b\": \"./link.ts\"}}",
    );
    write(
        "app/node_modules/evil2/package.json",
        "{\"name\": \"evil2\", \"main\": \"../../../secret.ts\", \"browser\": {\"./x.js\": \"../../../secret.ts\"}}",
    );
    write(
        "app/tsconfig.json",
        "{\"extends\": \"../outside/tsconfig.json\", \"compilerOptions\": {\"paths\": {\"up/*\": [\"../*\"]}}}",
    );
    write("outside/tsconfig.json", "{\"compilerOptions\": {\"paths\": {\"up2/*\": [\"../*\"]}}}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(base.join("secret.ts"), base.join("app/link.ts")).unwrap();
        symlink(base.join("secret.ts"), base.join("app/node_modules/evil/link.ts")).unwrap();
        symlink(base.join("outside"), base.join("app/linked")).unwrap();
        symlink(base.join("outside"), base.join("app/node_modules/outside")).unwrap();
    }
    let app = base.join("app");
    let loader =
        Loader::new(Arc::new(Disk), LoaderOptions::default().configure(|options| options.roots = vec![app.clone()]));
    let secret = base.join("secret.ts").display().to_string();
    let file_url = format!("file://{secret}");
    for specifier in [
        "../secret.ts",
        "./../secret",
        "./x/../../secret.ts",
        &secret,
        &file_url,
        "./link.ts",
        "./linked/index.ts",
        "./linked",
        "outside",
        "evil",
        "evil/b",
        "evil2",
        "up/secret",
        "up2/secret",
        "/etc/passwd",
        "./.././secret.ts",
        "..",
        "../outside",
        "./%2e%2e/secret.ts",
        "./..\\secret.ts",
    ] {
        for kind in [None, Some("text"), Some("bytes")] {
            match loader.load(Importer::Directory(&app), specifier, kind, &Here) {
                Err(error) => assert!(
                    matches!(error.kind, ImportErrorKind::Refused | ImportErrorKind::NotFound),
                    "{specifier}: {error}"
                ),
                Ok(graph) => panic!("{specifier} gave {}", graph.root().prepared.text),
            }
        }
    }
    assert!(loader.load(Importer::Directory(&app), "./a.ts", None, &Here).is_ok());
    assert_eq!(loader.read(&base.join("secret.ts")).unwrap_err().kind, ImportErrorKind::Refused);
    assert_eq!(loader.read(&app.join("../secret.ts")).unwrap_err().kind, ImportErrorKind::Refused);
}

#[test]
fn what_is_no_regular_file_is_no_module() {
    let folder = tempfile::tempdir().unwrap();
    let base: PathBuf = folder.path().canonicalize().unwrap();
    std::fs::create_dir(base.join("dir.ts")).unwrap();
    std::fs::write(base.join("bytes.ts"), [0xff, 0xfe, 0]).unwrap();
    let loader =
        Loader::new(Arc::new(Disk), LoaderOptions::default().configure(|options| options.roots = vec![base.clone()]));
    let fails = |specifier: &str| loader.load(Importer::Directory(&base), specifier, None, &Here).unwrap_err();
    assert_eq!(fails("./dir.ts").kind, ImportErrorKind::NotFound);
    assert_eq!(fails("./bytes.ts").kind, ImportErrorKind::WrongKind);
    assert_eq!(fails("").kind, ImportErrorKind::NotFound);
    assert_eq!(fails("\0").kind, ImportErrorKind::NotFound);
}

#[test]
fn deep_and_wide_graphs_are_bounded() {
    let files = MemoryFiles::new();
    for n in 0..5_100 {
        files.write(format!("/app/chain{n}.js"), format!("import './chain{}.js'", n + 1));
    }
    files.write("/app/chain5100.js", "export {}");
    let loader = Loader::new(Arc::new(files), below_app());
    assert_eq!(load(&loader, "./chain0.js").unwrap_err().kind, ImportErrorKind::WrongKind);
    assert_eq!(load(&loader, "./chain3000.js").unwrap().modules.len(), 2_101);
}

#[test]
fn modules_that_all_import_each_other_are_bounded() {
    let ring = |length: usize| {
        let files = MemoryFiles::new();
        for n in 0..length {
            files.write(format!("/app/ring{n}.js"), format!("import './ring{}.js'", (n + 1) % length));
        }
        load(&Loader::new(Arc::new(files), below_app()), "./ring0.js")
    };
    assert_eq!(ring(150).unwrap().modules.len(), 150);
    let error = ring(151).unwrap_err();
    assert_eq!(error.kind, ImportErrorKind::WrongKind);
    assert!(error.message.contains("151 modules that all import each other"), "{error}");
}

#[test]
fn a_specifier_of_megabytes_is_refused_and_not_repeated() {
    let (_, loader) = in_memory(&[], below_app());
    let error = load(&loader, &format!("./{}", "x".repeat(5 << 20))).unwrap_err();
    assert_eq!(error.kind, ImportErrorKind::NotFound);
    assert!(error.to_string().len() < 300, "{error}");
}

#[test]
fn text_that_is_kept_is_bounded() {
    let files = MemoryFiles::new();
    // Kept twice: as written, and prepared. Five of these are over the bound of 64 MiB, four are not.
    let large = format!("// {}\nexport const n = ", "x".repeat(7 << 20));
    for n in 0..5 {
        files.write(format!("/app/large{n}.js"), format!("{large}{n}"));
    }
    let loader = Loader::new(Arc::new(files), below_app());
    for n in 0..4 {
        load(&loader, &format!("./large{n}.js")).unwrap();
    }
    assert_eq!(loader.counts().parsed, 4);
    load(&loader, "./large0.js").unwrap();
    assert_eq!((loader.counts().parsed, loader.counts().graph_hits), (4, 1), "below the bound everything is kept");
    load(&loader, "./large4.js").unwrap();
    load(&loader, "./large0.js").unwrap();
    assert_eq!(loader.counts().parsed, 6, "beyond it what was kept is dropped");
}

#[test]
fn a_missing_export_names_the_import_that_takes_it() {
    let fails = |importer: &str| {
        let (_, loader) = in_memory(
            &[
                ("/app/entry.ts", "import './importer.ts'"),
                ("/app/importer.ts", importer),
                ("/app/stars.ts", "export * from './named.ts'; export * from './loop.ts'; export const own = 1"),
                ("/app/loop.ts", "export * from './stars.ts'; export { own as passed } from './stars.ts'"),
                (
                    "/app/named.ts",
                    "export const { a, b: [c = 1, ...d] } = x; export function e() {}; export class f {}
                     const g = 1; export { g as h, g as 'i j' }; export default 1; export enum k { a }
                     export * as ns from './data.json'; export type t = 1; export interface u {}",
                ),
                ("/app/data.json", "{\"a\": 1}"),
                ("/app/old.cjs", "exports.a = 1; exports.b = 2"),
            ],
            below_app(),
        );
        match load(&loader, "./entry.ts") {
            Ok(_) => String::new(),
            Err(error) => {
                assert_eq!(error.kind, ImportErrorKind::Syntax, "{error}");
                error.to_string()
            }
        }
    };
    for fine in [
        "import x, { a, c, d, e, f, h, 'i j' as l, k, ns } from './named.ts'; [x, a, c, d, e, f, h, l, k, ns]",
        "export { a, c as default, e as g } from './stars.ts'; export { passed } from './stars.ts'",
        "import { t, type u, a } from './named.ts'; const v: t = a",
        "import type { nothing } from './named.ts'; export type { none } from './named.ts'; import { type no } from './named.ts'",
        "import data from './data.json'; import old, { a, b } from './old.cjs'; [data, old, a, b]",
        "import { unused } from './named.ts'",
    ] {
        assert_eq!(fails(fine), "", "{fine}");
    }
    for (wrong, said) in [
        (
            "\n import { a, b } from './named.ts'; [a, b]",
            "importer.ts:2:14: named.ts has no export 'b'; it exports a, c,",
        ),
        ("import x from './stars.ts'; x", "importer.ts:1:8: stars.ts has no export 'default'; it exports a, c,"),
        ("export { t } from './named.ts'", "importer.ts:1:10: named.ts has no export 't'"),
        ("enum E { a }\nimport { zz } from './loop.ts'; zz", "importer.ts:2:10: loop.ts has no export 'zz'"),
        ("import { a } from './data.json'; a", "importer.ts:1:10: data.json has no export 'a'; it exports default"),
        ("import { c } from './old.cjs'; c", "old.cjs has no export 'c'; it exports a, b, default"),
    ] {
        let message = fails(wrong);
        assert!(message.contains(said), "{wrong}: {message}");
    }
}

#[test]
fn what_is_exported_twice_or_not_there_is_said_where_it_stands() {
    let fails = |source: &str| {
        let (_, loader) = in_memory(&[("/app/a.ts", source), ("/app/b.ts", "export const x = 1")], below_app());
        let module = load(&loader, "./a.ts").map(drop).map_err(|error| error.to_string());
        let entry = prepare_entry(source, true).map(drop).map_err(|error| error.to_string());
        assert_eq!(module.is_ok(), entry.is_ok(), "{source}: {module:?} {entry:?}");
        module.err().unwrap_or_default()
    };
    for fine in [
        "export interface C { a: number }\nexport const y: C = { a: 1 }\nexport default y",
        "export type X = 1; export declare const z: number; export declare function f(): void; export default 1",
        "export namespace N { export type A = 1 } export declare namespace M { const a: 1 } export default 1",
        "export function f(a: string): void; export function f(a: unknown) {} export default f",
        "export default function f(a: string): void; export default function f(a: unknown) {}",
        "type X = 1; interface Y {} export { X, Y as Z }; export default 1",
        "interface X {} export default X",
        "interface Both {} const Both = 1; export { Both }; export default Both",
        "if (true) { var late = 1 } export { late }; export default late",
        "enum E { A } export { E }; export namespace E { export const b = 1 } export default E",
        "import { x } from './b.ts'; export { x, x as y }; export default x",
        "using u = null; export { u as default }",
        "type X = 1; export { X as default }",
        "import { type x } from './b.ts'; const x = 1; export default x",
    ] {
        assert_eq!(fails(fine), "", "{fine}");
    }
    for (wrong, said) in [
        ("export { zzz }; export default 1", "'zzz' is exported and not declared"),
        ("export const a = 1; export { a }; export default 3", "'a' is exported twice"),
        ("export default 5; export { x as default }; let x = 1", "'default' is exported twice"),
        ("export * as n from './b.ts'; export let n = 1", "'n' is exported twice"),
        ("import { x } from './b.ts'; const x = 1; export default x", "'x' is imported and declared"),
        ("import { x } from './b.ts'; import * as x from './b.ts'; export default x", "'x' is imported and declared"),
        ("import { x } from './b.ts'; if (1) { var x } export default 1", "'x' is imported and declared"),
    ] {
        assert!(fails(wrong).contains(said), "{wrong}: {}", fails(wrong));
    }
}

#[test]
fn a_source_s_own_process_is_its_own() {
    let text = |path: &str, source: &str| {
        let (_, loader) = in_memory(&[(path, source)], below_app());
        load(&loader, &path.replace("/app", ".")).unwrap().modules[0].prepared.text.to_string()
    };
    assert!(text("/app/a.js", "export default process.env.NODE_ENV").contains("\"production\""));
    assert!(!text("/app/b.js", "const process = {}; export default process.env.NODE_ENV").contains("\"production\""));
    assert!(!text("/app/c.js", "export default ({ process }) => process.env.NODE_ENV").contains("\"production\""));
    assert!(text("/app/d.cjs", "exports.a = process.env.NODE_ENV").contains("a = \"production\""));
    assert!(
        !text("/app/e.cjs", "function f(process) { return process.env.NODE_ENV }").contains("return \"production\"")
    );
    assert!(
        prepare_entry("export default process.env.NODE_ENV", true).unwrap().prepared.text.contains("\"production\"")
    );
    assert!(
        prepare_entry("process.env.NODE_ENV = 'x'; export default 1", true)
            .unwrap()
            .prepared
            .text
            .contains("process.env.NODE_ENV = 'x'")
    );
}

#[test]
fn a_package_without_a_package_json_is_not_its_importer_s() {
    let (_, loader) = in_memory(
        &[
            ("/app/package.json", "{\"type\": \"module\"}"),
            ("/app/a.js", "import { b } from 'old'; export default b"),
            ("/app/node_modules/old/index.js", "exports.b = 1"),
        ],
        below_app(),
    );
    let graph = load(&loader, "./a.js").unwrap();
    assert!(names(&graph).contains(&"node_modules/old/index.js:exports"), "it is CommonJS: {:?}", names(&graph));
}

#[test]
fn why_a_specifier_leads_to_nothing_is_said_as_it_is() {
    let (_, loader) = in_memory(&[("/app/node_modules/dual/package.json", "{}")], below_app());
    for (specifier, said) in [
        ("https://esm.sh/zod", "modules are not fetched"),
        ("node:fs", "part of Node.js"),
        ("dual/deep/nope", "there is no package 'dual' with a 'deep/nope'"),
        ("nothing", "there is no package 'nothing' in"),
        ("@a/b/c", "there is no package '@a/b' with a 'c'"),
    ] {
        let error = load(&loader, specifier).unwrap_err();
        assert!(error.message.contains(said), "{specifier}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_out_is_refused_and_not_missing_whatever_it_leads_to() {
    let folder = tempfile::tempdir().unwrap();
    let (app, outside) = (folder.path().join("app"), folder.path().join("outside"));
    std::fs::create_dir_all(app.join("node_modules")).unwrap();
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("index.js"), "export default 1").unwrap();
    std::os::unix::fs::symlink(&outside, app.join("node_modules/linked")).unwrap();
    std::os::unix::fs::symlink(&outside, app.join("folder")).unwrap();
    let loader =
        Loader::new(Arc::new(Disk), LoaderOptions::default().configure(|options| options.roots = vec![app.clone()]));
    for specifier in ["linked", "linked/index.js", "./folder/index.js", "./folder"] {
        let error = loader.load(Importer::Directory(&app), specifier, None, &Here).unwrap_err();
        assert_eq!(error.kind, ImportErrorKind::Refused, "{specifier}: {error}");
    }
    assert_eq!(
        loader.load(Importer::Directory(&app), "unlinked", None, &Here).unwrap_err().kind,
        ImportErrorKind::NotFound
    );
}

/// Notes what it is asked for, and refuses it or does it here.
struct Asked {
    sources: Mutex<Vec<usize>>,
    answer: Option<Denied>,
}

impl Asked {
    fn new(answer: Option<Denied>) -> Self {
        Self { sources: Mutex::default(), answer }
    }
}

impl Preparer for Asked {
    fn prepare(&self, task: &Task<'_>) -> Result<Result<Product, SourceError>, Denied> {
        self.sources.lock().unwrap().push(task.source().len());
        match &self.answer {
            Some(denied) => Err(denied.clone()),
            None => Ok(task.run()),
        }
    }
}

#[test]
fn files_that_are_not_proven_to_be_cheap_are_prepared_elsewhere() {
    let large = format!("export default [{}]", "{a:1,b:[1]},".repeat(100_000));
    let (_, loader) = in_memory(&[("/app/large.js", &large), ("/app/small.js", "export default 1")], below_app());
    let load =
        |specifier: &str, asked: &Asked| loader.load(Importer::Directory(Path::new("/app")), specifier, None, asked);
    let (refuses, does) = (Asked::new(Some(Denied::Stopped)), Asked::new(None));
    load("./small.js", &refuses).unwrap();
    let error = load("./large.js", &refuses).unwrap_err();
    assert_eq!((error.kind, error.message), (ImportErrorKind::Limit, Denied::Stopped.to_string()));
    load("./large.js", &does).unwrap();
    load("./large.js", &refuses).expect("what has been prepared need not be again");
    assert_eq!(*refuses.sources.lock().unwrap(), [large.len()], "and what was denied is asked for anew");
    assert_eq!(*does.sources.lock().unwrap(), [large.len()]);
}

#[test]
fn commonjs_may_have_names_of_its_wrapper_s() {
    let text = |source: &str| {
        let files = [("/app/package.json", "{\"type\": \"commonjs\"}"), ("/app/a.js", source)];
        let (_, loader) = in_memory(&files, below_app());
        let graph = load(&loader, "./a.js").unwrap();
        graph.modules.iter().find(|module| module.name == "a.js").unwrap().prepared.text.to_string()
    };
    for source in ["const process = 1", "let exports = 2", "class module {}", "const { require } = x"] {
        assert!(text(source).contains("(()=>{"), "{source} has a scope of its own");
    }
    for source in
        ["var exports = exports || {}; exports.a = 1", "function require() {}", "{ const module = 1 }", "this.x = 1"]
    {
        assert!(text(source).contains("$cjs") && !text(source).contains("(()=>{"), "{source} has the wrapper's");
    }
    // Nothing in it tells what it is, and the package says.
    assert!(text("globalThis.x = 1").contains("$cjs"));
}

#[test]
fn what_is_written_anew_takes_more_memory_than_what_is_edited() {
    let members: String = (0..10_000).map(|n| format!("A{n},")).collect();
    let bytes = |source: &str| look(source).bytes;
    let plain = bytes(&format!("const e = [{members}]"));
    assert!(bytes(&format!("enum E {{{members}}}")) > 5 * plain);
    assert!(bytes(&format!("class C {{ accessor a; b = [{members}] }}")) > 5 * plain);
}

#[test]
fn a_required_file_that_is_denied_is_not_taken_for_missing() {
    let large = format!("module.exports = [{}]", "{a:1,b:[1]},".repeat(100_000));
    let files = [("/app/a.cjs", "try { require('./large.cjs') } catch {}"), ("/app/large.cjs", &large)];
    let (_, loader) = in_memory(&files, below_app());
    let load = |asked: &Asked| loader.load(Importer::Directory(Path::new("/app")), "./a.cjs", None, asked);
    assert_eq!(load(&Asked::new(Some(Denied::Stopped))).unwrap_err().kind, ImportErrorKind::Limit);
    assert!(names(&load(&Asked::new(None)).unwrap()).contains(&"large.cjs"), "and the next run has it");
}
