//! The batch: chosen rows of a data set of bytes, as floats in \[0, 1\].
//!
//! x\[i, j\] = data\[rows\[i\], j\] / 255; rows of padding are 0. The data stays on the device as it is on
//! disk, four bytes to a word, each row padded to whole words.

use super::batch_rows::PADDING;
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{DType, HostTensor, Real, Ty};

/// Rows of bytes as floats, for inputs (data u8 \[N, stride\], rows u32 \[B\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchGather {
    /// Bytes of a row that are data; the stride rounds them up to a multiple of four.
    pub features: usize,
}

impl BatchGather {
    /// Bytes from one row to the next.
    pub fn stride(self) -> usize {
        self.features.next_multiple_of(4)
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (data, rows) = (x[0].bytes(), x[1].words());
        for (out, &row) in y[0].real_mut().chunks_exact_mut(self.features).zip(rows) {
            if row == PADDING {
                continue;
            }
            let start = row as usize * self.stride();
            for (x, &byte) in out.iter_mut().zip(&data[start..]) {
                *x = T::of(f64::from(byte)) / T::of(255.0);
            }
        }
    }
}

impl Op for BatchGather {
    fn name(&self) -> &'static str {
        "batch_gather"
    }

    fn attributes(&self) -> String {
        format!("{} features", self.features)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [data, rows] = arity("batch_gather", inputs)?;
        if data.dtype != DType::U8 || data.shape.matrix().is_none_or(|(_, stride)| stride != self.stride()) {
            let expected = format!("the data must be bytes with rows of {}, got {data}", self.stride());
            return Err(Error::graph("batch_gather", expected));
        }
        same("batch_gather", "the row numbers", rows, &Ty::u32(&[rows.elements()]))?;
        Ok(vec![Ty::f32(&[rows.elements(), self.features])])
    }

    crate::twin!();
}

/// `shaders/batch/batch_gather.wgsl`
pub struct BatchGatherKernel;

impl Kernel for BatchGatherKernel {
    fn stem(&self) -> &'static str {
        "batch_gather"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<BatchGather>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let features = r.outputs[0].shape.dims()[1];
        let words_per_row = features.div_ceil(4);
        let words = r.inputs[1].elements() * words_per_row;
        let store = if features.is_multiple_of(4) { "batch_store_vec4" } else { "batch_store_scalar" };
        Ok(Launch::single(
            ShaderKey { snippets: vec![store], ..ShaderKey::plain(self.stem()) },
            vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)],
            vec![words as u32, words_per_row as u32, features as u32],
            Work::Invocations(words),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let elements = r.outputs[0].elements() as f64;
        Ok(Cost { flops: elements, bytes: 5.0 * elements })
    }

    fn cases(&self) -> Vec<Case> {
        let rounding =
            Tolerance::new(0.0, 2e-7, Terms::Each, "one division or multiplication by 1/255: 2.5 ULP in WGSL");
        let mut s = Samples::new("batch_gather");
        let mut case = |n: usize, features: usize, batch: usize| {
            let op = BatchGather { features };
            let mut rows = s.words(&[batch], n as u32);
            if let (true, Some(last)) = (batch > 1, rows.words_mut().last_mut()) {
                *last = PADDING;
            }
            let inputs = vec![s.bytes(&[n, op.stride()]), rows];
            Case::new(format!("{batch} of {n}x{features}"), op, inputs, rounding)
        };
        vec![case(1, 1, 1), case(9, 5, 4), case(33, 67, 65), case(50, 784, 7), case(2000, 784, 128).benched()]
    }
}
