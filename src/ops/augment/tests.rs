//! What is drawn lies where it should, as often as it should.

use super::augment_draw::AugmentDraw;
use super::{COLOURS, Movement, PLACE, Placing};
use crate::graph::Op;
use crate::rng::{Rng, Stream, stream_key};
use crate::tensor::{HostTensor, Ty};

const ROWS: usize = 20_000;

fn of(placing: Placing) -> AugmentDraw {
    AugmentDraw {
        size: [20, 30],
        flip_vertical: 0.1,
        flip: 0.5,
        placing,
        jitter: 0.8,
        strengths: [0.4, 0.3, 0.2, 0.1],
        grey: 0.2,
    }
}

/// Places and colours of many images.
fn drawn(op: &AugmentDraw) -> [HostTensor<f32>; 2] {
    let mut rng = Rng::new(stream_key(7, Stream::Data));
    let u: Vec<f32> = (0..ROWS * op.numbers()).map(|_| rng.uniform()).collect();
    let mut y = [Ty::f32(&[ROWS, PLACE]), Ty::f32(&[ROWS, COLOURS])].map(|ty| HostTensor::zeros(&ty));
    op.eval_f32(&[&HostTensor::from_f32(&[ROWS, op.numbers()], &u)], &mut y);
    y
}

/// One number of every image.
fn column(values: &HostTensor<f32>, number: usize) -> Vec<f32> {
    values.real().chunks_exact(8).map(|row| row[number]).collect()
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

fn bounds(values: &[f32]) -> [f32; 2] {
    values.iter().fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &x| [low.min(x), high.max(x)])
}

/// Within five standard errors of a share.
fn is_near(found: f32, share: f32) -> bool {
    (found - share).abs() <= 5.0 * (share * (1.0 - share) / ROWS as f32).sqrt()
}

#[test]
fn whole_pixels_are_all_alike_likely_and_flips_as_likely_as_is_said() {
    let padding = Movement { padding: 4, ..Movement::default() };
    let [places, colours] = drawn(&of(Placing::Moved(padding)));
    for axis in [4, 5] {
        let shifts = column(&places, axis);
        for wanted in -4..=4 {
            let share = shifts.iter().filter(|&&shift| shift == wanted as f32).count() as f32 / ROWS as f32;
            assert!(is_near(share, 1.0 / 9.0), "{wanted} pixels: {share}");
        }
    }
    for (number, wanted) in [(0, 1.0), (1, 0.0), (2, 0.0), (3, 1.0)] {
        assert!(column(&places, number).iter().all(|&x| x == wanted), "nothing turns and nothing grows");
    }
    for (number, share) in [(6, 0.1), (7, 0.5)] {
        assert!(is_near(mean(&column(&places, number)), share));
    }
    assert!(is_near(mean(&column(&colours, 0)), 0.8) && is_near(mean(&column(&colours, 5)), 0.2));
    // Upside down or not, left is right as often.
    let both = places.real().chunks_exact(PLACE).filter(|row| row[6] == 1.0 && row[7] == 1.0).count();
    assert!(is_near(both as f32 / ROWS as f32, 0.05));
}

#[test]
fn what_is_between_pixels_fills_its_bounds() {
    let moved = Movement { padding: 0, shift: 0.1, degrees: 15.0, scale: 0.25, shear: 0.2 };
    let [places, colours] = drawn(&of(Placing::Moved(moved)));
    for (number, most) in [(4, 2.0), (5, 3.0)] {
        let [low, high] = bounds(&column(&places, number));
        assert!(low >= -most && high <= most && low < -0.99 * most && high > 0.99 * most, "{low} to {high}");
    }
    let rows = places.real().chunks_exact(PLACE);
    let sizes: Vec<f32> = rows.clone().map(|row| 1.0 / (row[0] * row[3] - row[1] * row[2]).sqrt()).collect();
    let angles: Vec<f32> = rows.clone().map(|row| (-row[1]).atan2(row[3]).to_degrees()).collect();
    let leans: Vec<f32> =
        rows.zip(&sizes).map(|(row, size)| (row[2] * row[3] + row[0] * row[1]) * size * size).collect();
    for (values, [least, most]) in [(sizes, [0.75, 1.25]), (angles, [-15.0, 15.0]), (leans, [-0.2, 0.2])] {
        let [low, high] = bounds(&values);
        assert!(low >= least - 1e-3 && high <= most + 1e-3, "{low} to {high}");
        assert!((mean(&values) - (least + most) / 2.0).abs() < 0.02 * (most - least));
    }
    for (number, middle, most) in [(1, 1.0, 0.4), (2, 1.0, 0.3), (3, 1.0, 0.2), (4, 0.0, 0.1)] {
        let [low, high] = bounds(&column(&colours, number));
        assert!(low >= middle - most - 1e-6 && high <= middle + most + 1e-6, "{low} to {high}");
        assert!(low < middle - 0.99 * most && high > middle + 0.99 * most, "{low} to {high}");
    }
}

#[test]
fn boxes_lie_in_their_image_and_have_the_areas_and_shapes_asked_for() {
    let [places, _] = drawn(&of(Placing::Cut { least: 0.25 }));
    let mut areas = Vec::new();
    for row in places.real().chunks_exact(PLACE) {
        let [top, left, height, width] = [row[0], row[1], row[2], row[3]];
        assert!(row[..4].iter().all(|x| x.fract() == 0.0) && top >= 0.0 && left >= 0.0, "{row:?}");
        assert!(height >= 1.0 && width >= 1.0 && top + height <= 20.0 && left + width <= 30.0, "{row:?}");
        let (most, least) = ((width + 0.5) / (height - 0.5), (width - 0.5) / (height + 0.5));
        assert!(most > 0.75 && least < 4.0 / 3.0, "{row:?}");
        areas.push(height * width / 600.0);
    }
    let [low, high] = bounds(&areas);
    assert!((0.22..0.28).contains(&low) && high > 0.85, "{low} to {high}");
}

/// An image that no box of these shapes fits into is cut in the middle.
#[test]
fn after_ten_failures_a_box_lies_in_the_middle() {
    let thin = |size, wanted: [f32; 4]| {
        let op = AugmentDraw { size, ..of(Placing::Cut { least: 1.0 }) };
        let [places, _] = drawn(&op);
        assert!(places.real().chunks_exact(PLACE).all(|row| row[..4] == wanted), "{size:?}");
    };
    thin([3, 40], [0.0, 18.0, 3.0, 4.0]);
    thin([40, 3], [18.0, 0.0, 4.0, 3.0]);
}
