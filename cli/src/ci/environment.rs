//! Which CI this is, from its variables: decided once, and passed down as a value.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A service that runs jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// Jenkins.
    Jenkins,
    /// Another one, of which nothing but that is known.
    Other,
}

/// What a job knows of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// The service; none outside of CI.
    pub service: Option<Service>,
    /// Whether the job runs for a pull request from elsewhere, as far as can be told.
    pub pull_request: bool,
    /// Where the repository is.
    pub root: Option<PathBuf>,
    /// Where a step of GitHub Actions adds its summary.
    pub summary: Option<PathBuf>,
    /// Where it adds its outputs.
    pub outputs: Option<PathBuf>,
    /// Where it sets variables of later steps.
    pub variables: Option<PathBuf>,
}

impl Environment {
    /// Looks at the variables of this process.
    pub fn detect() -> Self {
        Self::decide(|name| std::env::var_os(name))
    }

    fn decide(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let says_so = |name: &str| set(name).is_some_and(|value| value == "true" || value == "1");
        let path = |name: &str| set(name).map(PathBuf::from);
        if says_so("GITHUB_ACTIONS") {
            return Self {
                service: Some(Service::GitHub),
                pull_request: set("GITHUB_EVENT_NAME")
                    .is_some_and(|event| event.to_string_lossy().starts_with("pull_request")),
                root: path("GITHUB_WORKSPACE"),
                summary: path("GITHUB_STEP_SUMMARY"),
                outputs: path("GITHUB_OUTPUT"),
                variables: path("GITHUB_ENV"),
            };
        }
        if says_so("GITLAB_CI") {
            let request = set("CI_MERGE_REQUEST_IID").is_some();
            let root = path("CI_PROJECT_DIR");
            return Self { service: Some(Service::GitLab), pull_request: request, root, ..Self::default() };
        }
        if set("JENKINS_URL").is_some() {
            let request = set("CHANGE_ID").is_some();
            let root = path("WORKSPACE");
            return Self { service: Some(Service::Jenkins), pull_request: request, root, ..Self::default() };
        }
        let service = set("CI").is_some_and(|value| value != "false").then_some(Service::Other);
        Self { service, ..Self::default() }
    }

    /// Where a file is in the repository, with slashes between its parts, as the formats want it. A file that is
    /// elsewhere keeps its whole path.
    pub fn in_repository(&self, file: &Path) -> String {
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let file = whole(file);
        let root = self.root.as_deref().map(whole).filter(|root| file.starts_with(root));
        let root =
            root.or_else(|| file.ancestors().find(|dir| dir.join(".git").exists()).map(Path::to_path_buf));
        let root = root.or_else(|| std::env::current_dir().ok().map(|dir| whole(&dir)));
        let inside = root.and_then(|root| file.strip_prefix(root).ok().map(Path::to_path_buf));
        inside.unwrap_or(file).to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(variables: &[(&str, &str)]) -> Environment {
        Environment::decide(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn the_service_is_told_by_its_variables() {
        type Row<'a> = (&'a [(&'a str, &'a str)], Option<Service>, bool);
        #[rustfmt::skip]
        let table: &[Row] = &[
            (&[],                                                                   None,                  false),
            (&[("CI", "false")],                                                    None,                  false),
            (&[("CI", "true")],                                                     Some(Service::Other),  false),
            (&[("CI", "true"), ("GITHUB_ACTIONS", "true")],                         Some(Service::GitHub), false),
            (&[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "pull_request")],  Some(Service::GitHub), true),
            (&[("GITHUB_ACTIONS", "")],                                             None,                  false),
            (&[("GITLAB_CI", "true"), ("CI_MERGE_REQUEST_IID", "3")],               Some(Service::GitLab), true),
            (&[("JENKINS_URL", "http://x")],                                        Some(Service::Jenkins), false),
        ];
        for (variables, service, pull_request) in table {
            let found = decide(variables);
            assert_eq!((found.service, found.pull_request), (*service, *pull_request), "{variables:?}");
        }
        let off = decide(&[("GITHUB_STEP_SUMMARY", "/tmp/x"), ("CI", "1")]);
        assert_eq!(off.summary, None, "what is GitHub's is used on GitHub only");
    }

    #[test]
    fn a_path_is_the_one_in_the_repository() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir_all(dir.path().join("hw3/sum")).expect("a folder");
        let file = dir.path().join("hw3/sum/a.py");
        std::fs::write(&file, "x").expect("is written");
        let root = |root: &str| Environment { root: Some(dir.path().join(root)), ..Environment::default() };
        assert_eq!(root("").in_repository(&file), "hw3/sum/a.py");
        assert_eq!(root("hw3").in_repository(&dir.path().join("hw3/../hw3/sum/a.py")), "sum/a.py");
        std::fs::create_dir(dir.path().join("hw3/.git")).expect("a folder");
        assert_eq!(Environment::default().in_repository(&file), "sum/a.py");
        std::fs::remove_dir(dir.path().join("hw3/.git")).expect("is removed");
        assert!(Environment::default().in_repository(&file).ends_with("/hw3/sum/a.py"));
    }
}
