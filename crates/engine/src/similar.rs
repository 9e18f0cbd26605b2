//! Words that are like others.

/// Nothing is like a longer word.
const LONGEST: usize = 256;

/// ` (did you mean 'x'?)` if one of the known words is close to what was written, else nothing.
pub fn did_you_mean(word: &str, known: &[&str]) -> String {
    closest(word, known).map_or_else(String::new, |known| format!(" (did you mean '{known}'?)"))
}

/// The known word that is closest to what was written, if one is close.
pub(crate) fn closest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    if word.len() > LONGEST {
        return None;
    }
    let (distance, candidate) = known.iter().map(|candidate| (distance(word, candidate), *candidate)).min()?;
    (distance <= 2.max(word.chars().count() / 3)).then_some(candidate)
}

/// How many letters have to be changed, put in or left out.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.to_lowercase().chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for j in 0..b.len() {
            let changed = diagonal + usize::from(c != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn close_words_are_offered_and_others_are_not() {
        assert_eq!(did_you_mean("discription", &["name", "description"]), " (did you mean 'description'?)");
        assert_eq!(did_you_mean("toolz", &["tools"]), " (did you mean 'tools'?)");
        assert_eq!(did_you_mean("colour", &["name", "tools"]), "");
    }
}
