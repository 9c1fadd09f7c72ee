//! Which rows of the data set make up the current batch.
//!
//! rows\[i\] = π(batch · B + i), where π permutes the data set under the epoch's key (a Feistel
//! network, see [`crate::rng::permute`]) or is the identity. Padding rows are marked with 2³² − 1. Where rows come
//! window by window, W batches at a time, the host lays them down in that order, and
//! rows\[i\] = (batch mod W) · B + i.

use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Tolerance, Work};
use crate::ops::step::clock;
use crate::rng::{permute_lanes, threefry2x32};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Marks a row of padding.
pub const PADDING: u32 = u32::MAX;

/// Row numbers of a batch of this size, for a clock as input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRows(pub usize);

impl BatchRows {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        fill(x[0].words(), 0, y[0].words_mut());
    }
}

/// Row numbers that are computed side by side.
const LANES: usize = 16;

/// Row numbers of the clock's batch, from its row `first` on.
#[inline(always)]
pub(crate) fn fill(clock: &[u32], first: usize, rows: &mut [u32]) {
    let valid = clock::valid_rows(clock).saturating_sub(first).min(rows.len());
    if let Some(number) = clock[clock::BATCH].checked_rem(clock[clock::WINDOW]) {
        let (data, padding) = rows.split_at_mut(valid);
        padding.fill(PADDING);
        let begin = number * clock[clock::BATCH_SIZE] + first as u32;
        data.iter_mut().zip(begin..).for_each(|(row, number)| *row = number);
        return;
    }
    let key = threefry2x32([clock[clock::SHUFFLE_KEY], clock[clock::SHUFFLE_KEY + 1]], [clock[clock::EPOCH], 0]);
    let begin = clock[clock::BATCH] * clock[clock::BATCH_SIZE];
    let (data, padding) = rows.split_at_mut(valid);
    padding.fill(PADDING);
    for (number, rows) in data.chunks_mut(LANES).enumerate() {
        let mut positions = [0; LANES];
        for (lane, position) in positions.iter_mut().enumerate() {
            // Lanes beyond the batch walk like its last row, which keeps them inside the permutation.
            *position = (begin + (first + number * LANES + lane) as u32).min(clock[clock::ROWS].saturating_sub(1));
        }
        if clock[clock::SHUFFLE] != 0 {
            positions = permute_lanes(positions, clock[clock::ROWS], key);
        }
        rows.copy_from_slice(&positions[..rows.len()]);
    }
}

impl Op for BatchRows {
    fn name(&self) -> &'static str {
        "batch_rows"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [clock] = arity("batch_rows", inputs)?;
        same("batch_rows", "the clock", clock, &clock::ty())?;
        Ok(vec![Ty::u32(&[self.0])])
    }

    crate::twin!();
}

/// `shaders/batch/batch_rows.wgsl`
pub struct BatchRowsKernel;

impl Kernel for BatchRowsKernel {
    fn stem(&self) -> &'static str {
        "batch_rows"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<BatchRows>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.outputs[0].elements();
        let bindings = vec![Bind::Input(0), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, vec![n as u32], Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 0.0))
    }

    fn cases(&self) -> Vec<Case> {
        let case = |rows: usize, batch: usize, number: u32, shuffle: bool, window: u32| {
            let mut words = clock::start(rows, batch, shuffle, 99);
            words[clock::WINDOW] = window;
            words[clock::EPOCH] = 3;
            words[clock::BATCH] = number;
            words[clock::VALID_ROWS] = (rows - number as usize * batch).min(batch) as u32;
            let label = format!("batch {number} of {batch} from {rows}{}", if shuffle { ", shuffled" } else { "" });
            let label = if window > 0 { format!("{label}, windows of {window}") } else { label };
            Case::new(label, BatchRows(batch), vec![HostTensor::from_words(&[clock::WORDS], &words)], Tolerance::EXACT)
        };
        vec![
            case(1, 1, 0, true, 0),
            case(10, 4, 2, true, 0),
            case(1009, 128, 7, true, 0),
            case(1009, 128, 7, false, 0),
            case(16, 16, 0, true, 0),
            case(60_000, 128, 468, true, 0),
            case(60_000, 8192, 3, true, 0).benched(),
            case(1009, 128, 7, true, 3),
            case(1009, 128, 5, false, 1),
            case(10, 4, 1, true, 2),
        ]
    }
}
