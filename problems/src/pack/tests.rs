//! Packing: one content, one hash; generated cases; what is left out.

use std::cell::RefCell;

use super::*;
use crate::testing::Sketch;

/// Plays the sandbox: the "generator" prints its arguments, the "solution" its input in reverse.
#[derive(Default)]
struct Fake {
    ran: RefCell<Vec<Program>>,
    fails: bool,
}

impl Generate for Fake {
    fn run(&mut self, program: &Program, args: &[String], stdin: &[u8]) -> Result<Vec<u8>, GenerateError> {
        self.ran.borrow_mut().push(program.clone());
        if self.fails {
            return Err(GenerateError::Program("it ended with exit code 1".into()));
        }
        let printed = if stdin.is_empty() {
            args.join(" ").into_bytes()
        } else {
            stdin.iter().rev().copied().collect()
        };
        Ok(printed)
    }
}

fn pack_folder(sketch: &Sketch) -> Packed {
    let (_temporary, path) = sketch.folder();
    pack(&path, &mut Fake::default()).unwrap()
}

fn with_recipe() -> Sketch {
    Sketch::legacy().with("generators/n.py", "print('{{n}}')").with(
        "codementor.toml",
        "[[generate]]\ncase = \"secret/big\"\ngenerator = \"generators/n.py\"\nargs = [\"1\", \"2\"]\n\
         solution = \"submissions/accepted/sum.py\"\n",
    )
}

#[test]
fn a_packed_package_opens_as_what_it_was() {
    let sketch = Sketch::current()
        .with("data/secret/2.files/a.txt", "a")
        .with("data/secret/2.in", "")
        .with("data/secret/2.ans", "");
    let packed = pack_folder(&sketch);
    let opened = read::open_bytes(&packed.package.slug, packed.bytes).unwrap();
    assert_eq!(opened.package, packed.package);
    assert_eq!(opened.files.content_hash().unwrap(), packed.hash);
    assert_eq!(opened.files.read("data/secret/1.in").unwrap(), b"3 4\n");
    assert!(packed.warnings.is_empty());
}

#[test]
fn packing_is_the_same_each_time_and_from_each_form() {
    let sketch = Sketch::legacy();
    let first = pack_folder(&sketch);
    let second = pack_folder(&sketch);
    assert_eq!((&first.hash, &first.bytes), (&second.hash, &second.bytes));
    let temporary = tempfile::tempdir().unwrap();
    for (name, bytes) in
        [("a.zip", sketch.zip("")), ("b.kpp", sketch.zip("sum/")), ("c.zip", first.bytes.clone())]
    {
        let path = temporary.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let again = pack(&path, &mut Fake::default()).unwrap();
        assert_eq!((&again.hash, &again.bytes), (&first.hash, &first.bytes), "{name}");
        assert_eq!(source_hash(&path).unwrap(), first.hash);
    }
}

#[test]
fn the_hash_is_of_names_and_contents() {
    let base = pack_folder(&Sketch::legacy()).hash;
    assert_eq!(base.len(), 64);
    let (_temporary, renamed) = Sketch::legacy().folder_called("other");
    assert_eq!(pack(&renamed, &mut Fake::default()).unwrap().hash, base);
    for other in [
        Sketch::legacy().with("data/secret/1.in", "3  4\n"),
        Sketch::legacy().with("attachments/x", ""),
        Sketch::legacy().without("input_validators"),
    ] {
        assert_ne!(pack_folder(&other).hash, base);
    }
}

#[test]
fn what_is_no_part_of_the_format_is_left_out() {
    let sketch = Sketch::legacy()
        .with(".git/config", "")
        .with("README.md", "")
        .with("data/secret/1.in~", "")
        .with("data/secret/.1.in.swp", "")
        .with("submissions/accepted/__pycache__/x.pyc", "")
        .with("build/out", "");
    let packed = pack_folder(&sketch);
    assert_eq!(packed.hash, pack_folder(&Sketch::legacy()).hash);
    let opened = read::open_bytes("sum", packed.bytes).unwrap();
    let names: Vec<_> = opened.files.iter().map(|file| file.name).collect();
    assert_eq!(names, Sketch::legacy().0.into_keys().collect::<Vec<_>>());
}

