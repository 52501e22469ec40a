//! The settings that only a server for others has: where it listens, what it shows of itself, and to whom.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::nats::tls::Certificate;

/// The port of NATS servers.
const NATS_PORT: u16 = 4222;

/// The settings as flags and environment variables.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Settings of a server for others (also in config.toml)")]
pub struct ServerFlags {
    /// Where the server listens, such as 0.0.0.0:4222 [default: this machine only, any free port]
    #[arg(long, global = true, env = "CODEMENTOR_LISTEN", value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// What people type to reach the server, such as judge.example.edu
    #[arg(long, global = true, env = "CODEMENTOR_ADDRESS", value_name = "HOST[:PORT]")]
    pub address: Option<Address>,
    /// Certificate of the server, as PEM, with those that lead to its authority
    #[arg(long, global = true, env = "CODEMENTOR_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of that certificate, as PEM
    #[arg(long, global = true, env = "CODEMENTOR_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Certificate of an authority of your own, as PEM: it is put into the credentials that the server makes
    #[arg(long, global = true, env = "CODEMENTOR_TLS_CA", value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// Listen to others without a certificate: whoever is on the way reads codes and programs
    #[arg(
        long,
        global = true,
        env = "CODEMENTOR_INSECURE_LISTEN",
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    pub insecure_listen: bool,
    /// Where /healthz, /readyz and /metrics are answered, such as 127.0.0.1:9222 [default: nowhere]
    #[arg(long, global = true, env = "CODEMENTOR_HTTP", value_name = "ADDR:PORT")]
    pub http: Option<SocketAddr>,
}

/// The same as keys of the configuration file.
#[derive(Debug, Default)]
pub(super) struct ServerFile {
    pub(super) listen: Option<SocketAddr>,
    pub(super) address: Option<String>,
    pub(super) tls_cert: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    pub(super) tls_ca: Option<PathBuf>,
    pub(super) insecure_listen: Option<bool>,
    pub(super) http: Option<SocketAddr>,
}

/// What is in force.
#[derive(Debug, Clone, Default)]
pub struct Server {
    /// Where the NATS server listens; on loopback, at `nats_port`, without it.
    pub listen: Option<SocketAddr>,
    /// What people type.
    pub address: Option<Address>,
    /// What it proves itself with.
    pub tls: Option<Certificate>,
    /// What clients that do not know its authority trust it by.
    pub ca: Option<PathBuf>,
    /// Where health and metrics are answered.
    pub http: Option<SocketAddr>,
}

/// Why a server cannot be set up like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerSettingsError {
    /// Half of a pair.
    #[error("tls_cert and tls_key go together: {0} is missing")]
    HalfCertificate(&'static str),
    /// What is sent could be read by others.
    #[error(
        "listen is {0}, which others can reach, and there is no certificate: name one with --tls-cert FILE and \
         --tls-key FILE, or say --insecure-listen where nobody can read along, such as behind a tunnel"
    )]
    Open(SocketAddr),
    /// Two places to listen.
    #[error("listen and nats_port both say where the server listens: leave nats_port out")]
    TwoPorts,
    /// There is no server of our own.
    #[error("nats_url names a NATS server that runs already: '{0}' is set there, so leave it out here")]
    Foreign(&'static str),
    /// What people are to type is no address.
    #[error("address is {0}")]
    Address(NotAnAddress),
}

/// What people type to reach a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    scheme: Option<String>,
    host: String,
    port: Option<u16>,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}', which is no address: write it as judge.example.edu or judge.example.edu:4222")]
pub struct NotAnAddress(String);

impl std::str::FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let wrong = || NotAnAddress(text.chars().take(100).collect());
        let (scheme, place) = match text.split_once("://") {
            Some((scheme, place)) if ["tls", "nats", "ws", "wss"].contains(&scheme) => {
                (Some(scheme.to_owned()), place)
            }
            Some(_) => return Err(wrong()),
            None => (None, text),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port.parse().map_err(|_| wrong())?)),
            _ => (place, None),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let good = match bare {
            Some(bare) => bare.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || ".-_".contains(c)),
        };
        if good { Ok(Self { scheme, host: host.to_owned(), port }) } else { Err(wrong()) }
    }
}

