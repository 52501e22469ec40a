//! Rosters as CSV: read whole or not at all, with every row that is wrong named by its line.

use std::path::Path;

use codementor_protocol::{MAX_ROSTER_ROWS, RosterRow, roster_clashes};
use encoding_rs::{EUC_KR, Encoding, UTF_8};

use crate::locale;

/// The largest file that is read.
const MAX_FILE: u64 = 8 * 1024 * 1024;
/// How many wrong rows are told at once.
const MAX_TOLD: usize = 20;

/// Why a file is no roster.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// It cannot be read.
    #[error("{}", t!("cannot read {file}: {source}", file, source))]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is too large.
    #[error("{}", t!(
        "the file has more than {mebibytes} MiB: is it a roster?",
        mebibytes = MAX_FILE / 1024 / 1024
    ))]
    TooLarge,
    /// There is no such encoding.
    #[error("{}", t!("there is no encoding '{text}'", text = .0))]
    NoEncoding(String),
    /// Its text is not in the encoding that was thought.
    #[error("{}", t!("line {line} is not {encoding}", line, encoding))]
    Encoding {
        /// The line.
        line: usize,
        /// The encoding.
        encoding: &'static str,
        /// The one that it seems to be.
        seems: Option<&'static str>,
    },
    /// There is nothing in it.
    #[error("{}", t!("there is no row in the file"))]
    Empty,
    /// It has more rows than one import takes.
    #[error("{}", t!(
        "the file has {text} rows; one import takes {max_roster_rows}",
        text = .0, max_roster_rows = MAX_ROSTER_ROWS
    ))]
    TooMany(usize),
    /// Its first line does not name the columns.
    #[error("{}", t!("line 1: {text}", text = .0))]
    Header(String),
    /// Rows that are wrong.
    #[error("{}", .0.join("\n"))]
    Rows(Vec<String>),
}

impl RosterError {
    /// What to do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => return None,
            Self::TooLarge | Self::Empty => t!("the columns: codementor course roster import --help").into(),
            Self::NoEncoding(_) => t!("such as utf-8, cp949, euc-kr, utf-16le, windows-1252").into(),
            Self::Encoding { seems: Some(seems), .. } => {
                t!("it looks like {seems}: try --encoding {seems}", seems)
            }
            Self::Encoding { .. } => {
                t!("say which it is, such as --encoding cp949, or save it as UTF-8").into()
            }
            Self::TooMany(_) => t!("split it: each import adds to what is there").into(),
            Self::Header(_) => {
                t!("the first line names the columns: codementor course roster import --help").into()
            }
            Self::Rows(_) => t!("nothing was imported").into(),
        })
    }
}

/// A roster that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Its rows.
    pub rows: Vec<RosterRow>,
    /// Columns that say nothing that is kept.
    pub ignored: Vec<String>,
}

/// Reads a file, or standard input for `-`.
pub fn read(path: &Path, encoding: Option<&str>) -> Result<Read, RosterError> {
    use std::io::Read as _;
    let failed = |source| RosterError::Read { file: path.display().to_string(), source };
    let mut bytes = Vec::new();
    let input: Box<dyn std::io::Read> = match path.as_os_str() == "-" {
        true => Box::new(std::io::stdin()),
        false => Box::new(std::fs::File::open(path).map_err(failed)?),
    };
    input.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(RosterError::TooLarge);
    }
    parse(&decode(&bytes, encoding)?)
}

