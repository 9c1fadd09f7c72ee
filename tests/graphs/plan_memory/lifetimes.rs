//! How long a value keeps its place: slots are reused, and nothing is read after it was overwritten.

use std::sync::Arc;

use super::profile;
use super::replay::fault;
use gpu_ae::graph::{Graph, Role, Var};
use gpu_ae::ops::array::binary::Binary;
use gpu_ae::ops::array::reshape::Reshape;
use gpu_ae::ops::array::unary::Unary;
use gpu_ae::ops::entropy::activeness::{Activeness, Direction};
use gpu_ae::ops::entropy::activeness_grad::{ActivenessGrad, ActivenessGradAdd};
use gpu_ae::ops::step::clock;
use gpu_ae::ops::step::clock_advance::ClockAdvance;
use gpu_ae::plan::Plan;
use gpu_ae::tensor::Ty;

#[test]
fn slots_are_reused() {
    let mut graph = Graph::new();
    let mut value = graph.source(Role::Input, "x", Ty::f32(&[1000]));
    for _ in 0..20 {
        value = graph.apply(Unary::Exp, &[value]).unwrap();
    }
    graph.result("y", value);
    let plan = Plan::new("chain", &graph, &profile()).unwrap();
    let slots = plan.arenas.iter().filter(|arena| arena.name.contains("slot")).count();
    assert_eq!(slots, 2, "a chain alternates between two slots\n{plan}");
}

fn refusal(graph: &Graph) -> String {
    Plan::new("refused", graph, &profile()).expect_err("a value is read after it was overwritten").to_string()
}

#[test]
fn values_are_not_read_after_they_were_overwritten() {
    let advanced = |late: &dyn Fn(&mut Graph, Var)| {
        let mut g = Graph::new();
        let clock = g.source(Role::State, "clock", clock::ty());
        let ring = g.source(Role::State, "ring", Ty::f32(&[4, 2]));
        let term = g.source(Role::Input, "x", Ty::f32(&[]));
        let term = g.apply(Unary::Exp, &[term]).unwrap();
        let advance = Arc::new(ClockAdvance { beta1: 0.9, beta2: 0.999 });
        g.push(advance, &[clock, ring, term]).unwrap();
        late(&mut g, clock);
        g
    };
    assert!(Plan::new("fine", &advanced(&|_, _| {}), &profile()).is_ok());
    let read = refusal(&advanced(&|g, clock| {
        let rows = g.apply(gpu_ae::ops::batch::batch_rows::BatchRows(4), &[clock]).unwrap();
        g.result("rows", rows);
    }));
    assert!(read.contains("clock_advance") && read.contains("batch_rows"), "{read}");
    let wanted = refusal(&advanced(&|g, clock| g.result("before", clock)));
    assert!(wanted.contains("clock_advance") && wanted.contains("before"), "{wanted}");
}

/// What is shown by a view is not overwritten before the view was read, nor is a view of it overwritten.
#[test]
fn views_are_not_read_after_what_they_show_was_overwritten() {
    let stepped = |through: &[bool; 2], late: &dyn Fn(&mut Graph, Var)| {
        let mut g = Graph::new();
        let clock = g.source(Role::State, "clock", clock::ty());
        let ring = g.source(Role::State, "ring", Ty::f32(&[4, 2]));
        let term = g.source(Role::Input, "x", Ty::f32(&[]));
        let dims = g.ty(clock).shape.dims().to_vec();
        let shown = g.apply(Reshape::to(&[4, 4]), &[clock]).unwrap();
        let again = g.apply(Reshape::to(&dims), &[shown]).unwrap();
        let [overwritten, read] = through.map(|through| if through { again } else { clock });
        let advance = Arc::new(ClockAdvance { beta1: 0.9, beta2: 0.999 });
        g.push(advance, &[overwritten, ring, term]).unwrap();
        late(&mut g, read);
        g
    };
    for through in [[true, false], [false, true], [true, true]] {
        assert!(Plan::new("fine", &stepped(&through, &|_, _| {}), &profile()).is_ok());
        // A view that nobody reads is nobody's loss.
        let unread = stepped(&through, &|g, clock| {
            g.apply(Reshape::to(&[2, 8]), &[clock]).unwrap();
        });
        assert!(Plan::unfused("fine", &unread, &profile()).is_ok());
        let read = refusal(&stepped(&through, &|g, clock| {
            let rows = g.apply(gpu_ae::ops::batch::batch_rows::BatchRows(4), &[clock]).unwrap();
            g.result("rows", rows);
        }));
        assert!(read.contains("clock_advance") && read.contains("batch_rows"), "{read}");
        let wanted = refusal(&stepped(&through, &|g, clock| {
            let shown = g.apply(Reshape::to(&[2, 8]), &[clock]).unwrap();
            g.result("before", shown);
        }));
        assert!(wanted.contains("clock_advance") && wanted.contains("before"), "{wanted}");
    }
}

/// A slot is held for as long as a view of what lies in it is read, or wanted.
#[test]
fn a_view_holds_the_slot_of_what_it_shows() {
    let mut g = Graph::new();
    let x = g.source(Role::Input, "x", Ty::f32(&[6, 4]));
    let first = g.apply(Unary::Exp, &[x]).unwrap();
    let shown = g.apply(Reshape::to(&[24]), &[first]).unwrap();
    let second = g.apply(Unary::Exp, &[first]).unwrap();
    let third = g.apply(Unary::Exp, &[second]).unwrap();
    let flat = g.apply(Reshape::to(&[24]), &[third]).unwrap();
    let sum = g.apply(Binary::Add, &[shown, flat]).unwrap();
    g.result("sum", sum);
    let of_source = g.apply(Reshape::to(&[2, 12]), &[x]).unwrap();
    g.result("source", of_source);
    let plan = Plan::unfused("views", &g, &profile()).unwrap();
    assert_eq!(fault(&g, &plan), None, "{plan}");
    let slots = plan.arenas.iter().filter(|arena| arena.name.contains("slot")).count();
    assert_eq!((slots, plan.dispatches()), (3, 4), "{plan}");
    assert_eq!(
        (&plan.results["source"].ty, plan.results["source"].arena),
        (&Ty::f32(&[2, 12]), plan.sources["x"].1.arena)
    );
    assert!(plan.to_string().contains("[24]") && !plan.to_string().contains("reshape"), "{plan}");
}

/// One value as an input that stays and as one that is overwritten.
#[test]
fn a_dispatch_does_not_write_what_it_reads() {
    let mut g = Graph::new();
    let [w, b, da] =
        [("w", &[4, 5][..]), ("b", &[4]), ("da", &[4])].map(|(n, dims)| g.source(Role::Input, n, Ty::f32(dims)));
    let sum = g.apply(Unary::Exp, &[w]).unwrap();
    let grad = ActivenessGrad(Activeness { direction: Direction::Incoming, bias_weight: 1.0 });
    let outputs = g.push(Arc::new(ActivenessGradAdd(grad)), &[sum, b, da, sum, b]).unwrap();
    g.result("dw", outputs[0]);
    let refusal = refusal(&g);
    assert!(refusal.contains("activeness_grad") && refusal.contains("one dispatch"), "{refusal}");
}
