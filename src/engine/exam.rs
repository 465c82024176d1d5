//! The truth meter: what an engine computes with, compared with the processor on a small fixed set, and
//! both timed.
//!
//! The processor's own arithmetic is int8 (cosine to exact arithmetic at least .998), so for weights that
//! we know, vectors of the Python reference (PyTorch, `f32`) are stored as well; a device is judged by
//! those where they are there.

use half::f16;
use web_time::Instant;

use crate::backend::cpu::Cpu;
use crate::backend::{Backend, Way};
use crate::math::rows::dot;
use crate::model::encoder::Encoder;
use crate::model::error::Error;
use crate::protocol::gpu::Backend as Kind;
use crate::protocol::gpu::{KernelCheck, Preference, Reason, Report, Tuned, Verdict};
use crate::protocol::readout::Readout;
use crate::text::tokeniser::Tokens;
use crate::weights::bert::BertFile;

/// A sentence a line: short and long ones, figures, capitals, an accent, another script.
const SENTENCES: &str = include_str!("../../assets/probe/sentences.txt");

/// Weights whose vectors of [`SENTENCES`] are stored: sha256 of the file, and `[sentences, hidden]`
/// numbers as little-endian `f16`, of unit length (made by `assets/probe/make.py`).
const STORED: [(&str, &[u8]); 1] = [(
    "e92b73cef53be1698f3b8aa811152b2f9115f4ee1c3d8b870f99aa95b47d9acb",
    include_bytes!("../../assets/probe/all-MiniLM-L6-v2.f16"),
)];

/// A correct device's vectors have at least this cosine with stored ones. With blocks of eight bits the
/// worst of our golden sentences has .9995 when all sums are exact.
const LEAST_WITH_STORED: f32 = 0.999;
/// And with the processor's, whose states are rounded to eight bits, at least this.
const LEAST_WITH_CPU: f32 = 0.997;

/// Times each of the sentences is in the short list, which both compute, and in the long one, for a
/// device that makes short work of the short one.
const SHORT: usize = 3;
const LONG: usize = 64;
/// What is short work.
const QUICK_MS: f64 = 250.0;
/// A device that takes so many times as long for one sentence is not asked for lists.
const HOPELESS: f64 = 20.0;
/// One sentence is timed so often.
const REPEATS: usize = 5;

/// The comparison on its way.
#[derive(Debug, Default)]
pub struct Exam {
    /// What is known of some device.
    tuned: Option<Tuned>,
    is_settled: bool,
    /// The device is so slow that ways were not tried.
    is_untried: bool,
    /// The fastest way, where it was wrong.
    wrong_way: Option<String>,
    cpu: Option<Encoder<Cpu>>,
    sentences: Vec<Tokens>,
    /// `[sentences, hidden]`
    by_device: Vec<f32>,
    by_cpu: Vec<f32>,
    kernels: Vec<KernelCheck>,
    /// Latencies.
    device_ms: Vec<f64>,
    cpu_ms: Vec<f64>,
}

impl Exam {
    /// One that begins, with what is known of a device.
    pub fn new(tuned: Option<Tuned>) -> Self {
        Self { tuned, ..Self::default() }
    }

    /// Begins anew.
    pub fn restart(&mut self) {
        *self = Self::new(self.tuned.take());
    }

