//! Files of codes with any damage: each is refused, or decoded to what was coded.

use crate::cases::cases;
use crate::made_codes::{MAP, MODEL, drawn, plain, prior};
use crate::strangers::file;
use gpu_ae::coding::file::{Identity, Picture, Reader, Refused, write, write_picture};
use gpu_ae::coding::prior::{Kind, Lie, Prior};
use proptest::prelude::*;

/// Cases of an ordinary run, for each model.
const USUAL_CASES: u32 = 100;

fn fuzz(prior: &Prior, rows: usize) {
    let [side, symbols] = drawn(prior, rows);
    let good = write(prior, MODEL, &side, &symbols).unwrap().bytes;
    proptest!(cases(USUAL_CASES), |(bytes in file(good.clone()))| {
        match Reader::new(&bytes, prior, MODEL).and_then(Reader::all) {
            Ok(decoded) => prop_assert!(decoded == symbols, "{} bytes were decoded to others", bytes.len()),
            Err(refused) => prop_assert!(!refused.to_string().is_empty()),
        }
    });
}

#[test]
fn gaussian() {
    fuzz(&prior(Kind::Gaussian, plain(16), [0, 0], 1.0), 300);
}

#[test]
fn factorised() {
    fuzz(&prior(Kind::Factorized, Lie { cells: 4, ..plain(3) }, [0, 0], 0.0), 50);
}

#[test]
fn hyperprior() {
    fuzz(&prior(Kind::Hyperprior, plain(16), [4, 6], 1.0), 60);
}

#[test]
fn maps() {
    fuzz(&prior(Kind::Hyperprior, MAP, [3, 6], 2.0), 60);
}

/// The tiles of a picture.
#[test]
fn pictures() {
    let prior = prior(Kind::Hyperprior, MAP, [3, 6], 2.0);
    let picture = Picture::new([33, 70], [16, 24]).unwrap();
    let [side, symbols] = drawn(&prior, picture.tiles());
    let good = write_picture(&prior, MODEL, picture, [&side, &symbols]).unwrap().bytes;
    assert_eq!(Reader::new(&good, &prior, MODEL).map(|reader| reader.header().picture).ok(), Some(Some(picture)));
    proptest!(cases(USUAL_CASES), |(bytes in file(good.clone()))| {
        match Reader::new(&bytes, &prior, MODEL).and_then(|reader| Ok((reader.header().picture, reader.all()?))) {
            Ok((found, decoded)) => prop_assert!(found == Some(picture) && decoded == symbols),
            Err(refused) => prop_assert!(!refused.to_string().is_empty()),
        }
    });
    let few = write_picture(&prior, MODEL, Picture::new([33, 70], [64, 96]).unwrap(), [&side, &symbols]);
    assert!(few.unwrap_err().to_string().contains("expected 1 of a picture"));
}

/// Several streams in several blocks.
#[test]
fn blocks() {
    fuzz(&prior(Kind::Gaussian, plain(128), [0, 0], 6.0), 1500);
}

#[test]
fn another_model_is_refused_and_both_are_named() {
    let own = prior(Kind::Gaussian, plain(16), [0, 0], 0.0);
    let bytes = write(&own, MODEL, &[], &drawn(&own, 3)[1]).unwrap().bytes;
    let problem = Reader::new(&bytes, &own, Identity([0xab; 16])).err().unwrap().to_string();
    assert!(problem.contains(&"07".repeat(16)) && problem.contains(&"ab".repeat(16)), "{problem}");
    let other = prior(Kind::Gaussian, Lie { cells: 2, ..plain(16) }, [0, 0], 0.0);
    assert!(matches!(Reader::new(&bytes, &other, MODEL).err().unwrap(), Refused::Shape { .. }));
}

#[test]
fn symbols_that_cannot_be_are_named_by_their_row() {
    let hyperprior = prior(Kind::Hyperprior, plain(16), [3, 5], 0.0);
    let [mut side, symbols] = drawn(&hyperprior, 9);
    side[3 * 7 + 1] = 1 << 16;
    let problem = write(&hyperprior, MODEL, &side, &symbols).unwrap_err().to_string();
    assert!(problem.starts_with("row 7: ") && problem.contains("at most 32768"), "{problem}");
    assert!(write(&hyperprior, MODEL, &side[1..], &symbols).is_err());
    let gaussian = prior(Kind::Gaussian, plain(16), [0, 0], 0.0);
    let mut symbols = drawn(&gaussian, 9)[1].clone();
    symbols[16 * 5 + 3] = i32::MIN;
    let problem = write(&gaussian, MODEL, &[], &symbols).unwrap_err().to_string();
    assert!(problem.starts_with("row 5: symbol 3 "), "{problem}");
}

/// A model of 128 channels around 0, all of this scale.
fn around_0(raw: f32) -> Prior {
    let tensors = |name: &str| Some(vec![if name == "rate.scale" { raw } else { 0.0 }; 128]);
    Prior::new(Kind::Gaussian, plain(128), &tensors).unwrap()
}

/// Ten thousand codes of 128 at 0.13 bits a dimension are 20 kB; nothing at all takes next to nothing.
#[test]
fn little_costs_little() {
    let prior = around_0(-2.3);
    let [side, symbols] = drawn(&prior, 10_000);
    let written = write(&prior, MODEL, &side, &symbols).unwrap();
    let (due, rate) = (written.bits / 8.0, written.bits / symbols.len() as f64);
    assert!((rate - 0.13).abs() < 0.02, "{rate}");
    assert!(written.bytes.len() as f64 <= 1.01 * due + 64.0, "{} bytes, {due} due", written.bytes.len());
    let certain = around_0(-30.0);
    let symbols = vec![0; 128 * 100_000];
    let written = write(&certain, MODEL, &[], &symbols).unwrap();
    assert!(written.bytes.len() < 400, "{} bytes", written.bytes.len());
    assert!(Reader::new(&written.bytes, &certain, MODEL).unwrap().all().unwrap() == symbols);
}

#[test]
fn codes_come_back_in_no_more_bytes_than_they_are_worth() {
    let priors = [
        prior(Kind::Gaussian, plain(16), [0, 0], -3.0),
        prior(Kind::Factorized, Lie { cells: 3, ..plain(16) }, [0, 0], 0.0),
        prior(Kind::Hyperprior, plain(16), [3, 5], 0.0),
        prior(Kind::Hyperprior, MAP, [3, 5], 2.0),
    ];
    for prior in priors {
        for rows in [0, 1, 5, 3000] {
            let [side, symbols] = drawn(&prior, rows);
            let written = write(&prior, MODEL, &side, &symbols).unwrap();
            let due = (written.bits + written.side_bits) / 8.0;
            let found = written.bytes.len();
            assert!((found as f64 - due) <= 0.01 * due + 64.0, "{:?} {rows}: {found} bytes, {due} due", prior.kind());
            let reader = Reader::new(&written.bytes, &prior, MODEL).unwrap();
            assert_eq!(reader.header().rows, rows as u64);
            assert!(reader.all().unwrap() == symbols, "{:?} {rows}", prior.kind());
        }
    }
}
