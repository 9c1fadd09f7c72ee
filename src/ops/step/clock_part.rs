//! The clock of one part of a batch that goes through a network in several, one after the other, before the optimiser moves once.
//!
//! Of K parts of m rows, part i sees a clock that counts as if its m rows were a batch of their own: step K·s + i, batch K·b + i,
//! batches of m rows, of which min(max(v − i·m, 0), m) are valid where v of the whole batch are; so its rows are the i-th of the
//! batch's, and its draws are none of another part's. The second output is its share of the valid rows: means over parts,
//! weighted by it, add up to the mean over the batch. Where rows come in windows that hold only h parts of each batch, from
//! part f on, it is batch h·b + i − f of them.

use super::clock;
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (clock of the part, its share of the valid rows) for the batch's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockPart {
    /// Number of the part, from 0.
    pub part: usize,
    /// How many there are.
    pub parts: usize,
    /// Rows of a part.
    pub rows: usize,
    /// The parts of each batch that a window of rows holds: the number of the first, and how many there are.
    pub held: [usize; 2],
}

impl ClockPart {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let whole = x[0].words();
        let [part, parts, rows] = [self.part, self.parts, self.rows].map(|number| number as u32);
        let valid = whole[clock::VALID_ROWS];
        let own = valid.saturating_sub(part * rows).min(rows);
        let words = y[0].words_mut();
        words.copy_from_slice(whole);
        words[clock::STEP] = whole[clock::STEP].wrapping_mul(parts).wrapping_add(part);
        // Of a window its batches are counted, else those of all rows.
        let [first, count] = match whole[clock::WINDOW] {
            0 => [0, parts],
            _ => self.held.map(|number| number as u32),
        };
        words[clock::BATCH] = whole[clock::BATCH].wrapping_mul(count).wrapping_add(part - first);
        words[clock::VALID_ROWS] = own;
        words[clock::BATCH_SIZE] = rows;
        words[clock::WINDOW] = whole[clock::WINDOW].wrapping_mul(count);
        y[1].real_mut()[0] = T::of(f64::from(own)) / T::of(f64::from(valid.max(1)));
    }
}

impl Op for ClockPart {
    fn name(&self) -> &'static str {
        "clock_part"
    }

    fn attributes(&self) -> String {
        format!("{} of {}, {} rows", self.part + 1, self.parts, self.rows)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [clock] = arity(self.name(), inputs)?;
        same(self.name(), "the clock", clock, &clock::ty())?;
        let [first, count] = self.held;
        let is_held = (first..first + count).contains(&self.part) && first + count <= self.parts;
        if !is_held || self.rows == 0 {
            return Err(Error::graph(self.name(), format!("there is no part {self:?}")));
        }
        Ok(vec![clock::ty(), Ty::f32(&[])])
    }

    crate::twin!();
}

/// `shaders/step/clock_part.wgsl`
pub struct ClockPartKernel;

impl Kernel for ClockPartKernel {
    fn stem(&self) -> &'static str {
        "clock_part"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<ClockPart>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let ClockPart { part, parts, rows, held: [first, count] } = *r.op::<ClockPart>()?;
        Ok(Launch::single(
            ShaderKey::plain(self.stem()),
            vec![Bind::Input(0), Bind::Output(0), Bind::Output(1)],
            [part, parts, rows, first, count].map(|number| number as u32).to_vec(),
            Work::Groups(1),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 1.0))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(0.0, 4e-7, Terms::Each, "one quotient, which WGSL allows 2.5 ULP");
        let part_of = |label: &str, valid: u32, part: ClockPart, window: u32| {
            let ClockPart { parts, rows, .. } = part;
            let mut words = clock::start(1009, parts * rows, true, 7);
            (words[clock::STEP], words[clock::EPOCH], words[clock::BATCH]) = (23, 1, 5);
            (words[clock::VALID_ROWS], words[clock::WINDOW]) = (valid, window);
            let inputs = vec![HostTensor::from_words(&[clock::WORDS], &words)];
            Case::new(label, part, inputs, rounding)
        };
        let case = |label: &str, valid: u32, part: usize, parts: usize, rows: usize, window: u32| {
            part_of(label, valid, ClockPart { part, parts, rows, held: [0, parts] }, window)
        };
        let held = ClockPart { part: 5, parts: 8, rows: 13, held: [4, 2] };
        vec![
            case("1 of 1", 64, 0, 1, 64, 0),
            case("1 of 4", 64, 0, 4, 16, 0),
            case("4 of 4", 64, 3, 4, 16, 0).benched(),
            case("3 of 4, 41 rows", 41, 2, 4, 16, 0),
            case("4 of 4, no row left", 41, 3, 4, 16, 0),
            case("2 of 7, windows", 91, 1, 7, 13, 3),
            part_of("6 of 8, windows of 2", 71, held, 3),
            part_of("6 of 8, held with all", 104, held, 0),
        ]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ops::batch::batch_rows::{PADDING, fill};

    /// The parts of a batch take its rows, each once, in their order, whether all rows are there or a window of them.
    #[test]
    fn parts_take_the_rows_of_the_batch() {
        for (batch, valid, window) in [(2, 24, 0), (41, 25, 0), (5, 24, 3), (1, 7, 2)] {
            let mut words = clock::start(1009, 24, true, 3);
            words[clock::BATCH] = batch;
            (words[clock::VALID_ROWS], words[clock::WINDOW]) = (valid.min(24), window);
            let mut whole = vec![0; 24];
            fill(&words, 0, &mut whole);
            let clock = HostTensor::<f32>::from_words(&[clock::WORDS], &words);
            let (mut found, mut shares) = (Vec::new(), 0.0);
            for part in 0..4 {
                let mut outputs = [HostTensor::zeros(&clock::ty()), HostTensor::zeros(&Ty::f32(&[]))];
                ClockPart { part, parts: 4, rows: 6, held: [0, 4] }.eval(&[&clock], &mut outputs);
                let mut rows = vec![0; 6];
                fill(outputs[0].words(), 0, &mut rows);
                found.extend(rows);
                shares += outputs[1].scalar();
            }
            assert_eq!(found, whole, "batch {batch}");
            assert_eq!(found.iter().filter(|&&row| row != PADDING).count(), valid.min(24) as usize);
            assert!((shares - 1.0).abs() < 1e-6);
        }
    }

    /// Of windows that hold a member's parts alone, batch after batch, the parts take one after the other.
    #[test]
    fn parts_take_their_rows_of_a_window_that_holds_no_others() {
        for (batch, number) in [(6, 0), (7, 1), (8, 2), (9, 0)] {
            let mut words = clock::start(1009, 24, true, 3);
            (words[clock::BATCH], words[clock::WINDOW]) = (batch, 3);
            let clock = HostTensor::<f32>::from_words(&[clock::WORDS], &words);
            let mut found = Vec::new();
            for part in [2, 3] {
                let mut outputs = [HostTensor::zeros(&clock::ty()), HostTensor::zeros(&Ty::f32(&[]))];
                ClockPart { part, parts: 4, rows: 6, held: [2, 2] }.eval(&[&clock], &mut outputs);
                let mut rows = vec![0; 6];
                fill(outputs[0].words(), 0, &mut rows);
                found.extend(rows);
            }
            assert_eq!(found, (number * 12..number * 12 + 12).collect::<Vec<u32>>(), "batch {batch}");
        }
    }
}
