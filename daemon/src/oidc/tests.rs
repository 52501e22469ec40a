//! Tokens of issuers whose keys are made here, with the keys in a file and at an address on this machine.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header, encode};
use p256::pkcs8::EncodePrivateKey;
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::settings::OidcKeys;

const ISSUER: &str = "https://gitlab.example";
const AUDIENCE: &str = "codementor";

/// Somebody who signs.
struct Signer {
    kid: &'static str,
    algorithm: Algorithm,
    private: EncodingKey,
    public: Value,
}

fn base64(bytes: &[u8]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(bytes)
}

impl Signer {
    fn elliptic(kid: &'static str) -> Self {
        let key = p256::SecretKey::random(&mut OsRng);
        let point = p256::elliptic_curve::sec1::ToEncodedPoint::to_encoded_point(&key.public_key(), false);
        let (x, y) = (point.x().expect("is no infinity"), point.y().expect("is no infinity"));
        let public = json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, "x": base64(x), "y": base64(y),
        });
        let private = key.to_pkcs8_der().expect("is encoded");
        Self {
            kid,
            algorithm: Algorithm::ES256,
            private: EncodingKey::from_ec_der(private.as_bytes()),
            public,
        }
    }

    fn rsa(kid: &'static str) -> Self {
        let key = rsa::RsaPrivateKey::new(&mut OsRng, 2048).expect("a key");
        let public = json!({
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid,
            "n": base64(&key.n().to_bytes_be()), "e": base64(&key.e().to_bytes_be()),
        });
        let private = rsa::pkcs1::EncodeRsaPrivateKey::to_pkcs1_der(&key).expect("is encoded");
        Self {
            kid,
            algorithm: Algorithm::RS256,
            private: EncodingKey::from_rsa_der(private.as_bytes()),
            public,
        }
    }

    fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.kid.into()), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.private).expect("is signed")
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs() as i64
}

fn claims(change: &[(&str, Value)]) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "iat": now(), "nbf": now(), "exp": now() + 300, "namespace_path": "kim",
    });
    for (name, value) in change {
        claims[*name] = value.clone();
    }
    claims
}

fn issuer(keys: OidcKeys) -> OidcIssuer {
    OidcIssuer { issuer: ISSUER.into(), audience: AUDIENCE.into(), keys, owner_claim: None }
}

fn with_file(signers: &[&Signer]) -> (tempfile::NamedTempFile, Oidc) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let keys: Vec<&Value> = signers.iter().map(|signer| &signer.public).collect();
    std::fs::write(file.path(), json!({ "keys": keys }).to_string()).expect("is written");
    let oidc = Oidc::new(&[issuer(OidcKeys::File(file.path().into()))]);
    (file, oidc)
}

async fn refusal(oidc: &Oidc, token: &str) -> String {
    oidc.owner(token).await.expect_err("is refused").message
}

