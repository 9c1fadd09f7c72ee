//! Codes of variable length: the bits of a scan, and the tables that read them.

/// Bits by which a code is looked up at once; longer ones are searched.
const LOOK: u32 = 10;

/// A table of codes.
#[derive(Clone)]
pub struct Table {
    /// By the next bits: the length of the code they begin with, and its symbol; a length of 0 for longer codes.
    look: Vec<(u8, u8)>,
    /// For each length: one more than its largest code, with 16 bits.
    limit: [u32; 18],
    /// For each length: what brings a code to the place of its symbol.
    offset: [i32; 17],
    symbols: Vec<u8>,
}

impl Table {
    /// The table with so many codes of each length from 1 to 16, and these symbols in order; nothing if there are more
    /// codes of a length than there can be.
    pub fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Table> {
        let mut table =
            Table { look: vec![(0, 0); 1 << LOOK], limit: [0; 18], offset: [0; 17], symbols: symbols.to_vec() };
        let (mut code, mut at) = (0_u32, 0_usize);
        for length in 1..=16 {
            let count = usize::from(counts[length - 1]);
            table.offset[length] = at as i32 - code as i32;
            for _ in 0..count {
                if code >= 1 << length {
                    return None;
                }
                let symbol = *symbols.get(at)?;
                if length as u32 <= LOOK {
                    let free = LOOK - length as u32;
                    let first = (code << free) as usize;
                    table.look[first..first + (1 << free)].fill((length as u8, symbol));
                }
                code += 1;
                at += 1;
            }
            table.limit[length] = code << (16 - length);
            code <<= 1;
        }
        table.limit[17] = u32::MAX;
        Some(table)
    }
}

/// The bits of a scan. Behind its end there are zeros, and [`is_over`](Self::is_over) tells that some were taken.
pub struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, the first the highest.
    held: u64,
    /// How many of them are held.
    count: u32,
    /// How many of those held last lie behind the end.
    beyond: u32,
}

impl<'a> Bits<'a> {
    /// From the first byte of a scan.
    pub fn new(bytes: &'a [u8]) -> Self {
        Bits { bytes, at: 0, held: 0, count: 0, beyond: 0 }
    }

    /// Holds at least 32 bits.
    #[inline(always)]
    fn fill(&mut self) {
        if self.count >= 32 {
            return;
        }
        if let Some(next) = self.bytes.get(self.at..self.at + 4) {
            let word = u32::from_be_bytes([next[0], next[1], next[2], next[3]]);
            // No byte of the four is 255, which would announce a marker.
            let inverted = !word;
            if inverted.wrapping_sub(0x0101_0101) & word & 0x8080_8080 == 0 {
                self.held |= u64::from(word) << (32 - self.count);
                self.count += 32;
                self.at += 4;
                return;
            }
        }
        self.fill_slowly();
    }

    #[cold]
    fn fill_slowly(&mut self) {
        while self.count <= 56 {
            let (byte, length) = match self.bytes.get(self.at..) {
                Some([255, 0, ..]) => (255, 2),
                Some([255, ..]) | Some([]) | None => (0, 0),
                Some([byte, ..]) => (*byte, 1),
            };
            if length == 0 {
                self.beyond += 8;
            }
            self.held |= u64::from(byte) << (56 - self.count);
            self.at += length;
            self.count += 8;
        }
    }

    #[inline(always)]
    fn skip(&mut self, bits: u32) {
        self.held <<= bits;
        self.count -= bits;
    }

    /// The next symbol, or nothing where no code of the table comes next. Up to 15 bits can be taken behind it.
    #[inline(always)]
    pub fn symbol(&mut self, table: &Table) -> Option<u8> {
        self.fill();
        let (length, symbol) = table.look[(self.held >> (64 - LOOK)) as usize];
        if length > 0 {
            self.skip(u32::from(length));
            return Some(symbol);
        }
        let next = (self.held >> 48) as u32;
        let length = (LOOK as usize + 1..17).find(|&length| next < table.limit[length])?;
        let place = (next >> (16 - length)) as i32 + table.offset[length];
        self.skip(length as u32);
        table.symbols.get(usize::try_from(place).ok()?).copied()
    }

    /// The signed number that `size` bits behind a symbol stand for; `size` is at most 15.
    #[inline(always)]
    pub fn number(&mut self, size: u32) -> i32 {
        if size == 0 {
            return 0;
        }
        let raw = (self.held >> (64 - size)) as i32;
        self.skip(size);
        // Where the first bit is 0 the number is negative.
        if raw < 1 << (size - 1) { raw - (1 << size) + 1 } else { raw }
    }

    /// Whether more was taken than there is.
    #[inline(always)]
    pub fn is_over(&self) -> bool {
        self.count < self.beyond
    }

    /// Goes on behind the restart marker of this number, which must come next.
    pub fn restart(&mut self, number: u8) -> Option<()> {
        // What is held ends at the marker: whole bytes before it would be codes that nobody read.
        if self.is_over() || self.count - self.beyond >= 8 {
            return None;
        }
        while self.bytes.get(self.at..self.at + 2) == Some(&[255, 255]) {
            self.at += 1;
        }
        if self.bytes.get(self.at..self.at + 2)? != [255, 0xd0 + number] {
            return None;
        }
        *self = Bits { bytes: self.bytes, at: self.at + 2, held: 0, count: 0, beyond: 0 };
        Some(())
    }
}
