//! Programs that attack the sandbox, with what must come of it.

use codementor_protocol::{Limits, Verdict};
use codementor_runners::{CaseInput, CaseRun, Source, sandbox::MAX_KEPT};

use crate::house::{House, Runner, file, run, tight, verdict};

/// One attack, in Python, since that reaches every system call without a compiler.
struct Attack {
    name: &'static str,
    program: &'static str,
    /// What it prints when the sandbox holds and the verdict is ACCEPTED.
    prints: &'static str,
    verdict: Verdict,
}

const fn attack(name: &'static str, verdict: Verdict, prints: &'static str, program: &'static str) -> Attack {
    Attack { name, program, prints, verdict }
}

/// Finds whatever a program before it could have left, and a few things that should never be possible.
const PROBE: &str = r#"
import os
def others():
    return [p for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())]
def ids(kind):
    return open(f'/proc/sysvipc/{kind}').read().splitlines()[1:]
found = {
    'processes': others(),
    'tmp': os.listdir('/tmp'),
    'shm': os.listdir('/dev/shm'),
    'mqueue': os.listdir('/dev/mqueue'),
    'work': [w for w in os.listdir('/work') if '/work/' + w != os.getcwd()],
    'ipc': ids('shm') + ids('sem') + ids('msg'),
    'user': [] if os.getuid() == os.geteuid() == os.getgid() > 1000 else [os.getuid()],
    'groups': os.getgroups(),
    'files': [f for f in os.listdir('/proc/self/fd') if int(f) > 3],
    'folder': [f for f in os.listdir('.') if f not in ('main.py', '__pycache__')],
    'writable': [f for f in ('.', '/', '/work', '/usr', '/etc') if os.access(f, os.W_OK)],
}
print({k: v for k, v in found.items() if v} or 'clean')
"#;

/// Prints the names of errors instead of ending by them.
const ATTEMPT: &str = r#"
import os, errno
def attempt(what, *args):
    try:
        what(*args)
        print('done')
    except OSError as e:
        print(errno.errorcode[e.errno])
"#;