impl Address {
    /// The host alone, as a certificate names it.
    pub fn host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// As clients connect to it.
    pub fn url(&self, encrypted: bool, port: u16) -> String {
        let scheme = self.scheme.as_deref().unwrap_or(if encrypted { "tls" } else { "nats" });
        format!("{scheme}://{}:{}", self.host, self.port.unwrap_or(port))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = &self.scheme {
            write!(f, "{scheme}://")?;
        }
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Server {
    /// Merges flags and environment with the configuration file, whose paths are relative to its `folder`. The second
    /// part is the port on loopback, which is the other way to say where to listen.
    pub(super) fn merge(
        flags: ServerFlags,
        file: ServerFile,
        folder: &Path,
        (flag_port, file_port): (Option<u16>, Option<u16>),
        foreign: bool,
    ) -> Result<(Self, Option<u16>), ServerSettingsError> {
        let (listen, port) = match (flags.listen, flag_port) {
            (Some(_), Some(_)) => return Err(ServerSettingsError::TwoPorts),
            (None, None) => match (file.listen, file_port) {
                (Some(_), Some(_)) => return Err(ServerSettingsError::TwoPorts),
                in_file => in_file,
            },
            by_flag => by_flag,
        };
        let below = |path: Option<PathBuf>| path.map(|path| folder.join(path));
        let cert = flags.tls_cert.map(super::absolute).or(below(file.tls_cert));
        let key = flags.tls_key.map(super::absolute).or(below(file.tls_key));
        let tls = match (cert, key) {
            (Some(cert), Some(key)) => Some(Certificate { cert, key }),
            (None, None) => None,
            (Some(_), None) => return Err(ServerSettingsError::HalfCertificate("tls_key")),
            (None, Some(_)) => return Err(ServerSettingsError::HalfCertificate("tls_cert")),
        };
        if foreign {
            for (is_set, name) in [(listen.is_some(), "listen"), (tls.is_some(), "tls_cert")] {
                if is_set {
                    return Err(ServerSettingsError::Foreign(name));
                }
            }
        }
        let insecure = flags.insecure_listen || file.insecure_listen.unwrap_or(false);
        if let Some(open) = listen.filter(|listen| !listen.ip().is_loopback() && tls.is_none() && !insecure) {
            return Err(ServerSettingsError::Open(open));
        }
        let address = match (flags.address, file.address) {
            (Some(address), _) => Some(address),
            (None, Some(text)) => Some(text.parse().map_err(ServerSettingsError::Address)?),
            (None, None) => None,
        };
        let server = Self {
            listen,
            address,
            tls,
            ca: flags.tls_ca.map(super::absolute).or(below(file.tls_ca)),
            http: flags.http.or(file.http),
        };
        Ok((server, port))
    }

    /// What people may call their copy of the certificate of the server's own authority: as it is called here, where every
    /// shell takes that as it is.
    pub fn ca_name(&self) -> Option<String> {
        let name = self.ca.as_ref()?.file_name().unwrap_or_default().to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let good = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain);
        Some(if good { name.into_owned() } else { "ca.pem".into() })
    }

    /// The URL to give to people on other machines; the server of this URL listens there for them.
    pub fn public_url(&self) -> Option<String> {
        let port = self.listen.map_or(NATS_PORT, |listen| listen.port());
        self.address.as_ref().map(|address| address.url(self.tls.is_some(), port))
    }
}

/// Where a client on the same machine finds what listens at `ip`.
pub fn reached_at(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merge(flags: ServerFlags, file: ServerFile) -> Result<Server, ServerSettingsError> {
        Server::merge(flags, file, Path::new("/etc/cm"), (None, None), false).map(|(server, _)| server)
    }

    fn at(text: &str) -> Option<SocketAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn nobody_else_is_listened_to_without_a_certificate() {
        for (listen, open) in [
            ("127.0.0.1:4222", false),
            ("[::1]:4222", false),
            ("0.0.0.0:4222", true),
            ("[::]:4222", true),
            ("192.0.2.7:4222", true),
        ] {
            let flags = || ServerFlags { listen: at(listen), ..ServerFlags::default() };
            let refused = matches!(merge(flags(), ServerFile::default()), Err(ServerSettingsError::Open(_)));
            assert_eq!(refused, open, "{listen}");
            merge(ServerFlags { insecure_listen: true, ..flags() }, ServerFile::default()).expect("as told");
            let file = ServerFile {
                tls_cert: Some("cert.pem".into()),
                tls_key: Some("/k/key.pem".into()),
                ..ServerFile::default()
            };
            let tls = merge(flags(), file).expect("has a certificate").tls.expect("has a certificate");
            assert_eq!((tls.cert, tls.key), ("/etc/cm/cert.pem".into(), "/k/key.pem".into()));
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let half = ServerFlags { tls_cert: Some("c".into()), ..ServerFlags::default() };
        let error = merge(half, ServerFile::default()).expect_err("is refused");
        assert_eq!(error, ServerSettingsError::HalfCertificate("tls_key"));
        let listen = || ServerFlags { listen: at("127.0.0.1:1"), ..ServerFlags::default() };
        let both = Server::merge(listen(), ServerFile::default(), Path::new("/"), (Some(1), None), false);
        assert_eq!(both.expect_err("is refused"), ServerSettingsError::TwoPorts);
        let (server, port) =
            Server::merge(listen(), ServerFile::default(), Path::new("/"), (None, Some(1)), false)
                .expect("a flag beats the file");
        assert_eq!((server.listen, port), (at("127.0.0.1:1"), None));
        let foreign = Server::merge(listen(), ServerFile::default(), Path::new("/"), (None, None), true);
        assert_eq!(foreign.expect_err("is refused"), ServerSettingsError::Foreign("listen"));
    }

    #[test]
    fn an_address_is_what_people_type() {
        let url = |text: &str| text.parse::<Address>().expect("is one").url(true, 4222);
        assert_eq!(url("judge.example.edu"), "tls://judge.example.edu:4222");
        assert_eq!(url("judge.example.edu:4443"), "tls://judge.example.edu:4443");
        assert_eq!(url("nats://judge.example.edu"), "nats://judge.example.edu:4222");
        assert_eq!(url("[::1]"), "tls://[::1]:4222");
        for text in ["", "https://judge.example.edu", "a b", "host:port", "[judge]", "a/b", "host:99999"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
