//! Work that is done for scripts outside of their VM: it ends with their run, keeps their memory, and sticks no thread.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use perennial_sessions::bundler::{Loader, LoaderOptions, MemoryFiles};
use perennial_sessions::{
    Area, Bound, EngineConfig, ModuleAccess, OpTable, PluginOptions, PluginSet, RunContext, RunOptions, RunRequest,
    ScriptResult, SessionTable, TableConfig,
};
use perennial_testkit::eventually;
use serde_json::{Value, json};

fn table() -> SessionTable {
    SessionTable::with_config(TableConfig::default())
}

async fn run(table: &SessionTable, script: &str) -> ScriptResult {
    table.run("s", RunRequest::new(script)).await
}

async fn value(table: &SessionTable, script: &str) -> Value {
    let result = run(table, script).await;
    assert!(result.error.is_none(), "{script:.200}: {:?}", result.error);
    result.value.unwrap_or(Value::Null)
}

fn kind(result: &ScriptResult) -> &str {
    result.error.as_ref().map_or("ok", |error| error.kind.as_str())
}

/// Scripts whose native operations once took minutes or gigabytes.
const HOSTILE: &[&str] = &[
    "new URLPattern({ pathname: '/:a'.repeat(21000) })",
    "const b = Buffer.alloc(4e7, 'ab'); b.indexOf(Buffer.from('b' + 'ab'.repeat(5e6)), 0, 'utf16le')",
    "Buffer.alloc(5e7, 'a').indexOf(Buffer.from('a'.repeat(2e7) + 'b'), 0, 'utf16le')",
    "const d = new TextDecoder('gb18030'); let n = 0; const piece = new Uint8Array(6e7).fill(0x81); for (let i = 0; i < 20; i++) n += d.decode(piece, { stream: true }).length; n",
    "const d = new TextDecoder('iso-2022-jp'), piece = new Uint8Array(1000).fill(0x41); let n = 0; for (let i = 0; i < 5000; i++) n += d.decode(piece, { stream: true }).length; n",
    "const path = await import('node:path'); path.matchesGlob('a'.repeat(3e7), '*' + 'a'.repeat(1e6) + 'b')",
    "const path = await import('node:path'); path.matchesGlob('a'.repeat(2000), '{a,aa,aaa}'.repeat(300) + 'b')",
    "for (let i = 0; i < 30; i++) await fs.symlink('l' + (i + 1) + '/' + 'x/'.repeat(2000), '/l' + i); await fs.stat('/l0')",
    "await fs.stat('a/'.repeat(3e7))",
    "const k = await crypto.subtle.importKey('raw', new Uint8Array(1), 'PBKDF2', false, ['deriveBits']); await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: new Uint8Array(6e7), iterations: 1 }, k, 524288)",
    "const k = await crypto.subtle.importKey('raw', new Uint8Array(1), 'HKDF', false, ['deriveBits']); await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-1', salt: new Uint8Array(1), info: new Uint8Array(6e7) }, k, 40000)",
    "const hmac = await crypto.subtle.importKey('raw', new Uint8Array(6e7), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']); const kw = await crypto.subtle.importKey('raw', new Uint8Array(16), 'AES-KW', false, ['wrapKey']); await crypto.subtle.wrapKey('raw', hmac, kw, 'AES-KW')",
    "await fetch('data:a/b;' + Array.from({ length: 140000 }, (_, i) => i.toString(36).padStart(4, 'x') + '=x').join(';') + ',')",
    "new URL('http://' + Array.from({ length: 349 }, (_, n) => Array.from({ length: 1000 }, (_, i) => String.fromCharCode(0x4e00 + (i * 7 + n) % 20000)).join('')).join('.'))",
    "tools.search('word '.repeat(1.3e7))",
    "tools.describe('é'.repeat(3e7))",
    "const e = new Error('x'); e.stack = Array(40).fill('    at cell 1:4000000:1').join('\\n'); for (let i = 0; i < 100; i++) Promise.reject(e); await null; 0",
    "const form = new Response('--b\\r\\ncontent-disposition: form-data; name=\"a\"\\r\\n\\r\\n\\r\\n'.repeat(500000) + '--b--', { headers: { 'content-type': 'multipart/form-data; boundary=b' } }); await form.formData()",
    "let v = 'x'; for (let i = 0; i < 40; i++) v = { op: 'mul', left: v, right: 1 }; await tools.deep.tree({ v })",
    "await tools.deep.any({ v: Array(22).fill(0).reduce((v) => ({ a: v, b: v }), {}) })",
];

