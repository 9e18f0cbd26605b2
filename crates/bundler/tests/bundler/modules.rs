use std::sync::Arc;

use perennial_bundler::{Importer, Loader, LoaderOptions, MemoryFiles};

fn loader(files: &[(&str, &str)]) -> (MemoryFiles, Loader) {
    let memory = MemoryFiles::new();
    for (path, content) in files {
        memory.write(path, *content);
    }
    let loader =
        Loader::new(Arc::new(memory.clone()), LoaderOptions { roots: vec!["/app".into()], ..Default::default() });
    (memory, loader)
}

#[test]
fn show() {
    let (files, loader) = loader(&[
        (
            "/app/a.ts",
            "import b, { type T, U } from './b.js';\nimport { data } from './lib.cjs';\nimport j from './d.json' with { type: 'json' };\nexport * from './c.mjs';\nexport const a: number = b + data + j.x;\nexport default await import('./lazy.ts');",
        ),
        ("/app/b.ts", "import { c } from './c.mjs'; export interface U {}\nexport default c; export function f() {}"),
        ("/app/c.mjs", "import { f } from './b.js'; export const c = 1; export { f };"),
        (
            "/app/lib.cjs",
            "const u = require('util'); const other = require('./other.cjs'); exports.data = 1; module.exports.more = other;",
        ),
        ("/app/other.cjs", "module.exports = { x: 1, ...require('./d.json') }"),
        ("/app/d.json", "{\"x\": 1, \"__proto__\": 2}"),
        ("/secret.ts", "export default 1"),
    ]);
    let base = std::path::Path::new("/app");
    let graph = loader.load(Importer::Directory(base), "./a.ts", None).unwrap();
    for module in &graph.modules {
        println!("--- {} {} {:?}\n{}", module.key, module.name, module.imports, module.prepared.text);
    }
    println!("{:?}", loader.counts());
    loader.load(Importer::Directory(base), "./a.ts", None).unwrap();
    println!("{:?}", loader.counts());
    files.write("/app/c.mjs", "import { f } from './b.js'; export const c = 2; export { f };");
    let second = loader.load(Importer::Directory(base), "./a.ts", None).unwrap();
    println!("{:?} {} {}", loader.counts(), graph.root().key, second.root().key);
    for specifier in ["./nothing", "zod", "node:fs", "../secret.ts", "perennial:x", "./d.css"] {
        println!("{}", loader.load(Importer::Directory(base), specifier, None).unwrap_err());
    }
}
