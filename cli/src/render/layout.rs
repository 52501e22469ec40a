//! One line of foreign text laid out in terminal cells, so that a caret can be put under a place in it: escapes,
//! tabs and wide characters take the cells that they take on the screen.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use crate::terminal::Paint;

/// A character of the text, or a byte that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Char(char),
    Byte(u8),
}

/// Splits bytes into characters and stray bytes.
pub(crate) fn units(bytes: &[u8]) -> Vec<Unit> {
    let mut units = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        units.extend(chunk.valid().chars().map(Unit::Char));
        units.extend(chunk.invalid().iter().copied().map(Unit::Byte));
    }
    units
}

/// How white space is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blanks {
    /// As it is, tabs as spaces.
    Plain,
    /// Marked, since it may be what differs.
    Marked,
}

/// A line in cells.
pub(crate) struct Layout {
    pieces: Vec<String>,
    /// The cell at which each unit begins, and the one after the last.
    cells: Vec<usize>,
}

impl Layout {
    pub(crate) fn new(units: &[Unit], blanks: Blanks, paint: Paint) -> Self {
        let mut layout = Self { pieces: Vec::with_capacity(units.len()), cells: vec![0] };
        let mut cell = 0;
        for unit in units {
            let piece = match (*unit, blanks) {
                (Unit::Byte(byte), _) => format!("\\x{byte:02x}"),
                (Unit::Char('\t'), Blanks::Plain) => " ".repeat(4 - cell % 4),
                (Unit::Char(' '), Blanks::Marked) => paint.glyphs().space.into(),
                (Unit::Char('\n'), Blanks::Marked) => paint.glyphs().line_end.into(),
                (Unit::Char(character), _) => {
                    crate::sanitize::escape(character).unwrap_or_else(|| character.into())
                }
            };
            cell += piece.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>();
            layout.pieces.push(piece);
            layout.cells.push(cell);
        }
        layout
    }

    /// Shows at most `width` cells around the units of `focus`. Gives the text, and where the focus stands in it, in
    /// cells; a focus after the last unit stands behind the text, one cell wide.
    pub(crate) fn window(&self, focus: Range<usize>, width: usize, paint: Paint) -> (String, Range<usize>) {
        let last = self.pieces.len();
        let start = focus.start.min(last);
        let end = focus.end.clamp(start, last);
        let cut = paint.cut();
        let cut_cells = cut.chars().count();
        let whole = self.cells[last];
        // The focus stands at a third of the window where the text before it does not fit.
        let from = if whole <= width || self.cells[end] + cut_cells <= width {
            0
        } else {
            let before = self.cells[start].saturating_sub(width / 3);
            self.cells.partition_point(|cell| *cell < before).min(start)
        };
        let mut text = String::new();
        let mut shift = 0;
        if from > 0 {
            text.push_str(cut);
            shift = cut_cells;
        }
        let room = width.saturating_sub(shift);
        let fits = |to: usize, room: usize| self.cells[to] - self.cells[from] <= room;
        let to = if fits(last, room) {
            last
        } else {
            (from..=last).rev().find(|to| fits(*to, room.saturating_sub(cut_cells))).unwrap_or(from)
        };
        text.extend(self.pieces[from..to].iter().map(String::as_str));
        if to < last {
            text.push_str(cut);
        }
        let place = |unit: usize| self.cells[unit] - self.cells[from] + shift;
        let left = place(start).min(width);
        let right = place(end).min(width).max(left + 1);
        (text, left..right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(line: &str, focus: Range<usize>, width: usize) -> (String, Range<usize>) {
        let paint = Paint { unicode: true, ..Paint::PLAIN };
        Layout::new(&units(line.as_bytes()), Blanks::Plain, paint).window(focus, width, paint)
    }

    #[test]
    fn wide_characters_tabs_and_escapes_take_their_cells() {
        assert_eq!(window("합계 x", 3..4, 40), ("합계 x".into(), 5..6));
        assert_eq!(window("합", 0..1, 40), ("합".into(), 0..2));
        assert_eq!(window("\tx", 1..2, 40), ("    x".into(), 4..5));
        assert_eq!(window("a\x1bb", 2..3, 40), ("a\\x1bb".into(), 5..6));
        assert_eq!(window("ab", 2..3, 40), ("ab".into(), 2..3));
    }

    #[test]
    fn a_long_line_is_cut_around_the_focus() {
        let line = format!("{}X{}", "a".repeat(100), "b".repeat(100));
        let (text, focus) = window(&line, 100..101, 30);
        assert_eq!((text.chars().count(), focus.clone()), (30, 11..12));
        assert_eq!(text.chars().nth(focus.start), Some('X'));
        assert!(text.starts_with('…') && text.ends_with('…'));
        let (text, focus) = window(&line, 2..3, 30);
        assert!(text.starts_with("aaa") && text.ends_with('…'));
        assert_eq!(focus, 2..3);
    }
}