/// Alternatives that refer to themselves: what does not fit is tried, and told of, exponentially often.
const DEEP: &str = r##"const either = (key) => ({ type: "object", properties: { a: { $ref: "#/$defs/t" }, b: { $ref: "#/$defs/t" }, [key]: {} }, required: [key] });
const binary = (op) => ({ type: "object", required: ["op", "left", "right"], properties: { op: { const: op }, left: { $ref: "#/$defs/t" }, right: { $ref: "#/$defs/t" } } });
const tool = (t) => ({ description: "d", run: () => 1, input: { type: "object", properties: { v: { $ref: "#/$defs/t" } }, $defs: { t } } });
export default { name: "deep", version: "1", description: "d", tools: {
  any: tool({ anyOf: [either("c"), either("d")] }),
  tree: tool({ anyOf: [{ type: "number" }, binary("add"), binary("mul")] }),
} }"##;

async fn plugins() -> PluginSet {
    let files = MemoryFiles::new();
    files.write("/deep.js", DEEP);
    let options = PluginOptions::default().configure(|options| options.files = Arc::new(files));
    let set = PluginSet::load(&[PathBuf::from("/deep.js")], &options).await;
    assert!(set.failures().is_empty(), "{:?}", set.failures());
    set
}

#[tokio::test(flavor = "multi_thread")]
async fn native_operations_end_with_their_run_and_stick_no_thread() {
    let table = SessionTable::builder().plugins(plugins().await).build().unwrap();
    for script in HOSTILE {
        let begun = Instant::now();
        let mut request = RunRequest::new(*script).with_timeout_ms(1000);
        request.memory_bytes = Some(256 << 20);
        let result = table.run("hostile", request).await;
        // What it comes to is its own affair: an error, a stop, a value.
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{script:.100} took {:?}: {}",
            begun.elapsed(),
            kind(&result)
        );
        let back = format!("the return of the thread of {script:.100}");
        eventually(&back, || table.abandoned_threads() == 0).await;
    }
    assert_eq!(value(&table, "1 + 1").await, 2);
}

