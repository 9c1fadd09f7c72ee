//! How a hand varies a style: every image is written by another hand, with other slips.

use super::raster::Dot;
use super::strokes::{Knot, Style};
use crate::rng::Rng;

/// Pixels of an image per unit of the skeletons' centred coordinates, roughly; sets the sampling.
const SCALE: f32 = 9.0;
/// Longest piece of a curve that is drawn as a straight line, in pixels.
const PIECE: f32 = 1.3;

/// A nearly normal number, mean 0 and variance 1, never beyond ±3.5: the sum of four uniform ones.
fn normal(rng: &mut Rng) -> f32 {
    let sum: u32 = [rng.next_u32(), rng.next_u32()].iter().map(|word| (word & 0xFFFF) + (word >> 16)).sum();
    // Four times 0..65536 has mean 131070 and standard deviation 65536 / √3.
    (sum as f32 - 131_070.0) * (1.732_050_8 / 65_536.0)
}

/// What stays the same throughout one image.
#[derive(Clone, Debug)]
pub struct Hand {
    /// Slant, stretch and rotation, as a matrix.
    affine: [[f32; 2]; 2],
    /// Coefficients of x², xy, y², x³, y³ in the displacement of x and of y.
    bend: [[f32; 5]; 2],
    /// Standard deviation of the slips of single knots.
    slip: f32,
    /// How far a knot is pulled to the middle of its neighbours: haste rounds, care exaggerates.
    haste: f32,
    /// 1 for sharp corners, 0 for round ones.
    sharpness: f32,
    /// Half the width of the pen, in pixels.
    pen: f32,
    /// A broad nib: how the width follows twice the direction of the stroke.
    nib: [f32; 2],
    /// Relative variation of the width from knot to knot.
    pressure: f32,
    /// How rough the edges are: relative variation of the width from dot to dot.
    grain: f32,
}

impl Hand {
    /// A hand like those of MNIST's writers: most slant to the right, by very different amounts.
    pub fn draw(rng: &mut Rng) -> Self {
        let slant = 0.17 + 0.24 * normal(rng);
        let stretch = (1.0 + 0.16 * normal(rng)).max(0.6);
        // The rational parametrisation of the circle: exact arithmetic, no sine.
        let half = 0.06 * normal(rng);
        let (cosine, sine) = ((1.0 - half * half) / (1.0 + half * half), 2.0 * half / (1.0 + half * half));
        // Rotation · shear · stretch of x.
        let affine = [[cosine * stretch, -cosine * slant - sine], [sine * stretch, -sine * slant + cosine]];
        let looseness = 0.55 + 1.1 * rng.uniform() + 1.5 * (rng.uniform() - 0.75).max(0.0);
        let mut bend = [[0.0; 5]; 2];
        for (row, spread) in bend.iter_mut().zip([[0.05, 0.10, 0.09, 0.03, 0.05], [0.06, 0.08, 0.10, 0.05, 0.03]]) {
            for (coefficient, spread) in row.iter_mut().zip(spread) {
                *coefficient = looseness * spread * normal(rng);
            }
        }
        let thickness = 1.0 + 0.16 * normal(rng);
        Hand {
            affine,
            bend,
            slip: 0.05 * looseness,
            haste: rng.range(-0.12, 0.28),
            sharpness: rng.uniform(),
            pen: (1.2 * thickness * thickness).max(0.68),
            nib: [0.09 * normal(rng), 0.09 * normal(rng)],
            pressure: rng.range(0.04, 0.17),
            grain: rng.range(0.0, 0.32),
        }
    }

    /// Writes `style` once, as dots in centred coordinates with radii in pixels.
    pub fn write(&self, style: &Style, rng: &mut Rng, path: &mut Vec<Dot>) {
        path.clear();
        let mut knots = Vec::with_capacity(16);
        for stroke in &style.strokes {
            self.place(stroke, rng, &mut knots);
            self.trace(&knots, rng, path);
        }
    }

    /// Moves the knots of a stroke to where this hand puts them.
    fn place(&self, stroke: &[Knot], rng: &mut Rng, knots: &mut Vec<Placed>) {
        knots.clear();
        let lift = [0.6 * self.slip * normal(rng), 0.6 * self.slip * normal(rng)];
        // A slip wears off over the following knots: independent ones would make polygons of rings.
        let mut slip = [0.0; 2];
        knots.extend(stroke.iter().map(|knot| {
            slip = slip.map(|slip| 0.55 * slip + 0.83 * normal(rng));
            Placed {
                at: [0, 1].map(|axis| knot.at[axis] * 0.02 - 1.0 + lift[axis] + self.slip * slip[axis]),
                radius: self.pen * (1.0 + self.pressure * normal(rng)),
                sharpness: if knot.corner { self.sharpness } else { 0.0 },
            }
        }));
        self.round_off(knots);
        let last = knots.len() - 1;
        // The pen comes down and lifts a little early or late.
        for (end, next) in [(0, 1), (last, last - 1)] {
            let [dx, dy] = [0, 1].map(|axis| knots[end].at[axis] - knots[next].at[axis]);
            // In proportion to the last piece, but no further than for one of ordinary length.
            let ordinary = (0.6 / (dx * dx + dy * dy).sqrt().max(1e-4)).min(1.0);
            let reach = (0.05 + 0.16 * normal(rng)) * ordinary;
            knots[end].at[0] += reach * dx;
            knots[end].at[1] += reach * dy;
        }
        for knot in knots.iter_mut() {
            knot.at = self.distort(knot.at);
        }
        if rng.below(3) == 0 {
            knots[last].radius *= rng.range(0.5, 1.0);
        }
    }

