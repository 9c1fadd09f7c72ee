//! Files packed by gzip.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, Result};

/// Most bytes that a packed file may unpack to, and that the values of a table may take: 16 GiB.
pub const MOST_UNPACKED: u64 = 1 << 34;

/// Bytes that are unpacked at once.
const STEP: usize = 1 << 20;

/// Whether a file begins with these bytes.
pub fn begins(path: &Path, with: &[u8]) -> Result<bool> {
    let mut head = Vec::with_capacity(with.len());
    let file = File::open(path).map_err(Error::io(path, "read"))?;
    file.take(with.len() as u64).read_to_end(&mut head).map_err(Error::io(path, "read"))?;
    Ok(head == with)
}

/// What is packed in these bytes, or the bytes themselves if nothing is.
pub fn unpacked(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>> {
    if bytes.starts_with(&[0x1f, 0x8b]) { unpacked_to(path, &bytes, MOST_UNPACKED) } else { Ok(bytes) }
}

fn unpacked_to(path: &Path, bytes: &[u8], most: u64) -> Result<Vec<u8>> {
    let mut decoder = MultiGzDecoder::new(bytes);
    let (mut out, mut step) = (Vec::new(), vec![0; STEP]);
    loop {
        let read = decoder.read(&mut step).map_err(|error| {
            Error::input(path, format!("is cut off or damaged, expected a file packed by gzip ({error})"))
        })?;
        if read == 0 {
            return Ok(out);
        }
        if out.len() as u64 + read as u64 > most {
            let problem = format!("unpacks to more than {most} bytes, expected fewer; a folder may hold it in parts");
            return Err(Error::input(path, problem));
        }
        out.try_reserve(read).map_err(|_| Error::memory(path.display(), out.len() + read))?;
        out.extend_from_slice(&step[..read]);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_up_to_a_limit() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(&[b'x'; 3 << 20]).unwrap();
        let packed = packer.finish().unwrap();
        let path = Path::new("x.csv.gz");
        assert_eq!(unpacked(path, packed.clone()).unwrap().len(), 3 << 20);
        let twice = [&packed[..], &packed[..]].concat();
        assert_eq!(unpacked(path, twice).unwrap().len(), 6 << 20, "two members");
        assert!(unpacked_to(path, &packed, 1 << 20).unwrap_err().to_string().contains("more than 1048576 bytes"));
        assert!(unpacked(path, packed[..packed.len() / 2].to_vec()).unwrap_err().to_string().contains("cut off"));
        assert_eq!(unpacked(path, b"a,b\n".to_vec()).unwrap(), b"a,b\n");
    }
}
