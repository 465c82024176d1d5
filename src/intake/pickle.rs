//! What a PyTorch checkpoint's pickle says, without running any of it.
//!
//! A pickle is a program for a stack machine that may call anything (Python, `Lib/pickletools.py`). This
//! reader knows data, and five names that a state dict needs and that only describe tensors
//! (PyTorch, `torch/_weights_only_unpickler.py`, has the same idea). Any other name is refused before
//! anything is made of it. Values live in an arena, so that no nesting is deep for the machine's stack.

use std::collections::BTreeMap;

use crate::weights::error::Error;

/// Longer pickles describe no encoder.
const MOST_BYTES: usize = 8 << 20;
/// A checkpoint has some hundred tensors.
const MOST_TENSORS: usize = 1 << 16;
const MOST_DIMENSIONS: usize = 8;

/// A tensor that the pickle describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    pub name: String,
    /// Which storage holds its numbers.
    pub storage: String,
    /// `FloatStorage`, `HalfStorage`, ...
    pub kind: &'static str,
    /// Bytes of a number of that kind.
    pub number_bytes: u64,
    /// Numbers of the storage.
    pub storage_numbers: u64,
    /// Numbers of the storage before the first one.
    pub offset: u64,
    pub shape: Vec<u64>,
    /// Numbers from one row (plane, ...) to the next.
    pub strides: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    /// Nothing, a yes or no, a real number: what no tensor needs.
    Other,
    Int(i64),
    Text(usize),
    /// A range of `items`.
    Tuple(usize, usize),
    Dict(usize),
    List,
    Global(Global),
    Storage(usize),
    Tensor(usize),
    Mark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    /// A storage's type, by number in [`STORAGES`].
    Storage(usize),
    Size,
}

/// Types of storages, and bytes of a number.
const STORAGES: [(&str, u64); 10] = [
    ("FloatStorage", 4),
    ("HalfStorage", 2),
    ("BFloat16Storage", 2),
    ("DoubleStorage", 8),
    ("LongStorage", 8),
    ("IntStorage", 4),
    ("ShortStorage", 2),
    ("CharStorage", 1),
    ("ByteStorage", 1),
    ("BoolStorage", 1),
];

#[derive(Debug, Clone)]
struct Storage {
    kind: usize,
    key: usize,
    numbers: u64,
}

#[derive(Debug, Clone)]
struct Tensor {
    storage: usize,
    offset: u64,
    shape: Vec<u64>,
    strides: Vec<u64>,
}

/// Reads the tensors of a state dict: of the whole pickle, or of the dict under `state_dict`, `model` or
/// `model_state_dict` in it.
///
/// # Errors
/// [`Error::Source`] for a damaged pickle, [`Error::Pickle`] for one that asks to run something.
pub fn state_dict(file: &str, bytes: &[u8]) -> Result<Vec<Described>, Error> {
    Ok(state_dict_at_front(file, bytes)?.0)
}

/// A pickle that is skipped, or a list of texts: of the older format. The list (empty for anything
/// else) and the length of the pickle.
///
/// # Errors
/// As [`state_dict`].
pub fn texts(file: &str, bytes: &[u8]) -> Result<(Vec<String>, usize), Error> {
    let mut machine = Machine::new(file, bytes);
    machine.run()?;
    Ok((std::mem::take(&mut machine.listed), machine.at))
}

/// As [`state_dict`], with the length of the pickle.
///
/// # Errors
/// As [`state_dict`].
pub fn state_dict_at_front(file: &str, bytes: &[u8]) -> Result<(Vec<Described>, usize), Error> {
    let mut machine = Machine::new(file, bytes);
    let top = machine.run()?;
    Ok((machine.tensors(top)?, machine.at))
}

struct Machine<'a> {
    file: &'a str,
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    memo: BTreeMap<u32, Value>,
    texts: Vec<String>,
    items: Vec<Value>,
    dicts: Vec<Vec<(Value, Value)>>,
    storages: Vec<Storage>,
    tensors: Vec<Tensor>,
    /// Texts that were appended to any list.
    listed: Vec<String>,
}

