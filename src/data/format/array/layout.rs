//! What the axes of an array are: rows, and in each an image or plain values; and the order in which memory keeps them.

use super::header::Header;
use super::origin::Origin;
use crate::data::ImageShape;
use crate::data::found::Listener;
use crate::error::Result;

/// Most rows: a row's number has 32 bits.
const MOST_ROWS: usize = u32::MAX as usize;

/// How the rows of an array are made of its elements.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// Number of rows.
    pub rows: usize,
    /// What a row is.
    pub image: ImageShape,
    /// The axes in the order of memory, outermost first: how many values, and elements from one to the next.
    axes: Vec<[usize; 2]>,
}

impl Layout {
    /// The layout of an array of this shape, whose images have rows and columns swapped if `is_transposed`.
    ///
    /// # Errors
    /// When there are no rows, or nothing in them.
    pub fn of(header: &Header, is_transposed: bool, origin: &Origin, listener: &mut dyn Listener) -> Result<Layout> {
        let refuse = |problem: &str| Err(origin.error(format!("is an array {}, {problem}", header.spelt())));
        let rows = header.rows();
        if header.shape.len() < 2 {
            return refuse("expected [rows, values], [rows, height, width] or [rows, height, width, channels]");
        }
        if header.count() == 0 {
            return refuse("expected at least one row of at least one value");
        }
        if rows > MOST_ROWS {
            return refuse("expected at most 4,294,967,295 rows");
        }
        let mut axes: Vec<[usize; 2]> = header.shape.iter().map(|&size| [size, 0]).collect();
        let mut step = 1;
        let mut count = |axis: &mut [usize; 2]| {
            axis[1] = step;
            step *= axis[0];
        };
        if header.is_fortran {
            axes.iter_mut().for_each(&mut count)
        } else {
            axes.iter_mut().rev().for_each(&mut count)
        }
        let image = match header.shape[1..] {
            [width] => ImageShape::row(width),
            [height, width] => ImageShape { height, width, channels: 1 },
            [height, width, channels @ (1 | 3)] => ImageShape { height, width, channels },
            [channels @ (1 | 3), height, width] => {
                let planes = axes.remove(1);
                axes.push(planes);
                let order = "taken as [rows, channels, height, width], PyTorch's order, and turned into channels last";
                listener.notice(format!("{}: {:?} is {order}", origin.name(), header.shape));
                ImageShape { height, width, channels }
            }
            [_, _, 4] => {
                return refuse(
                    "expected 1 or 3 channels; in NumPy, array[..., :3] leaves out alpha, the fourth of a colour",
                );
            }
            _ => {
                let plain = "images have 1 or 3 channels, so that its rows are taken as plain values";
                listener.notice(format!("{}: {:?}: {plain}", origin.name(), header.shape));
                ImageShape::row(header.count() / rows)
            }
        };
        let image = if is_transposed && axes.len() > 2 {
            axes.swap(1, 2);
            ImageShape { height: image.width, width: image.height, ..image }
        } else {
            image
        };
        Ok(Layout { rows, image, axes })
    }

    /// Whether the elements lie as they should.
    pub fn is_in_order(&self) -> bool {
        let mut step = 1;
        self.axes.iter().rev().all(|&[size, found]| {
            let expected = step;
            step *= size;
            size == 1 || found == expected
        })
    }

    /// The elements in the order of memory; there are as many as the layout has.
    pub fn arranged<T: Copy>(&self, elements: Vec<T>) -> Vec<T> {
        if self.is_in_order() {
            return elements;
        }
        let Some((&[width, step], outer)) = self.axes.split_last() else { return elements };
        let mut arranged = Vec::with_capacity(elements.len());
        let (mut at, mut start) = (vec![0; outer.len()], 0);
        while arranged.len() < elements.len() {
            arranged.extend((0..width).map(|place| elements[start + place * step]));
            // The next index, the innermost axis running fastest.
            for (index, &[size, step]) in at.iter_mut().zip(outer).rev() {
                *index += 1;
                start += step;
                if *index < size {
                    break;
                }
                start -= *index * step;
                *index = 0;
            }
        }
        arranged
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::super::element::Element;
    use super::*;
    use crate::data::found::Silent;

    fn layout(shape: &[u64], is_fortran: bool, is_transposed: bool) -> Result<Layout> {
        let header = Header::new(shape, Element::of_numpy("|u1"), is_fortran, 0).unwrap();
        Layout::of(&header, is_transposed, &Origin::file(Path::new("x.npy")), &mut Silent)
    }

    #[test]
    fn shapes_are_rows_of_images_or_of_values() {
        let image = |shape: &[u64]| layout(shape, false, false).unwrap().image;
        assert_eq!(image(&[5, 7]), ImageShape::row(7));
        assert_eq!(image(&[5, 7, 3]), ImageShape { height: 7, width: 3, channels: 1 });
        assert_eq!(image(&[5, 7, 6, 3]), ImageShape { height: 7, width: 6, channels: 3 });
        assert_eq!(image(&[5, 3, 7, 6]), ImageShape { height: 7, width: 6, channels: 3 });
        assert_eq!(
            image(&[5, 3, 7, 3]),
            ImageShape { height: 3, width: 7, channels: 3 },
            "channels last where both may be"
        );
        assert_eq!(image(&[5, 2, 7, 6]), ImageShape::row(84));
        assert_eq!(image(&[5, 2, 2, 2, 2]), ImageShape::row(16));
        for (shape, named) in
            [(&[5][..], "[rows, values]"), (&[5, 2, 2, 4], "alpha"), (&[0, 2], "at least one row"), (&[], "[rows")]
        {
            assert!(layout(shape, false, false).unwrap_err().to_string().contains(named), "{shape:?}");
        }
    }

    #[test]
    fn any_order_becomes_rows_with_channels_last() {
        // [1, 3, 2, 2]: the planes of one image.
        let planes: Vec<u8> = (0..12).collect();
        let image = layout(&[1, 3, 2, 2], false, false).unwrap().arranged(planes);
        assert_eq!(image, [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
        // [2, 3] in Fortran order: columns one after the other.
        assert_eq!(layout(&[2, 3], true, false).unwrap().arranged(vec![1, 4, 2, 5, 3, 6]), [1, 2, 3, 4, 5, 6]);
        let swapped = layout(&[2, 2, 3], false, true).unwrap();
        assert_eq!((swapped.image.height, swapped.image.width), (3, 2));
        assert_eq!(swapped.arranged((0..12).collect::<Vec<u8>>()), [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
        assert!(layout(&[4, 1, 5, 5], false, false).unwrap().is_in_order(), "one channel lies the same either way");
    }
}
