//! The library: what holds for every area of it.

use std::collections::BTreeSet;
use std::time::Duration;

use perennial_sessions::{PluginSet, RunRequest, ScriptResult, SessionTable};
use serde_json::{Value, json};

fn table() -> SessionTable {
    SessionTable::new(10, Duration::from_secs(60))
}

async fn run(table: &SessionTable, session: &str, script: &str) -> Value {
    let ScriptResult { value, error, .. } = table.run(session, RunRequest::new(script)).await;
    assert!(error.is_none(), "{script}: {error:?}");
    value.unwrap_or(Value::Null)
}

/// Replaces every function and accessor that a script can reach from the language's own objects. What a library object's own methods do
/// when they are replaced themselves is the script's.
const TAMPER: &str = r#"{
  const { ownKeys, getOwnPropertyDescriptor, defineProperty, getPrototypeOf } = Reflect;
  const all = [], language = ownKeys(globalThis).filter((name) => {
    const { enumerable, get } = getOwnPropertyDescriptor(globalThis, name);
    return typeof name === "string" && !enumerable && get === undefined && !LIBRARY.includes(name);
  });
  const visit = (object) => {
    if ((typeof object !== "object" && typeof object !== "function") || object === null || object === globalThis || all.includes(object)) return;
    all.push(object);
    for (const key of ownKeys(object)) {
      const descriptor = getOwnPropertyDescriptor(object, key);
      if (key !== "constructor") visit(descriptor.value);
      visit(descriptor.get);
    }
    visit(getPrototypeOf(object));
  };
  for (const name of language) visit(globalThis[name]);
  for (const odd of [[][Symbol.iterator](), new Map().entries(), new Set().values(), ""[Symbol.iterator](), (function* () {})(), (async function* () {})(), "".matchAll(/x/g)]) visit(odd);
  let changed = 0;
  for (let i = 0; i < all.length; i++) {
    const object = all[i], keys = ownKeys(object);
    for (let j = 0; j < keys.length; j++) {
      const descriptor = getOwnPropertyDescriptor(object, keys[j]);
      if (!descriptor.configurable || keys[j] === "constructor" || keys[j] === "prototype") continue;
      const tampered = function () { throw "tampered with"; };
      if (typeof descriptor.value === "function") defineProperty(object, keys[j], { __proto__: null, value: tampered });
      else if (descriptor.get !== undefined) defineProperty(object, keys[j], { __proto__: null, get: tampered });
      else continue;
      changed++;
    }
  }
  const setter = { __proto__: null, set() { throw "tampered with"; }, get() { throw "tampered with"; }, configurable: true };
  // Whoever puts something into an array by its index meets these.
  defineProperty(Array.prototype, "0", setter);
  defineProperty(Array.prototype, "1", setter);
  globalThis.tampered = changed;
}
tampered"#;

