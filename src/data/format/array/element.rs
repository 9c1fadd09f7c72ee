//! What arrays are made of: the types of their elements, and how those become bytes, f32 and whole numbers.

use half::f16;

/// Kind of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data::format) enum Kind {
    /// False or true, as bytes 0 and 1.
    Bool,
    /// A whole number from 0.
    Unsigned,
    /// A whole number, of two's complement.
    Signed,
    /// A number of IEEE 754.
    Float,
    /// Characters of four bytes each, zeros behind them.
    Text,
    /// Characters of one byte each, zeros behind them.
    Bytes,
    /// An object of Python, pickled.
    Object,
    /// Anything else.
    Other,
}

/// Type of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::data::format) struct Element {
    /// What it is.
    pub kind: Kind,
    /// Bytes that it takes; 0 if that is not known.
    pub size: usize,
    /// Whether its highest byte comes first.
    pub is_big: bool,
    /// What NumPy calls it, as `float32`; of what has no such name, as the file spells it.
    pub name: String,
}

impl Element {
    /// The type that NumPy spells like this, as `<f4`.
    pub fn of_numpy(spelt: &str) -> Element {
        let short = spelt.trim_start_matches(['<', '>', '|', '=']);
        let letter = short.chars().next();
        let count =
            letter.and_then(|letter| short[letter.len_utf8()..].parse::<u32>().ok()).map(|count| count as usize);
        let bits = count.unwrap_or(0).saturating_mul(8);
        let (kind, size, name) = match (letter, count) {
            (Some('b'), Some(1)) => (Kind::Bool, 1, "bool".into()),
            (Some('u'), Some(size @ (1 | 2 | 4 | 8))) => (Kind::Unsigned, size, format!("uint{bits}")),
            (Some('i'), Some(size @ (1 | 2 | 4 | 8))) => (Kind::Signed, size, format!("int{bits}")),
            (Some('f'), Some(size @ (2 | 4 | 8))) => (Kind::Float, size, format!("float{bits}")),
            (Some('f'), Some(size)) => (Kind::Other, size, format!("float{bits}")),
            (Some('c'), Some(size)) => (Kind::Other, size, format!("complex{bits}")),
            (Some('U'), Some(size)) => (Kind::Text, size.saturating_mul(4), spelt.into()),
            (Some('S' | 'a'), Some(size)) => (Kind::Bytes, size, spelt.into()),
            (Some('O'), _) => (Kind::Object, 0, "object".into()),
            _ => (Kind::Other, 0, spelt.into()),
        };
        Element { kind, size, is_big: spelt.starts_with('>'), name }
    }

    /// The type that IDX files give this code.
    pub fn of_idx(code: u8) -> Option<Element> {
        let spelt = match code {
            0x08 => "|u1",
            0x09 => "|i1",
            0x0b => ">i2",
            0x0c => ">i4",
            0x0d => ">f4",
            0x0e => ">f8",
            _ => return None,
        };
        Some(Element::of_numpy(spelt))
    }

