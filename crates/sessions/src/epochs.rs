/// Generations of outside resources, each by the name of what has it: a call's is that of the empty name. A VM has seen those of its runs, and a run
/// without any changes none.
#[derive(Debug, Default)]
pub(crate) struct Epochs(Vec<(&'static str, u64)>);

impl Epochs {
    pub(crate) fn of_call(epoch: Option<u64>) -> Self {
        Self(epoch.map(|epoch| ("", epoch)).into_iter().collect())
    }

    pub(crate) fn add(&mut self, name: &'static str, epoch: u64) {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, epoch));
    }

    /// Whether a run brings another one than these.
    pub(crate) fn differ(&self, brought: &Self) -> bool {
        let other = |(name, epoch): &(&str, u64)| self.0.iter().any(|(known, seen)| known == name && seen != epoch);
        brought.0.iter().any(other)
    }

    /// A run has begun with these, on the VM of the runs before or on a new one.
    pub(crate) fn see(&mut self, brought: Self, is_same_vm: bool) {
        if !is_same_vm {
            *self = brought;
            return;
        }
        for (name, epoch) in brought.0 {
            self.add(name, epoch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_epoch_that_was_seen_and_is_another_one_differs() {
        let mut seen = Epochs::default();
        let (none, one, two) = (Epochs::of_call(None), || Epochs::of_call(Some(1)), || Epochs::of_call(Some(2)));
        assert!(!seen.differ(&one()));
        seen.see(one(), true);
        assert!(!seen.differ(&one()) && !seen.differ(&none) && seen.differ(&two()));
        let mut page = Epochs::of_call(None);
        page.add("page", 7);
        assert!(!seen.differ(&page));
        seen.see(page, true);
        assert!(!seen.differ(&one()) && seen.differ(&two()));
        seen.see(none, false);
        assert!(!seen.differ(&two()), "a new VM has seen nothing");
    }
}
