//! Real images on the real engine. Programs run here without the agent, as an unprivileged user in a container that
//! is locked down like a sandbox.

use std::fmt::Write as _;
use std::sync::Mutex;

use codementor_protocol::{InstanceId, SourceFile};

use super::*;
use crate::container::tests::{Ran, run_script};
use crate::language::Program;
use crate::progress::Quiet;

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

/// One program in the image of its language.
struct Workbench {
    images: Images,
    image: Image,
    program: Program,
    files: Vec<SourceFile>,
}

impl Workbench {
    async fn new(id: &str, files: Vec<SourceFile>) -> Self {
        let images = images().await;
        let languages = Languages::load(None).unwrap();
        let language = languages.by_name(id).unwrap();
        let image = images.ready(language, &say).await.unwrap();
        let program = language.program(&files, &[], None, 512).unwrap();
        Self { images, image, program, files }
    }

    /// Writes the files and executes the commands, the last one with this input.
    async fn execute(&self, commands: &[Vec<String>], input: &str) -> Ran {
        let quote = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let base64 = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
        let mut script = String::from("set -e\n");
        for file in &self.files {
            writeln!(script, "echo {} | base64 -d > {}", base64(&file.text), quote(&file.name)).unwrap();
        }
        writeln!(script, "echo {} | base64 -d > input", base64(input)).unwrap();
        let environment = self.program.environment.iter();
        let environment: Vec<String> =
            environment.map(|(name, value)| quote(&format!("{name}={value}"))).collect();
        for argv in commands {
            let argv: Vec<String> = argv.iter().map(|argument| quote(argument)).collect();
            writeln!(script, "env -i {} {} < input", environment.join(" "), argv.join(" ")).unwrap();
        }
        run_script(&self.images, &self.image, &script, "").await
    }

