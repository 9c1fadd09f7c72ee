//! The labels of the rows that make up the current batch.
//!
//! y\[i\] = labels\[rows\[i\]\], 0 for rows of padding. Labels lie on the device beside the data, a word a row.

use super::batch_rows::PADDING;
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Labels u32 \[B\] for inputs (labels u32 \[rows of the set\], row numbers u32 \[B\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLabels;

impl BatchLabels {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let labels = x[0].words();
        for (y, &row) in y[0].words_mut().iter_mut().zip(x[1].words()) {
            *y = if row == PADDING { 0 } else { labels[row as usize] };
        }
    }
}

impl Op for BatchLabels {
    fn name(&self) -> &'static str {
        "batch_labels"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [labels, rows] = arity("batch_labels", inputs)?;
        same("batch_labels", "the labels", labels, &Ty::u32(&[labels.elements()]))?;
        same("batch_labels", "the row numbers", rows, &Ty::u32(&[rows.elements()]))?;
        Ok(vec![rows.clone()])
    }

    crate::twin!();
}

/// `shaders/batch/batch_labels.wgsl`
pub struct BatchLabelsKernel;

impl Kernel for BatchLabelsKernel {
    fn stem(&self) -> &'static str {
        "batch_labels"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<BatchLabels>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let n = r.outputs[0].elements();
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, vec![n as u32], Work::Invocations(n)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let bytes: usize = r.inputs[1..].iter().chain(r.outputs).chain(r.outputs).map(|ty| ty.bytes()).sum();
        Ok(Cost { flops: 0.0, bytes: bytes as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new("batch_labels");
        let mut case = |n: usize, batch: usize| {
            let mut rows = s.words(&[batch], n as u32);
            if let (true, Some(last)) = (batch > 1, rows.words_mut().last_mut()) {
                *last = PADDING;
            }
            let inputs = vec![s.words(&[n], 10), rows];
            Case::new(format!("{batch} of {n}"), BatchLabels, inputs, Tolerance::EXACT)
        };
        vec![case(1, 1), case(9, 4), case(33, 65), case(60_000, 8192).benched()]
    }
}
