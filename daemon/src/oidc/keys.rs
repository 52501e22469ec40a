//! The public keys of an issuer: read from a file, or fetched and kept for a while.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use codementor_protocol::{Refusal, RefusalCode};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;

use crate::settings::OidcKeys;

/// How long fetched keys are used without looking for others.
const FRESH: Duration = Duration::from_secs(3600);
/// How long is waited between two fetches, so that tokens with made-up keys do not make us ask the issuer at their pace.
const PAUSE: Duration = Duration::from_secs(30);
/// How long a fetch may take.
const FETCH: Duration = Duration::from_secs(10);
/// Longer than any set of keys.
const MAX_KEYS: usize = 256 * 1024;

/// Why there is no key for a token.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("the issuer has no such key")]
    Unknown,
    #[error("cannot read {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the issuer's keys cannot be fetched: {0}")]
    Fetch(String),
    #[error("the issuer's keys cannot be read: {0}")]
    Malformed(String),
}

impl KeyError {
    pub(super) fn refusal(&self) -> Refusal {
        match self {
            Self::Unknown => Refusal::new(
                RefusalCode::Unauthorised,
                "the ID token is not accepted: its signature is not one of its issuer's",
            ),
            Self::File { .. } | Self::Fetch(_) | Self::Malformed(_) => Refusal::new(
                RefusalCode::Later,
                "the keys of the ID token's issuer cannot be had at this moment",
            )
            .hint("try again later; if it stays so, tell your instructor"),
        }
    }
}

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Keys {
    from: OidcKeys,
    pause: Duration,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    set: Option<JwkSet>,
    /// When they were last asked for, whether they came or not.
    asked: Option<Instant>,
}

impl Keys {
    pub(super) fn new(from: &OidcKeys) -> Self {
        Self::with_pause(from, PAUSE)
    }

    pub(super) fn with_pause(from: &OidcKeys, pause: Duration) -> Self {
        Self { from: from.clone(), pause, known: Mutex::default() }
    }

    /// The key of this name, for signatures of this kind.
    pub(super) async fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<DecodingKey, KeyError> {
        // Held while keys are fetched: whoever comes meanwhile waits for the same ones.
        let mut known = self.known.lock().await;
        let age = known.asked.map(|asked| asked.elapsed());
        let found = |known: &Known| known.set.as_ref().and_then(|set| choose(set, kid, algorithm));
        let is_old = age.is_none_or(|age| age >= FRESH);
        let may_ask = age.is_none_or(|age| age >= self.pause);
        // Issuers change their keys: one that is not known yet is looked for.
        if is_old || found(&known).is_none() && may_ask {
            known.asked = Some(Instant::now());
            match self.read().await {
                Ok(set) => known.set = Some(set),
                // Old keys are better than none.
                Err(error) if known.set.is_some() => {
                    tracing::warn!(%error, "an issuer's keys are not renewed")
                }
                Err(error) => return Err(error),
            }
        }
        match (found(&known), &known.set) {
            (Some(key), _) => Ok(key),
            (None, Some(_)) => Err(KeyError::Unknown),
            (None, None) => Err(KeyError::Fetch("they could not be had a moment ago".into())),
        }
    }

    async fn read(&self) -> Result<JwkSet, KeyError> {
        let bytes = match &self.from {
            OidcKeys::File(path) => {
                tokio::fs::read(path).await.map_err(|source| KeyError::File { path: path.clone(), source })?
            }
            OidcKeys::Url(url) => fetch(url).await?,
        };
        serde_json::from_slice(&bytes).map_err(|error| KeyError::Malformed(error.to_string()))
    }
}

async fn fetch(url: &str) -> Result<Vec<u8>, KeyError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Whoever was faster has installed the same.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    let failed = |error: reqwest::Error| KeyError::Fetch(error.without_url().to_string());
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("codementor/", env!("CARGO_PKG_VERSION")))
        .timeout(FETCH)
        // The keys come from where the configuration says.
        .redirect(reqwest::redirect::Policy::none());
    if url.starts_with("http://") {
        // Only on this machine.
        builder = builder.no_proxy();
    }
    let client = builder.build().map_err(failed)?;
    let mut response =
        client.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
    if !response.status().is_success() {
        return Err(KeyError::Fetch(format!("the answer is {}", response.status())));
    }
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if bytes.len() + piece.len() > MAX_KEYS {
            return Err(KeyError::Fetch("the answer is too long".into()));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// The key of this name; where a token names none, the only one there is.
fn choose(set: &JwkSet, kid: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
    let mut fitting = set.keys.iter().filter(|key| {
        fits(key, algorithm) && kid.is_none_or(|kid| key.common.key_id.as_deref() == Some(kid))
    });
    let key = fitting.next()?;
    if kid.is_none() && fitting.next().is_some() {
        return None;
    }
    DecodingKey::from_jwk(key).ok()
}

/// Whether a key is one for signatures of this kind: else a token could choose how its key is understood.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let for_signing = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
    let of_kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256 | Algorithm::PS256) => true,
        (AlgorithmParameters::EllipticCurve(curve), Algorithm::ES256) => curve.curve == EllipticCurve::P256,
        _ => false,
    };
    let named = key.common.key_algorithm;
    for_signing && of_kind && named.is_none_or(|named| named.to_string() == format!("{algorithm:?}"))
}
