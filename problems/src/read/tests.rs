//! Reading whole packages: what each part of the format means, what is only odd, and what cannot be judged.

use super::*;
use crate::compare::Flags;
use crate::package::{Format, Markup, Visibility};
use crate::testing::Sketch;

mod programs;

fn read_folder(sketch: &Sketch) -> Result<(Package, Vec<Warning>), Vec<Defect>> {
    let (_temporary, path) = sketch.folder();
    read(&path)
}

/// Reads a package that must be judged, and gives its warnings as texts.
fn warnings(sketch: &Sketch) -> Vec<String> {
    read_folder(sketch)
        .unwrap_or_else(|defects| panic!("{defects:?}"))
        .1
        .iter()
        .map(Warning::to_string)
        .collect()
}

fn sound(sketch: &Sketch) -> Package {
    let (package, warnings) = read_folder(sketch).unwrap_or_else(|defects| panic!("{defects:?}"));
    assert_eq!(warnings, [], "no warning was expected");
    package
}

fn judged(sketch: &Sketch) -> Package {
    read_folder(sketch).unwrap_or_else(|defects| panic!("{defects:?}")).0
}

fn defects(sketch: &Sketch) -> Vec<String> {
    read_folder(sketch).expect_err("the package should not be judged").iter().map(Defect::to_string).collect()
}

#[track_caller]
fn warns(sketch: Sketch, expected: &str) {
    let found = warnings(&sketch);
    assert!(found.len() == 1 && found[0].contains(expected), "expected {expected:?}, found {found:?}");
}

#[track_caller]
fn fails(sketch: Sketch, expected: &str) {
    let found = defects(&sketch);
    assert!(found.len() == 1 && found[0].contains(expected), "expected {expected:?}, found {found:?}");
}

#[test]
fn a_sound_package_of_each_version_gives_no_warning() {
    let legacy = sound(&Sketch::legacy());
    assert_eq!((legacy.slug.as_str(), legacy.name(), legacy.format), ("sum", "Sum", Format::Legacy));
    assert_eq!((legacy.limits.memory_mib, legacy.limits.output_mib, legacy.limits.code_kib), (2048, 8, 128));
    assert_eq!((legacy.limits.compilation_seconds, legacy.limits.time_limit), (60.0, None));
    let current = sound(&Sketch::current());
    assert_eq!((current.format, current.name()), (Format::V2025, "Sum"));
    for (version, format) in [
        ("legacy", Format::Legacy),
        ("legacy-icpc", Format::LegacyIcpc),
        ("2023-07", Format::V2023),
        ("2023-07-draft", Format::V2023),
    ] {
        let yaml = format!("problem_format_version: {version}\nname: Sum\n");
        assert_eq!(judged(&Sketch::legacy().with("problem.yaml", yaml)).format, format);
    }
}

