//! Thrift's compact protocol (apache/thrift, `doc/specs/thrift-compact-protocol.md`), as much of it
//! as Parquet's headers need.

const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// What stands in a list.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    I32,
    Text,
    Struct,
}

/// A struct that is being written, and those inside it that are open.
pub(super) struct Thrift {
    bytes: Vec<u8>,
    /// The last field of each open struct: fields are told by how far they are from the one before.
    fields: Vec<i16>,
}

impl Thrift {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), fields: vec![0] }
    }

    /// The struct's bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }

    pub(super) fn i32(&mut self, field: i16, value: i32) {
        self.field(field, I32);
        self.varint(zigzag(i64::from(value)));
    }

    pub(super) fn i64(&mut self, field: i16, value: i64) {
        self.field(field, I64);
        self.varint(zigzag(value));
    }

    pub(super) fn text(&mut self, field: i16, text: &str) {
        self.field(field, BINARY);
        self.text_item(text);
    }

    /// Opens a struct in a field; [`Self::close`] ends it.
    pub(super) fn open(&mut self, field: i16) {
        self.field(field, STRUCT);
        self.open_item();
    }

    pub(super) fn close(&mut self) {
        self.bytes.push(0);
        self.fields.pop();
    }

    /// Begins a list of so many items, which follow.
    pub(super) fn list(&mut self, field: i16, kind: Kind, count: usize) {
        self.field(field, LIST);
        let kind = match kind {
            Kind::I32 => I32,
            Kind::Text => BINARY,
            Kind::Struct => STRUCT,
        };
        match u8::try_from(count) {
            Ok(short @ 0..15) => self.bytes.push(short << 4 | kind),
            _ => {
                self.bytes.push(0xf0 | kind);
                self.varint(count as u64);
            }
        }
    }

    pub(super) fn i32_item(&mut self, value: i32) {
        self.varint(zigzag(i64::from(value)));
    }

    pub(super) fn text_item(&mut self, text: &str) {
        self.varint(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Opens a struct in a list; [`Self::close`] ends it.
    pub(super) fn open_item(&mut self) {
        self.fields.push(0);
    }

    fn field(&mut self, field: i16, kind: u8) {
        let last = self.fields.last_mut();
        let step = last.map_or(0, |last| field - std::mem::replace(last, field));
        match u8::try_from(step) {
            Ok(step @ 1..16) => self.bytes.push(step << 4 | kind),
            _ => {
                self.bytes.push(kind);
                self.varint(zigzag(i64::from(field)));
            }
        }
    }

    fn varint(&mut self, value: u64) {
        push_varint(&mut self.bytes, value);
    }
}

/// Seven bits a byte, the lowest first; all but the last have the highest bit set.
pub(super) fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// 0, -1, 1, -2, ... as 0, 1, 2, 3, ...
fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

#[cfg(test)]
mod tests {
    use super::{Kind, Thrift};

    #[test]
    fn bytes_are_those_of_the_specification() {
        let mut thrift = Thrift::new();
        thrift.i32(1, -1);
        thrift.i64(3, 300);
        thrift.text(20, "hi");
        thrift.list(21, Kind::I32, 2);
        thrift.i32_item(0);
        thrift.i32_item(64);
        thrift.open(22);
        thrift.i32(1, 1);
        thrift.close();
        let wanted = [
            0x15, 0x01, // field 1, -1
            0x26, 0xd8, 0x04, // two fields on, 300
            0x08, 0x28, 0x02, b'h', b'i', // far on: the field's own number
            0x19, 0x25, 0x00, 0x80, 0x01, // a list of two
            0x1c, 0x15, 0x02, 0x00, // a struct
            0x00,
        ];
        assert_eq!(thrift.finish(), wanted);
    }

    #[test]
    fn long_lists_have_a_length_of_their_own() {
        let mut thrift = Thrift::new();
        thrift.list(1, Kind::Struct, 15);
        assert_eq!(thrift.finish(), [0x19, 0xfc, 15, 0]);
    }
}
