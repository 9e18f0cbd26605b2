//! The worst of what bytes make, found by mutation.

/// Those that the search goes on from.
const KEPT: usize = 24;
const LONGEST: usize = 40;

#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) bytes: Vec<u8>,
    /// More is worse.
    pub(crate) cost: f64,
}

/// The worst that were seen, worst first.
#[derive(Default)]
pub(crate) struct Worst(Vec<Candidate>);

impl Worst {
    /// Bytes that are new: made at random, or out of the worst.
    pub(crate) fn next(&self, random: &mut fastrand::Rng) -> Vec<u8> {
        if self.0.len() < KEPT || random.u8(..) < 60 {
            let length = random.usize(4..LONGEST);
            return std::iter::repeat_with(|| random.u8(..)).take(length).collect();
        }
        let mut bytes = self.0[random.usize(..self.0.len())].bytes.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..bytes.len());
            match random.u8(..5) {
                0 | 1 => bytes[at] = random.u8(..),
                2 => bytes.insert(at, random.u8(..)),
                3 if bytes.len() > 4 => drop(bytes.remove(at)),
                3 => {}
                _ => {
                    let other = &self.0[random.usize(..self.0.len())].bytes;
                    bytes.truncate(at.max(1));
                    bytes.extend(&other[at.min(other.len())..]);
                }
            }
        }
        bytes.truncate(LONGEST);
        bytes
    }

    pub(crate) fn seen(&mut self, candidate: Candidate) {
        let at = self.0.partition_point(|other| other.cost >= candidate.cost);
        if self.0.get(at.wrapping_sub(1)).is_none_or(|same| same.bytes != candidate.bytes) {
            self.0.insert(at, candidate);
            self.0.truncate(KEPT);
        }
    }

    pub(crate) fn worst(&self) -> Option<&Candidate> {
        self.0.first()
    }

    pub(crate) fn all(&self) -> &[Candidate] {
        &self.0
    }
}

/// How the report shows a text.
pub(crate) fn head(text: &str) -> String {
    let shown: String = text.chars().take(48).collect();
    format!("{shown:?}")
}
