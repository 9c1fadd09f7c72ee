//! Cells and records of a text: quotes, separators, line ends.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memrchr};

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// What separates cells.
    pub separator: u8,
    /// Whether a comma, too, is a decimal point.
    pub comma: bool,
}

impl Style {
    /// A style whose cells this separates.
    pub fn of(separator: u8) -> Self {
        Style { separator, comma: separator == b';' }
    }
}

/// What is wrong with a text, and where: the byte at which it is found.
#[derive(Clone, Debug, PartialEq)]
pub struct Flaw {
    /// Bytes before it.
    pub place: usize,
    /// What was expected, and what was found.
    pub problem: String,
}

impl Flaw {
    /// A flaw at a byte.
    pub fn at(place: usize, problem: impl Into<String>) -> Self {
        Flaw { place, problem: problem.into() }
    }
}

/// What is wrong where quotes do not end.
const UNCLOSED: &str = "a quote that is not closed, expected another before the end of the file";

/// A cell, and where it ends: at a separator or a line feed, or at the end of the text.
pub type Found<'a> = (Cow<'a, str>, usize);

/// The cell that begins at `start`, without the spaces around it and the quotes.
///
/// # Errors
/// When its quotes are not closed, or something follows them.
pub fn cell(text: &str, start: usize, separator: u8) -> Result<Found<'_>, Flaw> {
    let bytes = text.as_bytes();
    let mut first = start;
    while bytes.get(first) == Some(&b' ') && separator != b' ' {
        first += 1;
    }
    if bytes.get(first) == Some(&b'"') {
        return quoted(text, first, separator);
    }
    let end = memchr2(separator, b'\n', &bytes[first..]).map_or(bytes.len(), |length| first + length);
    let cell = text.get(first..end).unwrap_or_default();
    Ok((Cow::Borrowed(cell.trim_end_matches(['\r', ' '])), end))
}

/// The cell whose opening quote is at `open`.
fn quoted(text: &str, open: usize, separator: u8) -> Result<Found<'_>, Flaw> {
    let bytes = text.as_bytes();
    let mut place = open + 1;
    let mut doubled = false;
    let close = loop {
        let Some(length) = memchr(b'"', &bytes[place..]) else {
            return Err(Flaw::at(open, UNCLOSED));
        };
        place += length + 1;
        if bytes.get(place) != Some(&b'"') {
            break place - 1;
        }
        doubled = true;
        place += 1;
    };
    let cell = text.get(open + 1..close).unwrap_or_default();
    let cell = if doubled { Cow::Owned(cell.replace("\"\"", "\"")) } else { Cow::Borrowed(cell) };
    while matches!(bytes.get(place), Some(b' ' | b'\r')) && bytes.get(place) != Some(&separator) {
        place += 1;
    }
    match bytes.get(place) {
        None | Some(b'\n') => Ok((cell, place)),
        Some(byte) if *byte == separator => Ok((cell, place)),
        Some(_) => Err(Flaw::at(
            place,
            "text behind a closing quote, expected a separator; a quote within quotes is written twice",
        )),
    }
}

/// The cells of the record that begins at `start`, at most `most` of them, and where the next one begins.
///
/// # Errors
/// When quotes are not as they should be, or there are more cells.
pub fn cells(text: &str, start: usize, separator: u8, most: usize) -> Result<(Vec<Cow<'_, str>>, usize), Flaw> {
    let mut cells = Vec::new();
    let mut place = start;
    loop {
        let (cell, end) = cell(text, place, separator)?;
        if cells.len() == most {
            return Err(Flaw::at(start, format!("more than {most} columns, expected fewer")));
        }
        cells.push(cell);
        place = end + 1;
        if text.as_bytes().get(end) != Some(&separator) {
            return Ok((cells, place.min(text.len())));
        }
    }
}

/// Where the first record at or behind `start` begins that is no empty line.
pub fn skip_empty(text: &str, mut start: usize) -> usize {
    let bytes = text.as_bytes();
    loop {
        match bytes.get(start) {
            Some(b'\n') => start += 1,
            Some(b'\r') if bytes.get(start + 1) == Some(&b'\n') => start += 2,
            _ => return start,
        }
    }
}

