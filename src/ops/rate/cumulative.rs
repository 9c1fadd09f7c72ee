//! A learnt cumulative distribution for each column: logits that rise with their argument, whatever the parameters are.
//!
//! Source: Ballé et al., "Variational image compression with a scale hyperprior" (2018), appendix 6.1. A column's number x, shifted,
//! goes through small layers x ← softplus(H) x + b, and behind all but the last x ← x + tanh(a) · tanh(x): every slope is
//! positive. The distribution's value is the sigmoid of what comes out.

use super::cumulative_grad::CumulativeGrad;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::array::activation::Activation;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// Logits \[M, N\] for inputs (z \[M, N\], parameters \[N, P\]), of the numbers z + shift.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cumulative {
    /// Width of the layers inside, at most [`MOST_FILTERS`].
    pub filters: usize,
    /// How many there are, at most [`MOST_HIDDEN`].
    pub hidden: usize,
    /// What is added to every number.
    pub shift: f32,
}

/// Widest layers inside.
pub const MOST_FILTERS: usize = 4;
/// Most of them.
pub const MOST_HIDDEN: usize = 4;
/// What a number becomes on its way: in front of each layer, and before the bend behind it.
struct Way<T> {
    inputs: [[T; MOST_FILTERS]; MOST_HIDDEN + 1],
    sums: [[T; MOST_FILTERS]; MOST_HIDDEN + 1],
}

impl Cumulative {
    /// Widths in front of a layer and behind it, where its matrix begins among a column's parameters, and whether it is the last.
    pub(crate) fn layers(self) -> impl DoubleEndedIterator<Item = ([usize; 2], usize, bool)> {
        let of = move |index: usize| if index == 0 || index > self.hidden { 1 } else { self.filters };
        let size = move |index: usize| {
            let [inputs, outputs] = [of(index), of(index + 1)];
            inputs * outputs + outputs + if index < self.hidden { outputs } else { 0 }
        };
        (0..=self.hidden)
            .map(move |index| ([of(index), of(index + 1)], (0..index).map(size).sum(), index == self.hidden))
    }

    /// Parameters of a column: of each layer its matrix, biases, and the factors of its bend.
    pub fn parameters(self) -> usize {
        self.layers().map(|([inputs, outputs], _, last)| inputs * outputs + outputs * if last { 1 } else { 2 }).sum()
    }

    /// The logit of a number, and its way there.
    fn way<T: Real>(self, z: T, parameters: &[T]) -> (T, Way<T>) {
        let none = [[T::zero(); MOST_FILTERS]; MOST_HIDDEN + 1];
        let mut way = Way { inputs: none, sums: none };
        let mut x = [T::zero(); MOST_FILTERS];
        x[0] = z + T::of(f64::from(self.shift));
        for (index, ([inputs, outputs], first, last)) in self.layers().enumerate() {
            way.inputs[index] = x;
            let own = &parameters[first..];
            for (o, next) in x.iter_mut().enumerate().take(outputs) {
                let row = own[o * inputs..][..inputs].iter().zip(&way.inputs[index]);
                let sum = own[inputs * outputs + o] + row.map(|(&h, &x)| Activation::Softplus.value(h) * x).sum::<T>();
                way.sums[index][o] = sum;
                let bend = if last { T::zero() } else { own[inputs * outputs + outputs + o].tanh() * sum.tanh() };
                *next = sum + bend;
            }
        }
        (x[0], way)
    }

