//! Several judges at work for one daemon.

use std::fs::File;
use std::process::Stdio;

use codementor_tests::{Home, Ran, Reaped, home, library, wait_until};
use serde_json::Value;

/// A program that takes long, so that there is a middle of a case to be killed in.
const SLOW: &str = "\
import time
end = time.process_time() + 0.4
while time.process_time() < end:
    pass
time.sleep(1)
print('Hello, CodeMentor!')
";

struct Host {
    home: Home,
    process: Reaped,
}

impl Host {
    fn log(&self) -> String {
        std::fs::read_to_string(self.home.work().join("judge.log")).unwrap_or_default()
    }
}

fn judge(server: &Home, url: &str, name: &str) -> Host {
    let home = home!();
    let creds = home.work().join("judge.creds");
    let creds = creds.to_str().expect("a text");
    Ran::of(server.codementord(&["judge-creds", name, "--out", creds])).expect_code(0);
    let log = File::create(home.work().join("judge.log")).expect("the log is made");
    let process = home
        .codementord(&["judge", "--nats-url", url, "--creds", creds, "--slots", "1"])
        .stderr(log)
        .stdout(Stdio::null())
        .env("CODEMENTOR_LOG", "info,codementord::judge=debug")
        .spawn()
        .expect("the judge starts");
    Host { home, process: Reaped(process) }
}

fn url(server: &Home) -> String {
    let text = std::fs::read_to_string(server.data().join("daemon.json")).expect("the daemon is ready");
    let value: Value = serde_json::from_str(&text).expect("is JSON");
    value["url"].as_str().expect("a text").to_owned()
}

#[test]
fn when_a_judge_is_killed_in_the_middle_of_a_case_another_finishes_the_job() {
    let server = home!().with("CODEMENTOR_SLOTS", 0).with("CODEMENTOR_ACK_WAIT", 2);
    server.run(&["problem", "push", library().join("hello").to_str().expect("a text")]).expect_code(0);
    let url = url(&server);
    let mut hosts = [judge(&server, &url, "judge-1"), judge(&server, &url, "judge-2")];
    wait_until("both judges are at work", || hosts.iter().all(|host| host.log().contains("judging")));

    let file = server.write("slow.py", SLOW);
    let submit = server
        .codementor(&["submit", file.to_str().expect("a text"), "-p", "hello", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let has = |host: &Host| host.log().contains("took a job");
    wait_until("a judge has taken the job", || hosts.iter().any(has));
    let first = hosts.iter().position(has).expect("one has");
    wait_until("the first case runs", || {
        hosts[first].log().contains("running the cases") || hosts[first].log().contains("judged")
    });
    hosts[first].process.0.kill().expect("the judge is killed");

    let ran = Ran::awaited(submit).expect_code(0);
    let (text, events) = (&ran.stdout, ran.events());
    let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((of("restarted"), of("started"), of("result")), (1, 2, 1), "{text}");
    let result = events.iter().find(|event| event["type"] == "result").expect("there is one");
    assert_eq!(
        (result["verdict"].as_str(), result["delivery"].as_u64()),
        (Some("ACCEPTED"), Some(2)),
        "{text}"
    );
    assert!(has(&hosts[1 - first]), "the other judge did it");
}
