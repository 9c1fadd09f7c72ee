//! Plans in print: one line a step, the way one reads a program.

use std::fmt;

use super::{Place, Plan};

fn megabytes(bytes: usize) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

impl Plan {
    fn describe(&self, places: &[Place]) -> String {
        let shown: Vec<String> = places
            .iter()
            .take(4)
            .map(|place| {
                let arena = &self.arenas[place.arena].name;
                format!("{}+{} [{}]", arena.rsplit('/').next().unwrap_or(arena), place.offset, place.ty)
            })
            .collect();
        let more = if places.len() > 4 { format!(", … ({} in all)", places.len()) } else { String::new() };
        shown.join(", ") + &more
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cost = self.cost();
        writeln!(
            f,
            "plan '{}': {} dispatches, {:.2} MFLOP, {} moved, {} of device memory",
            self.name,
            self.dispatches(),
            cost.flops / 1e6,
            megabytes(cost.bytes as usize),
            megabytes(self.bytes())
        )?;
        for arena in &self.arenas {
            writeln!(f, "  arena {:<28} {:>10} bytes", arena.name, arena.bytes)?;
        }
        let mut number = 0;
        for (index, step) in self.steps.iter().enumerate() {
            for (number, pause) in self.pauses.iter().enumerate().filter(|(_, pause)| pause.steps == index) {
                let bytes: usize = pause.ranges.iter().map(|(_, _, bytes)| bytes).sum();
                let meanwhile = if pause.is_waited_for(number) { "" } else { " while the next ones run" };
                writeln!(f, "pause: {} are exchanged{meanwhile}", megabytes(bytes))?;
            }
            writeln!(f, "{} {}", step.op.name(), step.op.attributes())?;
            writeln!(f, "      reads  {}", self.describe(&step.inputs))?;
            writeln!(f, "      writes {}", self.describe(&step.outputs))?;
            for dispatch in &step.dispatches {
                number += 1;
                let [x, y, _] = dispatch.groups;
                let grid = if y > 1 { format!("{x} x {y} groups") } else { format!("{x} groups") };
                writeln!(f, "  {number:>3} {:<28} {grid:<16} params {:?}", dispatch.shader.label(), dispatch.params)?;
            }
        }
        Ok(())
    }
}
