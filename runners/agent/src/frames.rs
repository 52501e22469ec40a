//! The frames themselves.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The number of one run, given by the host, growing within a container.
pub type RunId = u64;

/// Bytes borrowed from the frame that they came in.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Raw<'a>(pub &'a [u8]);

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

// Derived, it would go through serde byte by byte.
impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(Raw)
    }
}

/// What the host asks for. Orders are obeyed one after the other; only [`Order::Cancel`] overtakes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order<'a> {
    /// A new submission comes: make its folder.
    Begin {
        /// Who owns the folder and runs the compiler.
        build_uid: u32,
        /// Who runs the program. It can read the folder and not write to it.
        run_uid: u32,
    },
    /// Write a file of the submission. Without `append` the file must be new.
    WriteFile {
        /// Its path below the submission's folder.
        #[serde(borrow)]
        path: Raw<'a>,
        /// The content, at most [`CHUNK`](crate::CHUNK) bytes of it.
        bytes: Raw<'a>,
        /// Whether the bytes continue a file that the order before began.
        append: bool,
        /// Whether it may be run.
        executable: bool,
    },
    /// Bytes of the standard input of the next [`Order::Run`].
    Stdin {
        /// At most [`CHUNK`](crate::CHUNK) bytes.
        bytes: Raw<'a>,
    },
    /// Run a program when those before it have ended.
    Run(Run<'a>),
    /// Drop the waiting runs up to this one, and kill the current one if it is among them. Answered with
    /// [`Reply::Cancelled`] when they are gone.
    Cancel {
        /// The last run to drop.
        up_to: RunId,
    },
    /// The submission is over: kill what still runs, remove what it left, and check. Answered with [`Reply::Clean`]
    /// or [`Reply::Dirty`].
    Finish,
}

/// One run of one program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run<'a> {
    /// Its number, greater than that of any run before.
    pub id: RunId,
    /// Under which uid it runs.
    pub phase: Phase,
    /// The program, as an absolute path or one below the submission's folder, and its arguments.
    #[serde(borrow)]
    pub argv: Vec<Raw<'a>>,
    /// The whole environment, as `NAME=value`.
    pub env: Vec<Raw<'a>>,
    /// Its standard input.
    pub stdin: Stdin<'a>,
    /// Files to place in the folder while it runs: the name there, and the name in the inputs folder.
    pub files: Vec<(Raw<'a>, Raw<'a>)>,
    /// What it may use.
    pub limits: Limits,
}

/// What a program is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// To build the submission: under the uid that owns its folder.
    Build,
    /// To be judged: under the uid that cannot write to the folder.
    Case,
}

/// Where a standard input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stdin<'a> {
    /// Nothing to read.
    Null,
    /// A file of the inputs folder, by its name there.
    Input(#[serde(borrow)] Raw<'a>),
    /// The bytes of the [`Order::Stdin`]s before.
    Sent,
}

/// What a run may use. The agent stops a run slightly above these, so that a breach is observed and not guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// CPU time of all its processes.
    pub cpu_us: u64,
    /// Time from start to end.
    pub wall_us: u64,
    /// Memory, of all its processes and all that they keep in tmpfs. The container's own limit, set by the host, is
    /// what holds; this one tells a program that ran out of time because it had reached that from one that is slow.
    pub memory_kib: u64,
    /// Memory from which a runtime may be struggling at the end of a heap of its own; zero for one without such a heap. A
    /// program that runs out of time with as much in hand has the same time once more, so that the runtime can give up.
    pub full_kib: u64,
    /// Bytes written to standard output and standard error together.
    pub output_bytes: u64,
    /// Bytes of any one file.
    pub file_bytes: u64,
    /// Processes and threads at one time.
    pub processes: u32,
}

/// What the agent says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply<'a> {
    /// The first frame of all.
    Hello {
        /// [`VERSION`](crate::VERSION).
        version: u32,
    },
    /// The current run wrote something.
    Output {
        /// The run.
        id: RunId,
        /// Where to.
        stream: Stream,
        /// What, at most [`CHUNK`](crate::CHUNK) bytes of it.
        #[serde(borrow)]
        bytes: Raw<'a>,
    },
    /// A run has ended, nothing of it is alive, and all of its output has been sent.
    Exited {
        /// The run.
        id: RunId,
        /// How its first process ended.
        exit: Exit,
        /// What all of its processes used.
        usage: Usage,
        /// The limit that was seen to be broken.
        violation: Option<Violation>,
        /// What the submission's folder takes of the container's memory, in KiB; told after a build.
        work_kib: u64,
    },
    /// The runs up to this one are gone; nothing more will be heard of them.
    Cancelled {
        /// As ordered.
        up_to: RunId,
    },
    /// Nothing of the submission is left.
    Clean,
    /// Something of the submission is left: the container is not to be used again.
    Dirty {
        /// What.
        what: Raw<'a>,
    },
    /// An order could not be obeyed, for a reason that is ours.
    Failed {
        /// The run, where it was one.
        id: Option<RunId>,
        /// Why.
        message: Raw<'a>,
    },
}

/// Where a program wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// With this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// What a run used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time, user and system together, in microseconds.
    pub cpu_us: u64,
    /// Time from start to end, in microseconds.
    pub wall_us: u64,
    /// The largest resident set, in KiB.
    pub memory_kib: u64,
}

/// A limit that a run broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Violation {
    /// CPU time.
    CpuTime,
    /// Wall time.
    WallTime,
    /// Memory: the kernel killed for want of it, or the program held too much of it when its time was up.
    Memory,
    /// Output, or the size of a file.
    Output,
}