    fn round_off(&self, knots: &mut [Placed]) {
        let mut before = knots[0].at;
        for i in 1..knots.len() - 1 {
            let (here, after) = (knots[i].at, knots[i + 1].at);
            let pull = self.haste * (1.0 - 0.7 * knots[i].sharpness);
            for axis in 0..2 {
                knots[i].at[axis] += pull * (0.5 * (before[axis] + after[axis]) - here[axis]);
            }
            before = here;
        }
    }

    /// A smooth displacement of the plane, then the affine map.
    fn distort(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let powers = [x * x, x * y, y * y, x * x * x, y * y * y];
        let bent = [0, 1].map(|axis| {
            let displacement: f32 = self.bend[axis].iter().zip(powers).map(|(c, p)| c * p).sum();
            [x, y][axis] + displacement
        });
        [0, 1].map(|axis| self.affine[axis][0] * bent[0] + self.affine[axis][1] * bent[1])
    }

    /// Samples the spline through `knots`: cubic Hermite pieces with the tangents of a centripetal
    /// Catmull-Rom spline (Yuksel, Schaefer, Keyser 2011), which neither overshoots nor loops
    /// where knots are unevenly spaced.
    fn trace(&self, knots: &[Placed], rng: &mut Rng, path: &mut Vec<Dot>) {
        let last = knots.len() - 1;
        path.push(Dot { at: knots[0].at, radius: knots[0].radius, down: false });
        for i in 0..last {
            let (from, to) = (&knots[i], &knots[i + 1]);
            let chord = [to.at[0] - from.at[0], to.at[1] - from.at[1]];
            let length = (chord[0] * chord[0] + chord[1] * chord[1]).sqrt();
            let leave = match i {
                0 => chord,
                _ => tangent(&knots[i - 1], from, to, chord, length),
            };
            let arrive = match i + 1 == last {
                true => chord,
                false => tangent(&knots[i + 2], to, from, chord.map(|c| -c), length).map(|c| -c),
            };
            let pieces = (length * (SCALE / PIECE)) as usize + 1;
            let step = 1.0 / pieces as f32;
            for piece in 1..=pieces {
                let t = piece as f32 * step;
                let rest = 1.0 - t;
                let at = [0, 1].map(|axis| {
                    from.at[axis] * (1.0 + 2.0 * t) * rest * rest
                        + leave[axis] * t * rest * rest
                        + to.at[axis] * (1.0 + 2.0 * rest) * t * t
                        - arrive[axis] * rest * t * t
                });
                let pressed = from.radius + t * (to.radius - from.radius);
                let grain = 1.0 + self.grain * (rng.uniform() - 0.5);
                path.push(Dot { at, radius: pressed * grain * self.nib_factor(path, at), down: true });
            }
        }
    }

    /// How much wider the nib draws in the direction from the end of `path` to `at`.
    fn nib_factor(&self, path: &[Dot], at: [f32; 2]) -> f32 {
        let Some(before) = path.last() else { return 1.0 };
        let [dx, dy] = [at[0] - before.at[0], at[1] - before.at[1]];
        let square = (dx * dx + dy * dy).max(1e-9);
        1.0 + (self.nib[0] * (dx * dx - dy * dy) + self.nib[1] * 2.0 * dx * dy) / square
    }
}

/// A knot where the hand has put it.
#[derive(Clone, Copy, Debug)]
struct Placed {
    at: [f32; 2],
    radius: f32,
    sharpness: f32,
}

/// The tangent at `here`, scaled for the piece from `here` to `to` with the given chord.
fn tangent(before: &Placed, here: &Placed, to: &Placed, chord: [f32; 2], length: f32) -> [f32; 2] {
    let back = [here.at[0] - before.at[0], here.at[1] - before.at[1]];
    let back_length = (back[0] * back[0] + back[1] * back[1]).sqrt();
    // Centripetal: the parameter advances by the square root of the chord.
    let (span, back_span) = (length.sqrt().max(1e-4), back_length.sqrt().max(1e-4));
    [0, 1].map(|axis| {
        let across = (to.at[axis] - before.at[axis]) / (span + back_span);
        let smooth = span * (back[axis] / back_span - across) + chord[axis];
        smooth + here.sharpness * (chord[axis] - smooth)
    })
}
