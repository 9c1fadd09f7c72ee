//! Rows reach a device all at once, in pieces that it can bind, or window by window: the bits are the same, and a run that
//! was begun in one way goes on in another.

use std::collections::BTreeMap;
use std::path::Path;

use crate::common;
use crate::disguised::Disguised;
use gpu_ae::config::RunConfig;
use gpu_ae::data::{Dataset, Encoding, ImageShape, Split, ValueKind, Values};
use gpu_ae::device::{CpuDevice, Device, wait};
use gpu_ae::ops::step::clock;
use gpu_ae::plan::DeviceProfile;
use gpu_ae::rng::{Rng, Stream, stream_key};
use gpu_ae::tensor::Ty;
use gpu_ae::train::{Session, Tuning};

/// Rows to train on: 38 batches of 32 and one of 21.
pub const ROWS: usize = 1237;
/// Rows to test with and to decide by: more than are observed, and no whole number of batches.
const OTHERS: usize = 1303;
/// Bytes of the largest binding where it is made small: some 6,000 beside the room of a uniform operand.
const SMALL_BINDING: u64 = 72_000;

/// How rows reach a device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    AtOnce,
    InPieces,
    ByWindows,
}

const WAYS: &[Way] = &[Way::AtOnce, Way::InPieces, Way::ByWindows];

fn config(text: &str) -> RunConfig {
    RunConfig::parse(text, Path::new("config.toml"), None, None).unwrap()
}

fn denoising() -> RunConfig {
    config(
        "model = 'denoising'\nbatch_size = 32\nencoder = [{ linear = 9, activation = 'relu' }, { norm = 'batch' }, { linear = 4 }]\n\
         decoder = [{ linear = 9, activation = 'relu' }, { linear = 12, activation = 'sigmoid' }]",
    )
}

fn table() -> RunConfig {
    config(
        "batch_size = 32\nlambda_entropy = 0.0\nencoder = [{ linear = 8, activation = 'tanh' }, { linear = 3 }]\n\
         decoder = [{ linear = 8, activation = 'tanh' }, { linear = 7 }]",
    )
}

fn classifier() -> RunConfig {
    config(
        "model = 'classifier'\nbatch_size = 32\nencoder = [{ linear = 9, activation = 'relu' }]\n\
         decoder = [{ linear = 3 }]",
    )
}

fn cluster() -> RunConfig {
    config(
        "model = 'cluster'\nbatch_size = 32\nencoder = [{ linear = 9, activation = 'relu' }, { linear = 3 }]\n\
         [clustering.adversarial]\nepsilon = 0.25",
    )
}

pub fn data(kind: ValueKind, width: usize) -> Dataset {
    let mut rng = Rng::new(stream_key(3, Stream::Data));
    let mut split = |rows: usize| {
        let labels: Vec<u16> = (0..rows).map(|_| rng.below(3) as u16).collect();
        let values = match kind {
            ValueKind::Byte => Values::of_bytes(
                (0..rows * width).map(|i| (rng.below(80) + 80 * u32::from(labels[i / width])) as u8).collect(),
            ),
            ValueKind::Float => Values::of_floats((0..rows * width).map(|_| rng.normal() as f32).collect()),
        };
        Split::new(width, values, labels, Vec::new())
    };
    let [train, validation, test] = [ROWS, OTHERS, OTHERS].map(&mut split);
    Dataset { name: "made up".into(), encoding: Encoding::numbered(ImageShape::row(width), 3), train, validation, test }
}

/// A session on a device that gets its rows like this.
pub fn session(device: Box<dyn Device>, config: &RunConfig, data: &Dataset, way: Way) -> Session {
    let mut config = config.clone();
    config.data.on_device = (way == Way::ByWindows).then_some(0);
    let small = |profile: &mut DeviceProfile| profile.max_binding = SMALL_BINDING;
    let device = if way == Way::InPieces { Disguised::of(device, small) } else { device };
    let choices = Tuning::or_static(None, device.as_ref());
    let session = wait(Session::for_training(device, &config, data, &choices, &mut |_, _| ())).unwrap();
    let sources = &session.training_plan().unwrap().sources;
    let rows = |name: &str| sources.get(name).map(|(_, place)| place.ty.shape.dims()[0]);
    match way {
        Way::AtOnce => assert_eq!(rows("train images"), Some(ROWS)),
        Way::InPieces => assert!(rows("train images 1").is_some_and(|rows| rows < ROWS), "{:?}", sources.keys()),
        Way::ByWindows => assert!(rows("train images").is_some_and(|rows| rows < ROWS)),
    }
    session
}

