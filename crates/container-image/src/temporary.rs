//! Unnamed files for what is downloaded or unpacked. They vanish with the process, however it ends.

use std::fs::File;
use std::io::{self, Read, Write};

use tokio::io::AsyncWriteExt;

use crate::blob::Blob;
use crate::compression::{LimitPassed, Unpacked};
use crate::digest::Hasher;
use crate::http::{HttpError, Response};
use crate::{Digest, Error};

/// A response's body in a file, and its digest.
pub(crate) async fn download(
    from: &str,
    what: &str,
    mut response: Response,
    limit: u64,
) -> Result<(Blob, Digest), Error> {
    let failed = |error| Error::Http(from.to_owned(), error);
    let file = tempfile::tempfile().map_err(Error::temporary)?;
    let mut file = tokio::fs::File::from_std(file);
    let mut hasher = Hasher::default();
    let mut length = 0_u64;
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        length = length.saturating_add(chunk.len() as u64);
        if length > limit {
            return Err(Error::too_large(what, limit));
        }
        hasher.update(&chunk);
        file.write_all(&chunk).await.map_err(|error| failed(HttpError::Keep(error)))?;
    }
    file.flush().await.map_err(|error| failed(HttpError::Keep(error)))?;
    let blob = Blob::of(file.into_std().await).map_err(Error::temporary)?;
    Ok((blob, hasher.finish()))
}

/// All that a reader has, in a file.
pub(crate) fn spool(what: &str, reader: impl Read, limit: u64) -> Result<Blob, Error> {
    let mut file = tempfile::tempfile().map_err(Error::temporary)?;
    let mut reader = reader.take(limit.saturating_add(1));
    let length = copy(what, &mut reader, &mut file)?;
    if length > limit {
        return Err(Error::too_large(what, limit));
    }
    Blob::of(file).map_err(Error::temporary)
}

/// A compressed archive, unpacked.
pub(crate) fn unpack(what: &str, blob: &Blob, limit: u64) -> Result<Blob, Error> {
    let mut file = tempfile::tempfile().map_err(Error::temporary)?;
    let mut reader = Unpacked::new(blob, limit).map_err(|source| Error::unreadable(what, source))?;
    copy(what, &mut reader, &mut file).map_err(|error| match error {
        Error::Unreadable { source, .. } if LimitPassed::is_in(&source) => {
            Error::too_large(format!("{what}, unpacked,"), limit)
        }
        other => other,
    })?;
    Blob::of(file).map_err(Error::temporary)
}

fn copy(what: &str, reader: &mut impl Read, file: &mut File) -> Result<u64, Error> {
    let mut buffer = vec![0; 64 << 10];
    let mut total = 0;
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(Error::unreadable(what, source)),
        };
        file.write_all(buffer.get(..length).unwrap_or_default()).map_err(Error::temporary)?;
        total += length as u64;
    }
}
