//! An attack that asks for answers only, so that a network whose gradients are useless does not look robust: random search
//! over squares of an image (Andriushchenko et al., "Square attack", 2020).

use super::{Attacked, Ball, Ended, Norm, Subject};
use crate::data::ImageShape;
use crate::error::Result;
use crate::rng::Rng;

/// Share of the image that the first squares cover.
const FIRST_SHARE: f64 = 0.8;
/// After which of ten thousand queries squares get half as large.
const HALVINGS: [u64; 8] = [10, 50, 200, 1000, 2000, 4000, 6000, 8000];

/// A row that is searched, and how far the search has come.
struct Search {
    /// Place among the subjects.
    at: usize,
    /// How far the best row so far is from what the attack wants.
    margin: f32,
    rng: Rng,
}

/// Tries `queries` rows for each subject: first stripes across the image, then whatever was best so far with a square of it
/// drawn anew, which is kept if it brings the row nearer to what the attack wants. `rng` gives the draws of a subject.
///
/// For ℓ∞ a square has ε more or less in each channel. For ℓ2 it has the whole length ε to itself before all of the difference
/// is brought back to ε, which is simpler than the original, that moves mass from one square to another.
///
/// # Errors
/// When the network fails.
pub(super) fn square(
    network: &mut dyn Attacked,
    (ball, queries): (Ball, u32),
    image: ImageShape,
    subjects: &[Subject<'_>],
    rng: impl Fn(&Subject<'_>) -> Rng,
) -> Result<Vec<Ended>> {
    let mut ends: Vec<Ended> = subjects.iter().map(|subject| Ended::at(subject.pixels.to_vec())).collect();
    let searches = subjects.iter().enumerate();
    let mut searches: Vec<Search> =
        searches.map(|(at, subject)| Search { at, margin: f32::INFINITY, rng: rng(subject) }).collect();
    for query in 0..queries {
        if searches.is_empty() {
            break;
        }
        let mut tried = Vec::with_capacity(searches.len() * image.values());
        for Search { at, rng, .. } in &mut searches {
            let (centre, best) = (subjects[*at].pixels, &ends[*at].pixels);
            tried.extend(match query {
                0 => stripes(ball, image, centre, rng),
                _ => with_square(ball, image, centre, best, area(query, queries, image), rng),
            });
        }
        let answers = network.answers(&tried)?;
        let width = (answers.len() / searches.len()).max(1);
        let mut rows = tried.chunks_exact(image.values().max(1)).zip(answers.chunks_exact(width));
        searches.retain_mut(|search| {
            let Some((row, logits)) = rows.next() else { return false };
            let (subject, end) = (&subjects[search.at], &mut ends[search.at]);
            let margin = subject.margin(logits);
            if margin < search.margin {
                search.margin = margin;
                end.pixels.copy_from_slice(row);
                end.taken_for = subject.judge(logits);
            }
            let is_done = subject.is_done(subject.judge(logits));
            if is_done {
                end.reached = Some(query + 1);
                end.pixels.copy_from_slice(row);
                end.taken_for = subject.judge(logits);
            }
            !is_done
        });
    }
    Ok(ends)
}

/// Pixels that the square of a query covers.
fn area(query: u32, queries: u32, image: ImageShape) -> f64 {
    let of_ten_thousand = u64::from(query) * 10_000 / u64::from(queries.max(1));
    let halvings = HALVINGS.iter().filter(|&&begin| of_ten_thousand > begin).count();
    FIRST_SHARE / f64::from(1_u32 << halvings) * (image.height * image.width) as f64
}

/// A sign drawn for each channel.
fn signs(channels: usize, rng: &mut Rng) -> Vec<f32> {
    (0..channels).map(|_| if rng.below(2) == 0 { -1.0 } else { 1.0 }).collect()
}

/// What a value is moved by where so many are moved as far as they may be.
fn amplitude(ball: Ball, values: usize) -> f32 {
    match ball.norm {
        Norm::Largest => ball.epsilon as f32,
        Norm::Euclidean => (ball.epsilon / (values.max(1) as f64).sqrt()) as f32,
    }
}

/// The row with every column of its pixels moved up or down.
fn stripes(ball: Ball, image: ImageShape, centre: &[f32], rng: &mut Rng) -> Vec<f32> {
    let across = image.width * image.channels;
    let (by, signs) = (amplitude(ball, image.values()), signs(across, rng));
    let mut row: Vec<f32> = centre.iter().enumerate().map(|(at, x)| x + by * signs[at % across.max(1)]).collect();
    ball.project(&mut row, centre);
    row
}

/// The best row with a square of so many pixels drawn anew.
fn with_square(ball: Ball, image: ImageShape, centre: &[f32], best: &[f32], area: f64, rng: &mut Rng) -> Vec<f32> {
    let ImageShape { height, width, channels } = image;
    let down = (area.sqrt().round() as usize).clamp(1, height.max(1));
    let across = ((area / down as f64).round() as usize).clamp(1, width.max(1));
    let top = rng.below((height - down + 1) as u32) as usize;
    let left = rng.below((width - across + 1) as u32) as usize;
    let (by, signs) = (amplitude(ball, down * across * channels), signs(channels, rng));
    let drawn = |turned: f32| {
        let mut row = best.to_vec();
        for (y, x) in (top..top + down).flat_map(|y| (left..left + across).map(move |x| (y, x))) {
            for (channel, sign) in signs.iter().enumerate() {
                let at = (y * width + x) * channels + channel;
                row[at] = centre[at] + turned * sign * by;
            }
        }
        ball.project(&mut row, centre);
        row
    };
    let row = drawn(1.0);
    // The same again would be a query for nothing.
    if row == best { drawn(-1.0) } else { row }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream_key};

    const IMAGE: ImageShape = ImageShape { height: 6, width: 5, channels: 3 };

    #[test]
    fn squares_shrink_to_a_pixel_and_stay_in_the_ball() {
        let mut rng = Rng::new(stream_key(2, Stream::Attack));
        let areas: Vec<f64> = (0..100).map(|query| area(query, 100, IMAGE)).collect();
        assert_eq!(areas[0], 24.0);
        assert!(areas.is_sorted_by(|a, b| a >= b) && areas[99] < 0.1, "{areas:?}");
        let centre: Vec<f32> = (0..IMAGE.values()).map(|at| at as f32 / 89.0).collect();
        for norm in [Norm::Largest, Norm::Euclidean] {
            let ball = Ball { norm, epsilon: 0.3 };
            let mut best = stripes(ball, IMAGE, &centre, &mut rng);
            for area in [24.0, 6.0, 1.0, 0.1] {
                let row = with_square(ball, IMAGE, &centre, &best, area, &mut rng);
                assert_ne!(row, best);
                let distance = norm.of(row.iter().zip(&centre).map(|(x, c)| f64::from(x - c)));
                assert!(distance < 0.3 + 1e-6 && row.iter().all(|x| (0.0..=1.0).contains(x)), "{norm:?} {distance}");
                best = row;
            }
        }
    }

    #[test]
    fn plain_rows_have_squares_of_one_line() {
        let mut rng = Rng::new(stream_key(3, Stream::Attack));
        let (image, centre) = (ImageShape::row(10), [0.5; 10]);
        let ball = Ball { norm: Norm::Largest, epsilon: 0.25 };
        let row = with_square(ball, image, &centre, &centre, 4.0, &mut rng);
        let moved: Vec<usize> = (0..10).filter(|&at| row[at] != 0.5).collect();
        assert!(moved.len() == 4 && moved[3] == moved[0] + 3, "{moved:?}");
        assert!(moved.iter().all(|&at| (row[at] - 0.5).abs() == 0.25));
    }
}
