//! What scripts ask for: one op a verb, of two names. `fs_stat` answers at once what the session has in memory, and `undefined` where the host is to be
//! asked, which `fs_stat_host` does as a task.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use perennial_engine::{Bound, OpContext, OpError, OpResult, OpTable, OpValue};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::FilesView;
use super::error::{Code, FsError};
use super::handle::Handle;
use super::host::{self, Host};
use super::mount::{MountMode, Mounts, Place};
use super::overlay::Overlay;
use super::path::VirtualPath;
use super::slots::Slot;
use super::tree::{Flags, Kind};
use super::volume::{Opened, Own, Removal, Stat, Volume};

/// Files in memory of no more than this are read at once, and files of the host.
const WHOLE: usize = 16 << 20;
const WHOLE_OF_HOST: usize = 2 << 20;
/// A file that is written at once, with its path.
const WRITTEN: Bound = Bound::bytes(65 << 20);
/// Operations that wait for the host's disks, in the whole process: they hold threads.
const HOST_OPERATIONS: usize = 32;

/// What is done by a path, or from the first to the second; what else the op takes comes after them.
struct PathVerb {
    name: &'static str,
    paths: usize,
    act: fn(&Call<'_>) -> OpResult,
}

/// What is done to an open file, whose number the op takes first.
struct HandleVerb {
    name: &'static str,
    act: fn(&Handle, &Request<'_>) -> OpResult,
}

const PATH_VERBS: [PathVerb; 13] = [
    PathVerb { name: "stat", paths: 1, act: |call| Ok(stat_value(call.volume.stat(call.place(), call.flag(0))?)) },
    PathVerb { name: "list", paths: 1, act: |call| Ok(names_value(&call.volume.list(call.place())?)) },
    PathVerb { name: "mkdir", paths: 1, act: |call| Ok(path_value(call.volume.mkdir(call.place(), call.flag(0))?)) },
    PathVerb { name: "rm", paths: 1, act: |call| call.remove(Removal::Any(call.flag(0))) },
    PathVerb { name: "rmdir", paths: 1, act: |call| call.remove(Removal::Folder) },
    PathVerb { name: "unlink", paths: 1, act: |call| call.remove(Removal::File) },
    PathVerb { name: "rename", paths: 2, act: |call| done(call.volume.rename(&call.places[0], &call.places[1])) },
    PathVerb { name: "symlink", paths: 1, act: |call| done(call.volume.symlink(call.text(0)?, call.place())) },
    PathVerb { name: "readlink", paths: 1, act: |call| Ok(json!(call.volume.read_link(call.place())?).into()) },
    PathVerb { name: "realpath", paths: 1, act: |call| Ok(path_value(Some(call.volume.real(call.place())?))) },
    PathVerb { name: "utimes", paths: 1, act: |call| done(call.volume.touch(call.place(), call.number(0)?)) },
    PathVerb { name: "chdir", paths: 1, act: change_dir },
    PathVerb { name: "open", paths: 1, act: open },
];

const HANDLE_VERBS: [HandleVerb; 4] = [
    HandleVerb {
        name: "read",
        act: |handle, request| {
            let (offset, length) = (request.size(1)?, request.size(2)?);
            Ok(OpValue::Bytes(handle.read(&request.view, offset, length)?))
        },
    },
    HandleVerb {
        name: "write",
        act: |handle, request| {
            let offset = request.size(1).ok();
            done(handle.write(&request.view, offset, crate::bytes(request.args, 2)))
        },
    },
    HandleVerb { name: "truncate", act: |handle, request| done(handle.truncate(&request.view, request.size(1)?)) },
    HandleVerb { name: "fstat", act: |handle, request| Ok(stat_value(handle.stat(&request.view)?)) },
];

/// The ops behind `fs`.
pub fn ops() -> OpTable {
    let table = PATH_VERBS.into_iter().fold(OpTable::new(), |table, PathVerb { name, paths, act }| {
        let (now, later) = (
            move |request: &Request<'_>| in_memory(request, paths, act),
            move |request: &Request<'_>| on_host(request, paths, act),
        );
        verb(table, name, now, later)
    });
    let table = HANDLE_VERBS.into_iter().fold(table, |table, HandleVerb { name, act }| {
        let (now, later) = (
            move |request: &Request<'_>| on_handle(request, false, name, act),
            move |request: &Request<'_>| on_handle(request, true, name, act),
        );
        verb(table, name, now, later)
    });
    let now = move |request: &Request<'_>| {
        in_memory(request, 1, |call| Ok(content(call, call.own().read_file(call.place(), WHOLE)?)))
    };
    let later =
        move |request: &Request<'_>| on_host(request, 1, |call| Ok(content(call, read_opened(call, WHOLE_OF_HOST)?)));
    let table = verb(table, "read_file", now, later);
    table
        .sync("fs_write_file", WRITTEN, |context, args| {
            in_memory(&Request::new(context, &args)?, 1, |call| {
                let data = match call.rest.get(1).and_then(OpValue::as_str) {
                    Some(text) => text.as_bytes(),
                    None => crate::bytes(call.rest, 1),
                };
                done(call.own().write_file(call.place(), call.flags(0)?, data))
            })
        })
        .sync("fs_copy", Bound::PIECE, |context, args| {
            in_memory(&Request::new(context, &args)?, 2, |call| {
                done(call.own().copy(&call.places[0], &call.places[1], call.flag(0)))
            })
        })
        .sync("fs_same", Bound::SMALL, |context, args| {
            let request = Request::new(context, &args)?;
            Ok(json!(request.handle(0)?.is_same(&*request.handle(1)?)).into())
        })
        .sync("fs_close", Bound::SMALL, |context, args| {
            Ok(json!(context.resources.remove(crate::number(&args, 0)? as u32)).into())
        })
        .sync(
            "fs_cwd",
            Bound::SMALL,
            |context, args| Ok(json!(Request::new(context, &args)?.cwd()?.to_string()).into()),
        )
        .sync("fs_absolute", Bound::PIECE, |context, args| {
            Ok(path_value(Request::new(context, &args)?.paths(1)?.pop()))
        })
        .sync("fs_match", Bound::SMALL, |context, args| {
            let (pattern, path) = (crate::text(&args, 0)?, crate::text(&args, 1)?);
            Ok(json!(super::glob::matches(pattern, path, &context.budget)?).into())
        })
}

/// Adds the two ops of one verb.
fn verb(
    table: OpTable,
    name: &str,
    now: impl Fn(&Request<'_>) -> OpResult + Send + Sync + 'static,
    later: impl Fn(&Request<'_>) -> OpResult + Copy + Send + Sync + 'static,
) -> OpTable {
    table
        .sync(&format!("fs_{name}"), Bound::PIECE, move |context, args| now(&Request::new(context, &args)?))
        .asynchronous(&format!("fs_{name}_host"), Bound::PIECE, move |context, args| {
            Box::pin(async move {
                static SLOTS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(HOST_OPERATIONS)));
                // The semaphore is never closed.
                let slot = SLOTS.clone().acquire_owned().await.ok();
                let work = tokio::task::spawn_blocking(move || {
                    let _slot = slot;
                    let since = Instant::now();
                    let answer = Request::new(&context, &args).and_then(|request| later(&request));
                    context.budget.charge_background(since.elapsed());
                    answer
                });
                work.await.unwrap_or_else(|_| Err(OpError::new("Error", "an operation on the host's files failed")))
            })
        })
}

/// What an op is given, and whose files it is about.
struct Request<'a> {
    context: &'a OpContext,
    view: Arc<FilesView>,
    mounts: Option<Arc<Mounts>>,
    args: &'a [OpValue],
}

