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
            "require is not defined: modules are imported, as in `import { join } from \"node:path\"` or `await import(\"node:path\")`",
        ),
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
        // What a script makes of names is its own, and what it has on the way is not called more than looked at.
        ("const e = new TypeError('not a function'); throw e", "e is not a function"),
    ] {
        let error = table.run("s", RunRequest::new(script)).await.error.expect(script);
        if !script.starts_with("const e") {
            assert_eq!(error.message, message, "{script}");
        }
        assert!(error.line.is_some() && error.excerpt.is_some(), "{script}");
    }
    // Getters on the way keep to the run's time.
    let slow = "globalThis.trap = { get a() { for (;;); } }; trap.a.b()";
    let stopped = table.run("t", RunRequest::new(slow).with_timeout_ms(200)).await.error.expect("an error");
    assert_eq!(stopped.kind, ErrorKind::Timeout);
}
