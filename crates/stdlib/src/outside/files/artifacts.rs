//! What scripts produce for whoever calls them: an output folder of the host, or memory, under a budget.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use perennial_engine::{Area, Bound, Budget, OpContext, OpError, OpResult, OpTable, OpValue};
use serde_json::{Value, json};

use super::error::{Code, FsError};
use super::host::Host;
use super::mount::{Mount, MountError, MountMode, Place};
use super::path::VirtualPath;
use super::tree::Flags;
use super::volume::{Removal, Volume};
use crate::{area, text};

/// Files that one handle may have.
const MAX_FILES: usize = 10_000;
/// What a file counts besides its content, and a folder.
const FILE_COST: u64 = 100;
fn cost(name: &str) -> u64 {
    FILE_COST + name.len() as u64
}

/// Folders in folders, and the file in them.
const MAX_DEPTH: usize = 32;

/// An output folder that a run is lent ([`perennial_engine::Extensions`]; `RunContext::lend`): scripts have it as `artifacts` until the run
/// ends. Clones are the same folder.
///
/// A file is there as a whole or not at all. Scripts read, list and remove what was produced through the handle, and nothing that was in the
/// folder before; what is not theirs they replace when they write it. A run that is atomic undoes nothing here.
///
/// ```
/// use perennial_stdlib::files::Artifacts;
/// let artifacts = Artifacts::in_memory(1 << 20);
/// // A run to which it is lent writes: await artifacts.write("report.md", "# Report")
/// assert!(artifacts.list().is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Artifacts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// None: in memory.
    folder: Option<Host>,
    budget: u64,
    state: Mutex<Folder>,
}

#[derive(Debug, Default)]
struct Folder {
    files: BTreeMap<String, File>,
    /// Folders of the host that were made for them. They count as files do, and go when nothing is in them any more.
    folders: BTreeSet<VirtualPath>,
    used: u64,
}

/// An output folder in one run. What the run still writes when it is over is not kept.
#[derive(Debug)]
pub struct ArtifactsRun {
    artifacts: Artifacts,
    /// What the run wrote; `None` when it is over.
    produced: Mutex<Option<BTreeMap<String, u64>>>,
}

#[derive(Debug)]
struct File {
    size: u64,
    /// In memory only.
    content: Vec<u8>,
}

/// One file that was produced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its path in the folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

