//! `codementor problem pull`: a package as it was pushed.

use std::path::{Path, PathBuf};

use codementor_problems::read::{self, Opened};
use codementor_protocol::{GetPackage, PackageHash, Refusal, RefusalCode, Slug};

use crate::args::problem::Pull;
use crate::commands::Context;
use crate::commands::get::GetError;
use crate::error::{CliError, ExitStatus};
use crate::render::words;
use crate::session::Session;

pub(crate) async fn run(context: &Context, args: &Pull) -> Result<ExitStatus, CliError> {
    let target = args.dir.clone().unwrap_or_else(|| args.problem.as_str().into());
    // Said before anything is fetched.
    if target.symlink_metadata().is_ok() {
        return Err(GetError::Exists { path: target }.into());
    }
    let mut session = context.session().await?;
    let (hash, bytes) = fetch(context, &mut session, &args.problem, args.version.as_ref()).await?;
    let zipped = target.extension().is_some_and(|end| end == "zip" || end == "kpp");
    let (name, size) = (args.problem.to_string(), bytes.len() as u64);
    let work = {
        let (target, hash) = (target.clone(), hash.clone());
        move || {
            let opened = read::open_bytes(&name, bytes.clone());
            // What was stored is what was pushed, byte for byte, or it is not kept.
            let opened = opened
                .ok()
                .filter(|opened| opened.files.content_hash().is_ok_and(|found| found == hash.as_str()));
            let opened = opened.ok_or_else(damaged)?;
            Ok::<_, CliError>(match zipped {
                true => (opened.files.iter().count(), write(&target, |new| std::fs::write(new, &bytes))?).0,
                false => (opened.files.iter().count(), write(&target, |new| unpack(new, &opened))?).0,
            })
        }
    };
    let files = tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| CliError::from(Refusal::new(RefusalCode::Internal, error.to_string())))??;
    context.progress.clear();
    context.print(&t!(
        "{target}: version {hash} of {problem}, {files} ({size})\n",
        target = target.display(),
        hash = hash.short(),
        problem = args.problem,
        files = count!(files as u64, "file"),
        size = words::size(size)
    ))?;
    Ok(ExitStatus::Success)
}

async fn fetch(
    context: &Context,
    session: &mut Session<'_>,
    problem: &Slug,
    version: Option<&PackageHash>,
) -> Result<(PackageHash, Vec<u8>), CliError> {
    let mut request = GetPackage { problem: problem.clone(), package: version.cloned(), offset: 0 };
    let mut bytes = Vec::new();
    loop {
        let piece = session.request(&request).await?;
        bytes.extend_from_slice(&piece.piece);
        if bytes.len() as u64 >= piece.size {
            return Ok((piece.package, bytes));
        }
        if piece.piece.is_empty() {
            return Err(damaged());
        }
        context.progress.amount(&t!("{problem}: receiving", problem), bytes.len() as u64, piece.size, true);
        request.package = Some(piece.package);
        request.offset = bytes.len() as u64;
    }
}

fn damaged() -> CliError {
    let message = t!("what the server sent is not the package that it names");
    let hint = t!("pull again; if that does not help, push the package again");
    CliError::Known(Refusal::new(RefusalCode::Internal, message).hint(hint))
}

/// Makes a file or a folder that is whole or not there at all.
fn write(target: &Path, fill: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), GetError> {
    let cannot = |source| GetError::Write { path: target.into(), source };
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = target.with_file_name(name);
    let done = fill(&fresh).and_then(|()| std::fs::rename(&fresh, target));
    if done.is_err() {
        // The error itself is what counts; what was made here holds nothing else.
        let _ = std::fs::remove_dir_all(&fresh);
        let _ = std::fs::remove_file(&fresh);
    }
    done.map_err(cannot)
}

fn unpack(folder: &Path, opened: &Opened) -> std::io::Result<()> {
    for file in opened.files.iter() {
        let Some(path) = inside(folder, &file.name) else {
            return Err(std::io::Error::other(t!(
                "'{name}' would lie outside",
                name = file.name.escape_debug()
            )));
        };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut out = std::fs::File::create(path)?;
        opened.files.copy(&file.name, &mut out).map_err(std::io::Error::other)?;
    }
    Ok(())
}

/// Names come from a package that somebody else has made: none may lead out of the folder.
fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let plain = |part: &str| !(part.is_empty() || part == "." || part == ".." || part.contains('\\'));
    name.split('/').all(plain).then(|| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = Path::new("/tmp/x");
        for name in ["../a", "a/../../b", "/etc/passwd", "a//b", "", "./a", "a\\..\\b"] {
            assert_eq!(inside(folder, name), None, "{name}");
        }
        assert_eq!(inside(folder, "data/sample/1.in"), Some(folder.join("data/sample/1.in")));
    }

    #[test]
    fn what_cannot_be_filled_is_not_there() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let target = dir.path().join("sum");
        let failed = write(&target, |new| {
            std::fs::create_dir(new)?;
            std::fs::write(new.join("half"), "x")?;
            Err(std::io::Error::other("the disk is gone"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(dir.path()).expect("lists").count(), 0);
    }
}