/// Everything that is seen of a network, and that a checkpoint holds.
#[derive(Debug, PartialEq)]
struct Seen {
    state: BTreeMap<String, (Ty, Vec<u8>)>,
    sums: Vec<String>,
    observed: String,
    answers: Vec<u32>,
    reconstructions: Vec<u32>,
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn seen(session: &mut Session, config: &RunConfig) -> Seen {
    wait(session.settle_moments()).unwrap();
    let sums =
        vec![format!("{:?}", wait(session.evaluate()).unwrap()), format!("{:?}", wait(session.validate()).unwrap())];
    let observed = format!("{:?}", wait(session.observe()).unwrap());
    let answers = bits(&wait(session.answers()).unwrap());
    // Noise is drawn batch by batch, and a device that holds fewer rows has smaller batches.
    let made = wait(session.reconstruct(if config.corruption.is_some() { 900 } else { OTHERS })).unwrap();
    let mut reconstructions = bits(&made.outputs);
    reconstructions.extend(bits(&made.originals));
    let state = wait(session.state()).unwrap();
    let words: Vec<u32> = bytemuck::pod_collect_to_vec(&state["clock"].1);
    assert_eq!(words[clock::WINDOW], 0, "how rows get there is in a checkpoint");
    Seen { state, sums, observed, answers, reconstructions }
}

/// Two epochs of 39 steps, looked at behind each, in stretches that end where no window does.
fn train(session: &mut Session, config: &RunConfig, stretches: &[u32]) -> Vec<Seen> {
    let mut all = Vec::new();
    for _ in 0..2 {
        for &steps in stretches {
            session.train(steps).unwrap();
        }
        all.push(seen(session, config));
    }
    all
}

fn same_bits(config: &RunConfig, data: &Dataset, ways: &[Way]) {
    for number in 0..common::devices().len() {
        let device = || common::devices().swap_remove(number);
        let mut expected: Option<Vec<Seen>> = None;
        for &way in ways {
            let mut session = session(device(), config, data, way);
            wait(session.initialise(ROWS, None)).unwrap();
            let name = session.device_name().to_string();
            let stretches: &[u32] = if way == Way::AtOnce { &[39] } else { &[1, 21, 3, 14] };
            let found = train(&mut session, config, stretches);
            let expected = expected.get_or_insert_with(|| train_again(device(), config, data));
            for (epoch, (found, expected)) in found.iter().zip(&*expected).enumerate() {
                let differs: Vec<&String> =
                    found.state.keys().filter(|name| found.state[*name] != expected.state[*name]).collect();
                assert!(differs.is_empty(), "{name}, {way:?}, epoch {epoch}: {differs:?} differ");
                assert!(found == expected, "{name}, {way:?}, epoch {epoch}: what is seen differs");
            }
        }
    }
}

/// What is expected: all rows on the device, one step after the other.
fn train_again(device: Box<dyn Device>, config: &RunConfig, data: &Dataset) -> Vec<Seen> {
    let mut session = session(device, config, data, Way::AtOnce);
    wait(session.initialise(ROWS, None)).unwrap();
    train(&mut session, config, &[1; 39])
}

/// Images of 2 x 2 pixels changed at random, normalised by batches.
pub fn changed() -> RunConfig {
    config(
        "model = 'classifier'\nbatch_size = 32\n\
         encoder = [{ linear = 9, activation = 'relu' }, { norm = 'batch' }, { linear = 4 }]\ndecoder = [{ linear = 3 }]\n\
         [augment]\nimage = '2x2x3'\nblack = [0.5, 0.25, 1.0]\nflip = 0.5\nrotate = 20.0\nshift = 0.2\nhue = 0.2\ngrey = 0.3",
    )
}

#[test]
fn images_changed_at_random() {
    same_bits(&changed(), &data(ValueKind::Byte, 12), WAYS);
}

#[test]
fn bytes_under_noise_normalised_by_batches() {
    same_bits(&denoising(), &data(ValueKind::Byte, 12), WAYS);
}

#[test]
fn floats_of_a_table() {
    same_bits(&table(), &data(ValueKind::Float, 7), WAYS);
}

#[test]
fn rows_with_labels() {
    same_bits(&classifier(), &data(ValueKind::Byte, 13), WAYS);
}

#[test]
fn rows_with_distances_to_their_neighbours() {
    // The products of all rows with all others are larger than the smaller bindings.
    same_bits(&cluster(), &data(ValueKind::Byte, 12), &[Way::AtOnce, Way::ByWindows]);
}

#[test]
fn a_run_goes_on_in_another_way_than_it_was_begun() {
    let (config, data) = (denoising(), data(ValueKind::Byte, 12));
    let mut whole = session(Box::new(CpuDevice::new()), &config, &data, Way::AtOnce);
    wait(whole.initialise(ROWS, None)).unwrap();
    whole.train(2 * 39).unwrap();
    let expected = wait(whole.state()).unwrap();
    for (first, second) in
        [(Way::AtOnce, Way::ByWindows), (Way::ByWindows, Way::InPieces), (Way::ByWindows, Way::ByWindows)]
    {
        let mut begun = session(Box::new(CpuDevice::new()), &config, &data, first);
        wait(begun.initialise(ROWS, None)).unwrap();
        // In the middle of the second epoch, and of a window.
        begun.train(39 + 20).unwrap();
        let state = wait(begun.state()).unwrap();
        let mut gone_on = session(Box::new(CpuDevice::new()), &config, &data, second);
        wait(gone_on.restore(&state)).unwrap();
        gone_on.train(19).unwrap();
        assert!(wait(gone_on.state()).unwrap() == expected, "{first:?}, then {second:?}");
    }
}
