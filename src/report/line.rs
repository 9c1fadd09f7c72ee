//! Lines for the terminal: what of them is shown, and times in words.

use std::time::Duration;

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
}
