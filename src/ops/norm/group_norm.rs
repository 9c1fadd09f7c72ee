//! Groups of channels of every sample brought to mean 0 and variance 1, then scaled and shifted.
//!
//! Source: Wu and He, "Group Normalization" (2018); golden `group_norm`. Over the n = P·C/G numbers of a sample's group of
//! channels, with mean μ and variance σ² (over n, not n − 1): y = γ (x − μ)/√(σ² + ε) + β, ε = 10⁻⁵, γ and β a number a
//! channel. As many groups as channels are the instance norm, one group the norm of a whole sample. Every sample is by
//! itself, in training and after, so rows of padding need not be known.

use super::group_norm_grad::GroupNormGrad;
use super::stretches::{Binds, Stretches};
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::batch::rows_per_sample;
use crate::ops::kernel::check::{arity, matrix, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance};
use crate::tensor::{HostTensor, Real, Ty};

/// (Y \[N·P, C\], moments \[2, N·G\]: means, then variances) for inputs (X \[N·P, C\], scale \[C\], shift \[C\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupNorm {
    /// Rows P that belong to one sample: its pixels.
    pub rows_per_sample: usize,
    /// Groups G that the channels are cut into.
    pub groups: usize,
}

/// Added to the variance, so that a constant group is divided by something.
pub const EPSILON: f32 = 1e-5;

/// How many there are of everything: samples, rows of each, channels, groups.
#[derive(Clone, Copy, Debug)]
pub struct Extents {
    /// Samples N.
    pub samples: usize,
    /// Rows P of a sample.
    pub rows: usize,
    /// Channels C.
    pub columns: usize,
    /// Groups G.
    pub groups: usize,
}

impl Extents {
    /// Where the moments of the group of an element lie.
    fn group_of(self, element: usize) -> usize {
        let (row, column) = (element / self.columns, element % self.columns);
        row / self.rows * self.groups + column / (self.columns / self.groups)
    }

    /// Numbers of a group.
    pub(super) fn count<T: Real>(self) -> T {
        T::of((self.rows * (self.columns / self.groups)) as f64)
    }

    /// Calls `task` with every element, its column, and where the moments of its group lie.
    pub(super) fn each(self, mut task: impl FnMut(usize, usize, usize)) {
        let elements = self.samples * self.rows * self.columns;
        (0..elements).for_each(|element| task(element, element % self.columns, self.group_of(element)));
    }
}

impl GroupNorm {
    /// How many there are of everything, for rows of a type.
    ///
    /// # Errors
    /// When they are no whole samples, or channels cannot be cut into so many groups.
    pub fn extents(self, op: &str, x: &Ty) -> Result<Extents> {
        let (all, columns) = matrix(op, "X", x)?;
        let GroupNorm { rows_per_sample: rows, groups } = self;
        rows_per_sample::check(op, all, rows)?;
        if groups == 0 || !columns.is_multiple_of(groups) {
            return Err(Error::graph(op, format!("{columns} channels cannot be cut into {groups} groups")));
        }
        Ok(Extents { samples: all / rows, rows, columns, groups })
    }

    /// In words, for plans and sites.
    pub(in crate::ops) fn attributes(self) -> String {
        rows_per_sample::attributes(format!("groups={}", self.groups), self.rows_per_sample)
    }

    pub(super) fn stretches(self, op: &str, x: &Ty) -> Result<Stretches> {
        let Extents { samples, rows, columns, groups } = self.extents(op, x)?;
        Ok(Stretches { samples, rows, columns, groups, epsilon: EPSILON, counted: None })
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let Ok(extents) = self.extents("group_norm", &x[0].ty()) else { return };
        let (x, scale, shift) = (x[0].real(), x[1].real(), x[2].real());
        let [y, moments] = y else { return };
        let (mean, variance) = moments.real_mut().split_at_mut(extents.samples * extents.groups);
        let count = extents.count::<T>();
        extents.each(|i, _, group| mean[group] += x[i]);
        mean.iter_mut().for_each(|mean| *mean = *mean / count);
        extents.each(|i, _, group| variance[group] += (x[i] - mean[group]) * (x[i] - mean[group]));
        variance.iter_mut().for_each(|variance| *variance = *variance / count);
        let y = y.real_mut();
        extents.each(|i, c, group| {
            y[i] = scale[c] * ((x[i] - mean[group]) * inverse_deviation(variance[group])) + shift[c];
        });
    }
}

