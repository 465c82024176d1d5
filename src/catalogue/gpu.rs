//! Texts about the GPU: how it compared with the processor, and what was chosen.

use crate::catalogue::fill;
use crate::catalogue::language::Language;
use crate::catalogue::numbers::{decimals, milliseconds};
use crate::catalogue::problems::explain;
use crate::catalogue::words::{Words, words};
use crate::protocol::gpu::Backend;
use crate::protocol::gpu::{GpuState, Preference, Reason, Report, Verdict};

words! {
    GpuText;

    Preferred: "Compute with", "计算方式";
    PreferMeasured: "whatever is measured to be faster and correct", "实测更快且正确者";
    PreferCpu: "the CPU", "CPU";
    PreferGpu: "the GPU, even if it is slower", "GPU（即使更慢）";
    Gpu: "GPU", "GPU";
    Unknown: "Looked at once the page has answered.", "页面作答后再检查。";
    Unwanted: "Not used: you chose the CPU.", "未使用：您选择了 CPU。";
    Absent: "This browser offers this page no GPU (no WebGPU adapter). The CPU computes everything.", "此浏览器未向本页提供 GPU（无 WebGPU 适配器），全部由 CPU 计算。";
    Starting: "Being started …", "正在启动……";
    Examined: "Being compared with the CPU …", "正在与 CPU 对比……";
    Again: "It is being started once more.", "正在再次启动。";
    Choice: "Choice", "选择";
    ChoiceGpu: "The GPU computes lists and pairs", "列表与句对均由 GPU 计算";
    ChoiceLists: "The GPU computes lists, the CPU single pairs", "列表由 GPU 计算，单个句对由 CPU 计算";
    ChoicePairs: "The GPU computes single pairs, the CPU lists", "单个句对由 GPU 计算，列表由 CPU 计算";
    ChoiceCpu: "The CPU computes everything", "全部由 CPU 计算";
    BecauseWrong: "{choice}: the GPU's vectors are wrong on this device, so it is not used.", "{choice}：此设备的 GPU 算出的向量有误，故不使用。";
    BecauseFaster: "{choice}: that was measured to be the fastest, and correct.", "{choice}：实测最快且正确。";
    BecauseSlower: "{choice}: the GPU is correct, but slower here.", "{choice}：GPU 结果正确，但在此设备上更慢。";
    BecauseWanted: "{choice}: you chose it.", "{choice}：由您选择。";
    Speeds: "Measured speed", "实测速度";
    SpeedsValue: "GPU {gpu} sentences/s, one in {gpu_ms} ms. CPU {cpu} sentences/s a thread ({threads} here), one in {cpu_ms} ms.", "GPU 每秒 {gpu} 句，单句 {gpu_ms} 毫秒。CPU 每线程每秒 {cpu} 句（此处 {threads} 个线程），单句 {cpu_ms} 毫秒。";
    Way: "Products", "矩阵乘法";
    WayWrong: "{way}; {wrong} gave wrong vectors here", "{way}；{wrong} 在此设备上算出的向量有误";
    Agreement: "Agreement", "一致性";
    AgreementStored: "On {n} sentences, lowest cosine with the Python reference: GPU {gpu}, CPU {cpu}. GPU with CPU: {both}, largest difference {difference}.", "在 {n} 个句子上与 Python 参考的最低余弦：GPU {gpu}，CPU {cpu}。GPU 与 CPU：{both}，最大差值 {difference}。";
    AgreementBoth: "On {n} sentences, lowest cosine of GPU with CPU: {both}, largest difference {difference}.", "在 {n} 个句子上 GPU 与 CPU 的最低余弦：{both}，最大差值 {difference}。";
    Kernels: "{right} of {n} kernels give what plain loops give.", "{n} 个内核中有 {right} 个与朴素循环结果一致。";
    WrongKernels: "Wrong: {names}.", "有误：{names}。";
    WrongNotice: "This device's GPU gives wrong vectors (lowest cosine {cosine}), so the page does not use it. The CPU computes everything.", "此设备的 GPU 算出的向量有误（最低余弦 {cosine}），本页不使用它，全部由 CPU 计算。";
}

/// How a preference is offered.
pub fn preference_name(preference: Preference) -> GpuText {
    match preference {
        Preference::Measured => GpuText::PreferMeasured,
        Preference::Cpu => GpuText::PreferCpu,
        Preference::Gpu => GpuText::PreferGpu,
    }
}

