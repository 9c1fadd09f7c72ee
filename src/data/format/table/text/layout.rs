//! What the first lines of a text say of all of it: how it is written, what its columns are, where its rows begin.

use std::borrow::Cow;
use std::path::Path;

use memchr::{memchr, memrchr};

use super::decoded::{self, MARK};
use super::look::{self, Sample};
use super::piece::Kind;
use super::record::Style;
use super::source::Source;
use super::stretch::{line_of, located};
use crate::data::format::table::Cells;
use crate::data::options::DataOptions;
use crate::error::Result;

/// Bytes of a text that are looked at first. If there is too little to be seen in them, it is twice as many, and so on.
const FIRST: usize = 1 << 22;

/// What the first lines say.
pub struct Layout {
    /// How cells are written.
    pub style: Style,
    /// What each column is called.
    pub names: Vec<String>,
    /// What each is taken for.
    pub kinds: Vec<Kind>,
    /// The line that names the columns, without its end, if there is one.
    pub header: Option<String>,
    /// Where the first row begins.
    pub start: usize,
    /// Lines before it.
    pub lines: usize,
    /// Bytes that a row takes, as far as that is known; no fewer than it has columns.
    pub row: usize,
    /// What the first line says if it counts the rows.
    pub counted: Option<Counted>,
}

impl Layout {
    /// That of a text; nothing if it has no records. A text whose lines are ended by carriage returns alone, as those of very
    /// old files are, becomes one with line feeds.
    ///
    /// # Errors
    /// When it cannot be read, is no text of UTF-8, or its first records are not as they should be.
    pub fn of(path: &Path, source: &mut Source, options: &DataOptions) -> Result<Option<Self>> {
        let mut most = FIRST;
        loop {
            let mut bytes = source.first(path, most)?;
            decoded::checked(path, &bytes)?;
            let is_whole = bytes.len() == source.length();
            most = most.saturating_mul(2);
            match memrchr(b'\n', &bytes) {
                None if !is_whole => continue,
                None if memchr(b'\r', &bytes).is_some() => {
                    bytes.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
                    *source = Source::Bytes(bytes.clone());
                }
                Some(last) if !is_whole => bytes.truncate(last + 1),
                _ => {}
            }
            if bytes.last().is_some_and(|byte| *byte != b'\n') {
                bytes.push(b'\n');
            }
            let mark = if bytes.starts_with(MARK) { MARK.len() } else { 0 };
            let flawed = |flaw| located(path, 0, &bytes[mark..], flaw);
            let text = decoded::piece(&bytes[mark..]).map_err(flawed)?;
            let style = Style::of(look::separator(text));
            let sample = match look::looked_at(text, style.separator) {
                Ok(sample) if is_whole || sample.places.last().is_some_and(|last| *last < text.len()) => sample,
                Err(flaw) if is_whole => return Err(flawed(flaw)),
                // A record of some megabytes.
                _ => continue,
            };
            let counted = match Counted::of(&sample, options) {
                Some(counted) if counted.rows == source.lines(path, mark + sample.places[1])? => Some(counted),
                _ => None,
            };
            let seen = Layout::seen(text, &sample, style, counted, options);
            // The line feed that ends the last line may be none of the file's.
            let moved = |layout: Layout| Layout { start: (mark + layout.start).min(source.length()), ..layout };
            return Ok(seen.map(moved));
        }
    }

    /// What is seen of a text whose first records these are.
    fn seen(
        text: &str,
        sample: &Sample<'_>,
        style: Style,
        counted: Option<Counted>,
        options: &DataOptions,
    ) -> Option<Self> {
        let first = sample.records.first()?;
        let has_header = match (counted.is_some(), options.header) {
            (true, _) => false,
            (false, Some(said)) => said,
            (false, None) => look::is_header(&sample.records, style),
        };
        let skipped = usize::from(has_header || counted.is_some());
        let columns = sample.records.get(skipped).filter(|_| counted.is_some()).unwrap_or(first).len();
        let names = names(has_header.then_some(first), columns, counted.is_some());
        let kinds = look::kinds(&sample.records[skipped..], columns, style);
        let dropped = options.dropped(|asked| names.iter().any(|name| name == asked));
        let kinds = kinds.into_iter().zip(&names).map(|(kind, name)| wanted(kind, name, options, &dropped)).collect();
        let line = &text[sample.places[0]..sample.places[1.min(sample.places.len() - 1)]];
        let header = has_header.then(|| line.trim_end_matches(['\r', '\n']).to_string());
        let start = sample.places[skipped];
        let seen = sample.places.last().map_or(0, |last| last - start) / (sample.records.len() - skipped).max(1);
        let lines = line_of(text.as_bytes(), start) - 1;
        Some(Layout { style, names, kinds, header, start, lines, row: seen.max(columns), counted })
    }
}

/// What the columns are called.
fn names(header: Option<&Vec<Cow<'_, str>>>, columns: usize, is_counted: bool) -> Vec<String> {
    let name = |place: usize| match header.and_then(|header| header.get(place)) {
        Some(name) if !name.is_empty() => name.clone().into_owned(),
        _ if is_counted && place + 1 == columns => "class".to_string(),
        _ => format!("column {}", place + 1),
    };
    (0..columns).map(name).collect()
}

/// What a column is read as, given what it looks like and what is asked for: a name is read as it is written.
fn wanted(kind: Kind, name: &str, options: &DataOptions, dropped: &[&str]) -> Kind {
    let is = |asked: &Option<String>| asked.as_deref() == Some(name);
    match () {
        () if is(&options.id) => Kind::Words,
        () if dropped.contains(&name) && !is(&options.label) => Kind::Unread,
        () => kind,
    }
}

/// What a first line says that counts rows and columns, and names classes.
pub struct Counted {
    rows: usize,
    classes: Vec<String>,
}

impl Counted {
    /// What the first line says, if it looks like such a line.
    fn of(sample: &Sample<'_>, options: &DataOptions) -> Option<Self> {
        let [first, second, ..] = &sample.records[..] else { return None };
        let [rows, columns, classes @ ..] = &first[..] else { return None };
        let (rows, columns): (usize, usize) = (rows.parse().ok()?, columns.parse().ok()?);
        let are_words = classes.iter().all(|class| class.parse::<f64>().is_err() && !class.is_empty());
        let fits = are_words && !classes.is_empty() && Some(second.len()) == columns.checked_add(1);
        let classes = classes.iter().map(|class| class.clone().into_owned()).collect();
        (fits && options.header.is_none()).then_some(Counted { rows, classes })
    }

    /// Numbers of classes become their names, if that is what they are.
    pub fn name(self, cells: &mut Cells) {
        let Cells::Numbers(numbers) = cells else { return };
        let most = self.classes.len() as f64;
        if numbers.iter().all(|number| number.fract() == 0.0 && (0.0..most).contains(number)) {
            let codes = numbers.iter().map(|number| *number as u32).collect();
            *cells = Cells::Words { codes, words: self.classes };
        }
    }
}
