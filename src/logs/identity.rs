//! A number that stands for a line, the same in every process.

use crate::fnv::Fnv;
use serde_json::Value;

/// What tells two lines of one millisecond apart: the hash of what came over the wire. It is in
/// cursors, so it must never change.
pub(crate) enum Identity {}

impl Identity {
    pub fn of_bytes(bytes: &[u8]) -> u64 {
        let mut hash = Fnv::default();
        hash.add(bytes);
        hash.value()
    }

    /// The same for the same value, however it was spaced and in whatever reply it stood.
    pub fn of_value(value: &Value) -> u64 {
        let mut hash = Fnv::default();
        // A writer that never fails, and JSON whose keys are text.
        let _ = serde_json::to_writer(&mut hash, value);
        hash.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