impl<'a> Machine<'a> {
    fn new(file: &'a str, bytes: &'a [u8]) -> Self {
        Self {
            file,
            bytes,
            at: 0,
            stack: Vec::new(),
            memo: BTreeMap::new(),
            texts: Vec::new(),
            items: Vec::new(),
            dicts: Vec::new(),
            storages: Vec::new(),
            tensors: Vec::new(),
            listed: Vec::new(),
        }
    }

    fn bad(&self, detail: impl Into<String>) -> Error {
        Error::Source { file: self.file.to_owned(), detail: detail.into() }
    }

    fn damaged(&self) -> Error {
        self.bad(format!("its list of tensors is damaged at byte {}", self.at))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let part = self.at.checked_add(length).and_then(|end| self.bytes.get(self.at..end));
        let part = part.filter(|_| self.at <= MOST_BYTES).ok_or_else(|| self.damaged())?;
        self.at += length;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.array::<1>()?[0])
    }

    fn length(&mut self) -> Result<usize, Error> {
        let length = u32::from_le_bytes(self.array()?);
        usize::try_from(length).map_err(|_| self.damaged())
    }

    fn line(&mut self) -> Result<&'a str, Error> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| self.damaged())?;
        let line = self.take(end + 1)?;
        std::str::from_utf8(&line[..end]).map_err(|_| self.damaged())
    }

    fn pop(&mut self) -> Result<Value, Error> {
        self.stack.pop().filter(|value| *value != Value::Mark).ok_or_else(|| self.damaged())
    }

    /// What lies above the last mark, which goes too.
    fn pop_to_mark(&mut self) -> Result<Vec<Value>, Error> {
        let mark = self.stack.iter().rposition(|value| *value == Value::Mark);
        let mark = mark.ok_or_else(|| self.damaged())?;
        let above = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(above)
    }

    fn text(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let text = std::str::from_utf8(bytes).map_err(|_| self.damaged())?;
        self.texts.push(text.to_owned());
        self.stack.push(Value::Text(self.texts.len() - 1));
        Ok(())
    }

    fn tuple(&mut self, values: &[Value]) {
        let start = self.items.len();
        self.items.extend_from_slice(values);
        self.stack.push(Value::Tuple(start, self.items.len()));
    }

    fn items_of(&self, value: Value) -> Option<&[Value]> {
        match value {
            Value::Tuple(start, end) => self.items.get(start..end),
            _ => None,
        }
    }

    fn text_of(&self, value: Value) -> Option<&str> {
        match value {
            Value::Text(at) => self.texts.get(at).map(String::as_str),
            _ => None,
        }
    }

    fn remember(&mut self, place: u32) -> Result<(), Error> {
        let top = *self.stack.last().ok_or_else(|| self.damaged())?;
        self.memo.insert(place, top);
        Ok(())
    }

    fn recall(&mut self, place: u32) -> Result<(), Error> {
        let value = *self.memo.get(&place).ok_or_else(|| self.damaged())?;
        self.stack.push(value);
        Ok(())
    }

    /// Runs to the end; what it leaves.
    fn run(&mut self) -> Result<Value, Error> {
        loop {
            let code = self.byte()?;
            if code == b'.' {
                return self.pop();
            }
            self.step(code)?;
        }
    }

    /// One instruction, by its letter in `pickletools.py`.
    fn step(&mut self, code: u8) -> Result<(), Error> {
        match code {
            0x80 => drop(self.byte()?),
            0x95 => drop(self.take(8)?),
            b'(' => self.stack.push(Value::Mark),
            b'}' => self.new_dict(),
            b']' => self.stack.push(Value::List),
            b')' => self.tuple(&[]),
            b'N' | 0x88 | 0x89 => self.stack.push(Value::Other),
            b'G' => {
                self.take(8)?;
                self.stack.push(Value::Other);
            }
            b'K' | b'M' | b'J' | 0x8a | 0x8b => self.integer(code)?,
            b'X' | 0x8c | 0x8d | b'U' | b'T' | b'C' | b'B' => self.string(code)?,
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.global(module, name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let texts = (self.text_of(module), self.text_of(name));
                let (Some(module), Some(name)) = texts else { return Err(self.damaged()) };
                let (module, name) = (module.to_owned(), name.to_owned());
                self.global(&module, &name)?;
            }
            b't' => {
                let values = self.pop_to_mark()?;
                self.tuple(&values);
            }
            0x85..=0x87 => {
                let count = usize::from(code - 0x84);
                let mut values = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
                values.reverse();
                self.tuple(&values);
            }
            b'q' => {
                let place = u32::from(self.byte()?);
                self.remember(place)?;
            }
            b'r' => {
                let place = u32::from_le_bytes(self.array()?);
                self.remember(place)?;
            }
            0x94 => {
                let place = u32::try_from(self.memo.len()).map_err(|_| self.damaged())?;
                self.remember(place)?;
            }
            b'h' => {
                let place = u32::from(self.byte()?);
                self.recall(place)?;
            }
            b'j' => {
                let place = u32::from_le_bytes(self.array()?);
                self.recall(place)?;
            }
            b'0' => drop(self.pop()?),
            b'Q' => self.persistent()?,
            b'R' => self.call()?,
            b's' | b'u' | b'a' | b'e' | b'b' => self.fill(code)?,
            _ => {
                return Err(self.bad(format!(
                    "its list of tensors has the instruction {code:#04x}, which no checkpoint needs"
                )));
            }
        }
        Ok(())
    }

    fn new_dict(&mut self) {
        self.dicts.push(Vec::new());
        self.stack.push(Value::Dict(self.dicts.len() - 1));
    }

    fn integer(&mut self, code: u8) -> Result<(), Error> {
        let value = match code {
            b'K' => i64::from(self.byte()?),
            b'M' => i64::from(u16::from_le_bytes(self.array()?)),
            b'J' => i64::from(i32::from_le_bytes(self.array()?)),
            _ => {
                let length = if code == 0x8a { usize::from(self.byte()?) } else { self.length()? };
                let bytes = self.take(length)?;
                let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
                let mut whole = [if negative { 0xff } else { 0 }; 8];
                // Longer ones (the older format's magic number) stand for no size.
                for (to, from) in whole.iter_mut().zip(bytes) {
                    *to = *from;
                }
                i64::from_le_bytes(whole)
            }
        };
        self.stack.push(Value::Int(value));
        Ok(())
    }

    fn string(&mut self, code: u8) -> Result<(), Error> {
        let length = match code {
            0x8c | b'U' | b'C' => usize::from(self.byte()?),
            0x8d => {
                usize::try_from(u64::from_le_bytes(self.array()?)).map_err(|_| self.damaged())?
            }
            _ => self.length()?,
        };
        let bytes = self.take(length)?;
        if matches!(code, b'C' | b'B') {
            self.stack.push(Value::Other);
            return Ok(());
        }
        self.text(bytes)
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), Error> {
        let storage = STORAGES.iter().position(|known| known.0 == name);
        let global = match (module, name, storage) {
            ("collections", "OrderedDict", _) => Global::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2", _) => Global::RebuildTensor,
            ("torch._utils", "_rebuild_parameter", _) => Global::RebuildParameter,
            ("torch", "Size", _) => Global::Size,
            ("torch", _, Some(kind)) => Global::Storage(kind),
            _ => {
                let asked = format!("{module}.{name}");
                return Err(Error::Pickle { file: self.file.to_owned(), asked });
            }
        };
        self.stack.push(Value::Global(global));
        Ok(())
    }

    /// `("storage", type, key, location, numbers)`.
    fn persistent(&mut self) -> Result<(), Error> {
        let value = self.pop()?;
        let items = self.items_of(value).unwrap_or_default();
        let [
            what,
            Value::Global(Global::Storage(kind)),
            Value::Text(key),
            _,
            Value::Int(numbers),
            ..,
        ] = *items
        else {
            return Err(self.damaged());
        };
        let numbers = u64::try_from(numbers).map_err(|_| self.damaged())?;
        if self.text_of(what) != Some("storage") {
            return Err(self.damaged());
        }
        self.storages.push(Storage { kind, key, numbers });
        self.stack.push(Value::Storage(self.storages.len() - 1));
        Ok(())
    }

    fn call(&mut self) -> Result<(), Error> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let arguments = self.items_of(arguments).ok_or_else(|| self.damaged())?.to_vec();
        match (function, arguments.as_slice()) {
            (Value::Global(Global::OrderedDict), []) => self.new_dict(),
            (Value::Global(Global::Size), [sizes]) => self.stack.push(*sizes),
            (Value::Global(Global::RebuildParameter), [tensor @ Value::Tensor(_), ..]) => {
                self.stack.push(*tensor);
            }
            (
                Value::Global(Global::RebuildTensor),
                [Value::Storage(storage), Value::Int(offset), shape, strides, ..],
            ) => {
                let tensor = Tensor {
                    storage: *storage,
                    offset: u64::try_from(*offset).map_err(|_| self.damaged())?,
                    shape: self.sizes(*shape)?,
                    strides: self.sizes(*strides)?,
                };
                if self.tensors.len() >= MOST_TENSORS {
                    return Err(self.bad("it lists more tensors than an encoder has"));
                }
                self.tensors.push(tensor);
                self.stack.push(Value::Tensor(self.tensors.len() - 1));
            }
            _ => return Err(self.damaged()),
        }
        Ok(())
    }

    fn sizes(&self, value: Value) -> Result<Vec<u64>, Error> {
        let items = self.items_of(value).filter(|items| items.len() <= MOST_DIMENSIONS);
        let sizes = items.ok_or_else(|| self.damaged())?.iter().map(|item| match item {
            Value::Int(size) => u64::try_from(*size).map_err(|_| self.damaged()),
            _ => Err(self.damaged()),
        });
        sizes.collect()
    }

    /// Items into dicts and lists; an object's state, which no tensor needs, is dropped.
    fn fill(&mut self, code: u8) -> Result<(), Error> {
        let values = match code {
            b'u' | b'e' => self.pop_to_mark()?,
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                vec![key, value]
            }
            _ => vec![self.pop()?],
        };
        let into = *self.stack.last().ok_or_else(|| self.damaged())?;
        match (code, into) {
            (b'b', _) => {}
            (b's' | b'u', Value::Dict(at)) if values.len().is_multiple_of(2) => {
                let pairs = values.as_chunks::<2>().0.iter().map(|[key, value]| (*key, *value));
                if let Some(dict) = self.dicts.get_mut(at) {
                    dict.extend(pairs);
                }
            }
            (b'a' | b'e', Value::List) => {
                let texts = values.iter().filter_map(|value| self.text_of(*value));
                let texts: Vec<_> = texts.map(str::to_owned).collect();
                self.listed.extend(texts);
            }
            _ => return Err(self.damaged()),
        }
        Ok(())
    }

    fn tensors(&self, top: Value) -> Result<Vec<Described>, Error> {
        let no_dict = || self.bad("it holds no state dict; save `model.state_dict()`");
        let Value::Dict(at) = top else { return Err(no_dict()) };
        let dict = self.dicts.get(at).ok_or_else(no_dict)?;
        let inner = dict.iter().find_map(|(key, value)| match (self.text_of(*key), *value) {
            (Some("state_dict" | "model" | "model_state_dict"), Value::Dict(at)) => Some(at),
            _ => None,
        });
        let dict = inner.and_then(|at| self.dicts.get(at)).unwrap_or(dict);
        let found = dict.iter().filter_map(|(key, value)| match (self.text_of(*key), *value) {
            (Some(name), Value::Tensor(at)) => Some(self.described(name, self.tensors.get(at)?)),
            _ => None,
        });
        let found: Vec<_> = found.flatten().collect();
        if found.is_empty() { Err(no_dict()) } else { Ok(found) }
    }

    fn described(&self, name: &str, tensor: &Tensor) -> Option<Described> {
        let storage = self.storages.get(tensor.storage)?;
        let (kind, number_bytes) = *STORAGES.get(storage.kind)?;
        Some(Described {
            name: name.to_owned(),
            storage: self.texts.get(storage.key)?.clone(),
            kind,
            number_bytes,
            storage_numbers: storage.numbers,
            offset: tensor.offset,
            shape: tensor.shape.clone(),
            strides: tensor.strides.clone(),
        })
    }
}
