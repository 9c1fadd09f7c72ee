//! What the peers written in Rust share: the workloads, the data, the order of samples, the clock and the
//! line that is printed. `pytorch.py` and `jax_scan.py` follow the same definition through `workload.py`.

use std::error::Error;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Rows of the data set.
pub const ROWS: usize = 60_000;
/// Values of a row.
pub const FEATURES: usize = 784;
/// Adam's step size.
pub const LEARNING_RATE: f64 = 1e-3;
/// Weight of the reconstruction error in W1.
pub const LAMBDA_MSE: f64 = 0.7;
/// Weight of the entropy in W1.
pub const LAMBDA_ENTROPY: f64 = 0.3;
/// Order of the Rényi entropy in W1.
pub const ALPHA: f64 = 0.04;
/// Width of the layers whose entropy counts in W1.
pub const ENTROPIC_WIDTH: usize = 20;

/// Bytes of an IDX file of images before its pixels.
const IDX_HEADER: usize = 16;

/// What can go wrong.
pub type Failure = Box<dyn Error>;

/// A network and its loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// The small autoencoder with entropic layers.
    W1,
    /// The large one, mean squared error alone.
    W2,
}

impl Workload {
    /// Widths from the input to the reconstruction.
    pub fn widths(self) -> &'static [usize] {
        match self {
            Workload::W1 => &[784, 64, 20, 20, 20, 64, 784],
            Workload::W2 => &[784, 1024, 512, 256, 64, 256, 512, 1024, 784],
        }
    }

    /// Whether the loss has the entropic term.
    pub fn is_entropic(self) -> bool {
        self == Workload::W1
    }
}

/// What to measure, from the command line: `WORKLOAD BATCH SECONDS IMAGES`.
#[derive(Clone, Debug)]
pub struct Request {
    /// Network and loss.
    pub workload: Workload,
    /// Rows of a step.
    pub batch: usize,
    /// Length of the timed window; 0 stops after the first step.
    pub seconds: f64,
    /// File of training images, in MNIST's format.
    pub images: String,
}

impl Request {
    /// Reads the arguments of this process.
    ///
    /// # Errors
    /// When they are not what is expected.
    pub fn from_args() -> Result<Self, Failure> {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let [workload, batch, seconds, images] = args.as_slice() else {
            return Err("expected four arguments: w1|w2 BATCH SECONDS IMAGES".into());
        };
        let workload = match workload.as_str() {
            "w1" => Workload::W1,
            "w2" => Workload::W2,
            other => return Err(format!("'{other}': expected w1 or w2").into()),
        };
        let batch = batch.parse().map_err(|_| format!("'{batch}': expected a batch size"))?;
        let seconds = seconds.parse().map_err(|_| format!("'{seconds}': expected a number of seconds"))?;
        Ok(Request { workload, batch, seconds, images: images.clone() })
    }

    /// The training rows, from 0 to 1.
    ///
    /// # Errors
    /// When the file cannot be read or has another size.
    pub fn load(&self) -> Result<Vec<f32>, Failure> {
        let bytes = std::fs::read(&self.images).map_err(|error| format!("{}: {error}", self.images))?;
        if bytes.len() != IDX_HEADER + ROWS * FEATURES {
            return Err(format!("{}: expected {ROWS} images of {FEATURES} bytes", self.images).into());
        }
        Ok(bytes[IDX_HEADER..].iter().map(|&pixel| f32::from(pixel) / 255.0).collect())
    }
}

/// Row numbers in random order, a new order for each pass. An incomplete last batch is left out.
pub struct Order {
    rows: Vec<u32>,
    batch: usize,
    next: usize,
    state: u64,
}

impl Order {
    /// Batches of `batch` out of `rows` rows.
    pub fn new(rows: usize, batch: usize) -> Self {
        Order { rows: (0..rows as u32).collect(), batch, next: usize::MAX, state: 0x139_408d_cbbf_7a44 }
    }

    /// Where the next batch lies in [`rows`](Self::rows); `true` where a new pass begins with it.
    pub fn advance(&mut self) -> (std::ops::Range<usize>, bool) {
        let fresh = self.next > self.rows.len() - self.batch;
        if fresh {
            self.shuffle();
            self.next = 0;
        }
        let start = self.next;
        self.next += self.batch;
        (start..self.next, fresh)
    }

    /// The order of this pass.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    fn shuffle(&mut self) {
        for last in (1..self.rows.len()).rev() {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            self.rows.swap(last, (self.state % (last as u64 + 1)) as usize);
        }
    }
}

/// Times `run`, which makes so many steps, waits for them and returns the last loss, and prints the line.
///
/// # Errors
/// When `run` fails.
pub fn measure(
    peer: &str,
    request: &Request,
    mut run: impl FnMut(usize) -> Result<f32, Failure>,
) -> Result<(), Failure> {
    let first_loss = run(1)?;
    let first_step = since_start()?;
    let mut timed = |steps: usize| -> Result<f64, Failure> {
        let begin = Instant::now();
        run(steps)?;
        Ok(begin.elapsed().as_secs_f64())
    };
    let mut samples_per_second = 0.0;
    if request.seconds > 0.0 {
        timed(2)?;
        let steps = (0.2 / timed(1)?).clamp(1.0, 2000.0) as usize;
        let step = timed(steps)? / steps as f64;
        let steps = (request.seconds / step).ceil().max(2.0) as usize;
        samples_per_second = (steps * request.batch) as f64 / timed(steps)?;
    }
    println!(
        "{{\"peer\":\"{peer}\",\"workload\":\"{}\",\"batch\":{},\"samples_per_second\":{samples_per_second:.1},\
         \"first_step_seconds\":{first_step:.3},\"first_loss\":{first_loss:.4},\"peak_mib\":{:.0}}}",
        if request.workload.is_entropic() { "w1" } else { "w2" },
        request.batch,
        peak_mib()
    );
    Ok(())
}

/// Seconds since the process was started, as whoever started it says in `PEERS_START`.
fn since_start() -> Result<f64, Failure> {
    let start: f64 = std::env::var("PEERS_START")
        .map_err(|_| "PEERS_START: expected the time of start, in seconds since 1970, as from 'date +%s.%N'")?
        .parse()?;
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() - start)
}

/// Largest resident memory so far, where Linux tells it.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
