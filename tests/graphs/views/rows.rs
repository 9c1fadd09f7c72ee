//! Several rows a sample: what each operation takes its mean over.

use std::sync::Arc;

use super::{C, H, N, VALID, W};
use crate::training::difference;
use gpu_ae::autodiff;
use gpu_ae::graph::{Feeds, Graph, Op, OpRef, Role, Var, interpret};
use gpu_ae::ops::batch::valid_ones::ValidOnes;
use gpu_ae::ops::batch::valid_share::ValidShare;
use gpu_ae::ops::entropy::softmax_entropy::SoftmaxEntropy;
use gpu_ae::ops::loss::gaussian_kl::GaussianKl;
use gpu_ae::ops::loss::reconstruction_loss::{LossKind, ReconstructionLoss};
use gpu_ae::ops::loss::softmax_cross_entropy::SoftmaxCrossEntropy;
use gpu_ae::ops::loss::softmax_divergence::SoftmaxDivergence;
use gpu_ae::ops::loss::sparsity::{Penalty, Sparsity};
use gpu_ae::ops::norm::batch_norm::BatchNorm;
use gpu_ae::ops::norm::moments::Moments;
use gpu_ae::ops::step::clock;
use gpu_ae::tensor::{DType, HostTensor, Shape, Ty};

const PIXELS: usize = H * W;

/// Outputs of an operation alone, and the gradients of what the first of them is worth, by the f64 twins.
fn alone(op: &OpRef, inputs: &[HostTensor<f64>]) -> Vec<Vec<f64>> {
    let mut g = Graph::new();
    let mut feeds = Feeds::new();
    let mut source = |g: &mut Graph, name: String, value: HostTensor<f64>| {
        let var = g.source(Role::Input, name.clone(), value.ty());
        feeds.insert(name, value);
        var
    };
    let vars: Vec<Var> =
        inputs.iter().enumerate().map(|(i, x)| source(&mut g, format!("input {i}"), x.clone())).collect();
    let outputs = g.push(op.clone(), &vars).unwrap();
    let dims = g.ty(outputs[0]).shape.dims().to_vec();
    let seed = source(&mut g, "seed".into(), crate::difference::signed(&mut crate::difference::rng(3), &dims));
    let wrt: Vec<Var> = vars.into_iter().filter(|&var| g.ty(var).dtype == DType::F32).collect();
    let gradients = autodiff::grad(&mut g, &[(outputs[0], seed)], &wrt).unwrap();
    let values = interpret(&g, &mut feeds).unwrap();
    outputs.into_iter().chain(gradients.into_iter().flatten()).map(|var| values.get(var).real().to_vec()).collect()
}

fn valid(rows: usize) -> HostTensor<f64> {
    HostTensor::from_words(&[clock::WORDS], clock::with_valid_rows(rows).words())
}

/// Operations whose means are over rows, of pixels or of whatever they are: the operation for so many rows a sample,
/// and its inputs before the clock.
fn means_over_rows(rows_per_sample: usize) -> Vec<(OpRef, Vec<HostTensor<f64>>)> {
    let mut rng = crate::difference::rng(11);
    let mut matrix = || crate::difference::signed(&mut rng, &[N * PIXELS, C]);
    let column = HostTensor::from_f32(&[C], &[0.7, -1.2, 0.4, 0.9]);
    let labels: Vec<u32> = (0..(N * PIXELS) as u32).map(|row| row * 7 % C as u32).collect();
    let labels = HostTensor::from_words(&[N * PIXELS], &labels);
    let sparsity = |penalty| Arc::new(Sparsity { penalty, rows_per_sample });
    let ones = ValidOnes { rows: N * PIXELS, rows_per_sample, columns: C, column: Some(2) };
    vec![
        (Arc::new(BatchNorm::new(rows_per_sample)), vec![matrix(), column.clone(), column]),
        (Arc::new(Moments { rows_per_sample }), vec![matrix()]),
        (Arc::new(ValidShare { rows_per_sample }), vec![matrix()]),
        (Arc::new(ones), vec![]),
        (sparsity(Penalty::L1), vec![matrix()]),
        (sparsity(Penalty::Divergence { target: 0.1 }), vec![matrix()]),
        (Arc::new(SoftmaxEntropy { beta: -1.0, rows_per_sample }), vec![matrix()]),
        (Arc::new(SoftmaxCrossEntropy { rows_per_sample }), vec![matrix(), labels]),
        (Arc::new(SoftmaxDivergence { rows_per_sample }), vec![matrix(), matrix()]),
    ]
}

