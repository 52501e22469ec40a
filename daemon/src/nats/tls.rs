//! Certificates: the one that a server proves itself with, and what a client trusts a server by.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use x509_cert::der::Decode;
use x509_cert::ext::pkix::BasicConstraints;

/// The certificate of a server and its key, as files of PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate, then those that lead to its authority.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFault {
    /// A file cannot be read.
    #[error("cannot read the {what} {path}: {source}")]
    Unreadable {
        /// What the file holds.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds something else.
    #[error("{path} holds no {what} as PEM: {reason}")]
    None {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The two files are not of each other.
    #[error("the key {key} does not belong to the certificate {cert}")]
    Mismatch {
        /// The certificate.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// It is not good at this time.
    #[error("the certificate {path} {what}: clients would refuse it")]
    OutOfTime {
        /// The certificate.
        path: PathBuf,
        /// When it was or will be good.
        what: String,
    },
    /// It says that it may sign others, which no client takes from a server.
    #[error(
        "the certificate {path} is that of an authority (CA:TRUE): clients would refuse it as a server's; make it anew, \
         with openssl req by -addext basicConstraints=critical,CA:FALSE"
    )]
    Authority {
        /// The certificate.
        path: PathBuf,
    },
    /// It comes from somewhere else than clients are told.
    #[error("the certificate {path} does not lead to the authority {ca}: clients would refuse it ({reason})")]
    OtherAuthority {
        /// The certificate.
        path: PathBuf,
        /// The authority's.
        ca: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It is for another host.
    #[error("the certificate {path} is not for {host}, which is what people type: clients would refuse it")]
    OtherHost {
        /// The certificate.
        path: PathBuf,
        /// The host.
        host: String,
    },
}

impl Certificate {
    /// Whether a client that types `host` would be content with it now. Returns when it ends. Who has signed it is looked
    /// at where clients are told an authority, `ca`: else that is for them to know.
    pub fn check(
        &self,
        host: Option<&str>,
        ca: Option<&Path>,
        now: SystemTime,
    ) -> Result<SystemTime, CertificateFault> {
        let (chain, key) = (self.chain()?, self.private_key()?);
        let first = chain.first().ok_or_else(|| self.no_certificate("it is empty"))?.clone();
        let provider = ring::default_provider();
        let signing = provider.key_provider.load_private_key(key).map_err(|error| {
            CertificateFault::None { what: "private key", path: self.key.clone(), reason: error.to_string() }
        })?;
        let pair = rustls::sign::CertifiedKey::new(chain.clone(), signing);
        match pair.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(rustls::Error::InconsistentKeys(_)) => {
                return Err(CertificateFault::Mismatch { cert: self.cert.clone(), key: self.key.clone() });
            }
            Err(error) => return Err(self.no_certificate(error)),
        }
        let read = x509_cert::Certificate::from_der(&first).map_err(|error| self.no_certificate(error))?;
        let validity = &read.tbs_certificate.validity;
        let (begin, end) = (validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration());
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let out_of_time = |what| CertificateFault::OutOfTime { path: self.cert.clone(), what };
        if now > end {
            return Err(out_of_time(format!("expired on {}", day(end))));
        }
        if now < begin {
            return Err(out_of_time(format!("holds from {} only", day(begin))));
        }
        if read
            .tbs_certificate
            .get::<BasicConstraints>()
            .is_ok_and(|found| found.is_some_and(|(_, one)| one.ca))
        {
            return Err(CertificateFault::Authority { path: self.cert.clone() });
        }
        let parsed = ParsedCertificate::try_from(&first).map_err(|error| self.no_certificate(error))?;
        if let Some(ca) = ca {
            let (roots, moment) = (authorities(ca)?, UnixTime::since_unix_epoch(now));
            let algorithms = provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&parsed, &roots, &chain[1..], moment, algorithms)
                .map_err(|error| CertificateFault::OtherAuthority {
                    path: self.cert.clone(),
                    ca: ca.into(),
                    reason: error.to_string(),
                })?;
        }
        if let Some(host) = host {
            let name = ServerName::try_from(host.to_owned()).ok();
            if name.is_none_or(|name| verify_server_name(&parsed, &name).is_err()) {
                return Err(CertificateFault::OtherHost { path: self.cert.clone(), host: host.into() });
            }
        }
        Ok(UNIX_EPOCH + end)
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, CertificateFault> {
        let pem = read("certificate", &self.cert)?;
        let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| self.no_certificate(error))?;
        if chain.is_empty() { Err(self.no_certificate("there is no block CERTIFICATE")) } else { Ok(chain) }
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, CertificateFault> {
        let pem = read("key", &self.key)?;
        PrivateKeyDer::from_pem_slice(&pem).map_err(|error| CertificateFault::None {
            what: "private key",
            path: self.key.clone(),
            reason: match String::from_utf8_lossy(&pem).contains("ENCRYPTED PRIVATE KEY") {
                true => "it has a passphrase, and nobody is there to type it".into(),
                false => error.to_string(),
            },
        })
    }

    fn no_certificate(&self, reason: impl std::fmt::Display) -> CertificateFault {
        CertificateFault::None { what: "certificate", path: self.cert.clone(), reason: reason.to_string() }
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, CertificateFault> {
    std::fs::read(path).map_err(|source| CertificateFault::Unreadable { what, path: path.into(), source })
}

/// The certificates of a file, as what is trusted.
fn authorities(path: &Path) -> Result<RootCertStore, CertificateFault> {
    let pem = read("certificate", path)?;
    roots(&pem).map_err(|TrustError(reason)| CertificateFault::None {
        what: "certificate",
        path: path.into(),
        reason,
    })
}

fn roots(pem: &[u8]) -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| TrustError(error.to_string()))?;
        roots.add(certificate).map_err(|error| TrustError(error.to_string()))?;
    }
    if roots.is_empty() { Err(TrustError("there is none".into())) } else { Ok(roots) }
}

