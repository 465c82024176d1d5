//! `simcse train`.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use anyhow::Context;

use simcse_lab::model;
use simcse_lab::model::encoder::tokeniser;
use simcse_lab::protocol::readout::Pooling;
use simcse_lab::protocol::training::Example;
use simcse_lab::text::lists::Pair;
use simcse_lab::text::tokeniser::Tokeniser;
use simcse_lab::training::cpu::CpuLearner;
use simcse_lab::training::examples::Examples;
use simcse_lab::training::examples::Reader;
use simcse_lab::training::measure::TokenisedProbe;
use simcse_lab::training::session::Limits;
use simcse_lab::training::session::Session;
use simcse_lab::weights::adapter_file;
use simcse_lab::weights::adapter_file::AdapterMeta;
use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::bert::sha256;

use crate::simcse::arguments::TrainOptions;
use crate::simcse::corpus;
use crate::simcse::corpus::Corpus;
use crate::simcse::input;
use crate::simcse::model as files;
use crate::simcse::recipe_file::Dev;
use crate::simcse::recipe_file::GoOnFrom;
use crate::simcse::recipe_file::RecipeFile;
use crate::simcse::recipe_file::Stage;
use crate::simcse::run::Best;
use crate::simcse::run::Judge;
use crate::simcse::run::Point;
use crate::simcse::run::Runner;

/// A computer has more room than a tab: some 2 GB of graphs beside a small model.
const LIMITS: Limits = Limits { tape_tokens: 8_192, checkpoint_bytes: 1 << 30 };

/// Everything that stages share.
struct Workshop {
    recipe: RecipeFile,
    base: BertFile,
    tokeniser: Tokeniser,
    corpus: Corpus,
    /// Held-out pairs with their scores.
    dev: (Vec<Pair>, Vec<f32>),
}

/// Runs all stages and writes the best checkpoint.
pub fn run(options: &TrainOptions) -> anyhow::Result<()> {
    let workshop = Workshop::open(options)?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))
        .context("Ctrl-C cannot be caught")?;
    let judge = workshop.judge()?;
    let mut runner =
        Runner { judge, json: options.json, interrupted, curve: Vec::new(), best: None };
    let mut last = None;
    for (number, stage) in workshop.recipe.stages.iter().enumerate() {
        let best = runner.best.as_ref().map(|best| &best.changes);
        let from = if stage.settings.go_on_from == GoOnFrom::Best { best } else { last.as_ref() };
        let learner = CpuLearner::new(&workshop.base, &stage.recipe, from)?;
        let (examples, probe) = (workshop.examples(stage)?, workshop.probe()?);
        let mut session = Session::new(learner, stage.recipe.clone(), examples, probe, LIMITS)?;
        last = Some(runner.run(number, &mut session)?);
        if runner.interrupted.load(Ordering::Relaxed) {
            break;
        }
    }
    let best = runner.best.context("nothing was measured after a step; there is no checkpoint")?;
    if !best.is_accepted {
        eprintln!(
            "no checkpoint kept the mean readout above the floor; this is the best without it"
        );
    }
    match &options.out {
        Some(out) => workshop.write(&best, &runner.curve, out),
        None => Ok(()),
    }
}

impl Workshop {
    fn open(options: &TrainOptions) -> anyhow::Result<Self> {
        let recipe = RecipeFile::open(&options.recipe, &options.set)?;
        let folder = options.recipe.parent().unwrap_or(Path::new(""));
        let data = options.data.as_deref().unwrap_or(folder);
        let given = recipe.head.base.as_ref().map(|base| folder.join(base));
        let base = options.base.clone().or(given).context("no model: give one with --base")?;
        let (name, bytes) = files::read(&base)?;
        let base = BertFile::read(&name, bytes, None)?;
        let dev = match &recipe.head.dev {
            Some(dev) => input::scored_pairs(&data.join(&dev.path))?,
            None => Default::default(),
        };
        let held_out: HashSet<&str> =
            dev.0.iter().flat_map(|(first, second)| [first.as_str(), second.as_str()]).collect();
        let corpus = corpus::read(&recipe.head.sources, data, &held_out)?;
        let tokeniser = tokeniser(&base)?;
        Ok(Self { recipe, base, tokeniser, corpus, dev })
    }

