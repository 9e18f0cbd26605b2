//! What scripts ask for. What the session has in memory is answered at once; what is in a mount is asked for again, as a task, by the same
//! request.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use perennial_engine::{Bound, OpContext, OpError, OpResult, OpTable, OpValue};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::FilesView;
use super::error::{Code, FsError};
use super::host::{self, Host, Stat};
use super::mount::{HostPath, MountMode, Mounts};
use super::overlay::{Opened, Overlay};
use super::path::VirtualPath;
use super::slots::Slot;
use super::tree::{Flags, Kind, Node, Tree};

/// What is read or written at a time where it is not in memory already.
const PART: usize = 256 << 10;
/// Files in memory of no more than this are read at once.
const WHOLE: usize = 16 << 20;
/// Operations that wait for the host's disks, in the whole process: they hold threads.
const HOST_OPERATIONS: usize = 32;

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Request {
    Stat { path: String, follow: bool },
    List { path: String },
    Mkdir { path: String, recursive: bool },
    Remove { path: String, recursive: bool },
    Rmdir { path: String },
    Unlink { path: String },
    Rename { path: String, to: String },
    Copy { path: String, to: String, exclusive: bool },
    Symlink { target: String, path: String },
    Readlink { path: String },
    Real { path: String },
    Touch { path: String, modified: f64 },
    Chdir { path: String },
    ReadFile { path: String },
    WriteFile { path: String, flags: Flags },
    Open { path: String, flags: Flags },
    Read { handle: u32, offset: u64, length: u64 },
    Write { handle: u32, offset: Option<u64> },
    Truncate { handle: u32, length: u64 },
    StatHandle { handle: u32 },
}

/// An open file.
struct Handle {
    path: VirtualPath,
    flags: Flags,
    place: Place,
}

enum Place {
    /// In memory, as long as it is the same file at the same path.
    Memory {
        id: u64,
        restored: u64,
    },
    Host {
        file: Arc<std::fs::File>,
        host: Host,
        path: HostPath,
        _slot: Slot,
    },
}

/// The ops behind them.
pub fn ops() -> OpTable {
    OpTable::new()
        .sync("fs", Bound::bytes(65 << 20), |context, args| perform(context, &args))
        .asynchronous("fs_host", Bound::bytes(65 << 20), |context, mut args| {
            Box::pin(async move {
                static SLOTS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(HOST_OPERATIONS)));
                // The semaphore is never closed.
                let slot = SLOTS.clone().acquire_owned().await.ok();
                let bytes = (args.len() > 1).then(|| args.remove(1));
                let work = tokio::task::spawn_blocking(move || {
                    let _slot = slot;
                    let since = Instant::now();
                    let done = perform_on_host(&context, &args, bytes.as_ref());
                    context.budget.charge_background(since.elapsed());
                    done
                });
                work.await.unwrap_or_else(|_| Err(OpError::new("Error", "an operation on the host's files failed")))
            })
        })
        .sync("fs_same", Bound::SMALL, |context, args| {
            let one = |index| context.resources.get::<Handle>(crate::number(&args, index)? as u32);
            let same = match (&one(0)?.place, &one(1)?.place) {
                (Place::Memory { id, .. }, Place::Memory { id: other, .. }) => id == other,
                (Place::Host { file, .. }, Place::Host { file: other, .. }) => host::is_same(file, other),
                _ => false,
            };
            Ok(json!(same).into())
        })
        .sync("fs_close", Bound::SMALL, |context, args| {
            Ok(json!(context.resources.remove(crate::number(&args, 0)? as u32)).into())
        })
        .sync("fs_cwd", Bound::SMALL, |context, _| {
            Ok(json!(view(context)?.look(|tree| Ok(tree.cwd.to_string()))?).into())
        })
        .sync("fs_match", Bound::SMALL, |context, args| {
            let (pattern, path) = (crate::text(&args, 0)?, crate::text(&args, 1)?);
            Ok(json!(super::glob::matches(pattern, path, &context.budget)?).into())
        })
}

fn view(context: &OpContext) -> Result<Arc<FilesView>, OpError> {
    context.extensions.get::<FilesView>().ok_or_else(|| OpError::permission("fs", "a session"))
}

fn request(args: &[OpValue]) -> Result<Request, OpError> {
    match args.first() {
        Some(OpValue::Json(value)) => Request::deserialize(value)
            .map_err(|error| OpError::type_error(format!("wrong arguments for files: {error}"))),
        _ => Err(OpError::type_error("a request is wanted")),
    }
}

