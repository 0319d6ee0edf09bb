//! What a program needs that makes one connection and ends.
//!
//! The library's generator of random numbers collects entropy when it is first used, which takes longer than a whole
//! handshake. A client needs random numbers for its key share and its greeting; the system's generator has them at once.

use std::path::Path;

use aws_lc_rs::agreement::{Algorithm, ECDH_P256, PrivateKey, PublicKey, UnparsedPublicKey, X25519, agree};
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup,
    aws_lc_rs as usual,
};
use rustls::{Error, NamedGroup, PeerMisbehaved};
use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};

/// The bundles of the usual systems.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The authorities that the system trusts: those of its bundle, unless the environment names others.
pub(super) fn authorities() -> CertificateResult {
    let is_named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some());
    match BUNDLES.iter().map(Path::new).find(|path| path.is_file()) {
        Some(bundle) if !is_named => load_certs_from_paths(Some(bundle), None),
        _ => load_native_certs(),
    }
}

/// The usual algorithms with the system's random numbers.
pub(super) fn provider() -> CryptoProvider {
    CryptoProvider {
        // The third one is for servers that know neither of the others; it takes the time.
        kx_groups: vec![&Group::X25519, &Group::P256, usual::kx_group::SECP384R1],
        secure_random: &System,
        ..usual::default_provider()
    }
}

#[derive(Debug)]
struct System;

impl SecureRandom for System {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        getrandom::fill(buffer).map_err(|_| GetRandomFailed)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    X25519,
    P256,
}

impl Group {
    fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::X25519 => &X25519,
            Self::P256 => &ECDH_P256,
        }
    }

    /// Whether a peer's key has the only form that TLS allows; the library takes others, too.
    fn has_form(self, key: &[u8]) -> bool {
        match self {
            Self::X25519 => key.len() == 32,
            Self::P256 => key.first() == Some(&4),
        }
    }
}

impl SupportedKxGroup for Group {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        // A number that is no key of the curve is as good as never drawn.
        for _ in 0..8 {
            let mut secret = [0; 32];
            System.fill(&mut secret)?;
            let Ok(private) = PrivateKey::from_private_key(self.algorithm(), &secret) else { continue };
            let public = private.compute_public_key().map_err(|_| GetRandomFailed)?;
            return Ok(Box::new(Exchange { group: *self, private, public }));
        }
        Err(GetRandomFailed.into())
    }

    fn name(&self) -> NamedGroup {
        match self {
            Self::X25519 => NamedGroup::X25519,
            Self::P256 => NamedGroup::secp256r1,
        }
    }
}

struct Exchange {
    group: Group,
    private: PrivateKey,
    public: PublicKey,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let wrong = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);
        if !self.group.has_form(peer) {
            return Err(wrong);
        }
        let peer = UnparsedPublicKey::new(self.group.algorithm(), peer);
        agree(&self.private, peer, wrong, |secret| Ok(SharedSecret::from(secret)))
    }

    fn pub_key(&self) -> &[u8] {
        self.public.as_ref()
    }

    fn group(&self) -> NamedGroup {
        self.group.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree() {
        for (group, usual) in [(Group::X25519, usual::kx_group::X25519), (Group::P256, usual::kx_group::SECP256R1)] {
            let (ours, theirs) = (group.start().unwrap(), usual.start().unwrap());
            assert_eq!((ours.group(), group.name()), (usual.name(), usual.name()));
            let (our_key, their_key) = (ours.pub_key().to_vec(), theirs.pub_key().to_vec());
            let secret = ours.complete(&their_key).unwrap();
            assert_eq!(secret.secret_bytes(), theirs.complete(&our_key).unwrap().secret_bytes());
            assert_ne!(group.start().unwrap().pub_key(), our_key);
        }
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        for (group, key) in [
            (Group::X25519, vec![9; 31]),
            (Group::X25519, vec![0; 32]),
            (Group::P256, vec![2; 33]),
            (Group::P256, vec![4; 65]),
            (Group::P256, Vec::new()),
        ] {
            assert!(group.start().unwrap().complete(&key).is_err(), "{group:?} {key:?}");
        }
    }
}
