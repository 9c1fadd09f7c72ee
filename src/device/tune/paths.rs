//! Whole plans against each other: the same graph with different fusions.

use std::time::{Duration, Instant};

use crate::device::tune::Subject;
use crate::device::{Device, ProgramId};
use crate::error::Result;
use crate::graph::Role;
use crate::plan::{Choices, Plan};
use crate::tensor::DType;

/// Gradients of two plans after one step may differ by this share of the largest of their tensor: both
/// sum in f32, in another order.
const AGREE: f64 = 1e-3;

/// How much faster than the first plan another must be, so that noise changes nothing.
const GAIN: f64 = 0.95;

/// Time spent on timing one plan.
const TIMING: Duration = Duration::from_millis(30);

/// What a step leaves behind that tells whether it was right: first moments, which are the gradients
/// scaled, and the losses.
type Trail = Vec<(String, Vec<f32>)>;

/// What came of comparing whole plans.
pub(in crate::device) struct Race {
    /// The fastest that is right.
    pub best: usize,
    /// Those that were tried before the time was up.
    pub tried: usize,
    /// Those that may not be used, and why.
    pub refused: Vec<(usize, String)>,
}

/// Finds the fastest of several ways to compute a subject, which must all leave the same behind as the
/// first. What there is no time for loses.
///
/// # Errors
/// When the first cannot run.
pub(in crate::device) fn fastest(
    device: &mut dyn Device,
    subject: &Subject<'_>,
    ways: &[&Choices],
    mut is_time_left: impl FnMut(Duration) -> bool,
) -> Result<Race> {
    let (mut refused, mut tried) = (Vec::new(), 0);
    let mut best = (0, f64::INFINITY);
    let mut first: Option<Trail> = None;
    let mut longest = Duration::ZERO;
    for (number, way) in ways.iter().enumerate() {
        if !is_time_left(longest) {
            break;
        }
        let begin = Instant::now();
        tried += 1;
        let step = one_step(device, subject, way).and_then(|(program, trail)| Ok((time(device, program)?, trail)));
        match (step, &first) {
            (Ok((time, trail)), None) => {
                best = (number, time.as_secs_f64() * GAIN);
                first = Some(trail);
            }
            (Err(error), None) => return Err(error),
            (Ok((time, trail)), Some(first)) => match difference(&trail, first) {
                Some(problem) => refused.push((number, problem)),
                None if time.as_secs_f64() < best.1 => best = (number, time.as_secs_f64()),
                None => {}
            },
            (Err(error), Some(_)) => refused.push((number, error.to_string())),
        }
        longest = longest.max(begin.elapsed());
    }
    device.clear();
    Ok(Race { best: best.0, tried, refused })
}

/// Loads a subject alone, runs it once from its start, and reads what that left.
fn one_step(device: &mut dyn Device, subject: &Subject<'_>, way: &Choices) -> Result<(ProgramId, Trail)> {
    let plan = Plan::chosen(subject.name, subject.graph, device.profile(), way)?;
    device.clear();
    let program = device.load(plan)?;
    let sources = device.plan(program).sources.clone();
    for (name, bytes) in &subject.feeds {
        if let Some((_, place)) = sources.get(name) {
            device.write_bytes(program, place.arena, place.offset, &bytes[..bytes.len().min(place.ty.bytes())])?;
        }
    }
    device.run(program, 1)?;
    let mut trail = Trail::new();
    for (name, (role, place)) in &sources {
        if matches!(role, Role::FirstMoment | Role::State | Role::Setting) && place.ty.dtype == DType::F32 {
            trail.push((name.clone(), device.read_f32(program, name)?));
        }
    }
    Ok((program, trail))
}

/// The first way in which two trails disagree. Values that are not finite agree with nothing.
fn difference(trail: &Trail, first: &Trail) -> Option<String> {
    for ((name, got), (_, expected)) in trail.iter().zip(first) {
        let largest = expected.iter().fold(0.0, |most: f64, x| most.max(f64::from(*x).abs()));
        let allowed = AGREE * largest;
        let far = |(got, expected): (&f32, &f32)| {
            let error = (f64::from(*got) - f64::from(*expected)).abs();
            error > allowed || !error.is_finite()
        };
        if got.len() != expected.len() {
            return Some(format!("{} elements of '{name}' where {} were expected", got.len(), expected.len()));
        }
        if let Some(at) = got.iter().zip(expected).position(far) {
            let (got, expected) = (got[at], expected[at]);
            return Some(format!("element {at} of '{name}' is {got:e} after a step, expected {expected:e}"));
        }
    }
    (trail.len() != first.len()).then(|| "other state is kept".to_string())
}

/// Time of a step: the shortest of several rounds of steps back to back.
fn time(device: &mut dyn Device, program: ProgramId) -> Result<Duration> {
    let begin = Instant::now();
    let (mut best, mut steps) = (Duration::MAX, 1);
    while begin.elapsed() < TIMING {
        let start = Instant::now();
        device.run(program, steps)?;
        device.finish()?;
        let round = start.elapsed();
        best = best.min(round / steps);
        if round < TIMING / 8 {
            steps *= 2;
        }
    }
    Ok(best)
}
