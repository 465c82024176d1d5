//! `simcse quantize`.

use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::convert::write_merged;
use simcse_lab::weights::merged::Merged;

use crate::simcse::arguments::QuantizeOptions;
use crate::simcse::model;

/// Rounds, checks the result as a reader would and writes it.
pub fn run(options: &QuantizeOptions) -> anyhow::Result<()> {
    let (name, bytes) = model::read(&options.model)?;
    let file = BertFile::read(&name, bytes, None)?;
    let bytes = write_merged(&Merged::plain(&file), options.kind.into(), None)?;
    model::save(&file.config.name, bytes, &options.out)
}
