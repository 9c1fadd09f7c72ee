//! A path of the pen, fitted into the frame of an image and turned into pixels.
//!
//! Framing follows MNIST (LeCun, Cortes, Burges): the ink fills a box of 20 × 20 pixels along its
//! longer side, and the box is moved by whole pixels until the centre of mass is at the centre.

/// Height and width of an image.
pub const SIDE: usize = 28;
const BOX: f32 = 20.0;
/// Pixels at the rim of the image that the line's core stays clear of.
const RIM: f32 = 1.0;

/// Width of the soft edge of a line, in pixels.
const EDGE: f32 = 1.05;

/// A sample of the pen's path.
#[derive(Clone, Copy, Debug)]
pub struct Dot {
    /// Position; in pixels once the path is framed.
    pub at: [f32; 2],
    /// Half the width of the line here, in pixels.
    pub radius: f32,
    /// Whether the pen draws a line from the previous dot to this one.
    pub down: bool,
}

/// Pairs of neighbouring dots with the pen on the paper.
fn segments(path: &[Dot]) -> impl Iterator<Item = (&Dot, &Dot)> {
    path.iter().zip(path.iter().skip(1)).filter(|(_, to)| to.down)
}

/// Scales and moves `path`, in any unit, into the frame of the image.
pub fn frame(path: &mut [Dot]) {
    let Some(first) = path.first() else { return };
    let (mut low, mut high) = (first.at, first.at);
    for dot in path.iter() {
        low = [low[0].min(dot.at[0]), low[1].min(dot.at[1])];
        high = [high[0].max(dot.at[0]), high[1].max(dot.at[1])];
    }
    // The line is as wide as its pen whatever the scale, so its width comes off the box first.
    let pen = path.iter().map(|dot| dot.radius).sum::<f32>() / path.len() as f32;
    let extent = (high[0] - low[0]).max(high[1] - low[1]).max(1e-6);
    let scale = (BOX - 2.0 * pen) / extent;
    for dot in path.iter_mut() {
        dot.at = [0, 1].map(|axis| (dot.at[axis] - low[axis]) * scale + pen);
    }
    let size = [0, 1].map(|axis| (high[axis] - low[axis]) * scale + 2.0 * pen);
    let shift = shift_to_centre(path, size);
    for dot in path.iter_mut() {
        dot.at = [dot.at[0] + shift[0], dot.at[1] + shift[1]];
    }
}

/// Whole pixels that bring the centre of mass of `path`, at most 20 pixels in `size`, nearest to the
/// centre of the image.
fn shift_to_centre(path: &[Dot], size: [f32; 2]) -> [f32; 2] {
    let (mut mass, mut moment) = (1e-6, [0.0; 2]);
    for (from, to) in segments(path) {
        let [dx, dy] = [to.at[0] - from.at[0], to.at[1] - from.at[1]];
        let weight = (dx * dx + dy * dy).sqrt() * (from.radius + to.radius);
        mass += weight;
        moment = [0, 1].map(|axis| moment[axis] + weight * 0.5 * (from.at[axis] + to.at[axis]));
    }
    // Off-centre by a little rather than cut off by the rim.
    [0, 1].map(|axis| {
        let room = SIDE as f32 - RIM - size[axis];
        (SIDE as f32 * 0.5 - moment[axis] / mass).round().clamp(RIM, room)
    })
}

/// Draws a framed `path` on `image`, `SIDE * SIDE` bytes of background 0.
pub fn ink(path: &[Dot], image: &mut [u8]) {
    let mut cover = [[0.0f32; SIDE]; SIDE];
    for (from, to) in segments(path) {
        line(from, to, &mut cover);
    }
    for (byte, cover) in image.iter_mut().zip(cover.as_flattened()) {
        *byte = (cover * 255.0 + 0.5) as u8;
    }
}

/// A line with round ends. Lines are united by the maximum, so that joints leave no marks.
fn line(from: &Dot, to: &Dot, cover: &mut [[f32; SIDE]; SIDE]) {
    let reach = from.radius.max(to.radius) + 0.5 * EDGE;
    let [x_span, y_span] = [0, 1].map(|axis| {
        let (a, b) = (from.at[axis], to.at[axis]);
        // Casts saturate at 0; pixel i has its centre at i + 0.5.
        let first = (a.min(b) - reach + 0.5) as usize;
        let last = (a.max(b) + reach + 0.5) as usize;
        first.min(SIDE)..last.min(SIDE)
    });
    let [dx, dy] = [to.at[0] - from.at[0], to.at[1] - from.at[1]];
    let per_length = 1.0 / (dx * dx + dy * dy).max(1e-9);
    let widening = to.radius - from.radius;
    for (row, y) in cover[y_span.clone()].iter_mut().zip(y_span) {
        let py = y as f32 + 0.5 - from.at[1];
        for (cell, x) in row[x_span.clone()].iter_mut().zip(x_span.clone()) {
            let px = x as f32 + 0.5 - from.at[0];
            let along = ((px * dx + py * dy) * per_length).clamp(0.0, 1.0);
            let (ex, ey) = (px - along * dx, py - along * dy);
            let square = ex * ex + ey * ey;
            if square < reach * reach {
                let inside = from.radius + along * widening - square.sqrt();
                *cell = cell.max((inside * (1.0 / EDGE) + 0.5).min(1.0));
            }
        }
    }
}
