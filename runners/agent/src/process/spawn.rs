//! Starting a program under its own uid.

use std::ffi::{CString, c_void};
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use codementor_agent::Limits;

use super::Owner;

/// Everything that a program starts with.
pub(crate) struct Launch<'a> {
    pub(crate) argv: &'a [CString],
    pub(crate) env: &'a [CString],
    pub(crate) folder: BorrowedFd<'a>,
    pub(crate) stdin: BorrowedFd<'a>,
    pub(crate) stdout: BorrowedFd<'a>,
    pub(crate) stderr: BorrowedFd<'a>,
    pub(crate) owner: Owner,
    pub(crate) limits: Limits,
}

/// Why a program could not be started: which step, and the system's reason. Never the program's own doing.
#[derive(Debug)]
pub(crate) struct SpawnError {
    step: &'static str,
    error: io::Error,
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.error)
    }
}

const STACK: usize = 64 * 1024;
const FILES: u64 = 1024;

/// Starts programs. It owns the stack that the child runs on until it becomes the program.
pub(crate) struct Spawner {
    stack: Box<[u8]>,
    /// No higher limit can be set than was inherited.
    ceilings: [(u32, u64); 7],
}

impl Spawner {
    pub(crate) fn new() -> Self {
        let resources = [
            libc::RLIMIT_CPU,
            libc::RLIMIT_NPROC,
            libc::RLIMIT_FSIZE,
            libc::RLIMIT_CORE,
            libc::RLIMIT_STACK,
            libc::RLIMIT_NOFILE,
            libc::RLIMIT_MSGQUEUE,
        ];
        let ceilings = resources.map(|resource| {
            let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
            // SAFETY: the pointer leads to a limit of the right type.
            unsafe { libc::getrlimit64(resource, &mut limit) };
            (resource, limit.rlim_max)
        });
        Self { stack: vec![0; STACK].into_boxed_slice(), ceilings }
    }

    /// Starts the program and returns its process id once it runs.
    pub(crate) fn spawn(&mut self, launch: &Launch<'_>) -> Result<i32, SpawnError> {
        let limits = &launch.limits;
        let wanted = [
            // A second above what is watched from outside: it only ends what the watch cannot see.
            limits.cpu_us.div_ceil(1_000_000) * if limits.full_kib > 0 { 2 } else { 1 } + 1,
            u64::from(limits.processes),
            limits.file_bytes,
            0,
            // The stack may grow as far as the memory limit lets it.
            libc::RLIM_INFINITY,
            FILES,
            0,
        ];
        let mut index = 0;
        let rlimits = self.ceilings.map(|(resource, ceiling)| {
            let limit = wanted[index].min(ceiling);
            index += 1;
            (resource, libc::rlimit64 { rlim_cur: limit, rlim_max: limit })
        });
        let argv = pointers(launch.argv);
        let env = pointers(launch.env);
        let mut child = Child {
            argv: argv.as_ptr(),
            env: env.as_ptr(),
            folder: launch.folder.as_raw_fd(),
            stdio: [launch.stdin.as_raw_fd(), launch.stdout.as_raw_fd(), launch.stderr.as_raw_fd()],
            owner: launch.owner,
            rlimits: &rlimits,
            failed: None,
        };
        // The stack grows down, from an address that is a multiple of sixteen.
        let top = self.stack.as_mut_ptr_range().end as usize & !15;
        // SAFETY: the child shares this memory and this thread waits until it has become another program or has
        // ended, so `child` and all that it points to stay valid and unshared. It runs on a stack of its own, calls
        // nothing but system calls, takes no lock, allocates nothing and cannot panic.
        let pid = unsafe {
            libc::clone(
                in_child,
                top as *mut c_void,
                libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
                ptr::from_mut(&mut child).cast(),
            )
        };
        if pid == -1 {
            return Err(SpawnError { step: "clone", error: io::Error::last_os_error() });
        }
        match child.failed {
            Some((step, errno)) => Err(SpawnError { step, error: io::Error::from_raw_os_error(errno) }),
            None => Ok(pid),
        }
    }
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// What the child needs, ready to be used without allocating.
struct Child<'a> {
    argv: *const *const libc::c_char,
    env: *const *const libc::c_char,
    folder: libc::c_int,
    stdio: [libc::c_int; 3],
    owner: Owner,
    rlimits: &'a [(u32, libc::rlimit64); 7],
    /// Where the child says that it failed, through the memory that is still shared.
    failed: Option<(&'static str, libc::c_int)>,
}

extern "C" fn in_child(argument: *mut c_void) -> libc::c_int {
    // SAFETY: it is the `Child` of the parent, which is suspended and does not touch it.
    let child = unsafe { &mut *argument.cast::<Child<'_>>() };
    let (step, errno) = become_program(child);
    child.failed = Some((step, errno));
    // SAFETY: ends this process alone; a return would do the same, through code of libc's.
    unsafe { libc::_exit(127) }
}

/// Returns only when a step failed.
fn become_program(child: &Child<'_>) -> (&'static str, libc::c_int) {
    macro_rules! step {
        ($name:literal, $call:expr) => {
            // SAFETY: system calls on numbers and on memory that `Child` keeps valid. The raw ones are used where
            // libc's wrapper would tell other threads, of which there are none.
            let result = unsafe { $call };
            if result as i64 == -1 {
                // SAFETY: the place of errno is this thread's, shared with the parent, which is suspended.
                return ($name, unsafe { *libc::__errno_location() });
            }
        };
    }
    step!("setsid", libc::syscall(libc::SYS_setsid));
    for (to, &from) in (0..).zip(&child.stdio) {
        step!("dup2", libc::dup2(from, to));
    }
    step!("fchdir", libc::fchdir(child.folder));
    for (resource, limit) in child.rlimits {
        step!(
            "prlimit",
            libc::syscall(
                libc::SYS_prlimit64,
                0,
                *resource,
                ptr::from_ref(limit),
                ptr::null_mut::<libc::rlimit64>()
            )
        );
    }
    // When memory runs out the kernel takes a student's process, however small, and never the agent.
    // SAFETY: a path that ends with a zero.
    let score = unsafe { libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) };
    if score == -1 {
        // SAFETY: as above.
        return ("open oom_score_adj", unsafe { *libc::__errno_location() });
    }
    step!("write oom_score_adj", libc::write(score, c"1000".as_ptr().cast(), 4));
    step!("setgroups", libc::syscall(libc::SYS_setgroups, 0, ptr::null::<libc::gid_t>()));
    step!("setresgid", libc::syscall(libc::SYS_setresgid, child.owner, child.owner, child.owner));
    step!("setresuid", libc::syscall(libc::SYS_setresuid, child.owner, child.owner, child.owner));
    // Changing the uid has reset this to the system's default, for the memory that is still shared with the agent.
    step!("dumpable", libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0));
    step!("no_new_privs", libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    let none = 0u64;
    step!(
        "sigprocmask",
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            ptr::from_ref(&none),
            ptr::null_mut::<u64>(),
            size_of::<u64>()
        )
    );
    step!("exec", libc::execve(*child.argv, child.argv, child.env));
    ("exec", 0)
}
