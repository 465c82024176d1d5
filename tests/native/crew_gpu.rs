//! The helper with a GPU: when it is started, used, and done without. Engines on the processor play it,
//! so that rows can be compared bit by bit.

use simcse_lab::engine::exam::decide;
use simcse_lab::engine::helper::HelperId;
use simcse_lab::protocol::event::Event;
use simcse_lab::protocol::gpu::Backend;
use simcse_lab::protocol::gpu::{GpuState, Preference, Reason, Report};
use simcse_lab::protocol::message::Message;
use simcse_lab::protocol::problem::{GpuFault, Problem};
use simcse_lab::protocol::request::Request;

use crate::crew::{Troupe, alone, assert_same, embed};
use crate::journey::{MEAN, pair, sentences};

/// A troupe whose GPU was examined and is used for everything.
fn with_gpu(lot: u64) -> (Troupe, HelperId) {
    let mut troupe = Troupe::new(Some(1), lot);
    troupe.direct();
    assert!(troupe.helpers.is_empty(), "nobody asked for a GPU yet");
    troupe.crew.prefer(Preference::Gpu, None, true);
    troupe
        .turn_until("a verdict", |troupe| matches!(troupe.gpu.last(), Some(GpuState::Decided(_))));
    let id = troupe.some_helper();
    (troupe, id)
}

fn fail(troupe: &mut Troupe, id: HelperId, problem: Problem) {
    let message = Message::plain(Event::Failed { revision: None, problem });
    let mut orders = Vec::new();
    troupe.crew.heard(id, message, &mut troupe.owner, troupe.now, &mut orders);
    troupe.carry_out(orders);
}

fn lost() -> Problem {
    Problem::Gpu { fault: GpuFault::Lost, detail: "the driver crashed".to_owned() }
}

#[test]
fn it_computes_lists_instead_of_everybody_else() {
    let wanted = alone(embed(2, MEAN));
    for lot in 0..4 {
        let (mut troupe, id) = with_gpu(lot);
        let said = [GpuState::Starting, GpuState::Examined];
        assert_eq!(troupe.gpu.get(..2), Some(said.as_slice()), "in this order, once each");
        troupe.ask(embed(2, MEAN));
        let found = troupe.answer(2);
        assert_same(&found, &wanted, &format!("lot {lot}"));
        assert!(troupe.helpers[&id].portions > 0, "it got portions");
        assert_eq!(troupe.most, 1, "no other helper took part");
    }
}

#[test]
fn it_computes_pairs_with_every_token() {
    let wanted = alone(pair(2, "the cat sat", "a dog ran far away"));
    let (mut troupe, id) = with_gpu(3);
    troupe.ask(pair(2, "the cat sat", "a dog ran far away"));
    let found = troupe.answer(2);
    assert_eq!(troupe.helpers[&id].portions, 1, "both sentences at once");
    let (Event::Pair { cosine: a, .. }, Event::Pair { cosine: b, .. }) =
        (&found.head, &wanted.head)
    else {
        panic!("{:?}", found.head);
    };
    assert_eq!(a.to_bits(), b.to_bits());
    assert_eq!(found.f32(), wanted.f32(), "the grid of tokens");
}

#[test]
fn one_that_is_lost_half_way_is_replaced_and_then_done_without() {
    let wanted = alone(embed(2, MEAN));
    for lot in 0..4 {
        let (mut troupe, id) = with_gpu(lot);
        troupe.ask(embed(2, MEAN));
        troupe.turn_until("a portion", |troupe| troupe.helpers[&id].portions > 0);
        fail(&mut troupe, id, lost());
        assert_eq!(troupe.gpu.last(), Some(&GpuState::Failed { problem: lost(), again: true }));
        troupe.direct();
        let second = troupe.some_helper();
        assert_ne!(second, id, "another one is started");
        fail(&mut troupe, second, lost());
        assert_eq!(troupe.gpu.last(), Some(&GpuState::Failed { problem: lost(), again: false }));
        troupe.direct();
        assert!(troupe.helpers.is_empty(), "and no third one");
        assert_same(&troupe.answer(2), &wanted, &format!("lot {lot}"));
    }
}

#[test]
fn ten_thousand_sentences_outlive_two_gpus() {
    let request = Request::Embed { revision: 2, sentences: sentences(10_000), lens: MEAN };
    let wanted = alone(request.clone());
    let (mut troupe, first) = with_gpu(7);
    troupe.ask(request);
    troupe.turn_until("some portions", |troupe| troupe.helpers[&first].portions > 2);
    fail(&mut troupe, first, lost());
    troupe.turn_until("another verdict", |troupe| {
        matches!(troupe.gpu.last(), Some(GpuState::Decided(_)))
    });
    let second = troupe.some_helper();
    troupe.turn_until("its portions", |troupe| troupe.helpers[&second].portions > 2);
    fail(&mut troupe, second, lost());
    assert_same(&troupe.answer(2), &wanted, "no row is lost, none is another's");
    assert_eq!(troupe.gpu.last(), Some(&GpuState::Failed { problem: lost(), again: false }));
}

