use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use perennial_protocol::EndReason;

/// How long a session's end is remembered.
const KEPT_FOR: Duration = Duration::from_secs(10 * 60);
/// How many ends are remembered; beyond it the oldest are forgotten.
const MOST: usize = 10_000;

/// The names of sessions that ended, and why.
#[derive(Debug)]
pub(crate) struct Tombstones {
    most: usize,
    by_name: HashMap<String, (EndReason, Instant, SystemTime)>,
    /// Oldest first; a name whose next session has ended too stands in `by_name` with a later time.
    order: VecDeque<(Instant, String)>,
}

impl Tombstones {
    /// So many at the most.
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.clamp(1, MOST), by_name: HashMap::new(), order: VecDeque::new() }
    }

    pub(crate) fn add(&mut self, name: String, reason: EndReason, (now, wall): (Instant, SystemTime)) {
        self.forget(now, self.most);
        self.by_name.insert(name.clone(), (reason, now, wall));
        self.order.push_back((now, name));
    }

    /// Forgets what is too old, and more until there is room for one more.
    fn forget(&mut self, now: Instant, most: usize) {
        while self.order.front().is_some_and(|(at, _)| *at + KEPT_FOR <= now) || self.order.len() >= most {
            let Some((at, name)) = self.order.pop_front() else { break };
            if self.by_name.get(&name).is_some_and(|(_, known, _)| *known == at) {
                self.by_name.remove(&name);
            }
        }
        if self.by_name.capacity() > 64 && self.by_name.len() < self.by_name.capacity() / 4 {
            self.by_name.shrink_to_fit();
            self.order.shrink_to_fit();
        }
    }

    /// Why and when the last session of this name ended.
    pub(crate) fn get(&self, name: &str, now: Instant) -> Option<(EndReason, SystemTime)> {
        let (reason, at, wall) = *self.by_name.get(name)?;
        (at + KEPT_FOR > now).then_some((reason, wall))
    }

    /// Whether no end is remembered any more.
    pub(crate) fn is_empty(&mut self, now: Instant) -> bool {
        self.forget(now, usize::MAX);
        self.by_name.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_forgotten_after_ten_minutes_or_ten_thousand_others_however_often_they_are_asked_for() {
        let mut stones = Tombstones::new(MOST);
        let (start, wall) = (Instant::now(), SystemTime::UNIX_EPOCH);
        stones.add("a".to_owned(), EndReason::Idle, (start, wall));
        for _ in 0..3 {
            assert_eq!(stones.get("a", start + Duration::from_secs(599)), Some((EndReason::Idle, wall)));
        }
        assert_eq!(stones.get("a", start + KEPT_FOR), None);
        stones.add("a".to_owned(), EndReason::Removed, (start + Duration::from_secs(1), wall));
        assert_eq!(stones.get("a", start + KEPT_FOR), Some((EndReason::Removed, wall)), "the last one counts");
        assert!(!stones.is_empty(start + KEPT_FOR));
        assert!(stones.is_empty(start + KEPT_FOR + Duration::from_secs(1)));
        for i in 0..=MOST {
            stones.add(format!("n{i}"), EndReason::Idle, (start, wall));
        }
        assert_eq!(stones.get("n0", start), None);
        assert_eq!(stones.get("n1", start), Some((EndReason::Idle, wall)));
        assert!(stones.order.len() <= MOST);
    }
}