#[tokio::test]
async fn every_area_works_in_a_realm_in_which_everything_was_replaced() {
    let areas = [
        (
            "const u = new URL('../b?x=1', 'https://e.org/a/c'); u.searchParams.append('y', '2'); u.port = '81'; u.href + new URLSearchParams({ a: '1' }).toString() + URL.canParse('x')",
            json!("https://e.org:81/b?x=1&y=2a=1false"),
        ),
        (
            "const p = new URLSearchParams('b=1&a=2&b=3'); p.sort(); p.delete('b', '1'); p.set('c', '4'); const it = p.entries(); const one = it.next().value; p.get('c') + one[0] + one[1] + p.has('b') + p.size",
            json!("4a2true3"),
        ),
        (
            "const bytes = new TextEncoder().encode('h\u{e9}'); const d = new TextDecoder(); const first = d.decode(bytes, { __proto__: null, stream: true }); first + d.decode() + new TextDecoder('latin1').encoding + bytes[2]",
            json!("h\u{e9}windows-1252169"),
        ),
        (
            "let out = ''; const t = new EventTarget(); const f = (e) => { out += e.type + e.detail + e.eventPhase }; t.addEventListener('a', f, { __proto__: null, once: true }); t.addEventListener('a', f, true); t.dispatchEvent(new CustomEvent('a', { __proto__: null, detail: 1 })); t.dispatchEvent(new Event('a')); out",
            json!("a12a12aundefined2"),
        ),
        (
            "const c = new AbortController(); let seen = ''; c.signal.onabort = (e) => { seen += e.isTrusted }; c.signal.addEventListener('abort', () => { seen += 'b' }); const d = AbortSignal.abort('r'); c.abort(); seen + c.signal.aborted + d.reason",
            json!("truebtruer"),
        ),
        (
            "const into = new Uint8Array(3); const { read, written } = new TextEncoder().encodeInto('\u{20ac}x', into); read + ',' + written + ',' + into[0]",
            json!("1,3,226"),
        ),
        (
            "const from = new ReadableStream({ pull(c) { c.enqueue('a'); c.close() } }), both = from.tee(); let out = ''; const up = new TransformStream({ transform(chunk, c) { c.enqueue(chunk + 'b') } }); const sink = new WritableStream({ write(chunk) { out += chunk } }); await both[0].pipeThrough(up).pipeTo(sink); const r = both[1].getReader(); const { value } = await r.read(); out + value + (await r.read()).done",
            json!("abatrue"),
        ),
        (
            "const s = new ReadableStream({ type: 'bytes', pull(c) { c.byobRequest.view[0] = 7; c.byobRequest.respond(1) } }); const r = s.getReader({ mode: 'byob' }); const one = await r.read(new Uint8Array(4)); r.releaseLock(); const it = ReadableStream.from({ next: 0, [Symbol.asyncIterator]() { return { n: 0, async next() { this.n++; return { done: this.n > 1, value: this.n } } } } }).values(); const first = await it.next(), last = await it.next(); '' + one.value[0] + first.value + last.done",
            json!("71true"),
        ),
        (
            "const w = new WritableStream({ abort() {} }, new CountQueuingStrategy({ highWaterMark: 2 })).getWriter(); await w.ready; const size = w.desiredSize; await w.write(1); await w.abort('r'); let why; try { await w.closed } catch (e) { why = e } size + why",
            json!("2r"),
        ),
        (
            "const z = new CompressionStream('gzip'), w = z.writable.getWriter(); w.write(new TextEncoder().encode('hello')); w.close(); const text = z.readable.pipeThrough(new DecompressionStream('gzip')).pipeThrough(new TextDecoderStream()); const r = text.getReader(); (await r.read()).value + (await r.read()).done",
            json!("hellotrue"),
        ),
        (
            "const e = new TextEncoderStream(), w = e.writable.getWriter(); w.write('\\ud83d'); w.write('\\ude00'); w.close(); const { value } = await e.readable.getReader().read(); '' + value[0]",
            json!("240"),
        ),
        (
            "const v = { a: { __proto__: null, b: 1, c: 'x' }, m: new Map(), e: new RangeError('r') }; v.self = v; const c = structuredClone(v); (c !== v) + '' + (c.self === c) + c.a.b + c.e.name + c.e.message",
            json!("truetrue1RangeErrorr"),
        ),
        (
            "const b = new Blob({ __proto__: null, length: 0, [Symbol.iterator]: () => ({ n: 0, next() { return { done: this.n++ > 1, value: 'x' + this.n } } }) }), f = new File({ [Symbol.iterator]: () => ({ next: () => ({ done: true }) }) }, 'n'); const form = new FormData(); form.append('a', b, 'n.txt'); form.set('c', 'd'); (await b.slice(1).text()) + b.size + f.name + form.get('a').name + form.get('c') + (await b.bytes())[0] + structuredClone(f).name",
            json!("1x24nn.txtd120n"),
        ),
        (
            "const usages = { [Symbol.iterator]: () => ({ all: 'sign', n: 0, next() { return { done: this.n++ > 0, value: 'sign' } } }) }; const s = crypto.subtle, data = new TextEncoder().encode('x'); const k = await s.importKey('raw', data, { name: 'HMAC', hash: 'SHA-256' }, true, usages); const jwk = await s.exportKey('jwk', k); const pair = await s.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, usages); const sealed = await s.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, data); jwk.k + jwk.alg + (typeof sealed) + pair.publicKey.type + (crypto.randomUUID() !== '')",
            json!("eAHS256objectpublictrue"),
        ),
        (
            "await fs.mkdir('/a/b', { __proto__: null, recursive: true }); await fs.writeFile('/a/b/c', 'text'); await fs.appendFile('/a/b/c', '!'); await fs.copyFile('/a/b/c', '/a/d'); const h = await fs.open('/a/d', 'r+'); await h.write('T', 0); const r = await h.read(new Uint8Array(2)); await h.close(); const names = await fs.readdir('/a', { __proto__: null, recursive: true }); const one = await fs.glob('a/*').next(); let why; try { await fs.readFile('/nope') } catch (e) { why = e.code } (await fs.readFile('/a/d', 'utf8')) + r.bytesRead + names[1] + one.value + why + (await fs.stat('/a')).isDirectory()",
            json!("Text!2b/ca/bENOENTtrue"),
        ),
        (
            "const h = new Headers({ __proto__: null, B: '1', a: ' 2 ' }); h.append('b', '3'); h.set('c', '4'); h.delete('c'); const r = new Request('https://e.org/x', { __proto__: null, method: 'post', body: 'text', headers: h }); const copy = r.clone(); const form = new FormData(); form.append('k', 'v'); const back = await new Response(form).formData(); const s = new Response('{}', { __proto__: null, status: 201 }); let why; try { await fetch('https://e.org') } catch (e) { why = e.name } h.get('b') + h.entries().next().value[0] + r.method + (await copy.text()) + back.get('k') + s.status + (await s.text()) + why",
            json!("1, 3aPOSTtextv201{}PermissionError"),
        ),
        (
            "const b = Buffer.from('h\u{e9}llo'), c = Buffer.concat([Buffer.from('a'), Buffer.alloc(2, 'xy')]); b.write('H'); b.fill(0x21, 5); let why; try { b.readUInt8(99) } catch (e) { why = e.code } b.toString() + b.toString('hex', 0, 2) + c.toString('base64') + b.indexOf('l') + b.readUInt16BE(0) + c.equals(Buffer.from('axy')) + Buffer.byteLength(c.slice(1)) + why",
            json!("H\u{e9}ll!48c3YXh5318627true2ERR_OUT_OF_RANGE"),
        ),
        (
            "const { default: path } = await import('node:path'); path.join('/a', '../b', './c.tar.gz') + path.extname('x.y.z') + path.relative('/a/b', '/a/c') + path.parse('/q/w.e').name + path.resolve('z')",
            json!("/b/c.tar.gz.z../cw/z"),
        ),
        (
            "const { EventEmitter, once } = await import('node:events'); const e = new EventEmitter(); let out = ''; e.on('a', (x) => { out += x }); e.once('a', (x) => { out += x + '!' }); e.emit('a', '1'); e.emit('a', '2'); const waiting = once(e, 'b'); e.emit('b', 'v'); const got = await waiting; let why; try { e.emit('error', 5) } catch (x) { why = x.code } out + got[0] + e.listenerCount('a') + why",
            json!("11!2v1ERR_UNHANDLED_ERROR"),
        ),
        (
            "const { default: util } = await import('node:util'); const p = util.promisify((x, done) => done(null, x + 1)); const parsed = util.parseArgs({ args: ['-v', 'pos'], options: { __proto__: null, v: { __proto__: null, type: 'boolean', short: 'v' } }, allowPositionals: true }); util.format('%s %d %j', 'a', 1, 2) + util.inspect({ a: 1 }) + (await p(1)) + util.isDeepStrictEqual({ a: [1] }, { a: [1] }) + util.types.isMap(new Map()) + parsed.values.v + parsed.positionals[0]",
            json!("a 1 2{ a: 1 }2truetruetruepos"),
        ),
        (
            "const { default: assert } = await import('node:assert'); let why = ''; for (const f of { [Symbol.iterator]: () => ({ n: 0, next() { return this.n++ === 0 ? { done: false, value: () => assert.deepStrictEqual({ a: new Set() }, { a: new Set() }) } : this.n === 2 ? { done: false, value: () => assert.strictEqual(1, 2) } : { done: true } } }) }) { try { f(); why += 'ok' } catch (e) { why += e.code } } assert.throws(() => { throw new TypeError('x') }, TypeError); why",
            json!("okERR_ASSERTION"),
        ),
        (
            "const { default: url } = await import('node:url'), { default: timers } = await import('node:timers/promises'), { default: fsp } = await import('node:fs/promises'); await fsp.writeFile('/n', 'x'); const text = await fsp.readFile('/n'); url.fileURLToPath('file:///a%20b') + url.pathToFileURL('/c d').href + (await timers.setTimeout(1, 'v')) + text.toString() + process.cwd() + typeof process.hrtime.bigint()",
            json!("/a bfile:///c%20dvx/bigint"),
        ),
        (
            "const p = new URLPattern({ __proto__: null, pathname: '/b/:id(\\\\d+)' }), found = p.exec('https://e.org/b/12'); performance.clearMarks(); performance.mark('m'); const measured = performance.measure('x', 'm'); let why; try { artifacts.list() } catch (e) { why = e.name } found.pathname.groups.id + p.test('https://e.org/b/x') + performance.getEntriesByName('m').length + measured.name + why",
            json!("12false1xPermissionError"),
        ),
    ];
    let library = serde_json::to_string(&declared(&PluginSet::empty().types())).unwrap();
    let tamper = TAMPER.replace("LIBRARY", &library);
    for (script, expected) in areas {
        let table = table();
        let changed = run(&table, "s", &tamper).await;
        assert!(changed.as_u64().is_some_and(|changed| changed > 500), "{changed}");
        assert_eq!(run(&table, "s", script).await, expected, "loaded after everything was replaced");
        let table = self::table();
        assert_eq!(run(&table, "s", script).await, expected);
        run(&table, "s", &tamper).await;
        assert_eq!(run(&table, "s", script).await, expected, "loaded before");
    }
}