impl<'a> Request<'a> {
    fn new(context: &'a OpContext, args: &'a [OpValue]) -> Result<Self, OpError> {
        let view = context.extensions.get::<FilesView>().ok_or_else(|| OpError::permission("fs", "a session"))?;
        Ok(Self { context, view, mounts: context.extensions.get(), args })
    }

    fn cwd(&self) -> Result<VirtualPath, FsError> {
        self.view.look(|tree| Ok(tree.cwd.clone()))
    }

    /// The paths that the arguments begin with.
    fn paths(&self, count: usize) -> Result<Vec<VirtualPath>, OpError> {
        let cwd = self.cwd()?;
        (0..count).map(|index| Ok(VirtualPath::parse(&cwd, crate::text(self.args, index)?)?)).collect()
    }

    fn handle(&self, index: usize) -> Result<Arc<Handle>, OpError> {
        self.context.resources.get(crate::number(self.args, index)? as u32)
    }

    fn size(&self, index: usize) -> Result<u64, OpError> {
        Ok(crate::number(self.args, index)? as u64)
    }
}

/// A verb on paths, about to be done.
struct Call<'a> {
    request: &'a Request<'a>,
    volume: &'a dyn Volume,
    /// Of a mount.
    host: Option<&'a Host>,
    places: &'a [Place],
    /// The arguments behind the paths.
    rest: &'a [OpValue],
}

