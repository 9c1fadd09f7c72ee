//! Images under attack.

use gpu_ae::Result;
use gpu_ae::report::{Strip, brief, image_sheet};
use gpu_ae::study::attack::{Attack, Outcome};
use image::RgbImage;

use crate::cli::trained::Trained;

/// Images that are shown.
const SHOWN: usize = 12;
/// Most characters of a class's name above an image.
const NAME: usize = 12;

/// The first images that are taken for what they are, what an attack adds to them, enlarged around grey, and what they are taken
/// for then; nothing of rows that are no images, or where none is right.
pub fn examples(
    trained: &Trained,
    attack: &Attack,
    originals: &[f32],
    outcomes: &[Outcome],
) -> Result<Option<RgbImage>> {
    let image = trained.data.image();
    if image.height == 1 {
        return Ok(None);
    }
    let name = |class: u16| brief(trained.data.encoding.class_name(class), NAME).into_owned();
    let [mut images, mut added, mut attacked] = [(); 3].map(|()| Strip::default());
    let rows = outcomes.iter().zip(originals.chunks_exact(image.values())).filter(|(outcome, _)| outcome.is_right());
    let kept = rows.filter_map(|(outcome, row)| outcome.end.as_ref().map(|end| (outcome, row, end)));
    let mut largest: f32 = 0.0;
    for (outcome, row, (end, taken_for)) in kept.take(SHOWN) {
        images.headings.push(name(outcome.class));
        images.pixels.extend_from_slice(row);
        added.pixels.extend(end.iter().zip(row).map(|(end, x)| end - x));
        attacked.headings.push(match *taken_for == outcome.class {
            true => "holds".into(),
            false => name(*taken_for),
        });
        attacked.pixels.extend_from_slice(end);
    }
    if images.pixels.is_empty() {
        return Ok(None);
    }
    added.pixels.iter().for_each(|by| largest = largest.max(by.abs()));
    let enlarged = if largest > 0.0 { 0.5 / largest } else { 1.0 };
    added.pixels.iter_mut().for_each(|by| *by = 0.5 + enlarged * *by);
    images.caption = "image".into();
    added.caption = format!("added, x {enlarged:.0}");
    attacked.caption = "taken for".into();
    let title = format!(
        "Test images of {}, each headed by its class, what was added to them within {:.4}, grey being nothing, and what they are \
         taken for then",
        trained.data.name, attack.ball.epsilon
    );
    image_sheet(&title, &[images, added, attacked], image, &[]).map(Some)
}
