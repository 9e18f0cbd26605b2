//! Errors of files, in the shape that scripts know from Node: `ENOENT: no such file or directory, open '/x'`.

use perennial_engine::OpError;
use serde_json::json;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A handle that is closed, or not open for this, or whose file is gone.
    BadHandle,
    /// The root of a mount, or a folder that one is in.
    Busy,
    /// The script was stopped meanwhile.
    Canceled,
    /// From one mount to another.
    CrossDevice,
    /// It is there already.
    Exists,
    /// Reading or writing failed below.
    Input,
    /// Wrong arguments.
    Invalid,
    /// A folder where a file is wanted.
    IsDirectory,
    /// Too many symbolic links, or one that may not be followed.
    Loop,
    /// A name or path that is too long.
    NameTooLong,
    /// It is not there.
    NotFound,
    /// A file where a folder is wanted.
    NotDirectory,
    /// A folder that has something in it.
    NotEmpty,
    /// What this kind of file system does not do.
    NotSupported,
    /// The disk is full.
    NoSpace,
    /// The host's own permissions refuse it, or nobody granted it.
    Permission,
    /// Too large to be read at once.
    TooLarge,
    /// Too many files of the host are open.
    TooManyOpen,
}

impl Code {
    /// As in Node.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadHandle => "EBADF",
            Self::Busy => "EBUSY",
            Self::Canceled => "ECANCELED",
            Self::CrossDevice => "EXDEV",
            Self::Exists => "EEXIST",
            Self::Input => "EIO",
            Self::Invalid => "EINVAL",
            Self::IsDirectory => "EISDIR",
            Self::Loop => "ELOOP",
            Self::NameTooLong => "ENAMETOOLONG",
            Self::NotFound => "ENOENT",
            Self::NotDirectory => "ENOTDIR",
            Self::NotEmpty => "ENOTEMPTY",
            Self::NotSupported => "ENOTSUP",
            Self::NoSpace => "ENOSPC",
            Self::Permission => "EACCES",
            Self::TooLarge => "EFBIG",
            Self::TooManyOpen => "EMFILE",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::BadHandle => "bad file descriptor",
            Self::Busy => "resource busy or locked",
            Self::Canceled => "operation canceled",
            Self::CrossDevice => "cross-device link not permitted",
            Self::Exists => "file already exists",
            Self::Input => "i/o error",
            Self::Invalid => "invalid argument",
            Self::IsDirectory => "illegal operation on a directory",
            Self::Loop => "too many symbolic links encountered",
            Self::NameTooLong => "name too long",
            Self::NotFound => "no such file or directory",
            Self::NotDirectory => "not a directory",
            Self::NotEmpty => "directory not empty",
            Self::NotSupported => "operation not supported",
            Self::NoSpace => "no space left on device",
            Self::Permission => "permission denied",
            Self::TooLarge => "file too large",
            Self::TooManyOpen => "too many open files",
        }
    }
}

/// Why an operation on files failed; nothing has changed then, unless it says so.
#[derive(Clone, Debug, PartialEq)]
pub struct FsError {
    /// What went wrong.
    pub code: Code,
    /// What was done: `open`, `rename`.
    pub what: &'static str,
    /// To what.
    pub path: String,
    /// Where to, of what has two paths.
    pub dest: Option<String>,
    /// What the code does not say.
    pub why: Option<String>,
    /// What a quota allows and what there would have been.
    pub quota: Option<(u64, u64)>,
}

impl FsError {
    pub(crate) fn new(code: Code, what: &'static str, path: impl ToString) -> Self {
        Self { code, what, path: path.to_string(), dest: None, why: None, quota: None }
    }

    pub(crate) fn because(self, why: impl Into<String>) -> Self {
        Self { why: Some(why.into()), ..self }
    }

    pub(crate) fn to(self, dest: impl ToString) -> Self {
        Self { dest: Some(dest.to_string()), ..self }
    }

    pub(crate) fn quota(what: &'static str, path: impl ToString, thing: &str, limit: u64, used: u64) -> Self {
        let why = format!("{thing}: {limit} allowed, {used} wanted; remove something first");
        Self::no_space(what, path, limit, used).because(why)
    }

    /// The same where removing something is not what helps.
    pub(crate) fn no_space(what: &'static str, path: impl ToString, limit: u64, used: u64) -> Self {
        Self { quota: Some((limit, used)), ..Self::new(Code::NoSpace, what, path) }
    }
}

impl std::fmt::Display for FsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}, {} '{}'", self.code.as_str(), self.code.text(), self.what, self.path)?;
        if let Some(dest) = &self.dest {
            write!(f, " -> '{dest}'")?;
        }
        self.why.as_ref().map_or(Ok(()), |why| write!(f, " ({why})"))
    }
}

impl std::error::Error for FsError {}

impl From<FsError> for OpError {
    fn from(error: FsError) -> Self {
        let class = match error.code {
            Code::Permission => "PermissionError",
            _ if error.quota.is_some() => "QuotaExceededError",
            _ => "Error",
        };
        let mut op_error = Self::new(class, error.to_string())
            .with("code", json!(error.code.as_str()))
            .with("syscall", json!(error.what))
            .with("path", json!(error.path));
        if let Some(dest) = &error.dest {
            op_error = op_error.with("dest", json!(dest));
        }
        op_error.numbers = error.quota;
        op_error
    }
}
