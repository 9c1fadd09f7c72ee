//! The largest over windows, y\[n,i,j,c\] = max_{a,b} x\[n, i·s+a·d−p, j·s+b·d−p, c\], and the number h·W + w of the pixel that it
//! is. Padding never wins; of equal ones the first does, row by row; NaN wins over everything, so that the loss can show it.
//! Golden `pool2d`.

use super::Pool;
use super::max_pool_grad::MaxPoolGrad;
use super::tried::{MOVED, distinct, pools};
use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (y \[N·H'·W', C\], winners u32 \[N·H'·W', C\]) for an input x \[N·H·W, C\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool(pub Pool);

impl MaxPool {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let Ok([rows, columns]) = self.0.output() else { return };
        let (size, channels) = (self.0.size, x[0].shape.matrix().map_or(1, |(_, channels)| channels));
        let x = x[0].real();
        let [y, winners] = y else { return };
        for (element, (y, winner)) in y.real_mut().iter_mut().zip(winners.words_mut()).enumerate() {
            let (pixel, c) = (element / channels, element % channels);
            let (image, at) = (pixel / (rows * columns), pixel % (rows * columns));
            let seen = |tap| self.0.window.pixel(size, [at / columns, at % columns], tap);
            let mut largest = None;
            for [u, v] in (0..self.0.window.taps()).filter_map(seen) {
                let number = u * size[1] + v;
                let value = x[(image * size[0] * size[1] + number) * channels + c];
                let wins = |largest: T| !largest.is_nan() && (value.is_nan() || value > largest);
                if largest.is_none_or(|(largest, _)| wins(largest)) {
                    largest = Some((value, number));
                }
            }
            // Windows without a pixel are refused before.
            let (value, number) = largest.unwrap_or((T::nan(), 0));
            (*y, *winner) = (value, number as u32);
        }
    }
}

impl Op for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x] = arity(self.name(), inputs)?;
        self.0.check_sees(self.name())?;
        let y = self.0.result(self.name(), x)?;
        Ok(vec![y.clone(), Ty::u32(y.shape.dims())])
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        Ok(vec![Some(g.apply(MaxPoolGrad(self.0), &[dy, y[1]])?)])
    }

    crate::twin!();
}

/// `shaders/pool/max_pool.wgsl`, an invocation for each result.
pub struct MaxPoolKernel;

impl Kernel for MaxPoolKernel {
    fn stem(&self) -> &'static str {
        "max_pool"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<MaxPool>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let MaxPool(pool) = *r.op()?;
        let (rows, channels) = matrix(self.stem(), "y", r.outputs[0])?;
        let params = pool.params(rows * channels, channels)?;
        let bindings = vec![Bind::Input(0), Bind::Output(0), Bind::Output(1)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(rows * channels)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let MaxPool(pool) = *r.op()?;
        Ok(Cost::streaming(r, (r.outputs[0].elements() * pool.window.taps()) as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let mut s = Samples::new(self.stem());
        let mut cases: Vec<Case> = Vec::new();
        for tried in pools() {
            cases.push(Case::new(tried.label(), MaxPool(tried.pool), vec![distinct(&mut s, &tried.input())], MOVED));
        }
        cases.iter_mut().next_back().into_iter().for_each(|case| case.bench = true);
        cases.push(equal_ones(&mut s));
        cases
    }
}

/// Values many of which are equal, all below 0, and some that are no numbers.
fn equal_ones(s: &mut Samples) -> Case {
    let window = crate::ops::conv::Window::square(3).padded(1).strided(2);
    let pool = Pool::new([41, 40], window);
    let values: Vec<f32> = s
        .words(&[41 * 40, 5], 40)
        .words()
        .iter()
        .map(|&word| match word {
            0 => f32::NAN,
            1 => f32::NEG_INFINITY,
            2 => f32::INFINITY,
            word => -((word % 4) as f32) - 1.0,
        })
        .collect();
    let x = HostTensor::from_f32(&[41 * 40, 5], &values);
    Case::new("equal ones, infinite ones and no numbers", MaxPool(pool), vec![x], MOVED)
}

/// The winners of an input, for cases of what is made of them.
pub(super) fn winners(pool: Pool, x: &HostTensor<f32>) -> HostTensor<f32> {
    let types = MaxPool(pool).infer(&[&x.ty()]).unwrap_or_default();
    let mut outputs: Vec<HostTensor<f32>> = types.iter().map(HostTensor::zeros).collect();
    MaxPool(pool).eval(&[x], &mut outputs);
    outputs.pop().unwrap_or_else(|| HostTensor::zeros(&Ty::u32(&[0, 0])))
}
