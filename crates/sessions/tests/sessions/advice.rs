//! What scripts look for that is not there.

use perennial_sessions::net::Secrets;
use perennial_sessions::node::Environment;
use perennial_sessions::protocol::ErrorKind;
use perennial_sessions::{RunRequest, SessionTable, TableConfig};

#[tokio::test]
async fn what_is_not_there_is_named_and_what_works_here_is_said() {
    let secrets = Secrets::new().with("TOKEN", "0123456789", &["https://a.com"]).expect("a secret");
    let config = TableConfig::default().configure(|config| {
        config.secrets = secrets;
        config.env = Environment::new().with("MODE", "x");
    });
    let table = SessionTable::with_config(config);
    for (script, message) in [
        (
            "fs.readFileSync('/x')",
            "fs.readFileSync is not a function; did you mean fs.readFile, which gives a promise?",
        ),
        ("const n = 1; await fs.readFil('x')", "fs.readFil is not a function; did you mean fs.readFile?"),
        ("JSON.prase('1')", "JSON.prase is not a function; did you mean JSON.parse?"),
        ("const list = [1]; list.psuh(2)", "list.psuh is not a function; did you mean list.push?"),
        ("'é😀'; new fs.Foo()", "fs.Foo is not a function"),
        ("[1].mapp((x) => x)", "mapp is not a function"),
        ("let v = 5; v()", "v is not a function"),
        ("consol.log(1)", "consol is not defined; did you mean console?"),
        ("let o = {}; o.a.b", "cannot read property 'b' of undefined: o.a is undefined"),
        ("let q = null; q.x", "cannot read property 'x' of null: q is null"),
        (
            "require('fs')",
            "require is not defined: modules are imported, as in `import { join } from \"node:path\"` or `await import(\"node:path\")`; files need none: `await fs.readFile(path, \"utf8\")`",
        ),
        (
            "Intl.DateTimeFormat()",
            "Intl is not defined: there is no Intl; numbers have `toFixed`, dates `toISOString`, texts `localeCompare`",
        ),
        (
            "await fs.promises.readFile('x')",
            "cannot read property 'readFile' of undefined: fs.promises is undefined: the functions of `fs` give promises themselves, as in `await fs.readFile(path, \"utf8\")`",
        ),
        (
            "fs.createReadStream('x')",
            "fs.createReadStream is not a function: `await fs.open(path)` gives a handle that reads and writes parts",
        ),
        ("undefinedVar", "undefinedVar is not defined"),
        (
            "document.title",
            "document is not defined: there is no page here; `fetch` makes requests, `fs` and `vars` keep things",
        ),
        (
            "Deno.readFile('x')",
            "Deno is not defined: files are `fs.readFile` and the like, requests `fetch`, variables `process.env`, programs `commands.run`",
        ),
        ("secrets.TOKEN", "secrets is not defined: a secret is used as `perennial.secret(\"TOKEN\")`; granted: TOKEN"),
        (
            "process.env.TOKEN.length",
            "cannot read property 'length' of undefined: process.env.TOKEN is undefined: it is a secret, which is used and never seen: `perennial.secret(\"TOKEN\")`",
        ),
        (
            "process.env.NOPE.length",
            "cannot read property 'length' of undefined: process.env.NOPE is undefined: process.env has MODE",
        ),
        (
            "tools.html.text()",
            "cannot read property 'text' of undefined: tools.html is undefined: there are no plugins",
        ),
        // A built-in complains of its argument.
        ("const rows = [1]; rows.map(undefined)", "not a function"),
        ("let u; u?.x; u.x.x", "cannot read property 'x' of undefined"),
        // Names that are long, and indices, are nobody's mistake.
        ("let long = {}; long['a'.repeat(1e6)] = 1; long.nothing()", "long.nothing is not a function"),
        ("const bytes = new Uint8Array(30e6); bytes.foo()", "bytes.foo is not a function"),
        (
            "const bytes2 = new Uint8Array(8); bytes2.sbuarray(1)",
            "bytes2.sbuarray is not a function; did you mean bytes2.subarray?",
        ),
    ] {
        let error = table.run("s", RunRequest::new(script)).await.error.expect(script);
        assert_eq!(error.message, message, "{script}");
        assert!(error.line.is_some() && error.excerpt.is_some(), "{script}");
    }
    // Getters and traps are not called again for the sake of an answer.
    let script = "let count = 0; const trap = { get a() { count++; return {}; } }; const proxy = new Proxy({}, { get() { count++; return {}; }, ownKeys() { count++; return []; }, getOwnPropertyDescriptor() { count++; } });";
    table.run("t", RunRequest::new(script)).await;
    for script in ["trap.a.nothing()", "proxy.a.nothing()"] {
        let error = table.run("t", RunRequest::new(script)).await.error.expect(script);
        assert_eq!((error.kind, &*error.message), (ErrorKind::Runtime, &*script.replace("()", " is not a function")));
    }
    assert_eq!(table.run("t", RunRequest::new("count")).await.value, Some(serde_json::json!(2)));
}

#[tokio::test]
async fn a_script_in_the_fences_of_markdown_is_told_so() {
    let table = SessionTable::with_config(TableConfig::default());
    let error = table.run("s", RunRequest::new("```js\n1 + 1\n```")).await.error.expect("no script");
    assert_eq!(error.kind, ErrorKind::Syntax);
    assert!(error.message.contains("send what is between the fences"), "{}", error.message);
}

#[tokio::test]
async fn a_function_of_fs_refuses_a_callback_instead_of_dropping_it() {
    let table = SessionTable::new(1, std::time::Duration::from_secs(60));
    for (call, name) in [
        ("fs.readFile('/f', 'utf8', (error, text) => {})", "readFile"),
        ("fs.writeFile('/f', 'x', () => {})", "writeFile"),
        ("fs.unlink('/f', () => {})", "unlink"),
        ("(await import('node:fs/promises')).rename('/a', '/b', () => {})", "rename"),
    ] {
        let error = table.run("s", RunRequest::new(call)).await.error.unwrap();
        let says = format!("fs.{name} returns a promise and calls nothing back: write await fs.{name}(…)");
        assert_eq!((&*error.name, &*error.message), ("TypeError", &*says), "{call}");
    }
}
