use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, LazyLock};

use perennial_engine::{Area, Bound, Denied, OpError, OpResult, OpTable, OpValue};
use perennial_stdlib::files::ReadGrants;
use serde_json::{Value, json};

use crate::capability::{Capability, Grants, PluginHost, check_texts, texts, texts_within};
use crate::library::Library;

/// `read`, and `ctx.fs`: files and folders of the host that a plugin may read.
struct ReadCapability;

impl Capability for ReadCapability {
    type Grant = ReadGrants;

    fn key(&self) -> &'static str {
        "read"
    }

    fn context_key(&self) -> &'static str {
        "fs"
    }

    fn maker(&self) -> &'static str {
        "filesFor"
    }

    fn check(&self, asked: &Value) -> Result<(), Vec<String>> {
        check_texts(asked, |path| {
            let ok = !path.is_empty()
                && !path.contains('\0')
                && !Path::new(path).components().any(|part| part == Component::ParentDir);
            ok.then_some(()).ok_or("no path, or one with `..`")
        })
    }

    fn items(&self, asked: &Value) -> Vec<String> {
        texts(asked)
    }

    fn within(&self, asked: &Value, most: &Value) -> (Value, Value) {
        texts_within(asked, most, covers_path)
    }

    fn grant(&self, granted: &Value, most: &Value, host: &PluginHost<'_>) -> Result<ReadGrants, String> {
        Ok(ReadGrants::open(&texts(granted), &texts(most), host.base))
    }

    fn methods(&self) -> &'static [&'static str] {
        &["readText", "readBytes", "list"]
    }
}

/// Whether a path is another or below it, whichever `.` either has in it.
fn covers_path(most: &str, path: &str) -> bool {
    let plain =
        |path: &str| Path::new(path).components().filter(|part| *part != Component::CurDir).collect::<PathBuf>();
    let (most, path) = (plain(most), plain(path));
    most.is_absolute() == path.is_absolute() && path.starts_with(&most)
}

/// What plugins read the host's files by.
pub(super) fn declare(library: &mut Library) {
    let grants: Arc<Grants<ReadGrants>> = Arc::new(library.capability(ReadCapability));
    library.ops(OpTable::new().asynchronous("files_read_for", Bound::SMALL, move |_, args| {
        let grants = grants.clone();
        Box::pin(async move {
            let text = |index: usize| args.get(index).and_then(OpValue::as_str).map(str::to_owned);
            let (Some(plugin), Some(method), Some(path)) = (text(0), text(1), text(2)) else {
                return Err(OpError::type_error("the path is no text"));
            };
            let Some(files) = grants.get(&plugin).cloned() else {
                return Err(Denied::in_allow(format!("reading for plugin {plugin}"), "read", &plugin).into());
            };
            let reading = tokio::task::spawn_blocking(move || read(&files, &method, &path));
            let read = reading.await.unwrap_or_else(|_| Err(OpError::new("Error", "reading failed")));
            read.map_err(|error| match &*error.class {
                "PermissionError" => error.with("plugin", plugin.into()),
                _ => error,
            })
        })
    }));
    static AREA: LazyLock<Area> = LazyLock::new(|| {
        Area::new("plugin-files", &[], include_str!("../../../js/plugin-files.js")).with_internals(&["filesFor"])
    });
    library.area(AREA.clone());
}

fn read(files: &ReadGrants, method: &str, path: &str) -> OpResult {
    if method == "list" {
        return Ok(json!(files.list(path)?).into());
    }
    let bytes = files.read(path)?;
    if method == "readBytes" {
        return Ok(OpValue::Bytes(bytes));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| OpError::type_error(format!("{path} is no UTF-8 text: readBytes reads it")))?;
    Ok(json!(text).into())
}
