//! Shapes, element types and tensors on the host: what the graph talks about and the CPU twins
//! compute with.

use std::fmt;

use bytemuck::Zeroable;

use crate::error::{Error, Result};

/// So many zeros, for what may be too much for a machine: without memory for them the program would end where it stands.
///
/// # Errors
/// When there is no memory for them; the message says how much `what` needs.
pub fn zeroed<T: Zeroable>(length: usize, what: impl fmt::Display) -> Result<Vec<T>> {
    bytemuck::try_zeroed_vec(length).map_err(|()| Error::memory(what, length.saturating_mul(size_of::<T>())))
}

/// Element type of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// 32-bit IEEE float.
    F32,
    /// 32-bit unsigned integer.
    U32,
    /// Byte, read on the device four to a word.
    U8,
}

impl DType {
    /// Bytes an element takes.
    pub fn bytes(self) -> usize {
        match self {
            DType::F32 | DType::U32 => 4,
            DType::U8 => 1,
        }
    }
}

/// Extents of a tensor, outermost first; empty for a scalar.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// A shape of the given extents.
    pub fn new(dims: &[usize]) -> Self {
        Shape(dims.to_vec())
    }

    /// The extents, outermost first.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// Number of elements; 1 for a scalar.
    pub fn elements(&self) -> usize {
        self.0.iter().product()
    }

    /// Rows and columns when this is a matrix.
    pub fn matrix(&self) -> Option<(usize, usize)> {
        match self.0[..] {
            [rows, columns] => Some((rows, columns)),
            _ => None,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("scalar");
        }
        let dims: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&dims.join("x"))
    }
}

/// Type of a value in a graph: shape and element type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ty {
    /// Extents.
    pub shape: Shape,
    /// Element type.
    pub dtype: DType,
}

impl Ty {
    /// A float tensor type.
    pub fn f32(dims: &[usize]) -> Self {
        Ty { shape: Shape::new(dims), dtype: DType::F32 }
    }

    /// An unsigned integer tensor type.
    pub fn u32(dims: &[usize]) -> Self {
        Ty { shape: Shape::new(dims), dtype: DType::U32 }
    }

    /// A byte tensor type.
    pub fn u8(dims: &[usize]) -> Self {
        Ty { shape: Shape::new(dims), dtype: DType::U8 }
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.elements()
    }

    /// Bytes on a device: whole 32-bit words.
    pub fn bytes(&self) -> usize {
        (self.elements() * self.dtype.bytes()).next_multiple_of(4)
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = match self.dtype {
            DType::F32 => "",
            DType::U32 => " u32",
            DType::U8 => " u8",
        };
        write!(f, "{}{suffix}", self.shape)
    }
}

/// The floats twins are written for: f32 to run, f64 to be the oracle.
pub trait Real: num_traits::Float + std::iter::Sum + std::ops::AddAssign + Send + Sync + fmt::Debug + 'static {
    /// Nearest value to a literal.
    fn of(value: f64) -> Self;
    /// The value widened.
    fn f64(self) -> f64;
}

impl Real for f32 {
    fn of(value: f64) -> Self {
        value as f32
    }
    fn f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    fn of(value: f64) -> Self {
        value
    }
    fn f64(self) -> f64 {
        self
    }
}

/// Elements of a host tensor. `Real` stands for F32 on a device, at the precision of the twin.
#[derive(Clone, Debug, PartialEq)]
pub enum Data<T> {
    /// Floats.
    Real(Vec<T>),
    /// 32-bit words.
    Words(Vec<u32>),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A dense row-major tensor on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor<T> {
    /// Extents.
    pub shape: Shape,
    /// Elements, row-major.
    pub data: Data<T>,
}

impl<T: Real> HostTensor<T> {
    /// Zeros of a type.
    pub fn zeros(ty: &Ty) -> Self {
        let n = ty.elements();
        let data = match ty.dtype {
            DType::F32 => Data::Real(vec![T::zero(); n]),
            DType::U32 => Data::Words(vec![0; n]),
            DType::U8 => Data::Bytes(vec![0; n]),
        };
        HostTensor { shape: ty.shape.clone(), data }
    }

    /// A float tensor from f32 elements.
    pub fn from_f32(dims: &[usize], elements: &[f32]) -> Self {
        let data = elements.iter().map(|&x| T::of(f64::from(x))).collect();
        HostTensor { shape: Shape::new(dims), data: Data::Real(data) }
    }

    /// A word tensor.
    pub fn from_words(dims: &[usize], words: &[u32]) -> Self {
        HostTensor { shape: Shape::new(dims), data: Data::Words(words.to_vec()) }
    }

    /// A byte tensor.
    pub fn from_bytes(dims: &[usize], bytes: &[u8]) -> Self {
        HostTensor { shape: Shape::new(dims), data: Data::Bytes(bytes.to_vec()) }
    }

    /// The type this tensor has on a device.
    pub fn ty(&self) -> Ty {
        let dtype = match self.data {
            Data::Real(_) => DType::F32,
            Data::Words(_) => DType::U32,
            Data::Bytes(_) => DType::U8,
        };
        Ty { shape: self.shape.clone(), dtype }
    }

    /// The floats; empty for another element type (which `infer` has excluded).
    pub fn real(&self) -> &[T] {
        match &self.data {
            Data::Real(x) => x,
            _ => &[],
        }
    }

    /// The floats, to be written.
    pub fn real_mut(&mut self) -> &mut [T] {
        match &mut self.data {
            Data::Real(x) => x,
            _ => &mut [],
        }
    }

    /// The words; empty for another element type.
    pub fn words(&self) -> &[u32] {
        match &self.data {
            Data::Words(x) => x,
            _ => &[],
        }
    }

    /// The words, to be written.
    pub fn words_mut(&mut self) -> &mut [u32] {
        match &mut self.data {
            Data::Words(x) => x,
            _ => &mut [],
        }
    }

    /// The bytes; empty for another element type.
    pub fn bytes(&self) -> &[u8] {
        match &self.data {
            Data::Bytes(x) => x,
            _ => &[],
        }
    }

    /// The first float: the value of a scalar.
    pub fn scalar(&self) -> T {
        self.real().first().copied().unwrap_or_else(T::nan)
    }

    /// Elements as a device holds them: little-endian, padded with zeros to whole words.
    pub fn to_device_bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = match &self.data {
            Data::Real(x) => x.iter().flat_map(|v| (v.f64() as f32).to_le_bytes()).collect(),
            Data::Words(x) => x.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Data::Bytes(x) => x.clone(),
        };
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    /// The inverse of [`HostTensor::to_device_bytes`].
    pub fn from_device_bytes(ty: &Ty, bytes: &[u8]) -> Self {
        let words = bytes.as_chunks::<4>().0.iter();
        let data = match ty.dtype {
            DType::F32 => Data::Real(words.map(|&w| T::of(f64::from(f32::from_le_bytes(w)))).collect()),
            DType::U32 => Data::Words(words.map(|&w| u32::from_le_bytes(w)).collect()),
            DType::U8 => Data::Bytes(bytes[..ty.elements()].to_vec()),
        };
        HostTensor { shape: ty.shape.clone(), data }
    }
}
