//! Every sign of ours outside of ASCII, and what stands for it where only ASCII can be shown. A test sees to it that no
//! other place has one.

/// The signs that we draw with.
#[derive(Debug)]
pub struct Glyphs {
    /// Before something accepted.
    pub tick: &'static str,
    /// Before something not accepted.
    pub cross: &'static str,
    /// Where text was cut.
    pub cut: &'static str,
    /// A space that may be what differs.
    pub space: &'static str,
    /// The end of a line that may be what differs.
    pub line_end: &'static str,
    /// Columns, which stand, from nothing to full.
    pub columns: &'static [char],
    /// Bars, which lie, from nothing to full: the last cell of a bar may be part of one.
    pub bars: &'static [char],
}

/// Where UTF-8 is shown.
pub const UNICODE: Glyphs = Glyphs {
    tick: "✓",
    cross: "✗",
    cut: "…",
    space: "·",
    line_end: "⏎",
    columns: &[' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    bars: &[' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
};

/// Everywhere.
pub const ASCII: Glyphs = Glyphs {
    tick: "+",
    cross: "x",
    cut: "...",
    space: "_",
    line_end: "$",
    columns: &[' ', '.', ':', '|', '#'],
    bars: &[' ', '#'],
};

/// What progress bars are drawn with, done and not done: ASCII everywhere, as block elements are of two cells in some
/// Korean fonts, and the bar would jump.
pub const PROGRESS: &str = "#.";

/// What turns while something is waited for: ASCII everywhere, for the same reason.
pub const SPINNER: &str = "|/-\\ ";