#[rustfmt::skip]
const ATTACKS: &[Attack] = &[
    attack("an endless loop", Verdict::TimeLimit, "", "while True: pass"),
    attack("a sleep without an end", Verdict::TimeLimit, "", "import time\ntime.sleep(1000)"),
    attack("a loop in every one of its processes", Verdict::TimeLimit, "", "
import os
for _ in range(3): os.fork()
while True: pass"),
    attack("children whose end it ignores, to hide their time", Verdict::TimeLimit, "", "
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
child = os.fork()
if child == 0:
    while time.process_time() < 0.7: pass
    os._exit(0)
while True:
    try: os.kill(child, 0); time.sleep(0.01)
    except ProcessLookupError: break"),
    attack("more memory than the limit", Verdict::MemoryLimit, "", "x = bytearray(512 << 20)\nx[::4096] = b'x' * len(x[::4096])"),
    attack("memory of several processes that only together is too much", Verdict::MemoryLimit, "", "
import os, mmap, time
for _ in range(6):
    if os.fork() == 0:
        m = mmap.mmap(-1, 24 << 20)
        for i in range(0, len(m), 4096): m[i] = 1
        time.sleep(5); os._exit(0)
for _ in range(6): os.wait()"),
    attack("memory that a file system holds", Verdict::MemoryLimit, "", "
for i in range(100):
    for place in ('/tmp', '/dev/shm'):
        try:
            open(f'{place}/{i}', 'wb').write(b'x' * (900 << 10))
        except OSError: pass
x = bytearray(60 << 20)
x[::4096] = b'x' * len(x[::4096])"),
    attack("output without an end", Verdict::OutputLimit, "", "while True: print('y' * 1000)"),
    attack("output to standard error without an end", Verdict::OutputLimit, "", "
import os
while True: os.write(2, b'y' * 65536)"),
    attack("a file above the limit", Verdict::OutputLimit, "", "
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
f = open('/tmp/large', 'wb')
while True: f.write(b'x' * 65536)"),
    attack("a fork bomb", Verdict::TimeLimit, "", "
import os, time
while True:
    try: os.fork()
    except OSError: time.sleep(0.01)"),
    attack("a fork bomb whose parents end at once", Verdict::Accepted, "end\n", "
import os
print('end', flush=True)
while True:
    try:
        if os.fork(): os._exit(0)
    except OSError: os._exit(0)"),
    attack("a grandchild in a session of its own that outlives its parent", Verdict::Accepted, "end\n", "
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: time.sleep(1)
    os._exit(0)
os.wait()
print('end')"),
    attack("a grandchild that keeps writing", Verdict::Accepted, "end\n", "
import os
if os.fork() == 0:
    os.setsid()
    while True: os.write(1, b'')
print('end')"),
    attack("threads up to the limit", Verdict::Accepted, "end\n", "
import threading
stop = threading.Event()
started = []
try:
    while len(started) < 500:
        t = threading.Thread(target=stop.wait); t.start(); started.append(t)
except RuntimeError: pass
stop.set()
print('end' if 10 < len(started) < 200 else len(started))"),
    attack("many files", Verdict::Accepted, "end\n", "
import os
made = 0
for place in ('/tmp', '/dev/shm'):
    os.mkdir(place + '/d')
    try:
        for i in range(4000):
            os.close(os.open(f'{place}/d/{i}', os.O_CREAT)); made += 1
    except OSError: pass
print('end' if made > 1000 else made)"),
    attack("a deep tree of folders", Verdict::Accepted, "end\n", "
import os
for place in ('/tmp', '/dev/shm'):
    os.chdir(place)
    for i in range(3000):
        os.mkdir('d' * 100); os.chdir('d' * 100)
    os.close(os.open('f', os.O_CREAT))
print('end')"),
    attack("folders without rights, and odd kinds of files", Verdict::Accepted, "end\n", r"
import os, socket
os.umask(0)
for place in ('/tmp', '/dev/shm'):
    os.chdir(place)
    os.makedirs('a/b/c'); os.mkfifo('a/fifo'); os.symlink('/etc', 'a/link'); os.symlink('/', 'root')
    os.symlink('loop', 'loop'); os.link('a/fifo', 'hard')
    socket.socket(socket.AF_UNIX).bind('socket')
    open(b'\xff\n\x1b[31m', 'w'); open('-rf', 'w'); open('x' * 255, 'w')
    for i in range(1, 5): os.makedirs(f'.moved-{i}/x')
    os.makedirs('sticky/inner/y'); os.chmod('sticky', 0o1777)
    for f in ('a/b/c', 'a/b', 'a', 'sticky/inner'): os.chmod(f, 0)
print('end')"),
    attack("a link to the inputs, and to what the host hears", Verdict::Accepted, "EACCES EACCES EACCES EACCES \n", r"
import os, errno
for link in ('/inputs', '/codementor/inputs', '/proc/1/fd/1', '/proc/1/root'):
    os.symlink(link, '/tmp/link')
    try:
        print(os.listdir('/tmp/link'), end=' ') if 'fd' not in link else os.write(os.open('/tmp/link', os.O_WRONLY), b'forged')
    except OSError as e: print(errno.errorcode[e.errno], end=' ')
    os.unlink('/tmp/link')
print()"),
    attack("writing into the agent", Verdict::Accepted, "EACCES EACCES EACCES EACCES EACCES EACCES \n", r"
import os, errno
for f in ('/proc/1/fd/0', '/proc/1/fd/1', '/proc/1/mem', '/proc/1/environ', '/proc/1/cwd/x', '/codementor-agent'):
    try: os.open(f, os.O_RDWR); print('opened', end=' ')
    except OSError as e: print(errno.errorcode[e.errno], end=' ')
print()"),
    attack("tracing and ending the agent", Verdict::Accepted, "-1 1\nEPERM\nEPERM\n", r"
import ctypes, os, errno
libc = ctypes.CDLL(None, use_errno=True)
print(libc.ptrace(16, 1, 0, 0), ctypes.get_errno())
for what in (lambda: os.kill(1, 9), lambda: os.setpriority(os.PRIO_PROCESS, 1, 19)):
    try: what(); print('done')
    except OSError as e: print(errno.errorcode[e.errno])"),
    attack("ending everything it can", Verdict::RuntimeError, "", "
import os
if os.fork() == 0:
    os.kill(-1, 9)
os.kill(-1, 9)
os.kill(0, 9)"),
    attack("becoming root again", Verdict::Accepted, "EPERM EPERM EPERM EPERM EPERM \n", r"
import os, errno
for what in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]), lambda: os.chown('/tmp', 0, 0), lambda: os.unshare(os.CLONE_NEWUSER)):
    try: what(); print('done', end=' ')
    except OSError as e: print(errno.errorcode[e.errno], end=' ')
print()"),
    attack("the network", Verdict::Accepted, "ENETUNREACH\n['lo']\n", r"
import socket, errno
try: socket.create_connection(('1.1.1.1', 53), 1); print('connected')
except OSError as e: print(errno.errorcode[e.errno])
print([name for _, name in socket.if_nameindex()])"),
    attack("objects that outlive processes", Verdict::Accepted, "True True True\n", r"
import ctypes
libc = ctypes.CDLL(None)
shm = libc.shmget(4242, 1 << 20, 0o1000)
sem = libc.semget(4242, 3, 0o1777)
msg = libc.msgget(4242, 0o1000)
libc.shmget(0, 4096, 0o1666)
print(shm >= 0, sem >= 0, msg >= 0)"),
    attack("changing its own program", Verdict::Accepted, "EACCES EACCES EACCES \n", r"
import os, errno
for what in (lambda: open('main.py', 'w'), lambda: open('new', 'w'), lambda: os.unlink('main.py')):
    try: what(); print('done', end=' ')
    except OSError as e: print(errno.errorcode[e.errno], end=' ')
print()"),
    attack("closing its output early", Verdict::Accepted, "begin\n", r"
import os, time
os.write(1, b'begin\n'); os.close(1); os.close(2); os.close(0)
t = time.monotonic()
while time.monotonic() - t < 0.1: pass
os._exit(0)"),
    attack("bytes that look like frames", Verdict::Accepted, "\0\0\0\0\u{1}\0\0\0\u{4}", r"
import os
os.write(1, b'\0\0\0\0\1\0\0\0\4')"),
    attack("a signal", Verdict::RuntimeError, "", "import os\nos.kill(os.getpid(), 11)"),
    attack("an exit code", Verdict::RuntimeError, "", "import os\nos._exit(42)"),
    attack("stopping itself", Verdict::TimeLimit, "", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"),
    attack("a runtime without memory left", Verdict::MemoryLimit, "", "raise MemoryError"),
];

/// Tries to change everything that there is, but for what is mounted for programs to write to and for `/proc`, whose
/// files are processes. The first line says where it could.
const WRITE_EVERYWHERE: &str = r#"
import os, stat
spared = {'/proc', '/tmp', '/dev/shm', '/dev/mqueue', os.getcwd()}
written, folders, files = [], 0, 0
def attempt(what, *args):
    try:
        result = what(*args)
        if what is os.open: os.close(result)
        written.append((what.__name__, *args))
    except OSError: pass
def attack(path, is_folder):
    attempt(os.chmod, path, 0o777)
    attempt(os.chown, path, os.getuid(), -1)
    attempt(os.utime, path)
    attempt(os.setxattr, path, 'user.left', b'x')
    attempt(os.open, path, os.O_TMPFILE | os.O_WRONLY)
    if is_folder:
        attempt(os.mkdir, path + '/left')
        attempt(os.open, path + '/left', os.O_CREAT | os.O_WRONLY)
        attempt(os.symlink, '/', path + '/left')
        attempt(os.link, 'main.py', path + '/left')
    else:
        attempt(os.open, path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
        attempt(os.unlink, path)
    attempt(os.rename, path, path + '.left')
attack('/', True)
for folder, inner, names in os.walk('/'):
    folders += 1
    for name in inner + names:
        path = os.path.join(folder, name)
        if path in spared: continue
        kind = os.lstat(path).st_mode
        # Programs may write to devices such as /dev/null; whoever could not remove one has tried that here.
        if stat.S_ISCHR(kind):
            attempt(os.unlink, path)
        elif not stat.S_ISLNK(kind):
            files += 1
            attack(path, stat.S_ISDIR(kind))
    inner[:] = [name for name in inner if os.path.join(folder, name) not in spared]
print(written[:20] or 'nothing')
print('everywhere' if folders > 300 and files > 2000 else (folders, files))
"#;

/// The same in C, for what an interpreter stands in the way of.
const PROBE_IN_C: &str = r#"
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
static int entries(const char *path, int numbers) {
    DIR *folder = opendir(path);
    if (!folder) return 0;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.' && (!numbers || isdigit(entry->d_name[0]));
    closedir(folder);
    return count;
}
int main(void) {
    printf("%d %d %d %d\n", entries("/proc", 1), entries("/tmp", 0), entries("/dev/shm", 0), entries("/work", 0));
}
"#;

#[rustfmt::skip]
const ATTACKS_IN_C: &[Attack] = &[
    attack("recursion without an end", Verdict::MemoryLimit, "", "
int deeper(volatile char *above) { volatile char here[4096]; here[0] = above[0]; return deeper(here) + here[0]; }
int main(void) { char first = 0; return deeper(&first); }"),
    attack("recursion that fits into memory", Verdict::Accepted, "end\n", r#"
#include <stdio.h>
int deeper(int left) { volatile char here[4096]; here[0] = left; return left ? deeper(left - 1) + here[0] * 0 : 0; }
int main(void) { deeper(10000); puts("end"); }"#),
    attack("a child that is made the agent's own", Verdict::Accepted, "end\n", r#"
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    for (int i = 0; i < 10; i++)
        if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0) for (;;) pause();
    puts("end");
}"#),
    attack("threads without an end", Verdict::Accepted, "end\n", r#"
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static void *wait_for_ever(void *nothing) { for (;;) pause(); return nothing; }
int main(void) {
    pthread_t thread;
    int count = 0;
    while (count < 10000 && pthread_create(&thread, 0, wait_for_ever, 0) == 0) count++;
    puts(count > 10 && count < 200 ? "end" : "too many");
    fflush(stdout);
    _exit(0);
}"#),
    attack("its own pipe read from the wrong end", Verdict::Accepted, "end\n", r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    char stolen[64];
    fcntl(1, F_SETPIPE_SZ, 1 << 20);
    int other_end = open("/proc/self/fd/1", O_RDONLY | O_NONBLOCK);
    read(other_end, stolen, sizeof stolen);
    puts("end");
}"#),
    attack("a signal that is blocked and a time limit that is ignored", Verdict::TimeLimit, "", r#"
#include <signal.h>
int main(void) {
    sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, 0);
    for (int i = 1; i < 65; i++) signal(i, SIG_IGN);
    for (;;);
}"#),
    attack("a mapping far larger than memory, hardly used", Verdict::Accepted, "end\n", r#"
#include <stdio.h>
#include <sys/mman.h>
static char table[1 << 30];
int main(void) {
    char *sparse = mmap(0, 1L << 36, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (sparse == MAP_FAILED) return 1;
    table[1 << 29] = sparse[1L << 35] = 1;
    puts("end");
}"#),
    attack("a null pointer", Verdict::RuntimeError, "", "int main(void) { return *(volatile int *)0; }"),
];

/// Runs the attack, then the probe in the next submission, which must find the same container clean.
async fn withstand(house: &House, runner: &Runner, attack: &Attack, probe: (&str, &str), limits: &Limits) {
    let name = attack.name;
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let container = sandbox.container_id().to_owned();
    let done = run(&mut sandbox, runner, attack.program, CaseRun::default(), limits).await;
    let right = done.stdout == attack.prints.as_bytes();
    let (stdout, stderr) = (done.stdout.escape_ascii(), done.stderr.bytes.escape_ascii());
    assert_eq!(
        verdict(&done.exited, limits, right),
        attack.verdict,
        "{name}: {:?}\n{:.1000}\n{:.1000}",
        done.exited,
        stdout.to_string(),
        stderr.to_string(),
    );
    sandbox.close().await;
    house.pool.settle().await;

    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    assert_eq!(sandbox.container_id(), container, "the container did not survive {name}");
    let (program, clean) = probe;
    let done = run(&mut sandbox, runner, program, CaseRun::default(), limits).await;
    let (stdout, stderr) = (done.stdout.escape_ascii(), done.stderr.bytes.escape_ascii());
    assert_eq!(done.stdout, clean.as_bytes(), "after {name}: {:?}\n{stdout}\n{stderr}", done.exited);
    assert_eq!(verdict(&done.exited, limits, true), Verdict::Accepted, "after {name}: {:?}", done.exited);
    sandbox.close().await;
}

/// Enough for any of these to do its worst, and soon over where it never ends.
fn short() -> Limits {
    Limits { time_ms: 500, ..tight() }
}

/// The attacks are divided so that both processors have something to do.
async fn withstand_every(nth: usize, of: usize) {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    for attack in ATTACKS.iter().skip(nth).step_by(of) {
        withstand(&house, &runner, attack, (PROBE, "clean\n"), &short()).await;
    }
    house.close().await;
}

#[tokio::test]
async fn attacks_have_the_outcomes_of_the_table_and_leave_nothing_behind() {
    withstand_every(0, 2).await;
}

#[tokio::test]
async fn the_other_attacks_have_the_outcomes_of_the_table_and_leave_nothing_behind() {
    withstand_every(1, 2).await;
}

#[tokio::test]
async fn attacks_in_c_have_the_outcomes_of_the_table_and_leave_nothing_behind() {
    let house = House::new().await;
    let runner = house.runner("c").await;
    for attack in ATTACKS_IN_C {
        withstand(&house, &runner, attack, (PROBE_IN_C, "2 0 0 1\n"), &short()).await;
    }
    house.close().await;
}

#[tokio::test]
async fn nothing_can_be_written_to_but_what_is_wiped() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = Limits { time_ms: 60_000, ..tight() };
    let printed = "nothing\neverywhere\n";
    let attack = attack("writing everywhere", Verdict::Accepted, printed, WRITE_EVERYWHERE);
    withstand(&house, &runner, &attack, (PROBE, "clean\n"), &limits).await;
    // And what it failed at, it fails at again in the next submission: it has found no way to prepare one.
    withstand(&house, &runner, &attack, (WRITE_EVERYWHERE, printed), &limits).await;
    house.close().await;
}

#[tokio::test]
async fn the_rights_of_the_root_are_those_that_the_engine_is_fastest_with() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = tight();
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let program = "import os\nprint(oct(os.stat('/').st_mode & 0o7777))";
    let done = run(&mut sandbox, &runner, program, CaseRun::default(), &limits).await;
    assert_eq!(done.stdout, if house.keeps_root_writable() { "0o705\n" } else { "0o755\n" }, "{done:?}");
    sandbox.close().await;
    house.close().await;
}

#[tokio::test]
async fn attacks_on_the_compiler_end_at_its_limits() {
    let house = House::new().await;
    let runner = house.runner("c").await;
    let limits = Limits { compile_time_ms: 2000, compile_memory_mib: 256, ..tight() };
    let endless = "#include \"/dev/zero\"\n";
    let random = "#include \"/dev/urandom\"\n";
    let itself = "#include __FILE__\n#include __FILE__\n";
    let inputs = "#include \"/codementor/inputs/x\"\n";
    let large = "int table[1 << 29] = { 1 };\nint main(void) { return 0; }\n";
    let flood = "#define A x y z;\n#define B A A A A A A A A\n#define C B B B B B B B B\n#define D C C C C C C C C\nD D D D\n";
    for program in [endless, random, itself, inputs, large, flood] {
        let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
        let submitted = [file(&runner, program)];
        let source = Source { language: &runner.language, submitted: &submitted, included: &[], entry: None };
        let build = sandbox.build(&source, &limits).await.unwrap();
        assert!(!build.ok && build.output.bytes.len() <= MAX_KEPT, "{program}: {build:?}");
        let stopped = build.exited.is_some_and(|exited| exited.stopped_by.is_some());
        let said = String::from_utf8_lossy(&build.output.bytes).contains("compiling was stopped: ");
        assert_eq!(said, stopped, "{program}: {build:?}");
        // What it wrote on the way is gone, and the next program can be built.
        let done = run(&mut sandbox, &runner, PROBE_IN_C, CaseRun::default(), &limits).await;
        assert_eq!(done.stdout, "2 0 0 1\n", "after {program}: {:?}", done.exited);
        sandbox.close().await;
    }
    house.close().await;
}

#[tokio::test]
async fn a_hundred_thousand_files_are_removed_in_time() {
    let house = House::new().await;
    let runner = house.runner("c").await;
    let program = r#"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    char name[64];
    for (int i = 0; i < 100000; i++) {
        if (i % 1000 == 0) { sprintf(name, "/tmp/%d", i / 1000); mkdir(name, 0700); }
        sprintf(name, "/tmp/%d/%d", i / 1000, i);
        int file = open(name, O_CREAT | O_WRONLY, 0);
        if (file < 0) { puts("no more"); return 0; }
        close(file);
    }
    puts("end");
}"#;
    let limits = Limits { time_ms: 5000, memory_mib: 512, ..tight() };
    let attack = attack("a hundred thousand files", Verdict::Accepted, "end\n", program);
    withstand(&house, &runner, &attack, (PROBE_IN_C, "2 0 0 1\n"), &limits).await;
    house.close().await;
}

/// Both of its processes stay below the limit, and together they nearly fill the container; then it would go on for
/// ever.
const FULL: &str = r#"
import mmap, os, time
def read(name):
    for folder in ('/sys/fs/cgroup/memory/memory.', '/sys/fs/cgroup/memory.'):
        try: return open(folder + name).read()
        except OSError: pass
def unreclaimable():
    stat = dict(line.split() for line in read('stat').splitlines())
    cache = [stat.get('total_' + k, stat.get(k, 0)) for k in ('active_file', 'inactive_file')]
    return int(read('usage_in_bytes') or read('current')) - sum(map(int, cache))
limit = int(read('limit_in_bytes') or read('max'))
def fill(mib):
    m = mmap.mmap(-1, mib << 20)
    for i in range(0, len(m), 4096): m[i] = 1
    return m
if os.fork() == 0:
    m = fill(40)
    time.sleep(100)
time.sleep(0.3)
held = []
while unreclaimable() < limit * 0.94: held.append(fill(1))
while True: pass
"#;

#[tokio::test]
async fn running_out_of_time_at_the_memory_limit_is_not_taken_for_slowness() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = Limits { time_ms: 1500, ..tight() };
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let done = run(&mut sandbox, &runner, FULL, CaseRun::default(), &limits).await;
    let stderr = done.stderr.bytes.escape_ascii();
    assert_eq!(verdict(&done.exited, &limits, false), Verdict::MemoryLimit, "{:?}\n{stderr}", done.exited);
    sandbox.close().await;
    house.close().await;
}

#[tokio::test]
async fn a_case_finds_nothing_of_the_case_before_it() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let secret = house.input(b"secret");
    let program = format!(
        "{ATTEMPT}
import sys, os
if sys.argv[1] == 'leave':
    for place in ('/tmp', '/dev/shm'):
        os.makedirs(place + '/a/b'); open(place + '/a/b/f', 'w').write(sys.stdin.read()); os.chmod(place + '/a', 0)
    if os.fork() == 0:
        os.setsid()
        while True: pass
else:
    print(os.listdir('/tmp'), os.listdir('/dev/shm'), len([p for p in os.listdir('/proc') if p.isdigit()]))
    attempt(os.open, 'data', os.O_RDONLY)
    attempt(os.open, '/codementor/inputs/{secret}', os.O_RDONLY)
    attempt(os.open, '/proc/self/fd/0', os.O_RDWR)
"
    );
    let case = |argument: &str| CaseRun {
        stdin: CaseInput::Input(secret.clone()),
        args: vec![argument.into()],
        files: vec![],
    };
    let with_file = CaseRun { files: vec![("data".into(), secret.clone())], ..case("leave") };
    let limits = tight();
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    crate::house::build(&mut sandbox, &runner, &program, &limits).await;
    let mut cases = sandbox.run(vec![with_file, case("look")], &limits).await.unwrap();
    let left = cases.next().await.unwrap().unwrap();
    assert_eq!(verdict(&left.exited, &limits, true), Verdict::Accepted, "{left:?}");
    let found = cases.next().await.unwrap().unwrap();
    assert_eq!(found.stdout, "[] [] 2\nENOENT\nEACCES\nEACCES\n", "{found:?}");
    sandbox.close().await;
    house.close().await;
}
