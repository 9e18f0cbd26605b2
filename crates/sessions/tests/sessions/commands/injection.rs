//! Values that try to be more than values.

use serde_json::json;

use super::{run, table, value};

/// Each is to arrive as it is.
const CORPUS: &str = r##"["a b", "'", "\"", "'\"'\"'", "$(touch /tmp/pwned)", "`touch /tmp/pwned`", "; touch /tmp/pwned", "&& touch /tmp/pwned",
    "| touch /tmp/pwned", "> /tmp/pwned", "a\nb", "\n", "\r\n", "$HOME", "${HOME}", "${v}", "*", "?", "~", "\\", "\\n", "\\\\'", "!!", "#", "%s%n", "",
    " ", "\t", "é€😀", "\u007f\u001b[31m", "a=b", "/etc/passwd", "../..", "$'x'", "$((1+1))", "<(id)", "{a,b}", "[a]"]"##;

#[tokio::test]
async fn values_stay_values_in_both_forms_of_a_command() {
    let table = table(&json!({
        "argv": {"run": ["python3", "-c", "import sys, json; print(json.dumps(sys.argv[1:]))", "${v}", "x${v}y", "${...all}"], "output": "json"},
        "shell": {"run": "printf '%s' \"$v\" | python3 -c 'import sys, json; print(json.dumps(sys.stdin.buffer.read().decode()))'", "output": "json"},
    }));
    let script = format!(
        "const wrong = [], corpus = {CORPUS};
        await Promise.all(corpus.map(async (v) => {{
            const argv = (await commands.run('argv', {{ v, all: [v, v] }})).stdout;
            if (JSON.stringify(argv) !== JSON.stringify([v, 'x' + v + 'y', v, v])) wrong.push(['argv', v, argv]);
            const shell = (await commands.run('shell', {{ v }})).stdout;
            if (shell !== v) wrong.push(['shell', v, shell]);
        }})); [corpus.length > 30, wrong]"
    );
    assert_eq!(value(&table, &script).await, json!([true, []]));
    assert!(!std::path::Path::new("/tmp/pwned").exists());
}

#[tokio::test]
async fn what_begins_with_a_dash_is_refused_unless_it_was_allowed_and_nul_always() {
    let table = table(&json!({
        "strict": {"run": ["echo", "${v}"]}, "free": {"run": ["echo", "${v}"], "allowOptions": true},
        "list": {"run": ["echo", "${...v}"]}, "inside": {"run": ["echo", "--x=${v}"]}, "shell": {"run": "printf '%s' \"$v\""},
    }));
    let said = |name: &str, v: &str| {
        format!("await commands.run('{name}', {{ v: {v} }}).then((r) => r.stdout.trim(), (e) => e.name)")
    };
    for (name, v, expected) in [
        ("strict", "'--help'", "TypeError"),
        ("strict", "'-'", "TypeError"),
        ("strict", "-1", "TypeError"),
        ("list", "['a', '-n']", "TypeError"),
        ("free", "'-x'", "-x"),
        ("inside", "'--help'", "--x=--help"),
        ("shell", "'-n'", "-n"),
        ("strict", "'a\\0b'", "TypeError"),
        ("shell", "'a\\0b'", "TypeError"),
        ("free", "'\\0'", "TypeError"),
    ] {
        assert_eq!(value(&table, &said(name, v)).await, json!(expected), "{name} {v}");
    }
}

#[tokio::test]
async fn a_value_of_a_shell_command_is_no_variable_that_changes_what_runs() {
    let table = table(
        &json!({"shell": {"run": "ls >/dev/null; echo $OWN $PATH $LD_PRELOAD $IFS $ENV $BASH_ENV $HOME $PYTHONSTARTUP $PERENNIAL_MARK $GIT_SSH_COMMAND", "env": ["OWN"]}}),
    );
    for name in [
        "PATH",
        "LD_PRELOAD",
        "IFS",
        "ENV",
        "BASH_ENV",
        "HOME",
        "PYTHONSTARTUP",
        "PERENNIAL_MARK",
        "GIT_SSH_COMMAND",
        "OWN",
        "a-b",
        "a b",
        "1",
    ] {
        let error = run(&table, &format!("await commands.run('shell', {{ '{name}': '/tmp/x' }})")).await.error;
        assert!(error.is_some_and(|error| error.message.contains("cannot be the name")), "{name}");
    }
    // Nor is one that the text does not ask for, whatever it means to a program.
    for name in ["TAR_OPTIONS", "MAKEFLAGS", "http_proxy"] {
        let error = run(&table, &format!("await commands.run('shell', {{ '{name}': 'x' }})")).await.error;
        assert!(error.is_some_and(|error| error.message.contains("no place for")), "{name}");
    }
}
