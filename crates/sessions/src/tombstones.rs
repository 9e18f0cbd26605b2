use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use perennial_protocol::EndReason;

/// How long a session's end is remembered.
const KEPT_FOR: Duration = Duration::from_secs(10 * 60);
/// How many ends are remembered; beyond it the oldest are forgotten.
const MOST: usize = 10_000;

/// The names of sessions that ended, and why.
#[derive(Debug, Default)]
pub(crate) struct Tombstones {
    by_name: HashMap<String, (EndReason, Instant)>,
    /// Oldest first; a name that was used again has left `by_name` or stands there with a later time.
    order: VecDeque<(Instant, String)>,
}

impl Tombstones {
    pub(crate) fn add(&mut self, name: String, reason: EndReason, now: Instant) {
        while self.order.front().is_some_and(|(at, _)| *at + KEPT_FOR <= now) || self.order.len() >= MOST {
            let Some((at, name)) = self.order.pop_front() else { break };
            if self.by_name.get(&name).is_some_and(|(_, known)| *known == at) {
                self.by_name.remove(&name);
            }
        }
        if self.by_name.capacity() > 64 && self.by_name.len() < self.by_name.capacity() / 4 {
            self.by_name.shrink_to_fit();
            self.order.shrink_to_fit();
        }
        self.by_name.insert(name.clone(), (reason, now));
        self.order.push_back((now, name));
    }

    /// Why the last session of this name ended; forgotten once asked.
    pub(crate) fn take(&mut self, name: &str, now: Instant) -> Option<EndReason> {
        let (reason, at) = self.by_name.remove(name)?;
        (at + KEPT_FOR > now).then_some(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_forgotten_after_ten_minutes_or_ten_thousand_others() {
        let mut stones = Tombstones::default();
        let start = Instant::now();
        stones.add("a".to_owned(), EndReason::Idle, start);
        assert_eq!(stones.take("a", start + Duration::from_secs(599)), Some(EndReason::Idle));
        assert_eq!(stones.take("a", start), None, "it is said once");
        stones.add("b".to_owned(), EndReason::Removed, start);
        assert_eq!(stones.take("b", start + KEPT_FOR), None);
        for i in 0..=MOST {
            stones.add(format!("n{i}"), EndReason::Idle, start);
        }
        assert_eq!(stones.take("n0", start), None);
        assert_eq!(stones.take("n1", start), Some(EndReason::Idle));
        assert!(stones.order.len() <= MOST);
    }
}