#[test]
fn what_real_packages_break_is_a_warning() {
    let legacy = Sketch::legacy;
    let current = Sketch::current;
    warns(legacy().without("input_validators"), "the package: has no input validator");
    warns(legacy().without("submissions"), "the package: has no accepted submission");
    warns(legacy().without("problem_statement"), "the package: has no statement");
    warns(legacy().without("data/secret"), "the package: has samples only");
    warns(
        Sketch::current().yaml("allow_file_writing: true"),
        "problem.yaml:4: allow_file_writing is not supported yet",
    );
    warns(legacy().yaml("source:"), "problem.yaml:2: source has no value; its default is used");
    warns(legacy().yaml("limits:"), "problem.yaml:2: limits has no value");
    warns(legacy().yaml("limits:\n  memory: ~"), "problem.yaml:3: limits.memory has no value");
    warns(legacy().yaml("problem_format_version:"), "problem.yaml:2: problem_format_version has no value");
    warns(
        legacy().yaml("colour: red"),
        "problem.yaml:2: colour is not a key of this format version; it is ignored",
    );
    warns(legacy().yaml("limits: {time: 3}"), "problem.yaml:2: limits.time is not a key");
    warns(
        legacy().yaml("languages: [python3]"),
        "problem.yaml:2: languages is not a key of this format version; it is used",
    );
    warns(legacy().yaml("limits:\n  time_limit: 2"), "problem.yaml:3: limits.time_limit is not a key");
    warns(legacy().yaml("license: mit"), "problem.yaml:2: license is 'mit', but should be one of");
    warns(legacy().with("problem.yaml", ""), "problem.yaml: name is missing; 'Sum' is used");
    warns(
        current().yaml("author: A"),
        "problem.yaml:4: author is not a key of this format version; it is used",
    );
    warns(current().yaml("limits: {time_multiplier: 3}"), "limits.time_multiplier is not a key");
    warns(
        current().yaml("validation: default"),
        "validation is not a key of this format version; it is used",
    );
    warns(current().with("problem.yaml", "problem_format_version: 2025-09\nname: Sum\n"), "uuid is missing");
    warns(
        legacy().with("data/secret/test_group.yaml", "full_feedback: true\n"),
        "data/secret/test_group.yaml: is not where",
    );
    warns(current().with("data/test_group.yaml", "args: []\n"), "data/test_group.yaml: is not where");
    warns(
        current().with("data/secret/testdata.yaml", "on_reject: break\n"),
        "data/secret/testdata.yaml: is not where",
    );
    warns(
        current().with("data/secret/test_group.yaml", "max_score: 50\n"),
        "test_group.yaml:1: max_score only matters where",
    );
    warns(
        current().with("data/secret/test_group.yaml", "foo: 1\n"),
        "data/secret/test_group.yaml:1: foo is not a key",
    );
    warns(current().with("data/secret/2.yaml", "hint: x\n"), "data/secret/2.yaml: belongs to no test");
    warns(legacy().with("data/secret/2.hint", "x\n"), "data/secret/2.hint: belongs to no test");
    warns(
        legacy().with("domjudge-problem.ini", "timelimit=1"),
        "domjudge-problem.ini: is another judge's file",
    );
    warns(legacy().with("submissions/submissions.json", "{}"), "submissions.json: is another judge's file");
    warns(legacy().with("submissions/stray.py", ""), "submissions/stray.py: is in none of the folders");
    warns(
        legacy().with("submissions/slow/x.py", ""),
        "submissions/slow: is not a folder that the format knows",
    );
    warns(legacy().with("tests/1.in", ""), "tests: is not a folder of the package format");
    warns(
        legacy().with("statement/problem.ko.md", ""),
        "statement: is not where this format version puts it",
    );
    warns(legacy().with("problem.pdf", ""), "problem.pdf: is not where this format version puts it");
    warns(legacy().with("output_validators/check.py", ""), "output_validators: is not used");
    warns(legacy().with("codementor.toml", "colour = 1\n"), "codementor.toml: colour is not a key");
}

