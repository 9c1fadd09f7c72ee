//! What a classifier takes for what it is not.

use gpu_ae::Result;
use gpu_ae::data::Dataset;
use gpu_ae::report::{Heat, Strip, brief, heat_picture, image_sheet};
use gpu_ae::study::codes::Reconstructions;
use image::RgbImage;

/// Mistakes of a class that are drawn.
const MISTAKES: usize = 12;
/// Most classes that are drawn, those with the most mistakes.
const CLASSES: usize = 30;
/// Most characters of a class's name.
const NAME: usize = 22;

/// The class of each row and the one that it is taken for, where those differ.
fn mistakes(data: &Dataset, answers: &Reconstructions) -> Vec<(usize, u16, u16)> {
    let classes = answers.outputs.len() / data.test.rows.max(1);
    let taken =
        |logits: &[f32]| (1..classes).fold(0, |best, class| if logits[class] > logits[best] { class } else { best });
    let rows = answers.outputs.chunks_exact(classes.max(1)).zip(&data.test.labels).enumerate();
    let found = rows.map(|(row, (logits, &label))| (row, label, taken(logits) as u16));
    found.filter(|(_, label, taken)| label != taken).collect()
}

/// The first test images that are taken for another class, a row for each class they are of; each is headed by
/// the class that it was taken for. Of rows that are no images, how many of each class are taken for each other one. None if
/// there are no mistakes.
pub fn picture(data: &Dataset, answers: &Reconstructions) -> Result<Option<RgbImage>> {
    let mistakes = mistakes(data, answers);
    if mistakes.is_empty() {
        return Ok(None);
    }
    let mut counts = vec![0usize; data.classes()];
    for &(_, label, _) in &mistakes {
        counts.get_mut(usize::from(label)).into_iter().for_each(|count| *count += 1);
    }
    let mut classes: Vec<u16> = (0..data.classes() as u16).filter(|&class| counts[usize::from(class)] > 0).collect();
    let all = classes.len();
    classes.sort_by_key(|&class| std::cmp::Reverse(counts[usize::from(class)]));
    classes.truncate(CLASSES);
    classes.sort_unstable();
    let chosen =
        if all > CLASSES { format!(", the {CLASSES} of {all} classes with the most mistakes") } else { String::new() };
    if data.image().height == 1 {
        return confusions(data, &mistakes, &classes, &chosen).map(Some);
    }
    let name = |class: u16| brief(data.encoding.class_name(class), NAME);
    let strips: Vec<Strip> = classes
        .iter()
        .map(|&class| {
            let own = mistakes.iter().filter(|(_, label, _)| *label == class).take(MISTAKES);
            let pixels: Vec<f32> = own.clone().flat_map(|(row, ..)| data.test.values(*row..row + 1)).collect();
            Strip {
                caption: format!("{} taken for", name(class)),
                headings: own.map(|(.., taken)| name(*taken).into_owned()).collect(),
                pixels: data.encoding.shown(&pixels),
            }
        })
        .collect();
    let title = format!("Test images of {} and the classes they are taken for{chosen}", data.name);
    image_sheet(&title, &strips, data.image(), &[]).map(Some)
}

/// How many rows of each class are taken for each other one.
fn confusions(data: &Dataset, mistakes: &[(usize, u16, u16)], classes: &[u16], chosen: &str) -> Result<RgbImage> {
    let mut others: Vec<u16> = mistakes.iter().map(|(.., taken)| *taken).collect();
    others.sort_unstable();
    others.dedup();
    others.truncate(CLASSES);
    let count =
        |label: u16, taken: u16| mistakes.iter().filter(|mistake| (mistake.1, mistake.2) == (label, taken)).count();
    let values =
        classes.iter().flat_map(|&label| others.iter().map(move |&taken| count(label, taken) as f32)).collect();
    let names = |classes: &[u16]| -> Vec<String> {
        classes.iter().map(|&class| brief(data.encoding.class_name(class), NAME).into_owned()).collect()
    };
    let heat = Heat { rows: names(classes), columns: names(&others), values, ..Heat::default() };
    let title =
        format!("How many test rows of {} of each class (left) are taken for another (above){chosen}", data.name);
    heat_picture(&title, &[heat])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use gpu_ae::data::{Encoding, ImageShape, Split};

    fn data(image: ImageShape, classes: usize, labels: Vec<u16>) -> Dataset {
        let rows = labels.len().max(3);
        let test = Split::of_bytes(image.values(), vec![90; rows * image.values()], labels);
        let (train, validation) = (test.clone(), Split::default());
        Dataset { name: "rows".into(), encoding: Encoding::numbered(image, classes), train, validation, test }
    }

    fn answers(outputs: &[f32]) -> Reconstructions {
        Reconstructions { originals: Vec::new(), noisy: None, outputs: outputs.to_vec() }
    }

    const COLOUR: ImageShape = ImageShape { height: 4, width: 4, channels: 3 };

    #[test]
    fn mistakes_of_images_and_of_other_rows_are_drawn() {
        let outputs = answers(&[0.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
        let images = data(COLOUR, 2, vec![0, 0, 1]);
        assert_eq!(mistakes(&images, &outputs), [(0, 0, 1), (2, 1, 0)]);
        assert!(picture(&images, &outputs).unwrap().unwrap().height() > 2 * 84);
        let rows = data(ImageShape::row(4), 2, vec![0, 0, 1]);
        assert!(picture(&rows, &outputs).unwrap().is_some());
        assert!(picture(&rows, &answers(&[1.0, 0.0, 1.0, 0.0, 0.0, 1.0])).unwrap().is_none(), "no mistakes");
    }

    #[test]
    fn rows_without_classes_or_with_one_that_was_never_learnt_are_no_trouble() {
        let outputs = answers(&[0.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
        assert!(picture(&data(COLOUR, 2, Vec::new()), &outputs).unwrap().is_none());
        assert!(picture(&data(COLOUR, 3, vec![2, 0, 0]), &outputs).unwrap().is_some());
    }
}
