//! Limits of devices: what goes beyond one is refused in words, or folded.

use super::profile;
use gpu_ae::graph::{Graph, Role};
use gpu_ae::ops::array::activation::Activation;
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::matmul::MatMul;
use gpu_ae::plan::{DeviceProfile, Plan};
use gpu_ae::tensor::Ty;

#[test]
fn tensors_over_the_binding_limit_are_refused_in_words() {
    let mut g = Graph::new();
    let x = g.source(Role::Input, "x", Ty::f32(&[600, 500]));
    let w = g.source(Role::Param, "w", Ty::f32(&[10, 500]));
    let y = g.apply(MatMul::Nt, &[x, w]).unwrap();
    g.result("y", y);
    let limited = |bytes| DeviceProfile { max_binding: bytes, ..profile() };
    let bytes = 600 * 500 * 4;
    assert!(Plan::new("fits", &g, &limited(bytes)).is_ok());
    let refusal = Plan::new("large", &g, &limited(bytes - 1)).unwrap_err().to_string();
    for part in ["matmul_", "1.1 MiB", "smaller batch"] {
        assert!(refusal.contains(part), "{refusal}");
    }
    let few = DeviceProfile { max_storage_buffers: 2, ..profile() };
    let refusal = Plan::new("buffers", &g, &few).unwrap_err().to_string();
    assert!(refusal.contains("storage buffers") && refusal.contains('2'), "{refusal}");
    let narrow = DeviceProfile { max_workgroup: 1, ..profile() };
    let refusal = Plan::new("narrow", &g, &narrow).unwrap_err().to_string();
    assert!(refusal.contains("workgroup of"), "{refusal}");
}

#[test]
fn long_grids_are_folded() {
    let most = 65_535;
    for groups in [1, 2, most - 1, most, most + 1, 2 * most, 2 * most + 1, 3 * most + 7] {
        let n = groups * 64 - 5;
        let mut g = Graph::new();
        let x = g.source(Role::Input, "x", Ty::f32(&[n]));
        let y = g.apply(Activation::Relu, &[x]).unwrap();
        let z = g.apply(Binary::Add, &[y, x]).unwrap();
        g.result("z", z);
        let profile = DeviceProfile { max_binding: u64::MAX, ..profile() };
        let plan = Plan::new("long", &g, &profile).unwrap();
        for dispatch in plan.steps.iter().flat_map(|step| &step.dispatches) {
            let sides = dispatch.groups.map(|side| side as usize);
            assert!(sides.iter().all(|&side| (1..=most).contains(&side)), "{groups} groups as {sides:?}");
            let total: usize = sides.iter().product();
            assert!((groups..groups + sides[1]).contains(&total), "{groups} groups as {sides:?}");
        }
    }
}