/// Cuts the bytes of a text, of which a record begins at the first, at ends of records, into pieces of at least `size` bytes
/// but for the last: where each begins, and where the last record ends that is whole. `has_quotes` says whether there may be
/// quotes, `is_last` that the text ends here.
///
/// # Errors
/// When the text ends and quotes are not closed.
pub fn pieces(
    bytes: &[u8],
    separator: u8,
    size: usize,
    (has_quotes, is_last): (bool, bool),
) -> Result<Vec<usize>, Flaw> {
    let mut cuts = vec![0];
    // Behind the last line feed outside of quotes.
    let mut end = 0;
    let mut cut = |from: usize, to: usize| {
        // The next cuts are line feeds of this stretch outside of quotes.
        let mut aim = from;
        while let Some(last) = cuts.last().copied() {
            aim = aim.max(last + size);
            match bytes.get(aim..to).and_then(|stretch| memchr(b'\n', stretch)) {
                Some(length) => {
                    aim += length + 1;
                    cuts.push(aim);
                }
                None => break,
            }
        }
        if let Some(length) = memrchr(b'\n', &bytes[from..to]) {
            end = from + length + 1;
        }
    };
    // All before is outside of quotes, or passed.
    let mut place = 0;
    while let Some(length) = memchr(b'"', &bytes[place..]).filter(|_| has_quotes) {
        let quote = place + length;
        cut(place, quote);
        place = match () {
            () if !opens(bytes, quote, separator) => quote + 1,
            () => match closed(bytes, quote + 1) {
                Some(behind) => behind,
                None if is_last => return Err(Flaw::at(quote, UNCLOSED)),
                None => bytes.len(),
            },
        };
    }
    cut(place, bytes.len());
    let end = if is_last { bytes.len() } else { end };
    if cuts.last().is_some_and(|last| *last < end) {
        cuts.push(end);
    }
    Ok(cuts)
}

/// Behind the quote that closes what is within quotes from `place` on.
fn closed(bytes: &[u8], mut place: usize) -> Option<usize> {
    loop {
        place += memchr(b'"', bytes.get(place..)?)? + 1;
        if bytes.get(place) != Some(&b'"') {
            return Some(place);
        }
        place += 1;
    }
}

/// Whether a quote is the first of its cell, but for spaces.
fn opens(bytes: &[u8], quote: usize, separator: u8) -> bool {
    let mut before = quote;
    while before > 0 && bytes[before - 1] == b' ' && separator != b' ' {
        before -= 1;
    }
    before == 0 || bytes[before - 1] == separator || bytes[before - 1] == b'\n'
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn all(text: &str, separator: u8) -> Vec<Vec<String>> {
        let (mut records, mut place) = (Vec::new(), skip_empty(text, 0));
        while place < text.len() {
            let (found, next) = cells(text, place, separator, 100).unwrap();
            records.push(found.into_iter().map(Cow::into_owned).collect());
            place = skip_empty(text, next);
        }
        records
    }

    #[test]
    fn quotes_hold_separators_line_feeds_and_quotes() {
        let text = "a,\"b,c\",d\r\n\"x\ny\", \"say \"\"no\"\"\" , 5\" \r\n\r\n,,\n";
        let wanted = [["a", "b,c", "d"], ["x\ny", "say \"no\"", "5\""], ["", "", ""]];
        assert_eq!(all(text, b','), wanted);
        assert_eq!(all("a b  \n", b' '), [["a", "b", "", ""]]);
    }

    #[test]
    fn quotes_that_are_wrong_are_found_where_they_are() {
        let flaw = cells("a,\"b\nc\n", 0, b',', 9).unwrap_err();
        assert_eq!(flaw.place, 2);
        assert!(cells("\"a\"b,c", 0, b',', 9).unwrap_err().problem.contains("behind a closing quote"));
        assert!(cells("a,b,c", 0, b',', 2).unwrap_err().problem.contains("more than 2 columns"));
        let open = "a\n\"b\nc\n".as_bytes();
        assert_eq!(pieces(open, b',', 1, (true, true)).unwrap_err().place, 2);
        assert_eq!(pieces(open, b',', 1, (true, false)).unwrap(), [0, 2], "it may be closed later");
    }

    #[test]
    fn pieces_begin_where_records_begin() {
        let text = "a,5\"\n\"x\n\ny\",2\nb,\"\"\n\"q\"\"\n\",1\nlast,3";
        let mut begins = Vec::new();
        let mut place = 0;
        while place < text.len() {
            begins.push(place);
            place = cells(text, place, b',', 9).unwrap().1;
        }
        begins.push(text.len());
        for size in 1..text.len() + 2 {
            let cuts = pieces(text.as_bytes(), b',', size, (true, true)).unwrap();
            assert!(cuts.iter().all(|cut| begins.contains(cut)), "{size}: {cuts:?} of {begins:?}");
            assert_eq!((cuts[0], cuts.last()), (0, Some(&text.len())));
        }
        assert_eq!(pieces(text.as_bytes(), b',', 1, (true, true)).unwrap(), begins);
        for end in 0..text.len() {
            let whole = begins.iter().copied().filter(|begin| *begin <= end).collect::<Vec<_>>();
            assert_eq!(pieces(&text.as_bytes()[..end], b',', 1, (true, false)).unwrap(), whole, "{end}");
        }
    }
}
