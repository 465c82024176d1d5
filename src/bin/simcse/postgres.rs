//! PostgreSQL with the pgvector extension (github.com/pgvector/pgvector, README).

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context;
use postgres::{Client, NoTls};
use serde_json::Value;

use crate::simcse::arguments::IfExists;
use crate::simcse::sink::{Found, Passage, Sink};

/// The longest name that PostgreSQL keeps whole.
const LONGEST_NAME: usize = 50;

/// A table of passages.
pub struct Postgres {
    client: Client,
    table: String,
}

impl Postgres {
    /// Connects; the table need not be there.
    pub fn connect(address: &str, table: &str) -> anyhow::Result<Self> {
        let is_name = table.len() <= LONGEST_NAME
            && table.starts_with(|it: char| it.is_ascii_lowercase())
            && table.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_');
        anyhow::ensure!(
            is_name,
            "{table} is no name for a table: small letters, digits and _, at most {LONGEST_NAME}"
        );
        let client = Client::connect(address, NoTls).context(
            "the database does not answer; check host, user and password, and that it allows \
             connections without TLS",
        )?;
        Ok(Self { client, table: table.to_owned() })
    }

    /// Makes the table, for vectors of so many numbers.
    pub fn create(mut self, hidden: usize, if_exists: IfExists, of: &str) -> anyhow::Result<Self> {
        self.client.batch_execute("CREATE EXTENSION IF NOT EXISTS vector").context(
            "the pgvector extension is not there; install it, or have an administrator run \
             CREATE EXTENSION vector",
        )?;
        let table = self.table.clone();
        let row = self.client.query_one("SELECT to_regclass($1)::text", &[&table])?;
        let is_there = row.get::<_, Option<String>>(0).is_some();
        anyhow::ensure!(
            !is_there || if_exists != IfExists::Fail,
            "the table {table} is there already; --if-exists append adds to it, replace deletes it"
        );
        if is_there && if_exists == IfExists::Append {
            self.check(of)?;
            return Ok(self);
        }
        self.client.batch_execute(&format!(
            "DROP TABLE IF EXISTS {table};
             CREATE TABLE {table} (id text PRIMARY KEY, text text NOT NULL,
                 metadata jsonb NOT NULL, embedding vector({hidden}) NOT NULL);
             COMMENT ON TABLE {table} IS '{}'",
            format!("simcse {of}").replace('\'', "''"),
        ))?;
        Ok(self)
    }

    /// The table's vectors must be of this model: others would be compared with nonsense.
    fn check(&mut self, of: &str) -> anyhow::Result<()> {
        let query = "SELECT obj_description($1::regclass)";
        let row = self.client.query_one(&query.replace("$1", &format!("'{}'", self.table)), &[])?;
        let found: Option<String> = row.get(0);
        anyhow::ensure!(
            found.is_none_or(|found| found == format!("simcse {of}")),
            "the vectors in {} are of another model or readout; use the options it was loaded with",
            self.table
        );
        Ok(())
    }

    /// The passages nearest to a vector.
    pub fn search(&mut self, vector: &[f32], k: usize, of: &str) -> anyhow::Result<Vec<Found>> {
        let row = self.client.query_one("SELECT to_regclass($1)::text", &[&self.table])?;
        let is_there = row.get::<_, Option<String>>(0).is_some();
        anyhow::ensure!(is_there, "there is no table {}; `simcse load` makes one", self.table);
        self.check(of)?;
        let sql = format!(
            "SELECT id, text, metadata::text, (1 - (embedding <=> $1::text::vector))::float4
             FROM {} ORDER BY embedding <=> $1::text::vector LIMIT $2",
            self.table
        );
        let rows = self.client.query(&sql, &[&literal(vector), &(k as i64)])?;
        rows.iter()
            .map(|row| {
                let metadata: String = row.get(2);
                Ok(Found {
                    id: row.get(0),
                    text: row.get(1),
                    metadata: serde_json::from_str(&metadata)?,
                    cosine: row.get(3),
                })
            })
            .collect()
    }
}

impl Sink for Postgres {
    fn put(&mut self, passages: &[Passage]) -> anyhow::Result<()> {
        let table = &self.table;
        let mut transaction = self.client.transaction()?;
        transaction.batch_execute(&format!(
            "CREATE TEMP TABLE incoming (LIKE {table}, place bigint) ON COMMIT DROP"
        ))?;
        let mut copy = transaction
            .copy_in("COPY incoming (id, text, metadata, embedding, place) FROM STDIN")?;
        for passage in passages {
            copy.write_all(line(passage)?.as_bytes())?;
        }
        copy.finish()?;
        // Of rows with one id the last counts.
        transaction.batch_execute(&format!(
            "INSERT INTO {table} (id, text, metadata, embedding)
             SELECT DISTINCT ON (id) id, text, metadata, embedding FROM incoming
             ORDER BY id, place DESC
             ON CONFLICT (id) DO UPDATE SET text = EXCLUDED.text,
                 metadata = EXCLUDED.metadata, embedding = EXCLUDED.embedding"
        ))?;
        Ok(transaction.commit()?)
    }

    fn finish(&mut self) -> anyhow::Result<String> {
        let table = &self.table;
        self.client.batch_execute(&format!(
            "CREATE INDEX IF NOT EXISTS {table}_nearest ON {table}
                 USING hnsw (embedding vector_cosine_ops);
             ANALYZE {table}"
        ))?;
        Ok(format!(
            "SELECT id, text, 1 - (embedding <=> $1) AS cosine FROM {table} ORDER BY embedding <=> $1 LIMIT 10;"
        ))
    }
}

/// A line of COPY's text format: cells between tabs.
fn line(passage: &Passage) -> anyhow::Result<String> {
    let metadata = serde_json::to_string(&Value::Object(passage.metadata.clone()))?;
    // jsonb takes no zero character.
    let metadata = metadata.replace("\\u0000", "");
    let cells = [
        escaped(&passage.id),
        escaped(&passage.text),
        escaped(&metadata),
        literal(&passage.vector),
        passage.number.to_string(),
    ];
    Ok(cells.join("\t") + "\n")
}

/// Text takes no zero character, whatever escapes it.
fn escaped(text: &str) -> String {
    let plain = text.replace('\0', "").replace('\\', "\\\\");
    plain.replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

/// A vector as pgvector writes it.
fn literal(vector: &[f32]) -> String {
    let mut text = String::from("[");
    for (place, value) in vector.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        // A string takes everything.
        let _ = write!(text, "{comma}{value}");
    }
    text + "]"
}
