//! The server's configuration file.

use std::fmt::Write;

use serde_json::json;

use super::{Config, Files};

/// The largest message. It is the server's own default, and the protocol is built for it: a piece of a package and
/// all source files of a submission are half of it before encoding. A larger one would let each client make the
/// server hold as much more for every other that reads slowly.
const MAX_PAYLOAD: u32 = 1024 * 1024;
/// When a log file is put aside, in bytes, and how many are kept besides the one in use.
const LOG_SIZE: u32 = 8 * 1024 * 1024;
const LOG_FILES: u32 = 2;
/// What JetStream may store on disk. Our streams have bounds of their own; the server's default would be a share of
/// what is free now, and a nearly full disk would make it refuse streams that exist.
const MAX_STORE: &str = "1TB";

/// How long a client may take to agree on encryption; the server's own default is too short for a busy machine.
const TLS_TIMEOUT: u32 = 10;

/// The configuration; `port` is `None` for a free one. `trust` is what the keys contribute.
pub(super) fn render(files: &Files, config: &Config, port: Option<u16>, trust: &str) -> String {
    let port = port.map_or(-1, i32::from);
    let host = match config.host {
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        ip => ip.to_string(),
    };
    let mut text = String::new();
    let quoted = |path: std::path::PathBuf| json!(path).to_string();
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "server_name: codementor\n\
         listen: \"{host}:{port}\"\n\
         http: \"127.0.0.1:-1\"\n\
         pid_file: {pid}\n\
         ports_file_dir: {ports}\n\
         log_file: {log}\n\
         logfile_size_limit: {LOG_SIZE}\n\
         logfile_max_num: {LOG_FILES}\n\
         max_payload: {MAX_PAYLOAD}\n\
         jetstream {{\n  \
           store_dir: {store}\n  \
           max_memory_store: 64MB\n  \
           max_file_store: {MAX_STORE}\n  \
           # What is acknowledged is on the disk, not only with the kernel.\n  \
           sync_interval: always\n\
         }}\n\
         {trust}",
        pid = quoted(files.pid()),
        ports = quoted(files.ports()),
        log = quoted(files.log()),
        store = quoted(files.store()),
    );
    if let Some(tls) = &config.tls {
        let (cert, key) = (quoted(tls.cert.clone()), quoted(tls.key.clone()));
        let _ =
            write!(text, "tls {{\n  cert_file: {cert}\n  key_file: {key}\n  timeout: {TLS_TIMEOUT}\n}}\n");
    }
    text
}
