//! Norms of long columns on a GPU. Rows are cut into stretches, and a workgroup takes a few columns of one, so that lanes read
//! along rows and all of the device has work, however few columns there are; what stretches have found is joined, then applied.

use crate::ops::kernel::{Bind, Dispatch, Launch, Work};
use crate::shader::ShaderKey;

/// Rows of a stretch.
const ROWS: usize = 256;
/// Most columns that a workgroup takes.
const TILE: usize = 32;

/// What is normalised: columns of samples of rows, in groups.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretches {
    pub samples: usize,
    /// Of a sample, with those of padding.
    pub rows: usize,
    pub columns: usize,
    pub groups: usize,
    pub epsilon: f32,
    /// Rows that the clock counts as one sample; none where all rows are valid.
    pub counted: Option<usize>,
}

/// What the operation's inputs and outputs are to these shaders.
#[derive(Clone, Debug)]
pub(super) struct Binds {
    pub x: Bind,
    pub scale: Bind,
    /// Where there is none anything else that is read.
    pub clock: Bind,
    pub moments: Bind,
}

impl Stretches {
    fn per_sample(&self) -> usize {
        self.rows.div_ceil(ROWS)
    }

    fn tile(&self) -> usize {
        self.columns.next_power_of_two().min(TILE)
    }

    fn params(&self) -> Vec<u32> {
        let Stretches { samples, rows, columns, groups, epsilon, counted } = *self;
        let words = [samples, rows, columns, groups, self.per_sample(), ROWS, self.tile(), counted.unwrap_or(0)];
        words.into_iter().map(|word| word as u32).chain([epsilon.to_bits()]).collect()
    }

    /// Bytes of what stretches find: two numbers a column.
    fn scratch(&self) -> usize {
        8 * self.samples * self.per_sample() * self.columns
    }

    fn dispatch(&self, stem: &'static str, bindings: Vec<Bind>, work: Work) -> Dispatch {
        Dispatch::new(ShaderKey::plain(stem), bindings, self.params(), work)
    }

    fn tiles(&self) -> Work {
        Work::Groups(self.samples * self.per_sample() * self.columns.div_ceil(self.tile()))
    }

    fn elements(&self) -> Work {
        Work::Invocations(self.samples * self.rows * self.columns)
    }

    /// The norm: y, and the moments.
    pub fn forward(&self, binds: Binds, shift: Bind, y: Bind) -> Launch {
        let Binds { x, scale, clock, moments } = binds;
        let parts = Bind::Scratch(0);
        let dispatches = vec![
            self.dispatch("norm_stretches", vec![x.clone(), clock.clone(), parts.clone()], self.tiles()),
            self.dispatch(
                "norm_join",
                vec![parts, clock.clone(), moments.clone()],
                Work::Groups(self.samples * self.groups),
            ),
            self.dispatch("norm_apply", vec![x, scale, shift, moments, clock, y], self.elements()),
        ];
        Launch { dispatches, scratch: vec![self.scratch()] }
    }

    /// Its gradient: those of x, scale and shift.
    pub fn backward(&self, binds: Binds, dy: Bind, [dx, d_scale, d_shift]: [Bind; 3]) -> Launch {
        let Binds { x, scale, clock, moments } = binds;
        let (parts, sums) = (Bind::Scratch(0), Bind::Scratch(1));
        let stretches = vec![x.clone(), dy.clone(), moments.clone(), clock.clone(), parts.clone()];
        let dispatches = vec![
            self.dispatch("norm_grad_stretches", stretches, self.tiles()),
            self.dispatch(
                "norm_grad_join",
                vec![parts, scale.clone(), sums.clone(), d_scale, d_shift],
                Work::Groups(self.samples * self.groups + self.columns),
            ),
            self.dispatch("norm_grad_apply", vec![x, dy, scale, moments, sums, clock, dx], self.elements()),
        ];
        Launch { dispatches, scratch: vec![self.scratch(), 8 * self.samples * self.groups] }
    }
}
