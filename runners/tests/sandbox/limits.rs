//! Where exactly the limits are, and that being close to one is not being over it.

use codementor_protocol::{Exit, Limit, Limits, SourceFile, Verdict};
use codementor_runners::{CaseInput, CaseRun, Source};

use crate::house::{House, build, run, tight, verdict};

#[tokio::test]
async fn just_below_a_limit_is_allowed_and_just_above_is_not() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = tight();
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let program = "
import os, sys, time
what, amount = sys.argv[1], int(sys.argv[2])
if what == 'output': os.write(1, b'x' * (amount - 5)); os.write(2, b'x' * 5)
if what == 'memory':
    x = bytearray((amount << 20))
    x[::4096] = b'x' * len(x[::4096])
if what == 'time':
    while time.process_time() < amount / 1000: pass
if what == 'tmp':
    with open('/tmp/x', 'wb') as f: f.write(b'x' * amount)
";
    build(&mut sandbox, &runner, program, &limits).await;
    #[rustfmt::skip]
    let table = [
        ("output", 1 << 20,       Verdict::Accepted),
        ("output", (1 << 20) + 1, Verdict::OutputLimit),
        ("memory", 48,            Verdict::Accepted),
        ("memory", 66,            Verdict::MemoryLimit),
        ("memory", 90,            Verdict::MemoryLimit),
        ("time",   500,           Verdict::Accepted),
        ("time",   1005,          Verdict::TimeLimit),
        ("time",   1100,          Verdict::TimeLimit),
        ("tmp",    1 << 20,       Verdict::Accepted),
        // CPython ignores the signal and raises an error instead.
        ("tmp",    (1 << 20) + 1, Verdict::RuntimeError),
    ];
    let cases = table.map(|(what, amount, _)| CaseRun {
        args: vec![what.into(), amount.to_string()],
        ..CaseRun::default()
    });
    let mut cases = sandbox.run(cases.into(), &limits).await.unwrap();
    for (what, amount, expected) in table {
        let done = cases.next().await.unwrap().unwrap();
        let found = verdict(&done.exited, &limits, true);
        assert_eq!(found, expected, "{what} {amount}: {:?}", done.exited);
        if what == "output" {
            let written = done.stdout.len() as u64 + done.stderr.total;
            assert_eq!(written, 1 << 20, "all that is allowed, and no more");
        }
    }
    sandbox.close().await;
    house.close().await;
}

#[tokio::test]
async fn exit_codes_signals_and_usage_are_told_as_they_were() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = Limits { time_ms: 3000, memory_mib: 128, ..Limits::default() };
    let program = "
import os, sys, time
what, amount = sys.argv[1], int(sys.argv[2])
if what == 'exit': os._exit(amount)
if what == 'kill': os.kill(os.getpid(), amount)
if what == 'sleep': time.sleep(amount / 1000)
if what == 'child':
    if os.fork() == 0:
        x = bytearray(40 << 20); x[::4096] = b'x' * len(x[::4096])
        while time.process_time() < amount / 1000: pass
        os._exit(0)
    os.wait()
";
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    build(&mut sandbox, &runner, program, &limits).await;
    let cases = [("exit", 0), ("exit", 255), ("kill", 6), ("kill", 15), ("sleep", 300), ("child", 300)];
    let cases = cases
        .map(|(what, amount)| CaseRun { args: vec![what.into(), amount.to_string()], ..CaseRun::default() });
    let mut cases = sandbox.run(cases.into(), &limits).await.unwrap();
    let mut ends = Vec::new();
    while let Some(done) = cases.next().await.unwrap() {
        assert_eq!(done.exited.stopped_by, None);
        ends.push(done.exited);
    }
    let exits: Vec<_> = ends.iter().map(|end| end.exit).collect();
    use Exit::{Code, Signal};
    assert_eq!(exits, [Code(0), Code(255), Signal(6), Signal(15), Code(0), Code(0)]);
    let (sleep, child) = (ends[4].usage, ends[5].usage);
    assert!(sleep.wall_us >= 300_000 && sleep.cpu_us < 200_000, "{sleep:?}");
    assert!(child.cpu_us >= 300_000 && child.memory_kib >= 40 << 10, "{child:?}");
    sandbox.close().await;
    house.close().await;
}

#[tokio::test]
async fn a_program_that_cannot_be_built_says_why() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = tight();
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let mut attempt = async |name: &str, text: &str| {
        let submitted = [SourceFile { name: name.into(), text: text.into() }];
        let source = Source { language: &runner.language, submitted: &submitted, included: &[], entry: None };
        sandbox.build(&source, &limits).await.unwrap()
    };
    let broken = attempt("main.py", "def f(:\n").await;
    assert!(!broken.ok);
    assert_eq!(broken.exited.unwrap().exit, Exit::Code(1));
    let output = String::from_utf8_lossy(&broken.output.bytes).into_owned();
    assert!(output.contains("SyntaxError"), "{output}");
    let nothing = attempt("main.txt", "").await;
    assert!(!nothing.ok && nothing.exited.is_none() && !nothing.output.bytes.is_empty(), "{nothing:?}");
    // A failed build leaves the sandbox ready for the next.
    let done = run(&mut sandbox, &runner, "print(6 * 7)", CaseRun::default(), &limits).await;
    assert_eq!(done.stdout, "42\n");
    sandbox.close().await;
    house.close().await;
}

#[tokio::test]
async fn the_heap_of_a_runtime_counts_only_when_the_program_failed() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = tight();
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let survivor = "
import sys
sys.stderr.write('x' * 100000)
try: raise MemoryError
except MemoryError: print('MemoryError', file=sys.stderr)
if sys.argv[1] == 'fail': raise MemoryError
";
    build(&mut sandbox, &runner, survivor, &limits).await;
    let case = |argument: &str| CaseRun { args: vec![argument.into()], ..CaseRun::default() };
    let mut cases = sandbox.run(vec![case("live"), case("fail")], &limits).await.unwrap();
    let lived = cases.next().await.unwrap().unwrap();
    assert_eq!((lived.exited.exit, lived.exited.stopped_by), (Exit::Code(0), None));
    let failed = cases.next().await.unwrap().unwrap();
    assert_eq!(failed.exited.stopped_by, Some(Limit::Memory), "{:?}", failed.exited);
    sandbox.close().await;
    house.close().await;
}

#[tokio::test]
async fn what_is_missing_on_our_side_is_a_fault_and_never_a_verdict() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = tight();
    let absent = codementor_runners::InputName::of(b"never put there");
    for case in [
        CaseRun { stdin: CaseInput::Input(absent.clone()), ..CaseRun::default() },
        CaseRun { files: vec![("data".into(), absent.clone())], ..CaseRun::default() },
        CaseRun { files: vec![("../data".into(), house.input(b"x"))], ..CaseRun::default() },
        CaseRun { args: vec!["a\0b".into()], ..CaseRun::default() },
        CaseRun { stdin: CaseInput::Bytes(vec![0; (16 << 20) + 1].into()), ..CaseRun::default() },
    ] {
        let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
        build(&mut sandbox, &runner, "print()", &limits).await;
        let mut cases = sandbox.run(vec![case], &limits).await.unwrap();
        let fault = cases.next().await.unwrap_err();
        assert_eq!(fault.code, codementor_protocol::FaultCode::Sandbox, "{fault}");
        sandbox.close().await;
    }
    house.close().await;
}
