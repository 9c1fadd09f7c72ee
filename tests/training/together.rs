//! Several processes that train one network, here threads of one: what they come to is what one comes to with the same batches.

use std::thread;

use crate::common;
use crate::disguised::Disguised;
use crate::members::Threads;
use gpu_ae::config::RunConfig;
use gpu_ae::data::{self, Dataset};
use gpu_ae::device::{CpuDevice, Device, wait};
use gpu_ae::plan::{DeviceKind, Member, Pause};
use gpu_ae::train::group::{Exchange, Together};
use gpu_ae::train::session::State;
use gpu_ae::train::{Session, TermSums, Tuning};

/// Steps of a run, over the end of an epoch whose last batch is no whole one.
const STEPS: u32 = 13;
const ROWS: usize = 650;

fn digits() -> Dataset {
    data::set::digits::dataset(3, ROWS, 100).unwrap()
}

fn session(config: &RunConfig, data: &Dataset, member: Member, mut device: Box<dyn Device>) -> Session {
    device.join(member);
    let choices = Tuning::fixed(device.as_ref()).choices;
    let mut session = wait(Session::for_training(device, config, data, &choices, &mut |_, _| ())).unwrap();
    wait(session.initialise(data.train.rows, None)).unwrap();
    session
}

/// What is trained after the steps, and their losses.
fn stepped(session: &mut Session) -> (State, TermSums) {
    session.train(STEPS).unwrap();
    let mut sums = TermSums::default();
    let reading = session.begin_losses().unwrap();
    wait(session.end_losses(reading, 0, &mut sums)).unwrap();
    (wait(session.state()).unwrap(), sums)
}

/// The same of so many members, as every one of them has the state.
fn trained(
    config: &RunConfig,
    size: usize,
    [own_norms, bf16]: [bool; 2],
    device: impl Fn() -> Box<dyn Device> + Sync,
) -> (Vec<State>, TermSums) {
    let data = digits();
    let exchange = if bf16 { Exchange::Bf16 } else { Exchange::F32 };
    let each = |threads: Threads| {
        let member = threads.member;
        let mut session = session(config, &data, member, device());
        let together = Together::new(Box::new(threads), exchange);
        if member.rank > 0 {
            session.follow(together).unwrap();
            return (wait(session.state()).unwrap(), None);
        }
        session.lead(together);
        let (state, sums) = stepped(&mut session);
        (state, Some(sums))
    };
    let mut sums = None;
    let mut states = Vec::new();
    thread::scope(|scope| {
        let all: Vec<_> = Threads::group(size, own_norms).into_iter().map(|own| scope.spawn(|| each(own))).collect();
        for (state, own) in all.into_iter().map(|own| own.join().unwrap()) {
            states.push(state);
            sums = sums.take().or(own);
        }
    });
    (states, sums.unwrap())
}

fn cpu() -> Box<dyn Device> {
    Box::new(CpuDevice::new())
}

fn alone(config: &RunConfig, device: Box<dyn Device>) -> (State, TermSums) {
    stepped(&mut session(config, &digits(), Member::ALONE, device))
}

fn config(model: &str, keys: &[(&str, &str)]) -> RunConfig {
    let mut config = RunConfig::model(model).unwrap();
    config.set_all("test", &[&[("batch_size", "64"), ("epochs", "4")], keys].concat()).unwrap();
    config.check().unwrap();
    config.follow_pixels(&digits()).unwrap();
    config
}

