//! How far a covariance is from the identity: the squared Bures distance, the part of the Wasserstein-2 distance
//! between Gaussians that their covariances make.
//!
//! Source: FORMULAS §3; Gelbrich, "On a formula for the L² Wasserstein metric between measures on Euclidean and
//! Hilbert spaces" (1990). With A = C + jitter · I and its eigenvalues λ,
//!
//! tr A + N − 2 tr A^½ = Σ (√λ − 1)²,  dC = I − A^{−½}
//!
//! The sum of squares loses no digits where A is near the identity, as the traces would, which is why eigenvalues are
//! computed and no iteration for the root. Eigenvalues below 2⁻²³ of the largest, or below 10⁻³⁰, count as that: the
//! root's slope at 0 is infinite.

use crate::eigen::rotations::{SWEEPS, eigen};
use crate::error::{Error, Result};
use crate::graph::{Graph, Op, Var};
use crate::ops::array::binary::Binary;
use crate::ops::kernel::check::{arity, matrix};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// (distance, its derivative \[N, N\], eigenvalues of A \[N\], descending) for the covariance \[N, N\] as input, of
/// which the symmetric part counts. The derivative is for the gradient, eigenvalues are for people to see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bures {
    /// Whether the covariance counts as if there were nothing beside its diagonal: Σ (√A_jj − 1)².
    pub diagonal: bool,
    /// Added to the variances, which keeps eigenvalues away from 0 where there are no more rows than columns.
    pub jitter: f32,
}

/// Columns that a covariance may have: those that the kernel has memory for.
pub const LARGEST: usize = 192;
/// The least eigenvalue that counts, as a share of the largest, and at all.
const LEAST: (f64, f64) = (f32::EPSILON as f64, 1e-30);

impl Bures {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let [distance, slope, eigenvalues] = y else { return };
        let n = eigenvalues.shape.elements();
        let c = x[0].real();
        let element = |i: usize| match i / n == i % n {
            true => c[i] + T::of(f64::from(self.jitter)),
            false if self.diagonal => T::zero(),
            false => T::of(0.5) * (c[i] + c[i % n * n + i / n]),
        };
        let (values, vectors) = eigen((0..n * n).map(element).collect(), n);
        let least = (values[0] * T::of(LEAST.0)).max(T::of(LEAST.1));
        let roots: Vec<T> = values.iter().map(|value| value.max(least).sqrt()).collect();
        distance.real_mut()[0] = roots.iter().map(|&root| (root - T::one()) * (root - T::one())).sum();
        eigenvalues.real_mut().copy_from_slice(&values);
        let scaled: Vec<T> = vectors.iter().enumerate().map(|(i, &v)| v / roots[i % n]).collect();
        for (i, slope) in slope.real_mut().iter_mut().enumerate() {
            let (row, column) = (&scaled[i / n * n..][..n], &vectors[i % n * n..][..n]);
            let inverse_root: T = row.iter().zip(column).map(|(&a, &b)| a * b).sum();
            *slope = if i / n == i % n { T::one() - inverse_root } else { -inverse_root };
        }
    }
}

impl Op for Bures {
    fn name(&self) -> &'static str {
        "bures"
    }

    fn attributes(&self) -> String {
        format!("{}jitter {}", if self.diagonal { "diagonal " } else { "" }, self.jitter)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [covariance] = arity(self.name(), inputs)?;
        match matrix(self.name(), "the covariance", covariance)? {
            (rows, columns) if rows == columns && columns <= LARGEST => {
                Ok(vec![Ty::f32(&[]), covariance.clone(), Ty::f32(&[columns])])
            }
            _ => {
                let expected = format!("the covariance must be square, of at most {LARGEST} columns, got {covariance}");
                Err(Error::graph(self.name(), expected))
            }
        }
    }

    fn vjp(&self, g: &mut Graph, _x: &[Var], y: &[Var], dy: &[Option<Var>]) -> Result<Vec<Option<Var>>> {
        if dy[1].is_some() || dy[2].is_some() {
            return Err(Error::graph(self.name(), "only the distance can be differentiated, and once"));
        }
        let Some(dy) = dy[0] else { return Ok(vec![None]) };
        Ok(vec![Some(g.apply(Binary::Mul, &[y[1], dy])?)])
    }

    crate::twin!();
}

