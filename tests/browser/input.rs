//! Real mouse, keyboard, files and clipboard.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::check::{Check, Failure, deadline, ensure};
use crate::page::{Page, element, quote};

impl Page {
    /// Clicks the middle of the first match; fails where something else lies over it.
    pub fn click(&self, selector: &str) -> Check {
        let (x, y) = self.reachable_middle(selector)?;
        self.mouse("mouseMoved", x, y, "none")?;
        self.mouse("mousePressed", x, y, "left")?;
        self.mouse("mouseReleased", x, y, "left")
    }

    /// Moves the mouse over the first match.
    pub fn hover(&self, selector: &str) -> Check {
        let (x, y) = self.reachable_middle(selector)?;
        self.mouse("mouseMoved", x, y, "none")
    }

    /// Moves the mouse to a point of the viewport, in CSS pixels.
    pub fn move_to(&self, x: f64, y: f64) -> Check {
        self.mouse("mouseMoved", x, y, "none")
    }

    /// Presses at one point, moves in steps to the other, lets go.
    pub fn drag(&self, from: (f64, f64), to: (f64, f64)) -> Check {
        self.mouse("mouseMoved", from.0, from.1, "none")?;
        self.mouse("mousePressed", from.0, from.1, "left")?;
        for step in 1..=10 {
            let part = f64::from(step) / 10.0;
            let x = from.0 + (to.0 - from.0) * part;
            let y = from.1 + (to.1 - from.1) * part;
            self.mouse("mouseMoved", x, y, "left")?;
        }
        self.mouse("mouseReleased", to.0, to.1, "left")
    }

    /// Types key by key; what no key makes (other scripts, emoji) is inserted as an input method
    /// does. A line break is the Enter key.
    pub fn type_text(&self, text: &str) -> Check {
        for character in text.chars() {
            match character {
                '\n' => self.press("Enter")?,
                ' '..='~' => self.key(&Key::printable(character), 0)?,
                _ => self.insert_text(&character.to_string())?,
            }
        }
        Ok(())
    }

    /// Inserts text at the caret at once, with one `input` event.
    pub fn insert_text(&self, text: &str) -> Check {
        self.call("Input.insertText", json!({ "text": text })).map(drop)
    }

    /// Replaces what a field holds.
    pub fn fill(&self, selector: &str, text: &str) -> Check {
        self.evaluate(&format!("{}.focus()", element(selector)))?;
        self.evaluate(&format!("{}.select?.()", element(selector)))?;
        if text.is_empty() { self.press("Delete") } else { self.insert_text(text) }
    }

    /// Presses a key, with modifiers: `"Enter"`, `"Shift+Tab"`, `"Control+a"`.
    pub fn press(&self, chord: &str) -> Check {
        let (modifiers, name) = match chord.rsplit_once('+') {
            Some((modifiers, name)) if !name.is_empty() => (modifiers, name),
            _ => ("", chord),
        };
        let mut bits = 0;
        for modifier in modifiers.split('+').filter(|modifier| !modifier.is_empty()) {
            bits |= match modifier {
                "Alt" => 1,
                "Control" => 2,
                "Meta" => 4,
                "Shift" => 8,
                other => return Err(Failure::new(format!("`{other}` is no modifier"))),
            };
        }
        self.key(&Key::named(name)?, bits)
    }

    /// Pastes through the clipboard, so that the page sees a `paste` event. Needs
    /// `Browser::allow_clipboard`.
    pub fn paste(&self, text: &str) -> Check {
        self.evaluate(&format!("navigator.clipboard.writeText({})", quote(text)))?;
        let mut down = Key::printable('v').event("rawKeyDown", 2);
        down["commands"] = json!(["paste"]);
        self.call("Input.dispatchKeyEvent", down)?;
        self.call("Input.dispatchKeyEvent", Key::printable('v').event("keyUp", 2)).map(drop)
    }

    /// What the clipboard holds. Needs `Browser::allow_clipboard`.
    pub fn clipboard(&self) -> Check<String> {
        let text = self.evaluate("navigator.clipboard.readText()")?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Gives files to a file input, hidden or not.
    pub fn set_files(&self, selector: &str, files: &[&Path]) -> Check {
        let parameters = json!({ "expression": element(selector) });
        let answer = self.call("Runtime.evaluate", parameters)?;
        let object = answer.pointer("/result/objectId").cloned();
        let object = object.ok_or_else(|| Failure::new(format!("nothing matches {selector}")))?;
        self.call("DOM.setFileInputFiles", json!({ "objectId": object, "files": files })).map(drop)
    }

    /// Gives files to the chooser that `opening` (a click, a key) brings up.
    pub fn choose_files(&self, files: &[&Path], opening: impl FnOnce() -> Check) -> Check {
        self.forget_chooser();
        self.call("Page.setInterceptFileChooserDialog", json!({ "enabled": true }))?;
        opening()?;
        let deadline = deadline(5);
        while Instant::now() < deadline {
            if let Some(node) = self.record().chooser {
                let files = json!({ "backendNodeId": node, "files": files });
                self.call("DOM.setFileInputFiles", files)?;
                self.call("Page.setInterceptFileChooserDialog", json!({ "enabled": false }))?;
                return Ok(());
            }
            self.pause(Duration::from_millis(20))?;
        }
        Err(self.failure("no file chooser opened"))
    }

    /// Drops files from the desktop on the first match.
    pub fn drop_files(&self, selector: &str, files: &[&Path]) -> Check {
        let (x, y) = self.reachable_middle(selector)?;
        let data = json!({ "items": [], "files": files, "dragOperationsMask": 1 });
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({ "type": kind, "x": x, "y": y, "data": data });
            self.call("Input.dispatchDragEvent", event)?;
        }
        Ok(())
    }

