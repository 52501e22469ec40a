//! NATS JWTs: three base64 parts, signed with an nkey. Only what we write and read of them.

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use nkeys::KeyPair;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512_256};

/// What every claim has besides its `nats` part.
pub(super) struct Claim<'a> {
    pub(super) subject: &'a str,
    pub(super) name: &'a str,
    /// In seconds of Unix time.
    pub(super) issued_at: u64,
    /// In seconds of Unix time.
    pub(super) expires: Option<u64>,
    pub(super) nats: Value,
}

/// Signs a claim.
pub(super) fn sign(signer: &KeyPair, claim: Claim<'_>) -> Result<String, nkeys::error::Error> {
    let mut body = Map::new();
    body.insert("iat".into(), claim.issued_at.into());
    body.insert("iss".into(), signer.public_key().into());
    body.insert("name".into(), claim.name.into());
    body.insert("sub".into(), claim.subject.into());
    if let Some(expires) = claim.expires {
        body.insert("exp".into(), expires.into());
    }
    body.insert("nats".into(), claim.nats);
    // The identifier of a claim is the hash of the claim without it.
    let hash = Sha512_256::digest(Value::Object(body.clone()).to_string());
    body.insert("jti".into(), BASE32_NOPAD.encode(&hash).into());
    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"}).to_string();
    let signed = format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(header.as_bytes()),
        BASE64URL_NOPAD.encode(Value::Object(body).to_string().as_bytes())
    );
    let signature = signer.sign(signed.as_bytes())?;
    Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
}

/// The claim of a JWT that we have signed ourselves; the signature is not checked.
pub(super) fn read(jwt: &str) -> Option<Value> {
    let body = jwt.split('.').nth(1)?;
    serde_json::from_slice(&BASE64URL_NOPAD.decode(body.as_bytes()).ok()?).ok()
}
