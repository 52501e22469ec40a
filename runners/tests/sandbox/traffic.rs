//! Many cases, large inputs and outputs, and changing one's mind.

use std::time::Duration;

use codementor_protocol::{Limits, Verdict};
use codementor_runners::{CaseInput, CaseRun};

use crate::house::{House, build, run, tight, verdict};

#[tokio::test]
async fn many_cases_come_back_in_order_each_with_its_own_input() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = tight();
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    build(&mut sandbox, &runner, "import sys\nprint(sys.argv[1:], sys.stdin.read())", &limits).await;
    let case = |index: usize| {
        let text = format!("input {index}");
        let stdin = match index % 3 {
            0 => CaseInput::Input(house.input(text.as_bytes())),
            1 => CaseInput::Bytes(text.into()),
            _ => CaseInput::Nothing,
        };
        CaseRun { stdin, args: vec![index.to_string()], files: vec![] }
    };
    let mut cases = sandbox.run((0..60).map(case).collect(), &limits).await.unwrap();
    for index in 0..60 {
        let done = cases.next().await.unwrap().unwrap();
        assert_eq!(done.index, index);
        let input = if index % 3 == 2 { String::new() } else { format!("input {index}") };
        assert_eq!(done.stdout, format!("['{index}'] {input}\n"));
    }
    assert!(cases.next().await.unwrap().is_none());
    sandbox.close().await;
    house.close().await;
}

#[tokio::test]
async fn large_inputs_and_outputs_pass_whole_and_may_be_ignored() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = Limits { output_mib: 16, time_ms: 5000, ..Limits::default() };
    let large: Vec<u8> = (0..10_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let program = "
import sys, shutil
if sys.argv[1] == 'echo': shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)
else: print('not read')
";
    build(&mut sandbox, &runner, program, &limits).await;
    let inputs = [CaseInput::Input(house.input(&large)), CaseInput::Bytes(large.clone().into())];
    let cases = ["echo", "ignore"].into_iter().flat_map(|what| {
        inputs.clone().map(|stdin| CaseRun { stdin, args: vec![what.into()], files: vec![] })
    });
    let mut cases = sandbox.run(cases.collect(), &limits).await.unwrap();
    for _ in 0..2 {
        let done = cases.next().await.unwrap().unwrap();
        assert!(done.stdout == large, "{:?} {}", done.exited, done.stdout.len());
    }
    for _ in 0..2 {
        assert_eq!(cases.next().await.unwrap().unwrap().stdout, "not read\n");
    }
    sandbox.close().await;
    house.close().await;
}

#[tokio::test]
async fn stopping_early_kills_the_current_case_and_leaves_the_sandbox_usable() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = Limits { time_ms: 60_000, ..tight() };
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let program = "import sys\nprint(sys.argv[1], flush=True)\nwhile sys.argv[1] == 'hang': pass";
    let case = |argument: &str| CaseRun { args: vec![argument.into()], ..CaseRun::default() };
    let started = std::time::Instant::now();
    for round in 0..3 {
        build(&mut sandbox, &runner, program, &limits).await;
        let mut given = vec![case("first"), case("hang")];
        given.resize(40, case("never"));
        let mut cases = sandbox.run(given, &limits).await.unwrap();
        assert_eq!(cases.next().await.unwrap().unwrap().stdout, "first\n");
        // Giving up a wait loses nothing of what is waited for.
        let waited = tokio::time::timeout(Duration::from_millis(50), cases.next()).await;
        assert!(waited.is_err(), "{waited:?}");
        if round == 0 {
            cases.stop().await.unwrap();
        }
        let mut cases = sandbox.run(vec![case("again")], &limits).await.unwrap();
        assert_eq!(cases.next().await.unwrap().unwrap().stdout, "again\n");
    }
    assert!(started.elapsed() < Duration::from_secs(55), "nobody waited for the time limit");
    sandbox.close().await;
    house.pool.settle().await;
    assert_eq!(house.pool.idle().len(), 1);
    house.close().await;
}

#[tokio::test]
async fn a_judge_that_does_not_read_for_a_while_costs_the_program_no_time() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = Limits { time_ms: 200, output_mib: 64, ..Limits::default() };
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let program = "import os\nfor _ in range(48): os.write(1, b'x' * (1 << 20))";
    build(&mut sandbox, &runner, program, &limits).await;
    let mut cases = sandbox.run(vec![CaseRun::default()], &limits).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(1), cases.next()).await;
    assert!(early.is_err(), "{early:?}");
    // Meanwhile something else takes longer than the wall time that the program has.
    let seconds = (limits.wall_ms() + 500) as f64 / 1000.0;
    let mut other = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let patient = Limits { time_ms: 60_000, ..limits };
    let wait = format!("import time\ntime.sleep({seconds})");
    let waited = run(&mut other, &runner, &wait, CaseRun::default(), &patient).await;
    assert!(waited.exited.usage.wall_us > limits.wall_ms() * 1000);
    other.close().await;
    let done = cases.next().await.unwrap().unwrap();
    assert_eq!(verdict(&done.exited, &limits, true), Verdict::Accepted, "{:?}", done.exited);
    assert_eq!(done.stdout.len(), 48 << 20);
    sandbox.close().await;
    house.close().await;
}

#[tokio::test]
async fn several_sandboxes_work_at_once() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = tight();
    let one = async |number: usize| {
        let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
        let program = format!("print({number})");
        let done = run(&mut sandbox, &runner, &program, CaseRun::default(), &limits).await;
        assert_eq!(done.stdout, format!("{number}\n"));
        sandbox.close().await;
    };
    futures::future::join_all((0..6).map(one)).await;
    house.close().await;
}
