//! What the three matrix product kernels share: how results are cut into tiles, and their cases.

use crate::ops::kernel::{Bind, Launch, Terms, Tolerance, Work};
use crate::ops::matmul::Extents;
use crate::shader::ShaderKey;

/// A product to be launched.
pub(in crate::ops) struct Operands {
    /// The shader.
    pub stem: &'static str,
    /// Extents of the product.
    pub extents: Extents,
    /// Whether all row lengths are multiples of four, so that rows are read as vectors.
    pub aligned: bool,
    /// What else the shader reads, or reads otherwise.
    pub access: Access,
}

/// How a product's operands are read beside the plain way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) enum Access {
    /// Two matrices of floats.
    Plain,
    /// A third matrix of the result's shape, whose slope multiplies.
    Mask,
    /// The left operand comes from the data set's bytes.
    GatherLeft,
    /// The right operand comes from the data set's bytes.
    GatherRight,
}

/// Results of one invocation, and invocations of one workgroup.
struct Tile {
    rows: usize,
    vectors: usize,
    group: usize,
}

/// Large tiles make few loads serve many products; rows read element by element gain nothing from
/// them and only compile longer.
fn tile(aligned: bool) -> Tile {
    if aligned { Tile { rows: 16, vectors: 4, group: 8 } } else { Tile { rows: 8, vectors: 2, group: 8 } }
}

/// Snippets that read the operands and write the results of a product.
pub(in crate::ops) fn access(aligned: bool) -> [&'static str; 3] {
    if aligned {
        ["left_vec4", "right_vec4", "product_vec4"]
    } else {
        ["left_scalar", "right_scalar", "product_scalar"]
    }
}

/// The snippet that reads a third matrix of the result's shape.
pub(in crate::ops) fn mask(aligned: bool) -> &'static str {
    if aligned { "mask_vec4" } else { "mask_scalar" }
}

/// The single dispatch of a product; `flags` follow m, n, k in the uniform block.
pub(in crate::ops) fn launch(operands: &Operands, bindings: Vec<Bind>, flags: &[u32]) -> Launch {
    let e = operands.extents;
    let Tile { rows, vectors, group } = tile(operands.aligned);
    let mut snippets = access(operands.aligned).to_vec();
    match operands.access {
        Access::Plain => {}
        Access::Mask => snippets.push(mask(operands.aligned)),
        Access::GatherLeft => snippets[0] = "left_gather",
        Access::GatherRight => snippets[1] = "right_gather",
    }
    if matches!(operands.access, Access::GatherLeft | Access::GatherRight) {
        snippets.push("rows_binding5");
    }
    let constants = vec![("TILE_ROWS", rows as u32), ("TILE_VECS", vectors as u32), ("GROUP_SIZE", group as u32)];
    let mut params = vec![e.m as u32, e.n as u32, e.k as u32];
    params.extend(flags);
    let tiles = e.m.div_ceil(rows) * e.n.div_ceil(4 * vectors);
    let shader = ShaderKey { stem: operands.stem, constants, snippets };
    Launch::single(shader, bindings, params, Work::Invocations(tiles))
}

/// Extents (m, n, k) that meet every edge: 1, tile ± 1, primes, and the layers of the default network.
pub(in crate::ops) const SHAPES: [(usize, usize, usize); 14] = [
    (1, 1, 1),
    (1, 7, 3),
    (2, 4, 8),
    (7, 9, 5),
    (8, 8, 8),
    (9, 12, 4),
    (17, 33, 31),
    (13, 64, 20),
    (64, 13, 127),
    (33, 20, 64),
    (128, 20, 20),
    (31, 68, 36),
    (65, 67, 129),
    (20, 784, 64),
];

/// Rows of a batch, outputs and features of layers that read it gathered.
pub(in crate::ops) const GATHERED: [(usize, usize, usize); 4] = [(1, 1, 4), (7, 13, 20), (33, 20, 68), (65, 64, 784)];

/// Tolerance of a product: half an ULP for each of the additions in a row, which mostly cancel.
pub(in crate::ops) const PRODUCT: Tolerance = Tolerance::new(
    1e-7,
    5e-6,
    Terms::OfAbsoluteInputs,
    "k products and sums of half an ULP (6e-8) each grow like their root: 1.7e-6 at k = 784, 3 times that allowed",
);
