//! What scripts see of checkpoints: `session`.

use std::sync::{Arc, LazyLock};

use perennial_engine::{Area, Bound, OpContext, OpError, OpTable, OpValue};
use perennial_protocol::{Checkpoint, CheckpointRef};
use serde_json::{Value, json};

use super::{CheckpointsView, Maker};

const BY: Maker = Maker::Script;

/// The global that scripts find them by.
pub(crate) fn area() -> Area {
    static AREA: LazyLock<Area> =
        LazyLock::new(|| Area::new("session", &["session"], include_str!("../../js/session.js")));
    AREA.clone()
}

fn view(context: &OpContext) -> Result<Arc<CheckpointsView>, OpError> {
    context.extensions.get::<CheckpointsView>().ok_or_else(|| OpError::permission("checkpoints", "a session"))
}

fn which(value: Option<&OpValue>) -> Result<CheckpointRef, OpError> {
    let wrong = || OpError::type_error("a checkpoint is what session.checkpoint() has returned, its id or its name");
    match value {
        Some(OpValue::Json(Value::String(name))) => Ok(CheckpointRef::Name(name.clone())),
        Some(OpValue::Json(Value::Number(id))) => id.as_u64().map(CheckpointRef::Id).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

fn said(checkpoint: &Checkpoint) -> Value {
    let by = if checkpoint.by_script { "script" } else { "host" };
    let mut said = json!({"id": checkpoint.id, "atMs": checkpoint.at_ms, "by": by});
    if let Some(name) = &checkpoint.name {
        said["name"] = json!(name);
    }
    if let Some(replaces) = checkpoint.replaces {
        said["replaces"] = json!(replaces);
    }
    said
}

pub(crate) fn ops() -> OpTable {
    OpTable::new()
        .sync("session_checkpoint", Bound::SMALL, |context, args| {
            let name = match args.first() {
                None | Some(OpValue::Undefined) => None,
                Some(value) => {
                    let wrong = || OpError::type_error("the name of a checkpoint is a string");
                    Some(value.as_str().ok_or_else(wrong)?.to_owned())
                }
            };
            Ok(said(&view(context)?.act(|checkpoints, of| checkpoints.make(of, name, BY))?).into())
        })
        .sync("session_checkpoints", Bound::SMALL, |context, _| {
            let all = view(context)?.act(|checkpoints, _| Ok(checkpoints.list()))?;
            Ok(Value::Array(all.iter().map(said).collect()).into())
        })
        .sync("session_rollback", Bound::SMALL, |context, args| {
            let which = which(args.first())?;
            Ok(said(&view(context)?.act(|checkpoints, of| checkpoints.roll_back(of, &which, BY))?).into())
        })
        .sync("session_changes", Bound::SMALL, |context, args| {
            let from = which(args.first())?;
            let to = match args.get(1) {
                None | Some(OpValue::Undefined) => None,
                to => Some(which(to)?),
            };
            let changes = view(context)?.act(|checkpoints, of| checkpoints.changes(of, &from, to.as_ref(), BY))?;
            Ok(json!({"changes": changes.changes, "more": changes.more}).into())
        })
        .sync("session_forget", Bound::SMALL, |context, args| {
            let which = which(args.first())?;
            view(context)?.act(|checkpoints, _| checkpoints.forget(&which, BY))?;
            Ok(OpValue::Undefined)
        })
}
