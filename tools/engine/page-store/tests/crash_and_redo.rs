//! Random work, crashes and redo: whatever the disk kept, redo brings the pages to where the log is.

mod memory_log;
mod world;

#[test]
fn redo_brings_the_pages_to_where_the_log_is() {
    let seeds = std::env::var("SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(150);
    let (mut full, mut expansions) = (0, 0);
    for seed in 0..seeds {
        let result = std::panic::catch_unwind(|| world::run(seed));
        let (f, e) = result.unwrap_or_else(|_| panic!("seed {seed}"));
        full += f;
        expansions += e;
    }
    assert!(full > 0 && expansions > 0, "{full} {expansions}");
}
