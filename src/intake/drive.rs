//! Reading a checkpoint through a source of bytes: a disk, a server, a visitor's files.

use std::ops::Range;

use crate::intake::Intake;
use crate::intake::WeightsFile;
use crate::intake::description::Description;
use crate::intake::index::Reader;
use crate::weights::bert::sha256;
use crate::weights::blocks::BlockType;
use crate::weights::error::Error;

/// Where a checkpoint's weights files are, by position.
#[allow(
    async_fn_in_trait,
    reason = "sources live on one thread; nobody needs their futures elsewhere"
)]
pub trait Source {
    type Error: From<Error>;

    /// A part of a file, complete.
    async fn read(&mut self, file: usize, range: Range<u64>) -> Result<Vec<u8>, Self::Error>;

    /// Begins to read a file from a place to its end; [`Source::next`] gives the bytes.
    async fn begin(&mut self, file: usize, from: u64) -> Result<(), Self::Error>;

    /// The next bytes; none at the end. A source that can takes up a broken connection by itself.
    async fn next(&mut self) -> Result<Vec<u8>, Self::Error>;

    /// So many bytes of a file that is kept as it is came: time to tell, or to stop.
    async fn came(&mut self, done_bytes: u64, total_bytes: u64) -> Result<(), Self::Error>;

    /// Bytes were taken: time to tell, to keep what there is, or to stop.
    async fn taken(&mut self, intake: &mut Intake) -> Result<(), Self::Error>;
}

/// Fills in which tensors the files hold.
///
/// # Errors
/// What the source says, and what [`Reader::take`] does.
pub async fn index<S: Source>(source: &mut S, files: &mut [WeightsFile]) -> Result<(), S::Error> {
    for (position, file) in files.iter_mut().enumerate() {
        let mut reader = Reader::new(&file.name, file.size_bytes);
        while let Some(range) = reader.wants() {
            let bytes = source.read(position, range).await?;
            reader.take(&bytes)?;
        }
        file.tensors = reader.into_tensors();
    }
    Ok(())
}

/// Reads what is left of a checkpoint's files.
///
/// # Errors
/// What the source says, and what [`Intake::take`] and [`Intake::end_file`] do.
pub async fn run<S: Source>(source: &mut S, intake: &mut Intake) -> Result<(), S::Error> {
    while let Some((file, from)) = intake.position() {
        source.begin(file, from).await?;
        loop {
            let bytes = source.next().await?;
            if bytes.is_empty() {
                break;
            }
            intake.take(&bytes)?;
            source.taken(intake).await?;
        }
        intake.end_file()?;
        source.taken(intake).await?;
    }
    Ok(())
}

/// The source's only file, as it is.
///
/// # Errors
/// What the source says; [`Error::Source`] where there is no memory for it, or it has another length or
/// another hash.
pub async fn whole<S: Source>(
    source: &mut S,
    name: &str,
    size_bytes: u64,
    wanted_sha256: Option<&str>,
) -> Result<(Vec<u8>, String), S::Error> {
    let wrong = |detail: String| Error::Source { file: name.to_owned(), detail };
    let mut bytes = Vec::new();
    let size = usize::try_from(size_bytes).unwrap_or(usize::MAX);
    let no_room = |_| wrong(format!("there is no memory for its {size_bytes} bytes"));
    bytes.try_reserve_exact(size).map_err(no_room)?;
    source.begin(0, 0).await?;
    loop {
        let part = source.next().await?;
        if part.is_empty() {
            break;
        }
        if part.len() > size - bytes.len() {
            return Err(wrong(format!("it is longer than {size_bytes} bytes")).into());
        }
        bytes.extend_from_slice(&part);
        source.came(bytes.len() as u64, size_bytes).await?;
    }
    if bytes.len() != size {
        return Err(wrong(format!("{} of {size_bytes} bytes came", bytes.len())).into());
    }
    let found = sha256(&bytes);
    match wanted_sha256 {
        Some(wanted) if wanted != found => {
            Err(wrong(format!("its SHA-256 is {found}, not {wanted}")).into())
        }
        _ => Ok((bytes, found)),
    }
}

/// A whole checkpoint: index, plan, numbers.
///
/// # Errors
/// As [`index`], [`Intake::new`] and [`run`].
pub async fn convert<S: Source>(
    source: &mut S,
    description: &Description,
    mut files: Vec<WeightsFile>,
    block: BlockType,
) -> Result<Vec<u8>, S::Error> {
    index(source, &mut files).await?;
    let mut intake = Intake::new(description, files, block)?;
    run(source, &mut intake).await?;
    Ok(intake.finish()?)
}
