//! Attacks on networks whose robustness is known.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

/// Two classes of rows of four pixels by the sign of w·(x − ½).
struct Plane {
    /// Whether its gradient is hidden, as that of a code that is rounded.
    masked: bool,
}

const WEIGHTS: [f32; 4] = [2.0, -1.0, 0.5, 0.0];

fn score(row: &[f32]) -> f32 {
    row.iter().zip(WEIGHTS).map(|(x, w)| (x - 0.5) * w).sum()
}

impl Attacked for Plane {
    fn answers(&mut self, pixels: &[f32]) -> Result<Vec<f32>> {
        Ok(pixels.chunks_exact(4).flat_map(|row| [-score(row), score(row)]).collect())
    }

    fn slopes(&mut self, pixels: &[f32], classes: &[u16]) -> Result<[Vec<f32>; 2]> {
        let answers = self.answers(pixels)?;
        let slope = |(row, &class): (&[f32], &u16)| {
            let up = if class == 1 { -1.0 } else { 1.0 };
            let other = 1.0 / (1.0 + (2.0 * up * -score(row)).exp());
            WEIGHTS.map(|w| if self.masked { 0.0 } else { 2.0 * up * other * w })
        };
        let gradients = pixels.chunks_exact(4).zip(classes).flat_map(slope).collect();
        Ok([answers, gradients])
    }
}

/// Forty rows whose scores are from -0.78 to 0.78, all of them taken for what they are but the last.
fn rows() -> (Vec<f32>, Vec<u16>) {
    let score = |at: usize| (at as f32 - 19.5) / 25.0;
    let pixels = (0..40).flat_map(|at| [0.5 + score(at) / 2.0, 0.5, 0.5, 0.5]).collect();
    let classes = (0..40).map(|at| u16::from(at >= 20 && at != 39)).collect();
    (pixels, classes)
}

fn attack(norm: Norm) -> Attack {
    let ball = Ball { norm, epsilon: 0.1 };
    Attack { ball, step: 0.025, steps: vec![3, 20], restarts: 2, targeted: false, queries: 200, seed: 1 }
}

fn run(attack: &Attack, masked: bool) -> (Vec<Outcome>, Summary, Vec<Point>) {
    let (pixels, classes) = rows();
    let rows = Rows { pixels: &pixels, classes: &classes, image: ImageShape::row(4), of: 2 };
    let (network, mut told) = (&mut Plane { masked }, 0);
    let outcomes = attack.run(network, rows, 3, &mut || told += 1).unwrap();
    assert_eq!(told, attack.parts(40, 4));
    let points = attack.curve(network, rows, (&[0.0, 0.05, 0.1, 0.5], &outcomes), &mut || ()).unwrap();
    let summary = Summary::of(attack, &outcomes);
    (outcomes, summary, points)
}

/// A score moves by at most ε times the sum of the absolute weights, or times their length.
#[test]
fn descent_reaches_every_row_that_can_be_reached_and_no_other() {
    for (norm, reach) in [(Norm::Largest, 3.5), (Norm::Euclidean, 5.25_f32.sqrt())] {
        let (outcomes, summary, points) = run(&attack(norm), false);
        assert_eq!(summary.clean_accuracy, 39.0 / 40.0);
        for (at, outcome) in outcomes.iter().enumerate().take(39) {
            let distance = (at as f32 - 19.5).abs() / 25.0 / reach;
            assert_eq!(outcome.plain.is_some(), distance <= 0.1, "{norm:?}, row {at}: {outcome:?}");
            // Four steps of a quarter are the whole way.
            let steps = (distance / 0.025).ceil() as u32;
            assert!(outcome.plain.is_none_or(|reached| reached == steps), "{norm:?}, row {at}: {outcome:?}");
            assert!(outcome.restarted.is_none() || distance <= 0.1, "{norm:?}, row {at}");
            assert!(outcome.square.is_none() || distance <= 0.1, "{norm:?}, row {at}");
        }
        assert_eq!((outcomes[39].plain, outcomes[39].is_right()), (None, false), "what is wrong is left alone");
        let [three, twenty] = summary.gradient[..] else { panic!("{summary:?}") };
        assert!(three.accuracy > twenty.accuracy && three.accuracy_with_restarts <= three.accuracy, "{summary:?}");
        assert!(summary.worst_accuracy <= twenty.accuracy_with_restarts && !summary.masked && summary.flat == 0);
        assert_eq!(points[0].accuracy, summary.clean_accuracy);
        assert_eq!(points[2].accuracy, twenty.accuracy);
        assert_eq!(points[3].accuracy, 0.0, "no row is out of reach of half of the range");
        assert!(points.is_sorted_by(|a, b| a.accuracy >= b.accuracy), "{points:?}");
    }
}

#[test]
fn a_search_that_asks_for_answers_alone_finds_what_hidden_gradients_hide() {
    for norm in [Norm::Largest, Norm::Euclidean] {
        let (_, honest, _) = run(&attack(norm), false);
        let (outcomes, summary, _) = run(&attack(norm), true);
        assert!(outcomes.iter().all(|outcome| outcome.plain.is_none()));
        assert!(summary.masked && summary.flat == 39 && summary.square_alone > 0, "{norm:?} {summary:?}");
        // The search does not know of gradients, and comes close to what there is to be found.
        assert_eq!(summary.square_accuracy, honest.square_accuracy);
        let left = honest.square_accuracy.unwrap() - honest.gradient[1].accuracy;
        assert!((0.0..0.11).contains(&left), "{norm:?} {honest:?}");
    }
}

#[test]
fn a_target_is_what_rows_are_to_be_taken_for() {
    let (outcomes, summary, _) = run(&Attack { targeted: true, ..attack(Norm::Largest) }, false);
    let (_, any, _) = run(&attack(Norm::Largest), false);
    // Of two classes the next one is the other one.
    assert_eq!(summary.gradient[1].accuracy, any.gradient[1].accuracy);
    assert!(outcomes[..3].iter().all(|outcome| outcome.end.is_some()) && outcomes[3].end.is_none());
    let (pixels, taken_for) = outcomes[2].end.clone().unwrap();
    assert_eq!((pixels.len(), taken_for), (4, 0), "what cannot be reached is shown where it ended");
}

#[test]
fn draws_depend_on_the_row_and_the_seed_alone() {
    let (pixels, classes) = rows();
    let attack = attack(Norm::Largest);
    let of = |range: std::ops::Range<usize>| {
        let rows = Rows {
            pixels: &pixels[range.start * 4..range.end * 4],
            classes: &classes[range],
            image: ImageShape::row(4),
            of: 2,
        };
        attack.run(&mut Plane { masked: false }, rows, 0, &mut || ()).unwrap()
    };
    assert_eq!(of(0..40)[..25], of(0..25));
}