#[test]
fn what_cannot_be_judged_is_a_defect() {
    let legacy = Sketch::legacy;
    let current = Sketch::current;
    fails(legacy().without("problem.yaml"), "the package: has no problem.yaml");
    fails(legacy().without("data"), "the package: has no tests; put pairs");
    fails(legacy().without("data/secret/1.ans"), "data/secret/1.in: has no answer; add data/secret/1.ans");
    fails(legacy().without("data/secret/1.in"), "data/secret/1.ans: has no input; add data/secret/1.in");
    fails(legacy().yaml("limits:\n  memory: [1"), "problem.yaml:4: is not YAML that can be read");
    fails(
        legacy().yaml("name: Again"),
        "problem.yaml:2: is not YAML that can be read: the key 'name' stands here a second time",
    );
    fails(legacy().with("problem.yaml", "- a\n"), "problem.yaml:1: the file is a list, but must be a map");
    fails(legacy().with("problem.yaml", b"name: A\nauthor: \xff\n"), "problem.yaml:2: is not UTF-8");
    fails(
        legacy().with("problem.yaml", vec![b'#'; MAX_YAML_BYTES as usize + 1]),
        "problem.yaml: its size is over the bound",
    );
    fails(
        legacy().yaml("problem_format_version: 2031-01"),
        "problem.yaml:2: problem_format_version '2031-01' is not known",
    );
    fails(
        legacy().yaml("name2: x\nlimits:\n  memory: lots"),
        "problem.yaml:4: limits.memory is 'lots', but must be a whole number",
    );
    fails(
        legacy().yaml("limits: {time_limit: -1}"),
        "limits.time_limit is '-1', but must be a number above 0",
    );
    fails(legacy().yaml("limits: {time_limit: .inf}"), "limits.time_limit is '.inf'");
    fails(
        legacy().yaml("limits: {memory: 99999999}"),
        "limits.memory is 99999999, but must be at most 65536 MiB",
    );
    fails(legacy().with(".timelimit", "1e9"), "limits.time_limit is 1000000000, but must be at most 3600 s");
    fails(legacy().yaml("limits: 5"), "problem.yaml:2: limits is '5', but must be a map");
    fails(
        legacy().yaml("keywords: {a: b}"),
        "problem.yaml:2: keywords is a map, but must be a list of texts",
    );
    fails(legacy().with(".timelimit", "fast\n"), ".timelimit:1: the time limit is 'fast'");
    fails(current().with("data/secret/1.yaml", "hint: [\n"), "data/secret/1.yaml:");
    fails(
        current().with("data/secret/test_group.yaml", "full_feedback: perhaps\n"),
        "full_feedback is 'perhaps', but must be true or false",
    );
    fails(current().with("submissions/submissions.yaml", "accepted: [\n"), "submissions/submissions.yaml:");
    fails(legacy().with("codementor.toml", "a = 1\nb = [\n"), "codementor.toml:2: is not TOML");
}

#[test]
fn what_is_not_supported_is_named() {
    let legacy = Sketch::legacy;
    let current = Sketch::current;
    fails(legacy().yaml("type: scoring"), "problem.yaml:2: scoring is not supported yet");
    fails(
        legacy().yaml("validation: custom"),
        "problem.yaml:2: a custom output validator is not supported yet",
    );
    fails(legacy().yaml("validation: custom interactive"), "an interactive problem is not supported yet");
    fails(legacy().yaml("validation: custom score"), "scoring is not supported yet");
    fails(legacy().yaml("validation: custom multi-pass"), "a multi-pass problem is not supported yet");
    fails(legacy().yaml("validation: odd"), "validation is 'odd', but must be default, or custom");
    fails(legacy().yaml("type: odd"), "type is 'odd', but must be pass-fail");
    fails(current().yaml("type: [pass-fail, interactive]"), "problem.yaml:4: an interactive problem");
    fails(current().yaml("type: multi-pass"), "a multi-pass problem");
    fails(current().yaml("type: submit-answer"), "a submit-answer problem");
    fails(current().with("output_validator/check.py", ""), "output_validator: a custom output validator");
    fails(current().with("static_validator/check.py", ""), "static_validator: a static validator");
}

#[test]
fn all_defects_are_said_at_once() {
    let sketch = Sketch::legacy().yaml("type: scoring\nlimits: {memory: x}").without("data/secret/1.ans");
    assert_eq!(defects(&sketch).len(), 3);
}

