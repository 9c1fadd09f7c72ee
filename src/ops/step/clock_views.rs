//! The clock of a batch in which every row comes in several views: as many valid rows for each of its own.
//!
//! Everything else is as it was, so that draws are those of the batch's step; whatever leaves out padding counts views.

use super::clock;
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{HostTensor, Real, Ty};

/// The clock of the views for the clock of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockViews {
    /// Views of a row.
    pub views: usize,
}

impl ClockViews {
    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        let words = y[0].words_mut();
        words.copy_from_slice(x[0].words());
        words[clock::VALID_ROWS] *= self.views as u32;
    }
}

impl Op for ClockViews {
    fn name(&self) -> &'static str {
        "clock_views"
    }

    fn attributes(&self) -> String {
        format!("views={}", self.views)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [clock] = arity(self.name(), inputs)?;
        same(self.name(), "the clock", clock, &clock::ty())?;
        if self.views == 0 {
            return Err(Error::graph(self.name(), "there are no rows of no view"));
        }
        Ok(vec![clock::ty()])
    }

    crate::twin!();
}

/// `shaders/step/clock_views.wgsl`
pub struct ClockViewsKernel;

impl Kernel for ClockViewsKernel {
    fn stem(&self) -> &'static str {
        "clock_views"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<ClockViews>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let params = vec![r.op::<ClockViews>()?.views as u32];
        Ok(Launch::single(
            ShaderKey::plain(self.stem()),
            vec![Bind::Input(0), Bind::Output(0)],
            params,
            Work::Groups(1),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        Ok(Cost::streaming(r, 1.0))
    }

    fn cases(&self) -> Vec<Case> {
        let case = |valid: usize, views: usize| {
            let inputs = vec![clock::with_valid_rows(valid)];
            Case::new(format!("{valid} rows in {views} views"), ClockViews { views }, inputs, Tolerance::EXACT)
        };
        vec![case(0, 2), case(41, 2).benched(), case(7, 1), case(1, 5)]
    }
}
