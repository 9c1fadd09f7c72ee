//! The values of many rows: bytes as an image has them, or f32; owned, or mapped from a file.

use std::fmt;
use std::sync::Arc;

/// How a value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// A byte, of which 255 stands for 1.
    Byte,
    /// An f32, as it is.
    Float,
}

impl ValueKind {
    /// Bytes that a value takes.
    pub fn bytes(self) -> usize {
        match self {
            ValueKind::Byte => 1,
            ValueKind::Float => 4,
        }
    }
}

/// The values of many rows, one row after the other. A clone shares the memory.
#[derive(Clone)]
pub struct Values {
    kind: ValueKind,
    memory: Memory,
}

#[derive(Clone)]
enum Memory {
    Bytes(Arc<Vec<u8>>),
    Floats(Arc<Vec<f32>>),
    #[cfg(feature = "native")]
    Mapped(Arc<super::mapped::Mapped>),
    Foreign(Arc<dyn Foreign>),
}

/// Memory of somebody else, such as an array of Python's, which stays where it is and what it is as long as this is there.
pub trait Foreign: Send + Sync {
    /// Its bytes.
    fn bytes(&self) -> &[u8];
}

impl Values {
    /// Bytes in memory.
    pub fn of_bytes(bytes: Vec<u8>) -> Self {
        Values { kind: ValueKind::Byte, memory: Memory::Bytes(Arc::new(bytes)) }
    }

    /// Floats in memory.
    pub fn of_floats(floats: Vec<f32>) -> Self {
        Values { kind: ValueKind::Float, memory: Memory::Floats(Arc::new(floats)) }
    }

    /// Values in a mapped file, little-endian.
    #[cfg(feature = "native")]
    pub fn mapped(kind: ValueKind, mapped: super::mapped::Mapped) -> Self {
        Values { kind, memory: Memory::Mapped(Arc::new(mapped)) }
    }

    /// Values in memory of somebody else, little-endian.
    pub fn foreign(kind: ValueKind, memory: Arc<dyn Foreign>) -> Self {
        Values { kind, memory: Memory::Foreign(memory) }
    }

    /// Whether they lie in a file, so that looking at them may mean waiting for it.
    pub fn is_mapped(&self) -> bool {
        match &self.memory {
            Memory::Bytes(_) | Memory::Floats(_) | Memory::Foreign(_) => false,
            #[cfg(feature = "native")]
            Memory::Mapped(_) => true,
        }
    }

    /// How each of them is stored.
    pub fn kind(&self) -> ValueKind {
        self.kind
    }

    /// All of them as they lie in memory.
    pub fn raw(&self) -> &[u8] {
        match &self.memory {
            Memory::Bytes(bytes) => bytes,
            Memory::Floats(floats) => bytemuck::cast_slice(floats),
            #[cfg(feature = "native")]
            Memory::Mapped(mapped) => mapped.bytes(),
            Memory::Foreign(foreign) => foreign.bytes(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.raw().len() / self.kind.bytes()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.raw().is_empty()
    }

    /// Each of them so many times, one behind the other, in memory: grey as red, green and blue.
    #[cfg(feature = "native")]
    pub(super) fn repeated(&self, times: usize) -> Values {
        let words = self.raw().chunks_exact(self.kind.bytes());
        let raw: Vec<u8> = words.flat_map(|word| std::iter::repeat_n(word, times)).flatten().copied().collect();
        match self.kind {
            ValueKind::Byte => Values::of_bytes(raw),
            ValueKind::Float => Values::of_floats(bytemuck::pod_collect_to_vec(&raw)),
        }
    }

    /// Appends those of `range` to `out`, bytes as shares of 255.
    pub fn append(&self, range: std::ops::Range<usize>, out: &mut Vec<f32>) {
        let size = self.kind.bytes();
        let raw = &self.raw()[range.start * size..range.end * size];
        match self.kind {
            ValueKind::Byte => out.extend(raw.iter().map(|&byte| f32::from(byte) / 255.0)),
            ValueKind::Float => {
                let float = |word: &[u8]| f32::from_le_bytes([word[0], word[1], word[2], word[3]]);
                out.extend(raw.chunks_exact(4).map(float));
            }
        }
    }
}

impl Default for Values {
    fn default() -> Self {
        Values::of_bytes(Vec::new())
    }
}

/// Values are the same that read the same.
impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.raw() == other.raw()
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {:?}", self.len(), self.kind)
    }
}
