//! Probabilities of symbols as shares of 2¹⁶.

use super::rans::Step;
use crate::error::{Error, Result};

/// All shares together.
pub const TOTAL: u32 = 1 << 16;

/// Largest sum of masses that a table is made of.
pub const LARGEST_SUM: u64 = 1 << 30;

/// A slot's first eight bits tell where the search for its symbol begins.
const COARSE: usize = 256;

/// The cumulative shares of symbols 0, 1, …: C₀ = 0 < C₁ < … < Cₙ = 2¹⁶.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    cumulative: Vec<u32>,
    /// For every 256 slots the symbol of the first.
    first: Vec<u16>,
}

impl Table {
    /// A table of cumulative shares.
    ///
    /// # Errors
    /// When they do not rise from 0 to 2¹⁶, or there are more than 2¹⁵ symbols.
    pub fn new(cumulative: Vec<u32>) -> Result<Self> {
        let rises = cumulative.windows(2).all(|pair| pair[0] < pair[1]);
        let ends = (cumulative.first(), cumulative.last()) == (Some(&0), Some(&TOTAL));
        if !(rises && ends && cumulative.len() <= (TOTAL / 2) as usize) {
            return Err(Error::Failed("a table of probabilities: expected shares that rise from 0 to 65536".into()));
        }
        let mut symbol = 0;
        let first = (0..COARSE).map(|part| {
            let slot = (part * TOTAL as usize / COARSE) as u32;
            while cumulative[symbol + 1] <= slot {
                symbol += 1;
            }
            symbol as u16
        });
        let first = first.collect();
        Ok(Table { cumulative, first })
    }

    /// A table in which every symbol has its mass's share, and never nothing: C_j = j + ⌊(w₀ + … + w_{j−1})(65536 − n) / S⌋.
    ///
    /// # Errors
    /// When there is no mass, or more than 2³⁰ of it, or more than 2¹⁵ symbols.
    pub fn of_masses(masses: &[u32]) -> Result<Self> {
        let (n, sum) = (masses.len() as u64, masses.iter().map(|&mass| u64::from(mass)).sum::<u64>());
        if sum == 0 || sum > LARGEST_SUM || n >= u64::from(TOTAL / 2) {
            let problem = format!("a table of {n} masses with the sum {sum}: expected a sum of 1 to {LARGEST_SUM}");
            return Err(Error::Failed(problem));
        }
        let mut before = 0;
        let mut cumulative = vec![0];
        for (symbol, &mass) in masses.iter().enumerate() {
            before += u64::from(mass);
            cumulative.push((symbol as u64 + 1 + before * (u64::from(TOTAL) - n) / sum) as u32);
        }
        Table::new(cumulative)
    }

    /// Number of symbols.
    pub fn symbols(&self) -> usize {
        self.cumulative.len() - 1
    }

    /// The cumulative shares.
    pub fn cumulative(&self) -> &[u32] {
        &self.cumulative
    }

    /// The slots of a symbol; none of one that the table does not have.
    pub fn step(&self, symbol: usize) -> Option<Step> {
        let start = *self.cumulative.get(symbol)?;
        let end = *self.cumulative.get(symbol + 1)?;
        Some(Step { start, frequency: end - start })
    }

    /// The symbol that has a slot, and its slots.
    #[inline]
    pub fn at(&self, slot: u32) -> (usize, Step) {
        let slot = slot % TOTAL;
        let mut symbol = usize::from(self.first[slot as usize * COARSE / TOTAL as usize]);
        while self.cumulative[symbol + 1] <= slot {
            symbol += 1;
        }
        let start = self.cumulative[symbol];
        (symbol, Step { start, frequency: self.cumulative[symbol + 1] - start })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_its_symbol() {
        let table = Table::of_masses(&[0, 5, 0, 0, 70_000, 1, 9]).unwrap();
        let mut slots = 0;
        for symbol in 0..table.symbols() {
            let step = table.step(symbol).unwrap();
            assert!(step.frequency >= 1);
            for slot in step.start..step.start + step.frequency {
                assert_eq!(table.at(slot), (symbol, step));
                slots += 1;
            }
        }
        assert_eq!((slots, table.step(table.symbols())), (TOTAL, None));
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert!(Table::of_masses(&[]).is_err() && Table::of_masses(&[0, 0]).is_err());
        assert!(Table::of_masses(&[u32::MAX]).is_err() && Table::of_masses(&vec![1; 40_000]).is_err());
        for wrong in [vec![], vec![0], vec![0, 5], vec![1, TOTAL], vec![0, 7, 7, TOTAL]] {
            assert!(Table::new(wrong.clone()).is_err(), "{wrong:?}");
        }
        assert_eq!(Table::new(vec![0, TOTAL]).unwrap().at(65_535).0, 0);
    }
}
