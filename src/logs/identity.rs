//! A number that stands for a line, the same in every process.

use serde_json::Value;
use std::io;

/// What tells two lines of one millisecond apart: the hash of what came over the wire (FNV-1a,
/// 64 bits). It is in cursors, so it must never change.
#[derive(Clone, Copy)]
pub(crate) struct Identity(u64);

impl Identity {
    pub fn of_bytes(bytes: &[u8]) -> u64 {
        let mut identity = Self(0xcbf2_9ce4_8422_2325);
        identity.add(bytes);
        identity.0
    }

    /// The same for the same value, however it was spaced and in whatever reply it stood.
    pub fn of_value(value: &Value) -> u64 {
        let mut identity = Self(Self::of_bytes(b""));
        // A writer that never fails, and JSON whose keys are text.
        let _ = serde_json::to_writer(&mut identity, value);
        identity.0
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

impl io::Write for Identity {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_published_hash() {
        assert_eq!(Identity::of_bytes(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(Identity::of_bytes(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(Identity::of_bytes(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_value_is_itself_however_it_was_written() {
        let read = |text: &str| Identity::of_value(&serde_json::from_str(text).unwrap());
        let one = read(r#"{"message":"a","timestamp":1}"#);
        assert_eq!(
            one,
            read("{ \"timestamp\" : 1,\n \"message\":\"\\u0061\" }")
        );
        assert_ne!(one, read(r#"{"message":"b","timestamp":1}"#));
    }
}
