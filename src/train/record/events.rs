//! What a run tells TensorBoard: a file of events in `RUN/tensorboard`.
//!
//! A file is a sequence of records, each its length as u64, a masked CRC-32C of that, an `Event` of `event.proto` and a masked CRC-32C of
//! it, all with the lowest byte first (TensorFlow, "TFRecord and tf.train.Example").

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::{Message, Oneof};

use crate::error::Result;
use crate::ops::step::clock;
use crate::tensor::DType;
use crate::train::session::State;
use crate::train::{EpochMetrics, Run};
use crate::whole_file;

/// What such a file begins with.
const VERSION: &str = "brain.Event:2";
/// Places between the smallest and the largest weight that are counted apart.
const BUCKETS: usize = 64;
/// Of a session log: what is told from here on takes the place of what was told of these steps before.
const START: i32 = 1;

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Tagged>,
}

#[derive(Clone, PartialEq, Message)]
struct Tagged {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(oneof = "Value", tags = "2, 4, 5")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Value {
    #[prost(float, tag = "2")]
    Simple(f32),
    #[prost(message, tag = "4")]
    Image(Image),
    #[prost(message, tag = "5")]
    Histogram(Histogram),
}

#[derive(Clone, PartialEq, Message)]
struct Image {
    #[prost(int32, tag = "1")]
    height: i32,
    #[prost(int32, tag = "2")]
    width: i32,
    #[prost(int32, tag = "3")]
    colorspace: i32,
    #[prost(bytes = "vec", tag = "4")]
    encoded: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(double, tag = "1")]
    min: f64,
    #[prost(double, tag = "2")]
    max: f64,
    #[prost(double, tag = "3")]
    num: f64,
    #[prost(double, tag = "4")]
    sum: f64,
    #[prost(double, tag = "5")]
    sum_squares: f64,
    #[prost(double, repeated, tag = "6")]
    bucket_limit: Vec<f64>,
    #[prost(double, repeated, tag = "7")]
    bucket: Vec<f64>,
}

/// A file of events that grows.
#[derive(Debug)]
pub struct Events {
    path: PathBuf,
}

impl Events {
    /// A new file in this folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(folder: &Path) -> Result<Self> {
        whole_file::make_folder(folder)?;
        let now = now();
        let path = folder.join(format!("events.out.tfevents.{:.0}.{}.gpu-ae", now * 1e3, std::process::id()));
        let events = Events { path };
        let first = Event { wall_time: now, step: 0, what: Some(What::FileVersion(VERSION.into())) };
        events.append(&record(&first))?;
        Ok(events)
    }

    /// Training goes on behind so many steps: nothing that was told of later ones counts.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn goes_on_behind(&self, step: u32) -> Result<()> {
        let log = Some(What::SessionLog(SessionLog { status: START }));
        self.append(&record(&Event { wall_time: now(), step: i64::from(step) + 1, what: log }))
    }

    /// The metrics of an epoch, those of one kind of rows under one heading.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn metrics(&self, metrics: &EpochMetrics) -> Result<()> {
        let own = [("train_loss", metrics.train_loss), ("test_loss", metrics.test_loss)];
        let speed = ("speed/samples_per_second".to_string(), metrics.samples_per_second);
        let figures = metrics.figures.iter().map(|(key, value)| (key.as_str(), *value));
        let figures = own.into_iter().chain(figures).map(|(key, value)| (tag(key), value)).chain([speed]);
        let scalar = |(tag, value): (String, f64)| Tagged { tag, value: Some(Value::Simple(value as f32)) };
        self.summary(metrics.step, figures.map(scalar).collect())
    }

    /// How the numbers of every parameter are distributed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn weights<'a>(&self, step: u32, state: &State, parameters: impl Iterator<Item = &'a str>) -> Result<()> {
        let values = parameters.filter_map(|name| {
            let (ty, bytes) = state.get(name).filter(|(ty, _)| ty.dtype == DType::F32)?;
            let numbers: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes[..ty.bytes()]);
            Some(Tagged { tag: name.into(), value: Some(Value::Histogram(histogram(&numbers))) })
        });
        self.summary(step, values.collect())
    }

    /// A picture, the bytes of a PNG of this size.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn picture(&self, step: u32, tag: &str, [width, height]: [u32; 2], encoded: Vec<u8>) -> Result<()> {
        let image = Image { height: height as i32, width: width as i32, colorspace: 3, encoded };
        self.summary(step, vec![Tagged { tag: tag.into(), value: Some(Value::Image(image)) }])
    }

    fn summary(&self, step: u32, value: Vec<Tagged>) -> Result<()> {
        let what = Some(What::Summary(Summary { value }));
        self.append(&record(&Event { wall_time: now(), step: i64::from(step), what }))
    }

    fn append(&self, records: &[u8]) -> Result<()> {
        whole_file::append(&self.path, records, "write the events")
    }
}