    fn mouse(&self, kind: &str, x: f64, y: f64, button: &str) -> Check {
        let clicks = u8::from(kind != "mouseMoved");
        let held = u8::from(button == "left" && kind != "mouseReleased");
        let event = json!({
            "type": kind, "x": x, "y": y, "button": button, "buttons": held, "clickCount": clicks,
        });
        self.call("Input.dispatchMouseEvent", event).map(drop)
    }

    fn key(&self, key: &Key, modifiers: u8) -> Check {
        self.call("Input.dispatchKeyEvent", key.event("keyDown", modifiers))?;
        self.call("Input.dispatchKeyEvent", key.event("keyUp", modifiers)).map(drop)
    }

    /// The middle of the first match, scrolled into view, where the mouse really meets it.
    fn reachable_middle(&self, selector: &str) -> Check<(f64, f64)> {
        let spot = self.evaluate(&format!(
            "((e) => {{
                e.scrollIntoView({{ block: 'center', inline: 'center', behavior: 'instant' }});
                const box = e.getBoundingClientRect();
                const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
                const hit = document.elementFromPoint(x, y);
                const over = hit && (e.contains(hit) || hit.contains(e) || hit.closest('label')?.contains(e))
                    ? '' : (hit?.outerHTML.slice(0, 120) ?? 'nothing');
                return {{ x, y, empty: box.width === 0 || box.height === 0, over }};
            }})({})",
            element(selector)
        ))?;
        let reach = |field: &str| spot.get(field).and_then(Value::as_f64);
        let (Some(x), Some(y)) = (reach("x"), reach("y")) else {
            return Err(self.failure(&format!("{selector} has no place")));
        };
        ensure(spot["empty"] == json!(false), format!("{selector} has no size"))?;
        let over = spot["over"].as_str().unwrap_or_default();
        if !over.is_empty() {
            return Err(self.failure(&format!("{selector} is covered by {over}")));
        }
        Ok((x, y))
    }
}

/// A key as `Input.dispatchKeyEvent` wants it.
struct Key {
    key: String,
    code: String,
    number: u32,
    text: Option<String>,
}

impl Key {
    /// The key of a printable ASCII character.
    fn printable(character: char) -> Self {
        let upper = character.to_ascii_uppercase();
        let (code, number) = match upper {
            'A'..='Z' => (format!("Key{upper}"), u32::from(upper)),
            '0'..='9' => (format!("Digit{upper}"), u32::from(upper)),
            ' ' => ("Space".to_owned(), 32),
            _ => (String::new(), 0),
        };
        let text = character.to_string();
        Self { key: text.clone(), code, number, text: Some(text) }
    }

    /// The key of that name, or of that one character.
    fn named(name: &str) -> Check<Self> {
        let mut characters = name.chars();
        if let (Some(only @ ' '..='~'), None) = (characters.next(), characters.next()) {
            return Ok(Self::printable(only));
        }
        let (number, text) = match name {
            "Enter" => (13, Some("\r")),
            "Tab" => (9, None),
            "Escape" => (27, None),
            "Backspace" => (8, None),
            "Delete" => (46, None),
            "Home" => (36, None),
            "End" => (35, None),
            "PageUp" => (33, None),
            "PageDown" => (34, None),
            "ArrowLeft" => (37, None),
            "ArrowUp" => (38, None),
            "ArrowRight" => (39, None),
            "ArrowDown" => (40, None),
            "Space" => return Ok(Self::printable(' ')),
            other => return Err(Failure::new(format!("`{other}` is no key that the tests know"))),
        };
        let name = name.to_owned();
        Ok(Self { key: name.clone(), code: name, number, text: text.map(str::to_owned) })
    }

    fn event(&self, kind: &str, modifiers: u8) -> Value {
        let mut event = json!({
            "type": kind,
            "key": self.key,
            "code": self.code,
            "windowsVirtualKeyCode": self.number,
            "modifiers": modifiers,
        });
        // With Control, Alt or Meta held a key makes no text. Control+a is a command of the editor.
        if let (Some(text), "keyDown", 0 | 8) = (&self.text, kind, modifiers) {
            event["text"] = json!(text);
        }
        if self.key == "a" && modifiers == 2 && kind == "keyDown" {
            event["commands"] = json!(["selectAll"]);
        }
        event
    }
}
