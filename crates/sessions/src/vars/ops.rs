//! What scripts see of `vars`.

use std::sync::{Arc, LazyLock};

use perennial_engine::{Area, Bound, OpContext, OpError, OpResult, OpTable, OpValue};
use serde_json::{Value, json};

use super::VarsView;

/// The global that scripts find them by.
pub(crate) fn area() -> Area {
    static AREA: LazyLock<Area> = LazyLock::new(|| Area::new("vars", &["vars"], include_str!("../../js/vars.js")));
    AREA.clone()
}

fn view(context: &OpContext) -> Result<Arc<VarsView>, OpError> {
    context.extensions.get::<VarsView>().ok_or_else(|| OpError::permission("vars", "a session"))
}

fn name(args: &[OpValue]) -> Result<&str, OpError> {
    args.first().and_then(OpValue::as_str).ok_or_else(|| OpError::type_error("the name of a var is a string"))
}

fn value(args: &mut Vec<OpValue>, index: usize) -> Result<Value, OpError> {
    match (args.len() > index).then(|| args.swap_remove(index)) {
        Some(OpValue::Json(value)) => Ok(value),
        Some(OpValue::Bytes(bytes)) => Ok(perennial_engine::bytes_to_json(&bytes)),
        Some(OpValue::Undefined) | None => {
            Err(OpError::type_error("undefined is no value for a var: use vars.delete(name) to remove it"))
        }
    }
}

pub(crate) fn ops() -> OpTable {
    OpTable::new()
        .sync("vars_get", Bound::SMALL, |context, args| {
            Ok(view(context)?.vars.get(name(&args)?).map_or(OpValue::Undefined, OpValue::Json))
        })
        .sync("vars_has", Bound::SMALL, |context, args| Ok(json!(view(context)?.vars.has(name(&args)?)).into()))
        .sync("vars_version", Bound::SMALL, |context, args| Ok(json!(view(context)?.vars.version(name(&args)?)).into()))
        .sync("vars_set", Bound::DATA.with_values_from(1), |context, mut args| {
            let value = value(&mut args, 1)?;
            let view = view(context)?;
            view.vars.write(view.writer(), name(&args)?, None, &value)?;
            Ok(OpValue::Undefined)
        })
        .sync("vars_replace", Bound::DATA.with_values_from(2), |context, mut args| {
            let next = value(&mut args, 2)?;
            let version = args.get(1).and_then(OpValue::as_f64).unwrap_or(-1.0) as u64;
            let view = view(context)?;
            Ok(json!(view.vars.write(view.writer(), name(&args)?, Some(version), &next)?).into())
        })
        .sync("vars_delete", Bound::SMALL, |context, args| {
            let view = view(context)?;
            Ok(json!(view.vars.remove(view.writer(), name(&args)?)?).into())
        })
        .sync("vars_keys", Bound::SMALL, |context, _| Ok(json!(view(context)?.vars.keys()).into()))
        .sync("vars_clear", Bound::SMALL, |context, _| -> OpResult {
            let view = view(context)?;
            view.vars.remove_all(view.writer())?;
            Ok(OpValue::Undefined)
        })
}
