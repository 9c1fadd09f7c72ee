//! Proof of every kernel on the visitor's device, as `gpu-ae doctor` does it.

use gpu_ae::device::Device;
use gpu_ae::device::proof::check::{cases, run_case};
use gpu_ae::ops::{KERNELS, Kernel};
use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::values::{list, object, text_of};

/// What came of a kernel: its cases, the largest error as a share of what is allowed, and what went wrong.
struct Proved {
    cases: usize,
    worst: f64,
    problems: Vec<String>,
}

async fn proved(device: &mut dyn Device, kernel: &'static dyn Kernel) -> Proved {
    let mut proved = Proved { cases: 0, worst: 0.0, problems: Vec::new() };
    let cases = match cases(kernel, device.profile()) {
        Ok(cases) => cases,
        Err(error) => {
            proved.problems.push(error.to_string());
            return proved;
        }
    };
    for case in &cases {
        match run_case(device, case).await {
            Ok(report) => {
                proved.cases += usize::from(!report.by_twin);
                proved.worst = proved.worst.max(report.worst);
                proved.problems.extend(report.problem.map(|problem| format!("{}: {problem}", case.label)));
            }
            Err(error) => proved.problems.push(format!("{}: {error}", case.label)),
        }
    }
    proved
}

/// Proves all kernels and says what came of each; `tell` is called with how many of how many are done, and the next one's name;
/// what it promises says whether to go on.
///
/// # Errors
/// When the page's function fails.
pub async fn of_all(mut device: Box<dyn Device>, tell: &Function) -> Result<JsValue, JsValue> {
    let (mut lines, mut failed, mut cases) = (Vec::new(), 0, 0);
    for (done, kernel) in KERNELS.iter().enumerate() {
        let of = KERNELS.len() as u32;
        let told = tell.call3(&JsValue::NULL, &(done as u32).into(), &of.into(), &kernel.stem().into())?;
        if JsFuture::from(Promise::resolve(&told)).await?.is_falsy() {
            lines.push(format!("stopped before {}", kernel.stem()));
            break;
        }
        let proved = proved(device.as_mut(), *kernel).await;
        let result = match (proved.problems.is_empty(), proved.cases) {
            (false, _) => "FAIL",
            (true, 0) => "not here",
            (true, _) => "pass",
        };
        failed += usize::from(!proved.problems.is_empty());
        cases += proved.cases;
        lines.push(format!(
            "{:<24} {result:<8} {:>3} cases, worst error {:.3}",
            kernel.stem(),
            proved.cases,
            proved.worst
        ));
        lines.extend(proved.problems.iter().take(2).map(|problem| format!("    {problem}")));
    }
    let profile = device.profile();
    let limits = object(&[
        ("largest binding, bytes", (profile.max_binding as f64).into()),
        ("storage buffers a stage", profile.max_storage_buffers.into()),
        ("invocations a workgroup", profile.max_workgroup.into()),
        ("workgroup memory, bytes", profile.max_shared.into()),
        ("subgroups of", profile.subgroup.map_or_else(|| "not used".into(), |size| size.to_string()).into()),
    ]);
    lines.push(format!("{cases} cases of {} kernels, {failed} kernels failed", KERNELS.len()));
    Ok(object(&[
        ("device", device.name().into()),
        ("lines", list(lines.iter().map(|line| text_of(line)))),
        ("is_sound", (failed == 0).into()),
        ("limits", limits),
    ]))
}
