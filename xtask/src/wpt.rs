//! Web platform tests, inside real sessions, against a committed baseline.
//!
//! The tests are those that Debian's source package `nodejs` carries; they stay out of the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Map, Value, json};

use crate::steps::{Outcome, cargo, program, root, run};

/// Folders of tests for what there is.
const AREAS: &[&str] = &[
    "FileAPI",
    "WebCryptoAPI",
    "console",
    "dom/abort",
    "dom/events",
    "encoding",
    "hr-time",
    "html/webappapis",
    "streams",
    "url",
    "user-timing",
];
const FOLDER: &str = "target/wpt";
const BASELINE: &str = "tests/conformance/wpt.json";
const REPORT: &str = "docs/conformance.md";

/// What became of one file: its subtests by name, and why it did not come to an end, if it did not.
struct Ran {
    /// With what is wrong with those that fail.
    subtests: BTreeMap<String, Option<String>>,
    error: Option<String>,
}

/// Runs the tests; with `update` what they do becomes the baseline.
pub(crate) fn wpt(update: bool) -> Outcome {
    let all = run_all(|_| true)?;
    let (passed, total) = all.values().fold((0, 0), |(passed, total), ran| {
        (passed + ran.subtests.values().filter(|failure| failure.is_none()).count(), total + ran.subtests.len())
    });
    println!("{passed} of {total} subtests in {} files pass", all.len());
    let path = root().join(BASELINE);
    if update {
        std::fs::write(root().join(REPORT), report(&all)).map_err(|error| format!("{REPORT}: {error}"))?;
        let text = serde_json::to_string_pretty(&failures(&all)).map_err(|error| error.to_string())?;
        return std::fs::write(&path, text + "\n").map_err(|error| format!("{BASELINE}: {error}"));
    }
    let known = std::fs::read_to_string(&path).map_err(|error| format!("{BASELINE}: {error}"))?;
    let known: Value = serde_json::from_str(&known).map_err(|error| format!("{BASELINE}: {error}"))?;
    compare(&known, &failures(&all))
}

/// Runs the tests whose path has `part` in it and says what failed and why; compares with nothing.
pub(crate) fn look(part: &str) -> Outcome {
    for (name, ran) in run_all(|name| name.contains(part))? {
        let failed = ran.subtests.iter().filter_map(|(name, failure)| failure.as_ref().map(|why| (name, why)));
        println!("{name}: {} of {} pass", ran.subtests.len() - failed.clone().count(), ran.subtests.len());
        for (subtest, why) in failed {
            println!("  {subtest}\n    {}", first_line(why));
        }
        if let Some(error) = &ran.error {
            println!("  {error}");
        }
    }
    Ok(())
}

fn run_all(wanted: impl Fn(&str) -> bool) -> Result<BTreeMap<String, Ran>, String> {
    fetch()?;
    run(&mut cargo(&["build", "--quiet", "-p", "perennial-cli"]))?;
    let folder = root().join(FOLDER);
    pattern_data(&folder.join("urlpattern"))?;
    let mut all = BTreeMap::new();
    let mut runner = Runner::start()?;
    for area in AREAS {
        let mut files = Vec::new();
        collect(&folder.join(area), &mut files)?;
        files.sort();
        for file in files {
            let name = file.strip_prefix(&folder).unwrap_or(&file).display().to_string();
            if !wanted(&name) {
                continue;
            }
            let source = std::fs::read_to_string(&file).map_err(|error| format!("{name}: {error}"))?;
            let variants: Vec<&str> = meta(&source, "variant").collect();
            for variant in if variants.is_empty() { vec![""] } else { variants } {
                let ran = runner.file(&folder, &file, &source, variant)?;
                all.insert(format!("{name}{variant}"), ran);
            }
        }
    }
    for (name, source) in OWN.into_iter().filter(|(name, _)| wanted(name)) {
        all.insert(name.to_owned(), runner.file(&folder, &folder.join(name), source, "")?);
    }
    runner.end()?;
    Ok(all)
}

/// The failing subtests of each file that has some.
fn failures(all: &BTreeMap<String, Ran>) -> Value {
    let mut files = Map::new();
    for (name, ran) in all {
        let failing: Vec<&String> =
            ran.subtests.iter().filter(|(_, failure)| failure.is_some()).map(|(name, _)| name).collect();
        if let Some(error) = &ran.error {
            files.insert(name.clone(), json!({"error": error, "failing": failing}));
        } else if !failing.is_empty() {
            files.insert(name.clone(), json!({"failing": failing}));
        }
    }
    Value::Object(files)
}

