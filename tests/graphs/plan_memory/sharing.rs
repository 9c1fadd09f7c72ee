//! Memory that several plans share.

use crate::common;
use gpu_ae::device::Device;
use gpu_ae::graph::{Graph, Role};
use gpu_ae::ops::array::unary::Unary;
use gpu_ae::plan::Plan;
use gpu_ae::tensor::Ty;

/// Names and elements of parameters.
type Parameters = [(&'static str, usize)];

/// A plan of these parameters, each negated.
fn negated(name: &str, device: &dyn Device, parameters: &Parameters) -> Plan {
    let mut g = Graph::new();
    for (name, elements) in parameters {
        let w = g.source(Role::Param, *name, Ty::f32(&[*elements]));
        let y = g.apply(Unary::Affine { scale: -1.0, shift: 0.0 }, &[w]).unwrap();
        g.result(format!("-{name}"), y);
    }
    Plan::new(name, &g, device.profile()).unwrap()
}

#[test]
fn memory_is_shared_by_plans_that_lay_it_out_alike_and_by_no_others() {
    let first = [("a", 8), ("b", 8)];
    // All of one size. Each with what is said of where it first differs.
    let others: [(&Parameters, [&str; 2]); 4] = [
        (&[("b", 8), ("a", 8)], ["'first' has 'a' there, 32 bytes from byte 0 on", "'second' has 'b' there, 32 bytes"]),
        (&[("a", 8), ("c", 8)], ["'first' has 'b' there, 32 bytes from byte 256 on", "'second' has 'c' there"]),
        (&[("a", 12), ("b", 8)], ["'first' has 'a' there, 32 bytes", "'second' has 'a' there, 48 bytes from byte 0"]),
        (&[("a", 72)], ["'first' has 'a' there, 32 bytes", "'second' has 'a' there, 288 bytes"]),
    ];
    for mut device in common::devices() {
        let device: &mut dyn Device = device.as_mut();
        let plan = negated("first", device, &first);
        let bytes = plan.arenas.iter().find(|arena| arena.name == "params").unwrap().bytes;
        let program = device.load(plan).unwrap();
        let [a, b] = [1.0f32, 2.0].map(|value| [value; 8]);
        device.write(program, "a", bytemuck::cast_slice(&a)).unwrap();
        device.write(program, "b", bytemuck::cast_slice(&b)).unwrap();
        for (other, parts) in others {
            let plan = negated("second", device, other);
            assert_eq!(plan.arenas.iter().find(|arena| arena.name == "params").unwrap().bytes, bytes, "{other:?}");
            let refusal = device.load(plan).unwrap_err().to_string();
            for part in ["params", parts[0], parts[1]] {
                assert!(refusal.contains(part), "{}: {other:?}: {refusal}", device.name());
            }
        }
        // Neither a refusal nor another plan of the same layout changes what lies there.
        let again = device.load(negated("second", device, &first)).unwrap();
        device.run(again, 1).unwrap();
        assert_eq!(device.read_f32(again, "-a").unwrap(), a.map(|x| -x));
        assert_eq!(device.read_f32(again, "-b").unwrap(), b.map(|x| -x));
        // What was cleared binds nobody.
        device.clear();
        device.load(negated("second", device, others[0].0)).unwrap();
    }
}
