//! Lists as aligned columns; the text is the same without colour.

use unicode_width::UnicodeWidthStr;

use crate::sanitize;
use crate::terminal::Paint;

/// A list.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

struct Column {
    name: &'static str,
    right: bool,
}

/// What a cell says of itself, beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing.
    Plain,
    /// It went well.
    Good,
    /// It went badly.
    Bad,
    /// It deserves a look.
    Odd,
}

struct Cell {
    text: String,
    tone: Tone,
}

impl Table {
    /// A list with these columns; those whose name begins with `>` are aligned to the right.
    pub fn new(columns: &[&'static str]) -> Self {
        let columns = columns
            .iter()
            .map(|name| Column { name: name.trim_start_matches('>'), right: name.starts_with('>') })
            .collect();
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row, with a cell for each column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = (String, Tone)>) {
        self.rows.push(
            cells
                .into_iter()
                .map(|(text, tone)| Cell { text: sanitize::line(&text).into_owned(), tone })
                .collect(),
        );
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The list as text, each line ending in a line end.
    pub fn render(&self, paint: Paint) -> String {
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(place, column)| {
                let cells = self.rows.iter().filter_map(|row| row.get(place));
                cells.map(|cell| cell.text.width()).chain([column.name.width()]).max().unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        let header = self.columns.iter().map(|column| (column.name.to_owned(), column.name.width()));
        self.line(&mut text, &widths, header.map(|(name, width)| (paint.faint(&name), width)));
        for row in &self.rows {
            let cells = row.iter().map(|cell| {
                let shown = match cell.tone {
                    Tone::Plain => cell.text.clone(),
                    Tone::Good => paint.good(&cell.text),
                    Tone::Bad => paint.bad(&cell.text),
                    Tone::Odd => paint.odd(&cell.text),
                };
                (shown, cell.text.width())
            });
            self.line(&mut text, &widths, cells);
        }
        text
    }

    fn line(&self, text: &mut String, widths: &[usize], cells: impl Iterator<Item = (String, usize)>) {
        let mut line = String::new();
        for (place, (shown, width)) in cells.enumerate() {
            let blank = " ".repeat(widths.get(place).map_or(0, |widest| widest.saturating_sub(width)));
            let right = self.columns.get(place).is_some_and(|column| column.right);
            if place > 0 {
                line.push_str("  ");
            }
            if right {
                line.push_str(&blank);
            }
            line.push_str(&shown);
            if !right {
                line.push_str(&blank);
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_cells_and_not_by_bytes() {
        let mut table = Table::new(&[">#", "problem", "verdict"]);
        table.row([("9".into(), Tone::Plain), ("합계".into(), Tone::Plain), ("ACCEPTED".into(), Tone::Good)]);
        table.row([("10".into(), Tone::Plain), ("a\x1bb".into(), Tone::Plain), ("queued".into(), Tone::Odd)]);
        assert_eq!(
            table.render(Paint::PLAIN),
            " #  problem  verdict\n 9  합계     ACCEPTED\n10  a\\x1bb   queued\n"
        );
    }
}
