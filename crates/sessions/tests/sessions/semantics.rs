//! Cells against what they should mean: with types as without, and as a module where both are defined.

use std::sync::Arc;
use std::time::Duration;

use perennial_sessions::bundler::{Loader, LoaderOptions, MemoryFiles};
use perennial_sessions::{
    CompiledBundle, EngineConfig, ModuleAccess, RunContext, RunOptions, RunRequest, SessionTable,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What a cell comes to: its value, or the name and message of its error.
async fn cell(table: &SessionTable, session: &str, source: &str) -> Value {
    let result = table.run(session, RunRequest::new(source)).await;
    match result.error {
        None => json!({"value": result.value}),
        // Problems of the text say where they are in it.
        Some(error) if error.name == "SyntaxError" => json!({"error": "SyntaxError"}),
        Some(error) => json!({"error": [error.name, error.message]}),
    }
}

/// Pieces with types and the same without; `…` is another piece.
const EXPRESSIONS: &[(&str, &str)] = &[
    ("(… as any)", "(…)"),
    ("(…)!", "(…)"),
    ("(<unknown>…)", "(…)"),
    ("(… satisfies unknown)", "(…)"),
    ("((a: any, b?: number): any => [a, b])(…)", "((a, b) => [a, b])(…)"),
    ("(<T,>(a: T): T => a)(…)", "((a) => a)(…)"),
    (
        "(function f<T>(this: any, a: T, ...rest: any[]): T | undefined { return a })(…)",
        "(function f(a, ...rest) { return a })(…)",
    ),
    (
        "new (class A<T> { readonly x: T; private y?: T; declare z: T; static s: number = 1; constructor(x: T) { this.x = x } get(): T { return this.x } })(…).get()",
        "new (class A { x; y; static s = 1; constructor(x) { this.x = x } get() { return this.x } })(…).get()",
    ),
    ("new Map<string, any>([['k', …]]).get('k')", "new Map([['k', …]]).get('k')"),
    ("[…, … as const].length", "[…, …].length"),
    ("`${… as string}`", "`${…}`"),
    ("(… as any) ?? (… as any)", "(…) ?? (…)"),
    ("1 + (… as number) * 2", "1 + (…) * 2"),
    ("({ a: … } as { a: any }).a", "({ a: … }).a"),
    ("await (async (x: any): Promise<any> => x)(…)", "await (async (x) => x)(…)"),
    ("1", "1"),
    ("'text'", "'text'"),
    ("null", "null"),
    ("[1, { b: 2 }]", "[1, { b: 2 }]"),
    ("v", "v"),
];

const STATEMENTS: &[(&str, &str)] = &[
    ("let v: any = …;", "let v = …;"),
    ("const c: unknown = …, d: any = c", "const c = …, d = c"),
    ("var v: any = …", "var v = …"),
    ("let { length: n, ...rest }: any = Object(…)", "let { length: n, ...rest } = Object(…)"),
    ("let [h = …]: any[] = []", "let [h = …] = []"),
    ("interface I { a: string }\ntype T = I & { b?: number }", "\n"),
    ("declare const gone: string", ""),
    ("function g(a: string): void\nfunction g(a: any): any { return a }\ng(…)", "\nfunction g(a) { return a }\ng(…)"),
    ("for (const x of [… as any]) { v = x as any }", "for (const x of […]) { v = x }"),
    ("if ((… as boolean)) { let v: number = 1 } else v = <any>2", "if ((…)) { let v = 1 } else v = 2"),
    ("try { throw … } catch (e: unknown) { v = e as any }", "try { throw … } catch (e) { v = e }"),
    (
        "abstract class Q<T> { abstract m(): T; n(): T { return this.m() } }\nclass R extends Q<any> { override m(): any { return … } }\nv = new R().n()",
        "class Q { n() { return this.m() } }\nclass R extends Q { m() { return … } }\nv = new R().n()",
    ),
    ("v = …", "v = …"),
    ("label: for (;;) { break label }", "label: for (;;) { break label }"),
];

fn fill(pair: (&str, &str), inner: &[(String, String)]) -> (String, String) {
    let fill = |text: &str, pick: fn(&(String, String)) -> &String| {
        let mut parts = text.split('…');
        let mut filled = parts.next().unwrap_or("").to_owned();
        for (index, part) in parts.enumerate() {
            filled.push_str(pick(&inner[index % inner.len()]));
            filled.push_str(part);
        }
        filled
    };
    (fill(pair.0, |pair| &pair.0), fill(pair.1, |pair| &pair.1))
}

fn expression() -> impl Strategy<Value = (String, String)> {
    let leaf = prop::sample::select(&EXPRESSIONS[15..]).prop_map(|(typed, plain)| (typed.to_owned(), plain.to_owned()));
    leaf.prop_recursive(4, 16, 2, |inner| {
        (prop::sample::select(EXPRESSIONS), prop::collection::vec(inner, 2))
            .prop_map(|(pair, inner)| fill(pair, &inner))
    })
}

fn program() -> impl Strategy<Value = (String, String)> {
    let statement = (prop::sample::select(STATEMENTS), prop::collection::vec(expression(), 2))
        .prop_map(|(pair, inner)| fill(pair, &inner));
    (prop::collection::vec(statement, 1..6), expression()).prop_map(|(statements, last)| {
        let join = |pick: fn(&(String, String)) -> &String| {
            let mut text: Vec<&str> = vec!["var v"];
            text.extend(statements.iter().map(|statement| pick(statement).as_str()));
            let last = pick(&last);
            format!("{}\n;[{last}]", text.join("\n;"))
        };
        (join(|pair| &pair.0), join(|pair| &pair.1))
    })
}

#[test]
fn a_cell_with_types_gives_what_it_gives_without() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let table = runtime.block_on(async { SessionTable::new(4, Duration::from_secs(60)) });
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&program(), |(typed, plain)| {
        let (with, without) = runtime.block_on(async {
            table.remove("typed");
            table.remove("plain");
            (cell(&table, "typed", &typed).await, cell(&table, "plain", &plain).await)
        });
        prop_assert_eq!(with, without, "{}\n---- against\n{}", typed, plain);
        Ok(())
    });
    outcome.expect("types change nothing");
}

