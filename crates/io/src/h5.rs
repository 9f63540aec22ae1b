//! The little of HDF5 that our files share. The library is asked for its oldest file format: a newer one marks
//! files as "open" and other programs then refuse what a killed run leaves behind. Its error stack never reaches
//! the terminal: the binding keeps it silent on every thread and hands it to us as a value.

use std::path::Path;

use hdf5::plist::file_access::FileAccessBuilder;
use hdf5::types::{FixedAscii, VarLenAscii, VarLenUnicode};
use hdf5::{File, Group, H5Type, Location};

use crate::IoError;

/// Result of calls into HDF5, before the path is known.
pub(crate) type H5Result<T> = Result<T, hdf5::Error>;

/// How files are written: in the oldest format, and each number at once. What the library keeps back is written when a
/// dataset is closed, and where that fails (a full disk), it frees the dataset and next time reads it all the same.
fn access(access: &mut FileAccessBuilder) -> &mut FileAccessBuilder {
    access.libver_earliest().sieve_buf_size(0).chunk_cache(1, 0, 0.0)
}

/// Creates the file `path`, over what is there. `chunk_capacity`: chunks that any one dataset may get before its
/// index would have to be split. `user_block`: bytes left free at the front.
pub(crate) fn create(path: &Path, chunk_capacity: u32, user_block: u64) -> Result<File, IoError> {
    File::with_options()
        .with_fapl(access)
        .with_fcpl(|create| create.istore_k(chunk_capacity.div_ceil(2)).userblock(user_block))
        .create(path)
        .map_err(|e| IoError::from_hdf5("create", path, &e))
}

/// Opens `path` to be read.
pub(crate) fn open(path: &Path) -> Result<File, IoError> {
    // HDF5 has no words for a missing file that a user would understand; the system has.
    std::fs::File::open(path).map_err(|e| IoError::from_os("read", path, &e))?;
    File::open(path).map_err(|e| IoError::from_hdf5("open", path, &e))
}

/// Opens `path` to be written further.
pub(crate) fn open_for_append(path: &Path) -> Result<File, IoError> {
    File::with_options()
        .with_fapl(access)
        .open_as(path, hdf5::OpenMode::ReadWrite)
        .map_err(|e| IoError::from_hdf5("open", path, &e))
}

/// An attribute of variable length: the only kind in which MDAnalysis understands units.
pub(crate) fn put_unit(at: &Location, unit: &str) -> H5Result<()> {
    let text = VarLenAscii::from_ascii(unit).map_err(|e| hdf5::Error::from(format!("unit {unit:?}: {e}")))?;
    at.new_attr::<VarLenAscii>().create("unit")?.write_scalar(&text)
}

/// An attribute of fixed length, as H5MD wants its metadata; cut at 64 bytes, what is not ASCII becomes `?`.
pub(crate) fn put_name(at: &Location, name: &str, text: &str) -> H5Result<()> {
    at.new_attr::<FixedAscii<64>>().create(name)?.write_scalar(&fixed(text))
}

/// ASCII text of at most 64 bytes.
pub(crate) fn fixed(text: &str) -> FixedAscii<64> {
    let ascii: String = text.chars().map(|c| if c.is_ascii() && c != '\0' { c } else { '?' }).take(64).collect();
    FixedAscii::from_ascii(&ascii).unwrap_or_default()
}

/// A scalar attribute.
pub(crate) fn put_attribute<T: H5Type>(at: &Location, name: &str, value: T) -> H5Result<()> {
    at.new_attr::<T>().create(name)?.write_scalar(&value)
}

/// A scalar dataset of text.
pub(crate) fn put_text(group: &Group, name: &str, text: &str) -> H5Result<()> {
    // HDF5 strings end at the first zero byte; a deck that holds one keeps everything else.
    let text: VarLenUnicode =
        text.replace('\0', "\u{fffd}").parse().map_err(|e| hdf5::Error::from(format!("{name}: {e}")))?;
    group.new_dataset::<VarLenUnicode>().create(name)?.write_scalar(&text)
}

/// The scalar dataset of text `name`.
pub(crate) fn text(group: &Group, name: &str) -> H5Result<String> {
    Ok(group.dataset(name)?.read_scalar::<VarLenUnicode>()?.as_str().to_string())
}

/// A one-dimensional dataset that never changes.
pub(crate) fn put_array<T: H5Type>(group: &Group, name: &str, values: &[T]) -> H5Result<hdf5::Dataset> {
    group.new_dataset_builder().with_data(values).create(name)
}

/// A two-dimensional dataset that never changes.
pub(crate) fn put_rows<T: H5Type, const N: usize>(
    group: &Group,
    name: &str,
    rows: &[[T; N]],
) -> H5Result<hdf5::Dataset> {
    group.new_dataset_builder().with_data::<_, T, _>(rows).create(name)
}

/// A two-dimensional dataset with rows of N.
pub(crate) fn rows<T: H5Type + Copy, const N: usize>(group: &Group, name: &str) -> H5Result<Vec<[T; N]>> {
    let array = group.dataset(name)?.read_2d::<T>()?;
    into_rows(&array.iter().copied().collect::<Vec<T>>(), name)
}

/// A flat array cut into rows of N.
pub(crate) fn into_rows<T: Copy, const N: usize>(flat: &[T], name: &str) -> H5Result<Vec<[T; N]>> {
    let (rows, rest) = flat.as_chunks::<N>();
    if rest.is_empty() { Ok(rows.to_vec()) } else { Err(format!("{name} has rows of another length").into()) }
}
