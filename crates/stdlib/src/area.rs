//! The areas of the library. Made of js-runtime/src and js-runtime/types by `cargo xtask generate`.

use std::sync::LazyLock;

use perennial_engine::Area;

type Lazy = LazyLock<Area>;

pub(crate) fn each(areas: &[&Lazy]) -> Vec<Area> {
    areas.iter().map(|area| Area::clone(area)).collect()
}

pub(crate) static ARTIFACTS: Lazy = Lazy::new(|| Area::new("artifacts", &["artifacts"], include_str!("../js/artifacts.js")));

pub(crate) static BLOB: Lazy = Lazy::new(|| Area::new("blob", &["Blob", "File"], include_str!("../js/blob.js")).with_internals(&["blobs"]));

pub(crate) static BODY: Lazy = Lazy::new(|| Area::new("body", &[], include_str!("../js/body.js")).with_internals(&["bodies"]));

pub(crate) static BROWSER_CONTEXT: Lazy = Lazy::new(|| Area::new("browser-context", &[], include_str!("../js/browser-context.js")).with_internals(&["browserContexts"]));

pub(crate) static BROWSER_EVENTS: Lazy = Lazy::new(|| Area::new("browser-events", &[], include_str!("../js/browser-events.js")).with_internals(&["browserEvents"]));

pub(crate) static BROWSER_EXPECT: Lazy = Lazy::new(|| Area::new("browser-expect", &["expect"], include_str!("../js/browser-expect.js")));

pub(crate) static BROWSER_FRAME: Lazy = Lazy::new(|| Area::new("browser-frame", &[], include_str!("../js/browser-frame.js")).with_internals(&["browserFrames"]));

pub(crate) static BROWSER_INPUT: Lazy = Lazy::new(|| Area::new("browser-input", &[], include_str!("../js/browser-input.js")).with_internals(&["browserInput"]));

pub(crate) static BROWSER_LOCATOR: Lazy = Lazy::new(|| Area::new("browser-locator", &[], include_str!("../js/browser-locator.js")).with_internals(&["browserLocators"]));

pub(crate) static BROWSER_NETWORK: Lazy = Lazy::new(|| Area::new("browser-network", &[], include_str!("../js/browser-network.js")).with_internals(&["browserNetwork"]));

pub(crate) static BROWSER_PAGE: Lazy = Lazy::new(|| Area::new("browser-page", &["browser", "context", "page", "request"], include_str!("../js/browser-page.js")).with_internals(&["browserPages"]));

pub(crate) static BROWSER_REQUEST: Lazy = Lazy::new(|| Area::new("browser-request", &[], include_str!("../js/browser-request.js")).with_internals(&["browserRequests"]));

pub(crate) static BROWSER_SELECTORS: Lazy = Lazy::new(|| Area::new("browser-selectors", &[], include_str!("../js/browser-selectors.js")).with_internals(&["browserSelectors"]));

pub(crate) static CLONE: Lazy = Lazy::new(|| Area::new("clone", &["structuredClone"], include_str!("../js/clone.js")));

pub(crate) static COMMANDS: Lazy = Lazy::new(|| Area::new("commands", &["CommandError", "commands"], include_str!("../js/commands.js")).with_internals(&["commandsFor"]));

pub(crate) static COMPRESSION: Lazy = Lazy::new(|| Area::new("compression", &["CompressionStream", "DecompressionStream"], include_str!("../js/compression.js")));

pub(crate) static CRYPTO_PUBLIC: Lazy = Lazy::new(|| Area::new("crypto-public", &[], include_str!("../js/crypto-public.js")).with_internals(&["publicKeys"]));

pub(crate) static CRYPTO_SECRET: Lazy = Lazy::new(|| Area::new("crypto-secret", &[], include_str!("../js/crypto-secret.js")).with_internals(&["secretKeys"]));

pub(crate) static CRYPTO_SHARED: Lazy = Lazy::new(|| Area::new("crypto-shared", &[], include_str!("../js/crypto-shared.js")).with_internals(&["cryptoShared"]));

pub(crate) static CRYPTO_SUBTLE: Lazy = Lazy::new(|| Area::new("crypto-subtle", &["SubtleCrypto"], include_str!("../js/crypto-subtle.js")).with_internals(&["subtle"]));