/// Programs that mean the same as a cell, whose value is the last expression, and as a module that exports it.
const PROGRAMS: &[(&str, &str)] = &[
    ("let a = 1; const b = 2; var c = 3", "[a, b, c]"),
    ("function f() { return g() } function g() { return 'g' }", "[f(), f.name, g.name, typeof f]"),
    ("const early = h(); function h() { return 'hoisted' }", "early"),
    ("class A { static s = A.name; m() { return A.s } } class B extends A {}", "[new B().m(), A.name, B.name]"),
    ("const { a, b: { c = 5, ...d } = {}, ...e } = { a: 1, b: { x: 2 }, y: 3 }", "[a, c, d, e]"),
    ("const [p, , q = p, ...r] = 'abcdef'", "[p, q, r]"),
    ("let n = 0; const up = () => ++n; up(); up()", "[n, up.name]"),
    ("let fs = []; for (let i = 0; i < 3; i++) fs.push(() => i)", "fs.map((f) => f())"),
    ("var fs = []; for (var i = 0; i < 3; i++) fs.push(() => i)", "fs.map((f) => f())"),
    ("if (true) { var inner = 1; let block = 2 }", "[inner, typeof block]"),
    ("let x = 1; { let x = 2; { var y = x } }", "[x, y]"),
    ("const f = function () {}, g = () => {}, h = class {}, { i = () => {} } = {}", "[f.name, g.name, h.name, i.name]"),
    ("const v = await Promise.resolve(3); let w = 0; for await (const x of [1, Promise.resolve(2)]) w += x", "[v, w]"),
    ("const o = { get a() { return this === o }, async *b() {}, ['c' + 1]: 2 }", "[o.a, Object.keys(o)]"),
    (
        "let log = []; label: for (const a of [1, 2, 3]) { for (const b of [1, 2]) { if (b === 2) continue label; if (a === 3) break label; log.push([a, b]) } }",
        "log",
    ),
    ("let t = ''; switch (2) { case 1: t += 1; case 2: t += 2; case 3: t += 3; break; default: t += 'd' }", "t"),
    ("let e1; try { null.x } catch ({ name }) { e1 = name } finally { e1 += '!' }", "e1"),
    ("const tag = (s, ...v) => s.raw.join('|') + v; const r = tag`a${1}\\n${2}`", "r"),
    ("let a = 1, b = 2; [a, b] = [b, a]", "[a, b]"),
    ("let a; a ??= 5; a ||= 6; a &&= 7; a **= 2", "a"),
    ("const g = function* () { const x = yield 1; yield x * 2 }(); g.next()", "[g.next(21).value, g.next()]"),
    ("const s = new Set([1]); const m = new Map([[s, 1]])", "[s, m.get(s)]"),
    (
        "class P { #x = 1; static has(o) { return #x in o } get x() { return this.#x } static { this.ready = true } }",
        "[P.has(new P()), new P().x, P.ready]",
    ),
    ("let calls = 0; const lazy = { get v() { calls++; return { deep: 1 } } }; lazy.v?.deep; delete lazy.q", "calls"),
    ("const re = /(?<y>\\d+)-(?<m>\\d+)/.exec('2026-11')", "re.groups.y + re.groups.m"),
    ("let a = 1; a\n++\na", "a"),
    ("const b = 4, c = 2, g = 1; let r = b\n/c/g", "r"),
    ("let x = 5; const typeOf = typeof undeclared; void 0, x", "[typeOf, x]"),
    ("var a = 1; var a; var b = a", "[a, b]"),
    ("let self; const o = { m() { return () => this } }; self = o.m()() === o", "self"),
];

