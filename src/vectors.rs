//! Which vector instructions are used: the widest that the processor has, or that `GPU_AE_MAX_ISA` allows, so that one
//! machine can measure and prove what others run. Products have the same bits with AVX2 and AVX-512; sums of losses may differ in
//! the last one, since each lane has a sum of its own.

use std::sync::OnceLock;

use pulp::{Arch, Simd, WithSimd};

use crate::error::{Error, Result};

/// Environment variable that says which instructions are the widest to be used.
const VARIABLE: &str = "GPU_AE_MAX_ISA";

/// Runs an operation that is compiled for every set of instructions.
#[inline(always)]
pub(crate) fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    static CHOSEN: OnceLock<Arch> = OnceLock::new();
    // Whoever starts a program has refused what cannot be read, by `check_max_isa`.
    CHOSEN.get_or_init(|| chosen(said().as_deref()).unwrap_or_default()).dispatch(op)
}

/// Runs a task compiled for the widest registers this processor has. What it writes is passed through,
/// since what a closure captures may alias as far as the compiler knows; the task and all it calls must
/// be `#[inline(always)]`.
#[inline(always)]
pub(crate) fn wide<A, R>(argument: A, task: impl FnOnce(A) -> R) -> R {
    struct Wide<A, F>(A, F);
    impl<A, R, F: FnOnce(A) -> R> WithSimd for Wide<A, F> {
        type Output = R;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) -> R {
            (self.1)(self.0)
        }
    }
    dispatch(Wide(argument, task))
}

/// Refuses a value of `GPU_AE_MAX_ISA` that is none, before anything is computed.
///
/// # Errors
/// When it is neither `avx512`, `avx2` nor `scalar`.
pub fn check_max_isa() -> Result<()> {
    chosen(said().as_deref()).map(|_| ())
}

fn said() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|said| !said.is_empty())
}

/// The widest instructions of this processor up to those that were said.
fn chosen(said: Option<&str>) -> Result<Arch> {
    match said {
        None | Some("avx512") => Ok(Arch::new()),
        Some("avx2") => Ok(narrow()),
        Some("scalar") => Ok(Arch::Scalar),
        Some(other) => Err(Error::Usage(format!("{VARIABLE}={other}: expected avx512, avx2 or scalar"))),
    }
}

/// Vectors of 256 bits where the processor has them.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn narrow() -> Arch {
    pulp::x86::V3::try_new().map_or(Arch::Scalar, Arch::V3)
}

/// Elsewhere no vectors are wider than those.
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn narrow() -> Arch {
    Arch::new()
}

/// Every set of instructions that this processor has, to set their results side by side.
#[cfg(test)]
pub(crate) fn each() -> Vec<Arch> {
    vec![Arch::Scalar, narrow(), Arch::new()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_go_by_their_names() {
        for said in [None, Some("avx512"), Some("avx2"), Some("scalar")] {
            assert!(chosen(said).is_ok(), "{said:?}");
        }
        assert!(matches!(chosen(Some("scalar")), Ok(Arch::Scalar)));
        let message = chosen(Some("AVX")).map_err(|error| error.to_string());
        assert_eq!(message.err().as_deref(), Some("GPU_AE_MAX_ISA=AVX: expected avx512, avx2 or scalar"));
    }
}
