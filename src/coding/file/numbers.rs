//! Whole numbers in as many bytes as they need: seven bits a byte, the lowest first, whose top bit says that more follow.

/// Adds a number.
pub fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes a number from the front of some bytes; none where they end within it, or nobody writes it so.
pub fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let byte = *bytes.split_off_first()?;
        let bits = u64::from(byte & 127);
        number |= bits << (7 * place);
        if byte < 128 {
            // Neither bits that get lost nor a byte in vain.
            let is_whole = number >> (7 * place) == bits && (byte > 0 || place == 0);
            return is_whole.then_some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_have_one_form() {
        for number in [0, 1, 127, 128, 300, 1 << 35, u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            assert_eq!(take(&mut &bytes[..]), Some(number));
            assert_eq!(take(&mut &bytes[..bytes.len() - 1]), None);
        }
        for wrong in [&[0x80, 0][..], &[0xff; 10], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]] {
            assert_eq!(take(&mut &wrong[..]), None, "{wrong:?}");
        }
    }
}
