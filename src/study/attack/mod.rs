//! How little rows must change for a classifier to take them for something else: attacks by gradients, from the rows and from
//! random places around them, and one that needs no gradient.

mod ball;
mod descent;
mod pixels;
mod square;
mod summary;
#[cfg(test)]
mod tests;
mod trained;

pub use ball::{Ball, Norm};
pub use pixels::Pixels;
pub use summary::{Point, Summary, Under};
pub use trained::TrainedClassifier;

use descent::descend;
use square::square;

use crate::data::ImageShape;
use crate::error::Result;
use crate::rng::{Rng, Stream, stream_key, threefry2x32};

/// A network under attack, which sees rows as pixels from 0 to 1.
pub trait Attacked {
    /// Logits \[rows, classes\] of rows, one behind the other.
    ///
    /// # Errors
    /// When the device fails, or a logit is not finite.
    fn answers(&mut self, pixels: &[f32]) -> Result<Vec<f32>>;

    /// The same, and the gradient \[rows, values\] of the cross entropy of each row with its class, with respect to pixels.
    ///
    /// # Errors
    /// As [`answers`](Self::answers).
    fn slopes(&mut self, pixels: &[f32], classes: &[u16]) -> Result<[Vec<f32>; 2]>;
}

/// What is attacked how.
#[derive(Clone, Debug, PartialEq)]
pub struct Attack {
    /// What may be searched.
    pub ball: Ball,
    /// How far a step of the gradient attack goes.
    pub step: f64,
    /// Numbers of steps that are judged, the smallest first.
    pub steps: Vec<u32>,
    /// Further beginnings, each a random place of the ball.
    pub restarts: u32,
    /// Whether a row is to be taken for the class behind its own, and not just for any other.
    pub targeted: bool,
    /// Queries of the square attack for a row; 0 leaves it out.
    pub queries: u32,
    /// Seed of everything random.
    pub seed: u64,
}

/// Rows with their classes.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Values \[rows, values\] as pixels.
    pub pixels: &'a [f32],
    /// Class of each row.
    pub classes: &'a [u16],
    /// Layout of a row.
    pub image: ImageShape,
    /// Number of classes there are.
    pub of: usize,
}

/// What came of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Its class.
    pub class: u16,
    /// What the network takes it for as it is.
    pub clean: u16,
    /// Steps after which the gradient attack from the row itself had what it wanted; only rows that are taken for what they
    /// are, are attacked.
    pub plain: Option<u32>,
    /// The fewest steps of the gradient attack from there or from a random place.
    pub restarted: Option<u32>,
    /// Queries after which the square attack had what it wanted.
    pub square: Option<u32>,
    /// Whether the gradient at the row itself is 0 everywhere.
    pub is_flat: bool,
    /// What the row became in the end, and what that is taken for: by the first attack that had what it wanted, else by the
    /// gradient attack from the row itself. Of the first rows alone, as many as were asked for.
    pub end: Option<(Vec<f32>, u16)>,
}

impl Outcome {
    /// Whether the network takes the row for what it is.
    pub fn is_right(&self) -> bool {
        self.class == self.clean
    }
}

/// A row that is attacked.
struct Subject<'a> {
    /// Its number, which decides its draws.
    number: usize,
    pixels: &'a [f32],
    class: u16,
    /// What it should be taken for, if not for anything but its class.
    target: Option<u16>,
    /// Steps it is given.
    most: u32,
}

impl Subject<'_> {
    /// The first of the largest logits.
    fn judge(&self, logits: &[f32]) -> u16 {
        largest(logits)
    }

    fn is_done(&self, taken_for: u16) -> bool {
        self.target.map_or(taken_for != self.class, |target| taken_for == target)
    }

    /// How far logits are from what the attack wants: by how much its class is above all others, or its target below one.
    fn margin(&self, logits: &[f32]) -> f32 {
        let of = usize::from(self.target.unwrap_or(self.class));
        let others = logits.iter().enumerate().filter(|(at, _)| *at != of).map(|(_, logit)| *logit);
        let margin = logits.get(of).copied().unwrap_or(0.0) - others.fold(f32::NEG_INFINITY, f32::max);
        if self.target.is_some() { -margin } else { margin }
    }

    /// The draws of one beginning.
    fn rng(&self, seed: u64, beginning: u32) -> Rng {
        Rng::new(threefry2x32(stream_key(seed, Stream::Attack), [self.number as u32, beginning]))
    }
}

/// Place of the first of the largest.
fn largest(logits: &[f32]) -> u16 {
    (1..logits.len()).fold(0, |best, at| if logits[at] > logits[best] { at } else { best }) as u16
}

/// Where an attack on one row ended.
struct Ended {
    /// Steps or queries after which it had what it wanted.
    reached: Option<u32>,
    pixels: Vec<f32>,
    taken_for: u16,
    is_flat: bool,
}

impl Ended {
    /// Before anything was tried.
    fn at(pixels: Vec<f32>) -> Self {
        Ended { reached: None, pixels, taken_for: 0, is_flat: false }
    }
}

/// Rows that are attacked at a time: what they take on the host stays small.
const BLOCK_VALUES: usize = 1 << 24;