    /// Whether it is a real number.
    pub fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Bool | Kind::Unsigned | Kind::Signed | Kind::Float)
    }

    /// Whether it is a byte as images have them.
    pub fn is_byte(&self) -> bool {
        (self.kind, self.size) == (Kind::Unsigned, 1)
    }

    /// Whether it lies in a file as this program keeps it in memory.
    #[cfg(feature = "native")]
    pub fn is_native(&self) -> bool {
        self.is_byte() || ((self.kind, self.size) == (Kind::Float, 4) && !self.is_big)
    }

    /// Appends those of `chunk`, which are numbers, as f32; says whether a whole number was rounded, having more than f32's
    /// 24 bits.
    pub fn floats(&self, chunk: &[u8], out: &mut Vec<f32>) -> bool {
        let mut is_rounded = false;
        macro_rules! each {
            ($type:ty, $value:ident => $float:expr) => {
                out.extend(chunk.chunks_exact(size_of::<$type>()).map(|word| {
                    let mut bytes = [0; size_of::<$type>()];
                    bytes.copy_from_slice(word);
                    let $value =
                        if self.is_big { <$type>::from_be_bytes(bytes) } else { <$type>::from_le_bytes(bytes) };
                    $float
                }))
            };
        }
        macro_rules! whole {
            ($type:ty) => {
                each!($type, value => {
                    let float = value as f32;
                    is_rounded |= f64::from(float) as i128 != value as i128;
                    float
                })
            };
        }
        match (self.kind, self.size) {
            (Kind::Bool, _) => out.extend(chunk.iter().map(|&byte| f32::from(u8::from(byte != 0)))),
            (Kind::Unsigned, 1) => out.extend(chunk.iter().map(|&byte| f32::from(byte))),
            (Kind::Signed, 1) => each!(i8, value => f32::from(value)),
            (Kind::Unsigned, 2) => each!(u16, value => f32::from(value)),
            (Kind::Signed, 2) => each!(i16, value => f32::from(value)),
            (Kind::Unsigned, 4) => whole!(u32),
            (Kind::Signed, 4) => whole!(i32),
            (Kind::Unsigned, 8) => whole!(u64),
            (Kind::Signed, 8) => whole!(i64),
            (Kind::Float, 2) => each!(f16, value => value.to_f32()),
            (Kind::Float, 4) => each!(f32, value => value),
            (Kind::Float, 8) => each!(f64, value => value as f32),
            _ => {}
        }
        is_rounded
    }

    /// The whole number that these bytes of one element are; nothing if they are none, or one beyond i64.
    pub fn whole(&self, word: &[u8]) -> Option<i64> {
        let mut bytes = [0; 8];
        let ordered = || word.iter().rev().copied();
        if self.is_big {
            bytes.iter_mut().zip(ordered()).for_each(|(to, from)| *to = from);
        } else {
            bytes.iter_mut().zip(word).for_each(|(to, from)| *to = *from);
        }
        let bits = u64::from_le_bytes(bytes);
        let float = match (self.kind, self.size) {
            (Kind::Bool, _) => return Some(i64::from(bits != 0)),
            (Kind::Unsigned, _) => return i64::try_from(bits).ok(),
            (Kind::Signed, size) => {
                let unused = 64 - 8 * size as u32;
                return Some(((bits << unused) as i64) >> unused);
            }
            (Kind::Float, 2) => f16::from_bits(bits as u16).to_f64(),
            (Kind::Float, 4) => f64::from(f32::from_bits(bits as u32)),
            (Kind::Float, 8) => f64::from_bits(bits),
            _ => return None,
        };
        // Beyond this, not every whole number is a float.
        (float.fract() == 0.0 && float.abs() <= (1u64 << 53) as f64).then_some(float as i64)
    }

    /// The characters of one element; nothing if they are none, or if it is no text.
    pub fn text(&self, word: &[u8]) -> Option<String> {
        let text = match self.kind {
            Kind::Text => {
                let letter = |word: &[u8]| {
                    let bytes = [word[0], word[1], word[2], word[3]];
                    char::from_u32(if self.is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
                };
                word.chunks_exact(4).map(letter).collect::<Option<String>>()?
            }
            Kind::Bytes => String::from_utf8(word.to_vec()).ok()?,
            _ => return None,
        };
        Some(text.trim_end_matches('\0').to_string())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_type_and_order_read_the_same() {
        for size in [1usize, 2, 4, 8] {
            for (order, is_big) in [("<", false), (">", true)] {
                let signed = Element::of_numpy(&format!("{order}i{size}"));
                let unsigned = Element::of_numpy(&format!("{order}u{size}"));
                let mut bytes = (-3i64).to_le_bytes()[..size].to_vec();
                if is_big {
                    bytes.reverse();
                }
                let mut floats = Vec::new();
                assert!(!signed.floats(&bytes, &mut floats));
                assert_eq!((floats[0], signed.whole(&bytes)), (-3.0, Some(-3)));
                let high = (u64::MAX >> (64 - 8 * size)) - 2;
                assert_eq!(unsigned.whole(&bytes), i64::try_from(high).ok());
                // -3 as an unsigned number of more than 24 bits is no f32.
                assert_eq!(unsigned.floats(&bytes, &mut floats), size > 3);
            }
        }
    }

    #[test]
    fn floats_are_whole_numbers_only_where_they_are() {
        let double = Element::of_numpy("<f8");
        assert_eq!(double.whole(&7.0f64.to_le_bytes()), Some(7));
        for wrong in [7.5f64, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(double.whole(&wrong.to_le_bytes()), None);
        }
        let half = Element::of_numpy(">f2");
        assert_eq!(half.whole(&f16::from_f32(-12.0).to_be_bytes()), Some(-12));
        let mut floats = Vec::new();
        half.floats(&f16::from_f32(0.5).to_be_bytes(), &mut floats);
        assert_eq!(floats, [0.5]);
    }

    #[test]
    fn texts_end_where_the_zeros_begin() {
        let wide: Vec<u8> = ['ä', 'b', '\0'].iter().flat_map(|&letter| (letter as u32).to_be_bytes()).collect();
        assert_eq!(Element::of_numpy(">U3").text(&wide).unwrap(), "äb");
        assert_eq!(Element::of_numpy("|S3").text(b"ab\0").unwrap(), "ab");
        assert_eq!(Element::of_numpy("<U1").text(&u32::MAX.to_le_bytes()), None);
    }
}
