//! Weight and bias gradients of several layers in one kernel: the fusion of [`LinearWeightGrad`]s over the
//! same batch.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::graph::{Op, Precision};
use crate::ops::batch::batch_gather::BatchGather;
use crate::ops::batch::gathered;
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Work};
use crate::ops::matmul::matmul_tiles::PRODUCT;
use crate::ops::matmul::matmul_tn::LinearWeightGrad;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Ty};

/// Most layers of one kernel.
pub const LAYERS: usize = 16;
/// Most buffers that the values may lie in.
pub const BUFFERS: usize = 5;
/// The buffer number that stands for the data set.
const DATA: usize = 5;

/// (dW, db, …) of each product. Inputs are the data and the row numbers, if the batch is gathered, then
/// the values, those of one buffer side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearWeightGrads {
    /// How the batch is made where it is an input; `None` if no product reads it.
    pub gather: Option<BatchGather>,
    /// How many values each buffer holds.
    pub buffers: Vec<usize>,
    /// Numbers of dy and x among the values of each product; x is `None` where it is the batch.
    pub products: Vec<(usize, Option<usize>)>,
}

impl LinearWeightGrads {
    /// Inputs before the values.
    fn first(&self) -> usize {
        if self.gather.is_some() { 2 } else { 0 }
    }

    /// Inputs of each buffer.
    fn ranges(&self) -> Vec<Range<usize>> {
        let mut end = self.first();
        self.buffers
            .iter()
            .map(|count| {
                end += count;
                end - count..end
            })
            .collect()
    }

    fn eval<T: Precision>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let batch = self.gather.and_then(|gather| {
            let ty = gather.infer(&[&x[0].ty(), &x[1].ty()]).ok()?;
            let mut batch = [HostTensor::zeros(&ty[0])];
            T::eval(&gather, &x[..2], &mut batch);
            batch.into_iter().next()
        });
        for (&(dy, input), outputs) in self.products.iter().zip(y.chunks_exact_mut(2)) {
            let input = input.map(|i| x[self.first() + i]).or(batch.as_ref());
            if let Some(input) = input {
                T::eval(&LinearWeightGrad, &[x[self.first() + dy], input], outputs);
            }
        }
    }
}

impl Op for LinearWeightGrads {
    fn name(&self) -> &'static str {
        "linear_weight_grads"
    }

    fn attributes(&self) -> String {
        format!("{} layers", self.products.len())
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let values = inputs.get(self.first()..).unwrap_or_default();
        let wrong = values.len() != self.buffers.iter().sum::<usize>()
            || self.buffers.is_empty()
            || self.buffers.len() > BUFFERS
            || !(1..=LAYERS).contains(&self.products.len());
        if wrong {
            return Err(Error::graph(self.name(), format!("takes values in 1 to {BUFFERS} buffers, {LAYERS} layers")));
        }
        let batch = self.gather.map(|gather| gather.infer(&inputs[..2])).transpose()?;
        let mut outputs = Vec::new();
        for &(dy, x) in &self.products {
            let x = x.map(|i| values[i]).or(batch.as_ref().map(|batch| &batch[0]));
            let x = x.ok_or_else(|| Error::graph(self.name(), "a product reads a batch that is not an input"))?;
            outputs.extend(LinearWeightGrad.infer(&[values[dy], x])?);
        }
        Ok(outputs)
    }

    fn spanned_inputs(&self, _: usize) -> Vec<Range<usize>> {
        self.ranges()
    }

    fn packed_outputs(&self, outputs: usize) -> Vec<Range<usize>> {
        std::iter::once(0..outputs).collect()
    }

    crate::twin!();
}

/// `shaders/fused/linear_weight_grads.wgsl`
pub struct LinearWeightGradsKernel;

/// Tiles that the weights of a layer are cut into, as `shaders/fused/parts/weight_tile.wgsl` does.
pub(super) fn tiles(outputs: usize, inputs: usize) -> usize {
    outputs.div_ceil(EDGE) * inputs.div_ceil(EDGE)
}

/// Side of a tile of weights.
const EDGE: usize = 16;

