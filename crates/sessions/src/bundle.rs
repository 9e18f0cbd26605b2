use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use perennial_bundler::{Importer, PrepareError, Problem, is_typescript, prepare_entry_with};
use perennial_engine::Program;
use perennial_protocol::ScriptError;

use crate::cells::{Author, syntax_error};
use crate::modules::{BundleImports, ModuleAccess, script_error, session_modules};
use crate::preparer::LimitedPreparer;
use crate::provision::RunScope;
use crate::ready::Ready;

/// A module that is run again and again, with everything it imports as it was when this was made; see
/// [`crate::BrowserSession::run_module`]. Cheap to clone.
///
/// What it imports is compiled once per process. What it imports while it runs, with `import(…)`, is looked up then.
#[derive(Clone)]
pub struct CompiledBundle {
    name: String,
    program: Arc<Program>,
    imports: BundleImports,
    access: ModuleAccess,
}

impl CompiledBundle {
    /// Reads and parses the module at a path, which may be relative to where imports of scripts are, with everything it imports. Blocks.
    ///
    /// # Errors
    /// `syntax` or `permission` if a module does not parse or may not be read, `runtime` if one is not there.
    pub fn compile(access: &ModuleAccess, entry: impl AsRef<Path>) -> Result<Self, ScriptError> {
        let path = access.resolve(entry.as_ref());
        let (source, name) = access.read(&path)?;
        let preparer = LimitedPreparer::of_host();
        let entry = prepare_entry_with(&source, is_typescript(&path), &preparer).map_err(|error| match error {
            PrepareError::Source(error) => syntax_error(&error, &name, &source),
            PrepareError::Denied(denied) => preparer.error(&denied),
        })?;
        let directory: PathBuf = path.parent().unwrap_or(Path::new("/")).to_owned();
        let access = access.relative_to(directory.clone());
        let mut graphs = HashMap::new();
        for import in &entry.imports {
            let (specifier, kind) = (&import.specifier, &import.kind);
            let loaded = access.loader().load(Importer::Directory(&directory), specifier, kind.as_deref(), &preparer);
            let graph = loaded.map_err(|error| {
                let problem = Problem { range: import.range.clone(), message: error.to_string(), help: None };
                let ScriptError { kind, name: class, .. } = script_error(&error);
                syntax_error(&problem.into(), &name, &source).configure(|error| {
                    error.kind = kind;
                    error.name = class;
                })
            })?;
            if graph.modules.iter().any(|module| module.name == name) {
                let message = "what the entry imports imports the entry, which is evaluated anew for each run and so \
                               cannot be part of a cycle";
                let help = "move what both need into a module of its own".to_owned();
                let problem = Problem { range: import.range.clone(), message: message.to_owned(), help: Some(help) };
                return Err(syntax_error(&problem.into(), &name, &source));
            }
            graph.check(import).map_err(|error| syntax_error(&error, &name, &source))?;
            graphs.insert((specifier.clone(), kind.clone()), session_modules().graph(&graph));
        }
        let program = Program {
            text: entry.prepared.text.clone(),
            origin: Arc::new(Author(entry.prepared)),
            helper: Some(entry.helper),
            args: Some(entry.args),
            declares: [].into(),
            result_is_optional: false,
        };
        Ok(Self { name, program: Arc::new(program), imports: BundleImports(Arc::new(graphs)), access })
    }

    /// For a run.
    pub(crate) fn ready(&self) -> Ready {
        let (imports, access) = (Arc::new(self.imports.clone()), Arc::new(self.access.clone()));
        let brings = move |scope: &mut RunScope<'_>| {
            scope.lend(imports.clone());
            scope.provide_default(&access);
        };
        Ready { name: self.name.clone(), program: self.program.clone(), brings: Arc::new(brings) }
    }

    /// What positions call the entry.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many modules it imports, directly or not, before it begins.
    pub fn modules(&self) -> usize {
        let keys: std::collections::HashSet<&str> =
            self.imports.0.values().flat_map(|graph| graph.modules.iter().map(|module| &*module.key)).collect();
        keys.len()
    }
}

impl std::fmt::Debug for CompiledBundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompiledBundle")
            .field("name", &self.name)
            .field("modules", &self.modules())
            .finish_non_exhaustive()
    }
}
