//! What the runners and the program inside every container say to each other over the attached stream.
//!
//! The host sends [`Order`]s, the agent answers with [`Reply`]s; each is one frame: its length as four bytes, little
//! end first, then the value in postcard. The agent speaks first, with [`Reply::Hello`]. Neither side keeps a frame
//! longer than [`MAX_FRAME`], and no byte that a student's program could have written is ever read as a frame: what a
//! program writes travels as the content of [`Reply::Output`].

mod frames;
mod wire;

pub use frames::{Exit, Limits, Order, Phase, Raw, Reply, Run, RunId, Stdin, Stream, Usage, Violation};
pub use wire::{Decoder, WireError, encode};

/// The version of the frames. Both sides are built from one source, so any other version means a stale image.
pub const VERSION: u32 = 2;

/// The most bytes that the body of one frame may have.
pub const MAX_FRAME: usize = 256 * 1024;

/// The most bytes of a file, of a standard input or of an output that travel in one frame.
pub const CHUNK: usize = 64 * 1024;

/// The most runs that may wait in the agent. The host sends fewer ahead.
pub const MAX_QUEUED: usize = 64;

/// The most bytes of standard input that can be sent for one run; larger ones are files in the inputs folder.
pub const MAX_SENT_STDIN: u64 = 16 * 1024 * 1024;

/// Where the agent stands in an image.
pub const PATH: &str = "/codementor-agent";

/// The agent's argument that makes it seal the image that it stands in, as the last step of the image's build.
pub const SEAL: &str = "seal";

/// Programs run as users of this number and above. Whatever in an image belongs to one of them is given to root.
pub const FIRST_USER: u32 = 10_000;

/// Where the judge's cache of inputs is mounted, read-only and for root alone.
pub const INPUTS: &str = "/inputs";

/// Where submissions live, one folder each.
pub const WORK: &str = "/work";

/// The folders besides [`WORK`] that a program can write to. No other place is writable for one, on any engine.
pub const SCRATCH: [&str; 3] = ["/tmp", "/dev/shm", "/dev/mqueue"];