/// Names that the declarations declare.
fn declared(types: &str) -> BTreeSet<String> {
    let names = types.lines().filter_map(|line| {
        let rest = line.strip_prefix("declare ")?;
        let (kind, rest) = rest.split_once(' ')?;
        ["const", "var", "let", "function", "class"]
            .contains(&kind)
            .then(|| rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).collect::<String>())
    });
    names.collect()
}

#[tokio::test]
async fn every_declared_global_is_there_and_every_global_is_declared() {
    let declared = declared(&PluginSet::empty().types());
    let table = table();
    let missing = format!(
        "{}.filter((name) => !(name in globalThis) && name !== 'args')",
        serde_json::to_string(&declared).unwrap()
    );
    assert_eq!(run(&table, "s", &missing).await, json!([]));
    // What ECMAScript defines is the compiler's to declare.
    const LANGUAGE: &str = "AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date DisposableStack Error EvalError \
        FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array InternalError Iterator JSON Map Math NaN Number Object Promise Proxy RangeError \
        ReferenceError Reflect RegExp Set SharedArrayBuffer String SuppressedError Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet \
        decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined unescape";
    let found = run(&table, "s", "Object.getOwnPropertyNames(globalThis)").await;
    let undeclared: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .filter(|name| !declared.contains(*name) && !LANGUAGE.split_whitespace().any(|known| known == *name))
        .collect();
    assert_eq!(undeclared, Vec::<&str>::new());
}