fn compare(known: &Value, found: &Value) -> Outcome {
    let names = |value: &Value| -> BTreeSet<String> {
        let files = value.as_object().into_iter().flatten();
        files
            .flat_map(|(file, entry)| {
                let failing = entry["failing"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let error = entry["error"].as_str().map(|_| format!("{file} does not come to its end"));
                failing.map(move |name| format!("{file}: {name}")).chain(error)
            })
            .collect()
    };
    let (known, found) = (names(known), names(found));
    let mut text = String::new();
    for name in found.difference(&known) {
        let _ = write!(text, "\n  fails: {name}");
    }
    for name in known.difference(&found) {
        let _ = write!(text, "\n  passes, which the baseline does not know: {name}");
    }
    if text.is_empty() { Ok(()) } else { Err(format!("not what {BASELINE} says (--update writes it anew):{text}")) }
}

fn report(all: &BTreeMap<String, Ran>) -> String {
    let mut text = "# Conformance\n\nWeb platform tests that Debian's source package of Node.js 18 carries, run inside sessions (`cargo xtask wpt`). Subtests that need a server\n\
                    or a browser are counted as they come out: as failures. Of `fetch` and `urlpattern` it has the data alone, or the crate `urlpattern` has; what runs it is ours.\n\
                    Which fail stands in [tests/conformance/wpt.json](../tests/conformance/wpt.json).\n\n\
                    | area | files | subtests | pass | share |\n| --- | ---: | ---: | ---: | ---: |\n".to_owned();
    let mut sums = (0, 0, 0);
    for area in AREAS.iter().chain(&["fetch/data-urls", "urlpattern"]) {
        let files = all.iter().filter(|(name, _)| name.starts_with(&format!("{area}/")));
        let (mut count, mut total, mut passed) = (0, 0, 0);
        for (_, ran) in files {
            count += 1;
            total += ran.subtests.len();
            passed += ran.subtests.values().filter(|failure| failure.is_none()).count();
        }
        let share = 100.0 * passed as f64 / (total as f64).max(1.0);
        let _ = writeln!(text, "| {area} | {count} | {total} | {passed} | {share:.1} % |");
        sums = (sums.0 + count, sums.1 + total, sums.2 + passed);
    }
    let (count, total, passed) = sums;
    let _ = writeln!(
        text,
        "| **all** | {count} | {total} | {passed} | {:.1} % |",
        100.0 * passed as f64 / (total as f64).max(1.0)
    );
    text
}

/// Values of `// META: key=value` lines.
fn meta<'s>(source: &'s str, key: &'s str) -> impl Iterator<Item = &'s str> {
    source.lines().take_while(|line| line.starts_with("//") || line.is_empty()).filter_map(move |line| {
        let (found, value) = line.strip_prefix("// META:")?.trim().split_once('=')?;
        (found == key).then_some(value)
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Outcome {
    for entry in std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.to_string_lossy().ends_with(".any.js") {
            files.push(path);
        }
    }
    Ok(())
}

/// What the harness finds: a shell without a network, which reads resources of its folder.
const PRELUDE: &str = r#"globalThis.self = globalThis;
globalThis.GLOBAL = { isWindow: () => false, isWorker: () => false, isShadowRealm: () => false };
// Where shared memory is wanted, it is taken from a WebAssembly that is not there.
if (args.file.startsWith("encoding/")) globalThis.WebAssembly = { Memory: class { buffer = new SharedArrayBuffer(0); } };
globalThis.location = { search: args.search, pathname: "/" + args.file, href: "https://web-platform.test/" + args.file + args.search };
const realFetch = globalThis.fetch;
globalThis.fetch = async (path, init) => {
  if (String(path).startsWith("data:")) return realFetch(path, init);
  const text = args.resources[path];
  if (text === undefined) throw new TypeError("no network, and no resource " + path);
  return { ok: true, text: async () => text, json: async () => JSON.parse(text) };
};
undefined"#;

/// The harness takes the end of its own script for the end of the tests; it is told when they are all there.
const LISTEN: &str = r#"setup({ explicit_done: true });
// Interfaces have to be exposed in some kind of global.
if (args.file.includes("idlharness")) globalThis.Window = class Window {};
globalThis.wptResults = new Promise((resolve) => {
  add_completion_callback((tests, status) => resolve({
    tests: tests.map((test) => [test.name, test.status === 0 ? null : String(test.message ?? `status ${test.status}`)]),
    error: status.status === 0 ? null : String(status.message ?? "the harness failed"),
  }));
});
undefined"#;

/// Tests of which only the data can be had.
const OWN: [(&str, &str); 2] = [
    ("fetch/data-urls/processing.any.js", include_str!("wpt/data-urls.any.js")),
    ("urlpattern/urlpattern.any.js", include_str!("wpt/urlpattern.any.js")),
];

/// Ends the script of the tests: what goes on when a script has ended has not much time.
const RESULTS: &str = "if (!args.done) done();\nreturn await wptResults";

struct Runner {
    child: Child,
    requests: ChildStdin,
    answers: std::io::Lines<BufReader<ChildStdout>>,
}

impl Runner {
    fn start() -> Result<Self, String> {
        let binary = root().join("target/debug/perennial");
        let mut command = program(&binary.display().to_string(), &["batch", "--timeout", "60s", "--memory", "512MB"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        let (Some(requests), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("no pipes".to_owned());
        };
        Ok(Self { child, requests, answers: BufReader::new(stdout).lines() })
    }

    fn end(mut self) -> Outcome {
        drop(self.requests);
        self.child.wait().map(drop).map_err(|error| error.to_string())
    }

    fn script(&mut self, session: &str, name: &str, script: &str, args: &Value) -> Result<Value, String> {
        let request = json!({"id": 1, "session": session, "name": name, "script": script, "args": args});
        writeln!(self.requests, "{request}").map_err(|error| error.to_string())?;
        let answer = self.answers.next().ok_or("the program ended")?.map_err(|error| error.to_string())?;
        serde_json::from_str(&answer).map_err(|error| error.to_string())
    }

    fn file(&mut self, folder: &Path, file: &Path, source: &str, variant: &str) -> Result<Ran, String> {
        let name = file.strip_prefix(folder).unwrap_or(file).display().to_string();
        let session = format!("{name}{variant}");
        let directory = file.parent().unwrap_or(folder);
        let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
        let mut resources = Map::new();
        for path in source.split(['"', '\'', '`']).filter(|word| word.ends_with(".json")) {
            if let Ok(text) = std::fs::read_to_string(directory.join(path)) {
                resources.insert(path.to_owned(), text.into());
            }
        }
        if name.contains("idlharness") {
            for entry in std::fs::read_dir(folder.join("interfaces")).into_iter().flatten().flatten() {
                resources.insert(
                    format!("/interfaces/{}", entry.file_name().to_string_lossy()),
                    read(&entry.path())?.into(),
                );
            }
        }
        let done = source.lines().any(|line| line.starts_with("done()"));
        let args = json!({"search": variant, "file": name, "resources": resources, "done": done});
        // Tests are sloppy scripts; what these assign without having declared it is declared for them.
        let helpers = [
            "structuredCloneBatteryOfTests",
            "testObjMock",
            "publicKeys",
            "privateKeys",
            "publicKey",
            "ecdsaKeyPairs",
            "noDeriveBitsKeys",
            "noDeriveKeyKeys",
            "ecdhPeerKey",
        ]
        .iter()
        .fold(String::new(), |text, name| text + "globalThis." + name + " = undefined;\n");
        let mut scripts = vec![
            ("prelude".to_owned(), helpers + PRELUDE),
            ("testharness.js".to_owned(), read(&folder.join("resources/testharness.js"))?),
            ("listen".to_owned(), LISTEN.to_owned()),
        ];
        for script in meta(source, "script") {
            // As the server of the tests has it.
            let script =
                if script == "/resources/WebIDLParser.js" { "/resources/webidl2/lib/webidl2.js" } else { script };
            let path = script.strip_prefix('/').map_or_else(|| directory.join(script), |path| folder.join(path));
            // What is not carried is missed by the tests themselves.
            if let Ok(text) = read(&path) {
                scripts.push((script.to_owned(), text));
            }
        }
        scripts.push((name, format!("{source}\n;{RESULTS}")));
        let mut answer = Value::Null;
        for (name, script) in scripts {
            answer = self.script(&session, &name, &script, &args)?;
            if let Some(message) = answer["error"]["message"].as_str() {
                return Ok(Ran { subtests: BTreeMap::new(), error: Some(format!("{name}: {}", first_line(message))) });
            }
        }
        let mut ran = Ran { subtests: BTreeMap::new(), error: None };
        for test in answer["value"]["tests"].as_array().into_iter().flatten() {
            ran.subtests.insert(test[0].as_str().unwrap_or("").to_owned(), test[1].as_str().map(str::to_owned));
        }
        ran.error = answer["value"]["error"].as_str().map(|message| first_line(message).to_owned());
        Ok(ran)
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

/// Gets the tests through apt, from the machine's own mirrors, unless they are there.
fn fetch() -> Outcome {
    let folder = root().join(FOLDER);
    if folder.join("resources/testharness.js").exists() {
        return Ok(());
    }
    let work = root().join("target/wpt-apt");
    for part in ["parts", "lists/partial", "cache/archives/partial"] {
        std::fs::create_dir_all(work.join(part)).map_err(|error| error.to_string())?;
    }
    std::fs::write(work.join("parts/source.sources"), sources()?).map_err(|error| error.to_string())?;
    let settings = [
        "Dir::Etc::SourceList=/dev/null".to_owned(),
        format!("Dir::Etc::SourceParts={}", work.join("parts").display()),
        format!("Dir::State::Lists={}", work.join("lists").display()),
        format!("Dir::Cache={}", work.join("cache").display()),
    ];
    let apt = |arguments: &[&str]| {
        let mut command = program("apt-get", &["-qq"]);
        settings.iter().for_each(|setting| _ = command.args(["-o", setting]));
        run(command.args(arguments).current_dir(&work))
    };
    apt(&["update"])?;
    apt(&["source", "--download-only", "nodejs"])?;
    let archives = std::fs::read_dir(&work).map_err(|error| error.to_string())?.flatten().map(|entry| entry.path());
    let archive = archives.into_iter().find(|path| path.to_string_lossy().ends_with(".orig.tar.xz"));
    let archive = archive.ok_or("the source package has no archive")?;
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let (archive, target) = (archive.display().to_string(), folder.display().to_string());
    run(&mut program(
        "tar",
        &["xf", &archive, "-C", &target, "--strip-components=4", "--wildcards", "*/test/fixtures/wpt/*"],
    ))
}

/// Copies the data for patterns of URLs out of the crate that is used for them.
fn pattern_data(target: &Path) -> Outcome {
    const DATA: &str = "urlpatterntestdata.json";
    let output = cargo(&["metadata", "--format-version", "1"]).output().map_err(|error| error.to_string())?;
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages.find(|package| package["name"] == "urlpattern").ok_or("no crate urlpattern")?;
    let manifest = Path::new(package["manifest_path"].as_str().unwrap_or(""));
    let data = manifest.with_file_name("src").join("testdata").join(DATA);
    std::fs::create_dir_all(target).map_err(|error| error.to_string())?;
    std::fs::copy(&data, target.join(DATA)).map(drop).map_err(|error| format!("{}: {error}", data.display()))
}

/// The machine's own Debian mirrors, asked for sources.
fn sources() -> Result<String, String> {
    let parts = std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|entry| entry.path());
    for path in parts {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        for stanza in text.split("\n\n") {
            let is_debian =
                stanza.contains("Types: deb") && stanza.contains("/debian\n") && stanza.contains("Components: main");
            if is_debian {
                return Ok(stanza.replace("Types: deb\n", "Types: deb-src\n") + "\n");
            }
        }
    }
    let list = std::fs::read_to_string("/etc/apt/sources.list").unwrap_or_default();
    let line = list.lines().find_map(|line| line.strip_prefix("deb ").filter(|line| line.contains("/debian ")));
    let line = line.ok_or("apt knows no Debian mirror")?;
    let words: Vec<&str> = line.split_whitespace().filter(|word| !word.starts_with('[')).collect();
    let [uri, suite, ..] = words[..] else { return Err("apt's sources are not understood".to_owned()) };
    Ok(format!("Types: deb-src\nURIs: {uri}\nSuites: {suite}\nComponents: main\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_failure_and_an_unexpected_pass_both_fail() {
        let known = json!({"url/a.any.js": {"failing": ["one"]}, "url/b.any.js": {"failing": [], "error": "timeout"}});
        assert_eq!(compare(&known, &known), Ok(()));
        let worse = json!({"url/a.any.js": {"failing": ["one", "two"]}, "url/b.any.js": {"failing": [], "error": "other words"}});
        assert!(
            compare(&known, &worse)
                .is_err_and(|why| why.contains("fails: url/a.any.js: two") && !why.contains("b.any.js"))
        );
        let better = json!({"url/b.any.js": {"failing": [], "error": "timeout"}});
        assert!(
            compare(&known, &better)
                .is_err_and(|why| why.contains("passes, which the baseline does not know: url/a.any.js: one"))
        );
    }

    #[test]
    fn what_a_test_says_of_itself_stands_at_its_top() {
        let source = "// META: script=/common/a.js\n// META: variant=?1-2\n// META: script=b.js\n\ntest();\n// META: script=late.js";
        assert_eq!(meta(source, "script").collect::<Vec<_>>(), ["/common/a.js", "b.js"]);
        assert_eq!(meta(source, "variant").collect::<Vec<_>>(), ["?1-2"]);
    }
}
