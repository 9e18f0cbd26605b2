//! Modules of Node.js, `process.exit`, and what of the program's environment scripts see. That the modules do what Node's do is shown by
//! `tests/end-to-end/node.test.mjs`.

use std::sync::Arc;
use std::time::Duration;

use perennial_sessions::bundler::{Loader, LoaderOptions, MemoryFiles};
use perennial_sessions::node::{Environment, modules};
use perennial_sessions::protocol::{ErrorKind, VmOrigin};
use perennial_sessions::{
    ModuleAccess, RunContext, RunRequest, ScriptError, ScriptResult, SessionTable, provided_modules,
};
use serde_json::{Value, json};

struct Project {
    table: SessionTable,
    context: RunContext,
}

fn project(files: &[(&str, &str)]) -> Project {
    let memory = MemoryFiles::new();
    for (path, content) in files {
        memory.write(format!("/app/{path}"), *content);
    }
    let options = LoaderOptions::default().configure(|options| {
        options.roots = vec!["/app".into()];
        options.provided = provided_modules();
    });
    let access = ModuleAccess::new(Loader::new(Arc::new(memory), options), "/app");
    let context = if files.is_empty() { RunContext::new() } else { RunContext::new().grant(access) };
    Project { table: SessionTable::new(10, Duration::from_secs(60)), context }
}

impl Project {
    async fn result(&self, script: &str) -> ScriptResult {
        self.table.run_with("s", RunRequest::new(script), self.context.clone()).await
    }

    async fn run(&self, script: &str) -> Value {
        let result = self.result(script).await;
        assert!(result.error.is_none(), "{script}: {:?}", result.error);
        result.value.unwrap_or(Value::Null)
    }

    async fn fail(&self, script: &str) -> ScriptError {
        *self.result(script).await.error.unwrap_or_else(|| panic!("{script} does not fail"))
    }
}

#[tokio::test]
async fn what_a_module_exports_by_name_is_what_its_default_has() {
    let project = project(&[]);
    for (name, _) in modules() {
        let script = format!(
            "const module = await import({name:?}), own = module.default;
             const names = Object.keys(module).filter((name) => name !== 'default').sort();
             // A function's own name and length are not among what it exports.
             const there = Object.getOwnPropertyNames(own).filter((name) => !['length', 'name', 'prototype', 'arguments', 'caller'].includes(name)).sort();
             [names.filter((name) => !there.includes(name)), there.filter((name) => !names.includes(name))]"
        );
        assert_eq!(project.run(&script).await, json!([[], []]), "{name}");
    }
}

