//! `gpu-ae devices`

use gpu_ae::Result;
use gpu_ae::device::AdapterReport;
use gpu_ae::device::{absence, adapters};

use crate::cli::output::{say, say_json};
use crate::cli::terminal::table;

#[derive(clap::Args)]
pub struct Args {
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

fn kind(adapter: &AdapterReport) -> String {
    format!("{:?}", adapter.kind).to_lowercase()
}

pub fn run(args: Args) -> Result<()> {
    let adapters = pollster::block_on(adapters());
    if args.json {
        let list: Vec<serde_json::Value> = adapters
            .iter()
            .enumerate()
            .map(|(index, a)| {
                serde_json::json!({
                    "index": index, "name": a.name, "kind": kind(a), "backend": a.backend, "driver": a.driver,
                    "max_binding_bytes": a.profile.max_binding, "max_storage_buffers": a.profile.max_storage_buffers,
                    "max_workgroup": a.profile.max_workgroup, "features": a.features,
                })
            })
            .collect();
        return say_json(&list);
    }
    let mut rows: Vec<Vec<String>> = adapters
        .iter()
        .enumerate()
        .map(|(index, a)| {
            vec![
                index.to_string(),
                a.name.clone(),
                kind(a),
                a.backend.clone(),
                a.driver.clone(),
                format!("{} MiB", a.profile.max_binding >> 20),
                a.profile.max_workgroup.to_string(),
                a.features.join(", "),
            ]
        })
        .collect();
    let threads = rayon::current_num_threads();
    let dash = || "-".to_string();
    rows.push(vec![
        "cpu".into(),
        format!("CPU device, {threads} threads"),
        "cpu".into(),
        dash(),
        dash(),
        dash(),
        dash(),
        dash(),
    ]);
    let headers = ["--device", "name", "kind", "backend", "driver", "largest binding", "workgroup", "features"];
    say(&table(&headers, &rows));
    if adapters.is_empty() {
        let why = pollster::block_on(absence());
        say(&format!(
            "no GPU was found: {why}; on Linux a Vulkan driver is needed (mesa-vulkan-drivers has a software one)"
        ));
    }
    Ok(())
}
