//! Which rows of the data set make up the current batch.
//!
//! rows\[i\] = π(batch · B + i), where π permutes the data set under the epoch's key (a Feistel
//! network, see [`crate::rng::permute`]) or is the identity. Padding rows are marked with 2³² − 1.

use super::check::{arity, same};
use super::clock;
use super::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Tolerance, Work};
use crate::error::Result;
use crate::graph::Op;
use crate::rng::{permute, threefry2x32};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Marks a row of padding.
pub const PADDING: u32 = u32::MAX;

/// Row numbers of a batch of this size, for a clock as input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRows(pub usize);

impl BatchRows {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let clock = x[0].words();
        let key = threefry2x32([clock[clock::SHUFFLE_KEY], clock[clock::SHUFFLE_KEY + 1]], [clock[clock::EPOCH], 0]);
        for (i, row) in y[0].words_mut().iter_mut().enumerate() {
            let position = clock[clock::BATCH] * clock[clock::BATCH_SIZE] + i as u32;
            *row = if i >= clock::valid_rows(clock) {
                PADDING
            } else if clock[clock::SHUFFLE] == 0 {
                position
            } else {
                permute(position, clock[clock::ROWS], key)
            };
        }
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

/// `shaders/batch_rows.wgsl`
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

    fn cost(&self, r: &Request<'_>) -> Cost {
        Cost::streaming(r, 0.0)
    }

    fn cases(&self) -> Vec<Case> {
        let case = |rows: usize, batch: usize, number: u32, shuffle: bool| {
            let mut words = clock::start(rows, batch, shuffle, 99);
            words[clock::EPOCH] = 3;
            words[clock::BATCH] = number;
            words[clock::VALID_ROWS] = (rows - number as usize * batch).min(batch) as u32;
            let label = format!("batch {number} of {batch} from {rows}{}", if shuffle { ", shuffled" } else { "" });
            Case::new(label, BatchRows(batch), vec![HostTensor::from_words(&[clock::WORDS], &words)], Tolerance::EXACT)
        };
        vec![
            case(1, 1, 0, true),
            case(10, 4, 2, true),
            case(1009, 128, 7, true),
            case(1009, 128, 7, false),
            case(16, 16, 0, true),
            case(60_000, 128, 468, true),
            case(60_000, 8192, 3, true).benched(),
        ]
    }
}