    /// Does a little; the report in the end.
    ///
    /// # Errors
    /// Where one of the two fails.
    pub async fn step<B: Backend>(
        &mut self,
        file: &BertFile,
        device: &Encoder<B>,
    ) -> Result<Option<Report>, Error> {
        let readout = Readout::last(file.config.pooling);
        let Some(cpu) = &self.cpu else {
            let tokens = SENTENCES.lines().map(|text| device.tokenise(text));
            self.sentences = tokens.collect::<Result<_, _>>()?;
            self.cpu = Some(Encoder::load(Cpu::default(), file)?);
            return Ok(None);
        };
        let one = self.sentences.get(1..2).unwrap_or_default();
        if !self.is_settled {
            // The first time, programs are compiled.
            device.embed(one, readout).await?;
            let device_ms = timed(device, one, readout).await?;
            let is_hopeless = device_ms > HOPELESS * timed(cpu, one, readout).await?;
            let way = self.way(&device.backend().device(), is_hopeless);
            device.backend().settle(way).await?;
            (self.is_untried, self.is_settled) = (way == Way::Safe, true);
            return Ok(None);
        }
        if self.by_device.is_empty() {
            self.kernels = device.backend().check().await?;
            self.by_device = device.embed(&self.sentences, readout).await?;
            self.by_cpu = cpu.embed(&self.sentences, readout).await?;
            if self.wrong_way.is_none() && !is_right(&self.compare(file)) {
                self.wrong_way = device.backend().way();
                device.backend().settle(Way::Safe).await?;
                // One way is not wrong twice.
                if device.backend().way() != self.wrong_way {
                    self.by_device.clear();
                } else {
                    self.wrong_way = None;
                }
            }
            return Ok(None);
        }
        if self.device_ms.len() < REPEATS && !self.is_hopeless() {
            self.device_ms.push(timed(device, one, readout).await?);
            self.cpu_ms.push(timed(cpu, one, readout).await?);
            return Ok(None);
        }
        let (short, long) = (self.list(SHORT), self.list(LONG));
        let cpu_per_s = rate(&short, timed(cpu, &short, readout).await?);
        let (mut list, mut took_ms) =
            (short.get(1..2).unwrap_or_default(), median(&mut self.device_ms));
        if !self.is_hopeless() {
            (list, took_ms) = (&short, timed(device, &short, readout).await?);
        }
        if list.len() > 1 && took_ms < QUICK_MS {
            (list, took_ms) = (&long, timed(device, &long, readout).await?);
        }
        let tokens: usize = list.iter().map(|tokens| tokens.ids.len()).sum();
        Ok(Some(Report {
            device: device.backend().device(),
            way: device.backend().way().filter(|_| !self.is_untried),
            wrong_way: self.wrong_way.clone(),
            cpu: cpu.backend().device(),
            gpu_per_s: rate(list, took_ms),
            cpu_per_s,
            gpu_tokens_per_s: tokens as f64 / took_ms * 1e3,
            gpu_latency_ms: median(&mut self.device_ms),
            cpu_latency_ms: median(&mut self.cpu_ms),
            ..self.compare(file)
        }))
    }

    /// How this device is to compute. Measuring one that is so slow would keep the processor from its
    /// work for nothing.
    fn way(&self, device: &str, is_hopeless: bool) -> Way<'_> {
        match &self.tuned {
            Some(tuned) if tuned.device == device => Way::Known(&tuned.way),
            _ if is_hopeless => Way::Safe,
            _ => Way::Measured,
        }
    }

    /// Whether the device is so slow (a GPU played by the processor) that its list would only keep the
    /// processor from its work: its speed is then that of single sentences.
    fn is_hopeless(&self) -> bool {
        let all = self.device_ms.iter().zip(&self.cpu_ms);
        all.into_iter().any(|(device_ms, cpu_ms)| *device_ms > HOPELESS * cpu_ms)
    }

    /// The sentences, so many times.
    fn list(&self, times: usize) -> Vec<Tokens> {
        (0..times).flat_map(|_| self.sentences.iter().cloned()).collect()
    }

    fn compare(&self, file: &BertFile) -> Report {
        let hidden = file.config.hidden.max(1);
        let differences = self.by_device.iter().zip(&self.by_cpu).map(|(a, b)| (a - b).abs());
        let stored = stored(&file.sha256);
        Report {
            sentence_count: u16::try_from(self.sentences.len()).unwrap_or(u16::MAX),
            kernels: self.kernels.clone(),
            lowest_cosine: lowest_cosine(&self.by_device, &self.by_cpu, hidden),
            largest_difference: differences.fold(0.0, f32::max),
            with_stored: stored.map(|stored| {
                let lowest = |rows: &[f32]| lowest_cosine(rows, &stored, hidden);
                (lowest(&self.by_device), lowest(&self.by_cpu))
            }),
            ..Report::default()
        }
    }
}

