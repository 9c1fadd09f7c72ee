//! What a case should give: the f64 twin's answer, or another device's.

#[cfg(feature = "native")]
use super::check::load;
use super::check::{CaseReport, compare};
#[cfg(feature = "native")]
use crate::device::Device;
use crate::error::Result;
use crate::ops::{Case, Terms, Tolerance};
use crate::tensor::{Data, HostTensor, Ty};

/// What a case should give.
#[derive(Clone, Debug)]
pub struct Reference {
    outputs: Vec<HostTensor<f64>>,
    /// What the tolerance of each element is proportional to.
    terms: Vec<Vec<f64>>,
}

impl Reference {
    /// What another device makes of a case of floats.
    ///
    /// # Errors
    /// When that device fails.
    #[cfg(feature = "native")]
    pub fn measured(device: &mut dyn Device, case: &Case) -> Result<Self> {
        let mut run = |case: &Case| -> Result<Vec<HostTensor<f64>>> {
            let loaded = load(device, case)?;
            device.run(loaded.program(), 1)?;
            let read = |name: &String| -> Result<HostTensor<f64>> {
                let ty = device.plan(loaded.program()).results[name].ty.clone();
                Ok(HostTensor::from_f32(ty.shape.dims(), &device.read_f32(loaded.program(), name)?))
            };
            loaded.outputs.iter().map(read).collect()
        };
        let outputs = run(case)?;
        let mut absolute = case.clone();
        for input in &mut absolute.inputs {
            input.real_mut().iter_mut().for_each(|x| *x = x.abs());
        }
        let terms = terms(case.tolerance.terms, &outputs, || run(&absolute))?;
        Ok(Reference { outputs, terms })
    }

    /// Judges one output, as it lies on a device.
    pub(in crate::device) fn judge(&self, port: usize, bytes: &[u8], tolerance: &Tolerance) -> CaseReport {
        let one = match &self.outputs[port].data {
            Data::Real(x) => {
                let got: Vec<f32> = bytemuck::pod_collect_to_vec(bytes);
                compare(&got, x, &self.terms[port], tolerance)
            }
            Data::Words(x) => {
                let got: Vec<u32> = bytemuck::pod_collect_to_vec(bytes);
                let wrong = got.iter().zip(x).position(|(got, x)| got != x);
                let problem = wrong.map(|i| format!("word {i} is {:#x}, expected {:#x}", got[i], x[i]));
                CaseReport { worst: if problem.is_some() { f64::INFINITY } else { 0.0 }, problem, by_twin: false }
            }
            Data::Bytes(_) => {
                CaseReport { worst: f64::INFINITY, problem: Some("an output of bytes".into()), by_twin: false }
            }
        };
        CaseReport { problem: one.problem.map(|problem| format!("output {port}: {problem}")), ..one }
    }

    /// Largest error of the twin at f32 as a share of what is allowed: near 1, the case asks for more than
    /// f32 can give.
    pub fn error_of_f32(&self, case: &Case) -> f64 {
        let inputs: Vec<&HostTensor<f32>> = case.inputs.iter().collect();
        let mut outputs: Vec<HostTensor<f32>> = self.outputs.iter().map(|x| HostTensor::zeros(&x.ty())).collect();
        case.op.eval_f32(&inputs, &mut outputs);
        let judged = outputs.iter().enumerate();
        judged.map(|(i, x)| self.judge(i, &x.to_device_bytes(), &case.tolerance).worst).fold(0.0, f64::max)
    }
}

/// What the tolerance of each element is proportional to, given how to compute on absolute inputs.
fn terms(
    terms: Terms,
    outputs: &[HostTensor<f64>],
    absolute: impl FnOnce() -> Result<Vec<HostTensor<f64>>>,
) -> Result<Vec<Vec<f64>>> {
    let magnitudes = |tensor: &HostTensor<f64>| tensor.real().iter().map(|x| x.abs()).collect();
    Ok(match terms {
        Terms::OfAbsoluteInputs => absolute()?.iter().map(magnitudes).collect(),
        Terms::Largest => outputs
            .iter()
            .map(|t| vec![t.real().iter().fold(0.0, |most: f64, x| most.max(x.abs())); t.real().len()])
            .collect(),
        Terms::Each | Terms::Exact => outputs.iter().map(magnitudes).collect(),
    })
}

/// The f64 twin's outputs, and what their tolerance is proportional to.
///
/// # Errors
/// When the operation refuses the case's inputs.
pub fn reference(case: &Case) -> Result<Reference> {
    let wide = |tensor: &HostTensor<f32>, absolute: bool| match &tensor.data {
        Data::Real(x) => {
            let x = x.iter().map(|&x| if absolute { f64::from(x).abs() } else { f64::from(x) }).collect();
            HostTensor { shape: tensor.shape.clone(), data: Data::Real(x) }
        }
        Data::Words(x) => HostTensor { shape: tensor.shape.clone(), data: Data::Words(x.clone()) },
        Data::Bytes(x) => HostTensor { shape: tensor.shape.clone(), data: Data::Bytes(x.clone()) },
    };
    let evaluate = |absolute: bool| {
        let inputs: Vec<HostTensor<f64>> = case.inputs.iter().map(|input| wide(input, absolute)).collect();
        let borrowed: Vec<&HostTensor<f64>> = inputs.iter().collect();
        let types: Vec<Ty> = inputs.iter().map(HostTensor::ty).collect();
        let outputs = case.op.infer(&types.iter().collect::<Vec<_>>())?;
        let mut outputs: Vec<HostTensor<f64>> = outputs.iter().map(HostTensor::zeros).collect();
        case.op.eval_f64(&borrowed, &mut outputs);
        Ok(outputs)
    };
    let outputs = evaluate(false)?;
    let terms = terms(case.tolerance.terms, &outputs, || evaluate(true))?;
    Ok(Reference { outputs, terms })
}
