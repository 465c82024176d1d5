//! Reading what the harness writes with `--out`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::shell::Outcome;

/// Short sentences (mean 22 tokens), one a call.
pub const SHORT_ONE: &str = "short256/1";
/// The same in batches of 32, in the given order.
pub const SHORT_GIVEN: &str = "short256/32";
/// The same, the list sorted by length first.
pub const SHORT_SORTED: &str = "short256/sorted32";
/// Passages (mean 123 tokens), one a call.
pub const LONG_ONE: &str = "long64/1";
/// The same in batches of 32.
pub const LONG_GIVEN: &str = "long64/32";

/// One run of all contestants.
#[derive(Debug)]
pub struct Report {
    /// The day, as `2026-11-23`.
    pub date: String,
    /// The processor's name.
    pub cpu: String,
    pub cores: u64,
    pub rounds: u64,
    /// Milliseconds for each workload.
    pub budget_ms: f64,
    /// Above so many cores used by others the harness calls the machine busy.
    noisy_cores: f64,
    pub contestants: Vec<Contestant>,
}

/// One engine with one number of threads: medians over the rounds.
#[derive(Debug)]
pub struct Contestant {
    /// The harness's name for it.
    pub name: String,
    /// What the engine says its version is.
    pub version: String,
    pub runtime_mb: Option<f64>,
    pub runtime_gz_mb: Option<f64>,
    pub model_mb: Option<f64>,
    /// Cosine to the f32 reference: mean and worst over the benchmark's sets, worst golden case.
    pub cosine_mean: Option<f64>,
    pub cosine_min: Option<f64>,
    pub golden_min: Option<f64>,
    pub visits: Vec<Visit>,
}

/// One visit of one contestant.
#[derive(Debug, Default)]
pub struct Visit {
    pub round: u64,
    pub cold_ms: Option<f64>,
    /// Peak resident set of the page's process.
    pub memory_mb: Option<f64>,
    /// Cores used by anything else meanwhile.
    others_cores: Option<f64>,
    /// Sentences a second, by workload.
    pub per_s: BTreeMap<String, f64>,
    /// Median milliseconds of a call, by workload.
    pub call_ms: BTreeMap<String, f64>,
    /// What went wrong, in the harness's words.
    errors: Vec<String>,
}

impl Report {
    /// Reads the harness's JSON.
    pub fn read(text: &str) -> Outcome<Self> {
        let root: Value = serde_json::from_str(text)
            .map_err(|error| format!("the harness's figures are no JSON: {error}"))?;
        let list = |field: &str| {
            let list = root.get(field).and_then(Value::as_array);
            list.ok_or_else(|| format!("the harness's figures have no list `{field}`"))
        };
        let visits = list("visits")?;
        let contestants: Vec<Contestant> =
            list("summary")?.iter().map(|summary| Contestant::read(summary, visits)).collect();
        let when = words(&root, "when");
        Ok(Self {
            date: when.split('T').next().unwrap_or_default().to_owned(),
            cpu: words(&root, "cpu"),
            cores: root.get("cores").and_then(Value::as_u64).unwrap_or(0),
            rounds: at(&root, &["args", "rounds"]).and_then(Value::as_u64).unwrap_or(0),
            budget_ms: number(&root, &["args", "budget"]).unwrap_or(0.0),
            noisy_cores: number(&root, &["args", "noisy"]).unwrap_or(0.0),
            contestants,
        })
    }

    /// Why the figures should not be shown to anybody; empty if they may.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts: Vec<String> = self
            .contestants
            .iter()
            .flat_map(|contestant| contestant.doubts(self.rounds, self.noisy_cores))
            .collect();
        for (what, is_ours) in [("of ours", true), ("to compare with", false)] {
            if !self.contestants.iter().any(|it| it.is_ours() == is_ours) {
                doubts.push(format!("no contestant {what} ran"));
            }
        }
        doubts
    }
}

impl Contestant {
    fn read(summary: &Value, visits: &[Value]) -> Self {
        let name = words(summary, "name");
        let own = visits.iter().filter(|visit| words(visit, "name") == name);
        let is_ours = is_ours(&name);
        Self {
            version: words(summary, "version"),
            runtime_mb: number(summary, &["runtime_MB"]),
            runtime_gz_mb: number(summary, &["runtime_gz_MB"]),
            model_mb: number(summary, &["model_MB"]),
            cosine_mean: number(summary, &["cosMean"]),
            cosine_min: number(summary, &["cosMin"]),
            golden_min: number(summary, &["goldenMin"]),
            visits: own.map(|visit| Visit::read(visit, is_ours)).collect(),
            name,
        }
    }

