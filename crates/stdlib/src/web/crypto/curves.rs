//! ECDSA and ECDH on the curves of NIST. A private key is its number, a public key its uncompressed point.

use perennial_engine::{Bound, OpError, OpTable, OpValue};
use serde_json::json;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::{digest, or_null};
use crate::{bytes, text};

macro_rules! curve {
    ($module:ident, $curve:ident, $size:literal) => {
        mod $module {
            use $curve::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
            use $curve::ecdsa::{Signature, SigningKey, VerifyingKey};
            use $curve::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
            use $curve::{PublicKey, SecretKey};

            fn secret(key: &[u8]) -> Option<SecretKey> {
                SecretKey::from_slice(key).ok()
            }

            fn uncompressed(key: &PublicKey) -> Vec<u8> {
                use $curve::elliptic_curve::sec1::ToSec1Point;
                key.to_sec1_point(false).as_bytes().to_vec()
            }

            pub(super) fn size() -> usize {
                $size
            }

            pub(super) fn public(key: &[u8]) -> Option<Vec<u8>> {
                Some(uncompressed(&secret(key)?.public_key()))
            }

            pub(super) fn point(key: &[u8]) -> Option<Vec<u8>> {
                PublicKey::from_sec1_bytes(key).ok().map(|key| uncompressed(&key))
            }

            pub(super) fn sign(key: &[u8], hash: &[u8]) -> Option<Vec<u8>> {
                let key = SigningKey::from_slice(key).ok()?;
                let signature: Signature = key.sign_prehash(hash).ok()?;
                Some(signature.to_bytes().to_vec())
            }

            pub(super) fn verify(key: &[u8], hash: &[u8], signature: &[u8]) -> bool {
                let key = VerifyingKey::from_sec1_bytes(key).ok();
                let signature = Signature::from_slice(signature).ok();
                key.zip(signature).is_some_and(|(key, signature)| key.verify_prehash(hash, &signature).is_ok())
            }

            pub(super) fn agree(key: &[u8], other: &[u8]) -> Option<Vec<u8>> {
                let other = PublicKey::from_sec1_bytes(other).ok()?;
                Some(secret(key)?.diffie_hellman(&other).raw_secret_bytes().to_vec())
            }

            pub(super) fn to_pkcs8(key: &[u8]) -> Option<Vec<u8>> {
                Some(secret(key)?.to_pkcs8_der().ok()?.as_bytes().to_vec())
            }

            pub(super) fn from_pkcs8(der: &[u8]) -> Option<Vec<u8>> {
                Some(SecretKey::from_pkcs8_der(der).ok()?.to_bytes().to_vec())
            }

            pub(super) fn to_spki(key: &[u8]) -> Option<Vec<u8>> {
                Some(PublicKey::from_sec1_bytes(key).ok()?.to_public_key_der().ok()?.as_bytes().to_vec())
            }

            pub(super) fn from_spki(der: &[u8]) -> Option<Vec<u8>> {
                PublicKey::from_public_key_der(der).ok().map(|key| uncompressed(&key))
            }
        }
    };
}

curve!(c256, p256, 32);
curve!(c384, p384, 48);
curve!(c521, p521, 66);

macro_rules! on_curve {
    ($name:expr, $function:ident($($argument:expr),*)) => {
        match $name {
            "P-256" => c256::$function($($argument),*),
            "P-384" => c384::$function($($argument),*),
            "P-521" => c521::$function($($argument),*),
            _ => return Err(OpError::type_error("no such curve")),
        }
    };
}

/// `None` stands for what is no key, and becomes `null`.
pub(super) fn ops() -> OpTable {
    OpTable::new()
        .sync("crypto_ec_generate", Bound::SMALL, |_, args| {
            let curve = text(&args, 0)?;
            // A number at random is one of the curve's nearly always.
            for _ in 0..100 {
                let mut key = vec![0; on_curve!(curve, size())];
                getrandom::fill(&mut key).map_err(|error| OpError::new("Error", format!("no randomness: {error}")))?;
                if curve == "P-521" {
                    key[0] &= 1;
                }
                if on_curve!(curve, public(&key)).is_some() {
                    return Ok(OpValue::Bytes(key));
                }
            }
            Err(OpError::new("Error", "no key was found"))
        })
        .sync("crypto_ec_public", Bound::SMALL, |_, args| {
            Ok(or_null(on_curve!(text(&args, 0)?, public(bytes(&args, 1)))))
        })
        .sync("crypto_ec_point", Bound::SMALL, |_, args| {
            Ok(or_null(on_curve!(text(&args, 0)?, point(bytes(&args, 1)))))
        })
        .sync("crypto_ec_agree", Bound::SMALL, |_, args| {
            Ok(or_null(on_curve!(text(&args, 0)?, agree(bytes(&args, 1), bytes(&args, 2)))))
        })
        .sync("crypto_ec_to_pkcs8", Bound::SMALL, |_, args| {
            Ok(or_null(on_curve!(text(&args, 0)?, to_pkcs8(bytes(&args, 1)))))
        })
        .sync("crypto_ec_from_pkcs8", Bound::SMALL, |_, args| {
            Ok(or_null(on_curve!(text(&args, 0)?, from_pkcs8(bytes(&args, 1)))))
        })
        .sync("crypto_ec_to_spki", Bound::SMALL, |_, args| {
            Ok(or_null(on_curve!(text(&args, 0)?, to_spki(bytes(&args, 1)))))
        })
        .sync("crypto_ec_from_spki", Bound::SMALL, |_, args| {
            Ok(or_null(on_curve!(text(&args, 0)?, from_spki(bytes(&args, 1)))))
        })
        .sync("crypto_ecdsa_sign", Bound::bytes(128 << 20), |context, args| {
            let (key, data, budget) = (bytes(&args, 2), bytes(&args, 3), &context.budget);
            let hash = with_hash!(text(&args, 1)?, H => digest::<H>(data, budget)?);
            Ok(or_null(on_curve!(text(&args, 0)?, sign(key, &hash))))
        })
        .sync("crypto_ecdsa_verify", Bound::bytes(128 << 20), |context, args| {
            let (key, data, budget) = (bytes(&args, 2), bytes(&args, 3), &context.budget);
            let hash = with_hash!(text(&args, 1)?, H => digest::<H>(data, budget)?);
            Ok(json!(on_curve!(text(&args, 0)?, verify(key, &hash, bytes(&args, 4)))).into())
        })
}
