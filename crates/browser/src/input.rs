//! The mouse and the keyboard of a page.

use perennial_stdlib::browser::{BrowserError, Failure, MouseButton};
use serde_json::{Value, json};

use crate::keys::{ALT, CONTROL, Key, META, SHIFT, chord, key, shifted};
use crate::page::{Asked, Input, Page, value_of};
use crate::pipe::Call;

fn bit(button: MouseButton) -> u32 {
    match button {
        MouseButton::Left => 1,
        MouseButton::Right => 2,
        MouseButton::Middle => 4,
    }
}

fn failed(error: Asked) -> BrowserError {
    match error {
        Asked::Failed(error) => error,
        Asked::Again => BrowserError::new(Failure::Failed, "the document has gone"),
    }
}

/// Waits for the answers of what was sent at once.
pub(crate) async fn all(calls: Vec<Call>) -> Result<(), BrowserError> {
    for call in calls {
        value_of(call.await).map_err(failed)?;
    }
    Ok(())
}

impl Page {
    pub(crate) fn mouse(&self, input: &Input, kind: &str, button: Option<MouseButton>, clicks: u32) -> Call {
        self.call(
            "Input.dispatchMouseEvent",
            json!({
                "type": kind, "x": input.x, "y": input.y, "button": button.map_or(json!("none"), |button| json!(button)),
                "buttons": input.buttons, "clickCount": clicks, "modifiers": input.modifiers,
            }),
        )
    }

    pub(crate) fn mouse_to(&self, input: &mut Input, x: f64, y: f64) -> Call {
        (input.x, input.y) = (x, y);
        // With a button held it is that button's movement, by which dragging begins.
        let held = [MouseButton::Left, MouseButton::Right, MouseButton::Middle]
            .into_iter()
            .find(|button| input.buttons & bit(*button) != 0);
        self.mouse(input, "mouseMoved", held, 0)
    }

    pub(crate) fn mouse_down(&self, input: &mut Input, button: MouseButton, clicks: u32) -> Call {
        input.buttons |= bit(button);
        self.mouse(input, "mousePressed", Some(button), clicks)
    }

    pub(crate) fn mouse_up(&self, input: &mut Input, button: MouseButton, clicks: u32) -> Call {
        input.buttons &= !bit(button);
        self.mouse(input, "mouseReleased", Some(button), clicks)
    }

    pub(crate) fn wheel(&self, input: &Input, x: f64, y: f64) -> Call {
        self.call(
            "Input.dispatchMouseEvent",
            json!({ "type": "mouseWheel", "x": input.x, "y": input.y, "deltaX": x, "deltaY": y, "modifiers": input.modifiers }),
        )
    }

    fn key_event(&self, input: &Input, kind: &str, key: &Key) -> Call {
        let mut params = json!({
            "type": kind, "key": key.key, "code": key.code, "windowsVirtualKeyCode": key.number, "nativeVirtualKeyCode": key.number, "modifiers": input.modifiers,
        });
        if kind == "keyDown" {
            params["text"] = key.text.clone().into();
            params["unmodifiedText"] = key.text.clone().into();
        }
        // What an editor does with it, which Chromium leaves to the system elsewhere.
        if kind != "keyUp"
            && let Some(command) = editing_command(input.modifiers, &key.code)
        {
            params["commands"] = json!([command]);
        }
        self.call("Input.dispatchKeyEvent", params)
    }

    pub(crate) fn key_down(&self, input: &mut Input, key: &Key) -> Call {
        let key = if key.is_place && input.modifiers & SHIFT != 0 { shifted(key) } else { key.clone() };
        input.modifiers |= key.modifier;
        // With these a key types nothing.
        let types = !key.text.is_empty() && input.modifiers & (ALT | CONTROL | META) == 0;
        self.key_event(input, if types { "keyDown" } else { "rawKeyDown" }, &key)
    }

    pub(crate) fn key_up(&self, input: &mut Input, key: &Key) -> Call {
        input.modifiers &= !key.modifier;
        self.key_event(input, "keyUp", key)
    }

    /// Presses keys together, the last one within the others.
    pub(crate) async fn press(&self, input: &mut Input, text: &str, delay: u64) -> Result<(), BrowserError> {
        let keys = chord(text).ok_or_else(|| unknown(text))?;
        let mut calls: Vec<Call> = keys.iter().map(|key| self.key_down(input, key)).collect();
        if delay > 0 {
            all(std::mem::take(&mut calls)).await?;
            tokio::time::sleep(std::time::Duration::from_millis(delay)).await;
        }
        calls.extend(keys.iter().rev().map(|key| self.key_up(input, key)));
        all(calls).await
    }

    /// Types a text, a key at a time; what no key types is put in as it is.
    pub(crate) async fn type_text(&self, input: &mut Input, text: &str, delay: u64) -> Result<(), BrowserError> {
        /// Sent before the answers of the first are waited for: what waits takes a browser far more than its text.
        const AT_ONCE: usize = 100;
        let mut calls = Vec::new();
        for character in text.chars() {
            if calls.len() >= AT_ONCE {
                all(std::mem::take(&mut calls)).await?;
            }
            let name = character.to_string();
            match key(&name) {
                Some(key) => {
                    let (typed, is_upper) = (
                        Key {
                            key: if character.is_ascii_uppercase() { name.clone() } else { key.key.clone() },
                            ..key.clone()
                        },
                        character.is_ascii_uppercase(),
                    );
                    let typed = if is_upper { Key { text: name.clone(), ..typed } } else { typed };
                    calls.push(self.key_down(input, &typed));
                    calls.push(self.key_up(input, &typed));
                }
                None => calls.push(self.call("Input.insertText", json!({ "text": name }))),
            }
            if delay > 0 {
                all(std::mem::take(&mut calls)).await?;
                tokio::time::sleep(std::time::Duration::from_millis(delay)).await;
            }
        }
        all(calls).await
    }
}

pub(crate) fn unknown(text: &str) -> BrowserError {
    let message = format!(
        "there is no key {text:?}: keys are named as KeyboardEvent.key has them, for example Enter, ArrowDown, a, Control+A"
    );
    BrowserError::new(Failure::Invalid, message)
}

fn editing_command(modifiers: u32, code: &str) -> Option<&'static str> {
    match (modifiers, code) {
        (CONTROL, "KeyA") => Some("selectAll"),
        (CONTROL, "KeyZ") => Some("undo"),
        (CONTROL, "KeyY") => Some("redo"),
        _ => None,
    }
}

/// Bits of the modifiers that stand for names.
pub(crate) fn modifiers(names: &[String]) -> Result<u32, BrowserError> {
    names.iter().try_fold(0, |bits, name| {
        let bit = match &**name {
            "Alt" => ALT,
            "Control" | "ControlOrMeta" => CONTROL,
            "Meta" => META,
            "Shift" => SHIFT,
            _ => {
                return Err(BrowserError::new(
                    Failure::Invalid,
                    format!("{name:?} is none of Alt, Control, ControlOrMeta, Meta, Shift"),
                ));
            }
        };
        Ok(bits | bit)
    })
}

/// A value that says nothing.
pub(crate) fn nothing() -> perennial_stdlib::browser::Answer {
    perennial_stdlib::browser::Answer::Value(Value::Null)
}
