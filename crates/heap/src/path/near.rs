//! Names a person may have meant.

/// How many names an error lists, and how many if none is like the one wanted.
const LISTED: usize = 5;
const OTHERS: usize = 3;
/// Longer names are not compared letter by letter.
const LONG: usize = 200;

/// The few candidates most like `wanted`, best first, whatever their case. A dotted name is as like
/// it as its last part is, if that is more.
pub(crate) fn nearest<'a>(
    wanted: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let rank = |name: &'a str| {
        let lower = name.to_lowercase();
        let last = lower.rsplit('.').next().unwrap_or(&lower);
        (distance(&wanted, &lower).min(distance(&wanted, last)), name)
    };
    let mut ranked: Vec<(usize, &str)> = candidates.into_iter().map(rank).collect();
    ranked.sort_unstable();
    ranked.dedup();
    let alike = ranked.partition_point(|&(rank, _)| rank <= (wanted.len() / 2).max(2));
    let listed = if alike == 0 { OTHERS } else { alike.min(LISTED) };
    ranked.into_iter().take(listed).map(|(_, name)| name.to_owned()).collect()
}

/// Edits from one name to the other (Levenshtein); one that contains the other counts as one slip.
fn distance(wanted: &str, name: &str) -> usize {
    if name.len() > LONG || wanted.len() > LONG {
        return name.len().max(wanted.len());
    }
    if wanted == name {
        return 0;
    }
    if !wanted.is_empty() && name.contains(wanted) {
        return 1;
    }
    let wanted: Vec<char> = wanted.chars().collect();
    let mut row: Vec<usize> = (0..=wanted.len()).collect();
    for (line, c) in name.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, &w) in wanted.iter().enumerate() {
            let changed = diagonal + usize::from(w != c);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[wanted.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_found_first() {
        let names = ["cache", "catch", "handlers", "CACHE_SIZE", "x", "app.models.User"];
        assert_eq!(nearest("cahce", names)[0], "cache");
        assert_eq!(nearest("cache", names)[..2], ["cache", "CACHE_SIZE"]);
        assert_eq!(nearest("Usr", names)[0], "app.models.User");
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