#[tokio::test]
async fn a_cell_means_what_the_same_module_means() {
    let table = SessionTable::new(4, Duration::from_secs(60));
    let files = MemoryFiles::new();
    let options = LoaderOptions::default().configure(|options| options.roots = vec!["/app".into()]);
    let access = ModuleAccess::new(Loader::new(Arc::new(files.clone()), options), "/app");
    let config = EngineConfig::default();
    for (index, (body, value)) in PROGRAMS.iter().enumerate() {
        let as_cell = cell(&table, &format!("cell {index}"), &format!("{body}\n;{value}")).await;
        // As a module of its own, imported.
        let name = format!("p{index}.js");
        files.write(format!("/app/{name}"), format!("{body}\n;export default {value}"));
        let context = RunContext::new().grant(access.clone());
        let imported = table
            .run_with(
                &format!("module {index}"),
                RunRequest::new(format!("(await import('./{name}')).default")),
                context,
            )
            .await;
        assert_eq!(as_cell, json!({"value": imported.value}), "{body}: {:?}", imported.error);
        // And as an entry.
        let bundle = CompiledBundle::compile(&access, &name).expect("it compiles");
        let mut session = table.acquire(&format!("entry {index}")).lock().await.unwrap();
        let run =
            session.run_module(&config, &bundle, &json!([]), &RunOptions::default(), RunContext::new(), None).await;
        assert_eq!(as_cell, json!({"value": run.value}), "{body}: {:?}", run.error);
        // In two cells: what the first declares, the second has.
        let name = format!("two {index}");
        cell(&table, &name, &format!("{body}\n;0")).await;
        assert_eq!(cell(&table, &name, value).await, as_cell, "{body}");
    }
}

#[tokio::test]
async fn a_cell_that_comes_again_is_not_prepared_again_whoever_sends_it() {
    let table = SessionTable::new(4, Duration::from_secs(60));
    let source = "const answer: number = 42\nthrow new RangeError(String(answer))";
    for (index, session) in ["a", "b", "a"].into_iter().enumerate() {
        let result = table.run(session, RunRequest::new(source)).await;
        let error = result.error.expect("it throws");
        // The cell's own name is not part of what is kept.
        let name = format!("cell {}", if index == 2 { 2 } else { 1 });
        assert_eq!((error.file, error.line, error.column), (Some(name), Some(2), Some(29)));
    }
    let counts = table.cell_cache();
    assert_eq!((counts.hits, counts.misses), (2, 1));
}