#[test]
fn metadata_is_read_in_every_shape() {
    let legacy = sound(&Sketch::legacy().yaml(
        "author: A. Uthor\nsource: Cup\nsource_url: https://cup.example\nlicense: CC BY-SA\nrights_owner: R\n\
         keywords: math easy\nuuid: u-1\nvalidator_flags: case_sensitive\ngrading: {objective: max}",
    ));
    assert_eq!(legacy.author.as_deref(), Some("A. Uthor"));
    assert_eq!(
        (legacy.sources[0].name.as_str(), legacy.sources[0].url.as_deref()),
        ("Cup", Some("https://cup.example"))
    );
    assert_eq!(
        (legacy.keywords.len(), legacy.license.as_str(), legacy.uuid.as_deref()),
        (2, "CC BY-SA", Some("u-1"))
    );

    let yaml = "problem_format_version: 2025-09\nname:\n  ko: 합\n  sv: Summa\nuuid: u\nversion: 1\ncredits: X\n\
                source:\n  - Cup\n  - {name: Open, url: https://open.example}\nkeywords: [a b, c]\n\
                languages: [python3, cpp]\nallow_file_writing: false\nembargo_until: 2030-01-01\n\
                constants:\n  n: 5\n  m: {value: 1000, tex: 10^3}\n\
                limits:\n  time_limit: 1.5\n  time_resolution: 0.1\n  memory: 512.0\n  validation_passes: 3\n  time_multipliers: {ac_to_time_limit: 3}\n";
    let current = sound(&Sketch::current().with("problem.yaml", yaml));
    assert_eq!((current.name(), current.names.len()), ("합", 2));
    assert_eq!(current.sources[1].url.as_deref(), Some("https://open.example"));
    assert_eq!(current.keywords, ["a b", "c"]);
    assert!(current.allows("cpp") && !current.allows("java") && !current.allow_file_writing);
    assert_eq!((current.limits.time_limit, current.limits.time_resolution), (Some(1.5), 0.1));
    assert_eq!(
        (current.limits.memory_mib, current.limits.ac_to_time_limit, current.limits.time_limit_to_tle),
        (512, 3.0, 1.5)
    );
    let constants: Vec<_> = current.constants.0.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(constants, [("m", "1000"), ("m.tex", "10^3"), ("n", "5")]);
    assert!(sound(&Sketch::current().yaml("languages: all")).allows("java"));
}

#[test]
fn the_time_limit_file_counts_unless_problem_yaml_says_otherwise() {
    assert_eq!(sound(&Sketch::legacy().with(".timelimit", "2.5\n")).limits.time_limit, Some(2.5));
    let both = Sketch::current().yaml("limits: {time_limit: 3}");
    assert_eq!(sound(&both.clone().with(".timelimit", "3.0")).limits.time_limit, Some(3.0));
    warns(both.clone().with(".timelimit", "2"), ".timelimit: says 2 s, problem.yaml says 3 s; 3 s is used");
    assert_eq!(judged(&both.with(".timelimit", "2")).limits.time_limit, Some(3.0));
}

#[test]
fn cases_stand_in_order_with_samples_first() {
    let mut sketch = Sketch::legacy();
    for name in ["secret/b/2", "secret/a/10", "secret/a/2", "sample/0"] {
        sketch = sketch.with(&format!("data/{name}.in"), "").with(&format!("data/{name}.ans"), "");
    }
    let package = sound(&sketch);
    let names: Vec<_> = package.cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["sample/0", "sample/1", "secret/1", "secret/a/10", "secret/a/2", "secret/b/2"]);
    let case = &package.cases[3];
    assert_eq!(
        (case.group.as_str(), case.visibility, package.samples().count()),
        ("secret/a", Visibility::Hidden, 2)
    );
    assert_eq!((case.input.name.as_str(), package.cases[2].input.size), ("data/secret/a/10.in", 4));
}

#[test]
fn tests_in_odd_folders_are_judged_as_hidden_ones() {
    let sketch = Sketch::legacy()
        .with("data/extra/1.in", "")
        .with("data/extra/1.ans", "")
        .with("data/2.in", "")
        .with("data/2.ans", "");
    let package = judged(&sketch);
    let hidden: Vec<_> = package
        .cases
        .iter()
        .filter(|case| case.visibility == Visibility::Hidden)
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(hidden, ["2", "extra/1", "secret/1"]);
    let found = warnings(&sketch);
    assert!(
        found[0].starts_with("data: is not a place for tests") && found[1].starts_with("data/extra: "),
        "{found:?}"
    );

    let mixed = Sketch::current().with("data/secret/group/2.in", "").with("data/secret/group/2.ans", "");
    warns(mixed.clone(), "data/secret: is not a place for tests");
    assert_eq!(judged(&mixed).cases.len(), 3);
    warns(
        Sketch::current().with("data/sample/group/2.in", "").with("data/sample/group/2.ans", ""),
        "data/sample/group: is not a place for tests",
    );
}