impl Call<'_> {
    fn place(&self) -> &Place {
        &self.places[0]
    }

    fn flag(&self, index: usize) -> bool {
        crate::flag(self.rest, index)
    }

    fn text(&self, index: usize) -> Result<&str, OpError> {
        crate::text(self.rest, index)
    }

    fn number(&self, index: usize) -> Result<f64, OpError> {
        crate::number(self.rest, index)
    }

    fn flags(&self, index: usize) -> Result<Flags, OpError> {
        let flags = self.rest.get(index).and_then(OpValue::as_json).unwrap_or(&Value::Null);
        Flags::deserialize(flags).map_err(|error| OpError::type_error(format!("wrong flags for files: {error}")))
    }

    fn own(&self) -> Own<'_> {
        own(self.request)
    }

    fn remove(&self, removal: Removal) -> OpResult {
        if self.host.is_some() && self.place().is_root() {
            let error = FsError::new(Code::Busy, removal.what(), self.place().shown());
            return Err(error.because("a mount is there").into());
        }
        done(self.volume.remove(self.place(), removal, &self.request.context.budget))
    }
}

fn own<'a>(request: &'a Request<'_>) -> Own<'a> {
    Own { view: &request.view, mounts: request.mounts.as_deref() }
}

/// Does it in the session's own tree. `undefined` where a path is in a mount.
fn in_memory(request: &Request<'_>, count: usize, act: fn(&Call<'_>) -> OpResult) -> OpResult {
    let paths = request.paths(count)?;
    let in_mount = |path: &VirtualPath| request.mounts.as_ref().is_some_and(|mounts| mounts.of(path).is_some());
    if paths.iter().any(in_mount) {
        return Ok(OpValue::Undefined);
    }
    let places: Vec<Place> = paths.into_iter().map(Place::own).collect();
    act(&Call { request, volume: &own(request), host: None, places: &places, rest: &request.args[count..] })
}

/// Does it in the mount that all paths are in. Blocks.
fn on_host(request: &Request<'_>, count: usize, act: fn(&Call<'_>) -> OpResult) -> OpResult {
    let mounts = request.mounts.as_ref().ok_or_else(|| OpError::permission("a mount", "a mount"))?;
    let paths = request.paths(count)?;
    if let [from, to] = &*paths
        && (mounts.pins(from) || mounts.pins(to))
    {
        return Err(FsError::new(Code::Busy, "rename", from).to(to).because("a mount is there").into());
    }
    let mut found: Option<(Host, Vec<Place>)> = None;
    for path in &paths {
        let Some((mount, place)) = mounts.of(path) else {
            let apart = FsError::new(Code::CrossDevice, "rename", path);
            return Err(apart.because("copy it instead, and remove what it was copied from").into());
        };
        match &mut found {
            None => found = Some((Host::new(mount, request.view.files.quota.file_bytes), vec![place])),
            Some((host, places)) if Arc::ptr_eq(&host.dir, &mount.dir) => places.push(place),
            Some((_, places)) => {
                return Err(FsError::new(Code::CrossDevice, "rename", places[0].shown()).to(path).into());
            }
        }
    }
    let Some((host, places)) = found else { return Err(OpError::type_error("a path is wanted")) };
    let call = |volume: &dyn Volume| {
        act(&Call { request, volume, host: Some(&host), places: &places, rest: &request.args[count..] })
    };
    match host.mode {
        MountMode::Overlay => call(&Overlay::new(&request.view, mounts, host.clone())),
        MountMode::ReadOnly | MountMode::ReadWrite => call(&host),
    }
}

