//! What happened in the browser, by page: console, exceptions, requests, workers, downloads.

use std::collections::HashMap;

use serde_json::Value;

/// Everything noted so far.
#[derive(Default)]
pub struct Journal {
    /// By the session of the page.
    pages: HashMap<String, Record>,
    /// A worker's session to its page's session.
    owners: HashMap<String, String>,
    pub downloads: Vec<Download>,
}

/// What one page and its workers did.
#[derive(Default, Clone)]
pub struct Record {
    pub console: Vec<Line>,
    pub requests: Vec<Request>,
    pub workers: Vec<WorkerEntry>,
    /// How many times the load event fired.
    pub loads: u32,
    pub crashed: bool,
    /// The input that asked for files, where choosers are intercepted.
    pub chooser: Option<i64>,
}

/// A line of the console, or an uncaught exception.
#[derive(Debug, Clone)]
pub struct Line {
    pub level: Level,
    pub from_worker: bool,
    pub text: String,
}

/// How bad a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Info,
    Warning,
    Error,
    Uncaught,
}

/// A request that the page or one of its workers made.
#[derive(Debug, Clone)]
pub struct Request {
    id: String,
    pub url: String,
    pub status: Option<u64>,
    pub from_worker: bool,
    pub error: Option<String>,
}

/// A worker of a page.
#[derive(Debug, Clone)]
pub struct WorkerEntry {
    pub session: String,
    /// It was started by another worker.
    pub helps: bool,
    pub url: String,
    pub alive: bool,
}

/// A file that the page handed to the visitor.
#[derive(Debug, Clone)]
pub struct Download {
    pub guid: String,
    pub file_name: String,
    pub finished: bool,
}

impl Journal {
    /// Begins the record of a page.
    pub fn begin(&mut self, session: &str) {
        self.pages.insert(session.to_owned(), Record::default());
    }

    /// The record of that page.
    pub fn page(&self, session: &str) -> Record {
        self.pages.get(session).cloned().unwrap_or_default()
    }

    /// The record of that page, to change it.
    pub fn page_mut(&mut self, session: &str) -> &mut Record {
        self.pages.entry(session.to_owned()).or_default()
    }

    /// Whether the session is a worker's.
    pub fn is_worker(&self, session: &str) -> bool {
        self.owners.contains_key(session)
    }

    /// Whether that worker still runs.
    pub fn worker_alive(&self, session: &str) -> bool {
        let mut workers = self.pages.values().flat_map(|page| &page.workers);
        workers.any(|worker| worker.session == session && worker.alive)
    }

    /// Notes an event.
    pub fn note(&mut self, session: &str, method: &str, event: &Value) {
        match method {
            "Target.attachedToTarget" => return self.attach(session, event),
            "Target.detachedFromTarget" => return self.detach(text_of(event, "sessionId")),
            "Browser.downloadWillBegin" => return self.begin_download(event),
            "Browser.downloadProgress" => return self.finish_download(event),
            _ => {}
        }
        let from_worker = self.owners.contains_key(session);
        let owner = self.owners.get(session).map_or(session, String::as_str);
        if let Some(page) = self.pages.get_mut(owner) {
            page.note(method, event, from_worker);
        }
    }

    fn attach(&mut self, parent: &str, event: &Value) {
        let helps = self.is_worker(parent);
        let owner = self.owners.get(parent).cloned().unwrap_or_else(|| parent.to_owned());
        let Some(page) = self.pages.get_mut(&owner) else { return };
        let session = text_of(event, "sessionId").to_owned();
        let target = event.get("targetInfo").cloned().unwrap_or_default();
        let url = text_of(&target, "url").to_owned();
        // The one that keeps the page's files is not the page's.
        if text_of(&target, "type") != "service_worker" {
            page.workers.push(WorkerEntry { session: session.clone(), helps, url, alive: true });
        }
        self.owners.insert(session, owner);
    }

    fn detach(&mut self, session: &str) {
        let workers = self.pages.values_mut().flat_map(|page| page.workers.iter_mut());
        for worker in workers.filter(|worker| worker.session == session) {
            worker.alive = false;
        }
    }

    fn begin_download(&mut self, event: &Value) {
        self.downloads.push(Download {
            guid: text_of(event, "guid").to_owned(),
            file_name: text_of(event, "suggestedFilename").to_owned(),
            finished: false,
        });
    }

    fn finish_download(&mut self, event: &Value) {
        let guid = text_of(event, "guid");
        let finished = text_of(event, "state") == "completed";
        for download in self.downloads.iter_mut().filter(|download| download.guid == guid) {
            download.finished |= finished;
        }
    }
}

impl Record {
    fn note(&mut self, method: &str, event: &Value, from_worker: bool) {
        let mut line = |level, text| self.console.push(Line { level, from_worker, text });
        match method {
            "Runtime.consoleAPICalled" => {
                let level = level_of(text_of(event, "type"));
                line(level, console_text(event));
            }
            "Runtime.exceptionThrown" => line(Level::Uncaught, exception_text(event)),
            "Log.entryAdded" => {
                let entry = event.get("entry").cloned().unwrap_or_default();
                let text = format!("{} {}", text_of(&entry, "text"), text_of(&entry, "url"));
                line(level_of(text_of(&entry, "level")), text.trim_end().to_owned());
            }
            "Network.requestWillBeSent" => self.begin_request(event, from_worker),
            "Network.responseReceived" => {
                let status = event.pointer("/response/status").and_then(Value::as_u64);
                self.with_request(event, |request| request.status = status);
            }
            "Network.loadingFailed" => {
                let error = text_of(event, "errorText").to_owned();
                self.with_request(event, |request| request.error = Some(error));
            }
            "Page.loadEventFired" => self.loads += 1,
            "Page.fileChooserOpened" => {
                self.chooser = event.get("backendNodeId").and_then(Value::as_i64);
            }
            "Inspector.targetCrashed" if !from_worker => self.crashed = true,
            _ => {}
        }
    }

    fn begin_request(&mut self, event: &Value, from_worker: bool) {
        let url = event.pointer("/request/url").and_then(Value::as_str).unwrap_or_default();
        self.requests.push(Request {
            id: text_of(event, "requestId").to_owned(),
            url: url.to_owned(),
            status: None,
            from_worker,
            error: None,
        });
    }

    fn with_request(&mut self, event: &Value, change: impl FnOnce(&mut Request)) {
        let id = text_of(event, "requestId");
        if let Some(request) = self.requests.iter_mut().rev().find(|request| request.id == id) {
            change(request);
        }
    }
}

/// A field that is text, or nothing.
pub fn text_of<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The message of a `Runtime` exception.
pub fn exception_text(event: &Value) -> String {
    let details = event.get("exceptionDetails").unwrap_or(event);
    let description = details.pointer("/exception/description").and_then(Value::as_str);
    let value = details.pointer("/exception/value").map(Value::to_string);
    match (description, value) {
        (Some(description), _) => description.to_owned(),
        (None, Some(value)) => format!("{} {value}", text_of(details, "text")),
        (None, None) => text_of(details, "text").to_owned(),
    }
}

fn console_text(event: &Value) -> String {
    let arguments = event.get("args").and_then(Value::as_array).cloned().unwrap_or_default();
    let words: Vec<String> = arguments
        .iter()
        .map(|argument| match argument.get("value") {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => text_of(argument, "description").to_owned(),
        })
        .collect();
    words.join(" ")
}

fn level_of(name: &str) -> Level {
    match name {
        "error" | "assert" => Level::Error,
        "warning" => Level::Warning,
        _ => Level::Info,
    }
}
