//! Short names: `[a-z0-9][a-z0-9-]*`, at most 64 characters.

/// The longest slug.
pub const MAX_SLUG: usize = 64;

/// What a name with no usable character becomes.
const FALLBACK: &str = "problem";

/// Whether a text is a slug.
pub fn is_slug(text: &str) -> bool {
    (1..=MAX_SLUG).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Makes a slug of the name of a folder or zip: small letters, and one `-` for whatever is in between.
pub fn from_name(name: &str) -> String {
    if is_slug(name) {
        return name.to_owned();
    }
    let words: Vec<_> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let mut slug = words.join("-");
    slug.truncate(MAX_SLUG);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { FALLBACK.to_owned() } else { slug.to_owned() }
}

/// How many single characters must be put in, left out, replaced or swapped with their neighbour to make one text of
/// the other.
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<_> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1; b.len() + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// The candidates that `word` may have been meant to be, the nearest first, at most three.
pub fn near_matches<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // A name may be off by a third of its length; a part of a longer name is near too.
    let most = (word.chars().count() / 3).max(1);
    let mut near: Vec<_> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let off = distance(word, candidate);
            let part = word.len() >= 3 && candidate.contains(word);
            (off <= most || part).then_some((off, candidate))
        })
        .collect();
    near.sort();
    near.dedup();
    near.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slugs_are_made_from_names() {
        for (name, slug) in [
            ("hello", "hello"),
            ("a-b-2", "a-b-2"),
            ("Hello World", "hello-world"),
            ("two_sums.v2", "two-sums-v2"),
            ("-x-", "x"),
            ("문제", "problem"),
            ("", "problem"),
            ("..", "problem"),
        ] {
            assert_eq!(from_name(name), slug, "{name:?}");
        }
        assert_eq!(from_name(&"A".repeat(100)).len(), MAX_SLUG);
    }

    #[test]
    fn near_names_are_found() {
        let names = ["hello", "sum", "sum-of-squares", "graph-walk"];
        assert_eq!(near_matches("helo", names), ["hello"]);
        assert_eq!(near_matches("hlelo", names), ["hello"]);
        assert_eq!(near_matches("smu", names), ["sum"]);
        assert_eq!(near_matches("graph", names), ["graph-walk"]);
        assert!(near_matches("zzzzz", names).is_empty());
    }

    #[test]
    fn distances_count_edits() {
        for (a, b, off) in [
            ("", "", 0),
            ("a", "", 1),
            ("abc", "abc", 0),
            ("abc", "abd", 1),
            ("abc", "acb", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!((distance(a, b), distance(b, a)), (off, off), "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn every_name_becomes_a_slug(name: String) {
            prop_assert!(is_slug(&from_name(&name)), "{}", from_name(&name));
        }
    }
}
