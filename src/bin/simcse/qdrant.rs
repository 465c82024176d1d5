//! Qdrant through its REST interface (qdrant.tech, API reference: collections, points).

use std::thread;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Map, Value, json};
use ureq::Agent;

use crate::simcse::arguments::IfExists;
use crate::simcse::sink::{Found, Passage, Sink};

/// A request is tried so often where the server is busy or away.
const TRIES: u32 = 6;
const PATIENCE: Duration = Duration::from_secs(60);
/// Points of a request.
const POINTS: usize = 256;

/// A collection.
pub struct Qdrant {
    agent: Agent,
    /// `http://host:port/collections/name`
    collection: String,
    key: Option<String>,
}

impl Qdrant {
    /// The collection that `qdrant+http://host:port/name` names; it need not be there.
    pub fn open(address: &str) -> anyhow::Result<Self> {
        let plain = address.strip_prefix("qdrant+").unwrap_or(address);
        anyhow::ensure!(
            plain.starts_with("http://"),
            "{address} cannot be used: only qdrant+http:// is spoken; use a tunnel for a server elsewhere"
        );
        let (server, name) = plain
            .trim_end_matches('/')
            .rsplit_once('/')
            .filter(|(server, name)| server.len() > "http://".len() && !name.is_empty())
            .context("an address is qdrant+http://HOST:PORT/COLLECTION")?;
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        Ok(Self {
            agent: config.build().into(),
            collection: format!("{server}/collections/{name}"),
            key: std::env::var("QDRANT_API_KEY").ok().filter(|key| !key.is_empty()),
        })
    }

    /// Makes the collection, for vectors of so many numbers.
    pub fn create(address: &str, hidden: usize, if_exists: IfExists) -> anyhow::Result<Self> {
        let this = Self::open(address)?;
        let found = this.call("GET", "/exists", None)?;
        let is_there = found["result"]["exists"].as_bool().unwrap_or(false);
        anyhow::ensure!(
            !is_there || if_exists != IfExists::Fail,
            "the collection is there already; --if-exists append adds to it, replace deletes it"
        );
        if is_there && if_exists == IfExists::Append {
            return Ok(this);
        }
        if is_there {
            this.call("DELETE", "", None)?;
        }
        let vectors = json!({ "vectors": { "size": hidden, "distance": "Cosine" } });
        this.call("PUT", "", Some(&vectors))?;
        Ok(this)
    }

    /// The passages nearest to a vector.
    pub fn search(&self, vector: &[f32], k: usize) -> anyhow::Result<Vec<Found>> {
        let body = json!({ "query": vector, "limit": k, "with_payload": true });
        let answer = self.call("POST", "/points/query", Some(&body))?;
        let points = answer["result"]["points"].as_array().context("the answer has no points")?;
        let text = |point: &Value, name: &str| {
            point["payload"][name].as_str().unwrap_or_default().to_owned()
        };
        let found = points.iter().map(|point| Found {
            id: text(point, "id"),
            text: text(point, "text"),
            metadata: point["payload"]["metadata"].clone(),
            cosine: point["score"].as_f64().unwrap_or_default() as f32,
        });
        Ok(found.collect())
    }

    /// A request, tried again where the server is busy or does not answer.
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut last = anyhow::anyhow!("it was not tried");
        for attempt in 0..TRIES {
            if attempt > 0 {
                thread::sleep(Duration::from_millis(200) * 2_u32.pow(attempt - 1));
            }
            match self.call_once(method, path, body) {
                Ok((200..=299, answer)) => {
                    return serde_json::from_str(&answer).context("the answer is no JSON");
                }
                Ok((status @ (429 | 500..), answer)) => {
                    last = anyhow::anyhow!("HTTP {status}: {}", answer.trim());
                }
                Ok((401 | 403, _)) => {
                    anyhow::bail!("Qdrant wants a key: put it into QDRANT_API_KEY")
                }
                Ok((status, answer)) => {
                    anyhow::bail!("Qdrant refused: HTTP {status}: {}", answer.trim())
                }
                Err(error) => last = error,
            }
        }
        Err(last).with_context(|| format!("Qdrant did not take it in {TRIES} tries"))
    }

    fn call_once(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(u16, String)> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.collection))
            .header("content-type", "application/json");
        if let Some(key) = &self.key {
            request = request.header("api-key", key);
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut answer = self.agent.run(request.body(body)?)?;
        Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
    }
}

impl Sink for Qdrant {
    fn put(&mut self, passages: &[Passage]) -> anyhow::Result<()> {
        for some in passages.chunks(POINTS) {
            let points: Vec<Value> = some
                .iter()
                .map(|passage| {
                    let mut payload = Map::new();
                    payload.insert("id".to_owned(), Value::from(passage.id.as_str()));
                    payload.insert("text".to_owned(), Value::from(passage.text.as_str()));
                    payload.insert("metadata".to_owned(), Value::Object(passage.metadata.clone()));
                    json!({ "id": point_id(passage), "vector": passage.vector, "payload": payload })
                })
                .collect();
            self.call("PUT", "/points?wait=true", Some(&json!({ "points": points })))?;
        }
        Ok(())
    }

    fn finish(&mut self) -> anyhow::Result<String> {
        Ok(format!(
            "POST {}/points/query {{\"query\": [..], \"limit\": 10, \"with_payload\": true}}",
            self.collection
        ))
    }
}

/// Points have numbers or UUIDs: a row's own number where its id is one, else a number of its id.
fn point_id(passage: &Passage) -> u64 {
    match passage.id.parse() {
        Ok(number) => number,
        // FNV-1a: the same id is the same point whenever it is loaded.
        Err(_) => passage.id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }),
    }
}
