use codementor_protocol::Exit;

use super::*;

fn languages() -> Languages {
    Languages::load(None).unwrap()
}

fn files(list: &[(&str, &str)]) -> Vec<SourceFile> {
    list.iter().map(|(name, text)| SourceFile { name: (*name).into(), text: (*text).into() }).collect()
}

fn entry(language: &str, submitted: &[(&str, &str)], included: &[(&str, &str)]) -> Result<Entry, EntryError> {
    let languages = languages();
    let language = languages.by_name(language).unwrap();
    language.program(&files(submitted), &files(included), None, 256).map(|program| program.entry)
}

fn class(text: &str) -> String {
    entry("java", &[("Solution.java", text)], &[]).unwrap().class.unwrap()
}

#[test]
fn every_embedded_language_can_be_loaded() {
    let ids: Vec<String> = languages().iter().map(|language| language.id().to_string()).collect();
    assert_eq!(ids, ["c", "cpp", "go", "java", "javascript", "python3", "rust"]);
}

#[test]
fn names_that_people_use_lead_to_a_language() {
    let languages = languages();
    for (name, id) in [
        ("cpp", "cpp"),
        ("C++", "cpp"),
        ("py", "python3"),
        ("Python", "python3"),
        ("js", "javascript"),
        ("rs", "rust"),
        ("golang", "go"),
    ] {
        assert_eq!(languages.by_name(name).unwrap().id().as_str(), id, "{name}");
    }
}

#[test]
fn an_unknown_language_is_answered_with_near_ones() {
    let error = languages().by_name("pyhton3").unwrap_err();
    assert!(error.to_string().contains("did you mean python3?"), "{error}");
    let error = languages().by_name("brainf").unwrap_err();
    assert!(error.to_string().starts_with("unknown language 'brainf'; there are c, cpp"), "{error}");
}

#[test]
fn the_language_comes_from_the_files() {
    let languages = languages();
    let id = |files: &[&str], named| languages.detect(files, named).map(|language| language.id().to_string());
    assert_eq!(id(&["a.cpp", "a.h"], None).as_deref(), Ok("cpp"));
    assert_eq!(id(&["a.c", "a.h"], None).as_deref(), Ok("c"));
    assert_eq!(id(&["A.PY"], None).as_deref(), Ok("python3"));
    assert_eq!(id(&["a.h", "a.cpp"], Some("cpp")).as_deref(), Ok("cpp"));
    assert!(matches!(id(&["a.py", "b.java"], None), Err(DetectError::Two { .. })));
    assert!(matches!(id(&["a.txt"], None), Err(DetectError::Extension { .. })));
    assert!(matches!(id(&["a.py", "b.h"], None), Err(DetectError::Extension { .. })));
    assert!(matches!(id(&[".py"], None), Err(DetectError::Extension { .. })));
    assert!(matches!(id(&["a.py"], Some("java")), Err(DetectError::Foreign { .. })));
    assert!(matches!(id(&["a.h"], None), Err(DetectError::NoSource)));
    assert!(matches!(id(&[], None), Err(DetectError::NoSource)));
}

#[test]
fn the_entry_is_the_driver_the_only_file_main_or_the_one_with_a_main_function() {
    let file = |result: Result<Entry, EntryError>| result.map(|entry| entry.file);
    assert_eq!(file(entry("py", &[("a.py", "")], &[])).as_deref(), Ok("a.py"));
    assert_eq!(file(entry("py", &[("a.py", ""), ("main.py", "")], &[])).as_deref(), Ok("main.py"));
    let guarded = "def main(): pass\nif __name__ == '__main__':\n    main()\n";
    assert_eq!(file(entry("py", &[("a.py", ""), ("b.py", guarded)], &[])).as_deref(), Ok("b.py"));
    let commented = "# if __name__ == '__main__':\n'''\nif __name__ == 1\n'''";
    let error = file(entry("py", &[("a.py", ""), ("b.py", commented)], &[])).unwrap_err();
    assert!(error.to_string().contains("a.py, b.py. Name one of them main.py"), "{error}");
    let driver = [("__main__.py", "import a"), ("tools.py", "")];
    assert_eq!(file(entry("py", &[("a.py", ""), ("main.py", "")], &driver)).as_deref(), Ok("__main__.py"));
    assert_eq!(file(entry("py", &[("a.py", "")], &[("tools.py", guarded)])).as_deref(), Ok("a.py"));
    assert_eq!(
        file(entry("rust", &[("a.rs", "fn main () {}"), ("b.rs", "// fn main()")], &[])).as_deref(),
        Ok("a.rs")
    );
    assert!(entry("cpp", &[("a.cpp", ""), ("b.cpp", "")], &[]).is_ok(), "everything is linked together");
}

