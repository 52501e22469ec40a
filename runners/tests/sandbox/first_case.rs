//! Running the first case before the check must not be seen in anything but the time: each program here is judged both
//! ways, and what the compiler says and how the cases end must be the same.

use codementor_protocol::{Exit, Limit, Limits, SourceFile};
use codementor_runners::{CaseDone, CaseInput, CaseRun, Cases, Source};

use crate::house::{House, Runner, tight};

/// Files by their names, and whether their check is spared.
type Sample = (&'static [(&'static str, &'static str)], bool);

const PYTHON: &[Sample] = &[
    (&[("a.py", "print(input())")], true),
    (&[("a.py", "import sys\nprint(1)\nsys.exit()")], true),
    (&[("a.py", "")], true),
    (&[("a.py", "def f(:\n  pass")], false),
    (&[("a.py", "print(1)\n  print(2)")], false),
    (&[("a.py", "print(1)\nreturn 2")], false),
    (&[("a.py", "print(1)\nif x:\n\ty\n        z")], false),
    (&[("a.py", "# coding: klingon\nprint(1)")], false),
    (&[("a.py", "print(1)\0")], false),
    (&[("a.py", "from __future__ import braces")], false),
    // A warning is told although the program is right, and also if it hides what it writes afterwards.
    (&[("a.py", "print('\\d')")], false),
    (&[("a.py", "import os\nos.close(2)\nprint(1 is 1)\nos._exit(0)")], false),
    (&[("a.py", "print('\\d')\nwhile True: pass")], false),
    // No compile errors, however much they look like some.
    (&[("a.py", "exec('def f(:')")], false),
    (&[("a.py", "raise SyntaxError('invalid syntax', ('a.py', 1, 1, 'raise', 1, 2))")], false),
    (&[("a.py", "import sys\nprint('  File \"a.py\", line 1\\nSyntaxError: no', file=sys.stderr)")], false),
    (&[("a.py", "import os\nos._exit(3)")], false),
    (&[("a.py", "import os\nos.kill(os.getpid(), 9)")], false),
    (&[("a.py", "while True: pass")], false),
    (&[("a.py", "x = 'x' * (1 << 30)")], false),
    // Of several files, those that are never read are checked too.
    (&[("main.py", "print(1)"), ("other.py", "def f(:")], false),
    (&[("main.py", "import other"), ("other.py", "def f(:")], false),
    (&[("main.py", "import other"), ("other.py", "print(1)")], false),
    // Nowhere to start.
    (&[("a.py", ""), ("b.py", "")], false),
];

const JAVASCRIPT: &[Sample] = &[
    (&[("a.js", "console.log(1)")], true),
    (&[("a.js", "#!/usr/bin/env node\nprocess.exit(0)")], true),
    (&[("a.mjs", "import fs from 'node:fs';\nconsole.log(await 1)")], true),
    (&[("a.js", "function (")], false),
    (&[("a.js", "console.log(1);\nfunction f() { let a; let a }")], false),
    (&[("a.mjs", "import fs from 'node:fs';\nlet a; let a")], false),
    (&[("a.js", "throw new SyntaxError('no')")], false),
    (&[("a.js", "console.error('careful')")], false),
    (&[("main.js", "console.log(1)"), ("other.js", "function (")], false),
];

/// What must not differ of a case: how it ended, and what it wrote. What it used differs from run to run.
type Ended = (usize, Exit, Option<Limit>, String, String);

async fn all(mut cases: Cases<'_>) -> Vec<Ended> {
    let mut list = Vec::new();
    while let Some(CaseDone { index, exited, stdout, stderr }) = cases.next().await.unwrap() {
        list.push((index, exited.exit, exited.stopped_by, told(&stdout), told(&stderr.bytes)));
    }
    list
}

/// A text without the number of the submission's folder, which tracebacks name.
fn told(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split("/work/");
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        told.push_str("/work/");
        told.push_str(part.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    }
    told
}

async fn compare(house: &House, runner: &Runner, (files, spared): &Sample, count: usize, limits: &Limits) {
    let name = files[0].1;
    let submitted: Vec<SourceFile> =
        files.iter().map(|(name, text)| SourceFile { name: (*name).into(), text: (*text).into() }).collect();
    let source = Source { language: &runner.language, submitted: &submitted, included: &[], entry: None };
    let case = |n| CaseRun { stdin: CaseInput::Bytes(format!("{n}\n").into()), ..CaseRun::default() };
    let cases: Vec<CaseRun> = (0..count).map(case).collect();

    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let checked = sandbox.build(&source, limits).await.unwrap();
    let checked_ends = match checked.ok {
        true => Some(all(sandbox.run(cases.clone(), limits).await.unwrap()).await),
        false => None,
    };
    let (judged, judged_cases) = sandbox.judge(&source, cases, limits).await.unwrap();
    let judged_ends = match judged_cases {
        Some(cases) => Some(all(cases).await),
        None => None,
    };
    assert_eq!((judged.ok, told(&judged.output.bytes)), (checked.ok, told(&checked.output.bytes)), "{name}");
    assert_eq!(judged_ends, checked_ends, "{name}");
    assert_eq!(judged_ends.map_or(count, |ends| ends.len()), count, "{name}");
    let ran_a_check = judged.exited.is_some() || !judged.ok;
    assert_eq!(ran_a_check, !spared || count == 0, "{name}: {judged:?}");
    sandbox.close().await;
}

#[tokio::test]
async fn a_python_program_is_judged_alike_whether_its_check_comes_first_or_is_spared() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = Limits { time_ms: 300, ..tight() };
    for sample in PYTHON {
        compare(&house, &runner, sample, 3, &limits).await;
    }
    compare(&house, &runner, &PYTHON[0], 1, &limits).await;
    compare(&house, &runner, &PYTHON[0], 0, &limits).await;
    house.close().await;
}

#[tokio::test]
async fn a_javascript_program_is_judged_alike_whether_its_check_comes_first_or_is_spared() {
    let house = House::new().await;
    let runner = house.runner("javascript").await;
    let limits = Limits { time_ms: 3000, memory_mib: 256, ..tight() };
    for sample in JAVASCRIPT {
        compare(&house, &runner, sample, 3, &limits).await;
    }
    house.close().await;
}

#[tokio::test]
async fn the_rest_of_the_cases_can_be_stopped_after_the_early_one() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = tight();
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let submitted =
        [crate::house::file(&runner, "import sys\nprint(sys.argv[1])\nwhile sys.argv[1] > '0': pass")];
    let source = Source { language: &runner.language, submitted: &submitted, included: &[], entry: None };
    let case = |n: usize| CaseRun { args: vec![n.to_string()], ..CaseRun::default() };
    for _ in 0..2 {
        let (build, cases) = sandbox.judge(&source, (0..9).map(case).collect(), &limits).await.unwrap();
        let mut cases = cases.unwrap();
        assert!(build.ok && build.exited.is_none());
        let first = cases.next().await.unwrap().unwrap();
        assert_eq!((first.index, &first.stdout[..]), (0, &b"0\n"[..]));
        // The second never ends by itself.
        cases.stop().await.unwrap();
    }
    sandbox.close().await;
    house.close().await;
}
