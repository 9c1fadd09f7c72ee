//! What came of an attack on all rows, and of the same attack at other distances.

use serde::Serialize;

use super::descent::descend;
use super::{Attack, Attacked, Outcome, Rows, Subject, block};
use crate::error::Result;

/// What is left of the accuracy under the gradient attack of so many steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Under {
    /// Steps.
    pub steps: u32,
    /// Share of all rows that are still taken for what they are, or under a targeted attack not for the target, where it begins
    /// at the row itself.
    pub accuracy: f64,
    /// The same where it also begins at random places, and one success of them all counts.
    pub accuracy_with_restarts: f64,
}

/// What came of an attack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Rows.
    pub rows: usize,
    /// Share of them that are taken for what they are.
    pub clean_accuracy: f64,
    /// The gradient attack, the fewest steps first.
    pub gradient: Vec<Under>,
    /// What is left under the square attack, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub square_accuracy: Option<f64>,
    /// What is left under all attacks together.
    pub worst_accuracy: f64,
    /// Rows that the square attack has and the gradient attack, restarts and all, has not.
    pub square_alone: usize,
    /// Rows taken for what they are whose gradient is 0 everywhere, so that no step moves them.
    pub flat: usize,
    /// Whether the square attack has more rows than the gradient attack: then gradients lead nowhere, and accuracies under
    /// attacks that follow them say little.
    pub masked: bool,
}

impl Summary {
    /// Of these outcomes.
    pub fn of(attack: &Attack, outcomes: &[Outcome]) -> Self {
        let share = |stands: &dyn Fn(&Outcome) -> bool| {
            let count = outcomes.iter().filter(|outcome| outcome.is_right() && stands(outcome)).count();
            count as f64 / outcomes.len().max(1) as f64
        };
        let beyond = |reached: Option<u32>, steps: u32| reached.is_none_or(|reached| reached > steps);
        let under = |&steps: &u32| Under {
            steps,
            accuracy: share(&|outcome| beyond(outcome.plain, steps)),
            accuracy_with_restarts: share(&|outcome| beyond(outcome.restarted, steps)),
        };
        let count = |is: &dyn Fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| is(outcome)).count();
        let [squares, gradients] =
            [count(&|outcome| outcome.square.is_some()), count(&|outcome| outcome.restarted.is_some())];
        Summary {
            rows: outcomes.len(),
            clean_accuracy: share(&|_| true),
            gradient: attack.steps.iter().map(under).collect(),
            square_accuracy: (attack.queries > 0).then(|| share(&|outcome| outcome.square.is_none())),
            worst_accuracy: share(&|outcome| outcome.restarted.is_none() && outcome.square.is_none()),
            square_alone: count(&|outcome| outcome.square.is_some() && outcome.restarted.is_none()),
            flat: count(&|outcome| outcome.is_flat),
            masked: squares > gradients,
        }
    }
}

/// What is left of the accuracy at a distance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The distance, in pixels from black, 0, to white, 1.
    pub epsilon: f64,
    /// As [`Under::accuracy`], of the largest number of steps.
    pub accuracy: f64,
    /// As [`Under::accuracy_with_restarts`].
    pub accuracy_with_restarts: f64,
}

impl Attack {
    /// What is left of the accuracy at each of these distances, the smallest first, with steps that grow with them; `outcomes`
    /// are those of the attack itself. What a small distance is enough for is not tried again at a larger one, so accuracies
    /// never grow. `tell` hears of each distance that is done.
    ///
    /// # Errors
    /// When the network fails.
    pub fn curve(
        &self,
        network: &mut dyn Attacked,
        rows: Rows<'_>,
        (epsilons, outcomes): (&[f64], &[Outcome]),
        tell: &mut dyn FnMut(),
    ) -> Result<Vec<Point>> {
        // Rows that a beginning at the row itself had, and those that any had.
        let [mut plain, mut any] = [(); 2].map(|()| vec![false; outcomes.len()]);
        let mut points = Vec::with_capacity(epsilons.len());
        for &epsilon in epsilons {
            if epsilon == self.ball.epsilon {
                for (at, outcome) in outcomes.iter().enumerate() {
                    plain[at] |= outcome.plain.is_some();
                    any[at] |= outcome.restarted.is_some();
                }
            } else if epsilon > 0.0 {
                for beginning in 0..=self.restarts {
                    let had = if beginning == 0 { &mut plain } else { &mut any };
                    self.at_distance(network, rows, (epsilon, beginning), outcomes, had)?;
                    any.iter_mut().zip(&plain).for_each(|(any, plain)| *any |= plain);
                }
            }
            let left = |had: &[bool]| {
                let stand = outcomes.iter().zip(had).filter(|(outcome, had)| outcome.is_right() && !**had);
                stand.count() as f64 / outcomes.len().max(1) as f64
            };
            points.push(Point { epsilon, accuracy: left(&plain), accuracy_with_restarts: left(&any) });
            tell();
        }
        Ok(points)
    }

    /// One beginning of the attack at another distance, for the rows that are right and not had; marks those that it has.
    fn at_distance(
        &self,
        network: &mut dyn Attacked,
        rows: Rows<'_>,
        (epsilon, beginning): (f64, u32),
        outcomes: &[Outcome],
        had: &mut [bool],
    ) -> Result<()> {
        let (ball, step) = (self.ball.of(epsilon), self.step * epsilon / self.ball.epsilon);
        let values = rows.image.values().max(1);
        let left: Vec<usize> = (0..outcomes.len()).filter(|&at| outcomes[at].is_right() && !had[at]).collect();
        for left in left.chunks(block(values)) {
            let subjects: Vec<Subject> = left.iter().map(|&at| self.subject(rows, at, at, self.most())).collect();
            let ends = descend(network, (ball, step), &subjects, |subject| match beginning {
                0 => subject.pixels.to_vec(),
                _ => ball.draw(subject.pixels, &mut subject.rng(self.seed, beginning)),
            })?;
            left.iter().zip(ends).for_each(|(&at, end)| had[at] |= end.reached.is_some());
        }
        Ok(())
    }
}
