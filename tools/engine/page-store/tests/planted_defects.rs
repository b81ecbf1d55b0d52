//! The crash test sees the mistakes that can be planted in the page store.
#![cfg(feature = "planted-defects")]

mod memory_log;
mod world;

use engine_storage::planted::{Defect, plant};

#[test]
fn every_planted_defect_is_caught() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = Vec::new();
    for defect in [
        Defect::WriteAheadBroken,
        Defect::RecoveryRbaBeforeSync,
        Defect::CompensationSkipped,
        Defect::ChecksumNotChecked,
        Defect::PageImageSkipped,
    ] {
        plant(Some(defect));
        match (0..1000).find(|seed| std::panic::catch_unwind(|| world::run(*seed)).is_err()) {
            Some(seed) => println!("{defect}: seed {seed}"),
            None => missed.push(defect),
        }
    }
    plant(None);
    std::panic::set_hook(hook);
    assert!(missed.is_empty(), "{missed:?}");
}
