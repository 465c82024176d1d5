//! What the kernels reach, natively and on one thread: `cargo bench`, or `cargo bench -- attention`
//! for a part. Throughput is in operations (a multiplication and an addition are two), so criterion's
//! `Gelem/s` read as Gop/s; the table at the end has them as shares of the register peaks.
//! The browser's side of it: `cargo xtask bench --profile`.

mod forward;
mod log;
mod loops;
mod peak;
mod products;
mod training;

use std::time::Duration;

use criterion::Criterion;

use crate::log::Log;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20)
        .configure_from_args();
    let mut log = Log::default();
    peak::bench(&mut criterion, &mut log);
    products::bench(&mut criterion, &mut log);
    products::bench_floats(&mut criterion, &mut log);
    loops::bench(&mut criterion, &mut log);
    forward::bench(&mut criterion, &mut log);
    training::bench(&mut criterion, &mut log);
    criterion.final_summary();
    log.print();
}
