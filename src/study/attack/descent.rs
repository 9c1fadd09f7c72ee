//! Projected gradient descent on what a classifier makes of rows (Madry et al., "Towards deep learning models resistant to
//! adversarial attacks", 2018).

use super::{Attacked, Ball, Ended, Subject};
use crate::error::Result;

/// Moves every subject from where it begins, up the cross entropy with its own class or down that with its target, until it is
/// taken for what the attack wants, or its steps are used up. Where a row has reached that it is left alone.
///
/// # Errors
/// When the network fails.
pub(super) fn descend(
    network: &mut dyn Attacked,
    (ball, step): (Ball, f64),
    subjects: &[Subject<'_>],
    begin: impl Fn(&Subject<'_>) -> Vec<f32>,
) -> Result<Vec<Ended>> {
    let mut ends: Vec<Ended> = subjects.iter().map(|subject| Ended::at(begin(subject))).collect();
    let mut moving: Vec<usize> = (0..subjects.len()).collect();
    for taken in 0_u32.. {
        if moving.is_empty() {
            break;
        }
        let pixels: Vec<f32> = moving.iter().flat_map(|&at| ends[at].pixels.iter().copied()).collect();
        let classes: Vec<u16> = moving.iter().map(|&at| subjects[at].target.unwrap_or(subjects[at].class)).collect();
        let [answers, gradients] = network.slopes(&pixels, &classes)?;
        let width = answers.len() / moving.len();
        let looked = moving.iter().zip(answers.chunks_exact(width.max(1)));
        let mut still = Vec::with_capacity(moving.len());
        for ((&at, logits), gradient) in looked.zip(gradients.chunks_exact(pixels.len() / moving.len())) {
            let (subject, end) = (&subjects[at], &mut ends[at]);
            end.taken_for = subject.judge(logits);
            end.is_flat = end.is_flat || (taken == 0 && gradient.iter().all(|g| *g == 0.0));
            if subject.is_done(end.taken_for) {
                end.reached = Some(taken);
            } else if taken < subject.most {
                let step = if subject.target.is_some() { -step } else { step };
                ball.step(&mut end.pixels, subject.pixels, gradient, step);
                still.push(at);
            }
        }
        moving = still;
    }
    Ok(ends)
}
