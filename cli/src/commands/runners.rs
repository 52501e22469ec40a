//! `codementor runners`: the languages and their images. The engine is spoken to from here: it works without a daemon.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use codementor_runners::{Engine, ImageStatus, Images, ProgressEvent};
use serde::Serialize;

use crate::args;
use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::locale;
use crate::progress::Progress;
use crate::render::table::{Table, Tone};
use crate::render::words;

/// A language in a list.
#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    version: String,
    extensions: Vec<String>,
    image: Option<String>,
    built: Option<bool>,
    size: Option<u64>,
}

pub(crate) async fn list(context: &Context, args: &args::List) -> Result<ExitStatus, CliError> {
    let languages = context.languages()?;
    let known = match Engine::connect(context.settings.docker_host.as_deref()).await {
        Ok(engine) => Images::new(engine, Images::default_locks()).status(&languages).await,
        Err(error) => Err(error),
    };
    // Which languages there are is known without an engine too.
    let images: Vec<ImageStatus> = known.unwrap_or_else(|error| {
        context.progress.note(&t!("warning: {error}", error));
        Vec::new()
    });
    let rows: Vec<Row> = languages
        .iter()
        .map(|language| {
            let image = images.iter().find(|image| image.language.id() == language.id());
            Row {
                id: language.id().to_string(),
                name: language.name().into(),
                version: language.version().into(),
                extensions: language.extensions().to_vec(),
                image: image.map(|image| image.tag.clone()),
                built: image.map(|image| image.size.is_some()),
                size: image.and_then(|image| image.size),
            }
        })
        .collect();
    if args.json {
        context.print_json(&rows)?;
        return Ok(ExitStatus::Success);
    }
    let mut table =
        Table::new(&[t!("language"), t!("name"), t!("version"), t!("files"), t!("image"), t!(">size")]);
    for row in rows {
        let (built, tone) = match row.built {
            Some(true) => (t!("built"), Tone::Good),
            Some(false) => (t!("not built"), Tone::Odd),
            None => (t!("unknown"), Tone::Plain),
        };
        let files: Vec<String> = row.extensions.iter().map(|extension| format!(".{extension}")).collect();
        table.row([
            (row.id, Tone::Plain),
            (row.name, Tone::Plain),
            (row.version, Tone::Plain),
            (files.join(" "), Tone::Plain),
            (built.into(), tone),
            (row.size.map(words::size).unwrap_or_default(), Tone::Plain),
        ]);
    }
    context.print(&table.render(context.terminal.out))?;
    Ok(ExitStatus::Success)
}

pub(crate) async fn build(context: &Context, wanted: &[String]) -> Result<ExitStatus, CliError> {
    let languages = context.languages()?;
    let chosen = match wanted {
        [] => languages.iter().cloned().collect(),
        _ => wanted.iter().map(|name| languages.by_name(name).cloned()).collect::<Result<Vec<_>, _>>()?,
    };
    let engine = Engine::connect(context.settings.docker_host.as_deref()).await?;
    let images = Images::new(engine, Images::default_locks());
    for language in chosen {
        let view = View::new(&context.progress);
        let image = images.ready(&language, &|event| view.show(event)).await?;
        context.print(&t!("{language}: {tag} is ready\n", language = language.id(), tag = image.tag))?;
    }
    Ok(ExitStatus::Success)
}

/// `codementor runners prune`. What a container uses stays, and so do the images of the languages as they are.
pub(crate) async fn prune(context: &Context) -> Result<ExitStatus, CliError> {
    let languages = context.languages()?;
    let engine = Engine::connect(context.settings.docker_host.as_deref()).await?;
    let removed = Images::new(engine, Images::default_locks()).prune(&languages).await?;
    let what = count!(u64::try_from(removed).unwrap_or(u64::MAX), "image or volume");
    context.print(&t!("removed {what} that nothing uses\n", what))?;
    Ok(ExitStatus::Success)
}

/// Shows how an image comes to be.
pub(crate) struct View<'a> {
    progress: &'a Progress,
    layers: Mutex<HashMap<String, (u64, u64)>>,
    step: Mutex<(String, u64, u64)>,
}

impl<'a> View<'a> {
    pub(crate) fn new(progress: &'a Progress) -> Self {
        Self { progress, layers: Mutex::default(), step: Mutex::default() }
    }

    pub(crate) fn show(&self, event: ProgressEvent) {
        // A panic while one of these was held leaves nothing that could be wrong.
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            ProgressEvent::Waiting { what } => {
                self.progress.step(&t!(
                    "another command is making {what}; waiting for it",
                    what = locale::said(&what)
                ));
            }
            ProgressEvent::Pull { layer, status: _, current, total } => {
                let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
                if total > 0 {
                    layers.insert(layer, (current.min(total), total));
                }
                let (done, all) =
                    layers.values().fold((0, 0), |sum, layer| (sum.0 + layer.0, sum.1 + layer.1));
                self.progress.amount(t!("pulling the base image"), done, all, true);
            }
            ProgressEvent::Bootstrap { text } => {
                self.progress.step(&t!("making the base image from Debian's packages: {text}", text));
            }
            ProgressEvent::Step { language, step: at, total, text } => {
                *step = (format!("{language}: {text}"), at.into(), total.into());
                self.progress.amount(&step.0, step.1.saturating_sub(1), step.2, false);
            }
            ProgressEvent::Output { line, .. } => {
                self.progress.detail(&step.0, &line, step.1.saturating_sub(1), step.2);
            }
            ProgressEvent::Copying { language } => {
                self.progress
                    .step(&t!("{language}: copying its programs to where they start faster", language));
            }
            ProgressEvent::Ready { .. } => self.progress.clear(),
        }
    }
}