#[tokio::test]
async fn a_cell_that_comes_again_and_again_has_its_own_arguments_values_and_name_each_time() {
    let table = SessionTable::new(4, Duration::from_secs(60));
    let source =
        "const seen = [args.n, typeof kept]; var kept = { n: args.n }; if (args.n === 3) null.x; [...seen, kept.n]";
    for n in 1..=6 {
        let request = RunRequest::new(source).with_args(json!({ "n": n }));
        let result = table.run("a", request).await;
        if n == 3 {
            let error = result.error.expect("it throws");
            assert_eq!((error.file.as_deref(), error.line, error.column), (Some("cell 3"), Some(1), Some(81)));
            assert!(error.stack.is_some_and(|stack| stack.contains("cell 3:1:81")));
        } else {
            let before = if n == 1 { "undefined" } else { "object" };
            assert_eq!(result.value, Some(json!([n, before, n])), "{:?}", result.error);
        }
    }
    // A cell that declares `args` has none of its own, before and after.
    for (source, value) in [("args", json!([])), ("let args = 7; args", json!(7)), ("args", json!(7))] {
        for _ in 0..3 {
            assert_eq!(table.run("b", RunRequest::new(source)).await.value, Some(value.clone()), "{source}");
        }
    }
    // A caller's own name is the run's as well, and a text that does not compile does not the second time.
    for name in ["one", "two", "three"] {
        let request = RunRequest::new("throw new Error('x')").configure(|request| request.name = Some(name.to_owned()));
        assert_eq!(table.run("c", request).await.error.expect("it throws").file.as_deref(), Some(name));
        assert_eq!(table.run("c", RunRequest::new("let x = ")).await.error.expect("no cell").name, "SyntaxError");
    }
}

#[tokio::test]
async fn functions_that_are_kept_for_a_text_make_way_before_a_run_is_refused_for_memory() {
    let table = SessionTable::new(4, Duration::from_secs(60));
    let long = format!("let n = 0;\n{}n", "n = n + 1;\n".repeat(3000));
    let first = table.run("a", RunRequest::new(&*long)).await.usage.heap_bytes;
    for _ in 0..3 {
        table.run("a", RunRequest::new(&*long)).await;
    }
    let held = table.run("a", RunRequest::new("1")).await.usage.heap_bytes;
    assert!(held > first + 50_000, "the function is kept: {first} and {held} bytes");
    let request = RunRequest::new("1").configure(|request| request.memory_bytes = Some(held - 40_000));
    let result = table.run("a", request).await;
    assert_eq!(result.value, Some(json!(1)), "{:?}", result.error);
    assert_eq!(table.run("a", RunRequest::new(&*long)).await.value, Some(json!(3000)));
}

