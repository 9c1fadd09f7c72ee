//! What `gpu-ae train --profile` prints and leaves in the run directory.

use std::time::{Duration, Instant};

use gpu_ae::Result;
use gpu_ae::device::ceilings::{Ceilings, measure};
use gpu_ae::device::{Device, Timer};
use gpu_ae::report::{format_number, text_table};
use gpu_ae::train::{Profile, ProfileRow, RunDir};
use gpu_ae::whole_file;

use super::output::{complain, thousands};

/// Time for the device's ceilings; longer tells no more than the figures' own spread.
const BUDGET: Duration = Duration::from_millis(500);

/// Measures what the device can do at best, which takes a moment and is said.
pub fn ceilings(device: &mut dyn Device, quiet: bool) -> Result<Ceilings> {
    let begin = Instant::now();
    let ceilings = measure(device, BUDGET)?;
    if !quiet {
        complain(&format!("{}, measured in {:.1} s", describe(&ceilings), begin.elapsed().as_secs_f64()));
    }
    Ok(ceilings)
}

/// Writes the table beside the files of the profile.
pub fn write_table(directory: &RunDir, table: &str) -> Result<()> {
    whole_file::write(&directory.profile_table(), table.as_bytes(), "write the profile")
}

fn describe(ceilings: &Ceilings) -> String {
    let copies = ceilings.copies.iter().rev();
    let rates: Vec<String> = copies
        .map(|(bytes, rate)| {
            format!("{} GB/s where {} MB are moved", format_number(*rate), format_number(bytes * 1e-6))
        })
        .collect();
    format!("ceilings: {} GFLOP/s; {}", format_number(ceilings.gflops), rates.join(", "))
}

/// The profile as people read it.
pub fn table(profile: &Profile) -> String {
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
        "profile of {} steps after step {} at batch {} on {}\n{timer}\n{}\n\n{}\n{}\n",
        profile.steps,
        thousands(u64::from(profile.first_step)),
        profile.batch_size,
        profile.device,
        describe(&profile.ceilings),
        text_table(&headers, &rows),
        overhead(profile)
    )
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

fn rate(rate: f64) -> String {
    if rate == 0.0 { "-".into() } else { format_number(rate) }
}

fn cells(row: &ProfileRow) -> Vec<String> {
    // Constants such as a decay rate tell no two rows apart.
    let words = row.attributes.split_whitespace().filter(|word| !word.contains('='));
    vec![
        [row.operation].into_iter().chain(words).collect::<Vec<_>>().join(" "),
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

/// What a step costs beside its operations.
fn overhead(profile: &Profile) -> String {
    let kernels = profile.kernels_us;
    let sum = format!("a step's operations take {} us together", format_number(kernels));
    let Some(normal) = profile.normal_step_us else {
        return format!("{sum}; the run was too short to time a step that is not profiled");
    };
    let normal_step = format!(
        "a step that is not profiled takes {} us (mean of {}, by the host's clock)",
        format_number(normal),
        thousands(u64::from(profile.normal_steps))
    );
    if kernels <= normal {
        let gap = format!("{} us, {}", format_number(normal - kernels), percent(1.0 - kernels / normal));
        format!("{sum}; {normal_step}: {gap}, are overhead: submitting, gaps between dispatches, reading losses")
    } else {
        let more = percent(kernels / normal - 1.0);
        format!("{sum}; {normal_step}: timing each alone costs {more}, more than the overhead of a step")
    }
}