impl Kernel for LinearWeightGradsKernel {
    fn stem(&self) -> &'static str {
        "linear_weight_grads"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<LinearWeightGrads>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let op = r.op::<LinearWeightGrads>()?;
        let ranges = op.ranges();
        let buffer = |value: usize| {
            let found = ranges.iter().position(|range| range.contains(&(op.first() + value)));
            found.ok_or_else(|| Error::graph(self.stem(), format!("value {value} lies in no buffer")))
        };
        let (mut layers, mut offsets, mut all) = (Vec::new(), Vec::new(), 0);
        for (number, &(dy, x)) in op.products.iter().enumerate() {
            let dims = r.outputs[2 * number].shape.dims();
            let at = 4 + layers.len();
            let of_dy = buffer(dy)?;
            let of_x = x.map(&buffer).transpose()?;
            layers.extend([dims[1], dims[0], all, 0, of_dy, 0, of_x.unwrap_or(DATA), 0, 0, 0, 0, 0]);
            offsets.push((at + 5, 2 + of_dy, Bind::Input(op.first() + dy)));
            offsets.extend(x.zip(of_x).map(|(x, buffer)| (at + 7, 2 + buffer, Bind::Input(op.first() + x))));
            offsets.extend([(at + 8, 7, Bind::Output(2 * number)), (at + 9, 7, Bind::Output(2 * number + 1))]);
            all += tiles(dims[0], dims[1]);
        }
        let batch = r.inputs[op.first()].shape.dims()[0];
        let params: Vec<usize> = [vec![batch, all, 0, 0], layers].concat();
        // Values stand in for what is not there.
        let value = Bind::Input(op.first());
        let gathered = op.gather.is_some();
        let mut bindings = vec![
            if gathered { Bind::Input(0) } else { value.clone() },
            if gathered { Bind::Input(1) } else { value.clone() },
        ];
        bindings.extend(ranges.into_iter().map(|range| Bind::Span(range.map(Bind::Input).collect())));
        bindings.resize(2 + BUFFERS, value);
        bindings.push(Bind::Span((0..r.outputs.len()).map(Bind::Output).collect()));
        let dispatch = Dispatch {
            shader: ShaderKey {
                constants: vec![("LAYERS", op.products.len() as u32)],
                ..ShaderKey::plain(self.stem())
            },
            bindings,
            params: params.into_iter().map(|p| p as u32).collect(),
            offsets,
            work: Work::Groups(all),
        };
        Ok(Launch { dispatches: vec![dispatch], scratch: Vec::new() })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let op = r.op::<LinearWeightGrads>()?;
        let batch = r.inputs[op.first()].shape.dims()[0];
        let weights: usize = r.outputs.iter().step_by(2).map(|dw| dw.elements()).sum();
        let data = op.gather.map_or(0, |_| r.inputs[0].bytes());
        let flops = 2.0 * (weights * batch) as f64;
        Ok(Cost { flops, bytes: Cost::streaming(r, flops).bytes - data as f64 })
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new("linear_weight_grads");
        let mut cases = Vec::new();
        for (batch, features, widths) in [
            (1, 4, vec![1, 1]),
            (7, 20, vec![17, 33, 16]),
            (33, 8, vec![15, 1, 40]),
            (128, 784, vec![64, 20, 20, 20, 64, 784]),
        ] {
            for gathered in [true, false] {
                // Deltas in buffers of one, two, …; then what each layer but the first reads.
                let n = widths.len();
                let mut values: Vec<_> = widths.iter().map(|&width| s.normal(&[batch, width])).collect();
                values.extend(widths[..n - 1].iter().map(|&width| s.normal(&[batch, width])));
                let products = (0..n).map(|i| (i, (i > 0).then(|| n + i - 1))).skip(usize::from(!gathered)).collect();
                let buffers = vec![1, n - 1, n - 1];
                let gather = gathered.then_some(BatchGather { features });
                let first = if gathered { gathered::batch(&mut s, batch, features) } else { Vec::new() };
                let op = LinearWeightGrads { gather, buffers, products };
                let label = format!("{batch} rows {features}-{widths:?}{}", if gathered { " gathered" } else { "" });
                let case = Case::new(label, op, [first, values].concat(), PRODUCT);
                cases.push(if gathered && batch == 128 { case.benched() } else { case });
            }
        }
        cases
    }
}
