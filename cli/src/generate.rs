//! Runs the programs of a package that make its cases: a package may come from a stranger, so they run in a container
//! like any student's program.

use std::collections::HashMap;
use std::path::PathBuf;

use codementor_problems::pack::{Generate, GenerateError, Program};
use codementor_protocol::{Exit, Fault, InstanceId, Limits, SourceFile};
use codementor_runners::{
    CaseInput, CaseRun, Engine, Images, Language, Languages, Pool, PoolConfig, Sandbox, Source,
};
use codementord::settings::Settings;
use rand::TryRngCore;
use tokio::runtime::Handle;

use crate::commands::View;
use crate::progress::Progress;
use crate::render::words;
use crate::sanitize;

/// What one run of such a program may use. Its author waits for it, and nobody else does.
const LIMITS: Limits = Limits {
    time_ms: 60_000,
    memory_mib: 1024,
    output_mib: 256,
    compile_time_ms: 60_000,
    compile_memory_mib: 2048,
};
/// The largest standard input that the runners take without a file.
const MAX_INPUT: usize = 16 << 20;
/// How much of a failed program's standard error is told.
const MAX_TOLD: usize = 2000;

/// Containers for the programs of one package, made when the first of them is needed.
pub struct Workshop {
    settings: Settings,
    languages: Languages,
    redraws: bool,
    runtime: Handle,
    means: Option<Means>,
    /// The programs that are ready to run, by their names.
    ready: HashMap<String, Sandbox>,
}

struct Means {
    images: Images,
    pool: Pool,
    /// Held for as long as the containers may live: by it others tell that they are not strays.
    lock: std::fs::File,
    lock_path: PathBuf,
}

impl Workshop {
    /// A workshop without containers. Its programs are run from a thread that may wait, on `runtime`.
    pub fn new(settings: Settings, languages: Languages, redraws: bool, runtime: Handle) -> Self {
        Self { settings, languages, redraws, runtime, means: None, ready: HashMap::new() }
    }

    /// Removes the containers.
    pub fn close(&mut self) {
        self.ready.clear();
        if let Some(means) = self.means.take() {
            self.runtime.block_on(means.pool.shutdown());
            // While the lock is held, nobody else uses the path; that it stays would be harmless.
            let _ = std::fs::remove_file(&means.lock_path);
            drop(means.lock);
        }
    }

    fn make(&mut self, program: &Program) -> Result<Sandbox, GenerateError> {
        let names: Vec<&str> = program.files.iter().map(|file| file.path.as_str()).collect();
        let language =
            self.languages.detect(&names, None).map_err(|error| author(error.to_string()))?.clone();
        let files: Vec<SourceFile> = program
            .files_in(language.id().as_str())
            .into_iter()
            .map(|file| {
                if file.path.contains('/') {
                    return Err(author(t!(
                        "{path} lies in a sub-folder; put all files beside each other",
                        path = file.path
                    )));
                }
                let text = String::from_utf8(file.content.clone())
                    .map_err(|_| author(t!("{path} is not UTF-8", path = file.path)))?;
                Ok(SourceFile { name: file.path.clone(), text })
            })
            .collect::<Result<_, _>>()?;
        let runtime = self.runtime.clone();
        runtime.block_on(async {
            let mut sandbox = self.open(&language).await?;
            let source = Source { language: &language, submitted: &files, included: &[], entry: None };
            let build = sandbox.build(&source, &LIMITS).await.map_err(ours)?;
            match build.ok {
                true => Ok(sandbox),
                false => Err(author(t!(
                    "it does not compile:\n{bytes}",
                    bytes = sanitize::bytes(&build.output.bytes)
                ))),
            }
        })
    }

    async fn open(&mut self, language: &Language) -> Result<Sandbox, GenerateError> {
        let means = match self.means.take() {
            Some(means) => means,
            None => self.bring_up().await?,
        };
        let means = self.means.insert(means);
        let progress = Progress::new(self.redraws);
        let view = View::new(&progress);
        let image = means.images.ready(language, &|event| view.show(event)).await.map_err(ours)?;
        means.pool.open(&image, LIMITS.memory_mib).await.map_err(ours)
    }

    async fn bring_up(&self) -> Result<Means, GenerateError> {
        let mut random = [0; 8];
        rand::rngs::OsRng.try_fill_bytes(&mut random).map_err(ours)?;
        let instance = InstanceId::new(data_encoding::HEXLOWER.encode(&random)).map_err(ours)?;
        let folder = self.settings.paths.cache.join("generating");
        std::fs::create_dir_all(&folder).map_err(ours)?;
        let lock_path = folder.join(format!("{instance}.lock"));
        let lock = std::fs::File::create(&lock_path).map_err(ours)?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(ours)?;
        let engine = Engine::connect(self.settings.docker_host.as_deref()).await.map_err(ours)?;
        let config = PoolConfig { instance, lock: Some(lock_path.clone()), warm: 0, inputs: None };
        let pool = Pool::new(engine.clone(), config);
        Ok(Means { images: Images::new(engine, Images::default_locks()), pool, lock, lock_path })
    }
}

impl Generate for Workshop {
    fn run(&mut self, program: &Program, args: &[String], stdin: &[u8]) -> Result<Vec<u8>, GenerateError> {
        if stdin.len() > MAX_INPUT {
            let limit = words::size(MAX_INPUT as u64);
            return Err(author(t!(
                "its input is larger than {limit}; add the answer to the package instead",
                limit
            )));
        }
        if !self.ready.contains_key(&program.name) {
            let sandbox = self.make(program)?;
            self.ready.insert(program.name.clone(), sandbox);
        }
        // Inserted just above where it was not there.
        let Some(sandbox) = self.ready.get_mut(&program.name) else {
            return Err(author(t!("it is gone").into()));
        };
        let case = CaseRun {
            stdin: CaseInput::Bytes(stdin.to_vec().into()),
            args: args.to_vec(),
            files: Vec::new(),
        };
        let done = self.runtime.block_on(async {
            let mut cases = sandbox.run(vec![case], &LIMITS).await?;
            cases.next().await
        });
        let Some(done) = done.map_err(ours)? else {
            return Err(ours(Fault::new(
                codementor_protocol::FaultCode::Internal,
                t!("the run was never told to end"),
            )));
        };
        match (done.exited.stopped_by, done.exited.exit) {
            (None, Exit::Code(0)) => Ok(done.stdout.to_vec()),
            (Some(limit), _) => {
                Err(author(t!("it went over a limit ({limit})", limit = format_args!("{:?}", limit))))
            }
            (None, exit) => {
                let told = &done.stderr.bytes[..done.stderr.bytes.len().min(MAX_TOLD)];
                Err(author(t!(
                    "it ended with {exit}\n{told}",
                    exit = format_args!("{:?}", exit),
                    told = sanitize::bytes(told)
                )))
            }
        }
    }
}

/// Dropped without being closed, as when the command is interrupted between two steps.
impl Drop for Workshop {
    fn drop(&mut self) {
        if self.means.is_some() {
            self.close();
        }
    }
}

fn author(message: String) -> GenerateError {
    GenerateError::Program(message)
}

fn ours(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> GenerateError {
    GenerateError::Fault(error.into())
}
