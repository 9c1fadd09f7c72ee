//! Convolutions and their inputs' gradients: bands of the source times the weights.
//!
//! A task takes what one band holds (`bands.rs`), on one thread, through the passes (`passes.rs`), tile by tile (`tile.rs`).

use super::bands::Bands;
use super::depthwise::{self, DepthProduct, is_depthwise};
use super::passes::{Pass, Run, backward, forward};
use super::planes::{FEW, PlaneProduct, Planes};
use super::tile::{Packed, PatchProduct, Piece, Pixel, width};
use crate::device::cpu::pool::Pool;
use crate::ops::conv::{Convolution, Counts};
use crate::threads::prelude::*;

/// Terms that go into a tile before it is stored: what of the weights stays in the first-level cache for the tiles to come.
const DEPTH: usize = 256;

/// One pass, prepared.
struct Prepared {
    pass: Pass,
    /// Where each pixel of a whole task sees the band, and the places of its results.
    pixels: Vec<Pixel>,
    /// What it sees, for each group of channels.
    seen: Vec<Seen>,
    /// The weights, for each group.
    packed: Vec<Packed>,
}

/// What a pixel sees.
enum Seen {
    /// Pieces of a band, those together that go together.
    Pieces(Vec<Vec<Piece>>),
    /// Places in the planes of a band.
    Places(Vec<usize>),
    /// Each channel its own, through taps that lie there in a band.
    Taps(Vec<usize>),
}

/// A convolution or its input's gradient.
pub(in crate::device) struct Patches {
    of: Convolution,
    counts: Counts,
    back: bool,
    bands: Bands,
    /// Where results have few channels.
    planes: Option<Planes>,
    passes: Vec<Prepared>,
    /// Numbers of the weights in panels.
    panels: usize,
}

/// What weights in panels lie in while a convolution needs them.
static PANELS: Pool = Pool::new();

impl Patches {
    /// Prepares a convolution, or its input's gradient.
    pub fn new(of: Convolution, counts: Counts, back: bool) -> Self {
        let kernel_width = of.window.kernel[1];
        let passes: Vec<Pass> = if back {
            let [rows, columns] = [backward(&of, 0), backward(&of, 1)];
            let pairs = rows.iter().flat_map(|row| columns.iter().map(move |column| (row.clone(), column.clone())));
            pairs.map(|(row, column)| Pass::new(row, column, kernel_width)).collect()
        } else {
            vec![Pass::new(forward(&of, 0), forward(&of, 1), kernel_width)]
        };
        let output = of.output().unwrap_or_default();
        let (size, results) = if back { (output, of.size) } else { (of.size, output) };
        let Counts { images, inputs, outputs } = counts;
        let [channels, columns] = if back { [outputs, inputs] } else { [inputs, outputs] };
        let bands = Bands::new(&passes, images, size, channels);
        let is_depthwise = is_depthwise(&of, counts);
        let is_planar =
            !is_depthwise && columns / of.groups <= FEW && passes.iter().all(|pass| pass.columns.stride == 1);
        let planes = is_planar.then(|| Planes::new(channels, bands.numbers() / channels));
        let panel = if is_planar { 1 } else { width() };
        let mut panels = 0;
        let mut prepared = |pass: Pass| {
            let pixels = bands.pixels(&pass, results, columns);
            if is_depthwise {
                let packed = Packed::new(pass.taps.len(), columns, depthwise::stride(columns), panels);
                panels += packed.words();
                let seen = vec![Seen::Taps(depthwise::taps(&pass, bands.frame(), channels))];
                return Prepared { pixels, seen, packed: vec![packed], pass };
            }
            let of_group = channels / of.groups;
            let seen = (0..of.groups).map(|group| {
                let runs = pass.runs(bands.frame(), channels, [of_group, group]);
                match &planes {
                    Some(planes) => Seen::Places(planes.terms(&runs)),
                    None => Seen::Pieces(pieces(&runs)),
                }
            });
            let packed = (0..of.groups).map(|_| {
                let packed = Packed::new(pass.taps.len() * of_group, columns / of.groups, panel, panels);
                panels += packed.words();
                packed
            });
            let pixels = match &planes {
                Some(planes) => planes.places(pixels),
                None => pixels,
            };
            Prepared { pixels, seen: seen.collect(), packed: packed.collect(), pass }
        };
        let passes = passes.into_iter().map(&mut prepared).collect();
        PANELS.reserve(1, panels);
        Patches { of, counts, back, bands, planes, passes, panels }
    }

