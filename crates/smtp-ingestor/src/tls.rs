//! The certificate and its key.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, ensure};
use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio_rustls::TlsAcceptor;

/// Loads the PEM files of `smtp.tls_cert` and `smtp.tls_key`. TLS 1.2 and 1.3, no client certificates.
///
/// # Errors
/// Name the setting and the file.
pub(crate) fn acceptor(cert: &Path, key: &Path) -> anyhow::Result<TlsAcceptor> {
    let chain = || -> anyhow::Result<Vec<CertificateDer<'static>>> {
        let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<Vec<_>, _>>()?;
        ensure!(!chain.is_empty(), "it holds no certificate");
        Ok(chain)
    };
    let chain = chain().with_context(|| format!("smtp.tls_cert: reading {}", cert.display()))?;
    let secret =
        PrivateKeyDer::from_pem_file(key).with_context(|| format!("smtp.tls_key: reading {}", key.display()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .context("setting the TLS versions")?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .with_context(|| {
            format!("smtp.tls_cert and smtp.tls_key: {} does not go with {}", key.display(), cert.display())
        })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
