//! The project's formulas against golden vectors of an independent float64 implementation, on the f64
//! interpreter, the CPU device and the adapter: one named test a formula.
//!
//! `GPU_AE_GOLDEN` names another folder of the same form to be read instead of `tests/golden`.

use crate::common;
use crate::golden_support::compare::share;
use crate::golden_support::vectors::{Expected, Golden};
use crate::golden_support::{
    NOT_IMPLEMENTED, Runner, augment, bits, classes, codes, contractive, conv, energy, family, judging, network, norm,
    optimisers, order, paths, proof, reconstruction, wasserstein, weights,
};

/// Makes a test of every runner, and the list of all.
macro_rules! stamp {
    ($($test:ident => $runner:expr),+ $(,)?) => {
        const RUNNERS: &[Runner] = &[$($runner),+];

        $(#[test]
        fn $test() {
            let runner = $runner;
            assert_eq!(stringify!($test), format!("golden_{}", runner.formula));
            proof::prove(&runner, common::gpu());
        })+
    };
}

stamp! {
    golden_batch_norm2d => norm::BATCH_NORM,
    golden_cdf_from_masses => bits::coding::MASSES,
    golden_cdf_tables => bits::coding::TABLES,
    golden_contractive_1layer => contractive::ONE_LAYER,
    golden_contractive_2layer => contractive::TWO_LAYERS,
    golden_conv2d => conv::CONV,
    golden_conv_autoencoder => conv::AUTOENCODER,
    golden_conv_transpose2d => conv::TRANSPOSED,
    golden_corruption => family::CORRUPTION,
    golden_dcgan_generator => conv::blocks::GENERATOR,
    golden_entropy_bottleneck => bits::hyperprior::BOTTLENECK,
    golden_factorized_bits => bits::rate::FACTORIZED,
    golden_gaussian_bits => bits::rate::GAUSSIAN,
    golden_gaussian_kl => family::GAUSSIAN_KL,
    golden_group_norm => norm::GROUP_NORM,
    golden_hopfield => energy::HOPFIELD,
    golden_hyperprior_bits => bits::hyperprior::HYPERPRIOR,
    golden_integer_hyper_decoder => bits::coding::HYPER_DECODER,
    golden_l1_sparse => family::L1,
    golden_layer_entropy => weights::LAYER,
    golden_layer_norm => norm::LAYER_NORM,
    golden_mini_resnet18 => conv::blocks::RESNET,
    golden_mmd => wasserstein::MMD,
    golden_nmn => classes::ENCODER_TASK,
    golden_nt_xent => bits::views::NT_XENT,
    golden_optim => optimisers::OPTIMISERS,
    golden_optim_paths => optimisers::PATHS,
    golden_paiton => codes::PAITON,
    golden_path_entropy => paths::PATHS,
    golden_path_marginal_entropy => paths::WIDTHS,
    golden_pgd_conv => conv::attacked::PGD,
    golden_pgd_linf => judging::PGD,
    golden_pool2d => conv::pool::POOLS,
    golden_rans => bits::coding::RANS,
    golden_rbm_cd1 => energy::RBM,
    golden_recon_losses => reconstruction::RECONSTRUCTION,
    golden_renyi_entropy => weights::RENYI,
    golden_residual_block => conv::blocks::RESIDUAL,
    golden_seed000_loss => network::NETWORK,
    golden_simclr_augment => augment::SIMCLR,
    golden_simclr_bits => bits::views::PRICED,
    golden_softmax_ce => classes::CROSS_ENTROPY,
    golden_sparsity => judging::SPARSITY,
    golden_spectrum => judging::SPECTRUM,
    golden_ste_round => bits::rate::ROUND,
    golden_sup_ce_bits => bits::rate::SUPERVISED,
    golden_vae_elbo => family::ELBO,
    golden_wasserstein_gauss => wasserstein::GAUSSIAN,
}

#[test]
fn golden_lists_what_is_not_implemented() {
    let golden = Golden::open();
    let indexed = golden.formulas();
    let implemented = |name: &str| RUNNERS.iter().any(|runner| runner.formula == name);
    for name in NOT_IMPLEMENTED {
        assert!(!implemented(name), "{name} is listed as not implemented but has a runner");
        assert!(!golden.own || indexed.iter().any(|known| known == name), "{name} is not in the index");
    }
    for name in indexed.iter().filter(|name| !implemented(name)) {
        let listed = NOT_IMPLEMENTED.contains(&name.as_str());
        assert!(!golden.own || listed, "{name} has neither a runner nor a place in the list of what is missing");
        println!("not implemented: {name}");
    }
    let mut present = 0;
    for Runner { formula, .. } in RUNNERS {
        if indexed.iter().any(|name| name == formula) {
            assert!(golden.count(formula) > 0, "{formula} has no cases");
            present += 1;
        } else {
            assert!(!golden.own, "{formula} is not in the project's own index");
            println!("implemented, but not in the index of {}: {formula}", golden.folder.display());
        }
    }
    assert!(present > 0, "{} has none of the implemented formulas", golden.folder.display());
}

#[test]
fn golden_comparator_refuses_what_is_wrong() {
    let expected = |values: &[f64], elementwise: bool| Expected {
        shape: vec![values.len()],
        values: values.to_vec(),
        atol: 1e-7,
        rtol: 1e-5,
        elementwise,
    };
    let judge = |got: &[f64], e: &Expected| share(got, e, e.atol, e.rtol);
    let e = expected(&[1.0, -2.0, 1e-4], false);
    assert_eq!(judge(&[1.0, -2.0, 1e-4], &e), 0.0);
    assert!(judge(&[1.000_01, -2.0, 1e-4], &e) < 1.0);
    assert!(judge(&[1.0, -2.0, 1.01e-4], &e) < 1.0, "judged by the largest element");
    assert!(judge(&[1.0, -2.0, 1.01e-4], &expected(&[1.0, -2.0, 1e-4], true)) > 1.0, "judged element by element");
    assert!(judge(&[1.01, -2.02, 1.01e-4], &e) > 1.0, "a scaling by 1 %");
    assert!(judge(&[1.0, -2.0], &e) > 1.0, "one element short");
    assert!(judge(&[1.0, -2.0, 1e-4, 0.0], &e) > 1.0, "one element too many");
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(judge(&[1.0, wrong, 1e-4], &e) > 1.0, "{wrong}");
        let odd = expected(&[1.0, wrong], false);
        assert!(judge(&[1.0, 3.0], &odd) > 1.0, "{wrong} expected");
        assert_eq!(judge(&[1.0, wrong], &odd) > 1.0, wrong.is_nan(), "{wrong} met");
    }
    let exact = expected(&[3.0], false);
    assert_eq!(share(&[3.0], &exact, 0.0, 0.0), 0.0);
    assert!(share(&[3.0 + 1e-15], &exact, 0.0, 0.0) > 1.0, "exact means equal");
}

#[test]
fn golden_orders_are_read_as_the_index_writes_them() {
    let cases = [("a0", 0.0), ("a004", 0.04), ("a025", 0.25), ("a1", 1.0), ("a15", 1.5), ("ainf", f32::INFINITY)];
    for (word, alpha) in cases {
        assert_eq!(order(word), Some(alpha), "{word}");
    }
    assert_eq!(order("a"), None);
    assert_eq!(order("b1"), None);
    assert_eq!(order("a1m3"), None);
}