impl Run {
    /// Tells TensorBoard of what is to come, in a file of events in the run directory.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn tell_tensorboard(&mut self) -> Result<()> {
        let folder = self.directory.tensorboard();
        let told = folder.is_dir();
        let events = Events::begin(&folder)?;
        if !told {
            // What came before is known as well.
            self.metrics.iter().try_for_each(|metrics| events.metrics(metrics))?;
        }
        events.goes_on_behind(self.clock[clock::STEP])?;
        self.events = Some(events);
        Ok(())
    }

    /// What TensorBoard is told, if it is.
    pub fn events(&self) -> Option<&Events> {
        self.events.as_ref()
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// A figure's name with a heading, as `test/mse` of `test_mse`.
fn tag(key: &str) -> String {
    let of_rows = ["train", "validation", "test"].into_iter();
    let headed = of_rows.filter_map(|rows| Some(format!("{rows}/{}", key.strip_prefix(rows)?.strip_prefix('_')?)));
    headed.into_iter().next().unwrap_or_else(|| format!("network/{key}"))
}

/// Counts of numbers between the smallest and the largest.
fn histogram(numbers: &[f32]) -> Histogram {
    let finite = || numbers.iter().filter(|number| number.is_finite()).map(|&number| f64::from(number));
    let (min, max) = finite().fold((f64::MAX, f64::MIN), |(min, max), number| (min.min(number), max.max(number)));
    if min > max {
        return Histogram::default();
    }
    let width = (max - min) / BUCKETS as f64;
    let buckets = if width > 0.0 { BUCKETS } else { 1 };
    let mut bucket = vec![0.0; buckets];
    for number in finite() {
        bucket[(((number - min) / width) as usize).min(buckets - 1)] += 1.0;
    }
    let bucket_limit = (1..=buckets).map(|place| if place == buckets { max } else { min + width * place as f64 });
    Histogram {
        min,
        max,
        num: finite().count() as f64,
        sum: finite().sum(),
        sum_squares: finite().map(|number| number * number).sum(),
        bucket_limit: bucket_limit.collect(),
        bucket,
    }
}

/// An event with its length and its checksums.
fn record(event: &Event) -> Vec<u8> {
    let event = event.encode_to_vec();
    let length = (event.len() as u64).to_le_bytes();
    let checksum = |bytes: &[u8]| masked(crc32c::crc32c(bytes)).to_le_bytes();
    [&length[..], &checksum(&length), &event, &checksum(&event)].concat()
}

/// A checksum that is not what a checksum of data with checksums in it would be.
fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_headed_by_their_rows() {
        assert_eq!(tag("train_mse"), "train/mse");
        assert_eq!(tag("test_kl_1"), "test/kl_1");
        assert_eq!(tag("training"), "network/training");
        assert_eq!(tag("active_units_2"), "network/active_units_2");
    }

    #[test]
    fn every_number_is_counted_once() {
        let histogram = |numbers: &[f32]| histogram(numbers);
        let of = histogram(&[-1.0, 0.0, 0.25, 1.0, f32::NAN]);
        assert_eq!((of.min, of.max, of.num, of.sum, of.sum_squares), (-1.0, 1.0, 4.0, 0.25, 2.0625));
        assert_eq!(of.bucket.iter().sum::<f64>(), 4.0);
        assert_eq!((of.bucket[0], of.bucket[32], of.bucket[40], of.bucket[63]), (1.0, 1.0, 1.0, 1.0));
        let limits = &of.bucket_limit;
        assert!(limits.is_sorted() && limits.len() == of.bucket.len() && limits[63] == 1.0, "{limits:?}");
        let one = histogram(&[0.5; 7]);
        assert_eq!((one.bucket, one.bucket_limit), (vec![7.0], vec![0.5]));
        assert_eq!(histogram(&[f32::INFINITY]), Histogram::default());
    }

    /// The checksum of nine digits is that of RFC 3720's polynomial; a masked one goes back by turning the other way.
    #[test]
    fn records_have_the_checksums_of_their_format() {
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(masked(0xe306_9283).wrapping_sub(0xa282_ead8).rotate_left(15), 0xe306_9283);
        let event = Event { wall_time: 1.5, step: 3, what: Some(What::FileVersion(VERSION.into())) };
        let bytes = record(&event);
        assert_eq!(bytes[..8], ((bytes.len() - 16) as u64).to_le_bytes());
        assert_eq!(Event::decode(&bytes[12..bytes.len() - 4]).unwrap(), event);
    }
}
