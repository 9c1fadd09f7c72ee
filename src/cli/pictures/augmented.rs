//! Training images as they are changed at random.

use ::image::RgbImage;
use gpu_ae::Result;
use gpu_ae::data::Dataset;
use gpu_ae::device::wait;
use gpu_ae::report::{Band, image_grid};
use gpu_ae::train::Run;

use super::COLUMNS;

/// How often each image is shown changed.
const TIMES: u32 = 4;

/// The first training images over what the run makes of each at some steps; nothing where it changes none.
pub fn picture(run: &mut Run, data: &Dataset) -> Result<Option<RgbImage>> {
    let originals = data.train.values(0..COLUMNS.min(data.train.rows));
    let changed = wait(run.session().augmented(&originals, TIMES))?;
    if changed.is_empty() || data.image().height == 1 {
        return Ok(None);
    }
    let shown: Vec<Vec<f32>> = [originals].iter().chain(&changed).map(|values| data.encoding.shown(values)).collect();
    let caption = |place: usize| if place == 0 { "original" } else { "as trained on" };
    let bands: Vec<Band> =
        shown.iter().enumerate().map(|(place, pixels)| Band { caption: caption(place), pixels }).collect();
    let title = format!("Training images of {} over what is trained on, drawn anew at every step", data.name);
    image_grid(&title, &bands, data.image(), COLUMNS).map(Some)
}
