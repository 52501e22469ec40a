//! Our times against the bare programs, as ratios measured in one run. Nothing here fails: it prints.
//!
//! Both sides of a row are timed in turns, so that what else the machine does meets both alike. Every program that is
//! submitted has a text of its own, so that nothing is found in a cache. The bare side has absolute paths and no shell.

mod bare;
mod endpoint;
mod feedback;
mod fill;
mod packages;
mod rows;
mod stats;
mod students;

use std::time::Duration;

use codementor_tests::home;

fn main() {
    let home = home!().with("CODEMENTOR_LOG", "warn");
    eprintln!("making the runners ready, where they are not");
    home.run(&["runners", "build", "python3", "cpp", "java"]).expect_code(0);
    home.run(&["up"]).expect_code(0);
    let bench = rows::Bench::new(home);
    println!("| work | against | at most | measured |");
    println!("|---|---|---|---|");
    // `cargo bench` passes flags of its own, which begin with a dash.
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (name, row) in rows::ROWS {
        if wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted.as_str())) {
            row(&bench);
        }
    }
}

/// The middle of several times.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The time that all but one in twenty stay below.
fn p95(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[(times.len() * 95 / 100).min(times.len() - 1)]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