/// Values of all kinds that the console shows, made by a generator with a seed.
const VALUES: &str = r#"
    const { inspect } = await import("node:util");
    let seed = args.seed;
    const next = (most) => (seed = (seed * 1103515245 + 12345) % 2147483648, Math.floor(seed / 65536) % most);
    const texts = ["", "a", "two words", "it's", "\"both\" it's", "`all` \"of\" 'them'", "tab\tline\nend", "längst", "漢字", "😀", "\u0000\u001f\u007f\u009f\\", "x".repeat(70), "line one\nline two, longer"];
    const keys = ["a", "b", "c1", "_d", "with-dash", "1", "22", "$e", "ü", "constructor", "__proto__", "it's", "toString"];
    const makers = [
        () => next(1000), () => next(10) / 8, () => -0, () => NaN, () => -Infinity, () => 1e21, () => 12345678901234567890n, () => true, () => null, () => undefined,
        () => texts[next(texts.length)], () => texts[next(texts.length)], () => Symbol("s"), () => () => 1, () => new Date(next(1e9)), () => /x/g, () => new Date(NaN),
        () => new [Error, TypeError, RangeError, ReferenceError, SyntaxError, URIError, EvalError][next(7)](texts[next(texts.length)]), () => new TypeError(), () => new Error("e", { cause: 1 }), () => new AggregateError([]),
        () => Object.assign(new Error("e"), { code: next(9) }), () => Object.assign(new Error("e"), { message: "other" }), () => { const e = new Error("e"); e.name = "Named"; return e; }, () => new (class Own extends TypeError {})("own"),
        () => Object.assign(new Date(0), { x: 1 }), () => Object.assign(new Map(), { x: 1 }), () => new (class M extends Map {})([[1, 2]]), () => new Map(), () => new Set(), () => new DOMException("m", "AbortError"), () => { try { null.x } catch (e) { return e } },
    ];
    const inner = [
        (d) => Array.from({ length: next(4) }, () => value(d)), (d) => Array.from({ length: next(40) }, () => next(10 ** next(6))),
        (d) => Array.from({ length: 7 + next(30) }, () => texts[next(4)]), () => Array.from({ length: 99 + next(3) }, (_, i) => i), () => [1, , 3], () => Object.assign([1, 2], { x: 3 }),
        (d) => { const o = {}; for (let i = next(6); i > 0; i--) Object.defineProperty(o, keys[next(keys.length)], { value: value(d), enumerable: next(9) > 0, configurable: true }); return o; },
        (d) => { const o = {}; for (let i = next(12); i > 0; i--) o[keys[next(4)] + i] = value(d); return o; },
        (d) => new Map(Array.from({ length: next(5) }, () => [value(d), value(d)])), (d) => new Set(Array.from({ length: next(5) }, () => value(d))), () => new Set(Array.from({ length: 99 + next(3) }, (_, i) => i)),
        () => new Map(Array.from({ length: 99 + next(3) }, (_, i) => [i, i])), () => { const m = new Map(); m.set(m, [m]); return m; }, () => new Map([["a", new Map([["b", new Map([["c", new Map([["d", 1]])]])]])]]), () => Object.create(null), () => ({ get x() { return 1 } }), () => ({ [Symbol("k")]: 1 }), () => new (class K { y = 1 })(),
        () => { const o = { n: 1 }; o.me = o; return o; }, () => [[[[[1]]]]], () => ({ a: { b: { c: { d: 1 }, e: {}, f: [] } } }), () => new Proxy({ p: 1 }, {}), () => new Uint8Array(3),
    ];
    function value(depth) { return depth > 0 && next(3) > 0 ? inner[next(inner.length)](depth - 1) : makers[next(makers.length)](); }
    const expected = [];
    for (let i = 0; i < 400; i++) {
        const values = Array.from({ length: 1 + next(3) }, () => value(4));
        if (values.length > 1 && typeof values[0] === "string") values[0] = values[0].replaceAll("%", "");
        console.log(...values);
        expected.push(values.map((one) => (typeof one === "string" ? one : inspect(one))).join(" "));
    }
    expected"#;