/// The stored vectors `[sentences, hidden]` of a file's model.
pub fn stored(sha256: &str) -> Option<Vec<f32>> {
    let (_, bytes) = STORED.iter().find(|(known, _)| *known == sha256)?;
    let numbers = bytes.as_chunks::<2>().0.iter();
    Some(numbers.map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect())
}

fn lowest_cosine(a: &[f32], b: &[f32], hidden: usize) -> f32 {
    if a.len() != b.len() {
        return -1.0;
    }
    let rows = a.chunks_exact(hidden).zip(b.chunks_exact(hidden));
    let cosines = rows.map(|(a, b)| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt());
    // A number that is none counts as the worst.
    cosines.map(|cosine| if cosine.is_finite() { cosine } else { -1.0 }).fold(1.0, f32::min)
}

async fn timed<B: Backend>(
    encoder: &Encoder<B>,
    sentences: &[Tokens],
    readout: Readout,
) -> Result<f64, Error> {
    let start = Instant::now();
    encoder.embed(sentences, readout).await?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn rate(sentences: &[Tokens], took_ms: f64) -> f64 {
    sentences.len() as f64 / took_ms.max(1e-3) * 1e3
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// What computes, given a comparison with one thread of a processor that has so many for us.
pub fn decide(report: Report, preference: Preference, cpu_workers: u16) -> Verdict {
    /// Two workers were measured to have 1.7 times one's throughput.
    const OF_ITS_OWN: f64 = 0.85;
    /// A way to the GPU's worker and back.
    const WAY_MS: f64 = 2.0;
    let is_right = is_right(&report);
    let workers = f64::from(cpu_workers.max(1));
    let cpu_per_s = report.cpu_per_s * if workers > 1.0 { workers * OF_ITS_OWN } else { 1.0 };
    let (lists, pairs) = match preference {
        _ if !is_right => (Kind::Cpu, Kind::Cpu),
        Preference::Cpu => (Kind::Cpu, Kind::Cpu),
        Preference::Gpu => (Kind::WebGpu, Kind::WebGpu),
        Preference::Measured => (
            either(report.gpu_per_s > cpu_per_s),
            either(report.gpu_latency_ms + WAY_MS < report.cpu_latency_ms),
        ),
    };
    let reason = match preference {
        _ if !is_right => Reason::Wrong,
        Preference::Cpu | Preference::Gpu => Reason::Wanted,
        Preference::Measured if lists == Kind::WebGpu || pairs == Kind::WebGpu => Reason::Faster,
        Preference::Measured => Reason::Slower,
    };
    Verdict { report, cpu_workers, lists, pairs, reason }
}

/// Whether the device computes the model.
fn is_right(report: &Report) -> bool {
    report.with_stored.is_none_or(|(device, _)| device >= LEAST_WITH_STORED)
        && report.lowest_cosine >= LEAST_WITH_CPU
        && report.kernels.iter().all(|kernel| kernel.is_right)
}

fn either(gpu: bool) -> Kind {
    if gpu { Kind::WebGpu } else { Kind::Cpu }
}

#[cfg(test)]
mod tests {
    use super::Exam;
    use crate::backend::Way;
    use crate::protocol::gpu::Tuned;

    #[test]
    fn what_is_known_of_another_device_counts_for_nothing() {
        let tuned = Tuned { device: "that one".to_owned(), way: "f16 8x4".to_owned() };
        let exam = Exam::new(Some(tuned));
        assert_eq!(exam.way("that one", true), Way::Known("f16 8x4"));
        assert_eq!(exam.way("this one", false), Way::Measured);
        assert_eq!(exam.way("this one", true), Way::Safe);
    }

    #[test]
    fn a_new_beginning_keeps_what_is_known() {
        let tuned = Tuned { device: "that one".to_owned(), way: "f16 8x4".to_owned() };
        let mut exam = Exam::new(Some(tuned));
        exam.is_settled = true;
        exam.restart();
        assert!(!exam.is_settled);
        assert_eq!(exam.way("that one", false), Way::Known("f16 8x4"));
    }
}
