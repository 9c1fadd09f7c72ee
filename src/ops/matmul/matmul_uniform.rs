//! Matrix products whose right operand comes from uniform buffers, 64 KiB of its rows a dispatch.

use super::matmul_cases;
use super::matmul_patches;
use super::matmul_product::{self, Form, Product};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::ALIGNMENT;
use crate::ops::conv::conv2d_dx;
use crate::ops::kernel::profile::{DeviceKind, DeviceProfile};
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Work};
use crate::ops::matmul::MatMul;
use crate::shader::{ShaderKey, UNIFORM_BYTES};

/// Bytes of an element.
const ELEMENT: usize = 4;
/// Rows of a chunk come in multiples of this, so that no tile reaches into the next chunk.
const CHUNK_ROWS: usize = 16;
/// Most dispatches that a product is worth.
const MOST_CHUNKS: usize = 16;

/// Name of a tile with the invocations of a workgroup; vectors of four that an invocation keeps, along
/// rows and columns; invocations.
const TILES: [(&str, [usize; 2], usize); 3] =
    [("16x16 of 8", [4, 4], 8), ("8x16 of 8", [2, 4], 8), ("4x8 of 64", [1, 2], 64)];

/// A range of rows of the right operand.
struct Chunk {
    first: usize,
    rows: usize,
}

/// The rows of the right operand, cut so that each chunk fits a binding wherever it begins; none if
/// rows are too long or too many.
fn chunks(product: &Product) -> Vec<Chunk> {
    let e = product.extents;
    let (all, length) = match product.layout {
        MatMul::Nt => (e.n, e.k),
        MatMul::Nn => (e.k, e.n),
        MatMul::Tn => return Vec::new(),
    };
    let rows = (UNIFORM_BYTES - ALIGNMENT) / (ELEMENT * length) / CHUNK_ROWS * CHUNK_ROWS;
    if rows == 0 || all.div_ceil(rows) > MOST_CHUNKS {
        return Vec::new();
    }
    (0..all).step_by(rows).map(|first| Chunk { first, rows: rows.min(all - first) }).collect()
}

/// `shaders/matmul/matmul_uniform.wgsl`
pub struct MatMulUniformKernel;

impl Kernel for MatMulUniformKernel {
    fn stem(&self) -> &'static str {
        "matmul_uniform"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        // The weights of a convolution's gradient are read in another order than they lie in.
        let turned = conv2d_dx::parts(op).is_some();
        !turned && matmul_product::layout(op).is_some_and(|(layout, _)| layout != MatMul::Tn)
    }

    fn rank(&self, r: &Request<'_>, profile: &DeviceProfile) -> Result<u8> {
        matmul_product::rank(Form::Uniform, r, profile)
    }

    fn variants(&self, r: &Request<'_>, profile: &DeviceProfile) -> Result<Vec<&'static str>> {
        let fits = !chunks(&Product::of(r)?).is_empty();
        // Discrete cards read workgroup memory as fast; there this form has nothing to win.
        if !fits || profile.kind == DeviceKind::Discrete {
            return Ok(Vec::new());
        }
        Ok(TILES.iter().map(|(name, ..)| *name).collect())
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let product = Product::of(r)?;
        let &(_, [row_vecs, col_vecs], group) = r.variant_in(&TILES, |(name, ..)| name)?;
        let operands = product.operands().into_iter().filter(|snippet| *snippet != "right_buffer");
        let operands = operands.map(|snippet| match snippet {
            "right_vec4" => "right_uniform_vec4",
            "right_scalar" => "right_uniform_scalar",
            other => other,
        });
        let mut shader = ShaderKey {
            stem: self.stem(),
            constants: vec![
                ("ROW_VECS", row_vecs as u32),
                ("COL_VECS", col_vecs as u32),
                ("GROUP_SIZE", group as u32),
                product.activation(),
            ],
            snippets: operands.chain(product.finish()).collect(),
        };
        product.add_patches(&mut shader);
        let e = product.extents;
        let groups_m = e.m.div_ceil(4 * row_vecs * group);
        let dispatch = |chunk: &Chunk| {
            let (columns, length) = if product.layout == MatMul::Nt { (chunk.rows, e.k) } else { (e.n, e.n) };
            let begin = chunk.first * length * ELEMENT;
            let bound = begin / ALIGNMENT * ALIGNMENT;
            let place = [chunk.first, chunk.rows, (begin - bound) / ELEMENT].map(|word| word as u32);
            Dispatch::new(
                shader.clone(),
                [vec![Bind::Input(0), Bind::InputFrom(1, bound)], product.results()].concat(),
                [product.params(), place.to_vec()].concat(),
                Work::Groups(groups_m * columns.div_ceil(4 * col_vecs)),
            )
        };
        Ok(Launch { dispatches: chunks(&product).iter().map(dispatch).collect(), scratch: Vec::new() })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        matmul_product::cost(r)
    }

    fn cases(&self) -> Vec<Case> {
        let mut cases = matmul_cases::cases(self.stem(), &SHAPES);
        cases.retain(|case| self.matches(case.op.as_ref()));
        cases.extend(matmul_patches::cases(self.stem(), &[MatMul::Nt]));
        cases.push(matmul_cases::bench_case(self.stem()));
        cases
    }
}

/// Extents (m, n, k) that meet every edge of tiles and workgroups, and chunks of both layouts that end
/// within a tile, begin off a binding's alignment, or are many.
const SHAPES: [(usize, usize, usize); 11] = [
    (1, 1, 1),
    (2, 3, 7),
    (15, 17, 5),
    (17, 15, 31),
    (127, 63, 33),
    (129, 77, 313),
    (257, 331, 83),
    (4, 4, 4),
    (132, 68, 20),
    (12, 100, 784),
    (20, 784, 100),
];
