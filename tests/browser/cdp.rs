//! The wire to Chromium: the DevTools protocol over one WebSocket, sessions in flat mode.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Message, WebSocket};

use crate::check::{Check, Failure};
use crate::journal::{Journal, text_of};

/// One WebSocket that carries all sessions.
pub struct Connection {
    socket: WebSocket<TcpStream>,
    next_id: u64,
    replies: HashMap<u64, Value>,
    /// Calls whose replies nobody waits for.
    unattended: HashSet<u64>,
    /// What happened, by page.
    pub journal: Journal,
}

impl Connection {
    /// Connects to `ws://127.0.0.1:port/path`.
    pub fn open(port: u16, path: &str) -> Check<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        let limits = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let address = format!("ws://127.0.0.1:{port}{path}");
        let (socket, _) = tungstenite::client::client_with_config(address, stream, Some(limits))
            .map_err(|error| Failure::new(format!("no DevTools connection: {error}")))?;
        Ok(Self {
            socket,
            next_id: 0,
            replies: HashMap::new(),
            unattended: HashSet::new(),
            journal: Journal::default(),
        })
    }

    /// Calls a method and waits for its result.
    pub fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
        limit: Duration,
    ) -> Check<Value> {
        let deadline = Instant::now() + limit;
        let id = self.send(session, method, parameters)?;
        loop {
            if let Some(mut reply) = self.replies.remove(&id) {
                if let Some(error) = reply.get("error") {
                    return Err(Failure::new(format!("{method}: {}", text_of(error, "message"))));
                }
                return Ok(reply.get_mut("result").map(Value::take).unwrap_or_default());
            }
            if !self.pump(deadline)? {
                let seconds = limit.as_secs_f32();
                return Err(Failure::new(format!("{method} gave no answer in {seconds} s")));
            }
        }
    }

    /// Reads one message; false if none came before the deadline.
    pub fn pump(&mut self, deadline: Instant) -> Check<bool> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        // A shorter wait than a millisecond may round to none, which means "for ever".
        let left = left.max(Duration::from_millis(1));
        self.socket.get_ref().set_read_timeout(Some(left))?;
        match self.socket.read() {
            Ok(Message::Text(text)) => {
                self.take(serde_json::from_str(&text)?)?;
                Ok(true)
            }
            Ok(_) => Ok(true),
            Err(tungstenite::Error::Io(error))
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
            {
                Ok(false)
            }
            Err(error) => Err(Failure::new(format!("Chromium hung up: {error}"))),
        }
    }

    /// Reads what comes during that time.
    pub fn listen(&mut self, span: Duration) -> Check {
        let deadline = Instant::now() + span;
        while self.pump(deadline)? {}
        Ok(())
    }

    fn send(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Check<u64> {
        self.next_id += 1;
        let mut message = json!({ "id": self.next_id, "method": method, "params": parameters });
        if let (Some(session), Some(fields)) = (session, message.as_object_mut()) {
            fields.insert("sessionId".to_owned(), session.into());
        }
        self.socket.send(Message::text(message.to_string()))?;
        Ok(self.next_id)
    }

    fn send_unattended(&mut self, session: &str, method: &str, parameters: Value) -> Check {
        let id = self.send(Some(session), method, parameters)?;
        self.unattended.insert(id);
        Ok(())
    }

    fn take(&mut self, message: Value) -> Check {
        if let Some(id) = message.get("id").and_then(Value::as_u64) {
            if !self.unattended.remove(&id) {
                self.replies.insert(id, message);
            }
            return Ok(());
        }
        let session = text_of(&message, "sessionId").to_owned();
        let method = text_of(&message, "method").to_owned();
        let parameters = message.get("params").cloned().unwrap_or_default();
        self.journal.note(&session, &method, &parameters);
        match method.as_str() {
            "Target.attachedToTarget" => self.welcome(&parameters),
            "Page.javascriptDialogOpening" => {
                let yes = json!({ "accept": true });
                self.send_unattended(&session, "Page.handleJavaScriptDialog", yes)
            }
            _ => Ok(()),
        }
    }

    /// A worker waits until it is let go, so that not even its first line is missed.
    fn welcome(&mut self, attached: &Value) -> Check {
        let session = text_of(attached, "sessionId").to_owned();
        if !self.journal.is_worker(&session) {
            return Ok(());
        }
        for method in ["Runtime.enable", "Network.enable", "Log.enable"] {
            self.send_unattended(&session, method, json!({}))?;
        }
        self.send_unattended(&session, "Target.setAutoAttach", auto_attach())?;
        self.send_unattended(&session, "Runtime.runIfWaitingForDebugger", json!({}))
    }
}

/// Parameters that attach workers as they start.
pub fn auto_attach() -> Value {
    json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true })
}
