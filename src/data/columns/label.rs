//! The classes of rows, as a column of a table says them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::role::{Roles, missing, word};
use crate::data::format::table::{Cells, MISSING, Table};
use crate::data::found::Side;
use crate::error::{Error, Result, shortened};

/// Most classes there may be.
const MOST_CLASSES: usize = 65_535;
/// Rows that may each have a class of their own.
const FEW: usize = 2;

/// The classes of tables.
pub(super) struct Classes {
    /// What they are called: those known first, then numbers by their value, or words by their bytes.
    pub names: Vec<String>,
    places: HashMap<String, u16>,
}

impl Classes {
    /// The classes that the label's column of these tables holds, behind those that are known.
    pub fn of(tables: &[&(Side, Table)], roles: &Roles<'_>, known: &[String]) -> Result<Self> {
        let mut names = known.to_vec();
        if let Some(label) = roles.label {
            let columns = || tables.iter().filter_map(|(_, table)| table.column(label));
            let found = if columns().all(|column| matches!(column.cells, Cells::Numbers(_))) {
                let mut numbers: Vec<f64> = Vec::new();
                let mut seen = HashSet::new();
                for column in columns() {
                    let Cells::Numbers(cells) = &column.cells else { continue };
                    // A zero is one, whatever its sign.
                    let there = cells.iter().filter(|number| !number.is_nan()).map(|number| number + 0.0);
                    numbers.extend(there.filter(|number| seen.insert(number.to_bits())));
                }
                numbers.sort_by(f64::total_cmp);
                numbers.into_iter().map(word).collect::<Vec<_>>()
            } else {
                let mut words = BTreeMap::new();
                for column in columns() {
                    match &column.cells {
                        Cells::Words { words: some, .. } => words.extend(some.iter().map(|word| (word.clone(), ()))),
                        Cells::Numbers(numbers) => {
                            words.extend(numbers.iter().filter(|number| !number.is_nan()).map(|x| (word(*x), ())))
                        }
                    }
                }
                words.into_keys().collect()
            };
            let rows: usize = tables.iter().map(|(_, table)| table.rows).sum();
            let (name, count) = (shortened(label, 60), found.len());
            if count > MOST_CLASSES || (count == rows && rows > FEW) {
                let most = if count > MOST_CLASSES { format!("at most {MOST_CLASSES}") } else { "fewer".to_string() };
                let advice = "a column of names is one for --id, and one of numbers no label";
                let problem = format!("{count} classes in {rows} rows, expected {most}; {advice}");
                return Err(Error::Usage(format!("--label '{name}': {problem}")));
            }
            let known: HashSet<&String> = known.iter().collect();
            names.extend(found.into_iter().filter(|name| !known.contains(name)));
            if names.len() > MOST_CLASSES {
                let problem =
                    format!("{} classes with those that are known, expected at most {MOST_CLASSES}", names.len());
                return Err(Error::Usage(format!("--label '{name}': {problem}")));
            }
        }
        let places = names.iter().cloned().zip(0..).collect();
        Ok(Classes { names, places })
    }

    /// The class of each of these rows; none if there is no label.
    pub fn labels(&self, table: &Table, rows: &[u32], roles: &Roles<'_>) -> Result<Vec<u16>> {
        let Some(column) = roles.label.and_then(|label| table.column(label)) else { return Ok(Vec::new()) };
        let absent = |row: u32| missing(table, row as usize, "label", &column.name, "a class");
        let class = |name: &str| self.places.get(name).copied();
        match &column.cells {
            Cells::Numbers(numbers) => {
                let mut seen: HashMap<u64, u16> = HashMap::new();
                let label = |row: &u32| {
                    let number = numbers[*row as usize];
                    let known = seen.get(&number.to_bits()).copied();
                    let found = known.or_else(|| class(&word(number + 0.0))).ok_or_else(|| absent(*row))?;
                    seen.insert(number.to_bits(), found);
                    Ok(found)
                };
                rows.iter().map(label).collect()
            }
            Cells::Words { codes, words } => {
                let of: Vec<Option<u16>> = words.iter().map(|word| class(word)).collect();
                let label = |row: &u32| match codes[*row as usize] {
                    MISSING => Err(absent(*row)),
                    code => of[code as usize].ok_or_else(|| absent(*row)),
                };
                rows.iter().map(label).collect()
            }
        }
    }
}
