use super::*;
use crate::data::found::Side;

fn index(rows: usize) -> Index {
    let part = PartIndex { names: (0..rows).map(|row| row.to_string()).collect(), ..PartIndex::on(Side::Test) };
    Index { shape: [1, 2, 1], parts: vec![part], ..Index::default() }
}

fn kept(cache: &Cache, number: u8, stamp: Option<&Key>) -> PathBuf {
    let mut draft = cache.begin().unwrap();
    draft.write(&[number; 200]).unwrap();
    cache.keep(draft, &index(100), &[number; 32], &[9; 32], stamp).unwrap();
    cache.path(&[number; 32], &[9; 32])
}

#[test]
fn rows_are_found_by_stamp_and_by_content() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::within(folder.path(), 1 << 20);
    assert!(!cache.has(&[1; 32]) && cache.stamped(&[5; 32]).is_none());
    kept(&cache, 1, Some(&[5; 32]));
    let entry = cache.stamped(&[5; 32]).unwrap();
    assert_eq!((entry.index.clone(), entry.rows().unwrap()[0].bytes()), (index(100), &[1; 200][..]));
    assert!(cache.has(&[1; 32]) && !cache.has(&[2; 32]));
    assert!(cache.of_content(&[1; 32], &[8; 32], Some(&[6; 32])).is_none() && cache.stamped(&[6; 32]).is_none());
    assert!(cache.of_content(&[1; 32], &[9; 32], Some(&[6; 32])).is_some() && cache.stamped(&[6; 32]).is_some());
}

#[test]
fn damage_anywhere_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::within(folder.path(), 1 << 20);
    let path = kept(&cache, 1, Some(&[5; 32]));
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let cut = &good[..at];
        for damaged in [&bad[..], cut, &[]] {
            fs::write(&path, damaged).unwrap();
            assert!(cache.stamped(&[5; 32]).is_none(), "{at}");
            assert!(!path.exists());
        }
    }
}

#[test]
fn what_was_used_longest_ago_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let unlimited = Cache::within(folder.path(), 1 << 20);
    let paths: Vec<PathBuf> = (0..3).map(|number| kept(&unlimited, number, Some(&[100 + number; 32]))).collect();
    for (age, path) in [30, 20, 10].iter().zip(&paths) {
        let file = File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - std::time::Duration::from_secs(*age)).unwrap();
    }
    // The oldest is used again.
    assert!(unlimited.stamped(&[100; 32]).is_some());
    let size = fs::metadata(&paths[0]).unwrap().len();
    let latest = kept(&Cache::within(folder.path(), 3 * size + 100), 7, None);
    assert_eq!(paths.iter().map(|path| path.exists()).collect::<Vec<_>>(), [true, false, true]);
    assert!(latest.exists() && !unlimited.stamp_path(&[101; 32]).exists() && unlimited.stamp_path(&[102; 32]).exists());
    kept(&Cache::within(folder.path(), 1), 8, None);
    assert_eq!(unlimited.all().len(), 1);
}

#[test]
fn drafts_vanish_and_abandoned_ones_are_swept() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::within(folder.path(), 1 << 20);
    let count = || fs::read_dir(folder.path().join(DECODED)).unwrap().count();
    let draft = cache.begin().unwrap();
    assert_eq!(count(), 1);
    drop(draft);
    assert_eq!(count(), 0);
    let left = folder.path().join(DECODED).join(".gpu-ae-decoded-abc");
    fs::write(&left, "left").unwrap();
    drop(cache.begin().unwrap());
    assert!(left.exists(), "it may be just begun");
    let long_ago = SystemTime::now() - std::time::Duration::from_secs(60);
    File::options().append(true).open(&left).unwrap().set_modified(long_ago).unwrap();
    let held = File::open(&left).unwrap();
    held.try_lock().unwrap();
    drop(cache.begin().unwrap());
    assert!(left.exists(), "somebody is at work on it");
    drop(held);
    drop(cache.begin().unwrap());
    assert!(!left.exists());
}

#[test]
fn limits_are_numbers_of_bytes() {
    for (text, expected) in [("0", 0), ("12", 12), ("20GB", 20_000_000_000), ("5 MB", 5_000_000), ("1 kB", 1000)] {
        assert_eq!(bytes(text).unwrap(), expected);
    }
    for text in ["", "GB", "-1", "1.5GB", "99999999999999TB", "much"] {
        assert!(bytes(text).unwrap_err().to_string().contains(LIMIT), "{text}");
    }
}
