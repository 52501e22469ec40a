//! What the server knows of whoever wrote a program, found wherever a comment or a text says it.

/// Whoever wrote a program, as far as the server knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// Names for people, whole or in part.
    pub names: Vec<String>,
    /// Other words for the person: user names, numbers, addresses.
    pub ids: Vec<String>,
    /// What the course and the assignment are called.
    pub places: Vec<String>,
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Vec<Word>);

#[derive(Debug, Clone)]
struct Word {
    text: String,
    /// Whether upper and lower case make a difference, since small words mean much else.
    exact: bool,
    /// Whether it means nobody else, so that it is looked for in texts too.
    sure: bool,
    is_place: bool,
}

/// Where something known stands.
pub(super) struct Spot {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) is_place: bool,
}

/// The shortest word that is looked for without regard to upper and lower case.
const SHORT: usize = 4;
/// The shortest word that can mean nobody else.
const SURE: usize = 5;
/// What stands between the parts of a name.
const JOINTS: [&str; 5] = [" ", "", "-", "_", "."];

impl Known {
    pub(super) fn new(author: &Author) -> Self {
        let mut known = Self::default();
        for name in &author.names {
            known.add_name(name);
        }
        for id in &author.ids {
            known.add_id(id);
            // In front of `@` stands what somebody is called elsewhere too.
            if let Some((local, _)) = id.split_once('@') {
                known.add_id(local);
            }
        }
        for place in &author.places {
            known.add(place, false, true);
        }
        known.0.sort_by(|a, b| (b.text.len(), &a.text).cmp(&(a.text.len(), &b.text)));
        known.0.dedup_by(|a, b| a.text == b.text);
        known
    }

    fn add_name(&mut self, name: &str) {
        let is_part = |c: char| c.is_alphanumeric() || c == '\'';
        let parts: Vec<&str> = name.split(|c| !is_part(c)).filter(|part| !part.is_empty()).collect();
        let is_whole = parts.len() > 1 || (!name.is_ascii() && name.chars().count() > 2);
        self.add(name, is_whole, false);
        if parts.len() > 1 {
            let turned: Vec<&str> = parts.iter().rev().copied().collect();
            let outer = [parts[0], parts[parts.len() - 1]];
            let (outer, turned_outer) = (outer.to_vec(), vec![outer[1], outer[0]]);
            for order in [&parts, &turned, &outer, &turned_outer] {
                JOINTS.iter().for_each(|joint| self.add(&order.join(joint), true, false));
            }
            parts.iter().for_each(|part| self.add(part, false, false));
        }
    }

    fn add_id(&mut self, id: &str) {
        let is_plain = id.chars().all(|c| c.is_ascii_lowercase());
        self.add(id, !is_plain && id.len() >= SURE, false);
    }

    fn add(&mut self, text: &str, sure: bool, is_place: bool) {
        let text = text.trim();
        let length = text.chars().count();
        if length < 2 {
            return;
        }
        let exact = text.is_ascii() && length < SHORT;
        let text = if exact { text.to_owned() } else { text.to_ascii_lowercase() };
        self.0.push(Word { text, exact, sure, is_place });
    }

    /// Where a piece of a program says any of it: all of it in a comment, in a text what means nobody else. Small words
    /// that the program itself uses are about the program.
    pub(super) fn find(&self, piece: &str, is_comment: bool, code: &[&str]) -> Vec<Spot> {
        let lower = piece.to_ascii_lowercase();
        let mut all = Vec::new();
        for word in self.0.iter().filter(|word| word.sure || is_comment) {
            let place = if word.exact { piece } else { lower.as_str() };
            let is_small = !word.sure && word.text.len() <= SURE;
            if !place.contains(&word.text)
                || (is_small && code.iter().any(|token| token.eq_ignore_ascii_case(&word.text)))
            {
                continue;
            }
            for (at, _) in place.match_indices(&word.text) {
                let (before, after) = (&piece[..at], &piece[at + word.text.len()..]);
                let is_letter = |c: char| c.is_ascii_alphabetic();
                let is_digit = |c: char| c.is_ascii_digit();
                // A number written to a name belongs to it, a letter makes another word of it. In Korean and others
                // particles are written to names.
                let (starts, ends) = (word.text.starts_with(is_letter), word.text.ends_with(is_letter));
                let start = if starts { before.trim_end_matches(is_digit).len() } else { before.len() };
                let more = if ends { after.len() - after.trim_start_matches(is_digit).len() } else { 0 };
                let joins = |c: char| c.is_ascii_alphanumeric();
                if !before[..start].ends_with(joins) && !after[more..].starts_with(joins) {
                    let end = at + word.text.len() + more;
                    all.push(Spot { start, end, is_place: word.is_place });
                }
            }
        }
        all
    }
}
