//! Changes to a source text that keep every line where it is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::text::is_line_break;

/// Where pieces of a prepared text stand in the author's source.
///
/// Lines are the same in both; columns differ where something was put in. Offsets are UTF-8 bytes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct PositionMap {
    /// Ascending by `prepared`.
    anchors: Vec<Anchor>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
struct Anchor {
    prepared: u32,
    original: u32,
    /// What begins here was put in: all of it belongs to the one place in the source.
    put_in: bool,
}

impl PositionMap {
    /// The offset in the source that an offset in the prepared text comes from. What was put in comes from the place it stands for.
    pub fn original(&self, prepared: usize) -> usize {
        let index = self.anchors.partition_point(|anchor| anchor.prepared as usize <= prepared);
        match index.checked_sub(1).map(|index| self.anchors[index]) {
            None => prepared,
            Some(anchor) if anchor.put_in => anchor.original as usize,
            Some(anchor) => anchor.original as usize + (prepared - anchor.prepared as usize),
        }
    }

    /// The map of a text in front of which `length` bytes were put.
    pub(crate) fn behind(mut self, length: usize) -> Self {
        let length = length as u32;
        self.anchors.iter_mut().for_each(|anchor| anchor.prepared += length);
        let front = [(0, true), (length, false)].map(|(prepared, put_in)| Anchor { prepared, original: 0, put_in });
        self.anchors.splice(0..0, front);
        self
    }

    /// The map of a text into which so many bytes more were put at each of some ascending offsets, as part of what was put in there before.
    pub(crate) fn grown(&mut self, places: impl Iterator<Item = (usize, usize)>) {
        let mut places = places.peekable();
        let mut more = 0;
        for anchor in &mut self.anchors {
            while let Some((_, length)) = places.next_if(|(at, _)| *at <= anchor.prepared as usize) {
                more += length as u32;
            }
            anchor.prepared += more;
        }
    }

    /// Where what was put in for an offset of the source begins in the prepared text.
    pub(crate) fn put_in(&self) -> HashMap<usize, usize> {
        let put_in = self.anchors.iter().rev().filter(|anchor| anchor.put_in);
        put_in.map(|anchor| (anchor.original as usize, anchor.prepared as usize)).collect()
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.anchors.len() * size_of::<Anchor>()
    }
}

/// Edits of one source, in any order. They may not overlap, except that what lies within an erased range is ignored.
pub(crate) struct Edits<'s> {
    source: &'s str,
    edits: Vec<Edit>,
}

struct Edit {
    range: Range<usize>,
    with: With,
    rank: Rank,
    /// What errors in the text that was put in are errors of.
    origin: usize,
}

/// The order of what is put in at one place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    CloseInner,
    Close,
    Between,
    Open,
    Change,
}

enum With {
    /// Spaces, with the line breaks kept.
    Blank,
    Text(Cow<'static, str>),
}

impl<'s> Edits<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        Self { source, edits: Vec::new() }
    }

    pub(crate) fn source(&self) -> &'s str {
        self.source
    }

    /// Puts in what opens something.
    pub(crate) fn open(&mut self, at: usize, text: impl Into<Cow<'static, str>>) {
        self.push(at..at, With::Text(text.into()), Rank::Open, at);
    }

    /// Puts in what closes something; of several at one place the first closes the innermost.
    pub(crate) fn close(&mut self, at: usize, text: impl Into<Cow<'static, str>>) {
        self.push(at..at, With::Text(text.into()), Rank::Close, at);
    }

    /// As [`Self::close`], inside of everything that others close here.
    pub(crate) fn close_inner(&mut self, at: usize, text: impl Into<Cow<'static, str>>) {
        self.push(at..at, With::Text(text.into()), Rank::CloseInner, at);
    }

    /// Puts in what stands between statements. Errors in it are errors of the text at `origin`.
    pub(crate) fn between(&mut self, at: usize, origin: usize, text: impl Into<Cow<'static, str>>) {
        self.push(at..at, With::Text(text.into()), Rank::Between, origin);
    }

    fn push(&mut self, range: Range<usize>, with: With, rank: Rank, origin: usize) {
        self.edits.push(Edit { range, with, rank, origin });
    }

    /// Replaces a range by a text without line breaks; those of the range stay behind it.
    pub(crate) fn replace(&mut self, range: Range<usize>, text: impl Into<Cow<'static, str>>) {
        let origin = range.start;
        self.push(range, With::Text(text.into()), Rank::Change, origin);
    }

    /// Adds another's edits behind these.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.edits.append(&mut other.edits);
    }

    /// Turns a range into spaces.
    pub(crate) fn blank(&mut self, range: Range<usize>) {
        if range.start < range.end {
            let origin = range.start;
            self.push(range, With::Blank, Rank::Change, origin);
        }
    }

    /// Turns a range into spaces that end the statement before it: a statement that is gone must not let its neighbours grow together.
    pub(crate) fn blank_statement(&mut self, range: Range<usize>) {
        let Some(first) = self.source[range.clone()].chars().next() else { return };
        // As wide as what it replaces.
        let sign = format!(";{}", " ".repeat(first.len_utf8() - 1));
        self.replace(range.start..range.start + first.len_utf8(), sign);
        self.blank(range.start + first.len_utf8()..range.end);
    }

    /// The edited text.
    pub(crate) fn finish(mut self) -> (String, PositionMap) {
        // Stable: within a rank, what is put in at one place stays in the order it was asked for.
        self.edits.sort_by_key(|edit| (edit.range.start, edit.rank));
        let mut text = String::with_capacity(self.source.len() + 16 * self.edits.len());
        let mut map = PositionMap::default();
        let mut at = 0;
        for Edit { range, with, origin, .. } in &self.edits {
            if range.start < at {
                continue;
            }
            text.push_str(&self.source[at..range.start]);
            let replaced = &self.source[range.clone()];
            match with {
                With::Blank => push_blank(&mut text, replaced),
                With::Text(with) => {
                    map.anchors.push(Anchor { prepared: text.len() as u32, original: *origin as u32, put_in: true });
                    text.push_str(with);
                    text.extend(replaced.chars().filter(|c| is_line_break(*c)));
                    map.anchors.push(Anchor { prepared: text.len() as u32, original: range.end as u32, put_in: false });
                }
            }
            at = range.end;
        }
        text.push_str(&self.source[at..]);
        (text, map)
    }
}

/// One space for each byte, so that the columns behind stay what they are.
fn push_blank(text: &mut String, replaced: &str) {
    for c in replaced.chars() {
        if is_line_break(c) {
            text.push(c);
        } else {
            text.extend(std::iter::repeat_n(' ', c.len_utf8()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_behind_an_edit_is_found_where_it_was() {
        let source = "let a = 1;\nlet b: é\n = a;";
        let mut edits = Edits::new(source);
        edits.replace(0..3, "put({");
        let colon = source.find(':').expect("there is one");
        edits.blank(colon..source.find(" =\u{20}a").expect("there"));
        let (text, map) = edits.finish();
        assert_eq!(text, "put({ a = 1;\nlet b    \n = a;");
        for needle in ["a = 1", "let b", "= a"] {
            let (prepared, original) = (text.find(needle).expect("kept"), source.find(needle).expect("there"));
            assert_eq!(map.original(prepared), original, "{needle}");
        }
        assert_eq!(map.original(2), 0, "what was put in belongs to where it was put");
    }

    #[test]
    fn what_lies_within_a_blank_is_ignored() {
        let mut edits = Edits::new("abcdef");
        edits.blank(1..5);
        edits.open(3, "x");
        assert_eq!(edits.finish().0, "a    f");
    }
}
