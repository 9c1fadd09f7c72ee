//! Matrices, and the forms in which the weights of a layer are shown.

use crate::data::ImageShape;

/// A matrix with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// What stands above it.
    pub title: String,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// Its elements, row by row; where one is NaN there is none.
    pub values: Vec<f32>,
}

/// Longest side of a matrix that is shown element by element; a larger one is noise to the eye.
const MOST: usize = 200;
/// Most blocks of such a one a side: each the mean of enough weights to differ from the others by more than chance.
const BLOCKS: usize = 64;
/// Longest side of a neuron's image that is shown pixel by pixel; of a larger one, means of blocks of pixels.
const PIXELS: usize = 64;
/// Most neurons whose weights are shown as images.
const NEURONS: usize = 400;

impl Matrix {
    /// The weights of layer `number`, `[rows, columns]`, as people can read them. Of a layer that reads `image`s or writes
    /// them, an image a neuron: its weights, where the pixels are. Of another large one, the mean absolute weight of
    /// blocks. The title says which.
    pub fn of_layer(number: usize, rows: usize, columns: usize, values: &[f32], image: ImageShape) -> Self {
        let (name, pixels) = (format!("layer {number}: {rows} x {columns}"), image.values());
        if image.height > 1 && columns == pixels {
            return images(&format!("{name}, what each neuron reads of the image"), values, image);
        }
        let turned: Vec<f32> =
            (0..columns).flat_map(|column| values.iter().skip(column).step_by(columns)).copied().collect();
        if image.height > 1 && rows == pixels {
            return images(&format!("{name}, what each neuron before it writes into the image"), &turned, image);
        }
        // A tall one lies on its side.
        let whole = if rows > 4 * columns {
            Matrix { title: format!("{name}, turned"), rows: columns, columns: rows, values: turned }
        } else {
            Matrix { title: name, rows, columns, values: values.to_vec() }
        };
        if rows.max(columns) > MOST { whole.condensed() } else { whole }
    }

    /// The mean absolute value of blocks.
    fn condensed(&self) -> Self {
        let [height, width] = [self.rows, self.columns].map(|side| side.div_ceil(BLOCKS));
        let (rows, columns) = (self.rows.div_ceil(height), self.columns.div_ceil(width));
        let mut sums = vec![(0.0_f32, 0.0_f32); rows * columns];
        for (index, value) in self.values.iter().enumerate() {
            let (row, column) = (index / self.columns / height, index % self.columns / width);
            let (sum, count) = &mut sums[row * columns + column];
            (*sum, *count) = (*sum + value.abs(), *count + 1.0);
        }
        let title = format!("{}, mean |w| of blocks of {height}x{width}", self.title);
        Matrix { title, rows, columns, values: sums.iter().map(|(sum, count)| sum / count).collect() }
    }
}

