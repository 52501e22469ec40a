//! Building one image, and reading the engine's account of it.

use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;

use bollard::body_full;
use bollard::query_parameters::BuildImageOptionsBuilder;
use bytes::Bytes;
use codementor_agent::SEAL;
use tar::{Builder, EntryType, Header};

use super::{AGENT, AGENT_PATH, INPUTS_MOUNT, ImageError, LANGUAGE_LABEL, Names, context};
use crate::engine::{Engine, EngineError};
use crate::language::Language;
use crate::progress::{Progress, ProgressEvent};

/// How much of a failed build's output its error carries.
const LOG_LINES: usize = 30;

/// The last step of every lower image. The dynamic linker's cache names libraries by the link `/lib`, and lies in
/// `/etc`: on fuse-overlayfs each start of a program would ask the driver's process eight times for these. Below `/usr`
/// they are on a volume there. An image that has no such link or no such cache is left as it is.
pub(super) const LINKING: &str = r#"
USER 0:0
RUN if [ -L /lib ] && [ -f /etc/ld.so.cache ] && [ -d /etc/ld.so.conf.d ]; then \
      ls -d /usr/lib/*-linux-gnu* > /etc/ld.so.conf.d/00-usr.conf \
      && ldconfig -C /usr/lib/ld.so.cache \
      && ln -sf /usr/lib/ld.so.cache /etc/ld.so.cache; \
    fi
"#;

/// Builds the lower image from the language's folder.
pub(super) async fn toolchain(
    engine: &Engine,
    language: &Language,
    tag: &str,
    progress: &dyn Progress,
) -> Result<(), ImageError> {
    let mut archive = Archive::default();
    for file in context(language) {
        let mode = if file.bytes.starts_with(b"#!") { 0o755 } else { 0o644 };
        if file.path == "Dockerfile" {
            archive.file(&file.path, &[&file.bytes, LINKING.as_bytes()].concat(), mode);
        } else {
            archive.file(&file.path, &file.bytes, mode);
        }
    }
    build(engine, language, tag, archive.finish(), progress).await
}

/// Builds the upper image: the lower one with the agent, sealed.
pub(super) async fn with_agent(
    engine: &Engine,
    language: &Language,
    names: &Names,
    progress: &dyn Progress,
) -> Result<(), ImageError> {
    let dockerfile = format!("FROM {}\n{}", names.toolchain, agent_steps());
    let mut archive = Archive::default();
    archive.file("Dockerfile", dockerfile.as_bytes(), 0o644);
    archive.file("agent.tar", agent_layer(), 0o644);
    build(engine, language, &names.full, archive.finish(), progress).await
}

/// How the upper image is made of the lower one: the agent comes in, and takes from the image whatever a program could
/// write to. What to run and as whom is said when a container is created.
pub(super) fn agent_steps() -> String {
    format!("ADD agent.tar /\nUSER 0:0\nRUN [\"{AGENT_PATH}\", \"{SEAL}\"]\n")
}

/// What the agent's layer adds, as an archive, since only an archive says who may read what in every engine's
/// builder: the agent and the inputs are root's alone.
pub(super) fn agent_layer() -> &'static [u8] {
    static LAYER: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let relative = |path: &'static str| path.trim_start_matches('/');
        let mut archive = Archive::default();
        archive.file(relative(AGENT_PATH), AGENT, 0o700);
        archive.folder("codementor", 0o700);
        archive.folder(relative(INPUTS_MOUNT), 0o755);
        archive.link("inputs", relative(INPUTS_MOUNT));
        // Some versions of runc give a tmpfs the rights of the folder that it covers.
        archive.folder("work", 0o1777);
        archive.finish()
    });
    &LAYER
}

async fn build(
    engine: &Engine,
    language: &Language,
    tag: &str,
    archive: Vec<u8>,
    progress: &dyn Progress,
) -> Result<(), ImageError> {
    let labels = HashMap::from([(LANGUAGE_LABEL, language.id().as_str())]);
    let options = BuildImageOptionsBuilder::new().t(tag).rm(true).forcerm(true).labels(&labels).build();
    let docker = engine.patient();
    let mut reader = Reader::new(language, progress);
    let stream = docker.build_image(options, None, Some(body_full(Bytes::from(archive))));
    let done = engine
        .drain(format!("build the image for {}", language.name()), stream, |item| {
            if let Some(text) = item.stream.or(item.status) {
                reader.take(&text);
            }
        })
        .await;
    match done {
        Err(EngineError::Refused { message, .. }) => {
            Err(ImageError::Build { language: language.name().into(), message, log: reader.log() })
        }
        other => Ok(other?),
    }
}

/// Reads the output of a build, which comes in pieces of any length.
struct Reader<'a> {
    language: &'a Language,
    progress: &'a dyn Progress,
    line: String,
    log: VecDeque<String>,
}

impl<'a> Reader<'a> {
    fn new(language: &'a Language, progress: &'a dyn Progress) -> Self {
        Self { language, progress, line: String::new(), log: VecDeque::new() }
    }

    fn take(&mut self, text: &str) {
        for character in text.chars() {
            if character == '\n' || character == '\r' {
                self.end_line();
            } else {
                self.line.push(character);
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        let language = self.language.id().clone();
        self.progress.report(match step(line) {
            Some((step, total, text)) => ProgressEvent::Step { language, step, total, text: text.into() },
            None => ProgressEvent::Output { language, line: line.into() },
        });
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(line.into());
    }

    fn log(mut self) -> String {
        self.end_line();
        Vec::from(self.log).join("\n")
    }
}

/// `Step 2/5 : RUN …`
fn step(line: &str) -> Option<(u32, u32, &str)> {
    let (numbers, text) = line.strip_prefix("Step ")?.split_once(" : ")?;
    let (step, total) = numbers.split_once('/')?;
    Some((step.parse().ok()?, total.parse().ok()?, text))
}

/// A tar archive whose bytes depend on nothing but what is put in.
struct Archive(Builder<Vec<u8>>);

impl Default for Archive {
    fn default() -> Self {
        Self(Builder::new(Vec::new()))
    }
}

impl Archive {
    fn file(&mut self, path: &str, bytes: &[u8], mode: u32) {
        let mut header = header(EntryType::Regular, mode);
        header.set_size(bytes.len() as u64);
        self.written(|archive| archive.append_data(&mut header, path, bytes));
    }

    fn folder(&mut self, path: &str, mode: u32) {
        let mut header = header(EntryType::Directory, mode);
        self.written(|archive| archive.append_data(&mut header, format!("{path}/"), &[][..]));
    }

    fn link(&mut self, path: &str, target: &str) {
        let mut header = header(EntryType::Symlink, 0o777);
        self.written(|archive| archive.append_link(&mut header, path, target));
    }

    fn finish(self) -> Vec<u8> {
        self.0.into_inner().unwrap_or_else(|error| unreachable!("memory takes every archive: {error}"))
    }

    fn written(&mut self, write: impl FnOnce(&mut Builder<Vec<u8>>) -> std::io::Result<()>) {
        // Memory takes everything, and the paths are our own or those of a folder: relative and without `..`.
        write(&mut self.0).unwrap_or_else(|error| unreachable!("memory takes every archive: {error}"));
    }
}

fn header(kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_a_build_are_recognised() {
        assert_eq!(step("Step 2/5 : RUN apt-get update"), Some((2, 5, "RUN apt-get update")));
        assert_eq!(step("Stepping stones"), None);
        assert_eq!(step("Step x/5 : RUN"), None);
    }
}