fn stat_value(kind: Kind, size: u64, modified: f64) -> OpValue {
    json!([kind.as_str(), size, modified]).into()
}

fn node_value(node: &Node) -> OpValue {
    stat_value(node.kind(), node.size(), node.modified())
}

fn host_value(stat: Stat) -> OpValue {
    stat_value(stat.kind, stat.size, stat.modified)
}

fn path_value(path: Option<VirtualPath>) -> OpValue {
    json!(path.map(|path| path.to_string())).into()
}

fn names_value(names: &[(String, Kind)]) -> OpValue {
    names.iter().map(|(name, kind)| json!([name, kind.as_str()])).collect::<Value>().into()
}

fn done() -> OpResult {
    Ok(Value::Null.into())
}

/// `undefined` where the path is in a mount.
fn perform(context: &OpContext, args: &[OpValue]) -> OpResult {
    let view = view(context)?;
    let mounts = context.extensions.get::<Mounts>();
    let request = request(args)?;
    let cwd = || view.look(|tree| Ok(tree.cwd.clone()));
    let parse = |text: &str| VirtualPath::parse(&cwd()?, text);
    let is_mounted = |path: &VirtualPath| mounts.as_ref().is_some_and(|mounts| mounts.of(path).is_some());
    let pins = |path: &VirtualPath| mounts.as_ref().is_some_and(|mounts| mounts.pins(path));
    // Of two paths one may be in a mount.
    let paths = match &request {
        Request::Stat { path, .. }
        | Request::List { path }
        | Request::Mkdir { path, .. }
        | Request::Remove { path, .. }
        | Request::Rmdir { path }
        | Request::Unlink { path }
        | Request::Symlink { path, .. }
        | Request::Readlink { path }
        | Request::Real { path }
        | Request::Touch { path, .. }
        | Request::Chdir { path }
        | Request::ReadFile { path }
        | Request::WriteFile { path, .. }
        | Request::Open { path, .. } => (parse(path)?, None),
        Request::Rename { path, to } | Request::Copy { path, to, .. } => (parse(path)?, Some(parse(to)?)),
        Request::Read { handle, .. }
        | Request::Write { handle, .. }
        | Request::Truncate { handle, .. }
        | Request::StatHandle { handle } => {
            let handle = context.resources.get::<Handle>(*handle)?;
            let Place::Memory { id, restored } = handle.place else { return Ok(OpValue::Undefined) };
            if restored != view.restored() {
                return Err(bad(&handle, "read", "what was done since it was opened was undone"));
            }
            return on_handle(&view, &handle, id, &request, crate::bytes(args, 1));
        }
    };
    let (path, to) = paths;
    if is_mounted(&path) || to.as_ref().is_some_and(is_mounted) {
        return Ok(OpValue::Undefined);
    }
    // A link may lead into a mount; there it is not followed.
    let outside = |tree: &Tree, path: &VirtualPath, follow: bool, what| {
        let (found, _) = tree.resolve(path, follow, what)?;
        if is_mounted(&found) {
            return Err(FsError::new(Code::Loop, what, path).because("links into mounts are not followed"));
        }
        Ok(())
    };
    Ok(match request {
        Request::Stat { follow, .. } => {
            let what = if follow { "stat" } else { "lstat" };
            view.look(|tree| {
                outside(tree, &path, follow, what)?;
                Ok(node_value(&tree.find(&path, follow, what)?.1))
            })?
        }
        Request::List { .. } => {
            let dir = view.look(|tree| {
                outside(tree, &path, true, "scandir")?;
                tree.dir(&path, "scandir")
            })?;
            let there = dir.entries.iter().filter(|(_, node)| !matches!(node, Node::Gone));
            names_value(&there.map(|(name, node)| (name.to_string(), node.kind())).collect::<Vec<_>>())
        }
        Request::Mkdir { recursive, .. } => {
            path_value(view.change("mkdir", |tree, room| tree.mkdir(room, &path, recursive))?)
        }
        Request::Remove { .. } | Request::Rmdir { .. } | Request::Unlink { .. } => {
            let (what, recursive) = match request {
                Request::Remove { recursive, .. } => ("rm", recursive),
                Request::Rmdir { .. } => ("rmdir", false),
                _ => ("unlink", false),
            };
            let removed = view.change(what, |tree, room| {
                let (found, node) = tree.find(&path, false, what)?;
                let is_dir = matches!(node, Node::Dir(_));
                if pins(&found) {
                    return Err(FsError::new(Code::Busy, what, &path).because("a mount is there"));
                }
                if is_dir && (what == "unlink" || (what == "rm" && !recursive)) {
                    return Err(FsError::new(Code::IsDirectory, what, &path));
                }
                if !is_dir && what == "rmdir" {
                    return Err(FsError::new(Code::NotDirectory, what, &path));
                }
                tree.remove(&path, recursive, room.now, what)
            })?;
            drop(removed);
            return done();
        }
        Request::Rename { .. } => {
            let to = to.unwrap_or_default();
            let replaced = view.change("rename", |tree, room| {
                if pins(&path) || pins(&to) {
                    return Err(FsError::new(Code::Busy, "rename", &path).to(&to).because("a mount is there"));
                }
                tree.rename(room, &path, &to)
            })?;
            drop(replaced);
            return done();
        }
        Request::Copy { exclusive, .. } => {
            let to = to.unwrap_or_default();
            view.change("copyfile", |tree, room| {
                outside(tree, &path, true, "copyfile")?;
                outside(tree, &to, true, "copyfile")?;
                tree.copy(room, &path, &to, exclusive)
            })?;
            return done();
        }
        Request::Symlink { target, .. } => {
            view.change("symlink", |tree, room| tree.symlink(room, &target, &path))?;
            return done();
        }
        Request::Readlink { .. } => match view.look(|tree| tree.find(&path, false, "readlink"))?.1 {
            Node::Link(link) => json!(link.target).into(),
            _ => return Err(FsError::new(Code::Invalid, "readlink", &path).into()),
        },
        Request::Real { .. } => {
            let found = view.look(|tree| {
                outside(tree, &path, true, "realpath")?;
                Ok(tree.find(&path, true, "realpath")?.0)
            })?;
            path_value(Some(found))
        }
        Request::Touch { modified, .. } => {
            view.change("utime", |tree, _| tree.touch(&path, modified))?;
            return done();
        }
        Request::Chdir { .. } => {
            view.change("chdir", |tree, _| {
                tree.dir(&path, "chdir")?;
                tree.cwd = path.clone();
                Ok(())
            })?;
            return done();
        }
        // What is large is read part by part.
        Request::ReadFile { .. } => {
            let file = view.look(|tree| {
                outside(tree, &path, true, "open")?;
                tree.file(&path, "open").map(|(_, file)| file)
            })?;
            match usize::try_from(file.data.length()) {
                Ok(length) if length <= WHOLE => OpValue::Bytes(file.data.read(0, length)),
                _ => OpValue::Undefined,
            }
        }
        Request::WriteFile { flags, .. } => {
            view.change("open", |tree, room| {
                outside(tree, &path, true, "open")?;
                tree.write_file(room, &path, flags, crate::bytes(args, 1))
            })?;
            return done();
        }
        Request::Open { flags, .. } => {
            let open = |tree: &mut Tree, room: &mut super::Room<'_>| {
                outside(tree, &path, true, "open")?;
                tree.open(room, &path, flags)
            };
            let (found, id) = if flags.write || flags.create {
                view.change("open", open)?
            } else {
                view.look(|tree| {
                    outside(tree, &path, true, "open")?;
                    tree.file(&path, "open").map(|(found, file)| (found, file.id))
                })?
            };
            keep(context, Handle { path: found, flags, place: Place::Memory { id, restored: view.restored() } })?
        }
        _ => return Err(OpError::type_error("no such request")),
    })
}

