//! What the process holds: memory, open files, tasks.

use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;
use tokio::runtime::Handle;

/// How many times memory is looked at.
const SAMPLES: usize = 1_000;
/// How long connections and their tasks may take to end.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The resident set while the calls run.
pub struct Memory {
    /// The calls during which it is looked at.
    calls: Range<usize>,
    every: usize,
    /// The number of a call, and the resident set when it ended.
    samples: Mutex<Vec<(usize, f64)>>,
}

impl Memory {
    pub fn new(calls: Range<usize>) -> Self {
        Self {
            every: (calls.len() / SAMPLES).max(1),
            calls,
            samples: Mutex::new(Vec::with_capacity(SAMPLES * 2)),
        }
    }

    /// Called at the end of every call; looks at some.
    pub fn look(&self, call: usize) {
        if !self.calls.contains(&call) || !call.is_multiple_of(self.every) {
            return;
        }
        if let (Some(resident), Ok(mut samples)) = (resident_mib(), self.samples.lock()) {
            samples.push((call, resident));
        }
    }

    /// The mean of each tenth of the calls, in MiB; `None` where there is nothing to look at.
    pub fn tenths(&self) -> Option<[f64; 10]> {
        let samples = self.samples.lock().ok()?;
        let mut sums = [(0.0, 0.0); 10];
        for (call, resident) in samples.iter() {
            let (sum, count) = &mut sums[(call - self.calls.start) * 10 / self.calls.len()];
            *sum += resident;
            *count += 1.0;
        }
        let all = sums.iter().all(|(_, count)| *count > 0.0);
        all.then(|| sums.map(|(sum, count)| sum / count))
    }
}

/// The resident set; `None` where there is no `/proc`.
fn resident_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// How many files and sockets are open; `None` where there is no `/proc`.
pub fn open_files() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count())
}

/// What is left when everything had time to end.
pub struct Left {
    pub tasks: usize,
    pub files: Option<usize>,
}

/// Waits until no more than this is left, or for long enough.
pub async fn settle(tasks: usize, files: Option<usize>) -> Left {
    let since = tokio::time::Instant::now();
    loop {
        let left = Left {
            tasks: Handle::current().metrics().num_alive_tasks(),
            files: open_files(),
        };
        if (left.tasks, left.files) == (tasks, files) || since.elapsed() > PATIENCE {
            return left;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