    /// Whether it is our engine.
    pub fn is_ours(&self) -> bool {
        is_ours(&self.name)
    }

    /// The number before the `t` that every name ends with.
    pub fn threads(&self) -> Option<u64> {
        self.name.rsplit_once('-')?.1.strip_suffix('t')?.parse().ok()
    }

    /// The median over the visits.
    pub fn median(&self, of: impl Fn(&Visit) -> Option<f64>) -> Option<f64> {
        median(self.visits.iter().filter_map(of).collect())
    }

    fn doubts(&self, rounds: u64, noisy_cores: f64) -> Vec<String> {
        let name = &self.name;
        let mut doubts = Vec::new();
        if self.visits.len() as u64 != rounds {
            doubts.push(format!("{name}: {} visits in {rounds} rounds", self.visits.len()));
        }
        for visit in &self.visits {
            let round = visit.round;
            doubts
                .extend(visit.errors.iter().map(|error| format!("{name}, round {round}: {error}")));
            match visit.others_cores {
                Some(cores) if cores <= noisy_cores => {}
                Some(cores) => doubts.push(format!(
                    "{name}, round {round}: the machine was busy, others used {cores:.2} cores \
                     (at most {noisy_cores} may be)"
                )),
                // A visit that broke off has no such figure, and an error instead.
                None if visit.errors.is_empty() => {
                    doubts.push(format!(
                        "{name}, round {round}: nobody knows how busy the machine was"
                    ));
                }
                None => {}
            }
        }
        doubts
    }
}

impl Visit {
    fn read(visit: &Value, is_ours: bool) -> Self {
        let mut own = Self {
            round: visit.get("round").and_then(Value::as_u64).unwrap_or(0),
            cold_ms: number(visit, &["cold", "cold"]),
            memory_mb: number(visit, &["mem", "renderer", "peak"]),
            others_cores: number(visit, &["others"]),
            ..Self::default()
        };
        own.errors.extend(visit.get("error").and_then(Value::as_str).map(str::to_owned));
        for (workload, figures) in fields(visit, "work") {
            if let Some(error) = figures.get("error").and_then(Value::as_str) {
                own.errors.push(format!("{workload}: {error}"));
            }
            own.per_s.extend(number(figures, &["sps"]).map(|it| (workload.clone(), it)));
            own.call_ms.extend(number(figures, &["med"]).map(|it| (workload.clone(), it)));
        }
        // What peers make of strange sentences is theirs; ours have to answer all of them.
        let failed = fields(visit, "golden").filter(|_| is_ours);
        let failed = failed.filter_map(|(case, result)| Some((case, result.as_str()?)));
        own.errors.extend(failed.map(|(case, error)| format!("golden case {case}: {error}")));
        own
    }
}

fn is_ours(name: &str) -> bool {
    name.starts_with("app:ours-")
}

/// The middle, or the mean of the two in the middle.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some((values.get(low)? + values.get(high)?) / 2.0)
}

fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, field| value.get(field))
}

fn number(value: &Value, path: &[&str]) -> Option<f64> {
    at(value, path).and_then(Value::as_f64)
}

fn words(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn fields<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(field).and_then(Value::as_object).into_iter().flatten()
}

#[cfg(test)]
pub mod tests {
    use super::{LONG_GIVEN, Report, SHORT_GIVEN, SHORT_ONE, SHORT_SORTED, median};

