//! Matrix products in mixed precision on cooperative matrices: f16 factors, f32 sums.

use super::matmul_cases;
use super::matmul_nt::Linear;
use super::matmul_patches;
use super::matmul_product::{self, Form, Product};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::array::activation::Activation;
use crate::ops::conv::conv2d::ConvLayer;
use crate::ops::conv::conv2d_dx::ConvTransposeLayer;
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::matmul::MatMul;
use crate::shader::ShaderKey;

/// Results of a workgroup along rows and along columns, as in the shader.
const TILE: usize = 64;

/// A variant for each size of subgroups, which the shader must know: four make a workgroup.
const SIZES: [(&str, u32); 2] = [("subgroup 32", 32), ("subgroup 64", 64)];

/// Tolerance of a product whose factors are rounded to the 11 bits of f16.
const MIXED: Tolerance = Tolerance::new(
    1e-5,
    1.1e-3,
    Terms::OfAbsoluteInputs,
    "half an ULP of f16 (4.9e-4) for each factor; below 6e-5 an absolute 3e-8 each",
);

/// `shaders/matmul/matmul_cooperative.wgsl`
pub struct MatMulCooperativeKernel;

impl Kernel for MatMulCooperativeKernel {
    fn stem(&self) -> &'static str {
        "matmul_cooperative"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        matmul_product::layout(op).is_some()
    }

    fn rank(&self, r: &Request<'_>, profile: &DeviceProfile) -> Result<u8> {
        matmul_product::rank(Form::Cooperative, r, profile)
    }

    fn variants(&self, _request: &Request<'_>, profile: &DeviceProfile) -> Result<Vec<&'static str>> {
        let fits = |size: u32| profile.cooperative_matrix && profile.subgroup == Some(size);
        Ok(SIZES.iter().filter(|(_, size)| fits(*size)).map(|(name, _)| *name).collect())
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let product = Product::of(r)?;
        let (_, size) = r.variant_in(&SIZES, |(name, _)| name)?;
        let mut shader = ShaderKey {
            stem: self.stem(),
            constants: vec![("SUBGROUP", *size), product.activation()],
            snippets: [product.operands(), product.finish()].concat(),
        };
        product.add_patches(&mut shader);
        let bindings = [vec![Bind::Input(0), Bind::Input(1)], product.results()].concat();
        let groups = product.extents.m.div_ceil(TILE) * product.extents.n.div_ceil(TILE);
        Ok(Launch::single(shader, bindings, product.params(), Work::Groups(groups)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        matmul_product::cost(r)
    }

    fn cases(&self) -> Vec<Case> {
        let mut cases = matmul_cases::cases(self.stem(), &SHAPES);
        // Their tolerances are relative to their values, not to the terms that were rounded.
        cases.extend(matmul_patches::cases(self.stem(), &[MatMul::Nt, MatMul::Nn, MatMul::Tn]));
        let bounded = |activation: Activation| matches!(activation, Activation::Sigmoid | Activation::Tanh);
        let of_layer = |op: &dyn Op| {
            let linear = op.downcast::<Linear>().map(|linear| linear.0);
            let conv = op.downcast::<ConvLayer>().map(|layer| layer.activation);
            linear.or(conv).or(op.downcast::<ConvTransposeLayer>().map(|layer| layer.activation))
        };
        cases.retain(|case| !of_layer(case.op.as_ref()).is_some_and(bounded));
        cases.push(matmul_cases::bench_case(self.stem()));
        cases.into_iter().map(|case| Case { tolerance: MIXED, ..case }).collect()
    }
}

/// Extents (m, n, k) that meet every edge: 1, a matrix ± 1, tile ± 1, depth ± 1, primes, and the same in
/// multiples of four.
const SHAPES: [(usize, usize, usize); 10] = [
    (1, 1, 1),
    (3, 2, 7),
    (15, 17, 31),
    (17, 15, 33),
    (63, 65, 16),
    (65, 63, 17),
    (131, 67, 83),
    (4, 4, 4),
    (68, 60, 36),
    (132, 64, 100),
];
