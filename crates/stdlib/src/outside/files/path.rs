//! Paths as scripts write them. They are resolved by their text alone, before anything is looked at: `a/link/..` is `a`.

use super::error::{Code, FsError};

/// Bytes of a whole path, and of one name, as on Linux.
const MAX_PATH: usize = 4096;
const MAX_NAME: usize = 255;
/// Bytes of what a script writes for a path.
const MAX_TEXT: usize = 64 << 10;

/// An absolute path without `.`, `..` and empty names; the root has no names at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VirtualPath(Vec<Box<str>>);

impl VirtualPath {
    /// Reads a path that is relative to `base` unless it begins with `/`. Going up from the root stays there.
    ///
    /// # Errors
    /// If it is empty, too long or has a zero byte.
    pub fn parse(base: &Self, text: &str) -> Result<Self, FsError> {
        let wrong = |code| Err(FsError::new(code, "resolve", text));
        if text.is_empty() {
            return wrong(Code::NotFound);
        }
        // However many names are taken back.
        if text.len() > MAX_TEXT {
            return Err(FsError::new(Code::NameTooLong, "resolve", &text[..text.floor_char_boundary(MAX_NAME)]));
        }
        if text.contains('\0') {
            return wrong(Code::Invalid);
        }
        let mut names = if text.starts_with('/') { Vec::new() } else { base.0.clone() };
        for name in text.split('/') {
            match name {
                "" | "." => {}
                ".." => _ = names.pop(),
                _ if name.len() > MAX_NAME => return wrong(Code::NameTooLong),
                _ => names.push(name.into()),
            }
        }
        let path = Self(names);
        if path.is_too_long() { wrong(Code::NameTooLong) } else { Ok(path) }
    }

    fn is_too_long(&self) -> bool {
        self.0.iter().map(|name| name.len() + 1).sum::<usize>() > MAX_PATH
    }

    /// The path with more names behind it.
    ///
    /// # Errors
    /// If that is too long.
    pub(crate) fn with_names(mut self, names: &[Box<str>]) -> Result<Self, FsError> {
        self.0.extend_from_slice(names);
        if self.is_too_long() { Err(FsError::new(Code::NameTooLong, "resolve", self.first(1))) } else { Ok(self) }
    }

    /// The names from the root down.
    pub fn names(&self) -> &[Box<str>] {
        &self.0
    }

    /// The last name; none of the root.
    pub fn name(&self) -> Option<&str> {
        self.0.last().map(|name| &**name)
    }

    /// The folder it is in; the root is in itself.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self(self.0.iter().take(self.0.len().saturating_sub(1)).cloned().collect())
    }

    /// What of this path is below `folder`; nothing of the folder itself.
    pub fn below(&self, folder: &Self) -> Option<&[Box<str>]> {
        self.0.strip_prefix(folder.0.as_slice())
    }

    pub(crate) fn first(&self, count: usize) -> Self {
        Self(self.0[..count.min(self.0.len())].to_vec())
    }

    pub(crate) fn join(&self, name: &str) -> Self {
        let mut names = self.0.clone();
        names.push(name.into());
        Self(names)
    }
}

impl std::fmt::Display for VirtualPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|name| write!(f, "/{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(base: &str, text: &str) -> String {
        let base = VirtualPath::parse(&VirtualPath::default(), base).expect("a base");
        VirtualPath::parse(&base, text).map_or_else(|error| error.code.as_str().to_owned(), |path| path.to_string())
    }

    #[test]
    fn paths_are_resolved_by_their_text_and_never_leave_the_root() {
        assert_eq!(parsed("/a/b", "c"), "/a/b/c");
        assert_eq!(parsed("/a/b", "/c//d/."), "/c/d");
        assert_eq!(parsed("/a/b", "../../../../x"), "/x");
        assert_eq!(parsed("/a", ".."), "/");
        assert_eq!(parsed("/", "e\u{301}/\u{e9}"), "/e\u{301}/\u{e9}");
        assert_eq!(parsed("/", ""), "ENOENT");
        assert_eq!(parsed("/", "a\0b"), "EINVAL");
        assert_eq!(parsed("/", &"x".repeat(256)), "ENAMETOOLONG");
        assert_eq!(parsed("/", &"x/".repeat(2049)), "ENAMETOOLONG");
    }
}
