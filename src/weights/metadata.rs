//! Values of GGUF's metadata keys.

/// A metadata value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    Text(String),
    U64(u64),
    I64(i64),
    F64(f64),
    Texts(Texts),
    Numbers(Numbers),
}

impl Value {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::U8(_) | Self::U16(_) | Self::U32(_) | Self::U64(_) => "a natural number",
            Self::I8(_) | Self::I16(_) | Self::I32(_) | Self::I64(_) => "a whole number",
            Self::F32(_) | Self::F64(_) => "a real number",
            Self::Bool(_) => "a yes or no",
            Self::Text(_) => "a text",
            Self::Texts(_) => "an array of texts",
            Self::Numbers(_) => "an array of numbers",
        }
    }

    /// The natural number, whatever its width; a whole number that is not negative is one too.
    pub fn natural(&self) -> Option<u64> {
        match *self {
            Self::U8(value) => Some(value.into()),
            Self::U16(value) => Some(value.into()),
            Self::U32(value) => Some(value.into()),
            Self::U64(value) => Some(value),
            Self::I8(value) => value.try_into().ok(),
            Self::I16(value) => value.try_into().ok(),
            Self::I32(value) => value.try_into().ok(),
            Self::I64(value) => value.try_into().ok(),
            _ => None,
        }
    }
}

/// Many texts in one allocation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Texts {
    joined: String,
    /// End of each text in `joined`.
    ends: Vec<usize>,
}

impl Texts {
    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Appends a text.
    pub fn push(&mut self, text: &str) {
        self.joined.push_str(text);
        self.ends.push(self.joined.len());
    }

    /// The texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.joined.get(start..*end).unwrap_or_default())
    }
}

impl<T: AsRef<str>> FromIterator<T> for Texts {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let mut result = Self::default();
        for text in texts {
            result.push(text.as_ref());
        }
        result
    }
}

/// Number formats of metadata, by GGUF's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    U64,
    I64,
    F64,
}

impl NumberKind {
    /// The kind of GGUF's number.
    pub fn from_id(id: u32) -> Option<Self> {
        Some(match id {
            0 => Self::U8,
            1 => Self::I8,
            2 => Self::U16,
            3 => Self::I16,
            4 => Self::U32,
            5 => Self::I32,
            6 => Self::F32,
            7 => Self::Bool,
            10 => Self::U64,
            11 => Self::I64,
            12 => Self::F64,
            _ => return None,
        })
    }

    /// GGUF's number.
    pub fn id(self) -> u32 {
        match self {
            Self::U8 => 0,
            Self::I8 => 1,
            Self::U16 => 2,
            Self::I16 => 3,
            Self::U32 => 4,
            Self::I32 => 5,
            Self::F32 => 6,
            Self::Bool => 7,
            Self::U64 => 10,
            Self::I64 => 11,
            Self::F64 => 12,
        }
    }

    /// Bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }
}

/// An array of numbers, kept as the file's little-endian bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    pub kind: NumberKind,
    pub bytes: Vec<u8>,
}

impl Numbers {
    /// Number of numbers.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.kind.bytes()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The numbers, where they are `f32` (tokens' scores are).
    pub fn as_f32(&self) -> Option<impl Iterator<Item = f32>> {
        (self.kind == NumberKind::F32)
            .then(|| self.bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)))
    }

    /// The numbers, where they are `i32` (token types are).
    pub fn as_i32(&self) -> Option<impl Iterator<Item = i32>> {
        (self.kind == NumberKind::I32)
            .then(|| self.bytes.as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes)))
    }
}
