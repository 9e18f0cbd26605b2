//! What scripts find that is pure: functions of their arguments.

mod buffer;
pub(crate) mod compression;
#[cfg(feature = "crypto")]
mod crypto;
mod encoding;
pub mod node;
pub(crate) mod url;

use perennial_engine::{Area, OpTable};

use crate::area;

/// The areas that need nothing outside of the VM, for [`perennial_engine::EngineConfig`]; [`crate::files`], [`crate::net`] and [`crate::commands`] have their own. Nothing of them costs a VM anything before a script touches one of their globals.
pub fn areas() -> Vec<Area> {
    let mut areas = area::each(&[
        &area::WEBIDL,
        &area::BLOB,
        &area::CLONE,
        &area::FORMDATA,
        &area::COMPRESSION,
        &area::ENCODING,
        &area::ENCODING_STREAMS,
        &area::EVENTS,
        &area::STREAMS_QUEUES,
        &area::STREAMS_READABLE,
        &area::STREAMS_TEE,
        &area::STREAMS_BYTES,
        &area::STREAMS_WRITABLE,
        &area::STREAMS_PIPE,
        &area::STREAMS_TRANSFORM,
        &area::URL,
        &area::BODY,
        &area::HEADERS,
        &area::PERFORMANCE,
        &area::URL_PATTERN,
        &area::NAVIGATOR,
        &area::REQUEST,
        &area::RESPONSE,
    ]);
    areas.extend(node::areas());
    #[cfg(feature = "crypto")]
    areas.extend(crypto::areas());
    areas
}

/// The ops behind the areas.
pub fn ops() -> OpTable {
    let ops = buffer::ops().merge(compression::ops()).merge(encoding::ops()).merge(node::ops()).merge(url::ops());
    #[cfg(feature = "crypto")]
    let ops = ops.merge(crypto::ops());
    ops
}
