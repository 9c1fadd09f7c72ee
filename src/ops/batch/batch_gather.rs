//! The batch: chosen rows of a data set of bytes, as floats in \[0, 1\], or of floats, as they are.
//!
//! x\[i, j\] = data\[rows\[i\], j\] / 255, of floats data\[rows\[i\], j\]; rows of padding are 0. Bytes stay on the
//! device as they are on disk, four to a word, each row padded to whole words.

use super::batch_rows::PADDING;
use crate::error::{Error, Result};
use crate::graph::Op;
use crate::ops::kernel::check::{arity, same};
use crate::ops::kernel::samples::Samples;
use crate::ops::kernel::{Bind, Case, Cost, Kernel, Launch, Request, Terms, Tolerance, Work};
use crate::shader::ShaderKey;
use crate::tensor::{DType, Data, HostTensor, Real, Ty};

/// Rows as floats, for inputs (data u8 \[N, stride\] or f32 \[N, features\], rows u32 \[B\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchGather {
    /// Values of a row; the stride of bytes rounds them up to a multiple of four.
    pub features: usize,
}

impl BatchGather {
    /// Bytes from one row of bytes to the next.
    pub fn stride(self) -> usize {
        self.features.next_multiple_of(4)
    }

    /// Refuses data that is not rows of bytes, for operations that unpack bytes themselves.
    pub(in crate::ops) fn check_bytes(self, op: &str, data: &Ty) -> Result<()> {
        if data.dtype == DType::U8 && data.shape.matrix().is_some_and(|(_, stride)| stride == self.stride()) {
            return Ok(());
        }
        Err(Error::graph(op, format!("the data must be bytes with rows of {}, got {data}", self.stride())))
    }

    /// Writes row `row` of data to `out`.
    pub(in crate::ops) fn copy<T: Real>(self, data: &HostTensor<T>, row: usize, out: &mut [T]) {
        match &data.data {
            Data::Real(data) => out.copy_from_slice(&data[row * self.features..][..self.features]),
            _ => {
                for (x, &byte) in out.iter_mut().zip(&data.bytes()[row * self.stride()..]) {
                    *x = T::of(f64::from(byte)) / T::of(255.0);
                }
            }
        }
    }

    fn eval<T: Real>(&self, x: &[&HostTensor<T>], y: &mut [HostTensor<T>]) {
        for (out, &row) in y[0].real_mut().chunks_exact_mut(self.features).zip(x[1].words()) {
            if row != PADDING {
                self.copy(x[0], row as usize, out);
            }
        }
    }
}

/// Refuses data whose rows are neither bytes padded to whole words nor floats, `features` to a row.
pub(in crate::ops) fn check_data(op: &str, data: &Ty, features: usize) -> Result<()> {
    let columns = data.shape.matrix().map(|(_, columns)| columns);
    let stride = features.next_multiple_of(4);
    let fits = match data.dtype {
        DType::U8 => columns == Some(stride),
        DType::F32 => columns == Some(features),
        DType::U32 => false,
    };
    let expected =
        || format!("the data must be bytes with rows of {stride} or floats with rows of {features}, got {data}");
    if fits { Ok(()) } else { Err(Error::graph(op, expected())) }
}

/// The snippets by which a kernel reads rows of this data and writes them, four values at a time.
pub(in crate::ops) fn snippets(data: &Ty, features: usize) -> Vec<&'static str> {
    let whole = features.is_multiple_of(4);
    let load = match (data.dtype, whole) {
        (DType::F32, true) => Some("batch_load_vec4"),
        (DType::F32, false) => Some("batch_load_scalar"),
        _ => None,
    };
    let store = if whole { "batch_store_vec4" } else { "batch_store_scalar" };
    vec![load.unwrap_or("batch_load_bytes"), store]
}

impl Op for BatchGather {
    fn name(&self) -> &'static str {
        "batch_gather"
    }

    fn attributes(&self) -> String {
        format!("{} features", self.features)
    }

    fn infer(&self, inputs: &[&Ty]) -> Result<Vec<Ty>> {
        let [data, rows] = arity("batch_gather", inputs)?;
        check_data("batch_gather", data, self.features)?;
        same("batch_gather", "the row numbers", rows, &Ty::u32(&[rows.elements()]))?;
        Ok(vec![Ty::f32(&[rows.elements(), self.features])])
    }

    crate::twin!();
}

/// Floats are only moved.
pub(in crate::ops) const AS_THEY_ARE: Tolerance =
    Tolerance::new(0.0, 0.0, Terms::Each, "values are moved, not computed with");

/// `shaders/batch/batch_gather.wgsl`
pub struct BatchGatherKernel;

impl Kernel for BatchGatherKernel {
    fn stem(&self) -> &'static str {
        "batch_gather"
    }

    fn matches(&self, op: &dyn Op) -> bool {
        op.downcast::<BatchGather>().is_some()
    }

    fn launch(&self, r: &Request<'_>) -> Result<Launch> {
        let features = r.outputs[0].shape.dims()[1];
        let words_per_row = features.div_ceil(4);
        let words = r.inputs[1].elements() * words_per_row;
        Ok(Launch::single(
            ShaderKey { snippets: snippets(r.inputs[0], features), ..ShaderKey::plain(self.stem()) },
            vec![Bind::Input(0), Bind::Input(1), Bind::Output(0)],
            vec![words as u32, words_per_row as u32, features as u32],
            Work::Invocations(words),
        ))
    }

    fn cost(&self, r: &Request<'_>) -> Result<Cost> {
        let elements = r.outputs[0].elements() as f64;
        let bytes = 4 + r.inputs[0].dtype.bytes();
        Ok(Cost { flops: elements, bytes: bytes as f64 * elements })
    }

    fn cases(&self) -> Vec<Case> {
        let rounding =
            Tolerance::new(0.0, 2e-7, Terms::Each, "one division or multiplication by 1/255: 2.5 ULP in WGSL");
        let mut s = Samples::new("batch_gather");
        let mut case = |n: usize, features: usize, batch: usize, dtype: DType| {
            let op = BatchGather { features };
            let mut rows = s.words(&[batch], n as u32);
            if let (true, Some(last)) = (batch > 1, rows.words_mut().last_mut()) {
                *last = PADDING;
            }
            let (data, tolerance, kind) = match dtype {
                DType::F32 => (s.normal(&[n, features]), AS_THEY_ARE, " floats"),
                _ => (s.bytes(&[n, op.stride()]), rounding, ""),
            };
            Case::new(format!("{batch} of {n}x{features}{kind}"), op, vec![data, rows], tolerance)
        };
        let bytes = DType::U8;
        let floats = DType::F32;
        vec![
            case(1, 1, 1, bytes),
            case(9, 5, 4, bytes),
            case(33, 67, 65, bytes),
            case(50, 784, 7, bytes),
            case(2000, 784, 128, bytes).benched(),
            case(1, 1, 1, floats),
            case(9, 5, 4, floats),
            case(33, 67, 65, floats),
            case(50, 784, 7, floats),
            case(2000, 784, 128, floats),
            case(5, 4099, 3, bytes),
            case(5, 4097, 3, floats),
        ]
    }
}