    /// Brings the weights \[O, taps·C/groups\] into panels.
    fn pack(&self, w: &[f32], panels: &mut [f32]) {
        let (taps, back, groups) = (self.of.window.taps(), self.back, self.of.groups);
        let [of_input, of_output] = [self.counts.inputs / groups, self.counts.outputs / groups];
        let [of_source, of_results] = if back { [of_output, of_input] } else { [of_input, of_output] };
        for Prepared { pass, packed, seen, .. } in &self.passes {
            if let ([Seen::Taps(_)], [packed]) = (&seen[..], &packed[..]) {
                let panels = panels[packed.begin..][..packed.words()].chunks_exact_mut(packed.width.max(1));
                for (to, tap) in panels.zip(&pass.taps) {
                    to.fill(0.0);
                    to.iter_mut().zip(w[*tap..].iter().step_by(taps)).for_each(|(to, &from)| *to = from);
                }
                continue;
            }
            for (group, packed) in packed.iter().enumerate().filter(|(_, packed)| packed.rows > 0) {
                let (width, rows) = (packed.width, packed.rows);
                let weights = &w[group * of_output * taps * of_input..][..of_output * taps * of_input];
                let panels = &mut panels[packed.begin..][..packed.words()];
                panels.par_chunks_mut(rows * width).enumerate().for_each(|(panel, to)| {
                    let (first, columns) = (panel * width, width.min(of_results - panel * width));
                    if columns < width {
                        to.fill(0.0);
                    }
                    for (block, &tap) in to.chunks_exact_mut(of_source * width).zip(&pass.taps) {
                        if back {
                            for (o, to) in block.chunks_exact_mut(width).enumerate() {
                                let from = &weights[(o * taps + tap) * of_input + first..][..columns];
                                to[..columns].copy_from_slice(from);
                            }
                            continue;
                        }
                        for column in 0..columns {
                            let from = &weights[((first + column) * taps + tap) * of_input..][..of_input];
                            let to = block[column..].iter_mut().step_by(width);
                            to.zip(from).for_each(|(to, &from)| *to = from);
                        }
                    }
                });
            }
        }
    }

    /// Results of images `x` by weights `w`; `finish` gets what a task has finished, and where that begins.
    pub fn run(&self, x: &[f32], w: &[f32], y: &mut [f32], finish: impl Fn(&mut [f32], usize) + Sync) {
        PANELS.with(self.panels, |panels| {
            self.pack(w, panels);
            self.tasks(x, panels, y, finish);
        });
    }

    /// The results, task by task.
    fn tasks(&self, x: &[f32], panels: &[f32], y: &mut [f32], finish: impl Fn(&mut [f32], usize) + Sync) {
        let image = y.len() / self.counts.images.max(1);
        let of_task = self.bands.images * image;
        let step = self.passes.first().map_or(1, |first| first.pass.rows.step);
        let height = if self.back { self.of.size[0] } else { self.of.output().map_or(1, |output| output[0]) };
        let part = if self.bands.parts == 1 { of_task } else { self.bands.rows * step * (image / height) };
        y.par_chunks_mut(of_task).enumerate().for_each(|(number, y)| {
            y.par_chunks_mut(part).enumerate().for_each(|(band, y)| {
                self.task(x, panels, y, number * self.bands.parts + band);
                finish(y, number * of_task + band * part);
            });
        });
    }

    /// The results of one task.
    fn task(&self, x: &[f32], panels: &[f32], y: &mut [f32], number: usize) {
        let ([image, first], images) = self.bands.task(number);
        if self.passes.iter().any(|one| one.pass.taps.is_empty()) {
            y.fill(0.0);
        }
        self.bands.with(x, [image, first], images, |source| match &self.planes {
            Some(planes) => planes.with(source, |planes, sums| {
                self.passes(planes, sums, panels, y, [first, images]);
            }),
            None => self.passes(source, &mut [], panels, y, [first, images]),
        });
    }

    /// The results of the passes over a band, or over its planes.
    fn passes(&self, source: &[f32], sums: &mut [f32], panels: &[f32], y: &mut [f32], [first, images]: [usize; 2]) {
        for Prepared { pass, pixels, seen, packed } in self.passes.iter().filter(|one| !one.pass.taps.is_empty()) {
            let pixels = &pixels[..self.bands.pixels_of(pass, first, images)];
            for (group, (seen, packed)) in seen.iter().zip(packed).enumerate() {
                let (first, weights) = (group * packed.columns, &panels[packed.begin..][..packed.words()]);
                let (results, sums) = (&mut *y, &mut *sums);
                match seen {
                    Seen::Pieces(pieces) => {
                        PatchProduct { source, pixels, pieces, packed, panels: weights, results, first }.run();
                    }
                    Seen::Places(terms) => {
                        PlaneProduct { planes: source, terms, weights, sums, pixels, results, first }.run();
                    }
                    Seen::Taps(taps) => {
                        DepthProduct { source, pixels, taps, weights, channels: packed.columns, results }.run();
                    }
                }
            }
        }
    }
}

/// What a result sees of a band, in pieces of which those that go together are no more than the cache holds.
fn pieces(runs: &[Run]) -> Vec<Vec<Piece>> {
    let (mut row, mut left, mut pieces) = (0, 0, Vec::<Vec<Piece>>::new());
    for run in runs {
        let mut begin = 0;
        while begin < run.terms {
            if left == 0 {
                pieces.push(Vec::new());
                left = DEPTH;
            }
            let terms = left.min(run.terms - begin);
            if let Some(last) = pieces.last_mut() {
                last.push(Piece { offset: run.offset + begin, row, terms });
            }
            (begin, row, left) = (begin + terms, row + terms, left - terms);
        }
    }
    pieces
}