/// `shaders/loss/bures.wgsl`, one workgroup.
pub struct BuresKernel;

/// Invocations of it.
const WORKGROUP: usize = 128;
/// Rounds of loops that sweeps may take in one dispatch. Mesa's software device leaves every loop once the loops of an
/// invocation have gone round 65,535 times in all.
const MOST_ROUNDS: usize = 40_000;

/// Rounds of loops in a sweep over `n` columns.
fn rounds(n: usize) -> usize {
    let (players, share) = (n.next_multiple_of(2), |items: usize| items.div_ceil(WORKGROUP));
    let pairs = players / 2;
    (players - 1) * (1 + share(pairs) + share(pairs * pairs) + share(n * pairs)) + share(n * n)
}

impl Kernel for BuresKernel {
    fn stem(&self) -> &'static str {
        "bures"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<Bures>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (n, _) = matrix(self.stem(), "the covariance", r.inputs[0])?;
        let op = r.op::<Bures>()?;
        let outputs = (0..3).map(Bind::Output);
        let bindings: Vec<Bind> =
            [Bind::Input(0)].into_iter().chain(outputs).chain((0..2).map(Bind::Scratch)).collect();
        let dispatch = |sweeps: usize, first: bool, last: bool| {
            let words = [n, usize::from(op.diagonal), 0, sweeps, usize::from(first), usize::from(last)];
            let mut params = words.map(|word| word as u32).to_vec();
            params[2] = op.jitter.to_bits();
            Dispatch::new(ShaderKey::plain(self.stem()), bindings.clone(), params, Work::Groups(1))
        };
        let at_once = (MOST_ROUNDS / rounds(n)).max(1);
        let mut dispatches = vec![dispatch(SWEEPS.min(at_once), true, SWEEPS <= at_once)];
        if SWEEPS > at_once {
            dispatches.extend((1..SWEEPS.div_ceil(at_once)).map(|_| dispatch(at_once, false, false)));
            dispatches.push(dispatch(0, false, true));
        }
        Ok(Launch { dispatches, scratch: vec![n * n * 4; 2] })
    }

    /// Seven sweeps, as some twenty columns need them, and the product of eigenvectors.
    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let n = r.outputs[2].elements() as f64;
        Ok(Cost::streaming(r, 7.0 * 9.0 * n * n * n + 3.0 * n * n * n))
    }

    fn cases(&self) -> Vec<Case> {
        let why = "some hundred rotations of every column, each right to an ULP; the derivative divides by roots of \
                   eigenvalues as small as a hundredth of the largest, and is what the identity leaves of them";
        let tolerance = Tolerance::new(2e-6, 6e-5, Terms::Largest, why);
        let mut s = Samples::new("bures");
        let mut cases = Vec::new();
        for (n, diagonal, jitter) in [
            (1, false, 0.0),
            (2, false, 1e-3),
            (3, true, 0.1),
            (7, false, 0.0),
            (20, true, 0.0),
            (33, false, 0.1),
            (65, false, 1e-3),
            (128, false, 0.0),
            (20, false, 1e-4),
        ] {
            let covariance = covariance(&mut s, n);
            let op = Bures { diagonal, jitter };
            let case = Case::new(format!("{n}x{n} {}", op.attributes()), op, vec![covariance], tolerance);
            cases.push(if (n, diagonal) == (20, false) { case.benched() } else { case });
        }
        cases
    }
}

/// The covariance of 3n rows, whose columns depend on each other.
fn covariance(s: &mut Samples, n: usize) -> HostTensor<f32> {
    let rows = s.normal(&[3 * n, n]);
    let element = |i: usize| {
        let products = rows.real().chunks_exact(n).map(|row| row[i / n] * row[i % n]);
        products.sum::<f32>() / (3 * n) as f32 + if i / n == i % n { 0.05 } else { 0.1 }
    };
    HostTensor::from_f32(&[n, n], &(0..n * n).map(element).collect::<Vec<_>>())
}
