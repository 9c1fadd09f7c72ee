//! The batch out of a data set that lies in several pieces, each of a size that a device can bind.
//!
//! x\[i, j\] = shard\[rows\[i\] / S\]\[rows\[i\] mod S, j\] as [`BatchGather`] reads it, with S rows to a shard and what is left
//! in the last one; rows of padding are 0. A dispatch for each shard writes the rows that lie there, the first one
//! the padding too.

use super::batch_gather::{AS_THEY_ARE, BatchGather, check_data, snippets};
use super::batch_rows::PADDING;
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::same;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{DType, HostTensor, Real, Shape, Ty};

/// Rows as floats, for inputs (rows u32 \[B\], shards…), each shard as the data of a [`BatchGather`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchGatherShards {
    /// Values of a row.
    pub features: usize,
    /// Rows of every shard but the last, which may have fewer.
    pub shard_rows: usize,
}

impl BatchGatherShards {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let gather = BatchGather { features: self.features };
        for (out, &row) in y[0].real_mut().chunks_exact_mut(self.features).zip(x[0].words()) {
            if row != PADDING {
                let row = row as usize;
                gather.copy(x[1 + row / self.shard_rows], row % self.shard_rows, out);
            }
        }
    }
}

impl Op for BatchGatherShards {
    fn name(&self) -> &'static str {
        "batch_gather_shards"
    }

    fn attributes(&self) -> String {
        format!("{} features {} rows a shard", self.features, self.shard_rows)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [rows, shards @ .., last] = inputs else {
            return Err(Error::graph(self.name(), "takes the row numbers and at least one shard"));
        };
        same(self.name(), "the row numbers", rows, &Ty::u32(&[rows.elements()]))?;
        check_data(self.name(), last, self.features)?;
        let last_rows = last.shape.dims()[0];
        if last_rows == 0 || last_rows > self.shard_rows {
            let problem = format!("the last shard must have 1 to {} rows, got {last_rows}", self.shard_rows);
            return Err(Error::graph(self.name(), problem));
        }
        let mut whole = (*last).clone();
        whole.shape = Shape::new(&[self.shard_rows, last.shape.dims()[1]]);
        for shard in shards {
            same(self.name(), "a shard", shard, &whole)?;
        }
        Ok(vec![Ty::f32(&[rows.elements(), self.features])])
    }

    crate::twin!();
}

/// `shaders/batch/batch_gather_shards.wgsl`
pub struct BatchGatherShardsKernel;

impl Kernel for BatchGatherShardsKernel {
    fn stem(&self) -> &'static str {
        "batch_gather_shards"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<BatchGatherShards>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let BatchGatherShards { features, shard_rows } = *r.op::<BatchGatherShards>()?;
        let words_per_row = features.div_ceil(4);
        let words = r.inputs[0].elements() * words_per_row;
        let dispatch = |shard: usize| {
            let ty = r.inputs[1 + shard];
            let key = ShaderKey { snippets: snippets(ty, features), ..ShaderKey::plain(self.stem()) };
            let bindings = vec![Bind::Input(1 + shard), Bind::Input(0), Bind::Output(0)];
            let params = [words, words_per_row, features, shard * shard_rows, ty.shape.dims()[0]];
            Dispatch::new(key, bindings, params.map(|word| word as u32).to_vec(), Work::Invocations(words))
        };
        Ok(Launch { dispatches: (0..r.inputs.len() - 1).map(dispatch).collect(), scratch: Vec::new() })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let elements = r.outputs[0].elements() as f64;
        let bytes = (4 + r.inputs[1].dtype.bytes()) as f64 * elements;
        Ok(Cost { flops: elements, bytes: bytes + (r.inputs.len() - 1) as f64 * r.inputs[0].bytes() as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let rounding =
            Tolerance::new(0.0, 2e-7, Terms::Each, "one division or multiplication by 1/255: 2.5 ULP in WGSL");
        let mut s = Samples::new("batch_gather_shards");
        let mut case = |[n, shard_rows]: [usize; 2], features: usize, batch: usize, dtype: DType| {
            let op = BatchGatherShards { features, shard_rows };
            let mut rows = s.words(&[batch], n as u32);
            if let (true, Some(last)) = (batch > 1, rows.words_mut().last_mut()) {
                *last = PADDING;
            }
            let mut inputs = vec![rows];
            for first in (0..n).step_by(shard_rows) {
                let rows = shard_rows.min(n - first);
                inputs.push(match dtype {
                    DType::F32 => s.normal(&[rows, features]),
                    _ => s.bytes(&[rows, features.next_multiple_of(4)]),
                });
            }
            let (tolerance, kind) = if dtype == DType::F32 { (AS_THEY_ARE, " floats") } else { (rounding, "") };
            Case::new(format!("{batch} of {n}x{features}{kind} by {shard_rows}"), op, inputs, tolerance)
        };
        vec![
            case([1, 1], 1, 1, DType::U8),
            case([9, 4], 5, 7, DType::U8),
            case([33, 11], 67, 65, DType::U8),
            case([50, 49], 784, 13, DType::U8),
            case([2000, 700], 784, 128, DType::U8).benched(),
            case([3, 1], 1, 5, DType::F32),
            case([33, 7], 67, 65, DType::F32),
            case([50, 25], 784, 13, DType::F32),
            case([2000, 700], 784, 128, DType::F32),
        ]
    }
}