#[tokio::test]
async fn modules_are_found_with_and_without_their_prefix_and_packages_come_first() {
    let nothing = project(&[]);
    assert_eq!(
        nothing.run("import { join } from 'path'; import p from 'node:path'; [join('a', 'b'), p.join === join]").await,
        json!(["a/b", true])
    );
    let error = nothing.fail("import 'node:http'").await;
    assert!(error.message.contains("use fetch; of Node.js there are node:assert, "), "{}", error.message);
    let error = nothing.fail("import 'fs'").await;
    assert!(error.message.contains("use node:fs/promises or the global fs"), "{}", error.message);
    let error = nothing.fail("import { nope } from 'node:path'; nope").await;
    assert!(error.message.contains("has no export 'nope'"), "{}", error.message);

    let project = project(&[
        ("package.json", r##"{"name": "app", "imports": {"#path": "node:path", "#util": "util"}}"##),
        ("named.ts", "import p from '#path'; import { format } from '#util'; export default [p.join('a', 'b'), typeof format]"),
        ("node_modules/events/package.json", r#"{"main": "index.js"}"#),
        ("node_modules/events/index.js", "module.exports = 'the package'"),
        ("node_modules/uses/package.json", r#"{"main": "index.js"}"#),
        (
            "node_modules/uses/index.js",
            "const path = require('path'), { EventEmitter } = require('node:events'), assert = require('assert');
             let fs; try { fs = require('fs') } catch (error) { fs = error.code }
             module.exports = [path.basename('/a/b'), typeof EventEmitter, typeof assert, assert.ok === assert.strict.ok, fs]",
        ),
        ("esm.ts", "import process, { env } from 'process'; import { Buffer as B } from 'buffer'; export default [typeof process.cwd, Object.keys(env), B === Buffer]"),
    ]);
    assert_eq!(project.run("import events from 'events'; events").await, json!("the package"));
    assert_eq!(
        project.run("import uses from 'uses'; uses").await,
        json!(["b", "function", "function", true, "MODULE_NOT_FOUND"])
    );
    let error = project.fail("import 'events/nope.js'").await;
    assert!(error.message.contains("there is no package 'events' with a 'nope.js'"), "{}", error.message);
    assert_eq!(project.run("import named from './named.ts'; named").await, json!(["a/b", "function"]));
    assert_eq!(project.run("import esm from './esm.ts'; esm").await, json!(["function", [], true]));
}

#[tokio::test]
async fn a_script_that_exits_ends_with_its_code_and_nothing_of_it_goes_on() {
    for (script, code) in [
        ("process.exit(3)", 3),
        ("try { process.exit(4) } catch { vars.set('x', 1) } finally { vars.set('x', 2) }", 4),
        ("await (async () => { try { await null; process.exit(5) } finally { vars.set('x', 3) } })()", 5),
        ("new Promise(() => process.exit(6)).catch(() => {}); vars.set('x', 4); await new Promise(() => {})", 6),
        ("await Promise.resolve().then(() => process.exit(7)).catch(() => vars.set('x', 5))", 7),
        ("setTimeout(() => process.exit(8), 1); await new Promise(() => {})", 8),
        ("[3, 1, 2].sort(() => process.exit(9)); vars.set('x', 6)", 9),
        ("JSON.stringify({ toJSON() { process.exit(10) } }); vars.set('x', 7)", 10),
        ("for (const x of (function* () { try { yield 1 } finally { vars.set('x', 8) } })()) process.exit(11)", 11),
        ("process.exitCode = 12; process.exit()", 12),
        ("({ get x() { return process.exit(13) } })", 13),
        ("Promise.resolve().then(() => vars.set('x', 9)); process.exit(14)", 14),
        ("setTimeout(() => vars.set('x', 10), 0); process.exit(15)", 15),
        (
            "setInterval(() => vars.set('x', 11), 0); fs.writeFile('/a', '1').then(() => vars.set('x', 12)); process.exit(16)",
            16,
        ),
    ] {
        let project = project(&[]);
        project.run("globalThis.kept = 1; 0").await;
        let error = project.fail(script).await;
        assert_eq!((error.kind, error.exit_code), (ErrorKind::Runtime, Some(code)), "{script}: {error:?}");
        assert_eq!(error.message, format!("the script ended itself with code {code}"));
        let next = project.result("await new Promise((done) => setTimeout(done, 5)); [kept, vars.has('x')]").await;
        assert_eq!((next.vm, next.value), (Some(VmOrigin::Warm), Some(json!([1, false]))), "{script}");
        assert_eq!(next.console, [], "{script}");
    }
}

#[tokio::test]
async fn a_script_that_exits_with_zero_is_done() {
    let project = project(&[]);
    let result = project.result("console.log('before'); process.exit(0); console.log('after')").await;
    assert!(result.is_ok() && result.value.is_none(), "{result:?}");
    assert_eq!(result.console.len(), 1);
    for wrong in ["process.exit(-1)", "process.exit(256)", "process.exit(1.5)", "process.exit('x')"] {
        assert!(project.fail(wrong).await.exit_code.is_none(), "{wrong}");
    }
}

#[tokio::test]
async fn a_module_that_exits_ends_the_run_and_can_be_imported_again() {
    let project = project(&[(
        "quits.ts",
        "globalThis.times = (globalThis.times ?? 0) + 1; if (times < 2) process.exit(5); export const done = true",
    )]);
    assert_eq!(project.fail("import './quits.ts'").await.exit_code, Some(5));
    // The VM is not kept: a module that was left in the middle cannot be evaluated again.
    let next = project.result("[typeof times, (await import('./quits.ts').catch(() => 0)).done]").await;
    assert_eq!(next.error.and_then(|error| error.exit_code), Some(5));
    assert_eq!(next.vm, Some(VmOrigin::Rebuilt));
}

#[tokio::test]
async fn a_module_that_awaits_and_exits_keeps_nobody_waiting() {
    let project = project(&[("waits.ts", "await 0; process.exit(0); export const z = 1")]);
    let first = project.result("await import('./waits.ts'); 1").await;
    assert!(first.is_ok() && first.value.is_none() && first.console.is_empty(), "{first:?}");
    let next = project.result("await import('./waits.ts'); 1").await;
    assert_eq!((next.is_ok(), next.vm), (true, Some(VmOrigin::Rebuilt)), "{next:?}");
}

#[tokio::test]
async fn what_an_executor_swallows_of_an_exit_is_an_error_like_any_other_afterwards() {
    let project = project(&[]);
    let first =
        project.result("new Promise(() => process.exit(0)).catch((error) => { globalThis.kept = error }); 1").await;
    assert!(first.is_ok(), "{first:?}");
    let script =
        "let caught = 0; try { throw globalThis.kept ?? new Error() } catch { caught++ } finally { caught++ } caught";
    assert_eq!(project.run(script).await, json!(2));
}

#[tokio::test]
async fn what_is_set_for_the_end_of_one_run_is_not_that_of_the_next() {
    let project = project(&[]);
    project.run("process.exitCode = 3; 0").await;
    assert!(project.result("process.exit()").await.is_ok());
}

#[tokio::test]
async fn an_exit_between_two_runs_ends_the_callback_alone() {
    let project = project(&[]);
    project.run("setTimeout(() => { vars.set('began', 1); process.exit(3); vars.set('went on', 1) }, 0); 0").await;
    for _ in 0..200 {
        if project.run("vars.has('began')").await == json!(true) {
            break;
        }
        tokio::task::yield_now().await;
    }
    let result = project.result("[vars.has('began'), vars.has('went on')]").await;
    assert_eq!((result.value, result.error), (Some(json!([true, false])), None));
}

#[tokio::test]
async fn scripts_see_the_variables_they_were_given_and_change_none() {
    let project = project(&[]);
    assert_eq!(project.run("[Object.keys(process.env), Object.isFrozen(process.env)]").await, json!([[], true]));
    let context = RunContext::new().grant(Environment::new().with("MODE", "test").with("__proto__", "x"));
    let script = "process.env.MODE = 'other'; [process.env.MODE, process.env.HOME ?? null, Object.hasOwn(process.env, '__proto__')]";
    let result = project.table.run_with("s", RunRequest::new(script), context.clone()).await;
    assert_eq!(result.error.map(|error| error.name), Some("TypeError".to_owned()), "cells are strict");
    let script = "[process.env.MODE, process.env.HOME ?? null, Object.hasOwn(process.env, '__proto__'), Object.getPrototypeOf(process.env) === Object.prototype]";
    let result = project.table.run_with("s", RunRequest::new(script), context).await;
    assert_eq!(result.value, Some(json!(["test", null, true, true])));
    assert_eq!(project.run("Object.keys(process.env)").await, json!([]), "the next run was given none");
}

#[tokio::test]
async fn what_is_read_without_an_encoding_is_a_buffer() {
    let project = project(&[]);
    let script = "await fs.writeFile('/a', 'h\u{e9}'); const b = await fs.readFile('/a'); [b.toString(), Buffer.isBuffer(b), b instanceof Uint8Array, b]";
    assert_eq!(project.run(script).await, json!(["h\u{e9}", true, true, {"$bytes": "aMOp"}]));
}

#[tokio::test]
async fn what_stands_on_the_prototypes_of_the_language_does_not_reach_the_modules() {
    let tampered = "Object.freeze(Object.prototype); Object.freeze(Function.prototype); Object.freeze(Error.prototype)";
    let forged = "for (const name of ['readInt8', 'pathname', 'input', 'then', 'name', 'threw']) Object.defineProperty(Object.prototype, name, { get: () => 99, set() {}, configurable: true }); Object.defineProperty(Function.prototype, 'fail', { get: () => () => 1, set() {} })";
    for first in [tampered, forged] {
        let project = project(&[]);
        project.run(&format!("{first}; 0")).await;
        let script = "const { default: assert } = await import('node:assert'); const { setTimeout: wait } = await import('node:timers/promises'); let why = '';
            try { assert.fail('x') } catch (e) { why += e.code }
            await assert.rejects(Promise.resolve(1)).catch((e) => { why += e.code });
            await wait(5, 1, { signal: AbortSignal.abort() }).catch((e) => { why += e.name });
            await fs.writeFile('/x', 'y'); const found = new URLPattern({ pathname: '/a/:b' }).exec('https://e.org/a/c');
            [Buffer.from([1]).readInt8(0), (await fs.readFile('/x')).toString(), found.pathname.groups.b, why]";
        let expected = json!([1, "y", "c", "ERR_ASSERTIONERR_ASSERTIONAbortError"]);
        assert_eq!(project.run(script).await, expected, "{first}");
    }
}

#[tokio::test]
async fn a_url_that_is_too_long_is_refused_before_it_is_taken_apart() {
    let project = project(&[]);
    let script = "const long = 'http://a/' + '/'.repeat(2 ** 21), u = new URL('http://a/'); const t = (f) => { try { return f() } catch (e) { return e.name } };
        [t(() => new URL(long)), t(() => { u.hash = long }), t(() => new URL('x', long)), t(() => URL.canParse(long)), u.href]";
    let refused = "QuotaExceededError";
    assert_eq!(project.run(script).await, json!([refused, refused, refused, refused, "http://a/"]));
}

#[tokio::test]
async fn events_that_were_waited_for_one_by_one_leave_nothing_behind() {
    let project = project(&[]);
    let script =
        "const { EventEmitter, on } = await import('node:events'); const e = new EventEmitter(), it = on(e, 'x');
        for (let i = 0; i < 30000; i++) { const p = it.next(); e.emit('x', i); await p } 0";
    project.run(script).await;
    let before = project.result("0").await.usage.heap_bytes;
    project.run(&script.replace("const {", "var {").replace("const e", "var e")).await;
    let after = project.result("0").await.usage.heap_bytes;
    assert!(after < before + (4 << 20), "{before} and then {after}");
}

#[tokio::test]
async fn comparing_what_is_deep_ends_in_an_error_and_not_in_a_crash() {
    let project = project(&[]);
    for script in [
        "let a = [], b = []; for (let i = 0; i < 1e5; i++) { a = [a]; b = [b] } (await import('node:util')).isDeepStrictEqual(a, b)",
        "let a = {}; for (let i = 0; i < 1e5; i++) a = { a }; (await import('node:util')).inspect(a, { depth: Infinity }).length > 0",
    ] {
        let result = project.result(script).await;
        assert!(
            result.is_ok() || result.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Runtime),
            "{:?}",
            result.error
        );
    }
    assert_eq!(project.run("1 + 1").await, json!(2));
}