    /// Compiles and runs.
    async fn judge(&self, input: &str) -> (Ran, Ran) {
        let compiled = self.execute(&self.program.compile, "").await;
        let all = [&self.program.compile[..], std::slice::from_ref(&self.program.run)].concat();
        (compiled, self.execute(&all, input).await)
    }
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
        let (compiled, ran) = Workbench::new(id, vec![file]).await.judge("40 2\n").await;
        assert_eq!(
            (compiled.code, compiled.stdout.as_str(), compiled.stderr.as_str()),
            (0, "", ""),
            "{id}: {compiled:?}"
        );
        assert_eq!((ran.code, ran.stdout.trim()), (0, "42"), "{id}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn precompiled_headers_are_used_by_the_very_command_that_compiles_programs() {
    for header in ["bits/stdc++.h", "iostream"] {
        let file = source("a.cpp", &format!("#include <{header}>\nint main() {{ std::cout << 1; }}\n"));
        let bench = Workbench::new("cpp", vec![file]).await;
        let mut command = bench.program.compile[0].clone();
        // It names every header that is read, a precompiled one with an exclamation mark.
        command.push("-H".into());
        let ran = bench.execute(&[command], "").await;
        assert_eq!(ran.code, 0, "{ran:?}");
        let headers: Vec<&str> =
            ran.stderr.lines().filter(|line| line.starts_with(['!', '.', 'x'])).collect();
        assert!(headers.len() == 1 && headers[0].starts_with('!'), "{headers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn java_and_its_compiler_start_from_their_archives() {
    let file =
        source("A.java", "class A { public static void main(String[] a) { System.out.println(1); } }\n");
    let bench = Workbench::new("java", vec![file]).await;
    // These options turn an archive that does not fit, which is otherwise passed over in silence, into an error.
    let mut compile = bench.program.compile[0].clone();
    compile.insert(1, "-J-XX:AOTMode=on".into());
    let mut run = bench.program.run.clone();
    run.insert(1, "-Xshare:on".into());
    let ran = bench.execute(&[compile, run], "").await;
    assert_eq!((ran.code, ran.stdout.trim(), ran.stderr.as_str()), (0, "1", ""), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_syntax_check_accepts_what_runs_and_explains_what_does_not() {
    let accepted = [
        ("javascript", "a.js", "#!/usr/bin/env node\nreturn console.log(1);\n"),
        ("javascript", "a.mjs", "import fs from 'fs';\nconsole.log(await 1);\n"),
        ("python3", "a.py", "import b\nprint(1)\n"),
    ];
    for (id, name, text) in accepted {
        let bench = Workbench::new(id, vec![source(name, text)]).await;
        let ran = bench.execute(&bench.program.compile, "").await;
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{name}: {ran:?}");
    }
    let refused = [
        ("javascript", "a.js", "let x = = 1;\n", "SyntaxError: Unexpected token '='"),
        (
            "python3",
            "a.py",
            "x = = 1\n",
            "  File \"a.py\", line 1\n    x = = 1\n        ^\nSyntaxError: invalid syntax\n",
        ),
    ];
    for (id, name, text, words) in refused {
        let bench = Workbench::new(id, vec![source(name, text)]).await;
        let ran = bench.execute(&bench.program.compile, "").await;
        assert!(ran.code == 1 && ran.stderr.contains(words), "{name}: {ran:?}");
    }
}

/// A language of our own whose Dockerfile is `dockerfile` after the base.
fn toy(dockerfile: &str) -> (tempfile::TempDir, Languages, LanguageId) {
    let folder = tempfile::tempdir().unwrap();
    let id = LanguageId::new(format!("toy{:08x}", rand::random::<u32>())).unwrap();
    let toy = folder.path().join(id.as_str());
    std::fs::create_dir(&toy).unwrap();
    std::fs::write(toy.join("Dockerfile"), format!("FROM {BASE_IMAGE}\n{dockerfile}")).unwrap();
    let recipe = "name = 'Toy'\nversion = '1'\nextensions = ['toy']\ndiagnostics = 'gcc'\ncompile = []\nrun = ['/bin/sh', '{entry}']\n[entry]\nneeded = true\nline_comment = '#'\n";
    std::fs::write(toy.join("language.toml"), recipe).unwrap();
    let languages = Languages::load(Some(folder.path())).unwrap();
    (folder, languages, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_build_shows_the_end_of_its_log() {
    let (_folder, languages, id) =
        toy("RUN for i in $(seq 99); do echo line $i; done; echo the reason; exit 7\n");
    let error = images().await.ready(languages.by_id(&id).unwrap(), &Quiet).await.unwrap_err();
    let ImageError::Build { message, log, .. } = &error else { panic!("{error}") };
    assert!(message.contains("returned a non-zero code: 7"), "{message}");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 30, "{log}");
    assert!(
        lines.contains(&"line 99") && lines.contains(&"the reason") && !lines.contains(&"line 40"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_image_leaves_open_is_closed_to_programs() {
    let (_folder, languages, id) =
        toy("RUN mkdir -m 777 /open '/open/a b' && echo text > /open/file && chmod 666 /open/file \\\n \
         && mkdir -m 1777 /open/sticky && ln -s /open /open/link \\\n \
         && mkdir -m 700 /own && echo text > /own/file && chown -R 23456:23456 /own \\\n \
         && mkdir -m 770 /group && chown :23456 /group\n\
         USER 23456\nENTRYPOINT [\"/bin/false\"]\n");
    let images = images().await;
    let image = images.ready(languages.by_id(&id).unwrap(), &Quiet).await.unwrap();
    let script = r#"
        exec 2> /dev/null
        for place in / /open '/open/a b' /open/sticky /own /group /var/tmp /run/lock; do
            touch "$place/left" && echo "$place"
        done
        for file in /open/file /own/file; do
            echo more >> $file && echo $file
            chmod 777 $file && echo mode of $file
        done
        chmod 777 /own && echo mode of /own
        test "$(cat /open/link/file)" = text && touch /work/left /tmp/left && echo only where it should
    "#;
    let ran = run_script(&images, &image, script, "").await;
    assert_eq!(ran.stdout, "only where it should\n", "{ran:?}");
    images.prune_matching(&[], |tag| tag.contains(id.as_str())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_with_a_volume_of_its_own_is_refused() {
    let (_folder, languages, id) = toy("VOLUME /left\n");
    let images = images().await;
    let error = images.ready(languages.by_id(&id).unwrap(), &Quiet).await.unwrap_err();
    assert!(matches!(&error, ImageError::Volumes { volumes, .. } if volumes == &["/left"]), "{error}");
    images.prune_matching(&[], |tag| tag.contains(id.as_str())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_at_once_build_once_and_what_is_superseded_is_pruned() {
    let (_folder, languages, id) = toy("RUN echo built\n");
    let images = images().await;
    let language = languages.by_id(&id).unwrap();
    let built = Mutex::new(0);
    let count = |event| {
        if matches!(event, ProgressEvent::Step { ref text, .. } if text.starts_with("RUN echo")) {
            *built.lock().unwrap() += 1;
        }
    };
    let (a, b, c) = tokio::join!(
        images.ready(language, &count),
        images.ready(language, &count),
        images.ready(language, &count)
    );
    let image = a.unwrap();
    assert_eq!((&image, &image), (&b.unwrap(), &c.unwrap()));
    assert_eq!(*built.lock().unwrap(), 1);
    assert_eq!(image.usr_volume.is_some(), images.engine().info().slow_reads());
    let status = images.status(&languages).await.unwrap();
    let status = status.iter().find(|status| status.language.id() == &id).unwrap();
    assert_eq!(status.tag, image.tag);
    assert!(status.size.unwrap() > 50 << 20);

    // Only the toy is pruned: other tests, and the person at this machine, need the other languages' images.
    assert!(images.prune_matching(&[], |tag| tag.contains(id.as_str())).await.unwrap() >= 2);
    assert!(images.find(language).await.unwrap().is_none());
}

#[test]
fn languages_that_begin_alike_share_a_lock_and_the_recipe_changes_no_image() {
    let languages = Languages::load(None).unwrap();
    let language = |id: &str| languages.by_name(id).unwrap();
    assert_eq!(lock_name(language("c")), lock_name(language("cpp")));
    assert_ne!(lock_name(language("c")), lock_name(language("go")));
    let changed = |path: &str| {
        let mut folder = language("c").folder().to_vec();
        folder.iter_mut().find(|file| file.path == path).unwrap().bytes.extend_from_slice(b"\n# changed\n");
        Names::of(&Language::parse("c", folder).unwrap()).full
    };
    assert_eq!(changed("language.toml"), Names::of(language("c")).full);
    assert_ne!(changed("Dockerfile"), Names::of(language("c")).full);
}
