//! Being answered at once while all processors are busy with programs.
//!
//! Since Linux 6.12 an ordinary thread may say how long its turns on a processor are. One that wants short turns gets
//! them sooner, and not more of them in all; nothing is taken from programs, and no right is needed. A look-up takes
//! about eight turns of this process and of the NATS server, so what each waits for counts eightfold.

use std::mem::size_of;

/// The shortest turn that the kernel gives, in nanoseconds.
const TURN: u64 = 100_000;

/// Asks for short turns for this thread, and for all threads and processes that it starts from now on. Older kernels
/// keep the turns that they give to everybody.
#[allow(unsafe_code)]
pub fn ask_for_short_turns() {
    let size = size_of::<libc::sched_attr>() as libc::c_uint;
    let mut attributes = libc::sched_attr {
        size,
        sched_policy: 0,
        sched_flags: 0,
        sched_nice: 0,
        sched_priority: 0,
        sched_runtime: 0,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: both calls get a pointer to `attributes`, which outlives them and is `size` bytes long; the first fills it,
    // the second reads it. Neither has any other effect on memory.
    unsafe {
        let of_this_thread: libc::pid_t = 0;
        let read = libc::syscall(libc::SYS_sched_getattr, of_this_thread, &raw mut attributes, size, 0);
        // Whoever chose another policy for us knew why.
        if read == 0 && attributes.sched_policy == libc::SCHED_OTHER as u32 {
            attributes.sched_runtime = TURN;
            libc::syscall(libc::SYS_sched_setattr, of_this_thread, &raw const attributes, 0);
        }
    }
}
