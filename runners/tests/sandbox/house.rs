//! What every test here stands on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use codementor_protocol::{
    Comparison, Exited, InstanceId, LanguageId, Limits, SourceFile, Verdict, classify,
};
use codementor_runners::{
    Build, CaseDone, CaseRun, Engine, Image, Images, InputName, Language, Languages, Pool, PoolConfig, Quiet,
    Sandbox, Source,
};

/// The beginning of the instance of every test; the number of its process follows.
const PREFIX: &str = "sandboxtest";

/// A pool of its own for one test, with a folder of inputs.
pub(crate) struct House {
    pub(crate) pool: Pool,
    engine: Engine,
    instance: InstanceId,
    languages: Languages,
    images: Images,
    inputs: tempfile::TempDir,
}

/// A language with its image.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(crate) language: Arc<Language>,
    pub(crate) image: Image,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::keeping(4, 200).await
    }

    /// Keeps `warm` idle containers, each for `serves` submissions.
    pub(crate) async fn keeping(warm: usize, serves: u32) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let engine = Engine::connect(None).await.unwrap();
        remove_containers_of_dead_tests(&engine).await;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let instance = InstanceId::new(format!("{PREFIX}{}x{count}", std::process::id())).unwrap();
        let inputs = tempfile::tempdir().unwrap();
        let config = PoolConfig {
            instance: instance.clone(),
            lock: None,
            warm,
            inputs: Some(inputs.path().to_owned()),
        };
        Self {
            pool: Pool::serving(engine.clone(), config, serves),
            images: Images::new(engine.clone(), Images::default_locks()),
            languages: Languages::load(None).unwrap(),
            engine,
            instance,
            inputs,
        }
    }

    pub(crate) async fn runner(&self, id: &str) -> Runner {
        let language = self.languages.by_id(&LanguageId::new(id).unwrap()).unwrap().clone();
        let image = self.images.ready(&language, &Quiet).await.unwrap();
        Runner { language, image }
    }

    pub(crate) fn keeps_root_writable(&self) -> bool {
        self.engine.info().keeps_root_writable()
    }

    /// Puts a file among the inputs.
    pub(crate) fn input(&self, content: &[u8]) -> InputName {
        let name = InputName::of(content);
        std::fs::write(self.inputs.path().join(name.as_str()), content).unwrap();
        name
    }

    /// The engine itself, to do to containers what nobody should.
    pub(crate) fn docker(&self) -> bollard::Docker {
        let host = &self.engine.info().host;
        bollard::Docker::connect_with_socket(host, 60, bollard::API_DEFAULT_VERSION).unwrap()
    }

    /// The ids of all containers of this house, running or not.
    pub(crate) async fn containers(&self) -> Vec<String> {
        let label = format!("codementor.instance={}", self.instance);
        let filters = std::collections::HashMap::from([("label", vec![label])]);
        let options = bollard::query_parameters::ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let docker = self.docker().negotiate_version().await.unwrap();
        let list = docker.list_containers(Some(options)).await.unwrap();
        list.into_iter().filter_map(|container| container.id).collect()
    }

    pub(crate) async fn close(self) {
        self.pool.shutdown().await;
    }
}

async fn remove_containers_of_dead_tests(engine: &Engine) {
    let lives = |instance: &str, _: Option<&Path>| match instance
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('x'))
    {
        Some((pid, _)) => Path::new("/proc").join(pid).exists(),
        None => true,
    };
    codementor_runners::container::remove_strays(engine, lives).await.unwrap();
}

/// Limits for programs that are expected to break one.
pub(crate) fn tight() -> Limits {
    Limits { time_ms: 1000, memory_mib: 64, output_mib: 1, ..Limits::default() }
}

/// One file named for its language.
pub(crate) fn file(runner: &Runner, text: &str) -> SourceFile {
    let extension = &runner.language.extensions()[0];
    SourceFile { name: format!("main.{extension}"), text: text.into() }
}

pub(crate) async fn build(sandbox: &mut Sandbox, runner: &Runner, text: &str, limits: &Limits) -> Build {
    let submitted = [file(runner, text)];
    let source = Source { language: &runner.language, submitted: &submitted, included: &[], entry: None };
    let build = sandbox.build(&source, limits).await.unwrap();
    assert!(build.ok, "{:?} {}", build.exited, String::from_utf8_lossy(&build.output.bytes));
    build
}

/// Builds a program and runs it once.
pub(crate) async fn run(
    sandbox: &mut Sandbox,
    runner: &Runner,
    text: &str,
    case: CaseRun,
    limits: &Limits,
) -> CaseDone {
    build(sandbox, runner, text, limits).await;
    let mut cases = sandbox.run(vec![case], limits).await.unwrap();
    let done = cases.next().await.unwrap().expect("one case");
    assert!(cases.next().await.unwrap().is_none());
    done
}

pub(crate) fn verdict(exited: &Exited, limits: &Limits, right: bool) -> Verdict {
    classify(exited, limits, if right { Comparison::Same } else { Comparison::Different })
}
