//! Cutting a stream of bytes into lines.

use bytes::Bytes;

/// Cuts chunks into lines, with no more than a line and a chunk in memory.
#[derive(Default)]
pub(super) struct Lines {
    chunk: Bytes,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Inside of a line that was given up.
    skipping: bool,
}

pub(super) enum Line {
    Whole(Vec<u8>),
    TooLong,
}

impl Lines {
    /// The longest line that is read, in bytes: 1 MiB. Log stores cut lines far below that; what is
    /// longer is no log line and must not fill the memory.
    pub const LONGEST: usize = 1 << 20;

    /// Takes the next chunk, when [`next`](Self::next) has used up the one before.
    pub fn push(&mut self, chunk: Bytes) {
        self.chunk = chunk;
    }

    pub fn next(&mut self) -> Option<Line> {
        while !self.chunk.is_empty() {
            let end = self.chunk.iter().position(|byte| *byte == b'\n');
            let piece = match end {
                Some(end) => self.chunk.split_to(end + 1),
                None => std::mem::take(&mut self.chunk),
            };
            let ended = end.is_some();
            if self.skipping {
                self.skipping = !ended;
                continue;
            }
            if self.partial.len() + piece.len() > Self::LONGEST {
                self.partial = Vec::new();
                self.skipping = !ended;
                return Some(Line::TooLong);
            }
            self.partial.extend_from_slice(&piece);
            if ended {
                return Some(Line::Whole(std::mem::take(&mut self.partial)));
            }
        }
        None
    }

    /// The last line, if the stream ended without a line break.
    pub fn finish(&mut self) -> Option<Line> {
        (!self.partial.is_empty()).then(|| Line::Whole(std::mem::take(&mut self.partial)))
    }

    /// Whether a line was given up whose end has not come, and nothing of it is kept.
    #[cfg(test)]
    pub fn is_skipping(&self) -> bool {
        self.skipping && self.partial.capacity() == 0
    }
}