/// The text of a file. What its first bytes say of the encoding wins over what was said.
fn decode(bytes: &[u8], named: Option<&str>) -> Result<String, RosterError> {
    let named = match named {
        None => UTF_8,
        // The web has no label of this name.
        Some(name) if name.eq_ignore_ascii_case("cp949") => EUC_KR,
        Some(name) => {
            Encoding::for_label(name.as_bytes()).ok_or_else(|| RosterError::NoEncoding(name.into()))?
        }
    };
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or((named, 0));
    let rest = &bytes[mark..];
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(rest) {
        return Ok(text.into_owned());
    }
    let reads = |line: &[u8]| encoding.decode_without_bom_handling_and_without_replacement(line).is_some();
    let line = rest.split(|byte| *byte == b'\n').position(|line| !reads(line)).unwrap_or(0) + 1;
    let korean = || EUC_KR.decode_without_bom_handling_and_without_replacement(rest).is_some();
    let seems = (encoding == UTF_8 && korean()).then_some("cp949");
    Err(RosterError::Encoding { line, encoding: encoding.name(), seems })
}

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    StudentId,
    Name,
    LastName,
    FirstName,
    Email,
    Section,
    Login,
    CanvasId,
    CodeHost,
    Withdrawn,
}

impl Column {
    fn named(text: &str) -> Option<Self> {
        let name: String = text
            .trim()
            .to_lowercase()
            .chars()
            .map(|letter| if matches!(letter, '_' | '-') { ' ' } else { letter })
            .collect();
        Some(match name.as_str() {
            "student id" | "sis user id" | "id number" | "idnumber" | "학번" => Self::StudentId,
            "name" | "student" | "student name" | "full name" | "이름" | "성명" => Self::Name,
            "last name" | "lastname" | "surname" | "family name" | "성" => Self::LastName,
            "first name" | "firstname" | "given name" => Self::FirstName,
            "email" | "e mail" | "email address" | "mail" | "이메일" => Self::Email,
            "section" | "group" | "class" | "분반" => Self::Section,
            "login" | "sis login id" | "login id" | "username" | "user name" => Self::Login,
            "canvas id" | "id" => Self::CanvasId,
            "code host" | "github" | "github username" | "gitlab" | "gitlab username" => Self::CodeHost,
            "withdrawn" => Self::Withdrawn,
            _ => return None,
        })
    }
}

fn parse(text: &str) -> Result<Read, RosterError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut records = reader.records().filter_map(|record| {
        // The bytes are UTF-8 and rows may be of any length: there is nothing else that could be wrong.
        let record = record.ok()?;
        let line = record.position().map_or(0, csv::Position::line);
        (!record.iter().all(|cell| cell.trim().is_empty())).then_some((line, record))
    });
    let (_, header) = records.next().ok_or(RosterError::Empty)?;
    let (columns, ignored) = columns(&header)?;
    let (mut rows, mut lines, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for (line, record) in records {
        // Canvas puts the points of its assignments between the header and the students.
        if rows.is_empty() && record.get(0).is_some_and(|cell| cell.trim().starts_with("Points Possible")) {
            continue;
        }
        // Canvas's own student for trying things out, who has no id of the school.
        if record.get(0).is_some_and(|cell| cell.trim() == "Student, Test") {
            continue;
        }
        match row(&columns, &header, &record) {
            Ok(row) => {
                rows.push(row);
                lines.push(line);
            }
            Err(why) => wrong.push((line, why)),
        }
    }
    for clash in roster_clashes(&rows) {
        let (first, second) = (lines[clash.first], lines[clash.second]);
        wrong.push((
            second,
            t!(
                "the {what} '{value}' is in line {first} too",
                what = locale::said(clash.what),
                value = clash.value,
                first
            ),
        ));
    }
    if !wrong.is_empty() {
        wrong.sort();
        let mut told: Vec<String> = wrong
            .iter()
            .take(MAX_TOLD)
            .map(|(line, why)| t!("line {line}: {error}", line, error = why))
            .collect();
        if wrong.len() > MAX_TOLD {
            told.push(t!("and {more} more", more = wrong.len() - MAX_TOLD));
        }
        return Err(RosterError::Rows(told));
    }
    match rows.len() {
        0 => Err(RosterError::Empty),
        count if count > MAX_ROSTER_ROWS => Err(RosterError::TooMany(count)),
        _ => Ok(Read { rows, ignored }),
    }
}

