//! Web Crypto's arithmetic, all of it RustCrypto's: <https://w3c.github.io/webcrypto/>. Keys are bytes here; what they may be used for is
//! looked after in JavaScript, which keeps them where scripts do not get.

/// Calls something with the type of a hash by its name.
macro_rules! with_hash {
    ($name:expr, $hash:ident => $body:expr) => {
        match $name {
            "SHA-1" => {
                type $hash = Sha1;
                $body
            }
            "SHA-256" => {
                type $hash = Sha256;
                $body
            }
            "SHA-384" => {
                type $hash = Sha384;
                $body
            }
            "SHA-512" => {
                type $hash = Sha512;
                $body
            }
            _ => return Err(OpError::type_error("no such hash")),
        }
    };
}

mod aes;
mod curves;
mod edwards;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use perennial_engine::{Area, Bound, Budget, OpError, OpTable, OpValue};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::{area, bytes, number, text};

/// What is done between two looks at whether the script was stopped.
const PART: usize = 1 << 20;
const ROUNDS: u32 = 1000;

pub(super) fn areas() -> Vec<Area> {
    area::each(&[&area::CRYPTO, &area::CRYPTO_PUBLIC, &area::CRYPTO_SECRET, &area::CRYPTO_SHARED, &area::CRYPTO_SUBTLE])
}

pub(crate) fn ops() -> OpTable {
    OpTable::new()
        .sync("crypto_random", Bound::SMALL, |_, args| {
            let mut random = vec![0; number(&args, 0)?.clamp(0.0, 65536.0) as usize];
            getrandom::fill(&mut random).map_err(|error| OpError::new("Error", format!("no randomness: {error}")))?;
            Ok(OpValue::Bytes(random))
        })
        .sync("crypto_digest", Bound::DATA, |context, args| {
            let (data, budget) = (bytes(&args, 1), &context.budget);
            Ok(OpValue::Bytes(with_hash!(text(&args, 0)?, H => digest::<H>(data, budget)?)))
        })
        .sync("crypto_hmac", Bound::bytes(128 << 20), |context, args| {
            let (key, data, budget) = (bytes(&args, 1), bytes(&args, 2), &context.budget);
            Ok(OpValue::Bytes(
                with_hash!(text(&args, 0)?, H => hmac::<H>(key, data, budget)?.finalize().into_bytes().to_vec()),
            ))
        })
        .sync("crypto_hmac_verify", Bound::bytes(128 << 20), |context, args| {
            let (key, data, budget) = (bytes(&args, 1), bytes(&args, 2), &context.budget);
            let signature = bytes(&args, 3);
            let valid = with_hash!(text(&args, 0)?, H => hmac::<H>(key, data, budget)?.verify_slice(signature).is_ok());
            Ok(json!(valid).into())
        })
        // The information is read again for each block that comes out.
        .sync("crypto_hkdf", Bound::bytes(1 << 20), |_, args| {
            let (key, salt, info) = (bytes(&args, 1), bytes(&args, 2), bytes(&args, 3));
            let mut out = vec![0; number(&args, 4)? as usize];
            let fits = with_hash!(text(&args, 0)?, H => Hkdf::<H>::new(Some(salt), key).expand(info, &mut out).is_ok());
            Ok(if fits { OpValue::Bytes(out) } else { Value::Null.into() })
        })
        .sync("crypto_pbkdf2", Bound::bytes(128 << 20), |context, args| {
            let (password, salt) = (bytes(&args, 1), bytes(&args, 2));
            let (rounds, length) = (number(&args, 3)? as u32, number(&args, 4)? as usize);
            let budget = &context.budget;
            Ok(OpValue::Bytes(with_hash!(text(&args, 0)?, H => pbkdf2::<H>(password, salt, rounds, length, budget)?)))
        })
        .sync("base64url_encode", Bound::DATA, |_, args| Ok(json!(URL_SAFE_NO_PAD.encode(bytes(&args, 0))).into()))
        .sync("base64url_decode", Bound::DATA, |_, args| {
            Ok(URL_SAFE_NO_PAD.decode(text(&args, 0)?).map_or_else(|_| Value::Null.into(), OpValue::Bytes))
        })
        .merge(aes::ops())
        .merge(curves::ops())
        .merge(edwards::ops())
}

/// `None` stands for what is no key.
fn or_null(result: Option<Vec<u8>>) -> OpValue {
    result.map_or_else(|| Value::Null.into(), OpValue::Bytes)
}

/// The script was stopped; nobody sees this.
fn stopped() -> OpError {
    OpError::new("Error", "the script was stopped")
}

fn each_part(data: &[u8], budget: &Budget, mut part: impl FnMut(&[u8])) -> Result<(), OpError> {
    for chunk in data.chunks(PART) {
        if budget.is_stopped() {
            return Err(stopped());
        }
        part(chunk);
    }
    Ok(())
}

fn digest<H: Digest>(data: &[u8], budget: &Budget) -> Result<Vec<u8>, OpError> {
    let mut hash = H::new();
    each_part(data, budget, |part| hash.update(part))?;
    Ok(hash.finalize().to_vec())
}

fn hmac<H: EagerHash>(key: &[u8], data: &[u8], budget: &Budget) -> Result<Hmac<H>, OpError> {
    let mut mac = Hmac::<H>::new_from_slice(key).map_err(|_| OpError::type_error("no such key"))?;
    each_part(data, budget, |part| mac.update(part))?;
    Ok(mac)
}

/// <https://www.rfc-editor.org/rfc/rfc8018#section-5.2>, here because the number of rounds is the script's and it has to be possible to stop it.
fn pbkdf2<H: EagerHash>(
    password: &[u8],
    salt: &[u8],
    rounds: u32,
    length: usize,
    budget: &Budget,
) -> Result<Vec<u8>, OpError> {
    let keyed = Hmac::<H>::new_from_slice(password).map_err(|_| OpError::type_error("no such key"))?;
    let mut salted = keyed.clone();
    each_part(salt, budget, |part| salted.update(part))?;
    let mut out = Vec::with_capacity(length);
    let mut index = 0_u32;
    while out.len() < length {
        if budget.is_stopped() {
            return Err(stopped());
        }
        index += 1;
        let mut mac = salted.clone();
        mac.update(&index.to_be_bytes());
        let mut last = mac.finalize().into_bytes();
        let mut block = last.clone();
        for round in 1..rounds {
            if round % ROUNDS == 0 && budget.is_stopped() {
                return Err(stopped());
            }
            let mut mac = keyed.clone();
            mac.update(&last);
            last = mac.finalize().into_bytes();
            block.iter_mut().zip(&last).for_each(|(sum, byte)| *sum ^= byte);
        }
        out.extend_from_slice(&block);
    }
    out.truncate(length);
    Ok(out)
}
