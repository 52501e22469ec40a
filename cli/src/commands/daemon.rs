//! `codementor daemon`: this process becomes the private daemon.

use std::process::ExitCode;

use codementord::settings::Settings;

pub(crate) fn run(settings: Settings, detached: bool) -> ExitCode {
    if detached {
        // A session of its own: neither Ctrl-C nor the end of the terminal reaches it. It fails for the leader of a
        // process group, which whoever started this did not make it.
        let _ = rustix::process::setsid();
    }
    codementord::run_private(settings)
}
