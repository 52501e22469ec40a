//! Foreign servers that come as Python packages, each in a virtual environment of its own beside the other downloads.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::fs::{FlockOperation, flock};

use crate::{Reaped, cache};

/// The file that says that an environment is complete, which it may not be where its making was broken off.
const COMPLETE: &str = "complete";

/// Packages that are installed.
pub struct Environment {
    python: PathBuf,
}

impl Environment {
    /// Installs packages, unless they are there. `requirements` are lines as pip reads them. Of several processes that
    /// want the same at once, one installs it and the others wait.
    pub fn of(name: &str, requirements: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        requirements.hash(&mut hasher);
        let root = cache().join("python");
        fs::create_dir_all(&root).expect("the cache can be written to");
        let folder = root.join(format!("{name}-{:016x}", hasher.finish()));
        let lock = File::create(folder.with_extension("lock")).expect("the lock is made");
        rustix::io::retry_on_intr(|| flock(&lock, FlockOperation::LockExclusive)).expect("is locked");
        let environment = Self { python: folder.join("bin/python") };
        if !(folder.join(COMPLETE).exists() && environment.works()) {
            eprintln!("installing {name} with pip");
            environment.install(&folder, requirements);
        }
        environment
    }

    fn install(&self, folder: &Path, requirements: &str) {
        // What a broken off attempt left; mostly there is nothing.
        let _ = fs::remove_dir_all(folder);
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(folder);
        run(
            make,
            "python3 makes no virtual environment: install Python 3.10 or newer with its module venv, which Debian and \
             Ubuntu have in the package python3-venv",
        );
        let list = folder.join("requirements.txt");
        fs::write(&list, requirements).expect("is written");
        let mut install = Command::new(&self.python);
        install.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "-r"]);
        install.arg(list);
        run(
            install,
            "pip does not install it: is PyPI, or the index that pip is configured for, within reach?",
        );
        fs::write(folder.join(COMPLETE), "").expect("is written");
    }

    /// Whether the interpreter is still there: it belongs to the system.
    fn works(&self) -> bool {
        let ended = Command::new(&self.python).args(["-c", ""]).stderr(Stdio::null()).status();
        ended.is_ok_and(|status| status.success())
    }

    /// Starts a program, given as text. What it writes goes to `log`. It is killed when what is returned is dropped;
    /// and where the test is killed, its standard input ends, which it has to take for its own end.
    pub fn start(&self, program: &str, arguments: &[&str], log: &File) -> Reaped {
        let output = || Stdio::from(log.try_clone().expect("a file can be shared"));
        let mut command = Command::new(&self.python);
        command.arg("-c").arg(program).args(arguments);
        command.stdin(Stdio::piped()).stdout(output()).stderr(output());
        Reaped(command.spawn().expect("the program starts"))
    }
}

/// Fails unless a program that was started still runs.
#[track_caller]
pub fn expect_alive(child: &mut Child, log: &Path) {
    if let Some(status) = child.try_wait().expect("it can be waited for") {
        panic!("it ended with {status}:\n{}", fs::read_to_string(log).unwrap_or_default());
    }
}

fn run(mut command: Command, advice: &str) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{advice}\n{error}"));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{advice}\n{}", String::from_utf8_lossy(&said));
}
