//! Plots of cells, for a terminal.

use crate::render::glyphs::Glyphs;

impl Glyphs {
    /// One column for each value. What is not nothing is seen.
    pub fn columns(&self, values: &[u64], most: u64) -> String {
        values.iter().map(|value| self.columns[step(*value, most, self.columns.len() - 1)]).collect()
    }

    /// A bar of at most `width` cells, without the blanks behind it. What is not nothing is seen.
    pub fn bar(&self, value: u64, most: u64, width: usize) -> String {
        let parts = self.bars.len() - 1;
        let length = step(value, most, width * parts);
        let mut bar: String = std::iter::repeat_n(self.bars[parts], length / parts).collect();
        if !length.is_multiple_of(parts) {
            bar.push(self.bars[length % parts]);
        }
        bar
    }
}

/// The share of `value` in `most`, in so many steps; 0 only for 0.
fn step(value: u64, most: u64, steps: usize) -> usize {
    if value == 0 || most == 0 {
        return 0;
    }
    let share = u128::from(value.min(most)) * steps as u128 / u128::from(most);
    usize::try_from(share).unwrap_or(steps).clamp(1, steps)
}

#[cfg(test)]
mod tests {
    use crate::render::glyphs::{ASCII, UNICODE};

    #[test]
    fn plots_are_the_table() {
        assert_eq!(UNICODE.columns(&[0, 1, 50, 100], 100), " ▁▄█");
        assert_eq!(ASCII.columns(&[0, 1, 50, 100], 100), " .:#");
        assert_eq!(UNICODE.bar(5, 10, 3), "█▌");
        assert_eq!(UNICODE.bar(1, 10_000, 3), "▏");
        assert_eq!(ASCII.bar(5, 10, 4), "##");
        assert_eq!(ASCII.bar(1, 10_000, 4), "#");
        assert_eq!(ASCII.bar(0, 10, 4), "");
        assert_eq!(UNICODE.bar(7, 0, 4), "");
        assert_eq!(UNICODE.bar(u64::MAX, u64::MAX, 2), "██");
    }
}