#[tokio::test]
async fn a_token_says_whose_repository_it_is_of() {
    let (elliptic, rsa) = (Signer::elliptic("one"), Signer::rsa("two"));
    let (_file, oidc) = with_file(&[&elliptic, &rsa]);
    for signer in [&elliptic, &rsa] {
        assert_eq!(oidc.owner(&signer.sign(&claims(&[]))).await.expect("is accepted"), "kim");
    }
    let several = claims(&[("aud", json!(["other", AUDIENCE]))]);
    assert_eq!(oidc.owner(&elliptic.sign(&several)).await.expect("is accepted"), "kim");

    let github = OidcIssuer { issuer: GITHUB.into(), ..issuer(OidcKeys::File(_file.path().into())) };
    let token = elliptic.sign(&claims(&[("iss", json!(GITHUB)), ("repository_owner", json!("Kim"))]));
    assert_eq!(Oidc::new(&[github]).owner(&token).await.expect("is accepted"), "Kim");
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_found() {
    let signer = Signer::elliptic("one");
    let (_file, oidc) = with_file(&[&signer]);
    for (change, word) in [
        (("aud", json!("other")), "audience"),
        (("aud", Value::Null), "lacks"),
        (("iss", json!("https://gitlab.example.evil")), "issuer"),
        (("iss", json!([ISSUER])), "issuer"),
        (("exp", json!(now() - 90)), "expired"),
        (("nbf", json!(now() + 90)), "not valid yet"),
        (("namespace_path", json!("")), "whose repository"),
        (("namespace_path", json!(["kim"])), "whose repository"),
    ] {
        let message = refusal(&oidc, &signer.sign(&claims(std::slice::from_ref(&change)))).await;
        assert!(message.contains(word), "{change:?}: {message}");
    }
    // Clocks may differ by less than a minute.
    for change in [("exp", json!(now() - 30)), ("nbf", json!(now() + 30))] {
        oidc.owner(&signer.sign(&claims(&[change]))).await.expect("is accepted");
    }
    for claim in ["exp", "iss", "aud"] {
        let mut lacking = claims(&[]);
        lacking.as_object_mut().expect("an object").remove(claim);
        oidc.owner(&signer.sign(&lacking)).await.expect_err(claim);
    }
    let none = Oidc::new(&[]).owner(&signer.sign(&claims(&[]))).await.expect_err("is refused");
    assert_eq!(none.code, RefusalCode::Forbidden);
}

#[tokio::test]
async fn only_the_issuers_own_keys_sign_and_only_as_they_are_meant() {
    let (signer, stranger) = (Signer::elliptic("one"), Signer::elliptic("one"));
    let (_file, oidc) = with_file(&[&signer]);
    let good = signer.sign(&claims(&[]));
    assert!(refusal(&oidc, &stranger.sign(&claims(&[]))).await.contains("signature"));
    assert!(refusal(&oidc, &Signer::elliptic("other").sign(&claims(&[]))).await.contains("signature"));
    assert!(refusal(&oidc, &Signer::rsa("one").sign(&claims(&[]))).await.contains("signature"));

    // With the public key as the secret of a signature that anybody can make.
    let secret = EncodingKey::from_secret(signer.public.to_string().as_bytes());
    let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::HS256) };
    let forged = encode(&header, &claims(&[]), &secret).expect("is signed");
    assert!(refusal(&oidc, &forged).await.contains("proves nothing"));
    let part = |value: Value| base64(value.to_string().as_bytes());
    let unsigned = format!("{}.{}.", part(json!({ "alg": "none", "kid": "one" })), part(claims(&[])));
    assert!(refusal(&oidc, &unsigned).await.contains("no signed JWT"));

    // Another's claims under a good signature.
    let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
    parts[1] = part(claims(&[("namespace_path", json!("lee"))]));
    assert!(refusal(&oidc, &parts.join(".")).await.contains("signature"));
    for text in ["", "a.b.c", "..", &"x".repeat(MAX_TOKEN + 1)] {
        oidc.owner(text).await.expect_err("is refused");
    }
}

/// What is served at the moment.
type Body = Arc<Mutex<String>>;

/// Serves what `body` holds at an address on this machine, and counts how often it was asked.
async fn serve(body: Body) -> (String, Arc<Mutex<u32>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let url = format!("http://{}/jwks", listener.local_addr().expect("has an address"));
    let asked = Arc::new(Mutex::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).await.unwrap_or(0) == 0 {
                    break;
                }
                request.push(byte[0]);
            }
            *count.lock().expect("nobody panicked") += 1;
            let body = body.lock().expect("nobody panicked").clone();
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length";
            let answer = format!("{head}: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, asked)
}

#[tokio::test]
async fn keys_are_fetched_once_and_again_when_the_issuer_has_new_ones() {
    let (old, new) = (Signer::elliptic("old"), Signer::elliptic("new"));
    let set = |signer: &Signer| json!({ "keys": [signer.public] }).to_string();
    let body = Arc::new(Mutex::new(set(&old)));
    let (url, asked) = serve(body.clone()).await;
    let settings = issuer(OidcKeys::Url(url));
    let times = || *asked.lock().expect("nobody panicked");

    let oidc = Oidc::new(std::slice::from_ref(&settings));
    for _ in 0..3 {
        oidc.owner(&old.sign(&claims(&[]))).await.expect("is accepted");
    }
    assert_eq!(times(), 1);
    *body.lock().expect("nobody panicked") = set(&new);
    refusal(&oidc, &new.sign(&claims(&[]))).await;
    assert_eq!(times(), 1, "tokens with unknown keys do not make it ask at their pace");

    let eager =
        Oidc { issuers: vec![Issuer { keys: Keys::with_pause(&settings.keys, Duration::ZERO), settings }] };
    *body.lock().expect("nobody panicked") = set(&old);
    eager.owner(&old.sign(&claims(&[]))).await.expect("is accepted");
    *body.lock().expect("nobody panicked") = set(&new);
    eager.owner(&new.sign(&claims(&[]))).await.expect("the new key is found");
    refusal(&eager, &old.sign(&claims(&[]))).await;
    *body.lock().expect("nobody panicked") = "no keys".into();
    refusal(&eager, &old.sign(&claims(&[]))).await;
    eager.owner(&new.sign(&claims(&[]))).await.expect("known keys are better than none");
}

#[tokio::test]
async fn an_issuer_that_is_away_is_no_fault_of_the_token() {
    let signer = Signer::elliptic("one");
    for keys in
        [OidcKeys::Url("http://127.0.0.1:1/jwks".into()), OidcKeys::File("/nonexistent/jwks.json".into())]
    {
        let refusal =
            Oidc::new(&[issuer(keys)]).owner(&signer.sign(&claims(&[]))).await.expect_err("is refused");
        assert_eq!(refusal.code, RefusalCode::Later);
    }
}
