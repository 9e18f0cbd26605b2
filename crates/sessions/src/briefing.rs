//! What whoever writes scripts for a table is told of it.

use std::sync::Arc;

/// What provisions have said of what there is ([`Library::tell`](crate::Library::tell)), in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Briefing(Arc<Vec<Topic>>);

#[derive(Clone, Debug)]
struct Topic {
    text: String,
    items: Vec<String>,
}

impl Briefing {
    pub(crate) fn add(&mut self, text: String, items: Vec<String>) {
        Arc::make_mut(&mut self.0).push(Topic { text, items });
    }

    /// A line for each, of at most so many characters in all: lists are cut where there is no room, and say how much more there is. What one does not need is for
    /// those behind it.
    pub(crate) fn lines(&self, most: usize) -> String {
        let mut text = String::new();
        let mut room = most;
        for (index, topic) in self.0.iter().enumerate() {
            let line = format!("- {}", topic.line((room / (self.0.len() - index)).saturating_sub(2)));
            let length = line.chars().count() + 1;
            if length > room {
                continue;
            }
            room -= length;
            text.push_str(&line);
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        text
    }
}

impl Topic {
    /// As much of it as there is room for, and the first item at least.
    fn line(&self, most: usize) -> String {
        /// Of `, … and 1000 more`.
        const MORE: usize = 20;
        let length = |text: &str| text.chars().count();
        let mut line = self.text.clone();
        let mut used = length(&line);
        for (index, item) in self.items.iter().enumerate() {
            let (before, left) = (if index == 0 { " " } else { ", " }, self.items.len() - index);
            let needed = before.len() + length(item) + if left > 1 { MORE } else { 0 };
            if index > 0 && used + needed > most {
                line.push_str(&format!(", … and {left} more"));
                break;
            }
            used += before.len() + length(item);
            line.push_str(before);
            line.push_str(item);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_too_long_says_how_much_more_there_is_and_leaves_room_for_what_follows() {
        let mut briefing = Briefing::default();
        briefing.add("Commands:".to_owned(), (0..100).map(|n| format!("command{n}")).collect());
        briefing.add("Folders:".to_owned(), vec!["/data".to_owned(), "/work".to_owned()]);
        let text = briefing.lines(200);
        assert_eq!(
            text,
            "- Commands: command0, command1, command2, command3, command4, command5, command6, … and 93 more\n- Folders: /data, /work"
        );
        assert!(briefing.lines(2000).chars().count() <= 2000);
        assert_eq!(briefing.lines(0), "");
    }
}
