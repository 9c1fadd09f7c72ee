//! Lines for the terminal: what of them is shown, how far a run is, and times in words.

use std::time::{Duration, Instant};

/// Time after which the speed so far says something of the speed to come.
const SETTLED: Duration = Duration::from_millis(300);

/// A part of a line, and its rank: 0 is always shown, of the others the largest is left out first.
pub type Part = (u8, String);

/// The parts of a line with two spaces between them: all of them without a `width`, else as many as fit into so many
/// columns. Of equal ranks the last goes first.
pub fn fitting(parts: &[Part], width: Option<usize>) -> String {
    let mut shown: Vec<&Part> = parts.iter().filter(|(_, text)| !text.is_empty()).collect();
    loop {
        let line = shown.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("  ");
        let least = (0..shown.len()).max_by_key(|&index| shown[index].0).filter(|&index| shown[index].0 > 0);
        match (width, least) {
            (Some(width), Some(least)) if line.chars().count() > width => shown.remove(least),
            _ => return line,
        };
    }
}

/// What the rest will take if it goes as it went, once that can be told.
pub fn remaining(elapsed: Duration, done: u64, all: u64) -> Option<Duration> {
    let rest = all.saturating_sub(done) as f64 / done as f64;
    Duration::try_from_secs_f64(elapsed.as_secs_f64() * rest).ok().filter(|_| done > 0 && elapsed >= SETTLED)
}

/// The way of a run through its epochs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Course {
    epochs: u32,
    /// Training rows, the length of an epoch.
    rows: u64,
    /// When the first progress was told, and how many rows were done by then: what comes before is not repeated.
    begin: Option<(Instant, u64)>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Share of the epoch that is done.
    pub of_epoch: f64,
    /// Share of the run that is done.
    pub of_run: f64,
    /// What the epoch and the run still take, once that can be told.
    pub left: [Option<Duration>; 2],
}

impl Course {
    /// Of so many `epochs` over `rows` training rows.
    pub fn new(epochs: u32, rows: usize) -> Self {
        Course { epochs, rows: rows as u64, begin: None }
    }

    /// How far it is at this time, with so many samples of an epoch done at this speed.
    pub fn at(&mut self, now: Instant, epoch: u32, samples: u64, samples_per_second: f64) -> Place {
        let done = u64::from(epoch - 1) * self.rows + samples;
        let (begin, before) = *self.begin.get_or_insert((now, done));
        let all = u64::from(self.epochs) * self.rows;
        let run = remaining(now - begin, done - before, all.saturating_sub(before));
        let left = self.rows.saturating_sub(samples) as f64 / samples_per_second;
        let share = |done: u64, all: u64| done as f64 / all.max(1) as f64;
        Place {
            of_epoch: share(samples, self.rows),
            of_run: share(done, all),
            left: [Duration::try_from_secs_f64(left).ok(), run],
        }
    }
}

/// A time in words, as exact as people need it: `8 s`, `3 min 20 s`, `25 min`, `2 h 5 min`.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, _) if minutes >= 10 => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_loses_its_least_important_parts_first() {
        let parts = [
            (0, "epoch 3/10"),
            (0, "loss 0.0712"),
            (1, "mse 0.0412"),
            (1, "entropy 0.8512"),
            (2, "active 14-6-14"),
            (3, "  9,812 samples/s"),
            (1, ""),
        ];
        let parts = parts.map(|(rank, text)| (rank, text.to_string()));
        let whole = "epoch 3/10  loss 0.0712  mse 0.0412  entropy 0.8512  active 14-6-14    9,812 samples/s";
        assert_eq!(fitting(&parts, None), whole);
        assert_eq!(fitting(&parts, Some(whole.len())), whole);
        let at_80 = "epoch 3/10  loss 0.0712  mse 0.0412  entropy 0.8512  active 14-6-14";
        assert_eq!(fitting(&parts, Some(80)), at_80);
        assert_eq!(fitting(&parts, Some(50)), "epoch 3/10  loss 0.0712  mse 0.0412");
        assert_eq!(fitting(&parts, Some(5)), "epoch 3/10  loss 0.0712");
    }

    #[test]
    fn times_are_as_exact_as_people_need_them() {
        let cases = [(0.4, "0 s"), (8.2, "8 s"), (59.9, "1 min 0 s"), (200.0, "3 min 20 s"), (1500.0, "25 min")];
        for (seconds, words) in cases.into_iter().chain([(7500.0, "2 h 5 min")]) {
            assert_eq!(time(Duration::from_secs_f64(seconds)), words);
        }
    }

    #[test]
    fn the_rest_goes_as_it_went_once_that_is_known() {
        let seconds = Duration::from_secs;
        assert_eq!(remaining(seconds(10), 25, 100), Some(seconds(30)));
        assert_eq!(remaining(seconds(10), 100, 100), Some(seconds(0)));
        assert_eq!(remaining(seconds(10), 0, 100), None);
        assert_eq!(remaining(Duration::from_millis(1), 1, 100), None);
    }

    #[test]
    fn a_run_s_time_is_that_of_what_it_still_does() {
        let begin = Instant::now();
        let mut course = Course::new(4, 100);
        let first = course.at(begin, 2, 50, 25.0);
        assert_eq!((first.of_epoch, first.of_run, first.left), (0.5, 0.375, [Some(Duration::from_secs(2)), None]));
        // A resumed run does not repeat what it has done before.
        let later = course.at(begin + Duration::from_secs(10), 3, 50, 10.0);
        assert_eq!((later.of_run, later.left), (0.625, [5, 15].map(|seconds| Some(Duration::from_secs(seconds)))));
        assert_eq!(course.at(begin, 3, 50, 0.0).left, [None; 2], "a speed that is not known yet");
    }
}
