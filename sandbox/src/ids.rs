//! Random ids and secrets in each platform's format. The same seed gives the same values.

use std::time::Duration;

const HEX: &[u8] = b"0123456789abcdef";
const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const CROCKFORD: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// SplitMix64. Its output is predictable, which is harmless here: the secrets protect nothing.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    state: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % limit).unwrap_or(0)
    }

    fn string(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length)
            .map(|_| {
                alphabet
                    .get(self.below(alphabet.len()))
                    .map_or('0', |&byte| char::from(byte))
            })
            .collect()
    }

    pub(crate) fn hex(&mut self, length: usize) -> String {
        self.string(HEX, length)
    }

    pub(crate) fn alphanumeric(&mut self, length: usize) -> String {
        self.string(ALPHANUMERIC, length)
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let (a, b, c, e) = (self.hex(8), self.hex(4), self.hex(3), self.hex(12));
        let variant = self.string(b"89ab", 1);
        let d = self.hex(3);
        format!("{a}-{b}-4{c}-{variant}{d}-{e}")
    }

    /// A ULID: 48 bits of milliseconds in 10 characters, then 16 random ones.
    pub(crate) fn ulid(&mut self, now: Duration) -> String {
        let mut millis = now.as_millis();
        let mut time = [b'0'; 10];
        for slot in time.iter_mut().rev() {
            let digit = usize::try_from(millis & 31).unwrap_or(0);
            *slot = CROCKFORD.get(digit).copied().unwrap_or(b'0');
            millis >>= 5;
        }
        let random = self.string(CROCKFORD, 16);
        format!("{}{random}", String::from_utf8_lossy(&time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_documented_format() {
        let mut ids = Ids::new(1);
        assert_eq!(ids.hex(12).len(), 12);
        assert_eq!(ids.alphanumeric(12).len(), 12);
        let uuid = ids.uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        // 01M85NWXQH... was recorded at 1795487069937 ms.
        assert!(
            ids.ulid(Duration::from_millis(1_795_487_069_937))
                .starts_with("01M85NWXQH")
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        assert_eq!(Ids::new(7).hex(32), Ids::new(7).hex(32));
        assert_ne!(Ids::new(7).hex(32), Ids::new(8).hex(32));
    }
}
