//! What the container's own control group has counted. Everything that differs between version 1 and 2 is here.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// Counters of the container, agent included. Each is absent where the engine does not show it.
pub(crate) struct Cgroup {
    cpus: u32,
    cpu: Option<Counter>,
    oom_kills: Option<Counter>,
    usage: Option<Counter>,
    stat: Option<File>,
    cache_fields: &'static [&'static str],
}

/// A number in a file that is kept open.
struct Counter {
    file: File,
    /// The word before the number; without one the file is the number.
    field: Option<&'static str>,
    /// What one of its units is, as a fraction of ours.
    divide_by: u64,
}

impl Counter {
    fn open(path: &str, field: Option<&'static str>, divide_by: u64) -> Option<Self> {
        Some(Self { file: File::open(path).ok()?, field, divide_by })
    }

    fn read(&self) -> Option<u64> {
        let mut buffer = [0; 8192];
        let text = read(&self.file, &mut buffer)?;
        let number = match self.field {
            Some(field) => number_of(text, field)?,
            None => text.trim().parse().ok()?,
        };
        Some(number / self.divide_by)
    }
}

impl Cgroup {
    pub(crate) fn open() -> Self {
        if File::open("/sys/fs/cgroup/cgroup.controllers").is_ok() {
            Self::version_2()
        } else {
            Self::version_1()
        }
    }

    fn version_1() -> Self {
        let memory = |name| format!("/sys/fs/cgroup/memory/memory.{name}");
        Self {
            cpus: cpus(),
            // Some systems mount the two CPU controllers together.
            cpu: ["cpuacct", "cpu,cpuacct"].iter().find_map(|folder| {
                Counter::open(&format!("/sys/fs/cgroup/{folder}/cpuacct.usage"), None, 1000)
            }),
            oom_kills: Counter::open(&memory("oom_control"), Some("oom_kill"), 1),
            usage: Counter::open(&memory("usage_in_bytes"), None, 1024),
            stat: File::open(memory("stat")).ok(),
            cache_fields: &["total_active_file", "total_inactive_file"],
        }
    }

    fn version_2() -> Self {
        let path = |name| format!("/sys/fs/cgroup/{name}");
        Self {
            cpus: cpus(),
            cpu: Counter::open(&path("cpu.stat"), Some("usage_usec"), 1),
            oom_kills: Counter::open(&path("memory.events"), Some("oom_kill"), 1),
            usage: Counter::open(&path("memory.current"), None, 1024),
            stat: File::open(path("memory.stat")).ok(),
            cache_fields: &["active_file", "inactive_file", "slab_reclaimable"],
        }
    }

    /// On how many CPUs the container can run at one time.
    pub(crate) fn cpus(&self) -> u32 {
        self.cpus
    }

    /// CPU time, in microseconds.
    pub(crate) fn cpu_us(&self) -> Option<u64> {
        self.cpu.as_ref()?.read()
    }

    /// How often the kernel has killed a process for want of memory.
    pub(crate) fn oom_kills(&self) -> u64 {
        self.oom_kills.as_ref().and_then(Counter::read).unwrap_or(0)
    }

    /// The memory that is held now and cannot be got back by dropping cached files, in KiB: that of processes, of
    /// files in tmpfs, and of the kernel for both.
    pub(crate) fn held_kib(&self) -> u64 {
        let mut buffer = [0; 8192];
        let stat = self.stat.as_ref().and_then(|file| read(file, &mut buffer)).unwrap_or("");
        let cache: u64 = self.cache_fields.iter().filter_map(|field| number_of(stat, field)).sum();
        let usage = self.usage.as_ref().and_then(Counter::read).unwrap_or(0);
        usage.saturating_sub(cache / 1024)
    }
}

/// Found out once: the standard library reads several files for it.
fn cpus() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| n.get() as u32)
}

fn read<'a>(file: &File, buffer: &'a mut [u8; 8192]) -> Option<&'a str> {
    let length = file.read_at(buffer, 0).ok()?;
    std::str::from_utf8(&buffer[..length]).ok()
}

/// The number in the line that begins with `field`.
fn number_of(text: &str, field: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::number_of;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let version_1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
        let version_2 = "low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\noom_group_kill 0\n";
        assert_eq!(number_of(version_1, "oom_kill"), Some(3));
        assert_eq!(number_of(version_2, "oom_kill"), Some(1));
        assert_eq!(number_of(version_2, "max"), Some(12));
        assert_eq!(number_of("usage_usec 991\nuser_usec 5\n", "usage_usec"), Some(991));
        assert_eq!(number_of("max\n", "max"), None);
        assert_eq!(number_of("", "max"), None);
    }
}