/// What separates the names of the columns.
fn separator(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |separator: &u8| header.bytes().filter(|byte| byte == separator).count();
    // The first of equal ones, which is the comma.
    let mut best = b',';
    for separator in [b';', b'\t'] {
        if count(&separator) > count(&best) {
            best = separator;
        }
    }
    best
}

fn columns(header: &csv::StringRecord) -> Result<(Vec<Option<Column>>, Vec<String>), RosterError> {
    let columns: Vec<Option<Column>> = header.iter().map(Column::named).collect();
    for (place, column) in columns.iter().enumerate() {
        let earlier = columns[..place].iter().position(|other| column.is_some() && other == column);
        if let Some(earlier) = earlier {
            let (one, other) =
                (header.get(earlier).unwrap_or_default(), header.get(place).unwrap_or_default());
            return Err(RosterError::Header(t!(
                "'{one}' and '{other}' mean the same",
                one = one.trim(),
                other = other.trim()
            )));
        }
    }
    let has = |column| columns.contains(&Some(column));
    if !has(Column::StudentId) {
        let names: Vec<&str> = header.iter().map(str::trim).collect();
        let mut message = t!("no column is the student id, among {names}", names = names.join(", "));
        if has(Column::CanvasId) {
            message.push_str(t!("; 'id' is the number that Canvas gives, call the school's student_id"));
        }
        return Err(RosterError::Header(message));
    }
    if !has(Column::Name) && !has(Column::LastName) {
        return Err(RosterError::Header(t!("no column is the name").into()));
    }
    let unknown = columns.iter().zip(header).filter(|(column, _)| column.is_none());
    let ignored = unknown.map(|(_, name)| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    Ok((columns, ignored))
}

fn row(
    columns: &[Option<Column>],
    header: &csv::StringRecord,
    record: &csv::StringRecord,
) -> Result<RosterRow, String> {
    if record.len() != header.len() {
        return Err(t!(
            "it has {fields} fields, and line 1 has {columns}",
            fields = record.len(),
            columns = header.len()
        ));
    }
    let cell = |wanted: Column| {
        let place = columns.iter().position(|column| *column == Some(wanted))?;
        record.get(place).map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned)
    };
    if record.iter().any(|cell| cell.contains('\n')) {
        return Err(t!("a field in quotes goes on in the next line: is a quote missing?").into());
    }
    let (mut last, mut first) = (cell(Column::LastName), cell(Column::FirstName));
    let name = match cell(Column::Name) {
        Some(name) => {
            // As Canvas writes it.
            if let (None, None, Some((family, given))) = (&last, &first, name.split_once(", ")) {
                (last, first) = (Some(family.trim().into()), Some(given.trim().into()));
            }
            name
        }
        None => match (&first, &last) {
            (Some(first), Some(last)) => format!("{first} {last}"),
            _ => last.clone().unwrap_or_default(),
        },
    };
    let withdrawn = match cell(Column::Withdrawn).as_deref().map(str::to_lowercase).as_deref() {
        None => None,
        Some("yes" | "y" | "true" | "1" | "x") => Some(true),
        Some("no" | "n" | "false" | "0") => Some(false),
        Some(other) => return Err(t!("'{other}' is neither yes nor no, in the column withdrawn", other)),
    };
    let row = RosterRow {
        student_id: cell(Column::StudentId).unwrap_or_default(),
        name,
        last_name: last,
        first_name: first,
        email: cell(Column::Email),
        section: cell(Column::Section),
        login: cell(Column::Login),
        canvas_id: cell(Column::CanvasId),
        code_host: cell(Column::CodeHost),
        withdrawn,
    };
    row.check().map(|()| row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> String {
        match decode(bytes, None).and_then(|text| parse(&text)) {
            Ok(read) => format!("{} rows", read.rows.len()),
            Err(error) => {
                assert!(error.hint().is_some(), "'{error}' says what to do");
                error.to_string()
            }
        }
    }

    #[test]
    fn names_are_read_however_the_file_was_saved() {
        let text = "학번,이름,이메일\r\n2026-1,\"김, 민지\",kim@example.org\r\n";
        let korean = EUC_KR.encode(text).0.into_owned();
        let with_mark = format!("\u{feff}{text}");
        let wide: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let expected = RosterRow {
            student_id: "2026-1".into(),
            name: "김, 민지".into(),
            last_name: Some("김".into()),
            first_name: Some("민지".into()),
            email: Some("kim@example.org".into()),
            ..RosterRow::default()
        };
        for (bytes, encoding) in [
            (text.as_bytes(), None),
            (with_mark.as_bytes(), None),
            (&wide, None),
            (&korean, Some("cp949")),
            (&korean, Some("EUC-KR")),
        ] {
            let read = decode(bytes, encoding).and_then(|text| parse(&text)).expect("is read");
            assert_eq!(read.rows, std::slice::from_ref(&expected), "{encoding:?}");
        }
        let refused = decode(&korean, None).expect_err("is not UTF-8");
        assert_eq!(refused.to_string(), "line 1 is not UTF-8");
        assert_eq!(refused.hint().expect("a hint"), "it looks like cp949: try --encoding cp949");
        assert!(matches!(decode(b"x", Some("klingon")), Err(RosterError::NoEncoding(_))));
    }

    #[test]
    fn separators_blank_lines_and_foreign_columns_are_no_obstacle() {
        let text = "Name;Student ID;Notes;GitHub\n\nKim;1;\"a;b\";kim-dev\n;;;\nLee;2;;\n";
        let read = parse(text).expect("is read");
        assert_eq!(read.rows.len(), 2);
        assert_eq!(read.rows[0].code_host.as_deref(), Some("kim-dev"));
        assert_eq!((read.rows[1].code_host.as_deref(), read.ignored), (None, vec!["Notes".to_owned()]));
        assert_eq!(parse("student_id\tname\n1\tKim\n").expect("is read").rows[0].name, "Kim");
        let canvas = "Student,ID,SIS User ID,SIS Login ID,Section,HW1 (7)\n    Points Possible,,,,,20\n\
                      \"Kim, Minji\",501,2026-1,minji,A,\n\"Student, Test\",999,,0b1a,A,\n";
        let rows = parse(canvas).expect("is read").rows;
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!((row.canvas_id.as_deref(), row.login.as_deref()), (Some("501"), Some("minji")));
        let moodle = "First name,Last name,ID number,Email address\nMinji,Kim,2026-1,kim@example.org\n";
        assert_eq!(parse(moodle).expect("is read").rows[0].name, "Minji Kim");
    }

    #[test]
    fn every_broken_row_is_named_by_its_line() {
        let text = "student_id,name,email,withdrawn\n1,Kim,kim@x.org,\n2,Lee\n,Park,,\n1,Choi,,\n5,Han,han,\n\
                    6,Oh,KIM@X.ORG,\n7,Yu,,maybe\n";
        assert_eq!(
            said(text.as_bytes()),
            "line 3: it has 2 fields, and line 1 has 4\n\
             line 4: it has no student id\n\
             line 5: the student id '1' is in line 2 too\n\
             line 6: 'han' is no e-mail address\n\
             line 7: the e-mail address 'kim@x.org' is in line 2 too\n\
             line 8: 'maybe' is neither yes nor no, in the column withdrawn"
        );
        assert_eq!(
            said(b"student_id,name\n1,\"Kim\n2,Lee\n"),
            "line 2: a field in quotes goes on in the next line: is a quote missing?"
        );
        assert_eq!(said(b"student_id,name\n1,Kim\n2,L\xffe\n"), "line 3 is not UTF-8");
        assert_eq!(said(b""), "there is no row in the file");
        assert_eq!(said(b"student_id,name\n"), "there is no row in the file");
        assert_eq!(said(b"name,mail\nKim,x\n"), "line 1: no column is the student id, among name, mail");
        assert_eq!(said(b"student_id,login\n1,kim\n"), "line 1: no column is the name");
        assert_eq!(said(b"name,Name,student_id\nKim,Kim,1\n"), "line 1: 'name' and 'Name' mean the same");
    }
}
