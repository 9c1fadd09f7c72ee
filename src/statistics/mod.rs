//! Plain numbers, no device: how good scores, codes and clusters are.

pub mod agreement;
pub mod assignments;
pub mod auroc;
pub mod cholesky;
pub mod correlation;
pub mod mixture;
pub mod ms_ssim;
pub mod nearest;
pub mod normality;
pub mod principal;
mod softmax_loss;
pub mod softmax_regression;
pub mod sparsity;
pub mod spectrum;