    /// Adds to the gradients of a column's parameters, given that of a number's logit; returns that of the number.
    pub(super) fn back<T: Real>(self, z: T, parameters: &[T], dy: T, sums: &mut [T]) -> T {
        let (_, way) = self.way(z, parameters);
        let mut d = [T::zero(); MOST_FILTERS];
        d[0] = dy;
        for (index, ([inputs, outputs], first, last)) in self.layers().enumerate().collect::<Vec<_>>().into_iter().rev()
        {
            let (own, sums) = (&parameters[first..], &mut sums[first..]);
            let mut before = [T::zero(); MOST_FILTERS];
            for o in 0..outputs {
                if !last {
                    let at = inputs * outputs + outputs + o;
                    let (bend, value) = (own[at].tanh(), way.sums[index][o].tanh());
                    sums[at] += d[o] * Activation::Tanh.slope(bend) * value;
                    d[o] = d[o] * (T::one() + bend * Activation::Tanh.slope(value));
                }
                sums[inputs * outputs + o] += d[o];
                for i in 0..inputs {
                    let h = own[o * inputs + i];
                    sums[o * inputs + i] += d[o] * Activation::Sigmoid.value(h) * way.inputs[index][i];
                    before[i] += d[o] * Activation::Softplus.value(h);
                }
            }
            d = before;
        }
        d[0]
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (columns, size) = (x[0].shape.matrix().map_or(1, |(_, columns)| columns), self.parameters());
        for (i, (y, &z)) in y[0].real_mut().iter_mut().zip(x[0].real()).enumerate() {
            *y = self.way(z, &x[1].real()[i % columns * size..][..size]).0;
        }
    }

    pub(super) fn check(self, op: &str, z: &Ty, parameters: &Ty) -> Result<()> {
        if !(1..=MOST_FILTERS).contains(&self.filters) || !(1..=MOST_HIDDEN).contains(&self.hidden) {
            let problem = format!("expected 1 to {MOST_HIDDEN} layers of 1 to {MOST_FILTERS}, got {self:?}");
            return Err(Error::graph(op, problem));
        }
        let (_, columns) = matrix(op, "z", z)?;
        same(op, "the parameters", parameters, &Ty::f32(&[columns, self.parameters()]))
    }

    /// The words of the kernels' parameter block, for n numbers in so many columns.
    pub(super) fn words(self, n: usize, columns: usize) -> Vec<u32> {
        vec![
            n as u32,
            columns as u32,
            self.filters as u32,
            self.hidden as u32,
            self.parameters() as u32,
            self.shift.to_bits(),
        ]
    }
}

impl Op for Cumulative {
    fn name(&self) -> &'static str {
        "cumulative"
    }

    fn attributes(&self) -> String {
        format!("{} layers of {}, shift {}", self.hidden, self.filters, self.shift)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [z, parameters] = arity(self.name(), inputs)?;
        self.check(self.name(), z, parameters)?;
        Ok(vec![z.clone()])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], _y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        let Some(dy) = dy[0] else { return Ok(vec![None; 2]) };
        let gradients = g.push(std::sync::Arc::new(CumulativeGrad(*self)), &[x[0], x[1], dy])?;
        Ok(vec![Some(gradients[0]), Some(gradients[1])])
    }

    crate::twin!();
}

/// `shaders/rate/cumulative.wgsl`
pub struct CumulativeKernel;

impl Kernel for CumulativeKernel {
    fn stem(&self) -> &'static str {
        "cumulative"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Cumulative>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, columns) = matrix(self.stem(), "z", r.inputs[0])?;
        let params = r.op::<Cumulative>()?.words(rows * columns, columns);
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Invocations(rows * columns)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let each = 12.0 * r.op::<Cumulative>()?.parameters() as f64;
        Ok(Cost::streaming(r, each * r.outputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "WGSL's tanh at 1e-5 and less, exp and log at 3 ULP and more, through up to five layers";
        let tolerance = Tolerance::new(1e-5, 3e-5, Terms::Largest, why);
        cases("cumulative", |_, op, inputs, label| Case::new(label, op, inputs, tolerance))
    }
}

/// Cases for both kernels.
pub(super) fn cases(
    stem: &str,
    make: impl Fn(&mut Samples, Cumulative, Vec<HostTensor<f32>>, String) -> Case,
) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    for (m, n, filters, hidden, shift) in [
        (1, 1, 1, 1, 0.5),
        (2, 1, 2, 1, 0.0),
        (67, 13, 3, 3, -0.5),
        (5, 129, 4, 4, 0.5),
        (130, 3, 4, 2, 0.0),
        (1024, 64, 3, 3, 0.5),
    ] {
        let op = Cumulative { filters, hidden, shift };
        let inputs = vec![s.uniform(&[m, n], -6.0, 6.0), s.uniform(&[n, op.parameters()], -1.0, 1.0)];
        let case = make(&mut s, op, inputs, format!("{m}x{n}, {hidden} layers of {filters}, shift {shift}"));
        cases.push(if m == 1024 { case.benched() } else { case });
    }
    cases
}
