//! Where files come from: hostile zips, links that lead away, and bounds that are passed.

use std::io::{Cursor, Write};
use std::os::unix::fs::symlink;

use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::read::{self, Opened};
use crate::testing::Sketch;

fn open_zip(bytes: Vec<u8>) -> Result<Opened, Vec<String>> {
    read::open_bytes("sum", bytes).map_err(|defects| defects.iter().map(Defect::to_string).collect())
}

#[track_caller]
fn refused(bytes: Vec<u8>, expected: &str) {
    let defects = open_zip(bytes).expect_err("the zip should be refused");
    assert!(
        defects.iter().any(|defect| defect.contains(expected)),
        "expected {expected:?}, found {defects:?}"
    );
}

/// A sound package with one more entry.
fn zip_with(add: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let mut writer = ZipWriter::new_append(Cursor::new(Sketch::legacy().zip(""))).unwrap();
    add(&mut writer);
    writer.finish().unwrap().into_inner()
}

fn zip_with_file(name: &str) -> Vec<u8> {
    zip_with(|zip| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(b"content").unwrap();
    })
}

fn zip_with_link(name: &str, target: &str) -> Vec<u8> {
    zip_with(|zip| zip.add_symlink(name, target, SimpleFileOptions::default()).unwrap())
}

/// Replaces all places where some bytes stand, which must be of the same length.
fn patch(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<_> = (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty(), "there is nothing to patch");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

/// Changes a field of an entry's record in the central directory.
fn patch_record(mut bytes: Vec<u8>, name: &str, offset: usize, value: &[u8]) -> Vec<u8> {
    let record = (0..bytes.len() - 46)
        .find(|at| bytes[*at..].starts_with(b"PK\x01\x02") && bytes[*at + 46..].starts_with(name.as_bytes()))
        .unwrap();
    bytes[record + offset..record + offset + value.len()].copy_from_slice(value);
    bytes
}

#[test]
fn a_zip_is_read_with_a_top_folder_or_without() {
    let root = open_zip(Sketch::legacy().zip("")).unwrap();
    let top = open_zip(Sketch::legacy().zip("adder/")).unwrap();
    assert_eq!((root.package.slug.as_str(), top.package.slug.as_str()), ("sum", "adder"));
    assert_eq!(root.package.cases, top.package.cases);
    assert_eq!((root.warnings.len(), top.warnings.len()), (0, 0));
    for opened in [root, top] {
        assert_eq!(opened.files.read("data/secret/1.in").unwrap(), b"3 4\n");
    }
    // What some packers add beside the folder does not hide it.
    let extra = Sketch(
        Sketch::legacy().0.into_iter().map(|(name, bytes)| (format!("adder/{name}"), bytes)).collect(),
    );
    let extra = extra.with("__MACOSX/adder/._problem.yaml", "x").with(".DS_Store", "x");
    assert_eq!(open_zip(extra.zip("")).unwrap().package.slug, "adder");
}

#[test]
fn a_zip_file_is_known_by_its_content_and_called_by_its_name() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("adder.kpp");
    std::fs::write(&path, Sketch::legacy().zip("")).unwrap();
    let opened = read::open(&path).unwrap();
    assert_eq!(opened.package.slug, "adder");
    assert_eq!(opened.files.read("data/sample/1.ans").unwrap(), b"3\n");
}

#[test]
fn entries_that_lead_outside_are_refused() {
    for name in
        ["../evil", "data/../../evil", "/etc/evil", "..\\evil", "C:\\evil", "data/secret/../../../evil"]
    {
        refused(zip_with_file(name), "leads outside the package");
    }
    // Even where they would not be used.
    refused(zip_with_file(".git/../../evil"), "leads outside the package");
}

