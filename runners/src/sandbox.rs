//! A container that is lent to one submission: build the program, run the cases, give it back.
//!
//! Nothing of a student's is ever opened on this side: bytes go in and bytes come out, capped here once more.

mod cases;
mod program;

use std::sync::Arc;
use std::time::{Duration, Instant};

use codementor_agent as agent;
use codementor_agent::{CHUNK, Order, Phase, Raw, RunId, Stdin, Violation};
use codementor_protocol::{Capture, Exit, Exited, Fault, FaultCode, Limit, Limits, SourceFile, Usage};

use crate::container::ContainerControl;
use crate::engine::EngineError;
use crate::image::Image;
use crate::language::{Language, Program};
use crate::pool::{Home, Housed};
use crate::session::{Heard, Session, SessionError};

pub use cases::Cases;
pub use program::{Build, CaseDone, CaseInput, CaseRun, InputName, MAX_KEPT, Source};

/// What a container may use above the memory that a program is judged by: the agent, the program's files in tmpfs,
/// what the kernel keeps for processes and pipes. Without it a program would be killed below its limit.
const SLACK_MIB: u64 = 32;

/// Held above the judged memory by all processes together, this much is too much: half of the slack, since the kernel
/// and the agent need some of it.
const EXCESS_MIB: u64 = SLACK_MIB / 2;

/// How much of the slack is meant for the submission's folder; a larger folder is given room of its own.
const FOLDER_MIB: u64 = 8;

/// Below this even a syntax check gets the compiler's memory.
const CHECK_MIB: u64 = 64;

/// How much longer than a run may take its answer is waited for: killing and wiping take time, and a busy host more.
pub(crate) const GRACE: Duration = Duration::from_secs(30);

/// What a compiler may write before it is stopped; [`MAX_KEPT`] of it is kept.
const BUILD_OUTPUT: u64 = 8 << 20;

/// The largest file that a compiler may write.
const BUILD_FILE: u64 = 1 << 30;

/// How many processes and threads a compiler may have.
const BUILD_PROCESSES: u32 = 128;

/// A container with the agent in it. Dropping it removes the container.
pub(crate) struct Parts {
    pub(crate) session: Session,
    pub(crate) housed: Housed,
    pub(crate) image: Image,
    /// The container's present limit.
    pub(crate) memory_mib: u64,
    /// The limit that the last submission began with, which the next one will most likely want.
    pub(crate) begins_with_mib: u64,
    /// How many submissions it has served.
    pub(crate) served: u32,
    pub(crate) last_run: RunId,
}

impl Parts {
    pub(crate) fn control(&self) -> &ContainerControl {
        self.housed.control()
    }

    /// Changes the container's limit where it has to be changed: that takes the engine 9 ms.
    pub(crate) async fn resize(&mut self, memory_mib: u64) -> Result<(), EngineError> {
        if self.memory_mib != memory_mib {
            self.control().set_memory(memory_mib).await?;
            self.memory_mib = memory_mib;
        }
        Ok(())
    }
}

/// A container, lent exclusively until it is closed. Dropped instead, the container is destroyed.
pub struct Sandbox {
    parts: Parts,
    home: Home,
    /// Whether the agent was told of a submission that it has not been told the end of.
    begun: bool,
    /// Whether runs were sent whose end has not been heard.
    running: bool,
    /// Whether something went wrong that makes the container useless.
    broken: bool,
    built: Option<Built>,
}

/// A program that is ready to run.
struct Built {
    language: Arc<Language>,
    argv: Vec<String>,
    environment: Vec<String>,
}

/// A program whose files are written and that is not built yet.
struct Draft {
    language: Arc<Language>,
    program: Program,
    environment: Vec<String>,
    /// Whether it can be run without having been built, and its runtime then finds whatever building would find.
    can_go_unchecked: bool,
    /// The memory that the container has while its cases run, the folder aside.
    case_mib: u64,
    /// How long it took to get here.
    time: Duration,
}