/// 1/√(σ² + ε)
pub(super) fn inverse_deviation<T: Real>(variance: T) -> T {
    T::one() / (variance + T::of(f64::from(EPSILON))).sqrt()
}

impl Op for GroupNorm {
    fn name(&self) -> &'static str {
        "group_norm"
    }

    fn attributes(&self) -> String {
        GroupNorm::attributes(*self)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [x, scale, shift] = arity(self.name(), inputs)?;
        let Extents { samples, columns, groups, .. } = self.extents(self.name(), x)?;
        same(self.name(), "the scale", scale, &Ty::f32(&[columns]))?;
        same(self.name(), "the shift", shift, scale)?;
        Ok(vec![x.clone(), Ty::f32(&[2, samples * groups])])
    }

    fn vjp(&self, g: &mut Graph, x: &[Var], y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        if dy[1].is_some() {
            return Err(Error::graph(self.name(), "only the rows can be differentiated, not their moments"));
        }
        let Some(dy) = dy[0] else { return Ok(vec![None; 3]) };
        let gradients = g.push(std::sync::Arc::new(GroupNormGrad(*self)), &[x[0], x[1], y[1], dy])?;
        Ok(gradients.into_iter().map(Some).collect())
    }

    crate::twin!();
}

/// `shaders/norm/norm_stretches.wgsl`, `norm_join.wgsl`, `norm_apply.wgsl`.
pub struct GroupNormKernel;

impl Kernel for GroupNormKernel {
    fn stem(&self) -> &'static str {
        "group_norm"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<GroupNorm>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let of = r.op::<GroupNorm>()?.stretches(self.stem(), r.inputs[0])?;
        let [x, scale, shift] = [0, 1, 2].map(Bind::Input);
        let binds = Binds { clock: x.clone(), x, scale, moments: Bind::Output(1) };
        Ok(of.forward(binds, shift, Bind::Output(0)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 8.0 * r.inputs[0].elements() as f64))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "sums in trees and a root; a group is divided by its deviation, at least 0.003";
        let far = "the mean is off by half an ULP of 1000, 3e-5, and so is what remains";
        cases("group_norm", |op, inputs, label| {
            let tolerance = match label.contains("1000") {
                true => Tolerance::new(1e-4, 2e-5, Terms::Largest, far),
                false => Tolerance::new(2e-6, 2e-5, Terms::Largest, why),
            };
            Case::new(label, op, inputs, tolerance)
        })
    }
}

/// Cases for both kernels.
pub(super) fn cases(stem: &str, make: impl Fn(GroupNorm, Vec<HostTensor<f32>>, String) -> Case) -> Vec<Case> {
    let mut s = Samples::new(stem);
    let mut cases = Vec::new();
    for (samples, rows, columns, groups) in [
        (1, 2, 1, 1),
        (3, 1, 6, 2),
        (2, 9, 4, 2),
        (2, 15, 3, 1),
        (3, 16, 5, 5),
        (1, 49, 12, 4),
        (5, 7, 257, 257),
        (2, 300, 33, 11),
        (1, 2100, 40, 8),
        // More than 65,535 workgroups.
        (33_000, 1, 4, 2),
        (8, 1024, 64, 8),
    ] {
        let x = s.normal(&[samples * rows, columns]);
        let inputs = vec![x, s.uniform(&[columns], 0.5, 2.0), s.normal(&[columns])];
        let op = GroupNorm { rows_per_sample: rows, groups };
        let case = make(op, inputs, format!("{samples} samples of {rows}x{columns} in {groups} groups"));
        cases.push(if samples == 8 { case.benched() } else { case });
    }
    // Far from 0, where a difference of squares has no digits left.
    let mut x = s.normal(&[2 * 70, 6]);
    x.real_mut().iter_mut().for_each(|x| *x += 1000.0);
    let inputs = vec![x, s.uniform(&[6], 0.5, 2.0), s.normal(&[6])];
    cases.push(make(GroupNorm { rows_per_sample: 70, groups: 3 }, inputs, "2 samples of 70x6 around 1000".into()));
    cases
}
