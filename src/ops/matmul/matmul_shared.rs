//! Matrix products by tiles in workgroup memory, in one dispatch or with the sum split among workgroups.

use super::matmul_cases;
use super::matmul_patches;
use super::matmul_product::{self, Finish, Form, Product};
use crate::error::Result;
use crate::graph::Op;
use crate::ops::kernel::profile::DeviceProfile;
use crate::ops::kernel::{Bind, Case, Cost, Dispatch, Kernel, Launch, Request, Work};
use crate::ops::matmul::{Extents, MatMul};
use crate::shader::ShaderKey;

/// How a product is cut.
struct Tile {
    name: &'static str,
    /// Results of a workgroup.
    rows: usize,
    cols: usize,
    /// Terms in shared memory at a time.
    depth: usize,
    /// Vectors of four that a thread keeps, along rows and columns.
    row_vecs: usize,
    col_vecs: usize,
    /// Parts of the sum.
    splits: usize,
}

const fn tile(name: &'static str, [rows, cols, depth]: [usize; 3], vecs: [usize; 2], splits: usize) -> Tile {
    Tile { name, rows, cols, depth, row_vecs: vecs[0], col_vecs: vecs[1], splits }
}

/// Largest first. Depths make the number of 4 × 4 blocks of both operands a multiple of the threads, or
/// nearly so, within the 16 KiB that every adapter has.
const TILES: &[Tile] = &[
    tile("128x64", [128, 64, 16], [2, 2], 1),
    tile("64x64", [64, 64, 16], [2, 1], 1),
    tile("32x32", [32, 32, 32], [1, 1], 1),
    tile("64x64 split 16", [64, 64, 16], [2, 1], 16),
    tile("32x32 split 4", [32, 32, 32], [1, 1], 4),
    tile("32x32 split 16", [32, 32, 32], [1, 1], 16),
];

/// Workgroups that keep a graphics card busy; with fewer, smaller tiles are the better guess.
const ENOUGH_GROUPS: usize = 128;

/// Fewest terms that are worth a part of a sum.
const PART: usize = 32;

impl Tile {
    fn groups(&self, e: Extents) -> usize {
        e.m.div_ceil(self.rows) * e.n.div_ceil(self.cols) * self.splits
    }

    /// Splitting costs a dispatch and a pass over memory: only where there is much to sum and little to do.
    fn is_sensible(&self, e: Extents) -> bool {
        self.splits == 1 || (e.k >= PART * self.splits && self.groups(e) < 8 * ENOUGH_GROUPS)
    }

    fn shader(&self, product: &Product) -> ShaderKey {
        let words = [self.rows, self.cols, self.depth, self.row_vecs, self.col_vecs, self.splits];
        let names = ["TILE_M", "TILE_N", "TILE_K", "ROW_VECS", "COL_VECS", "SPLITS"];
        let constants = names.into_iter().zip(words.map(|word| word as u32)).chain([product.activation()]).collect();
        let mut shader = ShaderKey { stem: "matmul_shared", constants, snippets: product.operands() };
        product.add_patches(&mut shader);
        shader
    }

    fn launch(&self, product: &Product) -> Launch {
        let mut shader = self.shader(product);
        shader.snippets.extend(product.finish());
        let mut bindings = [product.sources(), product.results()].concat();
        product.add_rows(&mut shader, &mut bindings);
        Launch::single(shader, bindings, product.params(), Work::Groups(self.groups(product.extents)))
    }

    /// Parts of the product into scratch memory, then their sums, finished.
    fn launch_split(&self, product: &Product) -> Launch {
        let sums = product.finish == Finish::BiasSums;
        let mut parts = self.shader(product);
        parts.snippets.extend(["finish_plain", if sums { "bias_sums" } else { "no_bias_sums" }]);
        let (scratch, join) = product.split(self.splits);
        let mut bindings = [product.sources(), vec![Bind::Scratch(0)]].concat();
        bindings.extend(sums.then_some(Bind::Scratch(1)));
        let work = Work::Groups(self.groups(product.extents));
        product.add_rows(&mut parts, &mut bindings);
        let parts = Dispatch::new(parts, bindings, product.params(), work);
        Launch { dispatches: vec![parts, join], scratch }
    }
}

/// `shaders/matmul/matmul_shared.wgsl`, and `shaders/matmul/matmul_join.wgsl` where the sum is split.
pub struct MatMulSharedKernel;

impl Kernel for MatMulSharedKernel {
    fn stem(&self) -> &'static str {
        "matmul_shared"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        matmul_product::layout_of_any(op).is_some()
    }

    fn rank(&self, r: &Request<'_>, profile: &DeviceProfile) -> Result<u8> {
        matmul_product::rank(Form::Shared, r, profile)
    }

    fn variants(&self, r: &Request<'_>, _profile: &DeviceProfile) -> Result<Vec<&'static str>> {
        let extents = Product::of(r)?.extents;
        let mut tiles: Vec<&Tile> = TILES.iter().filter(|tile| tile.is_sensible(extents)).collect();
        // Of the unsplit tiles the largest that fills the device, else the one with most workgroups.
        tiles.sort_by_key(|tile| {
            let groups = tile.groups(extents);
            (tile.splits, if groups < ENOUGH_GROUPS { usize::MAX - groups } else { groups })
        });
        Ok(tiles.into_iter().map(|tile| tile.name).collect())
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let product = Product::of(r)?;
        let tile = r.variant_in(TILES, |tile| tile.name)?;
        Ok(if tile.splits == 1 { tile.launch(&product) } else { tile.launch_split(&product) })
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        matmul_product::cost(r)
    }

    fn cases(&self) -> Vec<Case> {
        let all = [MatMul::Nt, MatMul::Nn, MatMul::Tn];
        [matmul_cases::all_cases(self.stem(), &SHAPES), matmul_patches::cases(self.stem(), &all)].concat()
    }
}

/// Extents (m, n, k) that meet every edge of the tiles, of their depth and of the parts: 1, tile ± 1,
/// primes, and the same in multiples of four.
const SHAPES: [(usize, usize, usize); 14] = [
    (1, 1, 1),
    (2, 3, 15),
    (7, 9, 17),
    (31, 33, 31),
    (33, 31, 33),
    (63, 65, 16),
    (65, 67, 129),
    (127, 129, 5),
    (131, 63, 3),
    (13, 37, 523),
    (4, 4, 4),
    (60, 68, 36),
    (132, 124, 20),
    (68, 36, 540),
];
