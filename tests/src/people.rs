//! People beside the owner of a private daemon. Each joins by a code, as a student does, from a place of its own.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::{Home, Ran};

impl Home {
    /// Lets somebody join courses, in each with a role. The name is for people; what the server calls the user is told.
    pub fn invite(&self, name: &str, courses: &[(&str, &str)]) -> String {
        let url = &self.url();
        self.settle(name);
        for (course, role) in courses {
            let make = ["course", "code", "make", course, "--role", role, "--uses", "1", "--json"];
            let made = self.run(&make).expect_code(0);
            let made: Value = serde_json::from_str(&made.stdout).expect("is JSON");
            let code = made["code"].as_str().expect("a text");
            self.run_as(name, &["join", url, code, "--name", name]).expect_code(0);
        }
        let whoami = self.run_as(name, &["whoami", "--json"]).expect_code(0);
        let whoami: Value = serde_json::from_str(&whoami.stdout).expect("is JSON");
        whoami["user"].as_str().expect("a text").to_owned()
    }

    /// Lets somebody join a course as who is on its roster under a student id.
    pub fn enrol(&self, who: &str, course: &str, student_id: &str, name: &str) {
        let made = self.run(&["course", "code", "make", course, "--roster", "--json"]).expect_code(0);
        let made: Value = serde_json::from_str(&made.stdout).expect("is JSON");
        let code = made["code"].as_str().expect("a text");
        self.settle(who);
        let join = ["join", &self.url(), code, "--name", name, "--student-id", student_id];
        self.run_as(who, &join).expect_code(0);
    }

    /// Where the private daemon's server, which has to be up, is reached.
    pub fn url(&self) -> String {
        let text = std::fs::read_to_string(self.data().join("daemon.json")).expect("the daemon is ready");
        let ready: Value = serde_json::from_str(&text).expect("is JSON");
        ready["url"].as_str().expect("a text").to_owned()
    }

    /// Makes a place from which somebody can type commands, and who has not joined yet.
    pub fn settle(&self, name: &str) {
        std::fs::create_dir_all(self.place(name)).expect("the folder is made");
        std::fs::write(self.place(name).join("config.toml"), "").expect("the configuration is written");
    }

    /// A `codementor` command of somebody who was invited.
    pub fn command_of(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = self.codementor(arguments);
        command
            .env("CODEMENTOR_DATA_DIR", self.place(name).join("data"))
            .env("CODEMENTOR_CONFIG", self.place(name).join("config.toml"));
        command
    }

    /// Runs a command of somebody who was invited to its end.
    pub fn run_as(&self, name: &str, arguments: &[&str]) -> Ran {
        Ran::of(self.command_of(name, arguments))
    }

    fn place(&self, name: &str) -> PathBuf {
        self.data().with_file_name("people").join(name)
    }
}