#[test]
fn data_for_trying_validators_is_not_judged() {
    let sketch = Sketch::current()
        .with("data/invalid_input/1.in", "x")
        .with("data/invalid_output/1.in", "")
        .with("data/invalid_output/1.ans", "")
        .with("data/invalid_output/1.out", "")
        .with("data/valid_output/1.in", "");
    assert_eq!(sound(&sketch).cases.len(), 2);
}

#[test]
fn legacy_flags_are_inherited_from_folder_to_folder() {
    let package = sound(
        &Sketch::legacy()
            .yaml("validator_flags: case_sensitive")
            .with("data/testdata.yaml", "output_validator_flags: float_tolerance 1e-3\n")
            .with(
                "data/secret/a/testdata.yaml",
                "output_validator_flags: float_tolerance 1e-6\non_reject: continue\n",
            )
            .with("data/secret/a/b/1.in", "")
            .with("data/secret/a/b/1.ans", ""),
    );
    let flags = |name: &str| package.cases.iter().find(|case| case.name == name).unwrap().flags().unwrap();
    let expected =
        |text: &str| Flags::parse(&text.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap();
    assert_eq!(flags("sample/1"), expected("case_sensitive float_tolerance 1e-3"));
    assert_eq!(flags("secret/1"), expected("case_sensitive float_tolerance 1e-3"));
    assert_eq!(flags("secret/a/b/1"), expected("case_sensitive float_tolerance 1e-6"));
}

#[test]
fn current_settings_are_inherited_and_replaced_by_the_tests_own() {
    let package = sound(
        &Sketch::current()
            .yaml("constants: {eps: 1e-4}")
            .with(
                "data/secret/test_group.yaml",
                "output_validator_args: [float_tolerance, \"{{eps}}\"]\nargs: [x]\n",
            )
            .with(
                "data/secret/1.yaml",
                "args: [\"a b\", c]\nhint: Think.\ndescription: Small.\nfull_feedback: true\n",
            )
            .with("data/secret/2.in", "")
            .with("data/secret/2.ans", "")
            .with("data/secret/2.files/sub/f.txt", "data\n"),
    );
    let [sample, first, second] = &package.cases[..] else { panic!("{:?}", package.cases) };
    assert!(sample.full_feedback && first.full_feedback && !second.full_feedback);
    assert_eq!(
        (first.args.as_slice(), second.args.as_slice()),
        (&["a b".into(), "c".into()][..], &["x".into()][..])
    );
    assert_eq!((first.hint.as_deref(), first.description.as_deref()), (Some("Think."), Some("Small.")));
    assert_eq!(
        (&first.validator_flags, &first.validator_flags[1]),
        (&second.validator_flags, &"1e-4".to_owned())
    );
    assert_eq!(second.files[0].path, "sub/f.txt");
    assert!(sample.validator_flags.is_empty());
}

#[test]
fn legacy_hints_and_descriptions_are_read() {
    let package =
        sound(&Sketch::legacy().with("data/secret/1.hint", "h\n").with("data/secret/1.desc", "d\n"));
    let case = &package.cases[1];
    assert_eq!((case.hint.as_deref(), case.description.as_deref()), (Some("h\n"), Some("d\n")));
}

#[test]
fn wrong_flags_are_said_once_and_where_they_stand() {
    fails(
        Sketch::legacy().yaml("\nvalidator_flags: odd"),
        "problem.yaml: the default validator has no flag 'odd'",
    );
    fails(
        Sketch::legacy()
            .with(
                "data/secret/testdata.yaml",
                "on_reject: break\noutput_validator_flags: float_tolerance x\n",
            )
            .with("data/secret/2.in", "")
            .with("data/secret/2.ans", ""),
        "data/secret/testdata.yaml:2: 'x' after the flag float_tolerance is not a tolerance",
    );
    fails(
        Sketch::current().with("data/secret/1.yaml", "output_validator_args: [odd]\n"),
        "data/secret/1.yaml: the default validator has no flag 'odd'",
    );
}

#[test]
fn statements_are_listed_by_language() {
    let package = sound(
        &Sketch::current()
            .with("statement/problem.ko.tex", "")
            .with("statement/problem.en.pdf", "")
            .with("statement/figure.png", ""),
    );
    let found: Vec<_> = package.statements.iter().map(|s| (s.language.as_str(), s.markup)).collect();
    assert_eq!(found, [("en", Markup::Markdown), ("en", Markup::Pdf), ("ko", Markup::Tex)]);
}

#[test]
fn included_files_are_those_of_the_language_or_else_the_default() {
    let package = sound(
        &Sketch::legacy()
            .with("include/default/lib.txt", "")
            .with("include/python3/__main__.py", "")
            .with("include/python3/sub/x.py", "")
            .with("attachments/a/b.txt", ""),
    );
    let paths =
        |language| package.include_for(language).iter().map(|file| file.path.as_str()).collect::<Vec<_>>();
    assert_eq!(paths("python3"), ["__main__.py", "sub/x.py"]);
    assert_eq!(paths("cpp"), ["lib.txt"]);
    assert_eq!(package.attachments[0].path, "a/b.txt");
}

#[test]
fn odd_names_are_used_auxiliary_ones_are_not_seen_and_unusable_ones_left_out() {
    warns(
        Sketch::legacy().with("submissions/accepted/x.c++", ""),
        "submissions/accepted/x.c++: has a name that the format does not allow",
    );
    warns(
        Sketch::legacy().with("data/secret/-x.in", ""),
        "data/secret/-x.in: has a name that cannot be used",
    );
    let sketch = Sketch::legacy()
        .with("data/secret/2 b.in", "")
        .with("data/secret/2 b.ans", "")
        .with("data/secret/.3.in.swp", "")
        .with("data/secret/3.in~", "")
        .with(".git/config", "")
        .with("README.md", "");
    assert_eq!(judged(&sketch).cases.len(), 3);
    assert_eq!(warnings(&sketch).len(), 2, "{:?}", warnings(&sketch));
    // A control character of a name never reaches a terminal.
    let found = warnings(&Sketch::legacy().with("data/secret/a\u{1b}[31m.in", ""));
    assert!(found[0].contains("a\\u{1b}[31m.in"), "{found:?}");
}

#[test]
fn the_slug_is_made_of_the_folders_name() {
    let (_temporary, path) = Sketch::legacy().folder_called("My Sum_2");
    let (package, warnings) = read(&path).unwrap();
    assert_eq!(package.slug, "my-sum-2");
    assert_eq!(
        warnings[0].to_string(),
        "the package: its name 'My Sum_2' is not one of a package; it is called 'my-sum-2'"
    );
}

#[test]
fn a_path_that_is_no_package_is_refused() {
    let (temporary, path) = Sketch::legacy().folder();
    assert!(matches!(read(&temporary.path().join("none")).unwrap_err()[0].kind, DefectKind::Unreadable(_)));
    assert_eq!(read(&path.join("problem.yaml")).unwrap_err()[0].kind, DefectKind::NotAPackage);
}

#[test]
fn our_own_problems_are_read_without_a_warning() {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("library");
    let folders = std::fs::read_dir(library).unwrap().map(|entry| entry.unwrap().path());
    let mut count = 0;
    for folder in folders.filter(|path| path.is_dir()) {
        let (_, warnings) =
            read(&folder).unwrap_or_else(|defects| panic!("{}: {defects:?}", folder.display()));
        assert_eq!(warnings, [], "{}", folder.display());
        count += 1;
    }
    assert!(count > 0, "the library is empty");
}