pub(crate) static CRYPTO: Lazy = Lazy::new(|| Area::new("crypto", &["Crypto", "CryptoKey", "crypto"], include_str!("../js/crypto.js")).with_internals(&["keys"]));

pub(crate) static ENCODING_STREAMS: Lazy = Lazy::new(|| Area::new("encoding-streams", &["TextDecoderStream", "TextEncoderStream"], include_str!("../js/encoding-streams.js")));

pub(crate) static ENCODING: Lazy = Lazy::new(|| Area::new("encoding", &["TextDecoder", "TextEncoder"], include_str!("../js/encoding.js")).with_internals(&["decoder"]));

pub(crate) static EVENTS: Lazy = Lazy::new(|| Area::new("events", &["AbortController", "AbortSignal", "CustomEvent", "Event", "EventTarget"], include_str!("../js/events.js")).with_internals(&["signals"]));

pub(crate) static FETCH: Lazy = Lazy::new(|| Area::new("fetch", &["fetch", "perennial"], include_str!("../js/fetch.js")).with_internals(&["fetchFor"]));

pub(crate) static FORMDATA: Lazy = Lazy::new(|| Area::new("formdata", &["FormData"], include_str!("../js/formdata.js")).with_internals(&["forms"]));

pub(crate) static FS_HANDLE: Lazy = Lazy::new(|| Area::new("fs-handle", &[], include_str!("../js/fs-handle.js")).with_internals(&["fsHandles"]));

pub(crate) static FS_SHARED: Lazy = Lazy::new(|| Area::new("fs-shared", &[], include_str!("../js/fs-shared.js")).with_internals(&["fsShared"]));

pub(crate) static FS: Lazy = Lazy::new(|| Area::new("fs", &["fs"], include_str!("../js/fs.js")));

pub(crate) static HEADERS: Lazy = Lazy::new(|| Area::new("headers", &["Headers"], include_str!("../js/headers.js")).with_internals(&["headerLists"]));

pub(crate) static NAVIGATOR: Lazy = Lazy::new(|| Area::new("navigator", &["Navigator", "navigator", "reportError"], include_str!("../js/navigator.js")));

pub(crate) static NODE_ASSERT: Lazy = Lazy::new(|| Area::new("node-assert", &[], include_str!("../js/node-assert.js")).with_internals(&["node:assert", "node:assert/strict"]));

pub(crate) static NODE_BUFFER: Lazy = Lazy::new(|| Area::new("node-buffer", &["Buffer"], include_str!("../js/node-buffer.js")).with_internals(&["buffers", "node:buffer"]));

pub(crate) static NODE_EQUAL: Lazy = Lazy::new(|| Area::new("node-equal", &[], include_str!("../js/node-equal.js")).with_internals(&["deepEqual"]));

pub(crate) static NODE_EVENTS: Lazy = Lazy::new(|| Area::new("node-events", &[], include_str!("../js/node-events.js")).with_internals(&["node:events"]));

pub(crate) static NODE_FS: Lazy = Lazy::new(|| Area::new("node-fs", &[], include_str!("../js/node-fs.js")).with_internals(&["node:fs/promises"]));

pub(crate) static NODE_NUMBERS: Lazy = Lazy::new(|| Area::new("node-numbers", &[], include_str!("../js/node-numbers.js")).with_internals(&["nodeNumbers"]));

pub(crate) static NODE_PATH: Lazy = Lazy::new(|| Area::new("node-path", &[], include_str!("../js/node-path.js")).with_internals(&["node:path"]));

pub(crate) static NODE_PROCESS: Lazy = Lazy::new(|| Area::new("node-process", &["process"], include_str!("../js/node-process.js")).with_internals(&["node:process"]));

pub(crate) static NODE_SHARED: Lazy = Lazy::new(|| Area::new("node-shared", &[], include_str!("../js/node-shared.js")).with_internals(&["nodeShared"]));

pub(crate) static NODE_TIMERS: Lazy = Lazy::new(|| Area::new("node-timers", &[], include_str!("../js/node-timers.js")).with_internals(&["node:timers/promises"]));

pub(crate) static NODE_URL: Lazy = Lazy::new(|| Area::new("node-url", &[], include_str!("../js/node-url.js")).with_internals(&["node:url"]));

pub(crate) static NODE_UTIL: Lazy = Lazy::new(|| Area::new("node-util", &[], include_str!("../js/node-util.js")).with_internals(&["node:util"]));

