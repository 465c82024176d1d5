//! What was measured, for the table of shares at the end.

use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Throughput};

/// What a row of the table is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peak {
    Int8,
    F32,
    /// It is a peak itself.
    Itself(Numbers),
    /// Not a matrix product.
    Nothing,
}

/// What a peak is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    Int8,
    F32,
}

/// Rows of the table.
#[derive(Debug, Default)]
pub struct Log {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    operations: u64,
    /// Of the sample that was least disturbed.
    best: Duration,
    peak: Peak,
}

impl Log {
    /// Measures `work`, which takes so many operations.
    pub fn measure(
        &mut self,
        group: &mut BenchmarkGroup<'_, WallTime>,
        name: &str,
        operations: u64,
        peak: Peak,
        mut work: impl FnMut(),
    ) {
        let mut best = Duration::MAX;
        group.throughput(Throughput::Elements(operations));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|count| {
                let started = Instant::now();
                for _ in 0..count {
                    work();
                }
                let took = started.elapsed();
                best = best.min(took.div_f64(count.max(1) as f64));
                took
            });
        });
        // One that the command line left out was not measured.
        if best < Duration::MAX {
            self.rows.push(Row { name: name.to_owned(), operations, best, peak });
        }
    }

    /// The table: operations a second and shares of the highest peak of their kind.
    pub fn print(&self) {
        println!("\n{:>10} {:>8} {:>7}  fastest sample of each", "time us", "Gop/s", "share");
        for row in &self.rows {
            let share = match row.peak {
                Peak::Int8 => self.highest(Numbers::Int8).map(|peak| row.gops() / peak),
                Peak::F32 => self.highest(Numbers::F32).map(|peak| row.gops() / peak),
                Peak::Itself(_) | Peak::Nothing => None,
            };
            let share = share.map_or_else(String::new, |share| format!("{:.1} %", share * 100.0));
            let time_us = row.best.as_secs_f64() * 1e6;
            println!("{time_us:>10.2} {:>8.1} {share:>7}  {}", row.gops(), row.name);
        }
    }

    fn highest(&self, numbers: Numbers) -> Option<f64> {
        let peaks = self.rows.iter().filter(|row| row.peak == Peak::Itself(numbers));
        peaks.map(Row::gops).reduce(f64::max)
    }
}

impl Row {
    fn gops(&self) -> f64 {
        self.operations as f64 / self.best.as_secs_f64() / 1e9
    }
}