#[test]
fn whatever_it_fails_of_the_list_is_complete() {
    let wanted = alone(embed(2, MEAN));
    for fault in [GpuFault::Memory, GpuFault::Limit, GpuFault::Refused] {
        let problem = Problem::Gpu { fault, detail: "played".to_owned() };
        let (mut troupe, id) = with_gpu(6);
        troupe.ask(embed(2, MEAN));
        troupe.turn_until("a portion", |troupe| troupe.helpers[&id].portions > 0);
        fail(&mut troupe, id, problem.clone());
        let said = troupe.gpu.iter().any(
            |said| matches!(said, GpuState::Failed { problem: found, .. } if *found == problem),
        );
        assert!(said, "{fault:?} is said");
        assert_same(&troupe.answer(2), &wanted, &format!("{fault:?}"));
    }
}

#[test]
fn a_list_goes_on_with_the_next_gpu() {
    let wanted = alone(embed(2, MEAN));
    let (mut troupe, id) = with_gpu(5);
    troupe.ask(embed(2, MEAN));
    troupe.turn_until("a portion", |troupe| troupe.helpers[&id].portions > 0);
    fail(&mut troupe, id, lost());
    troupe.turn_until("another verdict", |troupe| {
        matches!(troupe.gpu.last(), Some(GpuState::Decided(_)))
    });
    assert_same(&troupe.answer(2), &wanted, "after a change of GPU");
}

#[test]
fn without_an_adapter_nobody_tries_twice() {
    let mut troupe = Troupe::new(Some(1), 1);
    troupe.crew.prefer(Preference::Measured, None, true);
    troupe.direct();
    let id = troupe.some_helper();
    let problem = Problem::Gpu { fault: GpuFault::NoAdapter, detail: "none".to_owned() };
    fail(&mut troupe, id, problem.clone());
    troupe.direct();
    assert!(troupe.helpers.is_empty());
    assert_eq!(troupe.gpu.last(), Some(&GpuState::Failed { problem, again: false }));
    assert_same(
        &{
            troupe.ask(embed(2, MEAN));
            troupe.answer(2)
        },
        &alone(embed(2, MEAN)),
        "on the processor",
    );
}

#[test]
fn where_the_browser_offers_none_nothing_is_started() {
    let mut troupe = Troupe::new(Some(1), 1);
    troupe.crew.prefer(Preference::Measured, None, false);
    troupe.direct();
    assert!(troupe.helpers.is_empty());
    assert_eq!(troupe.gpu, [GpuState::Absent]);
}

#[test]
fn the_visitor_sends_it_away_in_the_middle_of_a_list() {
    let wanted = alone(embed(2, MEAN));
    let (mut troupe, id) = with_gpu(2);
    troupe.ask(embed(2, MEAN));
    troupe.turn_until("a portion", |troupe| troupe.helpers[&id].portions > 0);
    troupe.crew.prefer(Preference::Cpu, None, true);
    troupe.direct();
    assert!(troupe.helpers.is_empty());
    assert_eq!(troupe.gpu.last(), Some(&GpuState::Unwanted));
    assert_same(&troupe.answer(2), &wanted, "the rest on the processor");
}

fn report() -> Report {
    Report {
        lowest_cosine: 0.9995,
        with_stored: Some((0.9996, 0.9991)),
        gpu_per_s: 1_000.0,
        cpu_per_s: 100.0,
        gpu_latency_ms: 3.0,
        cpu_latency_ms: 9.0,
        ..Report::default()
    }
}

#[test]
fn the_faster_correct_one_is_chosen() {
    let chosen = |report: &Report, preference, workers| {
        let verdict = decide(report.clone(), preference, workers);
        (verdict.lists, verdict.pairs, verdict.reason)
    };
    let (gpu, cpu) = (Backend::WebGpu, Backend::Cpu);
    let measured = Preference::Measured;
    assert_eq!(chosen(&report(), measured, 4), (gpu, gpu, Reason::Faster));
    assert_eq!(chosen(&report(), measured, 16), (cpu, gpu, Reason::Faster), "16 threads beat it");
    let slow = Report { gpu_per_s: 50.0, gpu_latency_ms: 40.0, ..report() };
    assert_eq!(chosen(&slow, measured, 1), (cpu, cpu, Reason::Slower));
    assert_eq!(chosen(&slow, Preference::Gpu, 1), (gpu, gpu, Reason::Wanted));
    assert_eq!(chosen(&report(), Preference::Cpu, 1), (cpu, cpu, Reason::Wanted));
}

#[test]
fn a_wrong_one_is_not_used_even_if_it_is_wanted() {
    let wrong = [
        Report { with_stored: Some((0.98, 0.9991)), ..report() },
        Report { with_stored: None, lowest_cosine: 0.99, ..report() },
        Report { with_stored: None, lowest_cosine: -1.0, ..report() },
    ];
    for wrong in wrong {
        for preference in [Preference::Measured, Preference::Gpu] {
            let verdict = decide(wrong.clone(), preference, 1);
            assert_eq!(verdict.reason, Reason::Wrong);
            assert_eq!((verdict.lists, verdict.pairs), (Backend::Cpu, Backend::Cpu));
        }
    }
}
