//! Certificates made on the spot: a CA, a server's certificate of it (good, expired, of another name), a user's.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
        server::WebPkiClientVerifier,
    },
};

/// A server's certificate, and the CA that signed it and users.
pub struct Certificate {
    authority: Issuer<'static, KeyPair>,
    authority_pem: String,
    authority_der: CertificateDer<'static>,
    leaf: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
    strict: bool,
}

impl Certificate {
    /// One that is valid for 127.0.0.1 and localhost.
    pub fn good() -> Self {
        Self::issue("kubernetes", &["127.0.0.1", "localhost"], (2020, 2100))
    }

    /// A good one of a CA of this name; the usual name is `kubernetes`.
    pub fn of_authority(name: &str) -> Self {
        Self::issue(name, &["127.0.0.1", "localhost"], (2020, 2100))
    }

    /// One that expired.
    pub fn expired() -> Self {
        Self::issue("kubernetes", &["127.0.0.1", "localhost"], (2020, 2021))
    }

    /// One that is valid for another name only.
    pub fn of_another_name() -> Self {
        Self::issue("kubernetes", &["kubernetes.default.svc"], (2020, 2100))
    }

    fn issue(authority: &str, names: &[&str], years: (i32, i32)) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, authority);
        let authority_key = KeyPair::generate().expect("a key");
        let authority_certificate = parameters.self_signed(&authority_key).expect("a CA");
        let authority = Issuer::new(parameters, authority_key);

        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut parameters = CertificateParams::new(names).expect("names of a certificate");
        parameters.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        parameters.not_before = date_time_ymd(years.0, 1, 1);
        parameters.not_after = date_time_ymd(years.1, 1, 1);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().expect("a key");
        let leaf = parameters.signed_by(&key, &authority).expect("a certificate");
        Self {
            authority,
            authority_pem: authority_certificate.pem(),
            authority_der: authority_certificate.der().clone(),
            leaf: leaf.der().clone(),
            key: key.serialize_der().into(),
            strict: false,
        }
    }

    /// The same of a server that ends the handshake, which is TLS 1.2's, when no user shows a certificate.
    pub fn strict(self) -> Self {
        Self { strict: true, ..self }
    }

    /// The CA's certificate in PEM: for `certificate-authority-data`.
    pub fn authority(&self) -> &str {
        &self.authority_pem
    }

    /// Certificate and key in PEM of a user of this name, who expires in this year.
    pub fn user(&self, name: &str, expires: i32) -> (String, String) {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(expires, 1, 1);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.authority).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// Speaks TLS with this certificate; a user's certificate is welcome and not needed, as with a real API server.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.authority_der.clone()).expect("the CA");
        let users = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let users = if self.strict { users } else { users.allow_unauthenticated() };
        let users = users.build().expect("a verifier of users");
        let versions = if self.strict { &[&rustls::version::TLS12][..] } else { rustls::DEFAULT_VERSIONS };
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("TLS versions")
            .with_client_cert_verifier(users)
            .with_single_cert(vec![self.leaf.clone()], PrivateKeyDer::Pkcs8(self.key.clone_key()))
            .expect("a certificate and its key");
        TlsAcceptor::from(Arc::new(config))
    }
}
