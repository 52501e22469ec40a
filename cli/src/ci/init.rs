//! The files that make a CI service grade a repository. They are the ones of `deploy/ci`, so that what is written and
//! what is documented cannot part.

use std::path::{Path, PathBuf};

use crate::args::Host;
use crate::ci::CiError;

/// A file to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Where in the repository.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
    /// Whether it is a program.
    pub runs: bool,
}

const GITHUB: &[Written] = &[Written {
    path: ".github/workflows/codementor.yml",
    text: include_str!("../../../deploy/ci/github/workflow.yml"),
    runs: false,
}];
const GITLAB: &[Written] = &[Written {
    path: ".gitlab-ci.yml",
    text: include_str!("../../../deploy/ci/gitlab/codementor.gitlab-ci.yml"),
    runs: false,
}];
const JENKINS: &[Written] = &[Written {
    path: "Jenkinsfile",
    text: include_str!("../../../deploy/ci/jenkins/Jenkinsfile"),
    runs: false,
}];
const GRADESCOPE: &[Written] = &[
    Written {
        path: "run_autograder",
        text: include_str!("../../../deploy/ci/gradescope/run_autograder"),
        runs: true,
    },
    Written { path: "setup.sh", text: include_str!("../../../deploy/ci/gradescope/setup.sh"), runs: true },
];

/// The files for a service.
pub fn files(host: Host) -> &'static [Written] {
    match host {
        Host::Github => GITHUB,
        Host::Gitlab => GITLAB,
        Host::Jenkins => JENKINS,
        Host::Gradescope => GRADESCOPE,
    }
}

/// What is still to be done by hand.
pub fn next(host: Host) -> &'static str {
    match host {
        Host::Github => {
            t!("next: Settings, Secrets and variables, Actions: the secret CODEMENTOR_CREDS, from: \
                codementor ci creds COURSE/ASSIGNMENT")
        }
        Host::Gitlab => {
            t!("next: Settings, CI/CD, Variables: CODEMENTOR_CREDS, masked, from: codementor ci creds \
                COURSE/ASSIGNMENT")
        }
        Host::Jenkins => {
            t!("next: a secret text with the id codementor-creds, from: codementor ci creds \
                COURSE/ASSIGNMENT")
        }
        Host::Gradescope => {
            t!("next: zip both with codementor.creds, from: codementor ci creds COURSE/ASSIGNMENT --out \
                codementor.creds")
        }
    }
}

/// The folder of the repository around `dir`.
pub fn root(dir: &Path) -> PathBuf {
    dir.ancestors().find(|dir| dir.join(".git").exists()).unwrap_or(dir).into()
}

/// Where a repository is graded: by what lies in it, else by where it is pushed to.
pub fn detect(root: &Path) -> Result<Host, CiError> {
    let there = |path: &str| root.join(path).exists();
    let mut found = Vec::new();
    for (host, signs) in [
        (Host::Github, [".github", ".github"]),
        (Host::Gitlab, [".gitlab-ci.yml", ".gitlab"]),
        (Host::Jenkins, ["Jenkinsfile", "jenkinsfile"]),
        (Host::Gradescope, ["run_autograder", "run_autograder"]),
    ] {
        if signs.into_iter().any(there) {
            found.push(host);
        }
    }
    if found.is_empty() {
        // A work tree of its own has a file instead of the folder; then nothing is found here, and asked for.
        let config = std::fs::read_to_string(root.join(".git/config")).unwrap_or_default();
        let pushed = config.lines().filter_map(|line| line.trim().strip_prefix("url"));
        for address in pushed {
            let address = address.to_ascii_lowercase();
            for (host, sign) in [(Host::Github, "github"), (Host::Gitlab, "gitlab")] {
                if address.contains(sign) && !found.contains(&host) {
                    found.push(host);
                }
            }
        }
    }
    match found.as_slice() {
        [only] => Ok(*only),
        several => Err(CiError::UnknownService { found: several.iter().map(|host| host.token()).collect() }),
    }
}

