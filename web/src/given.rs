//! Rows that the page gives: the built-in digits, an array or IDX files as they were dropped, images as the browser decoded
//! them.

use std::cell::RefCell;

use gpu_ae::data::format::array::memory::{InMemory, rows};
use gpu_ae::data::options::USUAL_TEST;
use gpu_ae::data::{DataOptions, Dataset, Encoding, ImageShape, Split, Values, load, memory};
use gpu_ae::train::Checkpoint;
use wasm_bindgen::{JsError, JsValue};

use crate::said;
use crate::values::{bytes, number, property, text, texts};

/// Name of the digits, which are what there is if nothing else is given.
const DIGITS: &str = "digits";

thread_local! {
    /// The digits that were drawn last, and their seed.
    static DRAWN: RefCell<Option<(u64, Dataset)>> = const { RefCell::new(None) };
}

/// The rows that are asked for under `data`.
///
/// # Errors
/// When they cannot be read.
pub fn read(asked: &JsValue, seed: u64) -> Result<Dataset, JsValue> {
    let Some(data) = property(asked, "data") else { return digits(seed) };
    if text(&data, "kind").is_some_and(|kind| kind == DIGITS) {
        return digits(seed);
    }
    let name = text(&data, "name").unwrap_or_default();
    let (encoding, all) = all_rows(&data, &name)?;
    memory::dataset(&name, encoding, &all, seed, USUAL_TEST).map_err(said)
}

/// All rows that are given, of which none is set aside yet.
///
/// # Errors
/// When they cannot be read.
pub fn all_rows(data: &JsValue, name: &str) -> Result<(Encoding, Split), JsValue> {
    match text(data, "kind").unwrap_or_default().as_str() {
        "npy" | "idx" => {
            let file = bytes(data, "images")?;
            let labels = property(data, "labels").map(|_| bytes(data, "labels")).transpose()?;
            let of_labels = text(data, "labels_name").unwrap_or_else(|| "the labels".into());
            let labels = labels.as_deref().map(|bytes| InMemory { name: &of_labels, bytes });
            rows(InMemory { name, bytes: &file }, labels).map_err(said)
        }
        "images" => images(data),
        other => Err(JsError::new(&format!("'{other}' is no kind of data")).into()),
    }
}

/// The rows of a run that goes on: those that are given, else those that it names.
///
/// # Errors
/// When they are needed and not given.
pub fn of_run(asked: &JsValue, checkpoint: &Checkpoint) -> Result<Dataset, JsValue> {
    let (path, seed) = (&checkpoint.config.data.path, checkpoint.config.seed);
    if path == DIGITS {
        return digits(seed);
    }
    if property(asked, "data").and_then(|data| text(&data, "kind")).is_none_or(|kind| kind == DIGITS) {
        let problem = format!("the run was trained on '{path}': drop these data first, then its checkpoint");
        return Err(JsError::new(&problem).into());
    }
    read(asked, seed)
}

/// The digits of a seed, which are drawn once.
pub fn digits(seed: u64) -> Result<Dataset, JsValue> {
    let drawn = DRAWN.take().filter(|(of, _)| *of == seed).map(|(_, data)| Ok(data));
    let data = drawn.unwrap_or_else(|| load(&DataOptions::of(DIGITS), None, seed, None)).map_err(said)?;
    DRAWN.set(Some((seed, data.clone())));
    Ok(data)
}

/// Images that were decoded: bytes \[rows, height, width, channels\], names, and perhaps the name of each one's class.
fn images(data: &JsValue) -> Result<(Encoding, Split), JsValue> {
    let side = |key: &str| number(data, key).unwrap_or(0.0) as usize;
    let image = ImageShape { height: side("height"), width: side("width"), channels: side("channels") };
    let (pixels, names) = (bytes(data, "pixels")?, texts(data, "names").unwrap_or_default());
    if image.values() == 0 || pixels.len() != image.values() * names.len() {
        let problem = format!("{} bytes are no {} images of {} values", pixels.len(), names.len(), image.values());
        return Err(JsError::new(&problem).into());
    }
    let of_each = texts(data, "labels").filter(|labels| labels.len() == names.len()).unwrap_or_default();
    let mut classes = of_each.clone();
    classes.sort_unstable();
    classes.dedup();
    let place = |name: &String| classes.binary_search(name).unwrap_or_default() as u16;
    let labels = of_each.iter().map(place).collect();
    Ok((Encoding::images(image, classes), Split::new(image.values(), Values::of_bytes(pixels), labels, names)))
}
