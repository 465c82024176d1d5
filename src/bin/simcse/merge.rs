//! `simcse merge`.

use simcse_lab::weights::bert::BertFile;
use simcse_lab::weights::convert::MergedName;
use simcse_lab::weights::convert::write_merged;

use crate::simcse::arguments::MergeOptions;
use crate::simcse::model;
use crate::simcse::model::Adapter;

/// Merges, checks the result as a reader would and writes it.
pub fn run(options: &MergeOptions) -> anyhow::Result<()> {
    let (name, bytes) = model::read(&options.model)?;
    let base = BertFile::read(&name, bytes, None)?;
    let adapter = Adapter::open(&options.adapter, options.blend, &base)?;
    let both = || format!("{} + {}", base.config.name, adapter.file.meta.name);
    let name = options.name.clone().unwrap_or_else(both);
    let pooling = options.pooling.map_or_else(|| adapter.pooling(&base), Into::into);
    let named = MergedName { name: &name, pooling, adapter_sha256: &adapter.file.sha256 };
    let bytes = write_merged(&adapter.merged(&base)?, options.kind.into(), Some(named))?;
    model::save(&name, bytes, &options.out)
}
