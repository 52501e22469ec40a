//! What `codementor stats` costs after a hundred submissions, and after ten thousand.

use std::time::{Duration, Instant};

use crate::fill::fill;
use crate::rows::Bench;
use crate::{median, ms};

/// How often each side is run.
const ROUNDS: usize = 21;

/// A row of the table.
pub(crate) fn stats(bench: &Bench) {
    let home = bench.home();
    home.run(&["course", "create", "stats"]).expect_code(0);
    for (name, count) in [("few", 100), ("many", 10_000)] {
        let id = format!("stats/{name}");
        home.run(&["assignment", "create", &id, "--problem", "sums20", "--open"]).expect_code(0);
        fill(home, "stats", name, "sums20", count);
    }
    let time = |name: &str| -> Duration {
        let begin = Instant::now();
        home.run(&["stats", &format!("stats/{name}")]).expect_code(0);
        begin.elapsed()
    };
    let (few, many): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (time("few"), time("many"))).unzip();
    let (few, many) = (median(few), median(many));
    println!(
        "| `stats` with 10,000 submissions | with 100 | 2.0 | {:.2} ({:.1} / {:.1} ms) |",
        many.as_secs_f64() / few.as_secs_f64(),
        ms(many),
        ms(few)
    );
}