    fn judge(&self) -> anyhow::Result<Option<Judge>> {
        let Some(dev) = &self.recipe.head.dev else { return Ok(None) };
        let judge = |dev: &Dev, stage: &Stage| -> anyhow::Result<Judge> {
            let counts_mean = dev.counts_mean(stage.recipe.readout.pooling())?;
            Ok(Judge { counts_mean, floor: dev.keep_mean_above })
        };
        let judges = self.recipe.stages.iter().map(|stage| judge(dev, stage));
        let judges = judges.collect::<anyhow::Result<Vec<_>>>()?;
        Ok(judges.into_iter().next())
    }

    fn examples(&self, stage: &Stage) -> anyhow::Result<Examples> {
        let portions = stage.settings.data.as_ref();
        let chosen: Vec<Example> = corpus::choose(&self.corpus, portions, stage.recipe.seed)?;
        let mut reader = Reader::new(&stage.recipe);
        for example in &chosen {
            reader.push(example, &|text| self.tokenise(text))?;
        }
        Ok(reader.finish()?)
    }

    /// As SimCSE does it, uniformity is measured on all sentences of the held-out pairs.
    fn probe(&self) -> anyhow::Result<TokenisedProbe> {
        let mut probe = TokenisedProbe::new();
        let (pairs, gold) = &self.dev;
        for ((first, second), gold) in pairs.iter().zip(gold) {
            let pair = (first.clone(), second.clone(), *gold);
            probe.push_scored(&pair, &|text| self.tokenise(text))?;
            probe.push_sentence(first, &|text| self.tokenise(text))?;
            probe.push_sentence(second, &|text| self.tokenise(text))?;
        }
        Ok(probe)
    }

    fn tokenise(
        &self,
        text: &str,
    ) -> Result<simcse_lab::text::tokeniser::Tokens, model::error::Error> {
        Ok(self.tokeniser.tokenise(text)?)
    }

    fn write(&self, best: &Best, curve: &[Point], out: &Path) -> anyhow::Result<()> {
        let stage = self.recipe.stages.get(best.point.stage).context("the stage is gone")?;
        let trained = stage.recipe.readout.pooling();
        let scores = best.point.spearman.zip(best.point.spearman_mean);
        let mean_is_better = scores.is_some_and(|(trained, mean)| mean > trained);
        let meta = AdapterMeta {
            name: self.recipe.head.name.clone(),
            base_name: self.base.config.name.clone(),
            base_sha256: self.base.sha256.clone(),
            recipe: self.recipe.text.clone(),
            seed: stage.recipe.seed,
            pooling: Some(trained),
            best_pooling: scores.map(|_| if mean_is_better { Pooling::Mean } else { trained }),
            metrics: metrics(curve, best, trained),
            curve: serde_json::to_string(curve)?,
            licence: self.recipe.head.licence.clone(),
        };
        let bytes = adapter_file::write(&best.changes, &meta)?;
        fs::write(out, &bytes).with_context(|| format!("{} cannot be written", out.display()))?;
        eprintln!(
            "{}: step {} of stage {}, {} bytes, sha256 {}",
            out.display(),
            best.point.step,
            best.point.stage,
            bytes.len(),
            sha256(&bytes),
        );
        Ok(())
    }
}

/// What was measured before the first step and at the checkpoint.
fn metrics(curve: &[Point], best: &Best, trained: Pooling) -> Vec<(String, String)> {
    let mut metrics = Vec::new();
    for (when, point) in [("before", curve.first()), ("after", Some(&best.point))] {
        let Some(point) = point else { continue };
        let readout = trained.name();
        let lines = [
            (format!("dev Spearman, {readout}"), point.spearman, 2),
            ("dev Spearman, mean".to_owned(), point.spearman_mean, 2),
            (format!("alignment, {readout}"), point.alignment, 3),
            (format!("uniformity, {readout}"), Some(point.uniformity), 3),
        ];
        for (name, value, digits) in lines {
            let value = value.map(|value| format!("{value:.digits$}"));
            metrics.extend(value.map(|value| (format!("{name}, {when}"), value)));
        }
    }
    metrics
}