fn keep(context: &OpContext, handle: Handle) -> OpResult {
    const BYTES: usize = 512;
    Ok(json!(context.resources.add(handle, BYTES, &context.budget)?).into())
}

fn bad(handle: &Handle, what: &'static str, why: &str) -> OpError {
    FsError::new(Code::BadHandle, what, &handle.path).because(why).into()
}

fn check_flags(handle: &Handle, request: &Request) -> Result<(), OpError> {
    match request {
        Request::Read { .. } if !handle.flags.read => Err(bad(handle, "read", "it is not open for reading")),
        Request::Write { .. } if !handle.flags.write => Err(bad(handle, "write", "it is not open for writing")),
        Request::Truncate { .. } if !handle.flags.write => Err(bad(handle, "ftruncate", "it is not open for writing")),
        _ => Ok(()),
    }
}

fn on_handle(view: &FilesView, handle: &Handle, id: u64, request: &Request, bytes: &[u8]) -> OpResult {
    check_flags(handle, request)?;
    let path = &handle.path;
    match *request {
        Request::Read { offset, length, .. } => {
            let file = view.look(|tree| tree.opened(path, id, "read"))?;
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(super::data::CHUNK * 256);
            Ok(OpValue::Bytes(file.data.read(offset, length)))
        }
        Request::Write { offset, .. } => {
            let offset = if handle.flags.append { None } else { offset };
            view.change("write", |tree, room| tree.write(room, path, id, offset, bytes))?;
            done()
        }
        Request::Truncate { length, .. } => {
            view.change("ftruncate", |tree, room| tree.truncate(room, path, id, length))?;
            done()
        }
        _ => {
            let file = view.look(|tree| tree.opened(path, id, "fstat"))?;
            Ok(stat_value(Kind::File, file.data.length(), file.modified))
        }
    }
}