#[test]
fn links_in_a_zip_are_followed_inside_and_refused_outside() {
    let opened = open_zip(zip_with_link("data/sample/2.in", "../secret/1.in"));
    assert!(opened.unwrap_err()[0].contains("data/sample/2.in: has no answer"));
    let linked = zip_with(|zip| {
        let options = SimpleFileOptions::default();
        zip.add_symlink("data/secret/2.in", "../sample/1.in", options).unwrap();
        zip.add_symlink("data/secret/2.ans", "2.real", options).unwrap();
        zip.add_symlink("data/secret/2.real", "./1.ans", options).unwrap();
        zip.add_symlink("data/secret/more", "../sample", options).unwrap();
    });
    let opened = open_zip(linked).unwrap();
    assert_eq!(opened.files.read("data/secret/2.in").unwrap(), b"1 2\n");
    assert_eq!(opened.files.read("data/secret/2.ans").unwrap(), b"7\n");
    assert_eq!(opened.files.read("data/secret/more/1.ans").unwrap(), b"3\n");

    refused(
        zip_with_link("data/secret/2.in", "../../../etc/passwd"),
        "data/secret/2.in: leads outside the package to",
    );
    refused(zip_with_link("data/secret/2.in", "/etc/passwd"), "leads outside the package to '/etc/passwd'");
    refused(
        zip_with_link("data/secret/2.in", "9.in"),
        "is a symbolic link to '9.in', which does not lead to a file",
    );
    refused(zip_with_link("data/secret/2.in", "2.in"), "is a symbolic link to '2.in'");
}

#[test]
fn an_entry_below_a_link_does_not_go_where_the_link_leads() {
    let bytes = zip_with(|zip| {
        let options = SimpleFileOptions::default();
        zip.add_symlink("attachments/a", "/tmp", options).unwrap();
        zip.start_file("attachments/a/evil", options).unwrap();
    });
    refused(bytes, "attachments/a: leads outside the package to '/tmp'");
}

#[test]
fn two_entries_of_one_name_are_refused() {
    let bytes = patch(zip_with_file("data/secret/1.iX"), b"data/secret/1.iX", b"data/secret/1.in");
    refused(bytes, "more than once");
    refused(zip_with_file("data//secret/./1.in"), "data/secret/1.in: is in the zip more than once");
    refused(zip_with_file("data"), "a folder and a file have one name");
}

#[test]
fn damaged_encrypted_and_special_entries_are_refused() {
    let sound = Sketch::legacy().zip("");
    refused(sound[..sound.len() - 30].to_vec(), "is not a sound zip");
    refused(b"PK\x03\x04 and nothing else".to_vec(), "is not a sound zip");
    let name = "data/secret/1.in";
    refused(
        patch_record(sound.clone(), name, 8, &[1, 0]),
        "data/secret/1.in: cannot be unpacked (it is encrypted)",
    );
    refused(
        patch_record(sound.clone(), name, 10, &[12, 0]),
        "data/secret/1.in: cannot be unpacked (its compression",
    );
    // The high half of the external attributes is the Unix mode; 0o010000 is a named pipe.
    refused(
        patch_record(sound, name, 40, &0o010_644u16.to_le_bytes()),
        "data/secret/1.in: is neither a file nor a folder",
    );
}

#[test]
fn content_that_is_not_as_long_as_declared_is_not_read() {
    let bytes = patch_record(Sketch::legacy().zip(""), "data/secret/1.in", 24, &2u32.to_le_bytes());
    let opened = open_zip(bytes).unwrap();
    assert!(opened.files.read("data/secret/1.in").is_err());
    assert!(matches!(opened.files.read("data/secret/9.in"), Err(ReadError::NotThere(_))));
}

#[test]
fn bounds_are_kept_before_anything_is_unpacked() {
    let default = Bounds::default();
    let (_temporary, folder) = Sketch::legacy().with("data/secret/1.in", vec![b'1'; 5000]).folder();
    let zip = folder.with_extension("zip");
    std::fs::write(&zip, Sketch::legacy().with("data/secret/1.in", vec![b'1'; 5000]).zip("")).unwrap();
    for (bounds, expected) in [
        (Bounds { files: 7, ..default }, "the package: the number of files is over the bound of 7"),
        (
            Bounds { file_bytes: 4999, ..default },
            "data/secret/1.in: its size is over the bound of 4999 bytes",
        ),
        (
            Bounds { total_bytes: 5005, ..default },
            "the package: the size of all files is over the bound of 5005 bytes",
        ),
    ] {
        for source in [&folder, &zip] {
            let defects = read::open_within(source, &bounds).unwrap_err();
            assert_eq!(defects.len(), 1, "{defects:?}");
            assert!(defects[0].to_string().contains(expected), "{defects:?}");
        }
    }
    let exact = Bounds { files: 8, file_bytes: 5000, ..default };
    assert!(read::open_within(&folder, &exact).is_ok() && read::open_within(&zip, &exact).is_ok());
}

