//! The matrix product by register tiles: a shader for each of the three layouts, and one host side for all of them.

use super::matmul_patches;
use super::matmul_product::{self, Finish, Form, Product, Source};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::ops::matmul::{Extents, MatMul};
use crate::shader::ShaderKey;

/// A kernel that keeps tiles of the results of one layout in registers.
pub struct TilesKernel {
    /// Stem of the shader.
    pub(super) stem: &'static str,
    /// The layout that it computes.
    pub(super) layout: MatMul,
    /// What it is proved on.
    pub(super) cases: fn() -> Vec<Case>,
}

/// Results of one invocation, and invocations of one workgroup.
struct Tile {
    rows: usize,
    vectors: usize,
    group: usize,
}

/// Names of the variants, into how many parts a sum is split, and how operands are read. Where an operation can be split at
/// all, the parts are the better guess.
const WAYS: [(&str, usize, Source); 6] = [
    ("texels split 64", 64, Source::Texels),
    ("texels split 16", 16, Source::Texels),
    ("texels", 1, Source::Texels),
    ("split 64", 64, Source::Buffers),
    ("split 16", 16, Source::Buffers),
    ("", 1, Source::Buffers),
];

/// Fewest terms that are worth a part of a sum.
const PART: usize = 128;

/// Large tiles make few loads serve many products; rows read element by element gain nothing from
/// them and only compile longer.
fn tile(aligned: bool) -> Tile {
    if aligned { Tile { rows: 16, vectors: 4, group: 8 } } else { Tile { rows: 8, vectors: 2, group: 8 } }
}

impl Kernel for TilesKernel {
    fn stem(&self) -> &'static str {
        self.stem
    }

    fn matches(&self, op: &dyn Op) -> bool {
        matmul_product::layout_of_any(op).is_some_and(|(layout, _)| layout == self.layout)
    }

    fn rank(&self, r: &Request<'_>, profile: &DeviceProfile) -> Result<u8> {
        matmul_product::rank(Form::Registers, r, profile)
    }

    /// A long sum is split among invocations, since few results leave most of a device idle.
    fn variants(&self, r: &Request<'_>, profile: &DeviceProfile) -> Result<Vec<&'static str>> {
        let Extents { k, .. } = Product::of(r)?.extents;
        let fits = |splits: usize| splits == 1 || (self.layout == MatMul::Tn && k >= splits * PART);
        let ways =
            WAYS.iter().filter(|(_, splits, source)| fits(*splits) && (profile.texels || *source == Source::Buffers));
        Ok(ways.map(|(name, ..)| *name).collect())
    }

    /// One dispatch, and one that joins the parts of a sum that is split. What a finish does not need is bound but not
    /// touched: a flag in the uniform block says so.
    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let &(_, splits, source) = r.variant_in(&WAYS, |(name, ..)| name)?;
        let product = Product::of(r)?.reading(source);
        if product.layout != self.layout {
            return Err(r.foreign());
        }
        let Extents { m, n, .. } = product.extents;
        let Tile { rows, vectors, group } = tile(product.aligned());
        let mut snippets = product.access();
        let mut params = product.params();
        let (mut scratch, mut joined) = (Vec::new(), None);
        let of_finish = Bind::Input(2 + usize::from(product.gathered));
        let results = match (self.layout, product.finish) {
            (MatMul::Tn, finish) => {
                let sums = finish == Finish::BiasSums;
                params.push(u32::from(sums));
                if splits > 1 {
                    let (parts, join) = product.split(splits);
                    scratch = parts;
                    joined = Some(join);
                    [Bind::Scratch(0), Bind::Scratch(1)]
                } else {
                    scratch.extend((!sums).then_some(4));
                    [Bind::Output(0), if sums { Bind::Output(1) } else { Bind::Scratch(0) }]
                }
            }
            (MatMul::Nt, finish) => {
                let biased = finish != Finish::Plain;
                params.push(u32::from(biased));
                [if biased { of_finish } else { Bind::Input(0) }, Bind::Output(0)]
            }
            (MatMul::Nn, finish) => {
                snippets.push(product.mask());
                params.push(u32::from(matches!(finish, Finish::Bias(_))));
                [if finish == Finish::Plain { Bind::Input(0) } else { of_finish }, Bind::Output(0)]
            }
        };
        let mut bindings = [product.sources(), results.to_vec()].concat();
        let mut constants =
            vec![("TILE_ROWS", rows as u32), ("TILE_VECS", vectors as u32), ("GROUP_SIZE", group as u32)];
        constants.push(if self.layout == MatMul::Tn { ("SPLITS", splits as u32) } else { product.activation() });
        let mut shader = ShaderKey { stem: self.stem, constants, snippets };
        product.add_rows(&mut shader, &mut bindings);
        product.add_patches(&mut shader);
        let tiles = m.div_ceil(rows) * n.div_ceil(4 * vectors) * splits;
        let mut launch = Launch { scratch, ..Launch::single(shader, bindings, params, Work::Invocations(tiles)) };
        launch.dispatches.extend(joined);
        Ok(launch)
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        matmul_product::cost(r)
    }

    fn cases(&self) -> Vec<Case> {
        [(self.cases)(), matmul_patches::cases(self.stem, &[self.layout])].concat()
    }
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
