//! ID tokens of CI systems: a job proves to which repository it belongs, by a token that GitHub or GitLab has signed,
//! and needs no secret.
//!
//! What must not happen: no token of an issuer that is not configured, for another audience, out of its time or with a
//! signature that is not one of the issuer's keys is believed. The keys come from where the configuration says, never
//! from where a token says.

mod keys;

use codementor_protocol::{Refusal, RefusalCode};
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::settings::OidcIssuer;
use keys::Keys;

/// By how many seconds the issuer's clock and ours may differ.
const LEEWAY: u64 = 60;
/// Longer than any token.
const MAX_TOKEN: usize = 12 * 1024;
/// Signatures that are accepted: by a key pair, so that who can check one cannot make one.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::PS256];
/// GitHub's issuer.
const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// Those whose tokens are believed.
#[derive(Debug)]
pub(crate) struct Oidc {
    issuers: Vec<Issuer>,
}

#[derive(Debug)]
struct Issuer {
    settings: OidcIssuer,
    keys: Keys,
}

/// What is wanted of a token beside what the library checks.
#[derive(Debug, Deserialize)]
struct Claims {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl Oidc {
    pub(crate) fn new(issuers: &[OidcIssuer]) -> Self {
        let issuer =
            |settings: &OidcIssuer| Issuer { keys: Keys::new(&settings.keys), settings: settings.clone() };
        Self { issuers: issuers.iter().map(issuer).collect() }
    }

    /// The account at the code host that the repository of a token belongs to.
    pub(crate) async fn owner(&self, token: &str) -> Result<String, Refusal> {
        let refused = |why: &str| {
            Refusal::new(RefusalCode::Unauthorised, format!("the ID token is not accepted: {why}"))
        };
        if self.issuers.is_empty() {
            return Err(Refusal::new(
                RefusalCode::Forbidden,
                "this server accepts no ID tokens of CI systems",
            )
            .hint("use credentials of your own: codementor ci creds COURSE/ASSIGNMENT"));
        }
        if token.len() > MAX_TOKEN {
            return Err(refused("it is too long"));
        }
        let header = decode_header(token).map_err(|_| refused("it is no signed JWT"))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(refused("it is signed in a way that proves nothing"));
        }
        let named = jsonwebtoken::dangerous::insecure_decode::<Claims>(token)
            .map_err(|_| refused("it is no signed JWT"))?
            .claims;
        // Only to choose the keys; that the token is this issuer's is checked with them.
        let named = named.all.get("iss").and_then(Value::as_str).unwrap_or_default();
        let issuer = self.issuers.iter().find(|issuer| issuer.settings.issuer == named);
        let issuer = issuer.ok_or_else(|| refused("its issuer is none that this server knows"))?;
        let key = issuer.keys.find(header.kid.as_deref(), header.alg).await.map_err(|error| {
            tracing::warn!(issuer = issuer.settings.issuer, %error, "no key for an ID token");
            error.refusal()
        })?;

        let mut validation = Validation::new(header.alg);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[&issuer.settings.issuer]);
        validation.set_audience(&[&issuer.settings.audience]);
        let claims = decode::<Claims>(token, &key, &validation).map_err(|error| why(&error))?.claims;

        let owner = match issuer.settings.owner_claim.as_deref() {
            Some(claim) => claim,
            None if issuer.settings.issuer == GITHUB => "repository_owner",
            None => "namespace_path",
        };
        let owner = claims.all.get(owner).and_then(Value::as_str).map(str::trim).unwrap_or_default();
        if owner.is_empty() {
            return Err(refused("it does not say whose repository it is of"));
        }
        Ok(owner.to_owned())
    }
}

fn why(error: &jsonwebtoken::errors::Error) -> Refusal {
    use jsonwebtoken::errors::ErrorKind;
    let (why, hint) = match error.kind() {
        ErrorKind::ExpiredSignature => (
            "it has expired",
            "ask for a new one in the job; if it is new, the clocks of issuer and server differ",
        ),
        ErrorKind::ImmatureSignature => (
            "it is not valid yet",
            "the clocks of its issuer and of this server differ: tell your instructor",
        ),
        ErrorKind::InvalidAudience => {
            ("it is for another audience", "the audience is in the server's configuration")
        }
        ErrorKind::InvalidIssuer => {
            ("its issuer is none that this server knows", "is it the token of the CI job?")
        }
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::Json(_) => {
            ("it lacks what it has to say", "is it the token of the CI job, and whole?")
        }
        _ => ("its signature is not one of its issuer's", "is it the token of the CI job, and whole?"),
    };
    Refusal::new(RefusalCode::Unauthorised, format!("the ID token is not accepted: {why}")).hint(hint)
}

#[cfg(test)]
mod tests;
