//! JUnit XML, as GitLab, Jenkins and others read it: what a student's program failed is a `failure`, what we failed is
//! an `error`, what was not run is `skipped`.

use std::time::Duration;

use codementor_protocol::{Verdict, Verdicted};
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::ci::graded::{Ending, Graded, Problem, Test};
use crate::ci::log;
use crate::sanitize;

/// The report.
pub fn render(graded: &Graded) -> String {
    let mut report = Report::new(sanitize::line(&graded.name));
    report.set_time(Duration::from_millis(graded.elapsed_ms));
    report.add_test_suites(graded.problems.iter().map(|problem| suite(graded, problem)));
    // Writing into memory cannot fail, and what XML cannot hold was taken out when each text was set.
    let mut text = report.to_string().unwrap_or_default();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn suite(graded: &Graded, problem: &Problem) -> TestSuite {
    let (assignment, name) = (sanitize::line(&graded.name), sanitize::line(&problem.name));
    let mut suite = TestSuite::new(format!("{assignment}/{name}"));
    suite.set_time(Duration::from_millis(problem.elapsed_ms));
    if let Ok(at) = jiff::Timestamp::from_millisecond(graded.at.0) {
        // The format knows no fractions of seconds.
        suite.extra.insert("timestamp".into(), at.strftime("%Y-%m-%dT%H:%M:%S").to_string().as_str().into());
    }
    suite.add_property(Property::new("verdict", problem.token()));
    if let Some(score) = problem.score() {
        suite.add_property(Property::new("score", score.got.to_string()));
        suite.add_property(Property::new("max_score", score.most.to_string()));
    }
    if let Some(id) = problem.submission {
        suite.add_property(Property::new("submission", id.to_string()));
    }
    let place = Place {
        class: format!("{}.{name}", assignment.replace('.', "-")),
        file: problem.files.first().map(|source| sanitize::line(&source.path).into_owned()),
    };
    match &problem.ending {
        Ending::Judged(result) if result.verdict == Verdict::CompileError => {
            suite.add_test_case(place.case("compile", compile_failure(problem)));
            suite.add_test_cases(problem.not_run().map(|index| place.test(index, skipped())));
        }
        Ending::Judged(result) => {
            suite.add_test_cases(tests(problem, result, &place));
            suite.add_test_cases(problem.not_run().map(|index| place.test(index, skipped())));
        }
        Ending::Unsent { missing: true, reason } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(sanitize::line(reason));
            suite.add_test_case(place.case("source", status));
        }
        Ending::Unsent { missing: false, reason } => {
            suite.add_test_case(place.case("source", failure(problem.token(), reason)));
        }
        Ending::Ungraded { code, message, .. } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type(sanitize::line(code));
            status.set_message(sanitize::line(message));
            status.set_description(format!("{}\nThis is no grade, and no zero.", sanitize::text(message)));
            suite.add_test_case(place.case("judge", status));
        }
    }
    suite
}

/// What all cases of a problem share.
struct Place {
    class: String,
    file: Option<String>,
}

impl Place {
    /// The case of a test, which goes by its place: that is the same in each run, while its name and its group are known
    /// only where it ran. A reader that compares runs takes a case of another name for another case.
    fn test(&self, index: u32, status: TestCaseStatus) -> TestCase {
        self.case(&format!("test {index}"), status)
    }

    fn case(&self, name: &str, status: TestCaseStatus) -> TestCase {
        let mut case = TestCase::new(sanitize::line(name), status);
        case.set_classname(self.class.as_str());
        if let Some(file) = &self.file {
            case.extra.insert("file".into(), file.as_str().into());
        }
        case
    }
}

fn tests(problem: &Problem, result: &Verdicted, place: &Place) -> Vec<TestCase> {
    let mut cases: Vec<TestCase> = Vec::new();
    for test in &problem.tests {
        let mut case = place.test(test.index, status(test));
        if let Some(seen) = &test.seen {
            case.set_time(Duration::from_millis(seen.time_ms));
        }
        cases.push(case);
    }
    // Where the test that failed may not be seen there is the verdict still: without it the report would look like a
    // success, or, where nothing may be seen, like nothing.
    match result.verdict {
        Verdict::Accepted if cases.is_empty() => cases.push(place.case("verdict", TestCaseStatus::success())),
        Verdict::Accepted => {}
        verdict if problem.first_failure().is_none() => {
            cases
                .push(place.case("verdict", failure(verdict.token(), "the tests that failed are not shown")));
        }
        _ => {}
    }
    cases
}

fn status(test: &Test) -> TestCaseStatus {
    match test.verdict {
        Verdict::Accepted => TestCaseStatus::success(),
        Verdict::Skipped => skipped(),
        verdict => {
            let reason = match &test.seen {
                None => format!("test {} of the group {} is hidden", test.index, test.group),
                Some(seen) => {
                    let reason = seen.reason.as_deref().unwrap_or("the output is not what is expected");
                    format!("{}: {reason}", test.name())
                }
            };
            failure(verdict.token(), &reason)
        }
    }
}

fn compile_failure(problem: &Problem) -> TestCaseStatus {
    let said = problem.errors().next();
    let message = said.map_or_else(
        || "the program does not compile".into(),
        |(found, path)| format!("{}:{}: {}", path.unwrap_or(&found.file), found.line, found.message),
    );
    let mut status = failure(Verdict::CompileError.token(), &message);
    status.set_description(log::quote(&log::compiler(problem)));
    status
}