impl Artifacts {
    /// Files in a folder of the host, which has to be there, of at most `budget` bytes together.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn in_folder(folder: impl AsRef<Path>, budget: u64) -> Result<Self, MountError> {
        let mount = Mount::open(folder, "/artifacts", MountMode::ReadWrite)?;
        Ok(Self::new(Some(Host::new(&mount, budget)), budget))
    }

    /// Files in memory, of at most `budget` bytes together; [`Self::read`] gives them to the program.
    pub fn in_memory(budget: u64) -> Self {
        Self::new(None, budget)
    }

    fn new(folder: Option<Host>, budget: u64) -> Self {
        Self(Arc::new(Inner { folder, budget, state: Mutex::default() }))
    }

    /// What was produced, by name.
    pub fn list(&self) -> Vec<Artifact> {
        self.lock().files.iter().map(|(name, file)| Artifact { name: name.clone(), bytes: file.size }).collect()
    }

    /// The content of a file that was produced. Blocks where it is on a disk.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, FsError> {
        let path = path_of(name)?;
        let state = self.lock();
        let file = state.files.get(&name_of(&path)).ok_or_else(|| FsError::new(Code::NotFound, "read", &path))?;
        let Some(host) = &self.0.folder else { return Ok(file.content.clone()) };
        let size = file.size;
        drop(state);
        let place = place(&path);
        let file = host.open_file(&place, Flags { read: true, ..Flags::default() })?;
        // Somebody else may have made it larger.
        super::host::read(&file, &place, 0, usize::try_from(size).unwrap_or(usize::MAX))
    }

    /// For a run that begins.
    pub fn begin(&self) -> ArtifactsRun {
        ArtifactsRun { artifacts: self.clone(), produced: Mutex::new(Some(BTreeMap::new())) }
    }

    /// Makes the folders that a file is to be in.
    fn make_folders(&self, host: &Host, path: &VirtualPath) -> Result<(), FsError> {
        for count in 1..path.names().len() {
            let folder = path.first(count);
            let mut state = self.lock();
            if state.folders.contains(&folder) {
                continue;
            }
            let used = state.used + cost(&folder.to_string());
            if used > self.0.budget {
                return Err(FsError::quota("mkdir", &folder, "bytes of artifacts", self.0.budget, used));
            }
            match host.mkdir(&place(&folder), false) {
                Ok(_) => {
                    state.used = used;
                    state.folders.insert(folder);
                }
                // Somebody else's: what it is shows when something is put into it.
                Err(error) if error.code == Code::Exists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Removes the folders that were made for a file and have nothing in them.
    fn remove_folders(&self, host: &Host, path: &VirtualPath) {
        for count in (1..path.names().len()).rev() {
            let folder = path.first(count);
            let mut state = self.lock();
            if !state.folders.contains(&folder)
                || host.remove(&place(&folder), Removal::Folder, &Budget::default()).is_err()
            {
                return;
            }
            state.folders.remove(&folder);
            state.used -= cost(&folder.to_string());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Folder> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a file of this size may be written into, or why not.
    fn admit(&self, state: &Folder, path: &VirtualPath, name: &str, size: u64) -> Result<u64, FsError> {
        let before = state.files.get(name).map_or(0, |file| file.size + cost(name));
        let used = (state.used - before).saturating_add(size).saturating_add(cost(name));
        if used > self.0.budget {
            return Err(FsError::quota("write", path, "bytes of artifacts", self.0.budget, used));
        }
        if before == 0 && state.files.len() >= MAX_FILES {
            return Err(FsError::quota("write", path, "artifacts", MAX_FILES as u64, MAX_FILES as u64 + 1));
        }
        Ok(used)
    }
}

fn over(what: &'static str, path: &VirtualPath) -> FsError {
    FsError::new(Code::Permission, what, path).because("the run that this belongs to is over")
}

impl ArtifactsRun {
    /// Ends the run and tells what it produced.
    pub fn end(&self) -> Vec<Artifact> {
        let produced = self.produced().take().unwrap_or_default();
        produced.into_iter().map(|(name, bytes)| Artifact { name, bytes }).collect()
    }

    /// Held while a file gets its name, so that it is told of or not there.
    fn produced(&self) -> MutexGuard<'_, Option<BTreeMap<String, u64>>> {
        self.produced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, name: &str, bytes: Vec<u8>) -> Result<(), FsError> {
        let (path, size) = (path_of(name)?, bytes.len() as u64);
        let (name, artifacts) = (name_of(&path), &self.artifacts);
        artifacts.admit(&artifacts.lock(), &path, &name, size)?;
        let temporary = match &artifacts.0.folder {
            Some(host) => {
                let aside = artifacts.make_folders(host, &path).and_then(|()| write_aside(host, &path, &bytes));
                let aside = aside.inspect_err(|_| artifacts.remove_folders(host, &path))?;
                Some((host, aside))
            }
            None => None,
        };
        let mut produced = self.produced();
        let mut state = artifacts.lock();
        let kept = (|| {
            let Some(produced) = &mut *produced else { return Err(over("write", &path)) };
            // Others may have written meanwhile.
            let used = artifacts.admit(&state, &path, &name, size)?;
            if let Some((host, temporary)) = &temporary {
                // Nobody knows the other name.
                let named = |error: FsError| FsError { path: path.to_string(), dest: None, what: "write", ..error };
                host.rename(temporary, &place(&path)).map_err(named)?;
            }
            produced.insert(name.clone(), size);
            Ok(used)
        })();
        match kept {
            Ok(used) => {
                state.used = used;
                let content = if temporary.is_some() { Vec::new() } else { bytes };
                state.files.insert(name, File { size, content });
                Ok(())
            }
            Err(error) => {
                if let Some((host, temporary)) = temporary {
                    // It is gone, or nothing more can be done about it.
                    let _: Result<(), FsError> = host.remove(&temporary, Removal::File, &Budget::default());
                    drop(state);
                    artifacts.remove_folders(host, &path);
                }
                Err(error)
            }
        }
    }

    fn remove(&self, name: &str) -> Result<(), FsError> {
        let path = path_of(name)?;
        let (name, artifacts) = (name_of(&path), &self.artifacts);
        let mut produced = self.produced();
        let Some(produced) = &mut *produced else { return Err(over("unlink", &path)) };
        let mut state = artifacts.lock();
        let Some(size) = state.files.get(&name).map(|file| file.size) else {
            return Err(FsError::new(Code::NotFound, "unlink", &path));
        };
        if let Some(host) = &artifacts.0.folder {
            match host.remove(&place(&path), Removal::File, &Budget::default()) {
                // Somebody else was faster.
                Err(error) if error.code == Code::NotFound => {}
                done => done?,
            }
        }
        state.used -= size + cost(&name);
        state.files.remove(&name);
        produced.remove(&name);
        drop(state);
        if let Some(host) = &artifacts.0.folder {
            artifacts.remove_folders(host, &path);
        }
        Ok(())
    }
}

fn path_of(name: &str) -> Result<VirtualPath, FsError> {
    let path = VirtualPath::parse(&VirtualPath::default(), name)?;
    if path.names().len() > MAX_DEPTH {
        return Err(
            FsError::new(Code::NameTooLong, "open", &path).because(format!("it has more than {MAX_DEPTH} levels"))
        );
    }
    if name.split('/').any(|part| part == "..") || path.names().is_empty() {
        return Err(
            FsError::new(Code::Invalid, "open", name).because("a name in the output folder is wanted, without `..`")
        );
    }
    Ok(path)
}

fn name_of(path: &VirtualPath) -> String {
    path.to_string()[1..].to_owned()
}

fn place(path: &VirtualPath) -> Place {
    Place::new(path.names().iter().map(|name| &**name).collect(), path.clone())
}

/// Writes a file under a name that nobody knows, in the folder where it will be.
fn write_aside(host: &Host, path: &VirtualPath, bytes: &[u8]) -> Result<Place, FsError> {
    let folder = path.parent();
    let mut random = [0; 8];
    let _ = getrandom::fill(&mut random);
    let temporary = place(&folder.join(&format!(".{:016x}.part", u64::from_ne_bytes(random))));
    let file = host.open_file(&temporary, Flags { write: true, create: true, exclusive: true, ..Flags::default() })?;
    let shown = place(path);
    match host.write(&file, &shown, Some(0), bytes) {
        Ok(()) => Ok(temporary),
        Err(error) => {
            let _: Result<(), FsError> = host.remove(&temporary, Removal::File, &Budget::default());
            Err(error)
        }
    }
}

fn lent(context: &OpContext) -> Result<Arc<ArtifactsRun>, OpError> {
    context
        .lent
        .get::<ArtifactsRun>()
        .ok_or_else(|| OpError::permission("producing artifacts", "an output folder that the call lends"))
}

async fn blocking(work: impl FnOnce() -> OpResult + Send + 'static) -> OpResult {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(OpError::new("Error", "an operation on the output folder failed")))
}

/// What scripts reach an output folder by.
pub fn artifact_areas() -> Vec<Area> {
    area::each(&[&area::ARTIFACTS])
}

/// The ops behind them.
pub fn artifact_ops() -> OpTable {
    OpTable::new()
        .asynchronous("artifact_write", Bound::bytes(65 << 20), |context, mut args| {
            Box::pin(async move {
                let run = lent(&context)?;
                let bytes = match args.pop() {
                    Some(OpValue::Bytes(bytes)) => bytes,
                    _ => return Err(OpError::type_error("bytes are wanted")),
                };
                let name = text(&args, 0)?.to_owned();
                blocking(move || {
                    run.write(&name, bytes)?;
                    Ok(OpValue::Undefined)
                })
                .await
            })
        })
        .asynchronous("artifact_read", Bound::SMALL, |context, args| {
            Box::pin(async move {
                let run = lent(&context)?;
                let name = text(&args, 0)?.to_owned();
                blocking(move || Ok(OpValue::Bytes(run.artifacts.read(&name)?))).await
            })
        })
        .asynchronous("artifact_remove", Bound::SMALL, |context, args| {
            Box::pin(async move {
                let run = lent(&context)?;
                let name = text(&args, 0)?.to_owned();
                blocking(move || {
                    run.remove(&name)?;
                    Ok(OpValue::Undefined)
                })
                .await
            })
        })
        .sync("artifact_list", Bound::SMALL, |context, _| {
            let run = lent(context)?;
            let list = run.artifacts.list().into_iter().map(|file| json!({"name": file.name, "bytes": file.bytes}));
            Ok(list.collect::<Value>().into())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_budget_or_from_an_earlier_run_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        for artifacts in [Artifacts::in_memory(700), Artifacts::in_folder(folder.path(), 700).expect("it is there")] {
            let run = artifacts.begin();
            run.write("a/one.txt", vec![1; 200]).expect("it fits");
            let error = run.write("b/c/two", vec![2; 301]).expect_err("it does not");
            assert_eq!(error.quota.map(|(limit, _)| limit), Some(700));
            run.write("a/one.txt", vec![3; 300]).expect("it takes the place of the first");
            assert_eq!(run.end(), [Artifact { name: "a/one.txt".to_owned(), bytes: 300 }]);
            assert!(run.write("late", vec![]).is_err_and(|error| error.code == Code::Permission));
            assert_eq!(artifacts.read("a/one.txt").expect("it is there"), [3; 300]);
            let run = artifacts.begin();
            run.remove("a/one.txt").expect("it is there");
            assert_eq!(artifacts.lock().used, 0);
            run.write("b", vec![4; 599]).expect("there is room again");
            for bad in ["", "/", "../x", "a/../../x", ".", &"x/".repeat(33)] {
                assert!(run.write(bad, vec![]).is_err(), "{bad}");
            }
            assert_eq!(artifacts.list().len(), 1);
        }
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).expect("it is there").flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left, ["b"], "no folder and nothing that was aside");
    }

    #[test]
    fn what_was_in_the_folder_before_is_not_read_and_links_are_not_followed() {
        let (folder, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        std::fs::write(folder.path().join("before"), "x").expect("it is written");
        std::fs::write(outside.path().join("secret"), "x").expect("it is written");
        std::os::unix::fs::symlink(outside.path().join("secret"), folder.path().join("link")).expect("it is linked");
        std::os::unix::fs::symlink(outside.path(), folder.path().join("dir")).expect("it is linked");
        let artifacts = Artifacts::in_folder(folder.path(), 5000).expect("it is there");
        let run = artifacts.begin();
        assert!(artifacts.read("before").is_err() && run.remove("before").is_err());
        run.write("link", b"new".to_vec()).expect("the link is replaced");
        assert_eq!(std::fs::read(outside.path().join("secret")).expect("it is there"), b"x");
        assert!(run.write("dir/file", vec![]).is_err(), "a folder that leads out");
        assert_eq!(std::fs::read_dir(outside.path()).expect("it is there").count(), 1);
    }
}
