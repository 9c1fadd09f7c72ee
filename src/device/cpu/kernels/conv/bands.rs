//! Bands of images with their padding, in a scratch of each thread: what a task sees of the source, so that every tap is a
//! shift.

use super::passes::{Frame, Pass};
use super::tile::Pixel;
use crate::device::cpu::pool::Pool;
use crate::threads::current_num_threads;

/// Numbers of a band that stay in the second-level cache.
const BAND: usize = 48 << 10;
/// Numbers behind a band that a vector may reach into.
const SLACK: usize = 64;

/// How a batch of images is cut into tasks, by shape alone: bands of rows of results, or several whole images where they are small.
pub(super) struct Bands {
    /// Images of the batch, their size, and numbers of a pixel.
    count: usize,
    size: [usize; 2],
    channels: usize,
    frame: Frame,
    /// Source rows from one row of results to the next.
    stride: usize,
    /// Images of a task, and rows of results of each pass.
    pub images: usize,
    pub rows: usize,
    /// Tasks of an image, or 1 where a task has whole ones.
    pub parts: usize,
}

/// What bands lie in while a task needs them.
static SCRATCH: Pool = Pool::new();

impl Bands {
    /// Cuts `count` images of this size and so many channels for these passes.
    pub fn new(passes: &[Pass], count: usize, size: [usize; 2], channels: usize) -> Self {
        let of_pass = |axis: fn(&Pass) -> usize| passes.iter().map(axis).max().unwrap_or(1).max(1);
        let [height, width] = [of_pass(|pass| pass.rows.count), of_pass(|pass| pass.columns.count)];
        let [down, across] = [of_pass(|pass| pass.rows.stride), of_pass(|pass| pass.columns.stride)];
        let pixels = (BAND / (channels * down * across)).clamp(128, 1024);
        let rows = (pixels / width).clamp(1, height);
        let images = if rows < height { 1 } else { (pixels / (height * width)).clamp(1, count.max(1)) };
        let frame = Frame::of(passes, rows);
        let parts = height.div_ceil(rows);
        let bands = Bands { count, size, channels, frame, stride: down, images, rows, parts };
        SCRATCH.reserve(current_num_threads(), bands.words());
        bands
    }

    /// What the passes see of a band.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Tasks of the batch.
    pub fn tasks(&self) -> usize {
        self.count.div_ceil(self.images) * self.parts
    }

    /// First image and first row of results of a task, and how many images it has.
    pub fn task(&self, number: usize) -> ([usize; 2], usize) {
        let image = number / self.parts * self.images;
        ([image, number % self.parts * self.rows], self.images.min(self.count - image))
    }

    /// Where each result of a pass in a whole task sees the band, and its place in results that have this size and so many
    /// channels.
    pub fn pixels(&self, pass: &Pass, [height, width]: [usize; 2], channels: usize) -> Vec<Pixel> {
        let (rows, columns) = (&pass.rows, &pass.columns);
        let mut pixels = Vec::new();
        for image in 0..self.images {
            for q in 0..self.rows.min(rows.count) {
                for j in 0..columns.count {
                    let seen = (image * self.frame.height + q * rows.stride) * self.frame.width + j * columns.stride;
                    let result =
                        (image * height + rows.first + q * rows.step) * width + columns.first + j * columns.step;
                    pixels.push([(seen * self.channels) as u32, (result * channels) as u32]);
                }
            }
        }
        pixels
    }

    /// How many of those a task that begins at this row and has so many images really has.
    pub fn pixels_of(&self, pass: &Pass, first: usize, images: usize) -> usize {
        images * pass.rows.count.saturating_sub(first).min(self.rows) * pass.columns.count
    }

    /// Numbers of an image's band.
    fn image(&self) -> usize {
        self.frame.height * self.frame.width * self.channels
    }

    /// Numbers of a task's bands.
    pub fn numbers(&self) -> usize {
        self.images * self.image()
    }

    fn words(&self) -> usize {
        self.numbers() + SLACK
    }

    /// Gives `task` what `images` images see from this image and this row of results on.
    pub fn with(&self, x: &[f32], [image, first]: [usize; 2], images: usize, task: impl FnOnce(&[f32])) {
        let size = self.image();
        SCRATCH.with(self.words(), |own| {
            for part in 0..images {
                self.copy(x, &mut own[part * size..][..size], image + part, first);
            }
            task(own);
        });
    }

    /// The part of an image that rows of results from `first` on see, with zeros around it.
    fn copy(&self, x: &[f32], band: &mut [f32], image: usize, first: usize) {
        let ([height, width], channels) = (self.size, self.channels);
        let Frame { top, left, width: frame, .. } = self.frame;
        let before = (-left).max(0) as usize;
        let from = left.max(0) as usize;
        let count = frame.saturating_sub(before).min(width.saturating_sub(from));
        for (row, band) in band.chunks_exact_mut((frame * channels).max(1)).enumerate() {
            let at = top + (first * self.stride + row) as isize;
            if at < 0 || at as usize >= height || count == 0 {
                band.fill(0.0);
                continue;
            }
            let x = &x[((image * height + at as usize) * width + from) * channels..][..count * channels];
            let (padding, rest) = band.split_at_mut(before * channels);
            padding.fill(0.0);
            rest[..x.len()].copy_from_slice(x);
            rest[x.len()..].fill(0.0);
        }
    }
}
