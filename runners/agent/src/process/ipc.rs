//! System V shared memory, semaphores and message queues: the objects that outlive every process.

use std::mem::MaybeUninit;

use super::Owner;

// Linux' own commands, which not every libc names. The *_ANY forms look at objects that nobody may read.
const SHM_INFO: libc::c_int = 14;
const SHM_STAT_ANY: libc::c_int = 15;
const SEM_INFO: libc::c_int = 19;
const SEM_STAT_ANY: libc::c_int = 20;
const MSG_INFO: libc::c_int = 12;
const MSG_STAT_ANY: libc::c_int = 13;

/// The largest of the structures that these calls fill in is far smaller.
type Answer = MaybeUninit<[u64; 64]>;

#[derive(Clone, Copy)]
enum Kind {
    Shm,
    Sem,
    Msg,
}

const KINDS: [Kind; 3] = [Kind::Shm, Kind::Sem, Kind::Msg];

impl Kind {
    fn control(self, id: libc::c_int, command: libc::c_int, answer: &mut Answer) -> libc::c_int {
        // SAFETY: the kernel writes at most its own structure for the command, and the answer is larger than any.
        // The union that semctl takes last is passed as a pointer.
        unsafe {
            match self {
                Self::Shm => libc::shmctl(id, command, answer.as_mut_ptr().cast()),
                Self::Sem => libc::semctl(id, 0, command, answer.as_mut_ptr()),
                Self::Msg => libc::msgctl(id, command, answer.as_mut_ptr().cast()),
            }
        }
    }

    /// How many there are, and the highest index that is in use.
    fn count(self) -> (usize, libc::c_int) {
        // Where the count stands in shm_info, seminfo (semusz) and msginfo (msgpool), as a number of ints.
        let (command, place) = match self {
            Self::Shm => (SHM_INFO, 0),
            Self::Sem => (SEM_INFO, 7),
            Self::Msg => (MSG_INFO, 0),
        };
        let mut answer = Answer::zeroed();
        let highest = self.control(0, command, &mut answer);
        if highest < 0 {
            return (0, -1);
        }
        // SAFETY: it was zeroed, so all of it is initialised, and the place is within it.
        let used = unsafe { answer.as_ptr().cast::<libc::c_int>().add(place).read() };
        (used.max(0) as usize, highest)
    }

    fn remove_all(self) {
        let stat = match self {
            Self::Shm => SHM_STAT_ANY,
            Self::Sem => SEM_STAT_ANY,
            Self::Msg => MSG_STAT_ANY,
        };
        let mut answer = Answer::zeroed();
        for index in 0..=self.count().1 {
            let id = self.control(index, stat, &mut answer);
            if id >= 0 {
                // One that belongs to somebody else stays, and is counted afterwards.
                self.control(id, libc::IPC_RMID, &mut answer);
            }
        }
    }
}

/// How many objects there are in this container.
pub(crate) fn ipc_objects() -> usize {
    KINDS.iter().map(|kind| kind.count().0).sum()
}

/// Removes the objects of `owners`.
pub(crate) fn remove_ipc_objects(owners: &[Owner]) {
    for &owner in owners {
        // Only an object's owner may remove it, by the effective uid. The real and the saved one stay root's, so
        // nobody gains the right to signal or trace the agent meanwhile, and the way back is open.
        if set_effective_uid(owner) {
            KINDS.iter().for_each(|kind| kind.remove_all());
        }
        if !set_effective_uid(0) {
            std::process::abort();
        }
    }
}

fn set_effective_uid(uid: Owner) -> bool {
    // SAFETY: no memory is involved, and the agent has one thread, so the raw call changes all of it.
    unsafe { libc::syscall(libc::SYS_setresuid, u32::MAX, uid, u32::MAX) == 0 }
}
