//! Networks and data that differ in one thing.

use std::fs;
use std::process::Command;

use crate::made;
use crate::program::{self, Ran};

/// Seconds that the epochs of a measurement take at least.
const WINDOW: f64 = 1.0;
/// Training rows where nothing is said of them.
const ROWS: u32 = 8_192;

/// One measurement.
pub struct Point {
    /// Value of what grows.
    pub at: u32,
    /// Training rows.
    pub rows: u32,
    side: u32,
    batch: u32,
    /// Widths of the hidden layers.
    hidden: Vec<u32>,
}

/// The measurements along an axis, from small to large: the report's widths over batches, one hidden layer over widths, layers of
/// 64 over depths, and a small network of images of 8 × 8 over rows, which would not fit in memory otherwise.
pub fn points(axis: &str) -> Vec<Point> {
    let powers = |range: std::ops::RangeInclusive<u32>| range.map(|power| 1 << power);
    let large = Point { at: 0, rows: ROWS, side: 28, batch: 128, hidden: vec![64] };
    match axis {
        "batch" => powers(0..=16)
            .map(|at| Point { at, batch: at, rows: 1 << 16, hidden: vec![64, 20, 20, 20, 64], ..large })
            .collect(),
        "width" => powers(3..=12).map(|at| Point { at, hidden: vec![at], ..large }).collect(),
        "depth" => powers(1..=6).map(|at| Point { at, hidden: vec![64; at as usize], ..large }).collect(),
        _ => (3..=7)
            .map(|power| 10_u32.pow(power))
            .map(|at| Point { at, rows: at, side: 8, hidden: vec![32], ..large })
            .collect(),
    }
}

impl Point {
    /// Trains it: first for so many epochs as tell how many fill the window, then for these.
    ///
    /// # Errors
    /// The program's complaint.
    pub fn ran(&self, device: &str) -> Result<Ran, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let data = folder.path().join("data");
        made::images(&data, self.rows, self.side).map_err(|error| format!("cannot write the rows: {error}"))?;
        let config = folder.path().join("network.toml");
        fs::write(&config, self.network()).map_err(|error| format!("cannot write the network: {error}"))?;
        let epochs = |epochs: u32| {
            let run = folder.path().join(format!("run-{epochs}"));
            let mut command = Command::new(env!("CARGO_BIN_EXE_gpu-ae"));
            command.env("GPU_AE_CACHE", folder.path().join("cache")).args(["train", "--quiet", "--device", device]);
            command.arg("--data").arg(&data).arg("--config").arg(&config).arg("--out").arg(&run);
            command.args(["--epochs", &epochs.to_string(), "--batch-size", &self.batch.to_string()]);
            program::ran(&mut command, &run)
        };
        let first = epochs(2)?;
        let needed = (WINDOW * first.samples_per_second / f64::from(self.rows)).ceil() as u32;
        if needed <= 1 { Ok(first) } else { epochs(1 + needed) }
    }

    /// The network's file: the error alone is made smaller.
    fn network(&self) -> String {
        let (encoder, decoder) = self.hidden.split_at(self.hidden.len().div_ceil(2));
        let layers = |part: &str, widths: &[u32]| -> String {
            widths.iter().map(|width| format!("[[{part}]]\nlinear = {width}\nactivation = \"relu\"\n")).collect()
        };
        let last = format!("[[decoder]]\nlinear = {}\nactivation = \"sigmoid\"\n", self.side * self.side);
        let settings = "lambda_mse = 1.0\nlambda_entropy = 0.0\n[entropy]\nlayers = [1]\n";
        format!("{settings}{}{}{last}", layers("encoder", encoder), layers("decoder", decoder))
    }
}