#[cfg(test)]
mod tests {
    use saphyr_parser::{Event, Parser};

    use super::*;

    fn detected(made: &[(&str, &str)]) -> String {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for (name, content) in made {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
            std::fs::write(path, content).expect("is written");
        }
        match detect(dir.path()) {
            Ok(host) => host.token().into(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_service_is_told_by_the_repository() {
        let remote = |url: &str| format!("[remote \"origin\"]\n\turl = {url}\n\tfetch = +refs/heads/*\n");
        let unknown = "it cannot be told where this repository is graded";
        let config = ".git/config";
        for (made, host) in [
            (vec![(".github/x", "")], "github"),
            (vec![(".gitlab-ci.yml", "")], "gitlab"),
            (vec![("Jenkinsfile", "")], "jenkins"),
            (vec![("run_autograder", "")], "gradescope"),
            (vec![(config, remote("git@github.com:a/b.git").as_str())], "github"),
            (vec![(config, remote("https://gitlab.example.edu/a/b").as_str())], "gitlab"),
            (vec![("Jenkinsfile", ""), (config, remote("git@github.com:a/b.git").as_str())], "jenkins"),
            (vec![(config, remote("/srv/a.git").as_str())], unknown),
            (vec![], unknown),
            (
                vec![("Jenkinsfile", ""), (".github/x", "")],
                &format!("{unknown}: it may be github or jenkins"),
            ),
        ] {
            assert_eq!(detected(&made), host, "{made:?}");
        }
    }

    /// The scalars of a YAML file, which must be one.
    fn scalars(text: &str) -> Vec<String> {
        let events = Parser::new_from_str(text).map(|event| event.expect("is YAML").0);
        events
            .filter_map(|event| match event {
                Event::Scalar(value, ..) => Some(value.into_owned()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn the_files_are_yaml_and_say_what_the_action_takes() {
        let action = scalars(include_str!("../../../deploy/ci/github/action.yml"));
        let has = |name: &str| action.iter().any(|scalar| scalar == name);
        assert!(has("composite"));
        for file in GITHUB.iter().chain(GITLAB) {
            assert!(!scalars(file.text).is_empty());
        }
        // Each input that the workflow sets is one of the action's.
        let workflow = GITHUB[0].text;
        let inputs = workflow.split("with:").nth(2).expect("the second step has inputs").lines();
        let inputs: Vec<&str> = inputs
            .filter_map(|line| line.trim().trim_start_matches("# ").split_once(": ").map(|(name, _)| name))
            .filter(|name| !name.contains(' '))
            .collect();
        assert!(inputs.contains(&"creds"), "{inputs:?}");
        for input in inputs {
            assert!(has(input), "the action has no input {input}");
        }
        for output in ["score", "max_score", "verdict", "passed", "submission_id", "result"] {
            assert!(has(&format!("${{{{ steps.grade.outputs.{output} }}}}")), "{output}");
        }
    }

    #[test]
    fn every_option_that_the_files_use_is_one() {
        use clap::CommandFactory;
        let cli = crate::args::Cli::command();
        let ci = cli.find_subcommand("ci").expect("is there");
        let grade = ci.find_subcommand("grade").expect("is there");
        let known: Vec<String> = grade
            .get_arguments()
            .chain(cli.get_arguments())
            .filter_map(|argument| argument.get_long().map(|long| format!("--{long}")))
            .collect();
        let files = [GITLAB, JENKINS, GRADESCOPE].concat();
        let action = include_str!("../../../deploy/ci/github/action.yml");
        for text in files.iter().map(|file| file.text).chain([action]) {
            // Other programs' options are on other lines.
            let ours = text.lines().filter(|line| line.contains("ci grade") || line.contains("arguments"));
            let words = ours.flat_map(|line| line.split([' ', '"', '(', ')', '\'', '{', '}']));
            for option in words.filter(|word| word.len() > 2 && word.starts_with("--")) {
                assert!(known.iter().any(|known| known == option), "{option} in\n{text}");
            }
        }
    }
}
