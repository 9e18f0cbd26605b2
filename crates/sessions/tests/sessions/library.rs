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
