//! Matrix products by register tiles whose left operand a subgroup's lanes hold for each other.

use super::matmul_cases;
use super::matmul_patches;
use super::matmul_product::{self, Form, Product, Source};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::kernel::{Case, Cost, Kernel, Launch, Request, Work};
use crate::ops::matmul::MatMul;
use crate::shader::ShaderKey;

/// Lanes that share a tile, as in the shader.
const LANES: usize = 8;
/// Invocations of a workgroup, as in the shader: subgroups must divide it.
const GROUP_SIZE: u32 = 64;

/// Name of a tile, vectors of four that a lane keeps of it, along rows and columns, and how operands are read.
const TILES: [(&str, [usize; 2], Source); 5] = [
    ("16x32 texels", [4, 1], Source::Texels),
    ("16x64 texels", [4, 2], Source::Texels),
    ("16x32", [4, 1], Source::Buffers),
    ("8x32", [2, 1], Source::Buffers),
    ("16x64", [4, 2], Source::Buffers),
];

/// `shaders/matmul/matmul_subgroup.wgsl`
pub struct MatMulSubgroupKernel;

impl Kernel for MatMulSubgroupKernel {
    fn stem(&self) -> &'static str {
        "matmul_subgroup"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        matmul_product::layout_of_any(op).is_some()
    }

    fn rank(&self, r: &Request<'_>, profile: &DeviceProfile) -> Result<u8> {
        matmul_product::rank(Form::Subgroup, r, profile)
    }

    fn variants(&self, _request: &Request<'_>, profile: &DeviceProfile) -> Result<Vec<&'static str>> {
        let fits = |size: u32| size.is_multiple_of(LANES as u32) && GROUP_SIZE.is_multiple_of(size);
        let tiles = if profile.subgroup.is_some_and(fits) { &TILES[..] } else { &[] };
        let tiles = tiles.iter().filter(|(.., source)| profile.texels || *source == Source::Buffers);
        Ok(tiles.map(|(name, ..)| *name).collect())
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let (_, [row_vecs, col_vecs], source) = r.variant_in(&TILES, |(name, ..)| name)?;
        let product = Product::of(r)?.reading(*source);
        let (m, n) = (product.extents.m, product.extents.n);
        let tiles = m.div_ceil(4 * row_vecs) * n.div_ceil(4 * LANES * col_vecs);
        let mut shader = ShaderKey {
            stem: self.stem(),
            constants: vec![("ROW_VECS", *row_vecs as u32), ("COL_VECS", *col_vecs as u32), product.activation()],
            snippets: [product.operands(), product.finish()].concat(),
        };
        let mut bindings = [product.sources(), product.results()].concat();
        product.add_rows(&mut shader, &mut bindings);
        product.add_patches(&mut shader);
        Ok(Launch::single(shader, bindings, product.params(), Work::Invocations(tiles * LANES)))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        matmul_product::cost(r)
    }

    fn cases(&self) -> Vec<Case> {
        let all = [MatMul::Nt, MatMul::Nn, MatMul::Tn];
        [matmul_cases::all_cases(self.stem(), &SHAPES), matmul_patches::cases(self.stem(), &all)].concat()
    }
}

/// Extents (m, n, k) that meet every edge: 1, tile ± 1, depth ± 1, primes, more tiles than a workgroup
/// has, and the same in multiples of four.
const SHAPES: [(usize, usize, usize); 11] = [
    (1, 1, 1),
    (2, 3, 7),
    (7, 9, 15),
    (9, 31, 17),
    (15, 33, 9),
    (17, 63, 31),
    (83, 65, 13),
    (4, 4, 4),
    (12, 36, 20),
    (20, 68, 36),
    (132, 124, 40),
];