fn day(since: Duration) -> String {
    let at = i64::try_from(since.as_secs()).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
    at.map_or_else(|| "a day that is none".into(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// What a client believes that a server is the right one by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// What the system trusts.
    #[default]
    System,
    /// These certificates, as PEM, and no others.
    Certificates(String),
    /// The very certificate in this file, under whatever name: it is this machine's own server.
    Pinned(PathBuf),
}

/// Why a server cannot be trusted.
#[derive(Debug, thiserror::Error)]
#[error("the certificates to trust the server by: {0}")]
pub struct TrustError(String);

impl Trust {
    /// As a connection needs it; none for what the system trusts.
    pub fn client_config(&self) -> Result<Option<ClientConfig>, TrustError> {
        let builder = || {
            ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| TrustError(error.to_string()))
        };
        match self {
            Self::System => Ok(None),
            Self::Certificates(pem) => {
                let roots = roots(pem.as_bytes())?;
                Ok(Some(builder()?.with_root_certificates(roots).with_no_client_auth()))
            }
            Self::Pinned(path) => {
                let pin = Pin { path: path.clone(), provider: Arc::new(ring::default_provider()) };
                let builder = builder()?.dangerous().with_custom_certificate_verifier(Arc::new(pin));
                Ok(Some(builder.with_no_client_auth()))
            }
        }
    }
}

/// Accepts the certificate that is in a file at this moment: a new one may have been put there since.
#[derive(Debug)]
struct Pin {
    path: PathBuf,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let own = CertificateDer::from_pem_file(&self.path);
        if own.is_ok_and(|own| own.as_ref() == end_entity.as_ref()) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Made {
        dir: tempfile::TempDir,
        pair: Certificate,
    }

    fn make(names: &[&str]) -> Made {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let pair = Certificate { cert: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
        std::fs::write(&pair.cert, made.cert.pem()).expect("is written");
        std::fs::write(&pair.key, made.signing_key.serialize_pem()).expect("is written");
        Made { dir, pair }
    }

    #[test]
    fn a_certificate_that_clients_would_refuse_is_refused_at_once() {
        let made = make(&["judge.example.edu", "*.cs.example.edu", "127.0.0.1"]);
        let now = SystemTime::now();
        for host in [None, Some("judge.example.edu"), Some("a.cs.example.edu"), Some("127.0.0.1")] {
            made.pair.check(host, None, now).expect("is good");
        }
        for host in ["other.example.edu", "a.b.cs.example.edu", "not a host"] {
            let error = made.pair.check(Some(host), None, now).expect_err("is refused").to_string();
            assert!(error.contains(host), "{error}");
        }
        let later = now + Duration::from_secs(5000 * 365 * 86_400);
        let error = made.pair.check(None, None, later).expect_err("is refused").to_string();
        assert!(error.contains("expired on"), "{error}");
        let error = made.pair.check(None, None, UNIX_EPOCH).expect_err("is refused").to_string();
        assert!(error.contains("holds from"), "{error}");

        let other = make(&["judge.example.edu"]);
        let mixed = Certificate { cert: made.pair.cert.clone(), key: other.pair.key.clone() };
        let error = mixed.check(None, None, now).expect_err("is refused").to_string();
        assert!(error.contains("does not belong"), "{error}");

        let swapped = Certificate { cert: made.pair.key.clone(), key: made.pair.cert.clone() };
        let error = swapped.check(None, None, now).expect_err("is refused").to_string();
        assert!(error.contains("key.pem holds no certificate"), "{error}");
        let missing = Certificate { key: made.dir.path().join("none"), ..made.pair.clone() };
        let error = missing.check(None, None, now).expect_err("is refused").to_string();
        assert!(error.contains("cannot read the key"), "{error}");
        std::fs::write(
            &made.pair.key,
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n",
        )
        .expect("is written");
        let error = made.pair.check(None, None, now).expect_err("is refused").to_string();
        assert!(error.contains("passphrase"), "{error}");
    }

    /// A certificate that is signed by `by`, or by itself.
    fn signed(is_ca: rcgen::IsCa, by: Option<&rcgen::Issuer<'_, rcgen::KeyPair>>) -> Made {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        params.is_ca = is_ca;
        let key = rcgen::KeyPair::generate().expect("a key");
        let made = match by {
            Some(by) => params.signed_by(&key, by),
            None => params.self_signed(&key),
        };
        let made = made.expect("a certificate");
        let pair = Certificate { cert: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
        std::fs::write(&pair.cert, made.pem()).expect("is written");
        std::fs::write(&pair.key, key.serialize_pem()).expect("is written");
        Made { dir, pair }
    }

    #[test]
    fn a_certificate_that_may_sign_others_or_that_others_have_signed_is_refused_with_what_to_do() {
        let now = SystemTime::now();
        // What openssl makes that is not told otherwise.
        let authority = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let made = signed(authority, None);
        let error = made.pair.check(Some("localhost"), None, now).expect_err("is refused").to_string();
        assert!(error.contains("-addext basicConstraints=critical,CA:FALSE"), "{error}");

        let own = signed(rcgen::IsCa::ExplicitNoCa, None);
        own.pair.check(Some("localhost"), Some(&own.pair.cert), now).expect("is its own authority");
        let params = |name: &str| {
            let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
            params.is_ca = authority;
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            params
        };
        let key = rcgen::KeyPair::generate().expect("a key");
        let root = params("root").self_signed(&key).expect("a certificate");
        let ca = made.dir.path().join("ca.pem");
        std::fs::write(&ca, root.pem()).expect("is written");
        let leaf = signed(rcgen::IsCa::NoCa, Some(&rcgen::Issuer::new(params("root"), key)));
        leaf.pair.check(Some("localhost"), Some(&ca), now).expect("leads to the authority");
        for (pair, ca) in [(&own.pair, &ca), (&leaf.pair, &own.pair.cert)] {
            let error = pair.check(Some("localhost"), Some(ca), now).expect_err("is refused").to_string();
            assert!(error.contains("does not lead to the authority"), "{error}");
        }
        let error = leaf.pair.check(None, Some(&leaf.pair.key), now).expect_err("is refused").to_string();
        assert!(error.contains("key.pem holds no certificate"), "{error}");
    }
}