impl Attack {
    /// The largest number of steps that is judged.
    pub fn most(&self) -> u32 {
        self.steps.iter().copied().max().unwrap_or(0)
    }

    /// How many times [`run`](Self::run) tells of for so many rows of so many values.
    pub fn parts(&self, rows: usize, values: usize) -> u64 {
        rows.div_ceil(block(values)) as u64 * u64::from(1 + self.restarts + u32::from(self.queries > 0))
    }

    /// Attacks rows, of the first `kept` of which it keeps what became of them; `tell` hears of each part that is done.
    ///
    /// # Errors
    /// When the network fails.
    pub fn run(
        &self,
        network: &mut dyn Attacked,
        rows: Rows<'_>,
        kept: usize,
        tell: &mut dyn FnMut(),
    ) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(rows.classes.len());
        let values = rows.image.values().max(1);
        for (pixels, classes) in rows.pixels.chunks(block(values) * values).zip(rows.classes.chunks(block(values))) {
            let first = outcomes.len();
            let kept = kept.saturating_sub(first).min(classes.len());
            let part = Rows { pixels, classes, ..rows };
            outcomes.extend(self.block(network, part, first, kept, tell)?);
        }
        Ok(outcomes)
    }

    /// A row that is attacked, which has this number among all.
    fn subject<'a>(&self, rows: Rows<'a>, at: usize, number: usize, most: u32) -> Subject<'a> {
        let (values, class) = (rows.image.values(), rows.classes[at]);
        let target = self.targeted.then(|| ((usize::from(class) + 1) % rows.of.max(1)) as u16);
        Subject { number, pixels: &rows.pixels[at * values..(at + 1) * values], class, target, most }
    }

    /// The same of some of all rows, the first of which has this number.
    fn block(
        &self,
        network: &mut dyn Attacked,
        rows: Rows<'_>,
        first: usize,
        kept: usize,
        tell: &mut dyn FnMut(),
    ) -> Result<Vec<Outcome>> {
        let clean = network.answers(rows.pixels)?;
        let width = (clean.len() / rows.classes.len().max(1)).max(1);
        let judged = rows.classes.iter().zip(clean.chunks_exact(width));
        let mut outcomes: Vec<Outcome> = judged
            .map(|(&class, logits)| Outcome {
                class,
                clean: largest(logits),
                plain: None,
                restarted: None,
                square: None,
                is_flat: false,
                end: None,
            })
            .collect();
        let subject = |at: usize, most: u32| self.subject(rows, at, first + at, most);
        let right: Vec<usize> = (0..outcomes.len()).filter(|&at| outcomes[at].is_right()).collect();
        let keep = |outcome: &mut Outcome, at: usize, end: Ended| {
            let is_first = outcome.end.is_none() || (outcome.restarted.is_none() && outcome.square.is_none());
            if at < kept && (outcome.end.is_none() || (is_first && end.reached.is_some())) {
                outcome.end = Some((end.pixels, end.taken_for));
            }
        };

        let subjects: Vec<Subject> = right.iter().map(|&at| subject(at, self.most())).collect();
        let ends = descend(network, (self.ball, self.step), &subjects, |subject| subject.pixels.to_vec())?;
        for (&at, end) in right.iter().zip(ends) {
            let reached = end.reached;
            outcomes[at].is_flat = end.is_flat;
            keep(&mut outcomes[at], at, end);
            (outcomes[at].plain, outcomes[at].restarted) = (reached, reached);
        }
        tell();
        let fewest = self.steps.iter().copied().min().unwrap_or(0);
        for beginning in 1..=self.restarts {
            // What took longer than the fewest steps may still be had by fewer from elsewhere.
            let left = |at: &usize| outcomes[*at].restarted.is_none_or(|steps| steps > fewest);
            let left: Vec<usize> = right.iter().copied().filter(left).collect();
            let most = |at: usize| outcomes[at].restarted.map_or(self.most(), |steps| steps.saturating_sub(1));
            let subjects: Vec<Subject> = left.iter().map(|&at| subject(at, most(at))).collect();
            let begin = |subject: &Subject<'_>| self.ball.draw(subject.pixels, &mut subject.rng(self.seed, beginning));
            let ends = descend(network, (self.ball, self.step), &subjects, begin)?;
            for (&at, end) in left.iter().zip(ends) {
                let reached = end.reached;
                keep(&mut outcomes[at], at, end);
                outcomes[at].restarted = reached.or(outcomes[at].restarted);
            }
            tell();
        }
        if self.queries > 0 {
            let draws = |subject: &Subject<'_>| subject.rng(self.seed, 0);
            let ends = square(network, (self.ball, self.queries), rows.image, &subjects, draws)?;
            for (&at, end) in right.iter().zip(ends) {
                let reached = end.reached;
                keep(&mut outcomes[at], at, end);
                outcomes[at].square = reached;
            }
            tell();
        }
        Ok(outcomes)
    }
}

/// Rows of so many values that are attacked at a time.
fn block(values: usize) -> usize {
    (BLOCK_VALUES / values.max(1)).max(1)
}
