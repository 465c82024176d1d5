//! Texts of the fine-tune view.

use crate::catalogue::words::words;

words! {
    FineTuneText;
    Title: "Fine-tune", "微调";
}
