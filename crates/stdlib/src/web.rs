//! What scripts find that is pure: functions of their arguments.

mod buffer;
pub(crate) mod compression;
#[cfg(feature = "crypto")]
mod crypto;
mod encoding;
pub mod node;
pub(crate) mod url;

use std::sync::LazyLock;

use perennial_engine::{Area, OpTable};

/// The areas that need nothing outside of the VM, for [`perennial_engine::EngineConfig`]; [`crate::files`], [`crate::net`] and [`crate::commands`] have their own. Nothing of them costs a VM anything before a script touches one of their globals.
pub fn areas() -> Vec<Area> {
    static AREAS: LazyLock<Vec<Area>> = LazyLock::new(|| {
        [
            Area::new("webidl", &[], include_str!("../js/webidl.js")).with_internals(&["webidl"]),
            Area::new("blob", &["Blob", "File"], include_str!("../js/blob.js")).with_internals(&["blobs"]),
            Area::new("clone", &["structuredClone"], include_str!("../js/clone.js")),
            Area::new("formdata", &["FormData"], include_str!("../js/formdata.js")).with_internals(&["forms"]),
            Area::new(
                "compression",
                &["CompressionStream", "DecompressionStream"],
                include_str!("../js/compression.js"),
            ),
            Area::new("encoding", &["TextEncoder", "TextDecoder"], include_str!("../js/encoding.js"))
                .with_internals(&["decoder"]),
            Area::new(
                "encoding-streams",
                &["TextEncoderStream", "TextDecoderStream"],
                include_str!("../js/encoding-streams.js"),
            ),
            Area::new(
                "events",
                &["Event", "CustomEvent", "EventTarget", "AbortSignal", "AbortController"],
                include_str!("../js/events.js"),
            )
            .with_internals(&["signals"]),
            Area::new(
                "streams-queues",
                &["ByteLengthQueuingStrategy", "CountQueuingStrategy"],
                include_str!("../js/streams-queues.js"),
            )
            .with_internals(&["queues"]),
            Area::new(
                "streams-readable",
                &["ReadableStream", "ReadableStreamDefaultReader", "ReadableStreamDefaultController"],
                include_str!("../js/streams-readable.js"),
            )
            .with_internals(&["readables"]),
            Area::new("streams-tee", &[], include_str!("../js/streams-tee.js")).with_internals(&["tee"]),
            Area::new(
                "streams-bytes",
                &["ReadableByteStreamController", "ReadableStreamBYOBReader", "ReadableStreamBYOBRequest"],
                include_str!("../js/streams-bytes.js"),
            )
            .with_internals(&["readableBytes"]),
            Area::new(
                "streams-writable",
                &["WritableStream", "WritableStreamDefaultWriter", "WritableStreamDefaultController"],
                include_str!("../js/streams-writable.js"),
            )
            .with_internals(&["writables"]),
            Area::new("streams-pipe", &[], include_str!("../js/streams-pipe.js")).with_internals(&["pipe"]),
            Area::new(
                "streams-transform",
                &["TransformStream", "TransformStreamDefaultController"],
                include_str!("../js/streams-transform.js"),
            )
            .with_internals(&["transforms"]),
            Area::new("url", &["URL", "URLSearchParams"], include_str!("../js/url.js"))
                .with_internals(&["hrefOf", "queryOf"]),
            Area::new("body", &[], include_str!("../js/body.js")).with_internals(&["bodies"]),
            Area::new("headers", &["Headers"], include_str!("../js/headers.js")).with_internals(&["headerLists"]),
            Area::new(
                "performance",
                &["Performance", "PerformanceEntry", "PerformanceMark", "PerformanceMeasure", "performance"],
                include_str!("../js/performance.js"),
            ),
            Area::new("url-pattern", &["URLPattern"], include_str!("../js/url-pattern.js")),
            Area::new("navigator", &["Navigator", "navigator", "reportError"], include_str!("../js/navigator.js")),
            Area::new("request", &["Request"], include_str!("../js/request.js")).with_internals(&["requestOf"]),
            Area::new("response", &["Response"], include_str!("../js/response.js")).with_internals(&["responses"]),
        ]
        .into_iter()
        .chain(node::areas())
        .chain(crypto_areas())
        .collect()
    });
    AREAS.clone()
}

#[cfg(feature = "crypto")]
fn crypto_areas() -> Vec<Area> {
    vec![
        Area::new("crypto", &["Crypto", "CryptoKey", "crypto"], include_str!("../js/crypto.js"))
            .with_internals(&["keys"]),
        Area::new("crypto-public", &[], include_str!("../js/crypto-public.js")).with_internals(&["publicKeys"]),
        Area::new("crypto-secret", &[], include_str!("../js/crypto-secret.js")).with_internals(&["secretKeys"]),
        Area::new("crypto-shared", &[], include_str!("../js/crypto-shared.js")).with_internals(&["cryptoShared"]),
        Area::new("crypto-subtle", &["SubtleCrypto"], include_str!("../js/crypto-subtle.js"))
            .with_internals(&["subtle"]),
    ]
}

#[cfg(not(feature = "crypto"))]
fn crypto_areas() -> Vec<Area> {
    Vec::new()
}

/// The ops behind the areas.
pub fn ops() -> OpTable {
    let ops = buffer::ops().merge(compression::ops()).merge(encoding::ops()).merge(node::ops()).merge(url::ops());
    #[cfg(feature = "crypto")]
    let ops = ops.merge(crypto::ops());
    ops
}
