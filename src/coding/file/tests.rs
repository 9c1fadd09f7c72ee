use super::*;
use crate::coding::prior::{Kind, Lie};

const MODEL: Identity = Identity([7; 16]);

/// A model of 16 channels around 0.
fn prior() -> Prior {
    let tensors = |_: &str| Some(vec![0.0; 16]);
    Prior::new(Kind::Gaussian, Lie { cells: 1, channels: 16, grid: None }, &tensors).unwrap()
}

#[test]
fn damage_is_named_by_block_and_place() {
    let prior = prior();
    let symbols: Vec<i32> = (0..16 * 20_000).map(|n| n % 8191 % 61 - 30).collect();
    let bytes = write(&prior, MODEL, &[], &symbols).unwrap().bytes;
    let refused = |bytes: &[u8]| Reader::new(bytes, &prior, MODEL).and_then(Reader::all).unwrap_err();
    let header = *Reader::new(&bytes, &prior, MODEL).unwrap().header();
    let mut rest = &bytes[header.bytes().len()..];
    let mut places = Vec::new();
    while !rest.is_empty() {
        places.push(bytes.len() - rest.len());
        let length = numbers::take(&mut rest).unwrap() as usize;
        rest = &rest[length + 4..];
    }
    assert!(places.len() > 3, "{places:?}");
    let mut damaged = bytes.clone();
    damaged[places[2] + 500] ^= 1;
    let what = Refused::Block { number: 3, blocks: places.len() as u64, offset: places[2], what: Wrong::Checksum };
    assert_eq!(refused(&damaged), what);
    assert!(what.to_string().starts_with(&format!("block 3 of {}, at byte {}: ", places.len(), places[2])), "{what}");
    // Two blocks in each other's place have the sums of their own.
    let swapped =
        [&bytes[..places[0]], &bytes[places[1]..places[2]], &bytes[places[0]..places[1]], &bytes[places[2]..]];
    assert!(matches!(refused(&swapped.concat()), Refused::Block { number: 1, what: Wrong::Checksum, .. }));
    assert!(matches!(refused(&bytes[..bytes.len() - 1]), Refused::Block { what: Wrong::Cut, .. }));
    assert!(matches!(refused(&bytes[..places[1]]), Refused::Block { number: 2, what: Wrong::Cut, .. }));
    assert_eq!(refused(&[&bytes[..], b"??"].concat()), Refused::Longer(2));
    assert_eq!(refused(b"\x89PNG"), Refused::NoCodes);
}

/// A block may say anything of itself as long as its sum is right.
#[test]
fn what_no_encoder_writes_is_refused_by_its_streams() {
    let prior = prior();
    let header = |rows, block| Header {
        kind: Kind::Gaussian,
        rows,
        cells: 1,
        channels: 16,
        side: 0,
        block,
        picture: None,
        model: MODEL,
    };
    let file = |header: Header, bodies: &[&[u8]]| {
        let mut bytes = header.bytes();
        let sum = checksum(&[&bytes[..bytes.len() - 4]]);
        for (number, body) in bodies.iter().enumerate() {
            numbers::put(&mut bytes, body.len() as u64);
            bytes.extend(*body);
            bytes.extend(checksum(&[&place_of(sum, number as u64), body]).to_le_bytes());
        }
        Reader::new(&bytes, &prior, MODEL).and_then(Reader::all).unwrap_err()
    };
    let stream = |refused: Refused| matches!(refused, Refused::Block { what: Wrong::Stream(_), .. });
    assert!(stream(file(header(1, 1), &[&[]])) && stream(file(header(1, 1), &[&[0; 9]])));
    assert!(stream(file(header(4096, 4096), &[&[0xff, 0xff, 0x7f, 0, 0, 0x80, 0]])), "lengths beyond the block");
    assert!(matches!(file(header(1, 0), &[]), Refused::Blocks { .. }));
    assert!(matches!(file(header(u64::MAX, 1 << 30), &[]), Refused::Blocks { .. }));
    assert!(matches!(file(header(u64::MAX, 1), &[]), Refused::Block { blocks: u64::MAX, what: Wrong::Cut, .. }));
}
