//! Gradient of the activeness: dW = sign(W) ∘ da spread over each neuron's weights, db = β sign(b) ∘ da.
//!
//! sign(0) = 0: a dead weight stays dead as far as this term goes. The accumulating form adds to
//! gradients that another term has left, in place.

use std::ops::Range;
use std::sync::Arc;

use super::activeness::{Activeness, Direction};
use crate::error::Result;
use crate::graph::{Op, OpRef};
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (dW, db) for inputs (W, b, da).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivenessGrad(pub Activeness);

fn sign<T: Real>(x: T) -> T {
    if x > T::zero() {
        T::one()
    } else if x < T::zero() {
        -T::one()
    } else {
        T::zero()
    }
}

impl ActivenessGrad {
    fn add<T: Real>(&self, x: &[&HostTensor<T>], dw: &mut [T], db: &mut [T]) {
        let (w, b, da) = (x[0].real(), x[1].real(), x[2].real());
        let columns = x[0].shape.matrix().map_or(1, |(_, columns)| columns);
        for (i, dw) in dw.iter_mut().enumerate() {
            let neuron = if self.0.direction == Direction::Incoming { i / columns } else { i % columns };
            *dw += sign(w[i]) * da[neuron];
        }
        for (i, db) in db.iter_mut().enumerate() {
            *db += T::of(f64::from(self.0.bias_weight)) * sign(b[i]) * da[i];
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let [dw, db] = y else { return };
        self.add(x, dw.real_mut(), db.real_mut());
    }
}

impl Op for ActivenessGrad {
    fn name(&self) -> &'static str {
        "activeness_grad"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [w, b, da] = arity(self.name(), inputs)?;
        same(self.name(), "b", b, &Ty::f32(&[self.0.neurons(w)?]))?;
        same(self.name(), "da", da, b)?;
        Ok(vec![w.clone(), b.clone()])
    }

    fn adding(&self, outputs: usize) -> Option<(OpRef, Range<usize>)> {
        Some((Arc::new(ActivenessGradAdd(*self)), 0..outputs))
    }

    crate::twin!();
}

/// (dW + …, db + …) for inputs (W, b, da, dW, db); the outputs overwrite the last two inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivenessGradAdd(pub ActivenessGrad);

impl ActivenessGradAdd {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let [dw, db] = y else { return };
        dw.real_mut().copy_from_slice(x[3].real());
        db.real_mut().copy_from_slice(x[4].real());
        self.0.add(x, dw.real_mut(), db.real_mut());
    }
}

impl Op for ActivenessGradAdd {
    fn name(&self) -> &'static str {
        "activeness_grad_add"
    }

    fn attributes(&self) -> String {
        self.0.attributes()
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [w, b, da, dw, db] = arity(self.name(), inputs)?;
        same(self.name(), "dW", dw, w)?;
        same(self.name(), "db", db, b)?;
        self.0.infer(&[w, b, da])
    }

    fn aliases(&self) -> Vec<(usize, usize)> {
        vec![(3, 0), (4, 1)]
    }

    crate::twin!();
}

/// `shaders/entropy/activeness_grad.wgsl`: both forms.
pub struct ActivenessGradKernel;

impl Kernel for ActivenessGradKernel {
    fn stem(&self) -> &'static str {
        "activeness_grad"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<ActivenessGrad>().is_some() || op.downcast::<ActivenessGradAdd>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let add = r.op.downcast::<ActivenessGradAdd>();
        let ActivenessGrad(Activeness { direction, bias_weight }) = match add {
            Some(op) => op.0,
            None => *r.op::<ActivenessGrad>()?,
        };
        let (rows, columns) = matrix(self.stem(), "W", r.inputs[0])?;
        let neurons = r.inputs[1].elements();
        let [divide, modulus] = if direction == Direction::Incoming { [columns, rows] } else { [1, columns] };
        Ok(Launch::single(
            ShaderKey::plain(self.stem()),
            vec![Bind::Input(0), Bind::Input(1), Bind::Input(2), Bind::Output(0), Bind::Output(1)],
            vec![
                (rows * columns) as u32,
                neurons as u32,
                divide as u32,
                modulus as u32,
                bias_weight.to_bits(),
                u32::from(add.is_some()),
            ],
            Work::Invocations(rows * columns + neurons),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 2.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let rounding = Tolerance::new(1e-7, 1e-6, Terms::OfAbsoluteInputs, "one product and one sum");
        let mut s = Samples::new("activeness_grad");
        let mut cases = Vec::new();
        for direction in [Direction::Incoming, Direction::Outgoing] {
            for (rows, columns) in [(1, 1), (20, 20), (65, 7), (3, 131)] {
                let grad = ActivenessGrad(Activeness { direction, bias_weight: 0.5 });
                let n = direction.layout(rows, columns)[0];
                let mut w = s.normal(&[rows, columns]);
                w.real_mut()[0] = 0.0;
                let inputs = vec![w, s.normal(&[n]), s.normal(&[n])];
                let label = format!("{direction:?} {rows}x{columns}");
                let added = [inputs.clone(), vec![s.normal(&[rows, columns]), s.normal(&[n])]].concat();
                cases.push(Case::new(label.clone(), grad, inputs, rounding));
                let case = Case::new(format!("{label} added"), ActivenessGradAdd(grad), added, rounding);
                cases.push(if rows == 20 && direction == Direction::Incoming { case.benched() } else { case });
            }
        }
        cases
    }
}