/// The largest that this process has been, and since when.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[tokio::test(flavor = "multi_thread")]
async fn native_operations_keep_the_memory_limit() {
    let table = SessionTable::builder().plugins(plugins().await).build().unwrap();
    // The library is there before anything is measured.
    value(&table, "await new Response('').text(); new URLPattern('/x', 'http://a'); 1").await;
    let before = peak();
    for script in HOSTILE {
        let mut request = RunRequest::new(*script).with_timeout_ms(2000);
        request.memory_bytes = Some(64 << 20);
        table.run("hostile", request).await;
        eventually("its thread is back", || table.abandoned_threads() == 0).await;
        let grown = peak().saturating_sub(before);
        // The heap, and as much beside it.
        assert!(grown < 2 * (64 << 20) + (64 << 20), "{script:.100}: {} MiB", grown >> 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_is_imported_takes_no_more_than_the_limit_and_as_much_beside_it() {
    let files = MemoryFiles::new();
    files.write("/app/deep.json", format!("[{}0]", "[0],".repeat(3_900_000)));
    files.write("/app/flat.json", format!("[{}0]", "1,".repeat(7_000_000)));
    files.write("/app/keys.json", format!("[{}0]", "{\"a\":0},".repeat(1_500_000)));
    let loader =
        Loader::new(Arc::new(files), LoaderOptions::default().configure(|options| options.roots = vec!["/app".into()]));
    let access = ModuleAccess::new(loader, "/app");
    let table = SessionTable::with_config(TableConfig::default());
    value(&table, "1").await;
    for name in ["deep", "flat", "keys"] {
        // The peak from here on (proc(5), "clear_refs").
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = peak();
        let script = format!("(await import('./{name}.json', {{ with: {{ type: 'json' }} }})).default.length");
        let mut request = RunRequest::new(script).with_timeout_ms(20_000);
        request.memory_bytes = Some(64 << 20);
        let result = table.run_with("import", request, RunContext::new().grant(access.clone())).await;
        let grown = peak().saturating_sub(before);
        assert!(grown < 2 * (64 << 20) + (64 << 20), "{name}: {} MiB: {:?}", grown >> 20, result.error);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_operations_hold_counts_against_the_memory_limit() {
    let table = table();
    let mut request = RunRequest::new(
        "const header = new Uint8Array([31, 139, 8, 8, 0, 0, 0, 0, 0, 3]); const all = [];
         const piece = new Uint8Array(2e7).fill(97);
         for (let i = 0; i < 200; i++) { const w = new DecompressionStream('gzip').writable.getWriter(); w.write(header); w.write(piece); all.push(w) }
         await new Promise((done) => setTimeout(done, 50)); all.length",
    );
    request.memory_bytes = Some(64 << 20);
    let before = peak();
    table.run("s", request.with_timeout_ms(5000)).await;
    assert!(peak() - before < 3 * (64 << 20), "{} MiB", (peak() - before) >> 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_bounded_as_a_whole_whatever_a_script_puts_into_it() {
    let table = table();
    for script in [
        "const k = 'x'.repeat(6e7); return { [k]: () => 1 }",
        "return { toJSON() { throw 'y'.repeat(6e7) } }",
        "throw 'z'.repeat(6e7)",
        "const e = new Error('m'.repeat(6e7)); e.name = e.message; e.stack = ('    at ' + 'f'.repeat(8000) + ' (cell:1:1)\\n').repeat(33); throw e",
        "let e = new Error('e'.repeat(6e7)); for (let i = 0; i < 8; i++) { const n = new Error(e.message, { cause: e }); n.name = e.message; e = n } throw e",
        "await fs.stat('/' + 'p'.repeat(60000))",
        &format!("let {0} = 1, {0} = 2", "n".repeat(3_000_000)),
        "for (let i = 0; i < 5000; i++) console.log('\\u0001'.repeat(200)); 1",
        "for (let i = 0; i < 3000; i++) await fs.writeFile('/' + 'n'.repeat(200) + i, ''); 1",
    ] {
        let mut request = RunRequest::new(script);
        request.changes = true;
        request.memory_bytes = Some(512 << 20);
        let result = table.run("s", request).await;
        let json = serde_json::to_string(&result).unwrap();
        assert!(json.len() < (2 << 20) + (256 << 10), "{script:.80}: {} bytes", json.len());
        if kind(&result) != "ok" && result.error.as_ref().unwrap().message.len() > 8000 {
            assert!(!result.cut.is_empty() || result.error.unwrap().message.ends_with('…'), "{script:.80}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_globals_are_named_as_far_as_names_are_names() {
    let table = table();
    let script = "for (let i = 0; i < 100; i++) globalThis['g' + i + 'x'.repeat(2e5)] = i; globalThis.short = 1; 0";
    run(&table, script).await;
    table.run("s", RunRequest::new("for (;;) {}").with_timeout_ms(20)).await;
    let next = run(&table, "1").await;
    assert_eq!(next.lost_globals, ["short"]);
    assert_eq!(next.lost_globals_count, Some(101));
}

/// An op that waits until it is let go, whatever happens to its run.
fn stuck_op() -> (OpTable, Arc<std::sync::Mutex<()>>) {
    let gate = Arc::new(std::sync::Mutex::new(()));
    let held = gate.clone();
    let ops = OpTable::new().sync("stick", Bound::SMALL, move |_, _| {
        drop(held.lock());
        Ok(json!(1).into())
    });
    (ops, gate)
}

#[expect(clippy::await_holding_lock, reason = "what the threads of hostile scripts wait for is this lock")]
#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_thread_has_not_come_back_is_busy_and_others_are_not() {
    let (ops, gate) = stuck_op();
    let config =
        EngineConfig::new(ops, vec![Area::new("stick", &["stick"], "((ops) => ({ stick: () => ops.stick() }))")]);
    let table = table();
    let options = RunOptions::default().configure(|options| options.wall = Duration::from_millis(50));
    let run = async |name: &str, script: &str| {
        let slot = table.acquire(name);
        let mut session = slot.lock().await.unwrap();
        session.run(&config, script, &json!([]), &options, RunContext::new(), None).await
    };
    {
        let _held = gate.lock().unwrap();
        // More than there were ever stuck threads allowed.
        for n in 0..40 {
            let name = format!("s{n}");
            assert_eq!(kind(&run(&name, "await fs.writeFile('/x', 'y'); stick()").await), "timeout");
        }
        assert_eq!(table.abandoned_threads(), 40);
        let busy = run("s0", "1").await;
        assert_eq!(kind(&busy), "busy", "{:?}", busy.error);
        assert!(busy.error.unwrap().message.contains("has not come back"));
        assert!(table.sessions().iter().find(|session| session.name == "s0").unwrap().stuck);
        // Another one of its name stands for it.
        table.remove("s1");
        assert_eq!(kind(&run("s1", "1").await), "busy");
        for n in 0..10 {
            assert_eq!(run(&format!("other{n}"), "1 + 1").await.value, Some(json!(2)));
        }
    }
    eventually("the threads are back", || table.abandoned_threads() == 0).await;
    assert_eq!(run("s0", "1 + 1").await.value, Some(json!(2)));
    assert_eq!(run("s1", "1 + 1").await.value, Some(json!(2)));
}

#[expect(clippy::await_holding_lock, reason = "what the threads of hostile scripts wait for is this lock")]
#[tokio::test(flavor = "multi_thread")]
async fn an_atomic_run_is_undone_while_its_thread_is_out() {
    let (ops, gate) = stuck_op();
    let config =
        EngineConfig::new(ops, vec![Area::new("stick", &["stick"], "((ops) => ({ stick: () => ops.stick() }))")]);
    let table = table();
    let options = RunOptions::default().configure(|options| {
        options.wall = Duration::from_millis(50);
        options.atomic = true;
    });
    let slot = table.acquire("s");
    let held = gate.lock().unwrap();
    let files = {
        let mut session = slot.lock().await.unwrap();
        let script = "await fs.writeFile('/x', 'y'); stick()";
        let stuck = session.run(&config, script, &json!([]), &options, RunContext::new(), None).await;
        assert_eq!(kind(&stuck), "timeout");
        session.files()
    };
    assert_eq!(files.usage().bytes, 0, "nothing of it is left");
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_callbacks_wait_for_in_native_operations_counts_against_their_budget() {
    let ops = OpTable::new().sync("doze", Bound::SMALL, |_, _| {
        // No CPU time at all.
        std::thread::sleep(Duration::from_millis(20));
        Ok(json!(1).into())
    });
    let config = EngineConfig::new(ops, vec![Area::new("doze", &["doze"], "((ops) => ({ doze: () => ops.doze() }))")]);
    let table = SessionTable::with_config(
        TableConfig::default().configure(|config| config.background_budget = Duration::from_millis(100)),
    );
    let slot = table.acquire("s");
    let script = "globalThis.n = 0; setInterval(() => { doze(); n++ }, 1); 0";
    slot.lock().await.unwrap().run(&config, script, &json!([]), &RunOptions::default(), RunContext::new(), None).await;
    eventually("the budget is spent", || !table.sessions()[0].background).await;
    let mut session = slot.lock().await.unwrap();
    let run = session.run(&config, "n", &json!([]), &RunOptions::default(), RunContext::new(), None).await;
    let turns = run.value.unwrap().as_u64().unwrap();
    assert!((3..=12).contains(&turns), "{turns}");
    assert!(run.usage.background_cpu_ms >= 60.0, "{}", run.usage.background_cpu_ms);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_keep_their_class_and_what_they_say_through_vars() {
    let table = table();
    let found = value(
        &table,
        "class Own extends TypeError { code = 7 }
         const a = new Error('a'); a.cause = new Error('b', { cause: a });
         let quota; try { vars.set('big', 'x'.repeat(2e7)) } catch (e) { quota = e }
         for (const [k, v] of Object.entries({ own: new Own('m'), a, quota, many: new AggregateError([new RangeError('r')], 'n'), odd: Object.assign(new SyntaxError('s'), { name: 'Else' }) })) vars.set(k, v);
         const own = vars.get('own'), many = vars.get('many'), q = vars.get('quota'), odd = vars.get('odd');
         [own instanceof TypeError, own.name, own.message, own.code, vars.get('a').cause.message, vars.get('a').cause.cause,
          q instanceof QuotaExceededError, q.limit > 0, q.used > q.limit, Object.keys(q), many instanceof AggregateError, many.errors[0] instanceof RangeError, Object.keys(many),
          odd.name, odd instanceof Error]",
    )
    .await;
    assert_eq!(
        found,
        json!([true, "TypeError", "m", 7, "b", "[circular]", true, true, true, [], true, true, [], "Else", true])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nesting_is_limited_by_one_number_in_every_direction() {
    let table = table();
    let nested = |levels: usize| format!("Array({levels}).fill(0).reduce((v) => [v], 1)");
    assert_eq!(kind(&run(&table, &nested(112)).await), "ok");
    assert_eq!(kind(&run(&table, &nested(113)).await), "unserializable");
    assert_eq!(value(&table, &format!("vars.set('x', {}); vars.get('x').length", nested(112))).await, 1);
    let error = run(&table, &format!("vars.set('x', {})", nested(113))).await.error.unwrap();
    assert!(error.message.contains("more than 112 levels"), "{}", error.message);
    let args = |levels| (0..levels).fold(json!(1), |value, _| json!([value]));
    let with = |args| RunRequest::new("args.length").configure(|request| request.args = args);
    assert_eq!(table.run("s", with(args(112))).await.value, Some(json!(1)));
    let error = table.run("s", with(args(113))).await.error.unwrap();
    assert!(error.message.contains("more than 112 levels"), "{}", error.message);
    // What looks like a tag is written a level deeper.
    let tags = |levels: usize| format!("Array({levels}).fill(0).reduce((v) => ({{ $number: v }}), 1)");
    assert_eq!(
        value(&table, &format!("vars.set('x', {}); JSON.stringify(vars.get('x')).length", tags(56))).await,
        json!(56 * 12 + 1)
    );
    assert_eq!(kind(&run(&table, &format!("vars.set('x', {})", tags(57))).await), "runtime");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_json_parse_meets_is_said_at_the_script_s_place() {
    let error = run(&table(), "const a = 1;\nJSON.parse('{\"a\": [1,\\n x]}')").await.error.unwrap();
    assert_eq!((error.file.as_deref(), error.line, error.column), (Some("cell 1"), Some(2), Some(6)), "{error:?}");
    assert!(error.excerpt.unwrap().contains("JSON.parse"));
}

#[tokio::test(flavor = "multi_thread")]
async fn globs_match_characters_and_alternatives_add_up() {
    let found = value(
        &table(),
        "const path = await import('node:path'); for (const f of ['é.txt', 'a.js', 'b.ts', 'deep/x/c.ts']) { await fs.mkdir('/' + f.split('/').slice(0, -1).join('/'), { recursive: true }); await fs.writeFile('/' + f, '') }
         const all = async (p) => (await Array.fromAsync(fs.glob(p, { cwd: '/' }))).sort();
         [path.matchesGlob('é', '?'), path.matchesGlob('é', '[à-ü]'), path.matchesGlob('a/b', 'a/{b,c'), await all('?.txt'), await all('*.{js,ts}'), await all('**/*.ts')]",
    )
    .await;
    assert_eq!(found, json!([true, true, false, ["é.txt"], ["a.js", "b.ts"], ["b.ts", "deep/x/c.ts"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_wait_under_a_lock_of_the_whole_process_is_not_there() {
    let found =
        value(&table(), "[typeof Atomics.wait, typeof Atomics.notify, typeof Atomics.waitAsync, typeof Atomics.add]")
            .await;
    assert_eq!(found, json!(["undefined", "undefined", "undefined", "function"]));
}

#[tokio::test]
async fn a_limit_of_nothing_is_refused_wherever_it_is_said() {
    use perennial_sessions::{LibraryError, Run};
    let session = table().session("s");
    for run in
        [Run::script("1").timeout(Duration::ZERO), Run::script("1").cpu(Duration::ZERO), Run::script("1").memory(0)]
    {
        let refused = session.run(run).await;
        assert_eq!(kind(&refused), "invalid_request", "{:?}", refused.error);
    }
    assert!(
        session.run(Run::script("1").timeout(Duration::from_micros(999))).await.error.is_none_or(|e| e.kind.is_stop())
    );
    let refused = SessionTable::builder().timeout(Duration::ZERO).build();
    assert!(matches!(refused, Err(LibraryError::Limits(_))), "{refused:?}");
}
