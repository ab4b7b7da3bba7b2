//! What is kept has an end: a sandbox may serve for days. Every collection that requests make grow is cut after a
//! request that may have done so.

/// Deployments, applications, sessions and the like, of each kind on each platform, unless a test wants more of what is
/// deployed.
pub(crate) const MOST: usize = 1_000;
/// What belongs to one of those: its variables, tags, deployments, lines.
pub(crate) const MOST_OF_ONE: usize = 250;

/// Takes out what is too many: the oldest that are over, then the oldest.
pub(crate) fn cut<T>(all: &mut Vec<T>, most: usize, mut is_over: impl FnMut(&T) -> bool) -> Vec<T> {
    let mut out = Vec::new();
    while all.len() > most {
        let at = all.iter().position(&mut is_over).unwrap_or(0);
        out.push(all.remove(at));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_goes_first() {
        let mut all = vec![1, 2, 3, 4, 5];
        assert!(cut(&mut all, 5, |_| true).is_empty());
        assert_eq!(cut(&mut all, 3, |one| *one == 4), [4, 1]);
        assert_eq!(all, [2, 3, 5]);
    }
}