/// What the GPU is doing.
pub fn state_words(state: &GpuState, language: Language) -> String {
    let text = match state {
        GpuState::Unknown => GpuText::Unknown,
        GpuState::Unwanted => GpuText::Unwanted,
        GpuState::Absent => GpuText::Absent,
        GpuState::Starting => GpuText::Starting,
        GpuState::Examined => GpuText::Examined,
        GpuState::Decided(verdict) => return verdict.report.device.clone(),
        GpuState::Failed { problem, again } => {
            let words = explain(problem, language);
            let again = if *again { GpuText::Again.in_language(language) } else { "" };
            return format!("{} {} {again}", words.happened, words.remedy).trim_end().to_owned();
        }
    };
    text.in_language(language).to_owned()
}

/// What was chosen, and why.
pub fn choice_words(verdict: &Verdict, language: Language) -> String {
    let choice = match (verdict.lists, verdict.pairs) {
        (Backend::WebGpu, Backend::WebGpu) => GpuText::ChoiceGpu,
        (Backend::WebGpu, Backend::Cpu) => GpuText::ChoiceLists,
        (Backend::Cpu, Backend::WebGpu) => GpuText::ChoicePairs,
        (Backend::Cpu, Backend::Cpu) => GpuText::ChoiceCpu,
    };
    let because = match verdict.reason {
        Reason::Wrong => GpuText::BecauseWrong,
        Reason::Faster => GpuText::BecauseFaster,
        Reason::Slower => GpuText::BecauseSlower,
        Reason::Wanted => GpuText::BecauseWanted,
    };
    fill(because.in_language(language), &[("choice", choice.in_language(language))])
}

/// Both speeds.
pub fn speed_words(verdict: &Verdict, language: Language) -> String {
    let report = &verdict.report;
    let rate = |per_s: f64| decimals(per_s, if per_s < 10.0 { 1 } else { 0 });
    fill(
        GpuText::SpeedsValue.in_language(language),
        &[
            ("gpu", &rate(report.gpu_per_s)),
            ("gpu_ms", &milliseconds(report.gpu_latency_ms)),
            ("cpu", &rate(report.cpu_per_s)),
            ("cpu_ms", &milliseconds(report.cpu_latency_ms)),
            ("threads", &verdict.cpu_workers.to_string()),
        ],
    )
}

/// How layers are multiplied out on it.
pub fn way_words(report: &Report, language: Language) -> Option<String> {
    let way = report.way.clone()?;
    Some(match &report.wrong_way {
        Some(wrong) => {
            let places = [("way", &*way), ("wrong", wrong)];
            fill(GpuText::WayWrong.in_language(language), &places)
        }
        None => way,
    })
}

/// How near the vectors are to each other, and to the reference, and how many kernels are right.
pub fn agreement_words(report: &Report, language: Language) -> String {
    let count = report.sentence_count.to_string();
    let (both, difference) =
        (decimals(report.lowest_cosine, 5), decimals(report.largest_difference, 5));
    let mut places = vec![("n", count), ("both", both), ("difference", difference)];
    let mut text = GpuText::AgreementBoth;
    if let Some((gpu, cpu)) = report.with_stored {
        places.extend([("gpu", decimals(gpu, 5)), ("cpu", decimals(cpu, 5))]);
        text = GpuText::AgreementStored;
    }
    let places: Vec<_> = places.iter().map(|(name, value)| (*name, value.as_str())).collect();
    format!("{} {}", fill(text.in_language(language), &places), kernel_words(report, language))
}

fn kernel_words(report: &Report, language: Language) -> String {
    let wrong = report.kernels.iter().filter(|kernel| !kernel.is_right);
    let wrong: Vec<&str> = wrong.map(|kernel| kernel.name.as_str()).collect();
    let (right, count) = (report.kernels.len() - wrong.len(), report.kernels.len());
    let places = [("right", &*right.to_string()), ("n", &count.to_string())];
    let text = fill(GpuText::Kernels.in_language(language), &places);
    if wrong.is_empty() {
        return text;
    }
    let names = wrong.join(", ");
    let wrong = fill(GpuText::WrongKernels.in_language(language), &[("names", &names)]);
    format!("{text} {wrong}")
}

/// That the GPU computes wrongly.
pub fn wrong_words(report: &Report, language: Language) -> String {
    let lowest = report.with_stored.map_or(report.lowest_cosine, |(gpu, _)| gpu);
    let cosine = decimals(lowest, 4);
    fill(GpuText::WrongNotice.in_language(language), &[("cosine", &cosine)])
}