#[test]
fn a_link_is_packed_as_what_it_leads_to() {
    let (_temporary, path) = Sketch::legacy().folder();
    std::os::unix::fs::symlink("1.in", path.join("data/secret/2.in")).unwrap();
    std::os::unix::fs::symlink("1.ans", path.join("data/secret/2.ans")).unwrap();
    let copied = Sketch::legacy().with("data/secret/2.in", "3 4\n").with("data/secret/2.ans", "7\n");
    assert_eq!(pack(&path, &mut Fake::default()).unwrap().hash, pack_folder(&copied).hash);
}

#[test]
fn cases_are_generated_when_the_package_is_built_and_only_then() {
    let (_temporary, path) = with_recipe().folder();
    let packed = pack(&path, &mut Fake::default()).unwrap();
    let opened = read::open_bytes("sum", packed.bytes.clone()).unwrap();
    assert_eq!(opened.files.read("data/secret/big.in").unwrap(), b"1 2");
    assert_eq!(opened.files.read("data/secret/big.ans").unwrap(), b"2 1");
    assert_eq!((packed.package.cases.len(), packed.package.generate.len(), packed.warnings.len()), (3, 0, 0));
    assert_ne!(source_hash(&path).unwrap(), packed.hash);
    assert!(!path.join("data/secret/big.in").exists(), "the author's folder is left as it is");

    let zip = path.with_extension("zip");
    std::fs::write(&zip, &packed.bytes).unwrap();
    let mut fake = Fake::default();
    assert_eq!(pack(&zip, &mut fake).unwrap().hash, packed.hash);
    assert!(fake.ran.borrow().is_empty(), "a built package generates nothing");
}

#[test]
fn programs_come_with_their_files_and_solutions_with_what_is_included() {
    let sketch = with_recipe()
        .yaml("constants: {n: 5}")
        .with("submissions/accepted/sum.py", "{{n}}")
        .with("include/python3/__main__.py", "main {{n}}")
        .with("include/default/notes.txt", "");
    let (_temporary, path) = sketch.folder();
    let mut fake = Fake::default();
    pack(&path, &mut fake).unwrap();
    let ran = fake.ran.borrow();
    let [generator, solution] = &ran[..] else { panic!("{ran:?}") };
    let file = |path: &str, content: &str| ProgramFile { path: path.into(), content: content.into() };
    assert_eq!(
        (generator.name.as_str(), &generator.files[..]),
        ("generators/n.py", &[file("n.py", "print('{{n}}')")][..])
    );
    assert!(generator.include.is_empty());
    assert_eq!(solution.files_in("python3"), [&file("sum.py", "5"), &file("__main__.py", "main 5")]);
    assert_eq!(solution.files_in("cpp"), [&file("sum.py", "5"), &file("notes.txt", "")]);
}

#[test]
fn an_included_file_replaces_one_of_the_same_name() {
    let program = Program {
        name: "x".into(),
        files: vec![ProgramFile { path: "main.py".into(), content: b"theirs".into() }],
        include: [(
            "default".to_owned(),
            vec![ProgramFile { path: "main.py".into(), content: b"ours".into() }],
        )]
        .into(),
    };
    assert_eq!(program.files_in("python3")[0].content, b"ours");
    assert_eq!(program.files_in("python3").len(), 1);
}

#[test]
fn a_generator_that_fails_is_named() {
    let (_temporary, path) = with_recipe().folder();
    let error = pack(&path, &mut Fake { fails: true, ..Fake::default() }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "case 'secret/big' was not generated: generators/n.py: it ended with exit code 1"
    );
}

#[test]
fn a_package_that_cannot_be_judged_is_not_packed() {
    let (_temporary, path) = Sketch::legacy().without("data").folder();
    let error = pack(&path, &mut Fake::default()).unwrap_err();
    assert!(error.to_string().starts_with("the package: has no tests"), "{error}");
}
