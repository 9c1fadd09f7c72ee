//! What the draws of a step have in common: the clock as their only input, a stream, words that come in pairs.
//!
//! Word pair i of stream s at step t is Threefry-2x32-20 of counter (i, s) under the key
//! Threefry(step key, (t, s)). The same bits on every device; see [`crate::rng`].

use crate::error::Result;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Bind, Case, Launch, Request, Work};
use crate::ops::step::clock;
use crate::rng::threefry2x32;
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Shape, Ty};

/// Fills `out` pair by pair with what becomes of the words of a stream.
pub(super) fn fill<T: Real, E: Copy>(
    clock: &HostTensor<T>,
    stream: u32,
    out: &mut [E],
    of: impl Fn([u32; 2]) -> [E; 2],
) {
    let clock = clock.words();
    let step_key = [clock[clock::STEP_KEY], clock[clock::STEP_KEY + 1]];
    let key = threefry2x32(step_key, [clock[clock::STEP], stream]);
    for (i, pair) in out.chunks_mut(2).enumerate() {
        let both = of(threefry2x32(key, [i as u32, stream]));
        pair.copy_from_slice(&both[..pair.len()]);
    }
}

/// The type drawn, for a clock as the only input.
pub(super) fn infer(op: &str, inputs: &[&Ty], drawn: Ty) -> Result<Vec<Ty>> {
    let [clock] = arity(op, inputs)?;
    same(op, "the clock", clock, &clock::ty())?;
    Ok(vec![drawn])
}

/// One dispatch, an invocation a pair.
pub(super) fn launch(stem: &'static str, r: &Request<'_>, stream: u32) -> Launch {
    let n = r.outputs[0].elements();
    let bindings = vec![Bind::Input(0), Bind::Output(0)];
    Launch::single(ShaderKey::plain(stem), bindings, vec![n as u32, stream], Work::Invocations(n.div_ceil(2)))
}

/// Draws of several lengths from several streams, the longest of `rows` images.
pub(super) fn cases(rows: usize, make: impl Fn(Shape, u32, Vec<HostTensor<f32>>) -> Case) -> Vec<Case> {
    [(1usize, 0u32), (2, 1), (63, 2), (1001, u32::MAX), (rows * 784, 5)]
        .map(|(n, stream)| {
            let mut words = clock::start(10, 5, true, u64::from(stream) << 20);
            words[clock::STEP] = 77;
            let case = make(Shape::new(&[n]), stream, vec![HostTensor::from_words(&[clock::WORDS], &words)]);
            if n > 100_000 { case.benched() } else { case }
        })
        .into()
}