#[tokio::test]
async fn the_console_shows_a_value_as_inspect_does_however_it_was_made() {
    let table = SessionTable::new(4, Duration::from_secs(60));
    for seed in 0..20 {
        let request = RunRequest::new(VALUES).with_args(json!({ "seed": seed }));
        let result = table.run("a", request).await;
        assert!(result.error.is_none(), "{:?}", result.error);
        let expected: Vec<String> = serde_json::from_value(result.value.expect("texts")).unwrap();
        let shown: Vec<&str> = result.console.iter().map(|entry| &*entry.message).collect();
        assert_eq!(shown.len(), expected.len());
        for (shown, expected) in shown.iter().zip(&expected) {
            assert_eq!(shown, expected, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn what_a_script_does_to_prototypes_shows_in_the_console_too() {
    let table = SessionTable::new(4, Duration::from_secs(60));
    for (change, shown) in [
        ("Object.prototype.constructor = class Other {}", "Other { a: 1 } [ 2 ]"),
        ("Object.defineProperty(Object, 'name', { value: 'Renamed' })", "Renamed { a: 1 } [ 2 ]"),
        ("Object.prototype[Symbol.toStringTag] = 'Tag'", "Object [Tag] { a: 1 } Array(1) [Tag] [ 2 ]"),
        ("Array.prototype[Symbol.for('nodejs.util.inspect.custom')] = () => 'mine'", "{ a: 1 } mine"),
        ("Object.setPrototypeOf(Array.prototype, null)", "{ a: 1 } [ 2 ]"),
        ("Array.prototype.constructor = undefined", "{ a: 1 } Object(1) [ 2 ]"),
    ] {
        let result = table.run(change, RunRequest::new(format!("{change}; console.log({{ a: 1 }}, [2])"))).await;
        assert_eq!(result.console[0].message, shown, "{change}");
    }
    for (change, shown) in [
        ("Map.prototype.constructor = class Other {}", "Other(1) { 1 => 2 } Set(1) { 3 } 1970-01-01T00:00:00.000Z"),
        (
            "Set.prototype[Symbol.for('nodejs.util.inspect.custom')] = () => 'mine'",
            "Map(1) { 1 => 2 } mine 1970-01-01T00:00:00.000Z",
        ),
        ("Date.prototype[Symbol.toStringTag] = 'Tag'", "Map(1) { 1 => 2 } Set(1) { 3 } 1970-01-01T00:00:00.000Z"),
        (
            "Map.prototype.forEach = Date.prototype.toISOString = () => { throw 1 }",
            "Map(1) { 1 => 2 } Set(1) { 3 } 1970-01-01T00:00:00.000Z",
        ),
        (
            "Object.defineProperty(Map, 'name', { value: 'Renamed' })",
            "Renamed(1) { 1 => 2 } Set(1) { 3 } 1970-01-01T00:00:00.000Z",
        ),
    ] {
        let script = format!("{change}; console.log(new Map([[1, 2]]), new Set([3]), new Date(0))");
        let result = table.run(change, RunRequest::new(script)).await;
        assert_eq!(result.console[0].message, shown, "{change}");
    }
    for change in [
        "Error.prototype.name = 'Other'",
        "TypeError.prototype.name = 3",
        "Error.prototype.message = 'none'",
        "TypeError.prototype.constructor = Error",
        "Object.setPrototypeOf(TypeError.prototype, null)",
        "Error.prototype[Symbol.for('nodejs.util.inspect.custom')] = () => 'mine'",
        "TypeError.prototype[Symbol.toStringTag] = 'Tag'",
    ] {
        let script = format!(
            "const {{ inspect }} = await import('node:util'); {change};
            const errors = [new Error('a'), new TypeError('b'), new TypeError()];
            console.log(...errors); errors.map((error) => inspect(error)).join(' ')"
        );
        let result = table.run(change, RunRequest::new(script)).await;
        assert!(result.error.is_none(), "{change}: {:?}", result.error);
        assert_eq!(json!(result.console[0].message), result.value.unwrap(), "{change}");
    }
}

#[tokio::test]
async fn a_long_text_takes_no_more_of_the_heap_to_be_shown_than_it_has_to() {
    let table = SessionTable::new(4, Duration::from_secs(60));
    for show in [
        "console.log(['\u{44f}'.repeat(6e6)])",
        "console.log({ text: 'x'.repeat(10001) })",
        "console.log(10n ** 5000n)",
    ] {
        let request = RunRequest::new(show).configure(|request| request.memory_bytes = Some(24 << 20));
        let result = table.run(show, request).await;
        assert!(result.is_ok(), "{show}: {:?}", result.error);
        assert_eq!(result.console.len(), 1);
    }
}

#[tokio::test]
async fn what_is_kept_of_texts_is_bounded_by_what_it_takes() {
    let table = SessionTable::new(4, Duration::from_secs(60));
    let before = table.run("s", RunRequest::new("1")).await.usage.heap_bytes;
    // A few bytes of text, and a hundred times that when compiled.
    for n in 0..8 {
        let script = format!("if (0) {{ {} }} {n}", "/\\p{L}/iu;".repeat(400));
        for _ in 0..3 {
            assert!(table.run("s", RunRequest::new(&*script)).await.is_ok());
        }
    }
    let after = table.run("s", RunRequest::new("1")).await.usage.heap_bytes;
    assert!(after < before + (6 << 20), "{before} and then {after} bytes");
}