/// For these, a sample of several rows is several samples.
#[test]
fn means_over_rows_count_every_row_of_a_sample() {
    for ((op, inputs), (alike, _)) in means_over_rows(PIXELS).into_iter().zip(means_over_rows(1)) {
        let with = |clock: HostTensor<f64>| [inputs.clone(), vec![clock]].concat();
        let [got, expected] = [(&op, VALID), (&alike, VALID * PIXELS)].map(|(op, rows)| alone(op, &with(valid(rows))));
        assert_eq!(got, expected, "{} {}", op.name(), op.attributes());
        assert_ne!(alone(&alike, &with(valid(VALID))), expected, "{} counts no rows", op.name());
    }
}

/// For these, a sample of several rows is one long row.
#[test]
fn means_over_samples_add_the_rows_of_a_sample() {
    let mut rng = crate::difference::rng(13);
    let pair = [0, 1].map(|_| crate::difference::signed(&mut rng, &[N * PIXELS, C]));
    let ops = |rows_per_sample: usize| -> Vec<OpRef> {
        let loss = |kind| Arc::new(ReconstructionLoss { kind, rows_per_sample }) as OpRef;
        let losses = [LossKind::Mse, LossKind::Sse, LossKind::Bce].map(loss);
        losses.into_iter().chain([Arc::new(GaussianKl { rows_per_sample }) as OpRef]).collect()
    };
    for (op, alike) in ops(PIXELS).iter().zip(ops(1)) {
        let inputs = |dims: &[usize]| {
            let pair = pair.iter().map(|x| HostTensor { shape: Shape::new(dims), data: x.data.clone() });
            pair.chain([valid(VALID)]).collect::<Vec<_>>()
        };
        let [got, expected] = [alone(op, &inputs(&[N * PIXELS, C])), alone(&alike, &inputs(&[N, PIXELS * C]))];
        let label = format!("{} {}", op.name(), op.attributes());
        // A divergence of each dimension is one of each channel otherwise.
        for at in (0..got.len()).filter(|&at| got[at].len() == expected[at].len()) {
            let (got, expected) = (&got[at], &expected[at]);
            assert!(difference(got, expected) <= 1e-14, "{label}: {got:?}, expected {expected:?}");
        }
    }
}

/// One row a sample is what choices of kernels were remembered for, under the words that they had.
#[test]
fn one_row_a_sample_goes_without_saying() {
    for (op, _) in means_over_rows(1) {
        assert!(!op.attributes().contains("rows_per_sample"), "{} {}", op.name(), op.attributes());
    }
    let loss = |rows_per_sample| ReconstructionLoss { kind: LossKind::Mse, rows_per_sample };
    assert_eq!([1, 6].map(|rows| loss(rows).attributes()), ["mse", "mse rows_per_sample=6"]);
    assert_eq!([1, 6].map(|rows| BatchNorm::new(rows).attributes()), ["", "rows_per_sample=6"]);
}

#[test]
fn rows_that_are_no_whole_samples_are_refused() {
    for rows_per_sample in [0, PIXELS + 1] {
        for (op, inputs) in means_over_rows(rows_per_sample) {
            let types: Vec<Ty> = inputs.iter().map(HostTensor::ty).chain([clock::ty()]).collect();
            let refusal = op.infer(&types.iter().collect::<Vec<_>>()).unwrap_err().to_string();
            assert!(refusal.contains(op.name()) && refusal.contains("whole samples"), "{refusal}");
        }
    }
}
