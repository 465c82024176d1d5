//! What the page keeps of what was found about a GPU.

use crate::protocol::event::Event;
use crate::protocol::gpu::{Backend, GpuState, Preference, Reason, Report, Tuned, Verdict};
use crate::protocol::request::Request;
use crate::state::effect::Effect;
use crate::state::gpu::events::{forget, prefer, take};
use crate::state::saved::Saved;
use crate::state::tests::{event, opened, requests};
use crate::state::update::update;

fn decided(device: &str, way: Option<&str>) -> GpuState {
    let report =
        Report { device: device.to_owned(), way: way.map(str::to_owned), ..Report::default() };
    GpuState::Decided(Box::new(Verdict {
        report,
        cpu_workers: 1,
        lists: Backend::WebGpu,
        pairs: Backend::Cpu,
        reason: Reason::Faster,
    }))
}

fn saved(effects: &[Effect]) -> Vec<Option<Tuned>> {
    let of = |effect: &Effect| match effect {
        Effect::Save(text) => {
            Some(serde_json::from_str::<Saved>(text).expect("what was saved").tuned)
        }
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

fn tuned(device: &str, way: &str) -> Tuned {
    Tuned { device: device.to_owned(), way: way.to_owned() }
}

#[test]
fn what_was_measured_is_saved_once() {
    let (mut state, _) = opened();
    let news = Event::Gpu { state: decided("that one", Some("f16 8x4")) };
    let effects = update(&mut state, event(news.clone()), 0.0);
    assert_eq!(saved(&effects), [Some(tuned("that one", "f16 8x4"))]);
    let effects = update(&mut state, event(news), 0.0);
    assert_eq!(saved(&effects), [], "it is saved already");
}

#[test]
fn a_gpu_on_which_nothing_was_measured_leaves_what_is_known() {
    let (mut state, _) = opened();
    take(&mut state, decided("that one", Some("f16 8x4")));
    let effects = take(&mut state, decided("a slow one", None));
    assert_eq!(saved(&effects), []);
    assert_eq!(state.gpu.tuned, Some(tuned("that one", "f16 8x4")));
}

#[test]
fn a_new_worker_is_told_what_is_known() {
    let (mut state, _) = opened();
    take(&mut state, decided("that one", Some("f16 8x4")));
    forget(&mut state);
    assert_eq!(state.gpu.state, GpuState::default());
    let effects = prefer(&mut state, Preference::Gpu);
    let known = Some(tuned("that one", "f16 8x4"));
    let expected = Request::Prefer { preference: Preference::Gpu, tuned: known };
    assert_eq!(requests(&effects), [&expected]);
}
