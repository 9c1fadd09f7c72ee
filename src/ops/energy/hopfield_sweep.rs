//! One sweep over the neurons of a Hopfield network, in order: the asynchronous update.
//!
//! For i = 1, 2, …: x_i ← sign(Σ_j W_ij x_j + b_i), unchanged where that is 0, each neuron with what those before it
//! have become. Source: Hopfield, "Neural networks and physical systems with emergent collective computational
//! abilities" (1982). With a symmetric W of zero diagonal no step raises the energy −½ xᵀWx − bᵀx, so sweeps end in a
//! state of rest.

use crate::error::Result;
use crate::graph::{Graph, Op, Var};
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// The states after a sweep for inputs (states \[M, N\] of −1 and 1, W \[N, N\], b \[N\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopfieldSweep;

impl HopfieldSweep {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let (weight, bias) = (x[1].real(), x[2].real());
        y[0].real_mut().copy_from_slice(x[0].real());
        for state in y[0].real_mut().chunks_exact_mut(bias.len()) {
            for (i, (row, &bias)) in weight.chunks_exact(bias.len()).zip(bias).enumerate() {
                let field = row.iter().zip(&*state).fold(bias, |sum, (&w, &x)| sum + w * x);
                if field != T::zero() {
                    state[i] = if field > T::zero() { T::one() } else { -T::one() };
                }
            }
        }
    }
}

impl Op for HopfieldSweep {
    fn name(&self) -> &'static str {
        "hopfield_sweep"
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, weight, bias] = arity(self.name(), inputs)?;
        let (_, neurons) = matrix(self.name(), "the states", x)?;
        same(self.name(), "W", weight, &Ty::f32(&[neurons, neurons]))?;
        same(self.name(), "b", bias, &Ty::f32(&[neurons]))?;
        Ok(vec![x.clone()])
    }

    fn vjp(&self, _g: &mut Graph, _x: &[Var], _y: &[Var], _dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        Ok(vec![None, None, None])
    }

    crate::twin!();
}

/// `shaders/energy/hopfield_sweep.wgsl`, one workgroup a state.
pub struct HopfieldSweepKernel;

impl Kernel for HopfieldSweepKernel {
    fn stem(&self) -> &'static str {
        "hopfield_sweep"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<HopfieldSweep>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (rows, neurons) = matrix(self.stem(), "the states", r.inputs[0])?;
        let bindings = vec![Bind::Input(0), Bind::Input(1), Bind::Input(2), Bind::Output(0)];
        let params = vec![rows as u32, neurons as u32];
        Ok(Launch::single(ShaderKey::plain(self.stem()), bindings, params, Work::Groups(rows)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let (states, neurons) = (r.outputs[0].elements() as f64, r.inputs[2].elements() as f64);
        Ok(Cost::streaming(r, 2.0 * states * neurons))
    }

    fn cases(&self) -> Vec<Case> {
        let exact = Tolerance::new(
            0.0,
            0.0,
            Terms::Each,
            "weights are multiples of 2⁻¹², so that f32 adds them exactly in any order, ties included",
        );
        let mut s = Samples::new("hopfield_sweep");
        let mut cases = Vec::new();
        for (rows, neurons, bench) in [(1, 1, false), (3, 4, false), (5, 63, false), (70, 65, false), (128, 784, true)]
        {
            let mut coarse = |dims: &[usize], grid: f32| {
                let values = s.cheap(dims);
                let rounded: Vec<f32> = values.real().iter().map(|x| (x * grid).round() / grid).collect();
                HostTensor::from_f32(dims, &rounded)
            };
            let signs = coarse(&[rows, neurons], 4096.0);
            let states: Vec<f32> = signs.real().iter().map(|&x| if x < 0.0 { -1.0 } else { 1.0 }).collect();
            // Few distinct weights make fields of exactly 0 common.
            let weight = coarse(&[neurons, neurons], if neurons < 64 { 2.0 } else { 4096.0 });
            let bias = coarse(&[neurons], 4.0);
            let inputs = vec![HostTensor::from_f32(&[rows, neurons], &states), weight, bias];
            let case = Case::new(format!("{rows}x{neurons}"), HopfieldSweep, inputs, exact);
            cases.push(if bench { case.benched() } else { case });
        }
        cases
    }
}
