//! Our figures over those of the best peer with as many threads.

use super::report::{Contestant, LONG_GIVEN, LONG_ONE, Report, SHORT_GIVEN, SHORT_ONE};
use super::report::{SHORT_SORTED, Visit, median};

/// The ways in which a peer may be fed the short sentences.
const SETTINGS: [&str; 4] = [SHORT_ONE, "short256/8", SHORT_GIVEN, SHORT_SORTED];

/// Ratios of one contestant of ours. Each is taken within a round and is the median over the
/// rounds, so that a machine that gets slower in between does not matter.
#[derive(Debug, Default)]
pub struct Ratios {
    /// Sentences a second in the given order, ours over the best peer's.
    pub given: Option<f64>,
    /// Ours in the given order over the best that a peer reaches in any order and batch size.
    pub best_setting: Option<f64>,
    pub long: Option<f64>,
    /// Times and memory, ours over the best peer's: less is better.
    pub single: Option<f64>,
    pub single_long: Option<f64>,
    pub cold: Option<f64>,
    pub memory: Option<f64>,
    /// Throughput of each of our threads over that of a single one.
    pub by_core: Option<f64>,
}

/// A figure of a visit.
type Figure<'a> = Box<dyn Fn(&Visit) -> Option<f64> + 'a>;

/// The ratios of a contestant of ours; empty where no peer has as many threads.
pub fn of(ours: &Contestant, report: &Report) -> Ratios {
    let threads = ours.threads();
    let peers: Vec<&Contestant> =
        report.contestants.iter().filter(|it| !it.is_ours() && it.threads() == threads).collect();
    let most = |figure: Figure<'_>, theirs: &[&str]| {
        let rivals = theirs.iter().flat_map(|it| peers.iter().map(move |peer| (*peer, per_s(it))));
        best(rivals.collect(), f64::total_cmp)
            .and_then(|(peer, theirs)| paired(ours, &figure, peer, &theirs))
    };
    let least = |figure: fn() -> Figure<'static>| {
        let rivals = peers.iter().map(|peer| (*peer, figure())).collect();
        best(rivals, |a, b| b.total_cmp(a))
            .and_then(|(peer, theirs)| paired(ours, &figure(), peer, &theirs))
    };
    Ratios {
        given: most(per_s(SHORT_GIVEN), &[SHORT_GIVEN]),
        best_setting: most(per_s(SHORT_GIVEN), &SETTINGS),
        long: most(per_s(LONG_GIVEN), &[LONG_GIVEN]),
        single: least(|| call_ms(SHORT_ONE)),
        single_long: least(|| call_ms(LONG_ONE)),
        cold: least(|| Box::new(|visit| visit.cold_ms)),
        memory: least(|| Box::new(|visit| visit.memory_mb)),
        by_core: by_core(ours, report),
    }
}

fn per_s(workload: &str) -> Figure<'_> {
    Box::new(move |visit| visit.per_s.get(workload).copied())
}

fn call_ms(workload: &str) -> Figure<'_> {
    Box::new(move |visit| visit.call_ms.get(workload).copied())
}

/// The rival whose median ranks highest.
fn best<'a>(
    rivals: Vec<(&'a Contestant, Figure<'a>)>,
    order: impl Fn(&f64, &f64) -> std::cmp::Ordering,
) -> Option<(&'a Contestant, Figure<'a>)> {
    let known = rivals.into_iter().filter_map(|(peer, figure)| {
        let value = peer.median(&figure)?;
        Some((value, peer, figure))
    });
    known.max_by(|a, b| order(&a.0, &b.0)).map(|(_, peer, figure)| (peer, figure))
}

/// The median over the rounds of one figure over the other.
fn paired(
    ours: &Contestant,
    figure: &dyn Fn(&Visit) -> Option<f64>,
    peer: &Contestant,
    theirs: &dyn Fn(&Visit) -> Option<f64>,
) -> Option<f64> {
    let ratios = ours.visits.iter().filter_map(|visit| {
        let rival = peer.visits.iter().find(|rival| rival.round == visit.round)?;
        Some(figure(visit)? / theirs(rival)?).filter(|ratio| ratio.is_finite())
    });
    median(ratios.collect())
}

fn by_core(ours: &Contestant, report: &Report) -> Option<f64> {
    let threads = ours.threads().filter(|threads| *threads > 1)?;
    let alone = report.contestants.iter().find(|it| it.is_ours() && it.threads() == Some(1))?;
    let figure = per_s(SHORT_GIVEN);
    Some(paired(ours, &figure, alone, &figure)? / threads as f64)
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::bench::report::tests::sample;

    #[test]
    fn ratios_are_taken_within_a_round_to_the_best_peer() -> Result<(), String> {
        let report = sample(|text| text)?;
        let ours = report.contestants.last().ok_or("no contestant")?;
        let ratios = of(ours, &report);
        // The machine was half as fast in the second round, and the ratios do not know.
        assert_eq!(ratios.given, Some(3.0));
        // The best setting of the best peer is one sentence a call: 1.5 times its batches.
        assert_eq!(ratios.best_setting, Some(2.0));
        assert_eq!(ratios.long, Some(3.0));
        assert_eq!(ratios.memory, Some(1.0));
        assert!(ratios.single.is_some_and(|ratio| (ratio - 1.0 / 3.0).abs() < 1e-9));
        assert!(ratios.cold.is_some_and(|ratio| (ratio - 1.0 / 3.0).abs() < 1e-9));
        assert_eq!((ratios.single_long, ratios.by_core), (None, None));
        Ok(())
    }

    #[test]
    fn other_thread_counts_are_no_rivals() -> Result<(), String> {
        let report = sample(|text| text.replace("app:ours-1t", "app:ours-2t"))?;
        let ours = report.contestants.last().ok_or("no contestant")?;
        assert_eq!(of(ours, &report).given, None);
        Ok(())
    }

    #[test]
    fn scaling_is_per_core() -> Result<(), String> {
        let report = sample(|text| {
            text.replace("app:ours-1t", "app:ours-2t").replace("tjs-wasm-q8-1t", "app:ours-1t")
        })?;
        let ours = report.contestants.last().ok_or("no contestant")?;
        assert_eq!(of(ours, &report).by_core, Some(240.0 / 70.0 / 2.0));
        Ok(())
    }
}
