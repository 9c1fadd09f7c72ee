//! Symbols to bytes, in integers: no device takes part, and every machine answers alike.

use gpu_ae::coding::gaussian::{
    PHASES, SCALES, Tables, centre_and_phase, constants, half_width, scale_index, sixteenths,
};
use gpu_ae::coding::hyper_decoder::HyperDecoder;
use gpu_ae::coding::rans::{Decoder, Step, encode};
use gpu_ae::coding::symbols;
use gpu_ae::coding::table::Table;

use crate::golden_support::machine::Machine;
use crate::golden_support::vectors::Case;
use crate::golden_support::{Answers, Runner, as_they_are, exact};

pub const TABLES: Runner =
    Runner { formula: "cdf_tables", run: tables, correct: as_they_are, exactness: exact, why: "integers" };

pub const MASSES: Runner =
    Runner { formula: "cdf_from_masses", run: masses, correct: as_they_are, exactness: exact, why: "integers" };

pub const HYPER_DECODER: Runner = Runner {
    formula: "integer_hyper_decoder",
    run: hyper_decoder,
    correct: as_they_are,
    exactness: exact,
    why: "integers",
};

pub const RANS: Runner = Runner {
    formula: "rans",
    run: rans,
    correct: as_they_are,
    exactness: exact,
    why: "integers, and sums of logarithms",
};

fn integers(case: &Case, name: &str) -> Vec<i64> {
    case.input(name).real().iter().map(|&value| value as i64).collect()
}

fn floats(case: &Case, name: &str) -> Vec<f32> {
    case.input(name).real().iter().map(|&value| value as f32).collect()
}

fn answer(answers: &mut Answers, name: &str, values: impl IntoIterator<Item = i64>) {
    answers.insert(format!("out/{name}"), values.into_iter().map(|value| value as f64).collect());
}

fn cumulative(table: &Table) -> impl Iterator<Item = i64> + '_ {
    table.cumulative().iter().map(|&share| i64::from(share))
}

fn tables(case: &Case, _: &mut dyn Machine) -> Answers {
    let own = constants();
    assert_eq!(integers(case, "scale_table"), own.scales);
    assert_eq!(integers(case, "bounds"), own.bounds);
    assert_eq!(integers(case, "phi"), own.phi);
    let scales: Vec<usize> = floats(case, "s").into_iter().map(scale_index).collect();
    let means: Vec<(i64, i64)> =
        floats(case, "mean").into_iter().map(|mean| centre_and_phase(sixteenths(mean))).collect();
    let tables = Tables::all().unwrap();
    let mut answers = Answers::new();
    answer(&mut answers, "scale_index", scales.iter().map(|&scale| scale as i64));
    answer(&mut answers, "centre", means.iter().map(|(centre, _)| *centre));
    answer(&mut answers, "phase", means.iter().map(|(_, phase)| *phase));
    answer(&mut answers, "half_width", scales.iter().map(|&scale| half_width(scale)));
    let cdf = scales.iter().zip(&means).flat_map(|(&scale, &(_, phase))| cumulative(tables.of(scale, phase)));
    answer(&mut answers, "cdf", cdf);
    if case.wants("out/all_tables_hash") {
        let all = (0..SCALES).flat_map(|scale| (0..PHASES as i64).map(move |phase| tables.of(scale, phase - 8)));
        let bytes = all.flat_map(|table| table.cumulative().iter().flat_map(|share| share.to_le_bytes()));
        // FNV-1a
        let hash = bytes.fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
        answer(&mut answers, "all_tables_hash", [i64::from(hash & (u32::MAX >> 1))]);
    }
    answers
}

fn masses(case: &Case, _: &mut dyn Machine) -> Answers {
    let masses: Vec<u32> = integers(case, "mass").into_iter().map(|mass| mass as u32).collect();
    let mut answers = Answers::new();
    answer(&mut answers, "cdf", cumulative(&Table::of_masses(&masses).unwrap()));
    answers
}

fn hyper_decoder(case: &Case, _: &mut dyn Machine) -> Answers {
    assert_eq!(integers(case, "raw_bounds"), constants().raw_bounds);
    let [w3, b3, w4, b4] = ["dec1.weight", "dec1.bias", "dec2.weight", "dec2.bias"].map(|name| floats(case, name));
    let decoder = HyperDecoder::new([&w3, &b3], [&w4, &b4]).unwrap();
    let side = integers(case, "y");
    let expected: Vec<_> = side.chunks_exact(decoder.side()).flat_map(|side| decoder.expected(side).unwrap()).collect();
    let mut answers = Answers::new();
    answer(&mut answers, "mean16", expected.iter().map(|it| it.sixteenths));
    answer(&mut answers, "scale_index", expected.iter().map(|it| it.scale as i64));
    answers
}

/// The steps, the bytes, and back.
fn rans(case: &Case, _: &mut dyn Machine) -> Answers {
    let mut steps: Vec<Step> = Vec::new();
    let gaussian = Tables::all().unwrap();
    let (known, values): (Vec<(i64, Table)>, Vec<i64>) = if case.has("cdf") {
        let table = Table::new(integers(case, "cdf").into_iter().map(|share| share as u32).collect()).unwrap();
        let symbols = integers(case, "symbols");
        steps.extend(symbols.iter().map(|&symbol| table.step(symbol as usize).unwrap()));
        (vec![(0, table); symbols.len()], symbols)
    } else {
        let (means, scales) = (floats(case, "mean"), floats(case, "s"));
        let known: Vec<(i64, Table)> = means
            .into_iter()
            .zip(scales)
            .map(|(mean, scale)| {
                let (centre, phase) = centre_and_phase(sixteenths(mean));
                (centre, gaussian.of(scale_index(scale), phase).clone())
            })
            .collect();
        let values = integers(case, "z");
        for ((centre, table), z) in known.iter().zip(&values) {
            symbols::push(&mut steps, table, z - centre).unwrap();
        }
        (known, values)
    };
    let bytes = encode(&steps);
    let mut decoder = Decoder::new(&bytes).unwrap();
    for ((centre, table), value) in known.iter().zip(&values) {
        if case.has("cdf") {
            let (symbol, step) = table.at(decoder.slot());
            decoder.pass(step).unwrap();
            assert_eq!(symbol as i64, *value);
        } else {
            assert_eq!(symbols::next(&mut decoder, table).unwrap() + centre, *value);
        }
    }
    decoder.end().unwrap();
    let mut answers = Answers::new();
    answer(&mut answers, "count", [steps.len() as i64]);
    answer(&mut answers, "bytes", bytes.iter().map(|&byte| i64::from(byte)));
    answers.insert("out/ideal_bits".into(), vec![steps.iter().map(|step| step.bits()).sum()]);
    answers
}
