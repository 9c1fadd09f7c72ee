//! Damaged tables: an answer, or an error that names the file.

use std::fs;

use crate::cases::cases;
use gpu_ae::data::DataOptions;
use gpu_ae::data::columns::encode;
use gpu_ae::data::format::table;
use gpu_ae::data::found::{Found, Silent};
use proptest::prelude::*;
use proptest::sample::Index;

/// Cases of an ordinary run.
const USUAL_CASES: u32 = 48;

/// Bytes that change, parts that come twice, and an end that is lost.
type Damage = (Vec<(Index, u8)>, Option<(Index, Index)>, Option<Index>);

fn damage() -> impl Strategy<Value = Damage> {
    let bytes = prop::collection::vec((any::<Index>(), any::<u8>()), 0..6);
    (bytes, prop::option::weighted(0.2, any::<(Index, Index)>()), prop::option::weighted(0.2, any::<Index>()))
}

fn damaged(good: &[u8], (bytes, twice, cut): &Damage) -> Vec<u8> {
    let mut file = good.to_vec();
    for (place, byte) in bytes {
        let place = place.index(file.len());
        file[place] = *byte;
    }
    if let Some((from, to)) = twice {
        let (from, to) = (from.index(file.len()), to.index(file.len()));
        let part = file[from.min(to)..from.max(to)].to_vec();
        file.splice(to..to, part);
    }
    if let Some(cut) = cut {
        file.truncate(cut.index(file.len()).max(1));
    }
    file
}

fn answered(name: &str, damage: &Damage) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, damaged(&fs::read(super::file(name)).unwrap(), damage)).unwrap();
    let options = DataOptions::of("x");
    let named = |error: gpu_ae::error::Error| {
        let message = error.to_string();
        prop_assert!(message.contains(&path.display().to_string()), "{message}");
        Ok(())
    };
    match table::read(&path, &options, &mut Silent) {
        Ok(Found::Table(tables)) => encode(&path, &tables, &options, 1, None).map(drop).or_else(named),
        Ok(_) => Err(TestCaseError::fail("no table")),
        Err(error) => named(error),
    }
}

proptest! {
    #![proptest_config(cases(USUAL_CASES))]

    #[test]
    fn text(damage in damage()) {
        answered("iris.csv", &damage)?;
    }

    #[test]
    fn packed_text(damage in damage()) {
        answered("kinds.csv.gz", &damage)?;
    }

    #[test]
    fn parquet(damage in damage()) {
        answered("kinds.parquet", &damage)?;
    }

    #[test]
    fn feather(damage in damage()) {
        answered("kinds.feather", &damage)?;
    }

    #[test]
    fn any_text(text in "[-0-9a,;\\t|\"\\n\\r .]{0,200}") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("any.csv");
        fs::write(&path, &text).unwrap();
        if let Ok(Found::Table(tables)) = table::read(&path, &DataOptions::of("x"), &mut Silent) {
            let _ = encode(&path, &tables, &DataOptions::of("x"), 1, None);
        }
    }
}
