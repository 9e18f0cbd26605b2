//! The program in a terminal, which `script` of util-linux lends it.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

struct Terminal {
    child: Child,
    keys: ChildStdin,
    output: Receiver<Vec<u8>>,
    seen: String,
    _home: tempfile::TempDir,
}

impl Terminal {
    fn new(command: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new("script")
            .args(["-qfec", &format!("exec {} {command}", env!("CARGO_BIN_EXE_perennial")), "/dev/null"])
            .env("XDG_STATE_HOME", home.path())
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .current_dir(home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`script` of util-linux is there");
        let (keys, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keys, output, seen: String::new(), _home: home }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until something is shown, and forgets everything up to there.
    fn shows(&mut self, text: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            let more = self.output.recv_timeout(end.saturating_duration_since(Instant::now()));
            let more =
                more.unwrap_or_else(|_| panic!("{text:?} is never shown: {:?} {:?}", self.seen, self.child.try_wait()));
            self.seen.push_str(&String::from_utf8_lossy(&more));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Of one that has ended there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn ctrl_c_stops_the_script_and_not_the_shell() {
    let mut terminal = Terminal::new("repl");
    terminal.shows("> ");
    terminal.press("vars.set('kept', 20 + 1)\r");
    terminal.shows("> ");
    terminal.press("console.error('it ' + 'runs'); for (;;) {}\r");
    terminal.shows("it runs");
    terminal.press("\u{3}");
    terminal.shows("cancelled:");
    terminal.shows("> ");
    terminal.press("console.log('it ' + 'waits'); await new Promise(() => setTimeout(() => {}, 3_600_000))\r");
    terminal.shows("it waits");
    terminal.press("\u{3}");
    terminal.shows("cancelled:");
    terminal.shows("> ");
    terminal.press("half a line\u{3}");
    terminal.shows("> ");
    terminal.press("vars.get('kept') * 2\r");
    terminal.shows("42");
    terminal.shows("> ");
    terminal.press("\u{4}");
    assert!(terminal.child.wait().unwrap().success());
}

#[test]
fn an_input_goes_on_until_it_is_whole_and_its_errors_are_coloured() {
    let mut terminal = Terminal::new("repl");
    terminal.shows("> ");
    terminal.press("function twice(n: number) {\r");
    terminal.press("return n * 2\r}\r");
    terminal.shows("}");
    terminal.shows("> ");
    terminal.press("twice(21)\r");
    terminal.shows("42");
    terminal.press("let b = 1 +* 2\r");
    terminal.shows("\u{1b}[31merror: ");
    terminal.shows("let b = 1 +* 2");
    // The lines of before come back.
    terminal.press("\u{1b}[A\u{1b}[A\r");
    terminal.shows("42");
    terminal.press(".exit\r");
    assert!(terminal.child.wait().unwrap().success());
}
