//! A bounded run of what `fuzz/fuzz_targets/bridge.rs` does without end.

use perennial_engine::measure::round_trip;
use proptest::prelude::*;

const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"\"",
    "\"a\"",
    "\"__proto__\"",
    "\"constructor\"",
    "\"then\"",
    "\"toJSON\"",
    "\"$number\"",
    "\"$bigint\"",
    "\"$map\"",
    "\"$set\"",
    "\"$bytes\"",
    "\"$error\"",
    "\"$regexp\"",
    "\"$date\"",
    "\"NaN\"",
    "\"-0\"",
    "\"10\"",
    "\"aGk=\"",
    "\"(\"",
    "\"gu\"",
    "\"\\ud83d\\ude00\"",
    "\"\u{e9}\"",
    "0",
    "-1",
    "1.5",
    "1e308",
    "9007199254740993",
    "true",
    "null",
];

fn value() -> impl Strategy<Value = String> {
    let text = prop::sample::select(PIECES).prop_map(str::to_owned);
    let leaf = text.prop_filter("a leaf", |piece| !["{", "}", "[", "]", ",", ":"].contains(&piece.as_str()));
    leaf.clone().prop_recursive(6, 60, 5, move |inner| {
        let pairs = prop::collection::vec((leaf.clone(), inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            pairs.prop_map(|pairs| {
                let pairs = pairs.into_iter().filter(|(key, _)| key.starts_with('"'));
                format!("{{{}}}", pairs.map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_enters_a_vm_comes_out_the_same_or_is_refused(json in value(), pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12)) {
        round_trip(&json);
        round_trip(&pieces.concat());
    }
}
