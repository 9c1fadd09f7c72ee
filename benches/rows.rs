//! Training steps whose rows come to the device window by window, against the same steps with all rows on the device, in
//! rounds by turns: how much of the way of the rows shows.
//!
//! `small` is 784-64-20-64-784 at batch 1024, `wide` 3072-512-64-512-3072 at batch 256, both of bytes, `table` 30-64-8-64-30
//! of floats at batch 1024. A ratio of 1 says that nothing of it shows.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use gpu_ae::config::RunConfig;
use gpu_ae::data::{Dataset, Encoding, ImageShape, Split, ValueKind, Values};
use gpu_ae::device::wait;
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::train::{Session, Tuning};

/// Rounds, each of every way once.
const ROUNDS: usize = 7;
/// Time of a round and way, about.
const ROUND: Duration = Duration::from_millis(700);

struct Work {
    name: &'static str,
    rows: usize,
    features: usize,
    kind: ValueKind,
    batch: usize,
    hidden: [usize; 2],
    /// Megabytes that the device may hold: less than all.
    on_device: u64,
}

const WORKS: [Work; 3] = [
    Work {
        name: "small",
        rows: 60_000,
        features: 784,
        kind: ValueKind::Byte,
        batch: 1024,
        hidden: [64, 20],
        on_device: 40,
    },
    Work {
        name: "wide",
        rows: 20_000,
        features: 3072,
        kind: ValueKind::Byte,
        batch: 256,
        hidden: [512, 64],
        on_device: 40,
    },
    Work {
        name: "table",
        rows: 500_000,
        features: 30,
        kind: ValueKind::Float,
        batch: 1024,
        hidden: [64, 8],
        on_device: 40,
    },
];

fn data(work: &Work) -> Dataset {
    let mut rng = Rng::new(stream_key(1, Stream::Data));
    let mut split = |rows: usize| {
        let count = rows * work.features;
        let values = match work.kind {
            ValueKind::Byte => Values::of_bytes((0..count).map(|_| rng.next_u32() as u8).collect()),
            ValueKind::Float => Values::of_floats((0..count).map(|_| rng.uniform()).collect()),
        };
        Split::new(work.features, values, Vec::new(), Vec::new())
    };
    let [train, test] = [work.rows, 500].map(&mut split);
    let encoding = Encoding::numbered(ImageShape::row(work.features), 0);
    Dataset { name: work.name.into(), encoding, train, validation: Split::default(), test }
}

fn config(work: &Work) -> RunConfig {
    let (Work { features, batch, hidden: [wide, code], .. }, relu) = (work, "activation = 'relu'");
    let text = format!(
        "batch_size = {batch}\nlambda_entropy = 0.0\n\
         encoder = [{{ linear = {wide}, {relu} }}, {{ linear = {code}, {relu} }}]\n\
         decoder = [{{ linear = {wide}, {relu} }}, {{ linear = {features}, activation = 'sigmoid' }}]"
    );
    RunConfig::parse(&text, Path::new("config.toml"), None, None).unwrap()
}

/// Time of so many steps, and how long they waited for rows.
fn time(session: &mut Session, steps: u32) -> (Duration, Duration) {
    session.take_waits();
    let begin = Instant::now();
    session.train(steps).unwrap();
    wait(session.clock()).unwrap();
    (begin.elapsed(), session.take_waits().iter().map(|wait| wait.length).sum())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    for work in &WORKS {
        let data = data(work);
        // Two of each device: one for each way.
        let pairs = support::devices().into_iter().zip(support::devices());
        for ((row, first), (_, second)) in pairs {
            let mut ways = [(first, None), (second, Some(work.on_device))].map(|(device, on_device)| {
                let mut config = config(work);
                config.data.on_device = on_device;
                let choices = Tuning::or_static(None, device.as_ref());
                let mut session =
                    wait(Session::for_training(device, &config, &data, &choices, &mut |_, _| ())).unwrap();
                wait(session.initialise(work.rows, None)).unwrap();
                time(&mut session, 4);
                session
            });
            let once = time(&mut ways[0], 8).0 / 8;
            let steps = (ROUND.as_secs_f64() / once.as_secs_f64()).clamp(4.0, 4000.0) as u32;
            let (mut ratios, mut times, mut waits) = (Vec::new(), [const { Vec::new() }; 2], Vec::new());
            for round in 0..ROUNDS {
                let mut each = [0.0; 2];
                for turn in 0..2 {
                    // Each way goes first in turn.
                    let way = (round + turn) % 2;
                    let (time, wait) = time(&mut ways[way], steps);
                    each[way] = time.as_secs_f64() / f64::from(steps) * 1e6;
                    times[way].push(each[way]);
                    if way == 1 {
                        waits.push(wait.as_secs_f64() / time.as_secs_f64());
                    }
                }
                ratios.push(each[1] / each[0]);
            }
            let [at_once, by_windows] = times.map(median);
            println!(
                "rows/{}/{row}: {at_once:.0} us a step with all rows there, {by_windows:.0} us by windows: ratio {:.3} \
                 (median of {ROUNDS} rounds of {steps} steps), {:.1} % of the time waited for rows",
                work.name,
                median(ratios),
                100.0 * median(waits)
            );
        }
    }
}