    /// Two rounds of three contestants as the harness writes them, with `change` made to the text.
    pub fn sample(change: impl Fn(String) -> String) -> Result<Report, String> {
        let names = ["ort-wasm-q8-1t", "tjs-wasm-q8-1t", "app:ours-1t"];
        let summary: Vec<String> = names
            .iter()
            .map(|name| {
                format!(
                    r#"{{"name":"{name}","version":"1.2.3","cold_ms":1,"runtime_MB":14.35,
                    "runtime_gz_MB":3.73,"model_MB":23.39,"cosMean":0.99305,"cosMin":0.96747,
                    "goldenMin":0.9712,"goldenLow":[],"others":0.02}}"#
                )
            })
            .collect();
        let mut visits = Vec::new();
        for (round, slower) in [(0, 1.0), (1, 2.0)] {
            for (name, given) in names.iter().zip([80.0, 70.0, 240.0]) {
                visits.push(visit(name, round, given / slower));
            }
        }
        let text = format!(
            r#"{{"when":"2026-11-23T19:00:00.000Z","cpu":"AMD EPYC","cores":2,
            "args":{{"rounds":2,"budget":4000,"noisy":0.2}},
            "summary":[{}],"visits":[{}]}}"#,
            summary.join(","),
            visits.join(",")
        );
        Report::read(&change(text))
    }

    fn visit(name: &str, round: u32, given: f64) -> String {
        let work = [(SHORT_ONE, 1.5), (SHORT_GIVEN, 1.0), (SHORT_SORTED, 1.25), (LONG_GIVEN, 0.25)]
            .map(|(workload, factor)| {
                let per_s = given * factor;
                format!(r#""{workload}":{{"sps":{per_s},"med":{},"cosMin":0.97}}"#, 1000.0 / per_s)
            });
        format!(
            r#"{{"name":"{name}","round":{round},"work":{{{}}},"cold":{{"cold":{}}},
            "golden":{{"empty":0.98}},"mem":{{"renderer":{{"peak":380}}}},"others":0.02,"errs":[]}}"#,
            work.join(","),
            80_000.0 / given
        )
    }

    #[test]
    fn figures_are_medians_over_the_rounds() -> Result<(), String> {
        let report = sample(|text| text)?;
        assert_eq!((report.date.as_str(), report.cores, report.rounds), ("2026-11-23", 2, 2));
        assert_eq!(report.doubts(), Vec::<String>::new());
        let ours = report.contestants.last().ok_or("no contestant")?;
        assert!(ours.is_ours());
        assert_eq!(ours.threads(), Some(1));
        assert_eq!(ours.median(|visit| visit.per_s.get(SHORT_GIVEN).copied()), Some(180.0));
        assert_eq!(ours.median(|visit| visit.memory_mb), Some(380.0));
        assert_eq!(ours.golden_min, Some(0.9712));
        Ok(())
    }

    #[test]
    fn errors_busy_machines_and_missing_visits_are_doubts() -> Result<(), String> {
        type Change = fn(String) -> String;
        let cases: [(&str, Change); 5] = [
            ("round 0: the machine was busy, others used 0.70", |text| {
                text.replacen("\"others\":0.02,\"errs\"", "\"others\":0.7,\"errs\"", 1)
            }),
            ("ort-wasm-q8-1t, round 0: short256/32: invalid rows", |text| {
                text.replacen(
                    "\"short256/32\":{",
                    "\"short256/32\":{\"error\":\"invalid rows\",",
                    1,
                )
            }),
            ("ort-wasm-q8-1t, round 0: timed out", |text| {
                text.replacen("\"errs\":[]", "\"error\":\"timed out\"", 1)
            }),
            ("app:ours-1t: 2 visits in 9 rounds", |text| {
                text.replace("\"rounds\":2", "\"rounds\":9")
            }),
            ("no contestant of ours ran", |text| text.replace("app:ours-", "app:other-")),
        ];
        for (expected, change) in cases {
            let doubts = sample(change)?.doubts().join("\n");
            assert!(doubts.contains(expected), "{expected}: {doubts}");
        }
        Ok(())
    }

    #[test]
    fn failed_golden_cases_count_for_ours_only() -> Result<(), String> {
        let broken = |text: String| text.replace("\"empty\":0.98", "\"empty\":\"Error: no\"");
        let doubts = sample(broken)?.doubts();
        assert_eq!(doubts.len(), 2, "{doubts:?}");
        assert!(doubts.iter().all(|doubt| doubt.starts_with("app:ours-1t")), "{doubts:?}");
        Ok(())
    }

    #[test]
    fn what_is_no_report_is_refused() {
        assert!(Report::read("").is_err());
        assert!(Report::read("{\"summary\":[]}").is_err());
    }

    #[test]
    fn median_of_even_counts_lies_between() {
        assert_eq!(median(vec![3.0, 1.0]), Some(2.0));
        assert_eq!(median(vec![5.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(Vec::new()), None);
    }
}
