//! How long processes take to add up what each of them has: `mpirun -n 2 cargo bench --features mpi --bench exchange`, or the program
//! that this builds, on the nodes that are meant. What a step of data-parallel training costs beside its computing is this much.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::time::Instant;

use gpu_ae::Error;
use gpu_ae::train::group::mpi::Processes;
use gpu_ae::train::group::{Exchange, Group, Together, follow};

/// Values of an exchange: losses, the gradients of W1, a million, those of W2.
const VALUES: [usize; 5] = [3, 104_684, 1_000_000, 3_000_000, 10_000_000];
const ROUNDS: usize = 15;

fn main() {
    let processes = Processes::join(false).unwrap();
    let (member, [_, here]) = (processes.member(), processes.local());
    let exchange = if std::env::args().any(|argument| argument == "bf16") { Exchange::Bf16 } else { Exchange::F32 };
    let mut together = Together::new(Box::new(processes), exchange);
    if member.rank == 0 {
        println!(
            "{} processes, {here} of them on the first machine, {exchange:?}: milliseconds, median and range",
            member.size
        );
    }
    for values in VALUES {
        let mut own: Vec<f32> = (0..values).map(|value| (value % 7) as f32).collect();
        let mut times: Vec<f64> = Vec::with_capacity(ROUNDS);
        for round in 0..ROUNDS + 2 {
            own.iter_mut().for_each(|value| *value *= 1e-3);
            // So that all begin at the same time.
            together.sum(&mut [0.0]).unwrap();
            let begin = Instant::now();
            together.sum(&mut own).unwrap();
            if round >= 2 {
                times.push(begin.elapsed().as_secs_f64() * 1e3);
            }
        }
        times.sort_by(f64::total_cmp);
        if member.rank == 0 {
            let (first, last) = (times[0], times[ROUNDS - 1]);
            println!("{values:>10} values  {:>8.3}  {first:.3}-{last:.3}", times[ROUNDS / 2]);
        }
    }
    if member.rank > 0 {
        // There is no run, and the leader says so as it ends.
        follow(together, |_| Err(Error::Failed("there is no run".into()))).unwrap();
    }
}