pub(crate) static PERFORMANCE: Lazy = Lazy::new(|| Area::new("performance", &["Performance", "PerformanceEntry", "PerformanceMark", "PerformanceMeasure", "performance"], include_str!("../js/performance.js")));

pub(crate) static REQUEST: Lazy = Lazy::new(|| Area::new("request", &["Request"], include_str!("../js/request.js")).with_internals(&["requestOf"]));

pub(crate) static RESPONSE: Lazy = Lazy::new(|| Area::new("response", &["Response"], include_str!("../js/response.js")).with_internals(&["responses"]));

pub(crate) static SHOW: Lazy = Lazy::new(|| Area::new("show", &["show"], include_str!("../js/show.js")));

pub(crate) static STREAMS_BYTES: Lazy = Lazy::new(|| Area::new("streams-bytes", &["ReadableByteStreamController", "ReadableStreamBYOBReader", "ReadableStreamBYOBRequest"], include_str!("../js/streams-bytes.js")).with_internals(&["readableBytes"]));

pub(crate) static STREAMS_PIPE: Lazy = Lazy::new(|| Area::new("streams-pipe", &[], include_str!("../js/streams-pipe.js")).with_internals(&["pipe"]));

pub(crate) static STREAMS_QUEUES: Lazy = Lazy::new(|| Area::new("streams-queues", &["ByteLengthQueuingStrategy", "CountQueuingStrategy"], include_str!("../js/streams-queues.js")).with_internals(&["queues"]));

pub(crate) static STREAMS_READABLE: Lazy = Lazy::new(|| Area::new("streams-readable", &["ReadableStream", "ReadableStreamDefaultController", "ReadableStreamDefaultReader"], include_str!("../js/streams-readable.js")).with_internals(&["readables"]));

pub(crate) static STREAMS_TEE: Lazy = Lazy::new(|| Area::new("streams-tee", &[], include_str!("../js/streams-tee.js")).with_internals(&["tee"]));

pub(crate) static STREAMS_TRANSFORM: Lazy = Lazy::new(|| Area::new("streams-transform", &["TransformStream", "TransformStreamDefaultController"], include_str!("../js/streams-transform.js")).with_internals(&["transforms"]));

pub(crate) static STREAMS_WRITABLE: Lazy = Lazy::new(|| Area::new("streams-writable", &["WritableStream", "WritableStreamDefaultController", "WritableStreamDefaultWriter"], include_str!("../js/streams-writable.js")).with_internals(&["writables"]));

pub(crate) static URL_PATTERN: Lazy = Lazy::new(|| Area::new("url-pattern", &["URLPattern"], include_str!("../js/url-pattern.js")));

pub(crate) static URL: Lazy = Lazy::new(|| Area::new("url", &["URL", "URLSearchParams"], include_str!("../js/url.js")).with_internals(&["hrefOf", "queryOf", "urlOf"]));

pub(crate) static WEBIDL: Lazy = Lazy::new(|| Area::new("webidl", &[], include_str!("../js/webidl.js")).with_internals(&["webidl"]));

/// What TypeScript is to know of them.
pub(crate) const DECLARATIONS: &[&str] = &[
    include_str!("../../../js-runtime/types/artifacts.d.ts"),
    include_str!("../../../js-runtime/types/blob.d.ts"),
    include_str!("../../../js-runtime/types/browser.d.ts"),
    include_str!("../../../js-runtime/types/clone.d.ts"),
    include_str!("../../../js-runtime/types/commands.d.ts"),
    include_str!("../../../js-runtime/types/compression.d.ts"),
    include_str!("../../../js-runtime/types/crypto.d.ts"),
    include_str!("../../../js-runtime/types/encoding.d.ts"),
    include_str!("../../../js-runtime/types/events.d.ts"),
    include_str!("../../../js-runtime/types/fetch.d.ts"),
    include_str!("../../../js-runtime/types/fs.d.ts"),
    include_str!("../../../js-runtime/types/navigator.d.ts"),
    include_str!("../../../js-runtime/types/node.d.ts"),
    include_str!("../../../js-runtime/types/performance.d.ts"),
    include_str!("../../../js-runtime/types/show.d.ts"),
    include_str!("../../../js-runtime/types/streams.d.ts"),
    include_str!("../../../js-runtime/types/url-pattern.d.ts"),
    include_str!("../../../js-runtime/types/url.d.ts"),
];
