//! Values to bytes and back, without I/O.

use serde::{Deserialize, Serialize};

use crate::MAX_FRAME;

const HEADER: usize = 4;

/// Why bytes are not a frame, or a value cannot become one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The length is above the cap, so whatever follows cannot be trusted either.
    #[error("a frame of {0} bytes, above the limit of {MAX_FRAME}")]
    TooLong(usize),
    /// The body is not the value that it should be.
    #[error("a frame that cannot be read: {0}")]
    Malformed(postcard::Error),
}

/// Appends `value` to `out` as one frame. On an error `out` is as it was.
pub fn encode(value: &impl Serialize, out: &mut Vec<u8>) -> Result<(), WireError> {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    // The flavour for std's io::Write appends in place, so that a chunk of output is copied once.
    if let Err(error) = postcard::to_io(value, &mut *out) {
        out.truncate(start);
        return Err(WireError::Malformed(error));
    }
    let length = out.len() - start - HEADER;
    if length > MAX_FRAME {
        out.truncate(start);
        return Err(WireError::TooLong(length));
    }
    out[start..start + HEADER].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(())
}

/// Cuts a stream of bytes into frames, whatever pieces it arrives in.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Where the first frame that has not been taken begins.
    start: usize,
}

impl Decoder {
    /// Adds bytes as they come in. To bound the memory, take all frames before the next call: then no more than one
    /// frame and one piece are held.
    pub fn ingest(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Takes the next frame, if all of it is there. After an error the stream is useless.
    pub fn take<'a, T: Deserialize<'a>>(&'a mut self) -> Result<Option<T>, WireError> {
        let waiting = &self.buffer[self.start..];
        let Some((header, rest)) = waiting.split_first_chunk::<HEADER>() else { return Ok(None) };
        let length = u32::from_le_bytes(*header) as usize;
        if length > MAX_FRAME {
            return Err(WireError::TooLong(length));
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        self.start += HEADER + length;
        postcard::from_bytes(body).map(Some).map_err(WireError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exit, Limits, Order, Phase, Raw, Reply, Run, Stdin, Stream, Usage, Violation};

    fn orders() -> Vec<Order<'static>> {
        let limits = Limits {
            cpu_us: 1_000_000,
            wall_us: u64::MAX,
            memory_kib: 65_536,
            full_kib: 0,
            output_bytes: 8 << 20,
            file_bytes: 0,
            processes: 64,
        };
        vec![
            Order::Begin { build_uid: 1_000_000_000, run_uid: 1_000_000_001 },
            Order::WriteFile { path: Raw(b"a/b.c"), bytes: Raw(b"\0\xff"), append: false, executable: true },
            Order::Stdin { bytes: Raw(&[7; crate::CHUNK]) },
            Order::Run(Run {
                id: 1,
                phase: Phase::Case,
                argv: vec![Raw(b"./main"), Raw(b"")],
                env: vec![Raw(b"LANG=C.UTF-8")],
                stdin: Stdin::Input(Raw(b"00ff")),
                files: vec![(Raw(b"data.txt"), Raw(b"00ff"))],
                limits,
            }),
            Order::Cancel { up_to: 9 },
            Order::Finish,
        ]
    }

    #[test]
    fn orders_come_out_as_they_went_in_whatever_the_pieces() {
        let mut stream = Vec::new();
        for order in orders() {
            encode(&order, &mut stream).expect("each fits");
        }
        for size in [1, 2, 3, 7, 4096, stream.len()] {
            let mut decoder = Decoder::default();
            let mut came = 0;
            for piece in stream.chunks(size) {
                decoder.ingest(piece);
                while let Some(order) = decoder.take::<Order<'_>>().expect("whole frames") {
                    assert_eq!(order, orders()[came], "in pieces of {size}");
                    came += 1;
                }
            }
            assert_eq!(came, orders().len(), "in pieces of {size}");
        }
    }

    #[test]
    fn replies_come_out_as_they_went_in() {
        let usage = Usage { cpu_us: 1, wall_us: 2, memory_kib: 3 };
        for reply in [
            Reply::Hello { version: crate::VERSION },
            Reply::Output { id: 4, stream: Stream::Stderr, bytes: Raw(b"\xff\n") },
            Reply::Exited {
                id: 4,
                exit: Exit::Signal(9),
                usage,
                violation: Some(Violation::Memory),
                work_kib: 12,
            },
            Reply::Cancelled { up_to: 5 },
            Reply::Clean,
            Reply::Dirty { what: Raw(b"/tmp") },
            Reply::Failed { id: None, message: Raw(b"no") },
        ] {
            let mut bytes = Vec::new();
            encode(&reply, &mut bytes).expect("it fits");
            let mut decoder = Decoder::default();
            decoder.ingest(&bytes);
            assert_eq!(decoder.take(), Ok(Some(reply)));
            assert_eq!(decoder.take::<Reply<'_>>(), Ok(None));
        }
    }

    #[test]
    fn a_frame_above_the_cap_is_refused_by_both_sides_before_it_is_held() {
        let long = vec![0; MAX_FRAME + 1];
        let mut out = b"before".to_vec();
        let refused = encode(&Order::Stdin { bytes: Raw(&long) }, &mut out);
        assert!(matches!(refused, Err(WireError::TooLong(_))), "{refused:?}");
        assert_eq!(out, b"before");

        let mut decoder = Decoder::default();
        decoder.ingest(&u32::MAX.to_le_bytes());
        assert_eq!(decoder.take::<Reply<'_>>(), Err(WireError::TooLong(u32::MAX as usize)));
    }

    #[test]
    fn noise_is_an_error_and_never_a_panic() {
        let mut state = 1u32;
        for _ in 0..2000 {
            let mut decoder = Decoder::default();
            let noise: Vec<u8> = (0..24)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            decoder.ingest(&20u32.to_le_bytes());
            decoder.ingest(&noise);
            while let Ok(Some(_)) = decoder.take::<Reply<'_>>() {}
        }
    }
}
