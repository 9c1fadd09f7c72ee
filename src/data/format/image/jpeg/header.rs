//! What a JPEG file says of itself before its first scan.

use super::huffman::Table;

/// Places of a block's coefficients in the order in which they are written.
pub const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// One of the planes of an image.
#[derive(Clone, Copy, Debug, Default)]
pub struct Component {
    /// What scans call it.
    pub id: u8,
    /// Blocks of it side by side in a unit, and one below the other.
    pub blocks: [usize; 2],
    /// Which table its coefficients are multiplied by.
    pub quantization: usize,
    /// Which tables its first coefficients and the rest are coded by.
    pub tables: [usize; 2],
}

/// How an image is coded: the second byte of the marker of its frame.
const BASELINE: u8 = 0xc0;
const EXTENDED: u8 = 0xc1;

/// All of it.
#[derive(Default)]
pub struct Header {
    /// Second byte of the frame's marker: which kind of coding it is.
    pub coding: u8,
    /// Bits of a value.
    pub bits: u8,
    /// Pixels in a row.
    pub width: usize,
    /// Rows of pixels; 0 if that is said behind them.
    pub height: usize,
    /// The planes.
    pub components: Vec<Component>,
    /// What coefficients are multiplied by, in the order in which these are written.
    pub quantization: [Option<[f32; 64]>; 4],
    /// Tables of codes for first coefficients and for the rest.
    pub codes: [[Option<Table>; 4]; 2],
    /// Units from one restart marker to the next; 0 if there is none.
    pub restart: usize,
    /// What Adobe's marker says of the colours.
    pub adobe: Option<u8>,
    /// The camera's notes.
    pub exif: Option<Vec<u8>>,
    /// Whether the first scan has all planes, and all there is of them.
    pub is_whole_scan: bool,
    /// Where the codes of the first scan begin.
    pub scan: usize,
}

impl Header {
    /// Reads up to the first scan; nothing if there is none, or if what is before it makes no sense.
    pub fn read(bytes: &[u8]) -> Option<Header> {
        let mut header = Header::default();
        let mut at = 2;
        loop {
            while *bytes.get(at)? != 255 {
                at += 1;
            }
            while *bytes.get(at)? == 255 {
                at += 1;
            }
            let marker = bytes[at];
            at += 1;
            if matches!(marker, 0 | 1 | 0xd0..=0xd8) {
                continue;
            }
            let length = usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
            let segment = bytes.get(at + 2..at + length)?;
            at += length;
            match marker {
                0xc4 => header.read_codes(segment)?,
                0xdb => header.read_quantization(segment)?,
                0xc0..=0xcf if !matches!(marker, 0xc8 | 0xcc) => header.read_frame(marker, segment)?,
                0xdd => header.restart = usize::from(u16::from_be_bytes([*segment.first()?, *segment.get(1)?])),
                0xe1 => {
                    if let Some(exif) = segment.strip_prefix(b"Exif\0\0") {
                        header.exif.get_or_insert_with(|| exif.to_vec());
                    }
                }
                0xee if segment.starts_with(b"Adobe") => header.adobe = segment.get(11).copied(),
                0xd9 => return None,
                0xda => {
                    header.read_scan(segment)?;
                    header.scan = at;
                    return (!header.components.is_empty()).then_some(header);
                }
                _ => {}
            }
        }
    }

    /// Whether it is coded in the common way: Huffman codes of 8 bit values, one scan from top to bottom.
    pub fn is_sequential(&self) -> bool {
        matches!(self.coding, BASELINE | EXTENDED) && self.bits == 8 && self.is_whole_scan
    }

    fn read_frame(&mut self, marker: u8, segment: &[u8]) -> Option<()> {
        let &[bits, h1, h0, w1, w0, count, ref rest @ ..] = segment else { return None };
        self.coding = marker;
        self.bits = bits;
        self.height = usize::from(u16::from_be_bytes([h1, h0]));
        self.width = usize::from(u16::from_be_bytes([w1, w0]));
        let of = |part: &[u8]| Component {
            id: part[0],
            blocks: [usize::from(part[1] >> 4), usize::from(part[1] & 15)],
            quantization: usize::from(part[2]),
            tables: [0; 2],
        };
        self.components = rest.chunks_exact(3).take(usize::from(count)).map(of).collect();
        let are_right = |component: &Component| {
            component.blocks.iter().all(|blocks| (1..=4).contains(blocks)) && component.quantization < 4
        };
        let is_right = self.components.len() == usize::from(count) && self.components.iter().all(are_right);
        (is_right && self.width > 0).then_some(())
    }

    fn read_quantization(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let (is_wide, place) = (kind >> 4 == 1, usize::from(kind & 15));
            let bytes = if is_wide { 128 } else { 64 };
            let values = rest.get(..bytes)?;
            let value = |at: usize| match is_wide {
                true => f32::from(u16::from_be_bytes([values[2 * at], values[2 * at + 1]])),
                false => f32::from(values[at]),
            };
            *self.quantization.get_mut(place)? = Some(std::array::from_fn(value));
            segment = &rest[bytes..];
        }
        Some(())
    }

    fn read_codes(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let counts: &[u8; 16] = rest.get(..16)?.try_into().ok()?;
            let number = counts.iter().map(|&count| usize::from(count)).sum::<usize>();
            let symbols = rest.get(16..16 + number)?;
            let tables = self.codes.get_mut(usize::from(kind >> 4))?;
            *tables.get_mut(usize::from(kind & 15))? = Some(Table::new(counts, symbols)?);
            segment = &rest[16 + number..];
        }
        Some(())
    }

    fn read_scan(&mut self, segment: &[u8]) -> Option<()> {
        let (&count, rest) = segment.split_first()?;
        let count = usize::from(count);
        let (planes, range) = rest.split_at_checked(2 * count)?;
        self.is_whole_scan = count == self.components.len() && range.starts_with(&[0, 63, 0]);
        for (component, plane) in self.components.iter_mut().zip(planes.chunks_exact(2)) {
            self.is_whole_scan &= component.id == plane[0];
            component.tables = [usize::from(plane[1] >> 4), usize::from(plane[1] & 15)];
        }
        Some(())
    }
}
