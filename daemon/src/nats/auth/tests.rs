use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use nkeys::KeyPair;

use super::*;

fn keys() -> (tempfile::TempDir, Keys) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let keys = Keys::load_or_create(&dir.path().join("keys")).expect("keys are made");
    (dir, keys)
}

#[test]
fn keys_are_made_once_and_read_ever_after() {
    let (dir, first) = keys();
    let again = Keys::load_or_create(&dir.path().join("keys")).expect("keys are read");
    assert_eq!(first.operator_jwt(), again.operator_jwt());
    assert_eq!(first.account_jwt(), again.account_jwt());
    assert_eq!(
        first.enrol_creds().expect("creds").public_key(),
        again.enrol_creds().expect("creds").public_key()
    );
    let mode = |path: &str| {
        dir.path().join(path).metadata().expect("the file is there").permissions().mode() & 0o777
    };
    assert_eq!((mode("keys"), mode("keys/keys.json")), (0o700, 0o600));
}

#[test]
fn an_account_with_other_permissions_is_signed_again_and_later() {
    let (dir, first) = keys();
    let path = dir.path().join("keys/keys.json");
    let text = std::fs::read_to_string(&path).expect("the file is there");
    let mut file: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
    // As if an earlier version had known one role less.
    file["roles"].as_object_mut().expect("an object").remove("instructor");
    std::fs::write(&path, file.to_string()).expect("the file is written");
    let again = Keys::load_or_create(&dir.path().join("keys")).expect("keys are read");
    let issued = |jwt: &str| jwt::read(jwt).expect("a claim")["iat"].as_u64().expect("a number");
    assert!(issued(&again.account_jwt()) > issued(&first.account_jwt()));
    assert_eq!(first.operator_jwt(), again.operator_jwt());
}

#[test]
fn damaged_keys_are_refused_and_not_replaced() {
    let (dir, _) = keys();
    let path = dir.path().join("keys/keys.json");
    std::fs::write(&path, "{\"format\": 1").expect("the file is written");
    let error = Keys::load_or_create(&dir.path().join("keys")).expect_err("is refused").to_string();
    assert!(error.contains("damaged") && error.contains("backup"), "{error}");
    std::fs::write(&path, "{\"format\": 9}").expect("the file is written");
    let error = Keys::load_or_create(&dir.path().join("keys")).expect_err("is refused").to_string();
    assert!(error.contains("format 9"), "{error}");
}

#[test]
fn a_user_is_a_name_and_a_key_signed_by_its_role() {
    let (_dir, keys) = keys();
    let user = KeyPair::new_user().public_key();
    let token = keys.mint_user(Role::Student, "kim", &user, None).expect("is signed");
    let claim = jwt::read(&token).expect("a claim");
    assert_eq!((claim["name"].as_str(), claim["sub"].as_str()), (Some("kim"), Some(user.as_str())));
    assert_eq!(claim["nats"].as_object().expect("an object").len(), 3, "{claim}");

    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let signature = data_encoding::BASE64URL_NOPAD.decode(signature.as_bytes()).expect("base64");
    let signer = KeyPair::from_public_key(claim["iss"].as_str().expect("a text")).expect("a key");
    signer.verify(signed.as_bytes(), &signature).expect("the signature is the role's");

    for name in ["", "Kim", "a.b", "*", ">", "a b", "kim\n", "{{name()}}"] {
        assert!(
            matches!(keys.mint_user(Role::Student, name, &user, None), Err(MintError::Name(_))),
            "{name:?}"
        );
    }
    for key in ["", "UABC", &KeyPair::new_account().public_key(), &user[..55]] {
        assert!(matches!(keys.mint_user(Role::Student, "kim", key, None), Err(MintError::Key(_))), "{key}");
    }
    let past = SystemTime::now() - Duration::from_secs(1);
    assert!(matches!(keys.mint_user(Role::Student, "kim", &user, Some(past)), Err(MintError::Expired)));
}

#[test]
fn inboxes_of_roles_never_meet() {
    for role in [Role::Judge, Role::Daemon, Role::Enrol] {
        for name in ["judge", "daemon", "enrol"] {
            assert!(!role.inbox(name).starts_with("_INBOX."), "{role:?}");
        }
    }
}

#[test]
fn creds_survive_their_file() {
    let (dir, keys) = keys();
    let creds = keys.issue(Role::Student, "kim", None).expect("is signed");
    let path = dir.path().join("user.creds");
    creds.write(&path).expect("is written");
    assert_eq!(Creds::read(&path).expect("is read"), creds);
    assert_eq!(path.metadata().expect("is there").permissions().mode() & 0o777, 0o600);
    assert_eq!(creds.user_name().as_deref(), Some("kim"));
    assert!(!format!("{creds:?}").contains(&creds.seed));

    for (text, why) in [
        ("", "NATS USER JWT"),
        ("-----BEGIN NATS USER JWT-----\nabc\n------END NATS USER JWT------\n", "USER NKEY SEED"),
        (
            "-----BEGIN NATS USER JWT-----\na\n---\n-----BEGIN USER NKEY SEED-----\nSUABC\n---\n",
            "not a user's",
        ),
    ] {
        let error = text.parse::<Creds>().expect_err("is refused").to_string();
        assert!(error.contains(why), "{error}");
    }
}
