//! A hash that identifies a log line within its millisecond.

const MULTIPLIER: u64 = 0x517c_c1b7_2722_0a95;

/// Hashes the bytes of a line as they arrived, eight at a time.
///
/// Cursors contain the hash, so its values must never change.
pub(crate) fn line_hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut hash = MULTIPLIER ^ length;
    for word in words.iter().chain([&last]) {
        let word = u64::from_le_bytes(*word);
        hash = (hash.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER);
    }
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn hashes_never_change() {
        for (line, hash) in [
            ("", 0xce47_b308_3a21_3ee8),
            ("a", 0xb568_3f0c_912c_9f99),
            ("12345678", 0x1958_6fc2_456e_08fc),
            (
                r#"{"timestamp":1795487020229,"message":"grün"}"#,
                0xe38f_d153_ac47_851e,
            ),
        ] {
            let found = line_hash(line.as_bytes());
            assert_eq!(found, hash, "{line}: {found:#018x}");
        }
    }

    #[test]
    fn similar_lines_have_different_hashes() {
        let lines = (0..10_000)
            .map(|n| format!("{{\"timestamp\":1795487020229,\"message\":\"line {n}\"}}"));
        let zeros = (0..100).map(|n| "\0".repeat(n));
        let hashes: HashSet<u64> = lines
            .chain(zeros)
            .map(|line| line_hash(line.as_bytes()))
            .collect();
        assert_eq!(hashes.len(), 10_100);
    }
}
