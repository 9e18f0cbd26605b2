//! Ed25519. A private key is its seed of 32 bytes.

use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use perennial_engine::{Bound, OpTable, OpValue};
use serde_json::json;

use super::or_null;
use crate::bytes;

/// What stands before the seed in PKCS #8: <https://www.rfc-editor.org/rfc/rfc8410#section-7>. The crate writes a later version, which
/// has the public key in it and which Web Crypto does not write.
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

fn signing(key: &[u8]) -> Option<SigningKey> {
    Some(SigningKey::from_bytes(key.try_into().ok()?))
}

fn verifying(key: &[u8]) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(key.try_into().ok()?).ok()
}

pub(super) fn ops() -> OpTable {
    OpTable::new()
        .sync("crypto_ed_public", Bound::SMALL, |_, args| {
            Ok(or_null(signing(bytes(&args, 0)).map(|key| key.verifying_key().to_bytes().to_vec())))
        })
        .sync("crypto_ed_sign", Bound::bytes(128 << 20), |_, args| {
            Ok(or_null(signing(bytes(&args, 0)).map(|key| key.sign(bytes(&args, 1)).to_bytes().to_vec())))
        })
        .sync("crypto_ed_verify", Bound::bytes(128 << 20), |_, args| {
            let key = verifying(bytes(&args, 0));
            let signature = Signature::from_slice(bytes(&args, 2)).ok();
            let valid = key
                .zip(signature)
                .is_some_and(|(key, signature)| key.verify_strict(bytes(&args, 1), &signature).is_ok());
            Ok(json!(valid).into())
        })
        .sync("crypto_ed_to_pkcs8", Bound::SMALL, |_, args| Ok(OpValue::Bytes([&PKCS8, bytes(&args, 0)].concat())))
        .sync("crypto_ed_from_pkcs8", Bound::SMALL, |_, args| {
            Ok(or_null(SigningKey::from_pkcs8_der(bytes(&args, 0)).ok().map(|key| key.to_bytes().to_vec())))
        })
        .sync("crypto_ed_to_spki", Bound::SMALL, |_, args| {
            Ok(or_null(
                verifying(bytes(&args, 0)).and_then(|key| Some(key.to_public_key_der().ok()?.as_bytes().to_vec())),
            ))
        })
        .sync("crypto_ed_from_spki", Bound::SMALL, |_, args| {
            Ok(or_null(VerifyingKey::from_public_key_der(bytes(&args, 0)).ok().map(|key| key.to_bytes().to_vec())))
        })
}
