//! Keys of a keyboard of the United States, as `KeyboardEvent` names them (UI Events KeyboardEvent key and code values).

/// What a key sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) key: String,
    pub(crate) code: String,
    /// The legacy code of it.
    pub(crate) number: u32,
    /// What it types.
    pub(crate) text: String,
    /// It was named by where it is, so that Shift makes it another sign.
    pub(crate) is_place: bool,
    /// The bit that it holds while it is down (`Input.dispatchKeyEvent`, modifiers).
    pub(crate) modifier: u32,
}

pub(crate) const ALT: u32 = 1;
pub(crate) const CONTROL: u32 = 2;
pub(crate) const META: u32 = 4;
pub(crate) const SHIFT: u32 = 8;

const NAMED: &[(&str, &str, u32, &str, u32)] = &[
    ("Alt", "AltLeft", 18, "", ALT),
    ("ArrowDown", "ArrowDown", 40, "", 0),
    ("ArrowLeft", "ArrowLeft", 37, "", 0),
    ("ArrowRight", "ArrowRight", 39, "", 0),
    ("ArrowUp", "ArrowUp", 38, "", 0),
    ("Backspace", "Backspace", 8, "", 0),
    ("CapsLock", "CapsLock", 20, "", 0),
    ("ContextMenu", "ContextMenu", 93, "", 0),
    ("Control", "ControlLeft", 17, "", CONTROL),
    ("Delete", "Delete", 46, "", 0),
    ("End", "End", 35, "", 0),
    ("Enter", "Enter", 13, "\r", 0),
    ("Escape", "Escape", 27, "", 0),
    ("Home", "Home", 36, "", 0),
    ("Insert", "Insert", 45, "", 0),
    ("Meta", "MetaLeft", 91, "", META),
    ("PageDown", "PageDown", 34, "", 0),
    ("PageUp", "PageUp", 33, "", 0),
    ("Pause", "Pause", 19, "", 0),
    ("Shift", "ShiftLeft", 16, "", SHIFT),
    ("Tab", "Tab", 9, "", 0),
    (" ", "Space", 32, " ", 0),
];

/// Signs without shift and with it, and where they are.
const SIGNS: &[(char, char, &str, u32)] = &[
    ('`', '~', "Backquote", 192),
    ('-', '_', "Minus", 189),
    ('=', '+', "Equal", 187),
    ('[', '{', "BracketLeft", 219),
    (']', '}', "BracketRight", 221),
    ('\\', '|', "Backslash", 220),
    (';', ':', "Semicolon", 186),
    ('\'', '"', "Quote", 222),
    (',', '<', "Comma", 188),
    ('.', '>', "Period", 190),
    ('/', '?', "Slash", 191),
    ('1', '!', "Digit1", 49),
    ('2', '@', "Digit2", 50),
    ('3', '#', "Digit3", 51),
    ('4', '$', "Digit4", 52),
    ('5', '%', "Digit5", 53),
    ('6', '^', "Digit6", 54),
    ('7', '&', "Digit7", 55),
    ('8', '*', "Digit8", 56),
    ('9', '(', "Digit9", 57),
    ('0', ')', "Digit0", 48),
];

/// A key by its name, by what it types, or by where it is (`KeyA`).
pub(crate) fn key(name: &str) -> Option<Key> {
    let is_place = name.len() > 1 && (name.starts_with("Key") || name.starts_with("Digit"));
    let made = |key: &str, code: &str, number, text: &str, modifier| Key {
        key: key.to_owned(),
        code: code.to_owned(),
        number,
        text: text.to_owned(),
        is_place,
        modifier,
    };
    let name = match name {
        "Space" => " ",
        "ControlOrMeta" | "ControlLeft" | "ControlRight" => "Control",
        "ShiftLeft" | "ShiftRight" => "Shift",
        "AltLeft" | "AltRight" => "Alt",
        "\n" | "\r" => "Enter",
        "\t" => "Tab",
        name => name,
    };
    if let Some((key, code, number, text, modifier)) = NAMED.iter().find(|(key, ..)| *key == name) {
        return Some(made(key, code, *number, text, *modifier));
    }
    if let Some(number) =
        name.strip_prefix('F').and_then(|number| number.parse::<u32>().ok()).filter(|number| (1..=12).contains(number))
    {
        return Some(made(name, name, 111 + number, "", 0));
    }
    let letter = match name.strip_prefix("Key") {
        Some(letter) => letter.to_ascii_lowercase(),
        None => name.strip_prefix("Digit").unwrap_or(name).to_owned(),
    };
    let mut characters = letter.chars();
    let (character, None) = (characters.next()?, characters.next()) else { return None };
    if character.is_ascii_alphabetic() {
        let upper = character.to_ascii_uppercase();
        return Some(made(&character.to_string(), &format!("Key{upper}"), u32::from(upper), &character.to_string(), 0));
    }
    let (_, _, code, number) = SIGNS.iter().find(|(plain, shifted, ..)| [*plain, *shifted].contains(&character))?;
    Some(made(&character.to_string(), code, *number, &character.to_string(), 0))
}

/// The keys of `Control+Shift+A`, the last one the one that is pressed. A `+` at the end is the key.
pub(crate) fn chord(text: &str) -> Option<Vec<Key>> {
    let names: Vec<&str> = match text.strip_suffix("++") {
        Some(before) => before.split('+').chain(["+"]).collect(),
        None if text == "+" => vec!["+"],
        None => text.split('+').collect(),
    };
    names.into_iter().map(key).collect()
}

/// What a key is while Shift is held.
pub(crate) fn shifted(key: &Key) -> Key {
    let mut characters = key.key.chars();
    let (Some(character), None) = (characters.next(), characters.next()) else { return key.clone() };
    let other = if character.is_ascii_alphabetic() {
        character.to_ascii_uppercase()
    } else {
        SIGNS.iter().find(|(plain, ..)| *plain == character).map_or(character, |(_, shifted, ..)| *shifted)
    };
    Key { key: other.to_string(), text: other.to_string(), ..key.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_name_by_what_they_type_and_by_where_they_are() {
        let of = |name| key(name).map(|key| (key.key, key.code, key.number));
        assert_eq!(of("a"), Some(("a".into(), "KeyA".into(), 65)));
        assert_eq!(of("KeyA"), Some(("a".into(), "KeyA".into(), 65)));
        assert_eq!(of("!"), Some(("!".into(), "Digit1".into(), 49)));
        assert_eq!(of("F5"), Some(("F5".into(), "F5".into(), 116)));
        assert_eq!(of("Space"), Some((" ".into(), "Space".into(), 32)));
        assert_eq!(of("Nothing"), None);
        let names = |text| chord(text).map(|keys| keys.into_iter().map(|key| key.key).collect::<Vec<_>>());
        assert_eq!(names("Control+Shift+A"), Some(vec!["Control".into(), "Shift".into(), "A".into()]));
        assert_eq!(names("Control++"), Some(vec!["Control".into(), "+".into()]));
        assert_eq!(names("Control+Nothing"), None);
        assert_eq!(shifted(&key("1").unwrap_or_else(|| unreachable!("it is there"))).text, "!");
    }
}
