//! placeholder
use crate::shell::Outcome;
use std::path::Path;
pub fn run(_site: Option<&Path>) -> Outcome<()> {
    Err("not yet".to_owned())
}
