//! An operation that reads the batch straight from the data set's bytes.
//!
//! Wherever x would be read as floats, the kernel unpacks the bytes itself: four neighbours in one word
//! instead of four floats, and no dispatch that writes x down first.

use super::batch_gather::BatchGather;
use super::batch_rows::PADDING;
use crate::error::{Error, Result};
use crate::graph::{Op, OpRef};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Cost, Request};
use crate::tensor::{HostTensor, Real, Ty};

/// `op` with the gathered batch as its input at `position`. Inputs: the data and the row numbers, as
/// [`BatchGather`] takes them, then the other inputs of `op` in order.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// What is computed.
    pub op: OpRef,
    /// Which of its inputs is the batch.
    pub position: usize,
    /// How the batch is made.
    pub gather: BatchGather,
}

impl Gathered {
    /// The inputs of `op`, made of the batch and of the inputs after the first two.
    fn inner<'a, T: ?Sized>(&self, batch: &'a T, others: &[&'a T]) -> Vec<&'a T> {
        let mut inner = others[2..].to_vec();
        inner.insert(self.position, batch);
        inner
    }

    fn with_batch<T: Real>(
        &self,
        x: &[&HostTensor<T>],
        gather: impl FnOnce(&[&HostTensor<T>], &mut [HostTensor<T>]),
        op: impl FnOnce(&[&HostTensor<T>]),
    ) {
        let Ok(types) = self.gather.infer(&[&x[0].ty(), &x[1].ty()]) else { return };
        let mut batch: Vec<HostTensor<T>> = types.iter().map(HostTensor::zeros).collect();
        gather(&x[..2], &mut batch);
        op(&self.inner(&batch[0], x));
    }
}

/// The operation itself, and whether it reads its input at `position` straight from the data.
pub(in crate::ops) fn unwrap(op: &dyn Op, position: usize) -> Option<(&dyn Op, bool)> {
    match op.downcast::<Gathered>() {
        Some(gathered) => (gathered.position == position).then(|| (gathered.op.as_ref(), true)),
        None => Some((op, false)),
    }
}

impl Op for Gathered {
    fn name(&self) -> &'static str {
        "gathered"
    }

    fn attributes(&self) -> String {
        format!("{} {}", self.op.name(), self.op.attributes()).trim_end().to_string()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [data, rows, others @ ..] = inputs else {
            return Err(Error::graph(self.name(), "takes the data, the row numbers and the other inputs"));
        };
        if others.len() < self.position {
            return Err(Error::graph(self.name(), format!("{} has too few inputs", self.op.name())));
        }
        if !self.gather.features.is_multiple_of(4) {
            return Err(Error::graph(self.name(), "rows must be whole words: a multiple of four features"));
        }
        self.gather.check_bytes(self.name(), data)?;
        let batch = self.gather.infer(&[data, rows])?;
        self.op.infer(&self.inner(&batch[0], inputs))
    }

    fn eval_f32(&self, x: &[&HostTensor<f32>], y: &mut [HostTensor<f32>]) {
        self.with_batch(x, |x, y| self.gather.eval_f32(x, y), |x| self.op.eval_f32(x, y));
    }

    fn eval_f64(&self, x: &[&HostTensor<f64>], y: &mut [HostTensor<f64>]) {
        self.with_batch(x, |x, y| self.gather.eval_f64(x, y), |x| self.op.eval_f64(x, y));
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// Arithmetic and traffic of an operation that may be gathered: of the data set it reads a batch.
pub(in crate::ops) fn cost(r: &Request<'_>, flops: f64) -> Cost {
    let streaming = Cost::streaming(r, flops);
    let Some(gathered) = r.op.downcast::<Gathered>() else { return streaming };
    let batch = r.inputs[1].elements() * gathered.gather.stride();
    Cost { bytes: streaming.bytes - r.inputs[0].bytes() as f64 + batch as f64, ..streaming }
}

/// Inputs of a test: bytes of a data set larger than the batch, and row numbers with padding at the end.
pub(in crate::ops) fn batch(samples: &mut Samples, rows: usize, features: usize) -> Vec<HostTensor<f32>> {
    let set = 2 * rows + 3;
    let mut numbers = samples.words(&[rows], set as u32);
    if let (true, Some(last)) = (rows > 1, numbers.words_mut().last_mut()) {
        *last = PADDING;
    }
    vec![samples.bytes(&[set, features.next_multiple_of(4)]), numbers]
}
