//! Who may deliver messages.

use std::sync::{PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use tokio::sync::Notify;

use crate::Secret;

/// Clocks may differ by this many seconds.
const LEEWAY: u64 = 60;

/// The keys by which the platform is known: a JSON Web Key Set from the registration.
///
/// Platforms from 7.260224 on sign a token for each delivery; older ones send the connector's own token. When a token is
/// signed with a key that is not known, [`CallbackKeys::wanted`] wakes who registers again to get the new ones.
#[derive(Debug, Default)]
pub struct CallbackKeys {
    keys: RwLock<Vec<Key>>,
    wanted: Notify,
}

#[derive(Debug)]
struct Key {
    id: Option<String>,
    public: Vec<u8>,
}

impl CallbackKeys {
    /// The keys of a registration. Without any, the connector's own token is taken.
    pub fn new(jwks: Option<&str>) -> Self {
        let keys = Self::default();
        keys.set(jwks);
        keys
    }

    /// Replaces the keys.
    pub fn set(&self, jwks: Option<&str>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = jwks.map(read).unwrap_or_default();
    }

    /// Waits until a token comes that is signed with an unknown key.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Whether a request may deliver messages; if not, why not.
    pub(super) fn check(&self, header: Option<&str>, token: &Secret) -> Result<(), &'static str> {
        let bearer = header.and_then(|header| header.strip_prefix("Bearer ")).ok_or("a bearer token is needed")?.trim();
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        if keys.is_empty() {
            let own = token.expose().trim();
            let equal = !own.is_empty() && verify_slices_are_equal(own.as_bytes(), bearer.as_bytes()).is_ok();
            return if equal { Ok(()) } else { Err("the token is not the connector's") };
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        verify(bearer, &keys, now).map_err(|refusal| {
            if matches!(refusal, Refusal::UnknownKey) {
                self.wanted.notify_one();
            }
            refusal.why()
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Malformed,
    Algorithm,
    UnknownKey,
    Signature,
    Issuer,
    Subject,
    Expired,
    TooEarly,
}

impl Refusal {
    fn why(self) -> &'static str {
        match self {
            Self::Malformed => "the token cannot be read",
            Self::Algorithm => "the token is not signed with EdDSA",
            Self::UnknownKey => "the token is signed with an unknown key",
            Self::Signature => "the signature of the token is wrong",
            Self::Issuer => "the token was not issued by OpenCTI",
            Self::Subject => "the token is not for connectors",
            Self::Expired => "the token has expired",
            Self::TooEarly => "the token is not valid yet",
        }
    }
}

/// The Ed25519 keys of a set; others are left out.
fn read(jwks: &str) -> Vec<Key> {
    #[derive(Deserialize)]
    struct Set {
        #[serde(default)]
        keys: Vec<serde_json::Value>,
    }
    let set: Set = serde_json::from_str(jwks).unwrap_or(Set { keys: Vec::new() });
    let key = |json: serde_json::Value| {
        let text = |name: &str| json[name].as_str();
        if text("kty") != Some("OKP") || text("crv") != Some("Ed25519") {
            return None;
        }
        let public = URL_SAFE_NO_PAD.decode(text("x")?.trim_end_matches('=')).ok().filter(|key| key.len() == 32)?;
        Some(Key { id: text("kid").map(str::to_owned), public })
    };
    set.keys.into_iter().filter_map(key).collect()
}

fn verify(token: &str, keys: &[Key], now: u64) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Header {
        alg: String,
        #[serde(default)]
        kid: Option<String>,
    }
    #[derive(Deserialize)]
    struct Claims {
        #[serde(default)]
        iss: Option<String>,
        #[serde(default)]
        sub: Option<String>,
        exp: f64,
        #[serde(default)]
        nbf: Option<f64>,
    }
    fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, Refusal> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Malformed)?;
        serde_json::from_slice(&bytes).map_err(|_| Refusal::Malformed)
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
    let head: Header = part(header)?;
    if head.alg != "EdDSA" {
        return Err(Refusal::Algorithm);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refusal::Malformed)?;
    let mut candidates =
        keys.iter().filter(|key| head.kid.is_none() || key.id.is_none() || key.id == head.kid).peekable();
    if candidates.peek().is_none() {
        return Err(Refusal::UnknownKey);
    }
    let fits = |key: &Key| UnparsedPublicKey::new(&ED25519, &key.public).verify(signed.as_bytes(), &signature).is_ok();
    if !candidates.any(fits) {
        return Err(Refusal::Signature);
    }
    // Nothing in the token was believed until here.
    let claims: Claims = part(claims)?;
    if claims.iss.as_deref() != Some("opencti") {
        return Err(Refusal::Issuer);
    }
    if claims.sub.as_deref() != Some("connector") {
        return Err(Refusal::Subject);
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact for a hundred million years")]
    let (earliest, latest) = ((now - LEEWAY.min(now)) as f64, (now + LEEWAY) as f64);
    if claims.exp.is_nan() || claims.exp < earliest {
        return Err(Refusal::Expired);
    }
    if claims.nbf.is_some_and(|from| from > latest) {
        return Err(Refusal::TooEarly);
    }
    Ok(())
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::StandIn;

    fn set() -> String {
        crate::testing::key_set()
    }

    /// Acceptance 15: wrong signature, issuer, subject or expiry.
    #[test]
    fn signed_tokens() {
        let now = 1_800_000_000;
        let head = json!({ "alg": "EdDSA", "typ": "JWT", "kid": "stand-in" });
        let claims = json!({ "iss": "opencti", "sub": "connector", "exp": now + 3_600 });
        let check = |head: &Value, claims: &Value| verify(&StandIn::delivery_token(head, claims), &read(&set()), now);
        let with = |base: &Value, name: &str, value: Value| {
            let mut changed = base.clone();
            changed[name] = value;
            changed
        };
        assert_eq!(check(&head, &claims), Ok(()));
        assert_eq!(check(&json!({ "alg": "EdDSA" }), &claims), Ok(()));
        assert_eq!(check(&with(&head, "kid", json!("other")), &claims), Err(Refusal::UnknownKey));
        assert_eq!(check(&with(&head, "alg", json!("none")), &claims), Err(Refusal::Algorithm));
        assert_eq!(check(&with(&head, "alg", json!("HS256")), &claims), Err(Refusal::Algorithm));
        assert_eq!(check(&head, &with(&claims, "iss", json!("other"))), Err(Refusal::Issuer));
        assert_eq!(check(&head, &with(&claims, "sub", json!(null))), Err(Refusal::Subject));
        assert_eq!(check(&head, &with(&claims, "exp", json!(now - 61))), Err(Refusal::Expired));
        assert_eq!(check(&head, &with(&claims, "exp", json!(now - 30))), Ok(()));
        assert_eq!(check(&head, &with(&claims, "exp", json!("soon"))), Err(Refusal::Malformed));
        assert_eq!(check(&head, &with(&claims, "nbf", json!(now + 3_600))), Err(Refusal::TooEarly));
        let token = StandIn::delivery_token(&head, &claims);
        let mut parts: Vec<&str> = token.split('.').collect();
        let forged = URL_SAFE_NO_PAD.encode(with(&claims, "exp", json!(now + 999_999)).to_string());
        parts[1] = &forged;
        assert_eq!(verify(&parts.join("."), &read(&set()), now), Err(Refusal::Signature));
        for odd in ["", ".", "..", "a.b", "a.b.c", "e30.e30.e30", "\u{1f600}.x.y"] {
            assert!(verify(odd, &read(&set()), now).is_err(), "{odd}");
        }
    }

    #[test]
    fn plain_tokens() {
        let keys = CallbackKeys::new(None);
        let own = Secret::from("d434ce02");
        assert_eq!(keys.check(Some("Bearer d434ce02"), &own), Ok(()));
        for wrong in [None, Some("Bearer d434ce0"), Some("d434ce02"), Some("Basic d434ce02"), Some("Bearer ")] {
            assert!(keys.check(wrong, &own).is_err(), "{wrong:?}");
        }
        assert!(keys.check(Some("Bearer "), &Secret::default()).is_err());
        // With keys, the plain token is not enough any more.
        keys.set(Some(&set()));
        assert!(keys.check(Some("Bearer d434ce02"), &own).is_err());
        keys.set(Some("no JSON"));
        assert_eq!(keys.check(Some("Bearer d434ce02"), &own), Ok(()));
    }
}
