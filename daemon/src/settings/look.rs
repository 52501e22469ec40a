//! Where the configuration file is, and how the command line looks by it. That is known before anything is shown, so
//! before the settings are loaded.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::OWN_CONFIG;

/// The languages that the command line speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum MessageLanguage {
    /// English
    #[default]
    En,
    /// Korean
    Ko,
}

/// How the command line looks, as far as the configuration file says it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Look {
    /// The language of messages.
    pub lang: Option<MessageLanguage>,
    /// Whether signs are to be of ASCII.
    pub ascii: Option<bool>,
}

impl Look {
    /// What the file says that [`super::Settings::load`] would read with these flags. A file that is missing or wrong says
    /// nothing here: that it is wrong is told when the settings are loaded, and in some language.
    pub fn read(config: Option<PathBuf>, data_dir: Option<&Path>) -> Self {
        let text = config_file(config, data_dir, false).0.and_then(|path| std::fs::read_to_string(path).ok());
        text.and_then(|text| toml::from_str(&text).ok()).unwrap_or_default()
    }
}

/// The folder of ours below one that the XDG specification names, or below the home directory.
pub(super) fn xdg(variable: &str, under_home: &str) -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| home().map(|home| home.join(under_home)))
        .map(|path| path.join("codementor"))
}

/// Where the configuration file is, and whether the user named it.
pub(super) fn config_file(
    config: Option<PathBuf>,
    data_dir: Option<&Path>,
    is_new: bool,
) -> (Option<PathBuf>, bool) {
    if config.is_some() {
        return (config, true);
    }
    // A data directory that was named, and has a configuration of its own, is a server by itself.
    let own = data_dir.map(|data| data.join(OWN_CONFIG)).filter(|path| is_new || path.exists());
    (own.or_else(|| xdg("XDG_CONFIG_HOME", ".config").map(|dir| dir.join(OWN_CONFIG))), false)
}
