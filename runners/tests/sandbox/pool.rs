//! Lending, taking back, replacing.

use bollard::query_parameters::{KillContainerOptions, RemoveContainerOptionsBuilder};
use codementor_protocol::FaultCode;
use codementor_runners::CaseRun;

use crate::house::{House, Runner, build, run, tight};

async fn answers(house: &House, runner: &Runner) -> String {
    let limits = tight();
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let done = run(&mut sandbox, runner, "print(6 * 7)", CaseRun::default(), &limits).await;
    assert_eq!(done.stdout, "42\n", "{done:?}");
    let id = sandbox.container_id().to_owned();
    sandbox.close().await;
    id
}

#[tokio::test]
async fn a_container_is_used_again_and_replaced_after_its_share() {
    let house = House::keeping(4, 3).await;
    let runner = house.runner("python3").await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(answers(&house, &runner).await);
        house.pool.settle().await;
        // The replacement is made before it is needed.
        assert_eq!(house.pool.idle().len(), 1);
    }
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3] && ids[3] == ids[5], "{ids:?}");
    assert_eq!(house.containers().await.len(), 1);
    house.close().await;
}

#[tokio::test]
async fn a_container_that_died_while_it_was_idle_is_replaced_silently() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let docker = house.docker().negotiate_version().await.unwrap();
    let first = answers(&house, &runner).await;
    house.pool.settle().await;
    docker.kill_container(&first, None::<KillContainerOptions>).await.unwrap();
    let second = answers(&house, &runner).await;
    assert_ne!(first, second);
    house.pool.settle().await;
    // One that does not answer is as good as dead.
    docker.pause_container(&second).await.unwrap();
    assert_ne!(answers(&house, &runner).await, second);
    house.pool.settle().await;
    assert_eq!(house.containers().await, house.pool.idle(), "the dead ones are gone");
    house.close().await;
}

#[tokio::test]
async fn a_container_that_dies_under_a_program_is_a_fault_and_the_next_one_works() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = tight();
    let docker = house.docker().negotiate_version().await.unwrap();
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    let program = "import sys\nprint('begun', flush=True)\nwhile True: pass";
    build(&mut sandbox, &runner, program, &limits).await;
    let id = sandbox.container_id().to_owned();
    let mut cases = sandbox.run(vec![CaseRun::default(); 3], &limits).await.unwrap();
    let force = RemoveContainerOptionsBuilder::new().force(true).build();
    let (fault, removed) = tokio::join!(cases.next(), docker.remove_container(&id, Some(force)));
    removed.unwrap();
    assert_eq!(fault.unwrap_err().code, FaultCode::Sandbox);
    sandbox.close().await;
    assert_ne!(answers(&house, &runner).await, id);
    house.close().await;
}

#[tokio::test]
async fn a_sandbox_that_is_dropped_is_destroyed() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let limits = tight();
    let mut sandbox = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    build(&mut sandbox, &runner, "while True: pass", &limits).await;
    let mut cases = sandbox.run(vec![CaseRun::default()], &limits).await.unwrap();
    let waited = tokio::time::timeout(std::time::Duration::from_millis(100), cases.next()).await;
    assert!(waited.is_err(), "{waited:?}");
    drop(sandbox);
    house.pool.settle().await;
    assert_eq!(house.containers().await, Vec::<String>::new());
    house.close().await;
}

#[tokio::test]
async fn only_so_many_containers_stay_warm_and_none_outlives_the_pool() {
    let house = House::keeping(2, 200).await;
    let runner = house.runner("python3").await;
    let limits = tight();
    let mut lent = Vec::new();
    for _ in 0..3 {
        lent.push(house.pool.open(&runner.image, limits.memory_mib).await.unwrap());
    }
    assert_eq!(house.containers().await.len(), 3);
    let mut last = lent.pop().unwrap();
    for sandbox in lent {
        sandbox.close().await;
    }
    house.pool.settle().await;
    assert_eq!(house.pool.idle().len(), 2);
    build(&mut last, &runner, "print()", &limits).await;
    last.close().await;
    house.pool.settle().await;
    assert_eq!(house.pool.idle().len(), 2);
    assert_eq!(house.containers().await.len(), 2);
    // One is lent when the pool ends.
    let mut last = house.pool.open(&runner.image, limits.memory_mib).await.unwrap();
    house.pool.shutdown().await;
    assert_eq!(house.containers().await, Vec::<String>::new());
    let submitted = [crate::house::file(&runner, "print()")];
    let source = codementor_runners::Source {
        language: &runner.language,
        submitted: &submitted,
        included: &[],
        entry: None,
    };
    assert_eq!(last.build(&source, &limits).await.unwrap_err().code, FaultCode::Sandbox);
    assert!(house.pool.open(&runner.image, limits.memory_mib).await.is_err());
}

#[tokio::test]
async fn the_memory_limit_follows_the_problem() {
    let house = House::new().await;
    let runner = house.runner("python3").await;
    let program = "x = bytearray(150 << 20)\nx[::4096] = b'x' * len(x[::4096])\nprint('fits')";
    let mut ids = Vec::new();
    for (memory_mib, fits) in [(64, false), (256, true), (64, false), (256, true)] {
        let limits = codementor_protocol::Limits { memory_mib, ..tight() };
        // Asked for with another limit than it is used with: it is changed when it has to be.
        let mut sandbox = house.pool.open(&runner.image, 128).await.unwrap();
        let done = run(&mut sandbox, &runner, program, CaseRun::default(), &limits).await;
        assert_eq!(done.stdout == "fits\n", fits, "{memory_mib}: {:?}", done.exited);
        ids.push(sandbox.container_id().to_owned());
        sandbox.close().await;
        house.pool.settle().await;
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "the same container served all of them");
    house.close().await;
}
