//! Real images on the real engine. Programs run here without the agent, as an unprivileged user in a container that
//! is locked down like a sandbox.

use std::fmt::Write as _;

use bollard::query_parameters::{InspectContainerOptions, WaitContainerOptions};
use codementor_protocol::{InstanceId, SourceFile};
use futures::StreamExt;

use super::*;
use crate::container::tests::{Ran, run_script};

/// The same folder for every test of every run, so that each image is built once.
pub(crate) fn locks() -> PathBuf {
    Images::default_locks()
}

pub(crate) async fn images() -> Images {
    Images::new(Engine::connect(None).await.unwrap(), locks())
}

pub(crate) fn instance() -> InstanceId {
    InstanceId::new(format!("test{:08x}", rand::random::<u32>())).unwrap()
}

fn source(name: &str, text: &str) -> SourceFile {
    SourceFile { name: name.into(), text: text.into() }
}

fn say(event: ProgressEvent) {
    eprintln!("{event:?}");
}

/// Compiles and runs one program, and returns what the compiler and the program did.
async fn judge(id: &str, files: &[SourceFile], input: &str) -> (Ran, Option<Ran>) {
    let images = images().await;
    let languages = Languages::load(None).unwrap();
    let language = languages.by_name(id).unwrap();
    let image = images.ready(language, &say).await.unwrap();
    let program = language.program(files, &[], None, 512).unwrap();
    let mut script = String::from("set -e; cd /work\n");
    let quote = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    for file in files {
        let text = data_encoding::BASE64.encode(file.text.as_bytes());
        writeln!(script, "echo {text} | base64 -d > {}", quote(&file.name)).unwrap();
    }
    let environment: Vec<String> =
        program.environment.iter().map(|(k, v)| quote(&format!("{k}={v}"))).collect();
    let environment = format!("env -i {}", environment.join(" "));
    let line = |argv: &[String]| {
        let argv: Vec<String> = argv.iter().map(|argument| quote(argument)).collect();
        format!("{environment} {}", argv.join(" "))
    };
    for step in &program.compile {
        writeln!(script, "{}", line(step)).unwrap();
    }
    let compiled = run_script(&images, &image, &script, "").await;
    if compiled.code != 0 {
        return (compiled, None);
    }
    let input = data_encoding::BASE64.encode(input.as_bytes());
    writeln!(script, "exec 2>&1; echo {input} | base64 -d | {}", line(&program.run)).unwrap();
    let ran = run_script(&images, &image, &script, "").await;
    (compiled, Some(ran))
}

/// A program that reads two numbers and prints their sum, in each language.
fn sums() -> Vec<(&'static str, SourceFile)> {
    vec![
        ("python3", source("sum.py", "print(sum(map(int, input().split())))\n")),
        (
            "c",
            source(
                "sum.c",
                "#include <math.h>\n#include <stdio.h>\nint main(void) { int a, b; scanf(\"%d%d\", &a, &b); printf(\"%.0f\\n\", fmax(a + b, 0)); }\n",
            ),
        ),
        (
            "cpp",
            source(
                "sum.cpp",
                "#include <bits/stdc++.h>\nint main() { int a, b; std::cin >> a >> b; std::println(\"{}\", a + b); }\n",
            ),
        ),
        (
            "java",
            source(
                "Sum.java",
                "import java.util.*;\nclass Helper {}\npublic class Sum { public static void main(String[] a) { var s = new Scanner(System.in); System.out.println(s.nextInt() + s.nextInt()); } }\n",
            ),
        ),
        (
            "javascript",
            source(
                "sum.js",
                "const [a, b] = require('fs').readFileSync(0, 'utf8').split(' ').map(Number);\nconsole.log(a + b);\n",
            ),
        ),
        (
            "rust",
            source(
                "sum.rs",
                "fn main() { let s = std::io::read_to_string(std::io::stdin()).unwrap(); println!(\"{}\", s.split_whitespace().map(|x| x.parse::<i64>().unwrap()).sum::<i64>()); }\n",
            ),
        ),
        (
            "go",
            source(
                "sum.go",
                "package main\n\nimport (\n\t\"fmt\"\n\t\"net/http\"\n)\n\nvar _ = http.StatusOK\n\nfunc main() {\n\tvar a, b int\n\tfmt.Scan(&a, &b)\n\tfmt.Println(a + b)\n}\n",
            ),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_language_compiles_and_runs_a_program() {
    let languages = Languages::load(None).unwrap();
    let sums = sums();
    assert_eq!(languages.iter().count(), sums.len(), "every language has a program here");
    for (id, file) in sums {
        let (compiled, ran) = judge(id, &[file], "40 2\n").await;
        assert_eq!((compiled.code, compiled.stdout.as_str()), (0, ""), "{id}: {compiled:?}");
        let ran = ran.unwrap();
        assert_eq!((ran.code, ran.stdout.trim()), (0, "42"), "{id}: {ran:?}");
    }
}
