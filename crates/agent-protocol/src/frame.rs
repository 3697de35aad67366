//! Frames: how a message becomes bytes and bytes a message, without trusting the other side.

use std::io::{self, Read, Write};

use serde::{Serialize, de::DeserializeOwned};

/// The most bytes that a frame's message may have.
pub const MAX_FRAME_LENGTH: usize = 256 * 1024;

const LENGTH_BYTES: usize = size_of::<u32>();

/// Why bytes are no frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream broke, or ended inside a frame.
    #[error("the connection broke")]
    Io(#[from] io::Error),
    /// The announced length is over [`MAX_FRAME_LENGTH`].
    #[error("a message of {0} bytes is longer than allowed")]
    TooLong(usize),
    /// The bytes are no message of this protocol.
    #[error("the message is malformed")]
    Malformed(#[from] postcard::Error),
}

/// A message as one frame.
pub fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, FrameError> {
    let mut frame = postcard::to_extend(message, vec![0; LENGTH_BYTES])?;
    let length = frame.len() - LENGTH_BYTES;
    if length > MAX_FRAME_LENGTH {
        return Err(FrameError::TooLong(length));
    }
    let length = u32::try_from(length).map_err(|_| FrameError::TooLong(length))?;
    frame[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    Ok(frame)
}

/// The first message in `bytes` and how many bytes it took; none while more bytes are needed.
pub fn decode<M: DeserializeOwned>(bytes: &[u8]) -> Result<Option<(M, usize)>, FrameError> {
    let Some((header, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
    let length = u32::from_le_bytes(*header) as usize;
    if length > MAX_FRAME_LENGTH {
        return Err(FrameError::TooLong(length));
    }
    let Some(body) = rest.get(..length) else { return Ok(None) };
    Ok(Some((postcard::from_bytes(body)?, LENGTH_BYTES + length)))
}

/// Writes one message and flushes.
pub fn write_frame<M: Serialize>(writer: &mut impl Write, message: &M) -> Result<(), FrameError> {
    writer.write_all(&encode(message)?)?;
    Ok(writer.flush()?)
}

/// Reads one message; none at a clean end of the stream.
pub fn read_frame<M: DeserializeOwned>(reader: &mut impl Read) -> Result<Option<M>, FrameError> {
    let mut header = [0; LENGTH_BYTES];
    if reader.read(&mut header[..1])? == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut header[1..])?;
    let length = u32::from_le_bytes(header) as usize;
    if length > MAX_FRAME_LENGTH {
        return Err(FrameError::TooLong(length));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(postcard::from_bytes(&body)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FILE_CHUNK_LENGTH, FromAgent, ToAgent};

    #[test]
    fn a_message_survives_the_wire() {
        let message = ToAgent::Acknowledge { container: "api".into(), name: "covmeta.x".into() };
        let frame = encode(&message).unwrap();
        assert_eq!(decode::<ToAgent>(&frame).unwrap(), Some((message.clone(), frame.len())));
        assert_eq!(read_frame::<ToAgent>(&mut frame.as_slice()).unwrap(), Some(message));
    }

    #[test]
    fn a_full_chunk_fits_a_frame() {
        assert!(encode(&FromAgent::FileData { bytes: vec![0xff; FILE_CHUNK_LENGTH] }).is_ok());
    }

    #[test]
    fn a_partial_frame_asks_for_more() {
        let frame = encode(&ToAgent::Done).unwrap();
        for length in 0..frame.len() {
            assert_eq!(decode::<ToAgent>(&frame[..length]).unwrap(), None);
        }
    }

    #[test]
    fn a_huge_length_is_refused_before_anything_is_allocated() {
        assert!(matches!(decode::<ToAgent>(&u32::MAX.to_le_bytes()), Err(FrameError::TooLong(_))));
        assert!(matches!(
            read_frame::<ToAgent>(&mut u32::MAX.to_le_bytes().as_slice()),
            Err(FrameError::TooLong(_))
        ));
    }

    #[test]
    fn a_stream_that_ends_between_frames_ends_cleanly() {
        assert_eq!(read_frame::<ToAgent>(&mut io::empty()).unwrap(), None);
    }
}
