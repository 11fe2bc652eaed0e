//! A long stream whose every byte can be checked where it arrives, without keeping it.

/// A prime, so that no block of 2ⁿ bytes that is lost, doubled or swapped goes unnoticed.
const PERIOD: usize = 65_521;

/// The bytes of a flood: the same everywhere, each found from its position.
pub struct Flood {
    period: Vec<u8>,
}

impl Flood {
    /// Makes the pattern.
    pub fn new() -> Self {
        let mut seed = 0x9e37_79b9_u32;
        let byte = |_| {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed.to_le_bytes()[1]
        };
        Self { period: (0..PERIOD).map(byte).collect() }
    }

    /// Writes the bytes from `position` on into `target`.
    pub fn fill(&self, position: u64, target: &mut [u8]) {
        let mut done = 0;
        while done < target.len() {
            let from = self.index(position + done as u64);
            let length = (PERIOD - from).min(target.len() - done);
            target[done..done + length].copy_from_slice(&self.period[from..from + length]);
            done += length;
        }
    }

    /// The first position at which `bytes`, which came at `position`, are not what they should be.
    pub fn first_difference(&self, position: u64, bytes: &[u8]) -> Option<u64> {
        let mut done = 0;
        while done < bytes.len() {
            let from = self.index(position + done as u64);
            let length = (PERIOD - from).min(bytes.len() - done);
            let (expected, found) = (&self.period[from..from + length], &bytes[done..done + length]);
            if expected != found {
                let at = expected.iter().zip(found).position(|(expected, found)| expected != found).unwrap_or(0);
                return Some(position + (done + at) as u64);
            }
            done += length;
        }
        None
    }

    fn index(&self, position: u64) -> usize {
        usize::try_from(position % PERIOD as u64).unwrap_or(0)
    }
}
