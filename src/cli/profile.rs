//! What `gpu-ae train --profile` prints and leaves in the run directory.

use std::time::Duration;

use gpu_ae::Result;
use gpu_ae::device::ceilings::{Ceilings, measure};
use gpu_ae::device::{Device, Timer};
use gpu_ae::report::{fitted_table, format_number};
use gpu_ae::train::{Profile, ProfileRow, RunDir};
use gpu_ae::whole_file;

use super::output::{complain, thousands};

/// Time for the device's ceilings; longer tells no more than the figures' own spread.
const BUDGET: Duration = Duration::from_millis(500);

/// What the device can do at best, if that is `wanted`: measured, which takes a moment and is said.
pub fn ceilings(wanted: bool, device: &mut dyn Device, quiet: bool) -> Result<Option<Ceilings>> {
    if !wanted {
        return Ok(None);
    }
    if !quiet {
        complain("measuring the device's ceilings, which takes about a second");
    }
    measure(device, BUDGET).map(Some)
}

/// Writes the table beside the files of the profile.
pub fn write_table(directory: &RunDir, table: &str) -> Result<()> {
    whole_file::write(&directory.profile_table(), table.as_bytes(), "write the profile")
}

/// `62.7 GFLOP/s; 13.5 GB/s over 134 MB, 24.5 over 8.4, 72.4 over 0.5`
fn describe(ceilings: &Ceilings) -> String {
    let rates: Vec<String> = ceilings
        .copies
        .iter()
        .rev()
        .zip([[" GB/s", " MB"]].into_iter().chain(std::iter::repeat([""; 2])))
        .map(|((bytes, rate), [rate_unit, unit])| format!("{rate:.1}{rate_unit} over {:.1}{unit}", bytes * 1e-6))
        .collect();
    format!("ceilings: {:.1} GFLOP/s; {}", ceilings.gflops, rates.join(", "))
}

/// The profile as people read it, its table in so many columns at most.
pub fn table(profile: &Profile, columns: Option<usize>) -> String {
    let timer = match profile.timer {
        Timer::Timestamps => "times by the device's timestamps around every dispatch",
        Timer::Waiting => {
            "this adapter has no timestamps: times by the host's clock, every dispatch submitted and waited for \
             alone, so that each includes the wait"
        }
        Timer::Clock => "times by the host's clock around every operation",
    };
    let mut rows: Vec<Vec<String>> = profile.rows.iter().map(cells).collect();
    rows.push(total(profile));
    let headers = ["operation", "shapes", "calls", "total ms", "median us", "share", "GFLOP/s", "GB/s", "of roofline"];
    format!(
        "profile of {} steps ({} dispatches) after step {} at batch {} on {}\n{timer}\n{}\n\n{}{}\n{}\n",
        profile.steps,
        thousands(profile.dispatches as u64),
        thousands(u64::from(profile.first_step)),
        profile.batch_size,
        profile.device,
        describe(&profile.ceilings),
        fitted_table(&headers, &rows, columns),
        if profile.rows.iter().any(is_over) { ABOVE } else { "" },
        overhead(profile)
    )
}

/// What is said where a row that matters is faster than the ceilings allow.
const ABOVE: &str =
    "above 100% of the roofline: operands stay in a cache, or the ceilings were measured on a busy machine\n";

fn is_over(row: &ProfileRow) -> bool {
    row.share > 0.05 && row.roofline > 1.1
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

fn rate(rate: f64) -> String {
    if rate == 0.0 { "-".into() } else { format!("{rate:.2}") }
}

fn cells(row: &ProfileRow) -> Vec<String> {
    vec![
        row.label(),
        row.shapes.clone(),
        row.calls.to_string(),
        format!("{:.2}", row.total_us * 1e-3),
        format!("{:.1}", row.median_us),
        percent(row.share),
        rate(row.gflops),
        rate(row.gbytes_per_second),
        format!("{} {}", percent(row.roofline), if row.bound_by_arithmetic { "flops" } else { "bytes" }),
    ]
}

/// The last line: everything together, over the time of everything.
fn total(profile: &Profile) -> Vec<String> {
    let sum = |value: fn(&ProfileRow) -> f64| profile.rows.iter().map(value).sum::<f64>();
    let time = sum(|row| row.total_us);
    let at_best = sum(|row| row.calls as f64 * row.median_us * row.roofline);
    vec![
        "total".into(),
        String::new(),
        profile.rows.iter().map(|row| row.calls).sum::<usize>().to_string(),
        format!("{:.2}", time * 1e-3),
        String::new(),
        percent(1.0),
        rate(sum(|row| row.calls as f64 * row.flops) / time * 1e-3),
        rate(sum(|row| row.calls as f64 * row.bytes) / time * 1e-3),
        percent(at_best / time),
    ]
}

/// What a step costs beside its operations, and whether it waits for rows.
fn overhead(profile: &Profile) -> String {
    let steps = beside_operations(profile);
    let waited = profile
        .waited_for_rows_us
        .map(|waited| format!("\nsteps waited {:.1} ms for rows: their reader did not keep up", waited * 1e-3));
    steps + &waited.unwrap_or_default()
}

fn beside_operations(profile: &Profile) -> String {
    let kernels = profile.kernels_us;
    let sum = format!("the operations of a step take {} us", format_number(kernels));
    let Some(normal) = profile.normal_step_us else {
        return format!("{sum}; the run was too short to time steps that are not profiled");
    };
    let whole = format!(
        "{sum}; a step that is not profiled takes {} us (mean of {}, by the host's clock)",
        format_number(normal),
        thousands(u64::from(profile.normal_steps))
    );
    if kernels <= normal {
        let share = percent(1.0 - kernels / normal);
        format!("{whole},\n{share} of it overhead: submitting, gaps between dispatches, reading losses")
    } else {
        format!("{whole}:\ntimed one by one they take {} longer", percent(kernels / normal - 1.0))
    }
}
