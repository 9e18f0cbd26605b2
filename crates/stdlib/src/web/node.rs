//! Modules of Node.js: a shim where habits are strong. Each is a value of an area; who imports one gets a module that shows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use perennial_engine::{Area, Bound, OpTable, OpValue};
use serde_json::{Map, Value, json};

use crate::area;

/// The modules, and what each of them exports by name besides its default.
const MODULES: [(&str, &[&str]); 10] = [
    ("node:assert", ASSERT),
    ("node:buffer", BUFFER),
    ("node:events", EVENTS),
    ("node:fs/promises", FS),
    ("node:path", PATH),
    ("node:process", PROCESS),
    ("node:timers/promises", &["scheduler", "setImmediate", "setInterval", "setTimeout"]),
    ("node:url", URL),
    ("node:util", UTIL),
    ("node:assert/strict", ASSERT),
];
const ASSERT: &[&str] = &[
    "AssertionError",
    "CallTracker",
    "deepEqual",
    "deepStrictEqual",
    "doesNotMatch",
    "doesNotReject",
    "doesNotThrow",
    "equal",
    "fail",
    "ifError",
    "match",
    "notDeepEqual",
    "notDeepStrictEqual",
    "notEqual",
    "notStrictEqual",
    "ok",
    "partialDeepStrictEqual",
    "rejects",
    "strict",
    "strictEqual",
    "throws",
];
const BUFFER: &[&str] = &[
    "Blob",
    "Buffer",
    "File",
    "atob",
    "btoa",
    "constants",
    "isAscii",
    "isUtf8",
    "kMaxLength",
    "resolveObjectURL",
    "transcode",
];
const EVENTS: &[&str] = &[
    "EventEmitter",
    "addAbortListener",
    "defaultMaxListeners",
    "errorMonitor",
    "getEventListeners",
    "getMaxListeners",
    "listenerCount",
    "on",
    "once",
    "setMaxListeners",
];
const FS: &[&str] = &[
    "access",
    "appendFile",
    "chmod",
    "chown",
    "constants",
    "copyFile",
    "cp",
    "glob",
    "lchmod",
    "lchown",
    "link",
    "lstat",
    "lutimes",
    "mkdir",
    "mkdtemp",
    "open",
    "opendir",
    "readFile",
    "readdir",
    "readlink",
    "realpath",
    "rename",
    "rm",
    "rmdir",
    "stat",
    "statfs",
    "symlink",
    "truncate",
    "unlink",
    "utimes",
    "watch",
    "writeFile",
];
const PATH: &[&str] = &[
    "basename",
    "delimiter",
    "dirname",
    "extname",
    "format",
    "isAbsolute",
    "join",
    "matchesGlob",
    "normalize",
    "parse",
    "posix",
    "relative",
    "resolve",
    "sep",
    "toNamespacedPath",
    "win32",
];
const PROCESS: &[&str] = &[
    "abort",
    "arch",
    "argv",
    "argv0",
    "binding",
    "chdir",
    "cpuUsage",
    "cwd",
    "dlopen",
    "emit",
    "emitWarning",
    "env",
    "execArgv",
    "exit",
    "exitCode",
    "getuid",
    "hrtime",
    "kill",
    "memoryUsage",
    "nextTick",
    "off",
    "on",
    "once",
    "platform",
    "removeListener",
    "resourceUsage",
    "setUncaughtExceptionCaptureCallback",
    "stderr",
    "stdout",
    "umask",
    "uptime",
    "versions",
];
const URL: &[&str] = &[
    "URL",
    "URLPattern",
    "URLSearchParams",
    "Url",
    "domainToASCII",
    "domainToUnicode",
    "fileURLToPath",
    "fileURLToPathBuffer",
    "format",
    "parse",
    "pathToFileURL",
    "resolve",
    "resolveObject",
    "urlToHttpOptions",
];
const UTIL: &[&str] = &[
    "MIMEParams",
    "MIMEType",
    "TextDecoder",
    "TextEncoder",
    "aborted",
    "callbackify",
    "debug",
    "debuglog",
    "deprecate",
    "diff",
    "format",
    "formatWithOptions",
    "getCallSites",
    "getSystemErrorMap",
    "getSystemErrorName",
    "inherits",
    "inspect",
    "isArray",
    "isDeepStrictEqual",
    "parseArgs",
    "parseEnv",
    "promisify",
    "stripVTControlCharacters",
    "styleText",
    "toUSVString",
    "transferableAbortController",
    "transferableAbortSignal",
    "types",
];

/// Variables that scripts see as `process.env`, for `RunContext::with` or `TableConfig::env`. Scripts see no others, and change none.
///
/// ```
/// use perennial_stdlib::node::Environment;
/// let environment = Environment::new().with("TZ", "UTC");
/// assert_eq!(environment.get("TZ"), Some("UTC"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(Arc<BTreeMap<String, String>>);

impl Environment {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).insert(name.into(), value.into());
        self
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// The modules of the host that show the library's: names and sources, for `LoaderOptions::provided`.
pub fn modules() -> impl Iterator<Item = (String, Arc<str>)> {
    MODULES.iter().map(|(name, exports)| {
        let mut source = "const $library = import.meta.$library;\nexport default $library;\n".to_owned();
        for export in *exports {
            // Not declared under its own name: one may be a word of the language.
            source.push_str(&format!("const ${export} = $library.{export};\nexport {{ ${export} as {export} }};\n"));
        }
        ((*name).to_owned(), source.into())
    })
}

pub(crate) fn areas() -> Vec<Area> {
    area::each(&[
        &area::NODE_ASSERT,
        &area::NODE_BUFFER,
        &area::NODE_EQUAL,
        &area::NODE_EVENTS,
        &area::NODE_FS,
        &area::NODE_NUMBERS,
        &area::NODE_PATH,
        &area::NODE_PROCESS,
        &area::NODE_SHARED,
        &area::NODE_TIMERS,
        &area::NODE_URL,
        &area::NODE_UTIL,
    ])
}

pub(crate) fn ops() -> OpTable {
    OpTable::new()
        .sync("process_arch", Bound::SMALL, |_, _| {
            let arch = match std::env::consts::ARCH {
                "x86_64" => "x64",
                "aarch64" => "arm64",
                other => other,
            };
            Ok(json!(arch).into())
        })
        .sync("process_version", Bound::SMALL, |_, _| Ok(json!(env!("CARGO_PKG_VERSION")).into()))
        .sync("process_env", Bound::SMALL, |context, _| {
            let granted = context.extensions.get::<Environment>();
            let variables: Map<String, Value> =
                granted.iter().flat_map(|env| env.0.iter()).map(|(name, value)| (name.clone(), json!(value))).collect();
            Ok(OpValue::Json(Value::Object(variables)))
        })
}
