//! Which rows are tested with where the data does not say: a share of all, by a hash of each row's name, so that a row
//! stays on its side whatever is added.

#[cfg(feature = "native")]
use super::found::Side;
use crate::rng::{Stream, stream_key, threefry2x32};

/// What is wrong with a single row.
pub(super) const ONE_ROW: &str = "one row, expected at least two: one to learn from and one to test with";

/// Rows that their sources divide already.
#[cfg(feature = "native")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    has_test: bool,
}

/// What the sides of all that holds rows say together; nothing if rows are yet to be divided: who names one side alone has
/// not divided.
#[cfg(feature = "native")]
pub fn told(sides: impl Iterator<Item = Side>) -> Option<Told> {
    let (mut has_test, mut has_validation, mut has_other) = (false, false, false);
    for side in sides {
        match side {
            Side::Test => has_test = true,
            Side::Validation => has_validation = true,
            Side::Train | Side::Unsaid => has_other = true,
        }
    }
    ((has_test || has_validation) && has_other).then_some(Told { has_test })
}

#[cfg(feature = "native")]
impl Told {
    /// The side that rows are on whose source says this: what no source speaks of is to be learnt from.
    pub fn side(self, said: Side) -> Side {
        match said {
            Side::Unsaid => Side::Train,
            // Nothing is told of rows to decide by, and everything of rows to test with.
            Side::Validation if !self.has_test => Side::Test,
            side => side,
        }
    }
}

/// FNV-1a of 64 bits: Fowler, Noll and Vo.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Of each name, whether it is tested with: a share of all under this seed. Where there are two rows or more, at least one
/// is on each side, unless the share is 0 or 1.
pub fn tested<'a>(names: impl Iterator<Item = std::borrow::Cow<'a, str>>, seed: u64, share: f64) -> Vec<bool> {
    let key = stream_key(seed, Stream::Test);
    let place = |name: &str| {
        let hash = hash(name);
        threefry2x32(key, [hash as u32, (hash >> 32) as u32])[0]
    };
    let places: Vec<u32> = names.map(|name| place(&name)).collect();
    let is_test = |place: u32| f64::from(place) < share * (f64::from(u32::MAX) + 1.0);
    let mut tested: Vec<bool> = places.iter().map(|&place| is_test(place)).collect();
    if tested.len() > 1 && share > 0.0 && share < 1.0 {
        let of = |order: fn(&(u32, usize), &(u32, usize)) -> bool| {
            let all = places.iter().copied().zip(0..);
            all.reduce(|best, other| if order(&other, &best) { other } else { best }).map_or(0, |(_, row)| row)
        };
        if !tested.contains(&true) {
            tested[of(|other, best| other < best)] = true;
        } else if !tested.contains(&false) {
            tested[of(|other, best| other > best)] = false;
        }
    }
    tested
}

#[cfg(all(test, feature = "native"))]
mod tests {
    use super::*;

    fn of(rows: usize, seed: u64, share: f64) -> Vec<bool> {
        tested((0..rows).map(|row| format!("{row}.png").into()), seed, share)
    }

    #[test]
    fn a_name_is_on_the_same_side_whatever_is_added() {
        let (few, many) = (of(500, 7, 0.2), of(5000, 7, 0.2));
        assert_eq!(few, many[..500]);
        let share = many.iter().filter(|tested| **tested).count();
        // 1000 ± 5 deviations of a binomial distribution.
        assert!((860..1140).contains(&share), "{share} of 5000");
        assert_ne!(of(500, 8, 0.2), few);
    }

    #[test]
    fn sides_are_those_that_are_told_if_there_are_two() {
        let of = |sides: &[Side]| told(sides.iter().copied());
        assert_eq!((of(&[]), of(&[Side::Unsaid]), of(&[Side::Test]), of(&[Side::Train])), (None, None, None, None));
        let three = of(&[Side::Train, Side::Validation, Side::Test]).map(|told| told.side(Side::Validation));
        assert_eq!(three, Some(Side::Validation));
        let two =
            of(&[Side::Unsaid, Side::Validation]).map(|told| (told.side(Side::Unsaid), told.side(Side::Validation)));
        assert_eq!(two, Some((Side::Train, Side::Test)));
    }

    #[test]
    fn neither_side_is_empty_unless_that_is_asked_for() {
        for seed in 0..50 {
            let two = of(2, seed, 0.2);
            assert_ne!(two[0], two[1], "seed {seed}");
        }
        assert_eq!((of(1, 0, 0.2).len(), of(3, 0, 1.0), of(3, 0, 0.0)), (1, vec![true; 3], vec![false; 3]));
    }
}
