//! Names that somebody who mistyped may have meant.

/// At most three of `known` that are close to `given`, the closest first.
pub fn matches<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let given = given.to_lowercase();
    let bound = 1 + given.chars().count() / 4;
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|candidate| {
            let distance = distance(&given, &candidate.to_lowercase());
            let part = given.len() >= 3 && (candidate.starts_with(&given) || given.starts_with(candidate));
            (distance <= bound || part).then_some((distance, candidate))
        })
        .collect();
    near.sort();
    near.into_iter().take(3).map(|(_, candidate)| candidate.into()).collect()
}

/// How many characters must be put in, taken out, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_mistyped_is_found_and_what_is_far_is_not() {
        let known = ["hello", "two-sum", "three-sum", "tree"];
        assert_eq!(matches("two-sun", known), ["two-sum"]);
        assert_eq!(matches("ehllo", known), ["hello"]);
        assert_eq!(matches("two", known), ["two-sum"]);
        assert_eq!(matches("knapsack", known), [""; 0]);
    }
}
