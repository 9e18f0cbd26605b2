//! AES in the modes of Web Crypto. What fails says nothing of why.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::consts::{U12, U16, U32};
use aes::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, BlockSizeUser, KeyInit, KeyIvInit,
    StreamCipher,
};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::aead::array::ArraySize;
use aes_gcm::{AeadInOut, AesGcm, Nonce};
use aes_kw::AesKw;
use perennial_engine::{Bound, OpError, OpTable, OpValue};
use serde_json::Value;

use crate::{bytes, flag, number, text};

/// Bytes of a key that is wrapped.
const MAX_WRAPPED: usize = 64 << 10;

pub(super) fn ops() -> OpTable {
    OpTable::new()
        // Mode, whether to encrypt, key, data, iv or counter, additional data, bits of the tag or of the counter.
        .sync("crypto_aes", Bound::bytes(128 << 20), |_, args| {
            let request = Request {
                mode: text(&args, 0)?,
                encrypt: flag(&args, 1),
                key: bytes(&args, 2),
                data: bytes(&args, 3),
                iv: bytes(&args, 4),
                more: bytes(&args, 5),
                bits: number(&args, 6)? as u32,
            };
            let result = match request.key.len() {
                16 => request.perform::<Aes128>(),
                24 => request.perform::<Aes192>(),
                32 => request.perform::<Aes256>(),
                _ => return Err(OpError::type_error("no such key")),
            };
            Ok(result.map_or_else(|| Value::Null.into(), OpValue::Bytes))
        })
}

struct Request<'a> {
    mode: &'a str,
    encrypt: bool,
    key: &'a [u8],
    data: &'a [u8],
    iv: &'a [u8],
    more: &'a [u8],
    bits: u32,
}

impl Request<'_> {
    fn perform<C>(&self) -> Option<Vec<u8>>
    where
        C: KeyInit + Clone + BlockCipherEncrypt + BlockCipherDecrypt + BlockSizeUser<BlockSize = U16>,
    {
        match (self.mode, self.encrypt) {
            ("AES-CBC", true) => Some(
                cbc::Encryptor::<C>::new_from_slices(self.key, self.iv).ok()?.encrypt_padded_vec::<Pkcs7>(self.data),
            ),
            ("AES-CBC", false) => {
                let mode = cbc::Decryptor::<C>::new_from_slices(self.key, self.iv).ok()?;
                mode.decrypt_padded_vec::<Pkcs7>(self.data).ok()
            }
            ("AES-CTR", _) => self.counter::<C>(),
            ("AES-GCM", _) => match self.iv.len() {
                12 => self.galois::<C, U12>(),
                16 => self.galois::<C, U16>(),
                32 => self.galois::<C, U32>(),
                _ => None,
            },
            // Six ciphers one after the other for every eight bytes: for keys, not for data.
            ("AES-KW", _) if self.data.len() > MAX_WRAPPED => None,
            ("AES-KW", encrypt) => {
                let mode = AesKw::<C>::new_from_slice(self.key).ok()?;
                let mut out = vec![0; self.data.len() + 8];
                let done =
                    if encrypt { mode.wrap_key(self.data, &mut out) } else { mode.unwrap_key(self.data, &mut out) };
                done.ok().map(<[u8]>::to_vec)
            }
            _ => None,
        }
    }

    /// The counter is the low `bits` of the block; it goes round without a carry into the rest.
    fn counter<C: KeyInit + BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>>(&self) -> Option<Vec<u8>> {
        let start = u128::from_be_bytes(self.iv.try_into().ok()?);
        let mask = u128::MAX.checked_shr(128 - self.bits).unwrap_or(0);
        let blocks = self.data.len().div_ceil(16) as u128;
        if self.bits == 0 || self.bits > 128 || blocks.checked_sub(1).is_some_and(|last| last > mask) {
            return None;
        }
        let before_wrap = (mask - (start & mask)).saturating_add(1).saturating_mul(16);
        let mut out = self.data.to_vec();
        let split = usize::try_from(before_wrap).unwrap_or(usize::MAX).min(out.len());
        let (first, second) = out.split_at_mut(split);
        for (part, counter) in [(first, start), (second, start & !mask)] {
            let mut mode = ctr::Ctr128BE::<C>::new_from_slices(self.key, &counter.to_be_bytes()).ok()?;
            mode.apply_keystream(part);
        }
        Some(out)
    }

    fn galois<C, N>(&self) -> Option<Vec<u8>>
    where
        C: KeyInit + Clone + BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
        N: ArraySize,
    {
        let mode = AesGcm::<C, N>::new_from_slice(self.key).ok()?;
        let nonce = <&Nonce<N>>::try_from(self.iv).ok()?;
        let tag_bytes = (self.bits / 8) as usize;
        if self.encrypt {
            let mut out = self.data.to_vec();
            let tag = mode.encrypt_inout_detached(nonce, self.more, out.as_mut_slice().into()).ok()?;
            out.extend_from_slice(&tag[..tag_bytes]);
            return Some(out);
        }
        // Tags may be shorter than what the crate verifies. The key stream does not depend on the text, so encrypting what was encrypted
        // gives the plain text, and encrypting that again the whole tag.
        let (sealed, tag) = self.data.split_at_checked(self.data.len().checked_sub(tag_bytes)?)?;
        let mut plain = sealed.to_vec();
        mode.encrypt_inout_detached(nonce, self.more, plain.as_mut_slice().into()).ok()?;
        let mut again = plain.clone();
        let whole = mode.encrypt_inout_detached(nonce, self.more, again.as_mut_slice().into()).ok()?;
        let differing = whole.iter().zip(tag).fold(0, |sum, (left, right)| sum | (left ^ right));
        (std::hint::black_box(differing) == 0).then_some(plain)
    }
}