#[test]
fn a_named_entry_must_have_been_submitted() {
    let languages = languages();
    let python = languages.by_name("python3").unwrap();
    let submitted = files(&[("a.py", ""), ("b.py", "")]);
    assert_eq!(python.program(&submitted, &[], Some("b.py"), 64).unwrap().entry.file, "b.py");
    assert!(matches!(
        python.program(&submitted, &[], Some("c.py"), 64),
        Err(EntryError::NotSubmitted { .. })
    ));
}

#[test]
fn a_java_program_starts_from_the_outermost_class_around_main() {
    assert_eq!(class("public class A { public static void main(String[] a) {} }"), "A");
    assert_eq!(
        class(
            "class Helper { int x = 1; }\nclass B { static class C {} public static void main(String... a) {} }"
        ),
        "B"
    );
    assert_eq!(class("class A {}\nrecord P(int x) { static void main(String[] a) {} }"), "P");
    assert_eq!(class("package a.b;\ninterface I { static void main(String[] a) {} }"), "a.b.I");
    assert_eq!(
        class("/* class X { void main() */ class A { String s = \"class Y { void main(\"; void main() {} }"),
        "A"
    );
    assert_eq!(
        class("class A { char c = '{'; String t = \"\"\"\n }}} \"\"\"; } class B { void main() {} }"),
        "B"
    );
    assert_eq!(class("void main() { IO.println(1); }"), "Solution");
    assert_eq!(class("class A {}"), "Solution");
    assert_eq!(class("enum E { X; public static void main(String[] 인수) {} }"), "E");
}

#[test]
fn placeholders_are_filled_and_names_are_no_options() {
    let languages = languages();
    let java = languages.by_name("java").unwrap();
    let program = java.program(&files(&[("-A.java", "class A { void main() {} }")]), &[], None, 264).unwrap();
    assert_eq!(program.compile[0].last().unwrap(), "./-A.java");
    assert!(program.run.contains(&"-Xmx190m".to_owned()), "{:?}", program.run);
    assert_eq!(program.run.last().unwrap(), "A");
    let go = languages.by_name("go").unwrap();
    let program = go
        .program(&files(&[("a.go", ""), ("b.go", "")]), &files(&[("b.go", ""), ("c.go", "")]), None, 108)
        .unwrap();
    assert_eq!(program.compile[0][program.compile[0].len() - 3..], ["a.go", "b.go", "c.go"]);
    assert!(
        program.environment.contains(&("GOMEMLIMIT".into(), "95MiB".into())),
        "{:?}",
        program.environment
    );
}

#[test]
fn exhausted_memory_is_recognised_by_language() {
    let languages = languages();
    let exhausted = |id: &str, exit, stderr: &str| {
        languages.by_name(id).unwrap().memory_exhausted(exit, stderr.as_bytes())
    };
    assert!(exhausted(
        "java",
        Exit::Code(3),
        "Terminating due to java.lang.OutOfMemoryError: Java heap space"
    ));
    assert!(exhausted("python3", Exit::Code(1), "Traceback …\nMemoryError\n"));
    assert!(exhausted("rust", Exit::Signal(6), "memory allocation of 99 bytes failed"));
    assert!(!exhausted("python3", Exit::Code(0), "MemoryError"));
    assert!(!exhausted("python3", Exit::Code(1), "ValueError"));
    assert!(!exhausted("c", Exit::Signal(11), ""));
}

#[test]
fn a_directory_can_add_and_replace_languages() {
    let dir = tempfile::tempdir().unwrap();
    let bash = dir.path().join("bash");
    std::fs::create_dir_all(bash.join("lib")).unwrap();
    std::fs::write(bash.join("Dockerfile"), "FROM debian:trixie-slim\n").unwrap();
    std::fs::write(bash.join("lib/x"), "x").unwrap();
    let recipe = "name = 'Bash'\nversion = '5'\nextensions = ['sh']\ndiagnostics = 'gcc'\ncompile = []\nrun = ['/bin/bash', '{entry}']\n[entry]\nneeded = true\nline_comment = '#'\n";
    std::fs::write(bash.join("language.toml"), recipe).unwrap();
    let languages = Languages::load(Some(dir.path())).unwrap();
    let found = languages.by_extension("sh").unwrap();
    assert_eq!(
        found.folder().iter().map(|file| file.path.as_str()).collect::<Vec<_>>(),
        ["Dockerfile", "language.toml", "lib/x"]
    );
    for (broken, reason) in [
        (recipe.replace("/bin/bash", "bash"), "must begin with a program's path"),
        (recipe.replace("{entry}", "{file}"), "placeholder that does not exist"),
        (recipe.replace("needed", "kneaded"), "unknown field"),
    ] {
        std::fs::write(bash.join("language.toml"), broken).unwrap();
        let error = Languages::load(Some(dir.path())).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    std::fs::remove_file(bash.join("Dockerfile")).unwrap();
    assert!(matches!(Languages::load(Some(dir.path())), Err(LoadError::Incomplete { .. })));
}
