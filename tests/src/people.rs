//! People beside the owner of a private daemon, each with credentials and a role of their own.

use std::path::PathBuf;
use std::process::Command;

use codementord::nats::auth::{Keys, Role};
use serde_json::Value;

use crate::{Home, Ran};

impl Home {
    /// Makes people known to the daemon: each with what they are to which courses. It rests meanwhile, since it reads
    /// them when it starts.
    pub fn invite(&self, people: &[(&str, &[(&str, &str)])]) {
        self.run(&["down"]).expect_code(0);
        let keys = Keys::load_or_create(&self.data().join("keys")).expect("the daemon has keys");
        let db = rusqlite::Connection::open(self.data().join("codementor.db")).expect("the database opens");
        for (name, courses) in people {
            keys.issue(Role::Student, name, None)
                .expect("the credentials are signed")
                .write(&self.creds(name))
                .expect("the credentials are written");
            db.execute("INSERT INTO users (name, created) VALUES (?1, 0)", [name]).expect("the user is new");
            for (course, role) in *courses {
                let row = [course, name, role];
                db.execute(
                    "INSERT INTO memberships (course, user, role, joined) VALUES (?1, ?2, ?3, 0)",
                    row,
                )
                .expect("the membership is new");
            }
        }
        drop(db);
        self.run(&["up"]).expect_code(0);
    }

    /// A `codementor` command of somebody who was invited.
    pub fn command_of(&self, name: &str, arguments: &[&str]) -> Command {
        let text = std::fs::read_to_string(self.data().join("daemon.json")).expect("the daemon is ready");
        let ready: Value = serde_json::from_str(&text).expect("is JSON");
        let mut command = self.codementor(arguments);
        command
            .env("CODEMENTOR_NATS_URL", ready["url"].as_str().expect("a text"))
            .env("CODEMENTOR_CREDS", self.creds(name));
        command
    }

    /// Runs a command of somebody who was invited to its end.
    pub fn run_as(&self, name: &str, arguments: &[&str]) -> Ran {
        Ran::of(self.command_of(name, arguments).output().expect("the command runs"))
    }

    fn creds(&self, name: &str) -> PathBuf {
        self.data().join(format!("{name}.creds"))
    }
}