/// Does it to an open file; `undefined` where that is the host's and this is not the place to ask for it.
fn on_handle(
    request: &Request<'_>,
    may_block: bool,
    what: &'static str,
    act: fn(&Handle, &Request<'_>) -> OpResult,
) -> OpResult {
    let handle = request.handle(0)?;
    if handle.is_on_host() && !may_block {
        return Ok(OpValue::Undefined);
    }
    handle.check(&request.view, request.mounts.as_deref(), what)?;
    act(&handle, request)
}

fn change_dir(call: &Call<'_>) -> OpResult {
    const WHAT: &str = "chdir";
    let stat = call.volume.stat(call.place(), true).map_err(|error| FsError { what: WHAT, ..error })?;
    let path = call.place().shown();
    if stat.kind != Kind::Directory {
        return Err(FsError::new(Code::NotDirectory, WHAT, path).into());
    }
    done(call.request.view.change(WHAT, |tree, _| {
        tree.cwd = path.clone();
        Ok(())
    }))
}

fn open(call: &Call<'_>) -> OpResult {
    /// What a handle takes in this process.
    const BYTES: usize = 512;
    let (Request { context, view, .. }, flags) = (call.request, call.flags(0)?);
    let slot = call.host.map(|_| Slot::take(&view.files.open, call.place().shown())).transpose()?;
    // Its place first: opening may empty a file, or make one.
    let number = context.resources.add((), BYTES, &context.budget)?;
    let opened = call.volume.open(call.place(), flags).inspect_err(|_| _ = context.resources.remove(number))?;
    let handle = Handle::new(view, opened, call.place(), flags, call.host.cloned().zip(slot));
    context.resources.replace(number, handle);
    Ok(json!(number).into())
}

/// As a text where that is wanted, with what is no UTF-8 replaced; `null` where a file is to be read part by part.
fn content(call: &Call<'_>, content: Option<Vec<u8>>) -> OpValue {
    match content {
        None => OpValue::Json(Value::Null),
        Some(bytes) if call.flag(0) => Value::String(lossy(bytes)).into(),
        Some(bytes) => OpValue::Bytes(bytes),
    }
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The content of a file in a mount, unless there is more than that.
fn read_opened(call: &Call<'_>, most: usize) -> Result<Option<Vec<u8>>, FsError> {
    let (place, view) = (call.place(), &call.request.view);
    let _slot = Slot::take(&view.files.open, place.shown())?;
    match call.volume.open(place, Flags { read: true, ..Flags::default() })? {
        Opened::Host(file) => host::read_all(&file, place, most),
        Opened::Memory(path, id) => {
            let file = view.look(|tree| tree.opened(&path, id, "read"))?;
            let length = usize::try_from(file.data.length()).unwrap_or(usize::MAX);
            Ok((length <= most).then(|| file.data.read(0, length)))
        }
    }
}

fn done(outcome: Result<(), FsError>) -> OpResult {
    Ok(outcome.map(|()| Value::Null.into())?)
}

fn stat_value(Stat { kind, size, modified }: Stat) -> OpValue {
    json!([kind.as_str(), size, modified]).into()
}

fn path_value(path: Option<VirtualPath>) -> OpValue {
    json!(path.map(|path| path.to_string())).into()
}

fn names_value(names: &[(String, Kind)]) -> OpValue {
    names.iter().map(|(name, kind)| json!([name, kind.as_str()])).collect::<Value>().into()
}