/// The same in a mount.
fn perform_on_host(context: &OpContext, args: &[OpValue], bytes: Option<&OpValue>) -> OpResult {
    let view = view(context)?;
    let mounts = context.extensions.get::<Mounts>().ok_or_else(|| OpError::permission("a mount", "a mount"))?;
    let request = request(args)?;
    let bytes = match bytes {
        Some(OpValue::Bytes(bytes)) => bytes.as_slice(),
        _ => &[],
    };
    let place = |text: &str, what: &'static str| {
        let path = VirtualPath::parse(&view.look(|tree| Ok(tree.cwd.clone()))?, text)?;
        match mounts.of(&path) {
            Some((mount, host_path)) => Ok((Host::new(mount, view.files.quota.file_bytes), host_path)),
            None => Err(FsError::new(Code::CrossDevice, what, &path)
                .because("copy it instead, and remove what it was copied from")),
        }
    };
    let overlay = |host: &Host| (host.mode == MountMode::Overlay).then(|| Overlay::new(&view, host.clone()));
    Ok(match request {
        Request::Stat { path, follow } => {
            let (host, path) = place(&path, "stat")?;
            match overlay(&host) {
                Some(overlay) => host_value(overlay.stat(&path, follow)?),
                None => host_value(host.stat(&path, follow)?),
            }
        }
        Request::List { path } => {
            let (host, path) = place(&path, "scandir")?;
            match overlay(&host) {
                Some(overlay) => names_value(&overlay.list(&path)?),
                None => names_value(&host.list(&path)?),
            }
        }
        Request::Mkdir { path, recursive } => {
            let (host, path) = place(&path, "mkdir")?;
            match overlay(&host) {
                Some(overlay) => path_value(overlay.mkdir(&path, recursive)?),
                None => path_value(host.mkdir(&path, recursive)?),
            }
        }
        Request::Remove { ref path, .. } | Request::Rmdir { ref path } | Request::Unlink { ref path } => {
            let (what, recursive) = match request {
                Request::Remove { recursive, .. } => ("rm", recursive),
                Request::Rmdir { .. } => ("rmdir", false),
                _ => ("unlink", false),
            };
            let (host, path) = place(path, what)?;
            if path.is_root() {
                return Err(FsError::new(Code::Busy, what, path.shown()).because("a mount is there").into());
            }
            let overlay = overlay(&host);
            let is_dir = match &overlay {
                Some(overlay) => overlay.stat(&path, false)?.kind == Kind::Directory,
                None => host.stat(&path, false)?.kind == Kind::Directory,
            };
            if is_dir && (what == "unlink" || (what == "rm" && !recursive)) {
                return Err(FsError::new(Code::IsDirectory, what, path.shown()).into());
            }
            if !is_dir && what == "rmdir" {
                return Err(FsError::new(Code::NotDirectory, what, path.shown()).into());
            }
            match overlay {
                Some(overlay) => overlay.remove(&path, recursive, what)?,
                None => host.remove(&path, recursive.then_some(&context.budget), what)?,
            }
            return done();
        }
        Request::Rename { path, to } => {
            for one in [&path, &to] {
                let parsed = VirtualPath::parse(&view.look(|tree| Ok(tree.cwd.clone()))?, one)?;
                if mounts.pins(&parsed) {
                    return Err(FsError::new(Code::Busy, "rename", &path).to(&to).because("a mount is there").into());
                }
            }
            let ((host, from), (other, to)) = (place(&path, "rename")?, place(&to, "rename")?);
            if !Arc::ptr_eq(&host.dir, &other.dir) {
                return Err(FsError::new(Code::CrossDevice, "rename", from.shown()).to(to.shown()).into());
            }
            match overlay(&host) {
                Some(overlay) => overlay.rename(&from, &to)?,
                None => host.rename(&from, &to)?,
            }
            return done();
        }
        // What is in a mount is written by opening it first.
        Request::ReadFile { path } | Request::WriteFile { path, .. } => {
            return Err(FsError::new(Code::CrossDevice, "open", path).into());
        }
        // What is in a mount is copied by reading and writing.
        Request::Copy { path, .. } => return Err(FsError::new(Code::CrossDevice, "copyfile", path).into()),
        Request::Symlink { target, path } => {
            let (host, path) = place(&path, "symlink")?;
            let Some(overlay) = overlay(&host) else {
                let error = FsError::new(Code::Permission, "symlink", target).to(path.shown());
                return Err(error.because("scripts make no links in folders of the host").into());
            };
            overlay.symlink(&target, &path)?;
            return done();
        }
        Request::Readlink { path } => {
            let (host, path) = place(&path, "readlink")?;
            match overlay(&host) {
                Some(overlay) => json!(overlay.read_link(&path)?).into(),
                None => json!(host.read_link(&path)?).into(),
            }
        }
        Request::Real { path } => {
            let (host, path) = place(&path, "realpath")?;
            match overlay(&host) {
                Some(overlay) => path_value(Some(overlay.real(&path)?)),
                None => path_value(Some(host.real(&path)?)),
            }
        }
        Request::Touch { path, modified } => {
            let (host, path) = place(&path, "utime")?;
            match overlay(&host) {
                Some(overlay) => overlay.touch(&path, modified)?,
                None => host.touch(&path, modified)?,
            }
            return done();
        }
        Request::Chdir { path } => {
            let (host, path) = place(&path, "chdir")?;
            let kind = match overlay(&host) {
                Some(overlay) => overlay.stat(&path, true)?.kind,
                None => host.stat(&path, true)?.kind,
            };
            if kind != Kind::Directory {
                return Err(FsError::new(Code::NotDirectory, "chdir", path.shown()).into());
            }
            view.change("chdir", |tree, _| {
                tree.cwd = path.shown().clone();
                Ok(())
            })?;
            return done();
        }
        Request::Open { path, flags } => {
            let (host, path) = place(&path, "open")?;
            let slot = Slot::take(&view.files.open, path.shown())?;
            let file = match overlay(&host) {
                Some(overlay) => match overlay.open(&path, flags)? {
                    Opened::Host(file) => file,
                    Opened::Memory(id) => {
                        return keep(
                            context,
                            Handle {
                                path: path.shown().clone(),
                                flags,
                                place: Place::Memory { id, restored: view.restored() },
                            },
                        );
                    }
                },
                None => host.open(&path, flags)?,
            };
            let place = Place::Host { file: Arc::new(file), host, path: path.clone(), _slot: slot };
            keep(context, Handle { path: path.shown().clone(), flags, place })?
        }
        Request::Read { handle, .. }
        | Request::Write { handle, .. }
        | Request::Truncate { handle, .. }
        | Request::StatHandle { handle } => {
            let handle = context.resources.get::<Handle>(handle)?;
            check_flags(&handle, &request)?;
            let Place::Host { file, host, path, .. } = &handle.place else {
                return Err(OpError::type_error("no such handle"));
            };
            // What was opened under a grant is of no use without it.
            let still = mounts.iter().any(|mount| {
                let may = !handle.flags.write || mount.mode() == MountMode::ReadWrite;
                Arc::ptr_eq(&mount.dir, &host.dir) && may
            });
            if !still {
                let error = FsError::new(Code::Permission, "read", &handle.path);
                return Err(error.because("this call does not bring the mount that it was opened in").into());
            }
            match request {
                Request::Read { offset, length, .. } => {
                    let length = usize::try_from(length).unwrap_or(usize::MAX).min(PART);
                    OpValue::Bytes(host::read(file, path, offset, length)?)
                }
                Request::Write { offset, .. } => {
                    let offset = if handle.flags.append { None } else { offset };
                    host.write(file, path, offset, bytes)?;
                    return done();
                }
                Request::Truncate { length, .. } => {
                    host.truncate(file, path, length)?;
                    return done();
                }
                _ => host_value(host::stat_open(file, path)?),
            }
        }
    })
}
