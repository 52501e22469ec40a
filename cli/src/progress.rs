//! Progress of what comes before a submission: starting the daemon, building images, sending packages. On a terminal
//! one line that is drawn again; elsewhere a line for each step.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::render::glyphs;
use crate::sanitize;

/// How often a line of unchanged progress is repeated off a terminal.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// A line of progress; it goes when this is dropped.
pub struct Progress {
    redraws: bool,
    line: Mutex<Line>,
}

struct Line {
    bar: Option<ProgressBar>,
    counting: bool,
    last: String,
    spoken: Instant,
}

impl Progress {
    /// Nothing is shown until something is said.
    pub fn new(redraws: bool) -> Self {
        let line = Line { bar: None, counting: false, last: String::new(), spoken: Instant::now() };
        Self { redraws, line: Mutex::new(line) }
    }

    /// Whether lines are drawn again.
    pub fn redraws(&self) -> bool {
        self.redraws
    }

    /// Says what is being done. Saying the same again is cheap.
    pub fn step(&self, text: &str) {
        self.show(text, None);
    }

    /// Says what is being done, and how far it is: `done` of `total`, in bytes where `bytes` says so. Off a terminal
    /// only the text counts, so that it does not become a line for each step.
    pub fn amount(&self, text: &str, done: u64, total: u64, bytes: bool) {
        self.show(text, Some((done, total, bytes)));
    }

    /// The same with a line of what is going on, which only a terminal shows.
    pub fn detail(&self, text: &str, detail: &str, done: u64, total: u64) {
        if self.redraws {
            self.show(&format!("{text} | {detail}"), Some((done, total, false)));
        }
    }

    fn show(&self, text: &str, amount: Option<(u64, u64, bool)>) {
        let text = sanitize::line(text);
        let mut line = self.lock();
        if !self.redraws {
            if line.last != text || line.spoken.elapsed() >= HEARTBEAT {
                line.last = text.into_owned();
                line.spoken = Instant::now();
                // Progress that nobody reads is no reason to stop.
                let _ = writeln!(std::io::stderr(), "{}", line.last);
            }
            return;
        }
        let fresh = line.bar.is_none();
        let bar = line.bar.get_or_insert_with(ProgressBar::new_spinner).clone();
        if fresh || line.counting != amount.is_some() {
            bar.set_style(style(amount));
            line.counting = amount.is_some();
        }
        if let Some((done, total, _)) = amount {
            bar.set_length(total);
            bar.set_position(done);
        }
        if fresh {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        bar.set_message(text.into_owned());
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        // A panic while a line was drawn leaves nothing that could be wrong.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says something that stays.
    pub fn note(&self, text: &str) {
        let text = sanitize::line(text);
        let print = || {
            // As above.
            let _ = writeln!(std::io::stderr(), "{text}");
        };
        match &self.lock().bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Says several lines that stay, each ending in a line end, as they are.
    pub fn lines(&self, text: &str) {
        let print = || {
            // As above.
            let _ = write!(std::io::stderr(), "{text}");
        };
        match &self.lock().bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Takes the line away.
    pub fn clear(&self) {
        if let Some(bar) = self.lock().bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn style(amount: Option<(u64, u64, bool)>) -> ProgressStyle {
    let template = match amount {
        None => " {spinner} {wide_msg}  {elapsed}",
        Some((_, _, true)) => " [{bar:20}] {bytes}/{total_bytes}  {wide_msg}",
        Some((_, _, false)) => " [{bar:20}] {pos}/{len}  {wide_msg}",
    };
    // The templates are constants; were one wrong, the line would only look different.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars(glyphs::SPINNER)
        .progress_chars(glyphs::PROGRESS)
}