/// How far the parameters of two states are from one another, beside how far they have moved.
fn distance(config: &RunConfig, a: &State, b: &State) -> f64 {
    let begun = wait(session(config, &digits(), Member::ALONE, cpu()).state()).unwrap();
    let floats = |state: &State, name: &String| bytemuck::pod_collect_to_vec::<u8, f32>(&state[name].1);
    let names = a.keys().filter(|name| name.starts_with("autoencoder") && !name.contains("running"));
    let (mut apart, mut moved) = (0.0, 0.0);
    for name in names {
        let (a, b, begun) = (floats(a, name), floats(b, name), floats(&begun, name));
        apart += a.iter().zip(&b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
        moved += a.iter().zip(&begun).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
    }
    (apart / moved).sqrt()
}

/// Views of grey images, compared across all members.
const VIEWS: &[(&str, &str)] = &[
    ("encoder", "[{ linear = 9 }]"),
    ("augment.jitter", "0"),
    ("augment.saturation", "0"),
    ("augment.hue", "0"),
    ("augment.grey", "0"),
    ("augment.blur", "0"),
];

const SMALL_CONV: &[(&str, &str)] = &[
    (
        "encoder",
        "[{ unflatten = '28x28x1' }, { conv = 4, kernel = 3, stride = 4, padding = 1 }, { norm = 'batch' }, { activation = 'relu' }, \
         { flatten = true }, { linear = 6 }]",
    ),
    ("decoder", "[{ linear = 784, activation = 'sigmoid' }]"),
    // Adam makes as much of a gradient that is nothing but rounding, such as that of a bias before a norm, as of any other.
    ("optimiser.kind", "sgd"),
    ("lr", "0.1"),
];

/// Gradients that are exchanged in more than one bucket.
const WIDE: &[(&str, &str)] = &[
    ("lambda_entropy", "0"),
    ("encoder", "[{ linear = 400, activation = 'sigmoid' }, { linear = 8, activation = 'sigmoid' }]"),
    ("decoder", "[{ linear = 400, activation = 'sigmoid' }, { linear = 784, activation = 'sigmoid' }]"),
];

/// Parts of a batch that lie with several are those that one goes through one after the other: the same sums in the same order, but for
/// entropies of weights, which one adds in the place of the last part's gradients.
#[test]
fn members_come_to_what_one_comes_to_in_as_many_parts() {
    let plain = ("entropic", &[("lambda_entropy", "0")][..]);
    for (model, keys) in [plain, ("entropic", WIDE), ("vae", &[]), ("denoising", &[]), ("simclr", VIEWS)] {
        for size in [2, 4] {
            let parts = alone(&config(model, &[keys, &[("optimiser.accumulate", &*size.to_string())]].concat()), cpu());
            let (states, sums) = trained(&config(model, keys), size, [false, false], cpu);
            assert_eq!(sums, parts.1, "losses of {model}, {size} members");
            for (rank, state) in states.iter().enumerate() {
                let differs =
                    state.iter().find(|(name, value)| parts.0.get(*name) != Some(value)).map(|(name, _)| name);
                assert!(differs.is_none(), "{model}, rank {rank} of {size}: {differs:?} is another");
            }
        }
    }
}

/// Of members with parts of their own, of a share that is no share of anyone's blocks, of convolutions and of norms: the whole batch but
/// for the order of sums.
#[test]
fn members_come_to_what_one_comes_to_with_whole_batches() {
    let plain = ("entropic", &[("lambda_entropy", "0")][..]);
    for (model, keys, size) in
        [plain, ("entropic", &[("optimiser.accumulate", "2"), ("batch_size", "60")]), ("conv", SMALL_CONV)]
            .map(|(model, keys)| (model, keys, if model == "conv" { 4 } else { 3 }))
    {
        let keys = [&[("batch_size", if size == 3 { "60" } else { "64" })], keys].concat();
        let config = config(model, &keys);
        let whole = alone(&config, cpu());
        let (states, sums) = trained(&config, size, [false, false], cpu);
        let apart = distance(&config, &states[0], &whole.0);
        assert!(apart < 1e-4, "{model}, {size} members: {apart:.1e} of the way");
        let losses = (sums.mean("mse").unwrap() / whole.1.mean("mse").unwrap() - 1.0).abs();
        assert!(losses < 1e-5, "{model}: losses differ by {losses:.1e}");
        assert!(states.iter().all(|state| *state == states[0]), "{model}: members differ");
    }
}

/// Norms of shares are others than norms of batches; gradients of 16 bits are near those of 32.
#[test]
fn norms_of_shares_and_short_gradients_are_what_they_are_said_to_be() {
    let norms = config("conv", SMALL_CONV);
    let whole = alone(&norms, cpu()).0;
    let (own, _) = trained(&norms, 2, [true, false], cpu);
    let parts = alone(&config("conv", &[SMALL_CONV, &[("optimiser.accumulate", "2")]].concat()), cpu()).0;
    let apart = distance(&norms, &own[0], &whole);
    assert!(apart > 1e-3, "norms of shares are norms of batches but for {apart:.1e}");
    assert!(own[0] == parts, "norms of shares are those of parts");
    let plain = config("entropic", &[]);
    let whole = alone(&plain, cpu()).0;
    let (short, _) = trained(&plain, 2, [false, true], cpu);
    let apart = distance(&plain, &short[0], &whole);
    assert!((1e-6..0.2).contains(&apart), "{apart}");
    assert!(short[0] == short[1]);
}

/// Where rows come window by window, a member reads those of its share alone, batch after batch, over the ends of windows and of an
/// epoch whose last batch leaves the last member without rows.
#[test]
fn members_read_their_shares_of_windows() {
    for (size, parts) in [(2, "1"), (2, "2"), (4, "1")] {
        let mut config = config("entropic", &[("lambda_entropy", "0"), ("optimiser.accumulate", parts)]);
        let whole = trained(&config, size, [false, false], cpu);
        config.data.on_device = Some(0);
        let session = session(&config, &digits(), Member { rank: 1, size, own_norms: false }, cpu());
        let held = &session.training_plan().unwrap().sources["train images"].1.ty;
        assert!(held.shape.dims()[0] < ROWS, "all rows are held");
        drop(session);
        let windows = trained(&config, size, [false, false], cpu);
        assert_eq!(windows, whole, "{size} members with {parts} parts");
    }
}

#[test]
fn a_gpu_takes_its_share_as_well() {
    let Some(device) = common::gpu() else { return };
    let choices = [("entropic", &[][..]), ("entropic", WIDE), ("conv", SMALL_CONV)];
    let gpu = || common::gpu().unwrap();
    let mut first = Some(device);
    for (model, keys) in choices {
        let config = config(model, keys);
        let whole = alone(&config, first.take().unwrap_or_else(gpu)).0;
        let (states, _) = trained(&config, 2, [false, false], gpu);
        let apart = distance(&config, &states[0], &whole);
        assert!(apart < 1e-3, "{model}: {apart:.1e} of the way");
        assert!(states[0] == states[1], "{model}: members differ");
    }
}

/// A GPU gives the gradients of the last layers away while it computes those of the first; a processor has nothing to compute with
/// meanwhile. What is exchanged, in which order, and what comes of it is the same.
#[test]
fn gradients_leave_a_gpu_as_they_come() {
    if common::gpu().is_none() {
        return;
    }
    let gpu = || common::gpu().unwrap();
    let hardware = || Disguised::of(gpu(), |profile| profile.kind = DeviceKind::Discrete);
    // A share of so many rows that the last layer's gradient is a kernel of its own.
    let config = config("entropic", &[WIDE, &[("batch_size", "128")]].concat());
    let whole = alone(&config, gpu()).0;
    let (states, _) = trained(&config, 2, [false, false], hardware);
    let apart = distance(&config, &states[0], &whole);
    assert!(apart < 1e-3, "{apart:.1e} of the way");
    assert!(states[0] == states[1], "members differ");
    let pauses = [hardware(), gpu(), cpu()].map(|device| {
        let member = Member { rank: 0, size: 2, own_norms: false };
        let plan = session(&config, &digits(), member, device).training_plan().unwrap().clone();
        let bytes = |pause: &Pause| pause.ranges.iter().map(|(_, _, bytes)| bytes).sum::<usize>();
        let exchanged: Vec<usize> = plan.pauses.iter().map(bytes).collect();
        let early = plan.pauses.first().unwrap().steps < plan.pauses.last().unwrap().steps;
        (exchanged, early, plan.pauses.iter().map(|pause| pause.due).collect::<Vec<usize>>())
    });
    assert_eq!(
        pauses.each_ref().map(|(_, early, _)| *early),
        [true, gpu().profile().kind != DeviceKind::Software, false]
    );
    assert!(pauses[1..].iter().all(|other| other.0 == pauses[0].0), "they exchange different values");
    assert_eq!(pauses[0].2, [2, 2], "losses and the last gradients are due with the first ones");
    assert_eq!(pauses[2].2, [1, 2], "what the processor exchanges is due at once");
}

/// Who would wait for what another never sends is told.
#[test]
fn members_that_exchange_different_values_say_so() {
    let (config, data) = (config("conv", SMALL_CONV), digits());
    let each = |threads: Threads| {
        let member = Member { own_norms: threads.member.rank == 1, ..threads.member };
        let mut session = session(&config, &data, member, cpu());
        let together = Together::new(Box::new(threads), Exchange::F32);
        if member.rank > 0 {
            return session.follow(together).unwrap_err().to_string();
        }
        session.lead(together);
        session.train(1).unwrap_err().to_string()
    };
    thread::scope(|scope| {
        let all: Vec<_> = Threads::group(2, false).into_iter().map(|own| scope.spawn(|| each(own))).collect();
        for said in all.into_iter().map(|own| own.join().unwrap()) {
            assert!(said.contains("exchange different values"), "{said}");
        }
    });
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let member = Member { rank: 1, size: 3, own_norms: false };
    for (model, keys, said) in [
        ("entropic", &[][..], "--batch-size 64: expected a multiple of 3, since 3 processes share a batch"),
        ("entropic", &[("batch_size", "60"), ("optimiser.accumulate", "6")], "in 6 parts each"),
        ("cluster", &[("batch_size", "60")], "clustering: is learnt from a whole batch at a time"),
    ] {
        let (config, data) = (config(model, keys), digits());
        let mut device = cpu();
        device.join(member);
        let choices = Tuning::fixed(device.as_ref()).choices;
        let refused = wait(Session::for_training(device, &config, &data, &choices, &mut |_, _| ())).map(|_| ());
        let message = refused.unwrap_err().to_string();
        assert!(message.contains(said), "{message}");
    }
    // Whose plan waits for others makes no step by itself.
    let mut alone = session(&config("entropic", &[]), &digits(), Member { size: 2, ..member }, cpu());
    assert!(alone.train(1).unwrap_err().to_string().contains("share of every batch"));
}