impl Draft {
    fn built(&self) -> Built {
        Built {
            language: self.language.clone(),
            argv: self.program.run.clone(),
            environment: self.environment.clone(),
        }
    }

    /// The build of a program that needed none.
    fn unchecked(&self) -> Build {
        Build { ok: true, exited: None, output: Capture::default(), time: self.time }
    }
}

/// The memory limit of a container for programs that are judged by `memory_mib`.
pub(crate) fn container_mib(memory_mib: u64) -> u64 {
    memory_mib + SLACK_MIB
}

impl Sandbox {
    pub(crate) fn new(parts: Parts, home: Home) -> Self {
        Self { parts, home, begun: false, running: false, broken: false, built: None }
    }

    /// The engine's id of the container.
    pub fn container_id(&self) -> &str {
        self.parts.control().id()
    }

    /// Writes the program's files and builds it. What was built before is gone.
    pub async fn build(&mut self, source: &Source<'_>, limits: &Limits) -> Result<Build, Fault> {
        match self.prepare(source, limits).await? {
            Ok(draft) => self.compile(draft, limits).await,
            Err(refused) => Ok(refused),
        }
    }

    /// Builds a program and begins to run it, once for each case; there are no cases of a program that cannot be built.
    ///
    /// Where building is only a check of the one file that the program is, the first case goes first. A runtime reads
    /// the whole of that file before it does anything, so a program that ends well and has written nothing to standard
    /// error has passed the check. After any other end it is checked as before, and what came of that case counts only
    /// if the check finds nothing.
    pub async fn judge(
        &mut self,
        source: &Source<'_>,
        mut cases: Vec<CaseRun>,
        limits: &Limits,
    ) -> Result<(Build, Option<Cases<'_>>), Fault> {
        let draft = match self.prepare(source, limits).await? {
            Ok(draft) => draft,
            Err(refused) => return Ok((refused, None)),
        };
        let mut first = None;
        if draft.can_go_unchecked && !cases.is_empty() {
            let others = cases.split_off(1);
            self.built = Some(draft.built());
            first = Cases::new(self, None, cases, limits).next().await?;
            cases = others;
            if first.as_ref().is_some_and(CaseDone::is_silent_success) {
                return Ok((draft.unchecked(), Some(Cases::new(self, first, cases, limits))));
            }
            self.built = None;
        }
        let build = self.compile(draft, limits).await?;
        let cases = build.ok.then(|| Cases::new(self, first, cases, limits));
        Ok((build, cases))
    }

    /// Begins a submission and writes its files.
    async fn prepare(&mut self, source: &Source<'_>, limits: &Limits) -> Result<Result<Draft, Build>, Fault> {
        let started = Instant::now();
        self.built = None;
        let language = source.language;
        let program = language.program(source.submitted, source.included, source.entry, limits.memory_mib);
        let program = match program {
            Ok(program) => program,
            Err(error) => {
                let message = error.to_string();
                let output = Capture::new(message.as_bytes(), message.len() as u64, MAX_KEPT);
                return Ok(Err(Build { ok: false, exited: None, output, time: started.elapsed() }));
            }
        };
        let case_mib = container_mib(limits.memory_mib);
        let light = language.check_only() && limits.memory_mib >= CHECK_MIB;
        let build_mib = if program.compile.is_empty() || light {
            case_mib
        } else {
            case_mib.max(container_mib(limits.compile_memory_mib))
        };
        self.begin(build_mib).await?;

        let replaced = |file: &&SourceFile| !source.included.iter().any(|other| other.name == file.name);
        for file in source.submitted.iter().filter(replaced).chain(source.included) {
            let written = self.write_file(&file.name, file.text.as_bytes());
            self.sound(written)?;
        }
        Ok(Ok(Draft {
            language: language.clone(),
            environment: program.environment.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            can_go_unchecked: light && program.sources == 1,
            program,
            case_mib,
            time: started.elapsed(),
        }))
    }

