//! What a training step costs that several processes make together: `mpirun -n 2 cargo bench --features mpi --bench together`, or
//! the program that this builds, on the nodes that are meant. The network is W2 (`benches/peers/w2.toml`) with 1,024 rows a step in all.
//!
//! Of each process is told: C, a step of its share alone while the others make theirs; X, the exchange of as many values; T, a
//! step together; and C + X - T, what of the exchange is hidden behind the computing. Arguments: a device, as `--device` takes it;
//! `wire=0.1`, as if that many gigabytes a second went in and out of a process, whatever carries them.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;
use std::time::{Duration, Instant};

use gpu_ae::Result;
use gpu_ae::config::RunConfig;
use gpu_ae::data::{self, Dataset};
use gpu_ae::device::{Choice, Device, open, wait};
use gpu_ae::plan::Member;
use gpu_ae::train::group::mpi::Processes;
use gpu_ae::train::group::{Exchange, Group, Together};
use gpu_ae::train::{Session, TermSums, Tuning};

const BATCH: usize = 1024;
const ROUNDS: usize = 7;

/// Processes whose bytes take time on their way.
struct Wire {
    processes: Processes,
    bytes_per_second: Option<f64>,
}

impl Wire {
    /// Does what sends this many bytes, in no less time than they take.
    fn send(&mut self, bytes: usize, send: impl FnOnce(&mut Processes) -> Result<()>) -> Result<()> {
        let begin = Instant::now();
        send(&mut self.processes)?;
        if let Some(speed) = self.bytes_per_second {
            std::thread::sleep(Duration::from_secs_f64(bytes as f64 / speed).saturating_sub(begin.elapsed()));
        }
        Ok(())
    }
}

impl Group for Wire {
    fn member(&self) -> Member {
        self.processes.member()
    }

    fn broadcast(&mut self, bytes: &mut Vec<u8>) -> Result<()> {
        self.processes.broadcast(bytes)
    }

    fn scatter(&mut self, bytes: &[u8], cuts: &[usize], received: &mut [u8]) -> Result<()> {
        let rank = self.member().rank;
        self.send(bytes.len() - (cuts[rank + 1] - cuts[rank]), |group| group.scatter(bytes, cuts, received))
    }

    fn gather(&mut self, own: &[u8], all: &mut [u8], cuts: &[usize]) -> Result<()> {
        self.send(all.len() - own.len(), |group| group.gather(own, all, cuts))
    }

    fn local(&self) -> usize {
        self.processes.local()[0]
    }

    fn leave(&mut self) {
        self.processes.leave();
    }
}

fn session(config: &RunConfig, data: &Dataset, member: Member, mut device: Box<dyn Device>) -> Session {
    device.join(member);
    let choices = Tuning::fixed(device.as_ref()).choices;
    let mut session = wait(Session::for_training(device, config, data, &choices, &mut |_, _| ())).unwrap();
    wait(session.initialise(data.train.rows, None)).unwrap();
    session
}

/// Seconds of a step, the least of several rounds.
fn seconds(session: &mut Session, done: &mut u32) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        session.train(1).unwrap();
        let reading = session.begin_losses().unwrap();
        wait(session.end_losses(reading, *done, &mut TermSums::default())).unwrap();
        *done += 1;
        least = least.min(begin.elapsed().as_secs_f64());
    }
    least
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wire = arguments.iter().find_map(|argument| argument.strip_prefix("wire="));
    let bytes_per_second = wire.map(|speed| speed.parse::<f64>().unwrap() * 1e9);
    let device = arguments.iter().find(|argument| !argument.starts_with("wire=")).map_or("cpu", String::as_str);
    let choice: Choice = device.parse().unwrap();
    let opened = || pollster::block_on(open(&choice)).unwrap().0;

    let processes = Processes::join(false).unwrap();
    let member = processes.member();
    let mut config =
        RunConfig::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/w2.toml")), None, None).unwrap();
    config.epochs = 1000;
    config.batch_size = BATCH / member.size;
    let data = data::set::digits::dataset(1, 2 * BATCH, 100).unwrap();
    config.follow_pixels(&data).unwrap();
    let mut alone = session(&config, &data, Member::ALONE, opened());
    let values: usize = {
        let plan = alone.training_plan().unwrap();
        let parameters = plan.sources.values().filter(|(role, _)| *role == gpu_ae::graph::Role::Param);
        parameters.map(|(_, place)| place.ty.elements()).sum()
    };
    let mut together = Together::new(Box::new(Wire { processes, bytes_per_second }), Exchange::F32);
    together.sum(&mut [0.0]).unwrap();
    let computing = seconds(&mut alone, &mut 0);
    drop(alone);
    let mut gradients = vec![1e-3; values];
    let mut exchange = f64::INFINITY;
    for _ in 0..ROUNDS {
        together.sum(&mut [0.0]).unwrap();
        let begin = Instant::now();
        together.sum(&mut gradients).unwrap();
        exchange = exchange.min(begin.elapsed().as_secs_f64());
    }
    config.batch_size = BATCH;
    let mut session = session(&config, &data, member, opened());
    if member.rank > 0 {
        return session.follow(together).unwrap();
    }
    session.lead(together);
    let step = seconds(&mut session, &mut 0);
    let milliseconds =
        [computing, exchange, step, computing + exchange - step].map(|seconds| format!("{:.1}", seconds * 1e3));
    println!(
        "{} processes on {device}, {values} values, wire {}: C {} ms, X {}, T {}, hidden {}",
        member.size,
        wire.map_or("as it is".into(), |speed| format!("{speed} GB/s")),
        milliseconds[0],
        milliseconds[1],
        milliseconds[2],
        milliseconds[3],
    );
}