#[test]
fn a_declared_size_beyond_the_bound_is_refused() {
    let huge = patch_record(Sketch::legacy().zip(""), "data/secret/1.in", 24, &0xF000_0000u32.to_le_bytes());
    refused(huge, "data/secret/1.in: its size is over the bound");
}

#[test]
fn links_in_a_folder_are_followed_inside_and_refused_outside() {
    let (temporary, path) = Sketch::legacy().folder();
    symlink("../sample/1.in", path.join("data/secret/2.in")).unwrap();
    symlink(path.join("data/sample/1.ans"), path.join("data/secret/2.ans")).unwrap();
    symlink("../sample", path.join("data/secret/more")).unwrap();
    let opened = read::open(&path).unwrap();
    assert_eq!(opened.package.cases.len(), 4);
    assert_eq!(opened.files.read("data/secret/2.in").unwrap(), b"1 2\n");

    std::fs::write(temporary.path().join("secret.txt"), "x").unwrap();
    for (target, expected) in [
        ("../../../secret.txt", "leads outside the package to '../../../secret.txt'"),
        ("nowhere", "is a symbolic link to 'nowhere', which does not lead to a file"),
        ("..", "is a symbolic link to '..'"),
    ] {
        let link = path.join("data/secret/link.in");
        symlink(target, &link).unwrap();
        let defects = read::open(&path).unwrap_err();
        assert!(defects[0].to_string().contains(expected), "{defects:?}");
        std::fs::remove_file(&link).unwrap();
    }
}

#[test]
fn a_pipe_in_a_folder_is_refused_without_waiting_on_it() {
    let (_temporary, path) = Sketch::legacy().folder();
    let status = std::process::Command::new("mkfifo").arg(path.join("data/secret/pipe")).status().unwrap();
    assert!(status.success());
    let defects = read::open(&path).unwrap_err();
    assert_eq!(defects[0].kind, DefectKind::SpecialFile);
}

#[test]
fn a_folder_of_folders_without_end_is_refused() {
    let deep = format!("data/secret/{}1.in", "d/".repeat(20));
    let (_temporary, path) = Sketch::legacy().with(&deep, "").folder();
    let defects = read::open(&path).unwrap_err();
    assert!(defects[0].to_string().contains("the depth of its folders is over the bound"), "{defects:?}");
}

#[test]
fn files_are_stored_under_the_hash_of_their_content() {
    let opened = open_zip(Sketch::legacy().zip("")).unwrap();
    let target = tempfile::tempdir().unwrap();
    let hash = opened.files.store("data/secret/1.in", target.path()).unwrap();
    assert_eq!(hash, opened.files.hash("data/secret/1.in").unwrap());
    assert_eq!(hash.len(), 64);
    assert_eq!(std::fs::read(target.path().join(&hash)).unwrap(), b"3 4\n");
    assert_eq!(opened.files.store("data/secret/1.in", target.path()).unwrap(), hash);
    assert_eq!(std::fs::read_dir(target.path()).unwrap().count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Wherever a zip is damaged, it is refused or read, and no file is longer than it says.
    #[test]
    fn a_zip_damaged_anywhere_does_no_harm(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = Sketch::legacy().zip("");
        for (place, value) in changes {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(opened) = open_zip(bytes) {
            for file in opened.files.iter() {
                if let Ok(content) = opened.files.read(&file.name) {
                    prop_assert_eq!(content.len() as u64, file.size);
                }
            }
        }
    }
}