    async fn compile(&mut self, draft: Draft, limits: &Limits) -> Result<Build, Fault> {
        let started = Instant::now();
        let mut build = Build { ok: true, exited: None, output: Capture::default(), time: Duration::ZERO };
        let mut folder_mib = 0;
        for argv in &draft.program.compile {
            let step = self.build_step(argv, &draft.environment, limits, &mut build.output).await;
            let (exited, work_kib) = self.sound(step)?;
            folder_mib = work_kib.div_ceil(1024);
            build.ok = exited.exit == Exit::Code(0) && exited.stopped_by.is_none();
            if let Some(words) = exited.stopped_by.map(|limit| stopped(limit, limits)) {
                let line = format!("\n{words}\n");
                build.output.bytes.truncate(MAX_KEPT - line.len());
                build.output.bytes.extend_from_slice(line.as_bytes());
                build.output.total += line.len() as u64;
            }
            build.exited = Some(exited);
            if !build.ok {
                break;
            }
        }
        if build.ok {
            // Without steps to wait for, nothing has been written yet; the first run takes it along.
            self.parts
                .resize(draft.case_mib + folder_mib.saturating_sub(FOLDER_MIB))
                .await
                .map_err(engine_fault)?;
            self.built = Some(draft.built());
        }
        build.time = draft.time + started.elapsed();
        Ok(build)
    }

    /// Runs the program that was built, once for each case. Several cases are sent ahead, and the agent runs one
    /// after the other.
    pub async fn run(&mut self, cases: Vec<CaseRun>, limits: &Limits) -> Result<Cases<'_>, Fault> {
        self.quiet().await?;
        if self.built.is_none() {
            return Err(Fault::new(FaultCode::Internal, "cases were to be run before a program was built"));
        }
        Ok(Cases::new(self, None, cases, limits))
    }

    /// Gives the container back. It is wiped, checked and put back, or destroyed, in the background, so that no
    /// verdict waits for it.
    pub async fn close(self) {
        let Self { parts, home, begun, broken, .. } = self;
        if !broken {
            home.take_back(parts, begun);
        }
    }

    /// Makes the container ready for a submission, with a memory limit of `memory_mib`.
    async fn begin(&mut self, memory_mib: u64) -> Result<(), Fault> {
        self.quiet().await?;
        if self.begun {
            let finished = self.parts.session.finish(GRACE).await;
            self.sound(finished)?;
            self.begun = false;
        }
        if let Err(error) = self.parts.resize(memory_mib).await {
            // Under cgroup v1 a limit cannot be lowered below what the kernel still counts, for whatever reason.
            tracing::debug!(container = self.container_id(), %error, "the memory limit was refused; taking a new container");
            self.parts = self.home.create(&self.parts.image, memory_mib).await?;
        }
        self.parts.begins_with_mib = memory_mib;
        let (build_uid, run_uid) = self.home.users();
        let sent = self.parts.session.send(&Order::Begin { build_uid, run_uid });
        self.sound(sent)?;
        self.begun = true;
        Ok(())
    }

    /// Stops runs that nobody waits for any more.
    async fn quiet(&mut self) -> Result<(), Fault> {
        if self.running {
            let last = self.parts.last_run;
            let cancelled = self.parts.session.cancel(last, GRACE).await;
            self.sound(cancelled)?;
            self.running = false;
        }
        Ok(())
    }

    fn write_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), SessionError> {
        let path = Raw(name.as_bytes());
        let mut order = |bytes, append| {
            let order = Order::WriteFile { path, bytes: Raw(bytes), append, executable: false };
            self.parts.session.send(&order)
        };
        let (first, rest) = bytes.split_at(bytes.len().min(CHUNK));
        order(first, false)?;
        rest.chunks(CHUNK).try_for_each(|chunk| order(chunk, true))
    }

    async fn build_step(
        &mut self,
        argv: &[String],
        environment: &[String],
        limits: &Limits,
        output: &mut Capture,
    ) -> Result<(Exited, u64), SessionError> {
        let run_limits = agent::Limits {
            cpu_us: limits.compile_time_ms * 1000,
            wall_us: (limits.compile_time_ms * 2 + 1000) * 1000,
            memory_kib: (limits.compile_memory_mib + EXCESS_MIB) * 1024,
            full_kib: 0,
            output_bytes: BUILD_OUTPUT,
            file_bytes: BUILD_FILE,
            processes: BUILD_PROCESSES,
        };
        let patience = Duration::from_micros(run_limits.wall_us) + GRACE;
        let id = self.order_run(Phase::Build, argv, &[], environment, Stdin::Null, &[], run_limits)?;
        self.parts.session.flush().await?;
        loop {
            match self.parts.session.next(patience).await? {
                Heard::Output { id: of, bytes, .. } if of == id => {
                    let room = MAX_KEPT - output.bytes.len().min(MAX_KEPT);
                    output.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
                    output.total += bytes.len() as u64;
                    if output.total > 64 * BUILD_OUTPUT {
                        return Err(SessionError::Unexpected("more than a compiler may".into()));
                    }
                }
                Heard::Exited { id: of, exit, usage, violation, work_kib } if of == id => {
                    self.running = false;
                    return Ok((exited(exit, usage, violation), work_kib));
                }
                Heard::Failed { message } => return Err(SessionError::Failed(message)),
                other => return Err(SessionError::Unexpected(format!("{other:.60?}"))),
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "these are the fields of one frame, borrowed from two callers"
    )]
    fn order_run(
        &mut self,
        phase: Phase,
        argv: &[String],
        more: &[String],
        environment: &[String],
        stdin: Stdin<'_>,
        files: &[(String, InputName)],
        limits: agent::Limits,
    ) -> Result<RunId, SessionError> {
        let id = self.parts.last_run + 1;
        self.parts.session.send(&Order::Run(agent::Run {
            id,
            phase,
            argv: argv.iter().chain(more).map(|text| raw(text)).collect(),
            env: environment.iter().map(|text| raw(text)).collect(),
            stdin,
            files: files.iter().map(|(name, input)| (raw(name), raw(input.as_str()))).collect(),
            limits,
        }))?;
        self.parts.last_run = id;
        self.running = true;
        Ok(id)
    }

    /// Remembers that the container cannot be used any more when `result` says so.
    fn sound<T>(&mut self, result: Result<T, SessionError>) -> Result<T, Fault> {
        result.map_err(|error| {
            self.broken = true;
            error.into()
        })
    }
}