fn failure(kind: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(kind);
    status.set_message(sanitize::line(message));
    // GitLab shows the element's text and not its message.
    status.set_description(format!("{kind}: {}", sanitize::line(message)));
    status
}

fn skipped() -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message("it was not run");
    status
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use roxmltree::{Document, Node};

    use super::*;
    use crate::ci::sample;
    use crate::error::ExitStatus;

    fn count(node: Node, name: &str) -> usize {
        node.descendants().filter(|node| node.has_tag_name(name)).count()
    }

    /// The rules by which GitLab and Jenkins read a report.
    fn check(text: &str) {
        let document = Document::parse(text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
        let root = document.root_element();
        assert!(root.has_tag_name("testsuites"));
        let suites: Vec<Node> = root.children().filter(Node::is_element).collect();
        assert!(suites.iter().all(|suite| suite.has_tag_name("testsuite")), "no properties here: {text}");
        let mut seen = HashSet::new();
        for node in suites.iter().copied().chain([root]) {
            assert!(node.attribute("name").is_some_and(|name| !name.is_empty()));
            for (attribute, tag) in
                [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
            {
                let stated = node.attribute(attribute).and_then(|number| number.parse().ok());
                assert_eq!(
                    stated,
                    Some(count(node, tag)),
                    "{attribute} of {:?} in {text}",
                    node.attribute("name")
                );
            }
            assert!(node.attribute("time").is_some_and(|time| time.parse::<f64>().is_ok()));
        }
        for suite in suites {
            let at = suite.attribute("timestamp").expect("it has a time");
            assert!(jiff::civil::DateTime::strptime("%Y-%m-%dT%H:%M:%S", at).is_ok(), "{at}");
            for case in suite.children().filter(|node| node.has_tag_name("testcase")) {
                let name = case.attribute("name").expect("it has a name");
                let class = case.attribute("classname").expect("Jenkins wants a class");
                assert!(!name.is_empty() && class.contains('.'));
                assert!(seen.insert((class, name)), "GitLab would squash {class} {name}");
                let outcomes: Vec<Node> = case.children().filter(Node::is_element).collect();
                assert!(outcomes.len() <= 1, "{text}");
                for outcome in outcomes {
                    let told = outcome.has_tag_name("skipped")
                        || outcome.text().is_some_and(|text| !text.is_empty());
                    assert!(told, "GitLab shows the text: {text}");
                }
            }
        }
    }

    #[test]
    fn a_report_is_what_its_readers_want() {
        let text = render(&sample::graded());
        check(&text);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_test_has_the_same_name_in_each_run_however_it_went() {
        let names = |problem: Problem| {
            let text = render(&Graded { problems: vec![problem], ..sample::graded() });
            let document = Document::parse(&text).expect("is XML");
            let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
            let names = cases.filter_map(|case| case.attribute("name").map(str::to_owned));
            names.filter(|name| name != "compile").collect::<Vec<String>>()
        };
        let whole = names(sample::judged("sum", Verdict::Accepted, "100"));
        assert_eq!(whole, ["test 1", "test 2", "test 3"]);
        // All were run, only the first was, none was.
        assert_eq!(names(sample::judged("sum", Verdict::WrongAnswer, "0")), whole);
        assert_eq!(names(sample::judged("sum", Verdict::CompileError, "0")), whole);
    }

    #[test]
    fn our_fault_is_an_error_and_no_failure() {
        for status in [ExitStatus::OurFault, ExitStatus::Unreachable, ExitStatus::StillRunning] {
            let graded = Graded { problems: vec![sample::ungraded("sum", status)], ..sample::graded() };
            let text = render(&graded);
            check(&text);
            let document = Document::parse(&text).expect("is XML");
            assert_eq!(count(document.root(), "error"), 1);
            assert_eq!(count(document.root(), "failure"), 0);
            assert!(!text.contains("score"), "{text}");
        }
    }

    #[test]
    fn whatever_a_student_writes_it_is_xml_still() {
        let text = render(&sample::hostile());
        check(&text);
        let document = Document::parse(&text).expect("is XML");
        for node in document.descendants() {
            let texts = node.attributes().map(|attribute| attribute.value()).chain(node.text());
            for text in texts {
                assert!(
                    text.chars().all(|c| matches!(c, '\n' | '\t') || sanitize::escape(c).is_none()),
                    "{text:?}"
                );
            }
        }
        assert!(document.descendants().any(|node| node.text().is_some_and(|text| text.contains("]]>"))));
    }

    #[test]
    fn a_hidden_test_is_its_place_its_group_and_its_verdict() {
        let text = render(&sample::graded());
        let document = Document::parse(&text).expect("is XML");
        let hidden = document.descendants().find(|node| {
            node.attribute("name") == Some("test 2") && node.attribute("classname") == Some("hw3.two-sum")
        });
        let hidden = hidden.expect("is there");
        assert_eq!(hidden.attribute("time"), None);
        let failed = hidden.children().find(|node| node.has_tag_name("failure")).expect("it failed");
        assert_eq!(failed.attribute("type"), Some("TIME_LIMIT"));
        assert_eq!(failed.text(), Some("TIME_LIMIT: test 2 of the group secret is hidden"));
    }
}