/// The weights of neurons, `[neurons, pixels]`, each as an image, in a square of them or nearly; of colour images the
/// sums over channels. Of very many neurons, those with the largest weights.
fn images(title: &str, weights: &[f32], image: ImageShape) -> Matrix {
    let all: Vec<&[f32]> = weights.chunks_exact(image.values()).collect();
    let size = |neuron: &usize| all[*neuron].iter().map(|w| w * w).sum::<f32>();
    let mut chosen: Vec<usize> = (0..all.len()).collect();
    let title = if chosen.len() > NEURONS {
        chosen.sort_by(|a, b| size(b).total_cmp(&size(a)));
        chosen.truncate(NEURONS);
        chosen.sort_unstable();
        format!("{title}, the {NEURONS} with the largest weights")
    } else {
        title.to_string()
    };
    let across = (1..).find(|across| across * across >= chosen.len()).unwrap_or(1).max(1);
    let block = image.height.max(image.width).div_ceil(PIXELS);
    let title = match block {
        1 => title,
        block => format!("{title}, means of {block}x{block} pixels"),
    };
    // An empty line between images.
    let [width, height] = [image.width, image.height].map(|side| side.div_ceil(block) + 1);
    let (columns, rows) = (across * width - 1, chosen.len().div_ceil(across) * height - 1);
    let mut values = vec![f32::NAN; rows * columns];
    for (place, &neuron) in chosen.iter().enumerate() {
        let mut means = vec![(0.0_f32, 0.0_f32); (width - 1) * (height - 1)];
        for (pixel, channels) in all[neuron].chunks_exact(image.channels).enumerate() {
            let (row, column) = (pixel / image.width / block, pixel % image.width / block);
            let (sum, count) = &mut means[row * (width - 1) + column];
            (*sum, *count) = (*sum + channels.iter().sum::<f32>(), *count + 1.0);
        }
        for (pixel, (sum, count)) in means.into_iter().enumerate() {
            let row = place / across * height + pixel / (width - 1);
            let column = place % across * width + pixel % (width - 1);
            values[row * columns + column] = sum / count;
        }
    }
    Matrix { title, rows, columns, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: ImageShape = ImageShape { height: 2, width: 3, channels: 1 };
    const FLAT: ImageShape = ImageShape { height: 1, width: 6, channels: 1 };

    #[test]
    fn layers_at_the_image_are_shown_as_images() {
        let weights: Vec<f32> = (0..18).map(|w| w as f32).collect();
        let reads = Matrix::of_layer(1, 3, 6, &weights, IMAGE);
        assert_eq!((reads.rows, reads.columns), (5, 7), "two by two, a line between them");
        let at = |matrix: &Matrix, row: usize, column: usize| matrix.values[row * 7 + column];
        assert_eq!([at(&reads, 0, 0), at(&reads, 1, 2), at(&reads, 0, 4), at(&reads, 3, 0)], [0.0, 5.0, 6.0, 12.0]);
        assert!(at(&reads, 0, 3).is_nan() && at(&reads, 2, 0).is_nan() && at(&reads, 3, 4).is_nan());
        assert!(reads.title.contains("3 x 6") && reads.title.contains("reads"), "{}", reads.title);
        let writes = Matrix::of_layer(4, 6, 3, &weights, IMAGE);
        assert_eq!([at(&writes, 0, 0), at(&writes, 0, 1), at(&writes, 0, 4)], [0.0, 3.0, 1.0]);
        assert!(writes.title.contains("writes"), "{}", writes.title);
    }

    #[test]
    fn large_images_are_shown_by_blocks_of_pixels() {
        let image = ImageShape { height: 66, width: 65, channels: 3 };
        let mut weights = vec![1.0; image.values()];
        weights[..3].fill(5.0);
        let shown = Matrix::of_layer(1, 1, image.values(), &weights, image);
        assert_eq!((shown.rows, shown.columns), (33, 33));
        assert_eq!([shown.values[0], shown.values[32], shown.values[33 * 33 - 1]], [6.0, 3.0, 3.0]);
        assert!(shown.title.ends_with("means of 2x2 pixels"), "{}", shown.title);
    }

    #[test]
    fn of_very_many_neurons_those_with_the_largest_weights_are_shown() {
        let weights: Vec<f32> =
            (0..500).flat_map(|neuron| [if neuron < 100 { 0.0 } else { neuron as f32 }; 6]).collect();
        let shown = Matrix::of_layer(1, 500, 6, &weights, IMAGE);
        assert_eq!((shown.rows, shown.columns), (20 * 3 - 1, 20 * 4 - 1));
        assert_eq!(shown.values[0], 100.0);
        assert!(shown.title.contains("400 with the largest"), "{}", shown.title);
    }

    #[test]
    fn large_layers_are_shown_by_their_blocks_and_small_ones_whole() {
        let small = Matrix::of_layer(2, 2, 3, &[1.0, -2.0, 3.0, 4.0, 5.0, 6.0], IMAGE);
        assert_eq!((small.title.as_str(), small.rows, small.values[1]), ("layer 2: 2 x 3", 2, -2.0));
        let wide: Vec<f32> = (0..2 * 401).map(|index| if index % 2 == 0 { 1.0 } else { -3.0 }).collect();
        let blocks = Matrix::of_layer(2, 2, 401, &wide, FLAT);
        assert_eq!((blocks.rows, blocks.columns), (2, 58));
        assert_eq!([blocks.values[0], blocks.values[57]], [13.0 / 7.0, 2.0], "the last block is narrower");
        assert_eq!(blocks.title, "layer 2: 2 x 401, mean |w| of blocks of 1x7");
        let tall = Matrix::of_layer(3, 401, 2, &wide, FLAT);
        assert_eq!((tall.rows, tall.columns), (2, 58));
        assert_eq!(tall.title, "layer 3: 401 x 2, turned, mean |w| of blocks of 1x7");
    }
}