/// Why a compiler was stopped, which it could not say itself.
fn stopped(limit: Limit, limits: &Limits) -> String {
    match limit {
        Limit::Memory => {
            format!("compiling was stopped: it took more than {} MiB of memory", limits.compile_memory_mib)
        }
        Limit::CpuTime | Limit::WallTime => {
            format!("compiling was stopped: it took longer than {} s", limits.compile_time_ms / 1000)
        }
        Limit::Output => "compiling was stopped: the compiler wrote too much".into(),
    }
}

fn raw(text: &str) -> Raw<'_> {
    Raw(text.as_bytes())
}

fn engine_fault(error: EngineError) -> Fault {
    Fault::new(FaultCode::Engine, error)
}

fn exited(exit: agent::Exit, usage: agent::Usage, violation: Option<Violation>) -> Exited {
    Exited {
        exit: match exit {
            agent::Exit::Code(code) => Exit::Code(code),
            agent::Exit::Signal(signal) => Exit::Signal(signal),
        },
        usage: Usage { cpu_us: usage.cpu_us, wall_us: usage.wall_us, memory_kib: usage.memory_kib },
        stopped_by: violation.map(|violation| match violation {
            Violation::CpuTime => Limit::CpuTime,
            Violation::WallTime => Limit::WallTime,
            Violation::Memory => Limit::Memory,
            Violation::Output => Limit::Output,
        }),
    }
}
