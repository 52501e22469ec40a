//! Workflow commands of GitHub Actions that mark lines of the student's files: errors of the compiler, and nothing else
//! of what a program or a student wrote.

use crate::ci::graded::Graded;
use crate::sanitize;

/// GitHub shows ten annotations of a kind for a step; the last of them says that there are more.
const MOST: usize = 9;
/// The longest message.
const LONGEST: usize = 4096;

/// A line for each, ending in a line end.
pub fn render(graded: &Graded) -> String {
    let errors = graded.problems.iter().flat_map(|problem| {
        let name = &problem.name;
        problem.errors().map(move |(found, path)| (name, found, path))
    });
    let mut text = String::new();
    let mut count = 0;
    for (name, found, path) in errors {
        count += 1;
        if count > MOST {
            continue;
        }
        let mut properties = Vec::new();
        if let Some(path) = path {
            properties.push(format!("file={}", property(path)));
            properties.push(format!("line={},endLine={}", found.line, found.line));
            if let Some(column) = found.column {
                properties.push(format!("col={column}"));
                // GitHub counts the last column, the compiler the one after it.
                let end = found.end_column.map_or(column, |end| end.saturating_sub(1).max(column));
                properties.push(format!("endColumn={end}"));
            }
        }
        properties.push(format!("title={}", property(&format!("{name}: it does not compile"))));
        let message: String = sanitize::text(found.message.trim()).chars().take(LONGEST).collect();
        text.push_str(&format!("::error {}::{}\n", properties.join(","), data(&message)));
    }
    if count > MOST {
        let more = count - MOST;
        text.push_str(&format!("::error title=CodeMentor::and {more} more errors: see the step's summary\n"));
    }
    text
}

/// Text as the data of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text as a property of a command.
fn property(text: &str) -> String {
    data(&sanitize::line(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::sample;

    #[test]
    fn an_annotation_is_escaped_as_the_runner_reads_it() {
        insta::assert_snapshot!(render(&sample::graded()), @"::error file=hw3/tram/main.cpp,line=6,endLine=6,col=45,endColumn=45,title=tram%3A it does not compile::expected ‘;’ before ‘std’");
    }

    #[test]
    fn whatever_a_student_writes_each_line_is_one_error() {
        let text = render(&sample::hostile());
        for line in text.lines() {
            assert!(line.starts_with("::error file=") && line.matches("::").count() >= 2, "{line}");
            let (properties, _) = line["::error ".len()..].split_once("::").expect("it has data");
            let names: Vec<&str> =
                properties.split(',').map(|pair| pair.split_once('=').expect("a pair").0).collect();
            assert!(
                names
                    .iter()
                    .all(|name| ["file", "line", "endLine", "col", "endColumn", "title"].contains(name))
            );
        }
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.ends_with("%0A::notice title=Autograding report::{}\n"), "{text}");
    }

    #[test]
    fn there_are_never_more_than_ten() {
        let text = render(&sample::many_errors(50));
        assert_eq!(text.lines().count(), 10);
        assert!(
            text.ends_with("::error title=CodeMentor::and 41 more errors: see the step's summary\n"),
            "{text}"
        );
        assert_eq!(render(&sample::many_errors(9)).lines().count(), 9);
        assert!(!render(&sample::many_errors(9)).contains("more"));
    }
}
