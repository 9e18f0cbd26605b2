// Secret keys: AES, HMAC, HKDF, PBKDF2.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { DOMException, TypeError, Uint8Array, viewByteLength } = intrinsics;
  const { enforceRange } = ops.library_value("webidl");
  const keys: CryptoKeys = ops.library_value("keys"), shared: CryptoShared = ops.library_value("cryptoShared");
  const { bytes, checkJwk, checkUsages, dataError, decode, encode, hashOf, intersect, notSupported, operationError, strings } = shared;
  const OCTET = 255, SHORT = 65535, LONG = 4294967295;

  const needed = (value: unknown, what: string): unknown => {
    if (value === undefined) throw new TypeError("the algorithm says no " + what);
    return value;
  };
  const length = viewByteLength;
  const data = (format: string, given: unknown): Uint8Array => {
    if (format !== "raw") throw notSupported("keys of this kind are not imported as " + format);
    return bytes(given, "the key");
  };

  // ---- AES ----

  const cipherUses = strings("encrypt", "decrypt", "wrapKey", "unwrapKey"), wrapUses = strings("wrapKey", "unwrapKey");

  function aes(name: string, suffix: string, uses: string[]): CryptoAlgorithm {
    const make = (key: Uint8Array, extractable: boolean, usages: string[]) =>
      keys.make("secret", extractable, { name, length: length(key) * 8 }, intersect(usages, uses), key);
    const size = (value: unknown) => {
      const bits = enforceRange(needed(value, "length"), SHORT, "length");
      if (bits !== 128 && bits !== 192 && bits !== 256) throw operationError("a key of AES has 128, 192 or 256 bits, not " + bits);
      return bits;
    };
    return {
      generateKey(params, extractable, usages) {
        const bits = enforceRange(needed(params.length, "length"), SHORT, "length");
        checkUsages(usages, uses);
        return make(ops.crypto_random(size(bits) / 8), extractable, usages);
      },
      importKey(format, given, _, extractable, usages) {
        checkUsages(usages, uses);
        let key: Uint8Array;
        if (format === "jwk") {
          checkJwk(given, "oct", "enc", extractable, usages);
          key = decode(given.k, "k");
          if (given.alg !== undefined && given.alg !== "A" + length(key) * 8 + suffix) throw dataError("alg of the JWK does not fit");
        } else {
          key = data(format, given);
        }
        const bits = length(key) * 8;
        if (bits !== 128 && bits !== 192 && bits !== 256) throw dataError("a key of AES has 128, 192 or 256 bits, not " + bits);
        return make(key, extractable, usages);
      },
      exportKey(format, key) {
        if (format === "raw") return key.data;
        if (format !== "jwk") throw notSupported("keys of this kind are not exported as " + format);
        const jwk = shared.jwk(key, "oct");
        jwk.alg = "A" + length(key.data) * 8 + suffix;
        jwk.k = encode(key.data);
        return jwk;
      },
      keyLength: (params) => size(params.length),
    };
  }

  const crypt = (mode: string, encrypt: boolean, key: KeyRecord, data: Uint8Array, iv: unknown, more: unknown, bits: number): Uint8Array => {
    const result = ops.crypto_aes(mode, encrypt, key.data, data, iv, more, bits);
    if (result === null) throw operationError(encrypt ? "it could not be encrypted" : "it could not be decrypted: the key, a parameter or the data is not the right one");
    return result;
  };

  function cbc(params: any, key: KeyRecord, data: Uint8Array, encrypt: boolean): Uint8Array {
    const iv = bytes(needed(params.iv, "iv"), "iv");
    if (length(iv) !== 16) throw operationError("iv of AES-CBC has 16 bytes, not " + length(iv));
    return crypt("AES-CBC", encrypt, key, data, iv, undefined, 0);
  }

  function ctr(params: any, key: KeyRecord, data: Uint8Array, encrypt: boolean): Uint8Array {
    const counter = bytes(needed(params.counter, "counter"), "counter"), bits = enforceRange(needed(params.length, "length"), OCTET, "length");
    if (length(counter) !== 16) throw operationError("the counter of AES-CTR has 16 bytes, not " + length(counter));
    if (bits === 0 || bits > 128) throw operationError("length of AES-CTR is 1 to 128, not " + bits);
    return crypt("AES-CTR", encrypt, key, data, counter, undefined, bits);
  }

  function gcm(params: any, key: KeyRecord, data: Uint8Array, encrypt: boolean): Uint8Array {
    const { additionalData, iv: given, tagLength } = params;
    const more = additionalData === undefined ? undefined : bytes(additionalData, "additionalData"), iv = bytes(needed(given, "iv"), "iv");
    const bits = tagLength === undefined ? 128 : enforceRange(tagLength, OCTET, "tagLength");
    if (bits !== 32 && bits !== 64 && !(bits >= 96 && bits <= 128 && bits % 8 === 0)) throw operationError("a tag of AES-GCM has 32, 64, 96, 104, 112, 120 or 128 bits, not " + bits);
    if (length(iv) !== 12 && length(iv) !== 16 && length(iv) !== 32) throw operationError("iv of AES-GCM has 12 bytes (16 and 32 are taken as well), not " + length(iv));
    return crypt("AES-GCM", encrypt, key, data, iv, more, bits);
  }

  function withCipher(name: string, suffix: string, cipher: (params: any, key: KeyRecord, data: Uint8Array, encrypt: boolean) => Uint8Array): CryptoAlgorithm {
    const algorithm = aes(name, suffix, cipherUses);
    algorithm.encrypt = (params, key, data) => cipher(params, key, data, true);
    algorithm.decrypt = (params, key, data) => cipher(params, key, data, false);
    return algorithm;
  }

  const kw = aes("AES-KW", "KW", wrapUses);
  kw.wrapKey = (_, key, data) => crypt("AES-KW", true, key, data, undefined, undefined, 0);
  kw.unwrapKey = (_, key, data) => crypt("AES-KW", false, key, data, undefined, undefined, 0);

  // ---- HMAC ----

  const macUses = strings("sign", "verify");
  const blocks: { readonly [hash: string]: number } = { "SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024 };
  const macAlg: { readonly [hash: string]: string } = { "SHA-1": "HS1", "SHA-256": "HS256", "SHA-384": "HS384", "SHA-512": "HS512" };
  const macLength = (hash: string, value: unknown): number => {
    if (value === undefined) return blocks[hash];
    const bits = enforceRange(value, LONG, "length");
    if (bits === 0) throw operationError("a key of HMAC has some bits");
    return bits;
  };
  const macKey = (key: Uint8Array, bits: number, hash: string, extractable: boolean, usages: string[]) =>
    keys.make("secret", extractable, { name: "HMAC", length: bits, hash: { name: hash } }, intersect(usages, macUses), key);

  const hmac: CryptoAlgorithm = {
    generateKey(params, extractable, usages) {
      const hash = hashOf(params.hash), bits = params.length === undefined ? undefined : enforceRange(params.length, LONG, "length");
      checkUsages(usages, macUses);
      const wanted = macLength(hash, bits);
      if (wanted > 8 * 65536) throw operationError("a key of HMAC of " + wanted + " bits is not made");
      return macKey(ops.crypto_random((wanted + 7 - ((wanted + 7) % 8)) / 8), wanted, hash, extractable, usages);
    },
    importKey(format, given, params, extractable, usages) {
      const hash = hashOf(params.hash);
      checkUsages(usages, macUses);
      let key: Uint8Array;
      if (format === "jwk") {
        checkJwk(given, "oct", "sig", extractable, usages);
        key = decode(given.k, "k");
        if (given.alg !== undefined && given.alg !== macAlg[hash]) throw dataError("alg of the JWK does not fit the hash");
      } else {
        key = data(format, given);
      }
      const all = length(key) * 8;
      if (all === 0) throw dataError("the key is empty");
      const bits = params.length === undefined ? all : enforceRange(params.length, LONG, "length");
      if (bits > all || bits <= all - 8) throw dataError("length is " + bits + ", and the key has " + all + " bits");
      return macKey(key, bits, hash, extractable, usages);
    },
    exportKey(format, key) {
      if (format === "raw") return key.data;
      if (format !== "jwk") throw notSupported("keys of this kind are not exported as " + format);
      const jwk = shared.jwk(key, "oct");
      jwk.alg = macAlg[key.algorithm.hash.name];
      jwk.k = encode(key.data);
      return jwk;
    },
    sign: (_, key, data) => ops.crypto_hmac(hashName(key), key.data, data),
    verify: (_, key, signature, data) => ops.crypto_hmac_verify(hashName(key), key.data, data, signature),
    keyLength: (params) => macLength(hashOf(params.hash), params.length),
  };
  // The algorithm of a key is an object that scripts can change; what is used is checked again.
  const hashName = (key: KeyRecord) => hashOf(key.algorithm.hash.name);

  // ---- deriving ----

  const deriveUses = strings("deriveKey", "deriveBits");

  function deriving(name: string, derive: (params: any, key: KeyRecord, bits: number) => Uint8Array | null): CryptoAlgorithm {
    return {
      importKey(format, given, _, extractable, usages) {
        const key = data(format, given);
        checkUsages(usages, deriveUses);
        if (extractable) throw new DOMException("a key of " + name + " cannot be extractable", "SyntaxError");
        return keys.make("secret", false, { name }, intersect(usages, deriveUses), key);
      },
      deriveBits(params, key, bits) {
        if (bits === null || bits % 8 !== 0) throw operationError("the length of what is derived by " + name + " is a multiple of 8, not " + bits);
        const result = derive(params, key, bits);
        if (result === null) throw operationError(name + " does not derive so much: " + bits + " bits");
        return result;
      },
      keyLength: () => null,
    };
  }

  const hkdf = deriving("HKDF", (params, key, bits) => {
    const hash = hashOf(params.hash), info = bytes(needed(params.info, "info"), "info"), salt = bytes(needed(params.salt, "salt"), "salt");
    return bits > 65536 * 8 ? null : ops.crypto_hkdf(hash, key.data, salt, info, bits / 8);
  });
  const pbkdf2 = deriving("PBKDF2", (params, key, bits) => {
    const hash = hashOf(params.hash), rounds = enforceRange(needed(params.iterations, "iterations"), LONG, "iterations");
    const salt = bytes(needed(params.salt, "salt"), "salt");
    if (rounds === 0) throw operationError("PBKDF2 needs at least one iteration");
    if (bits === 0) return new Uint8Array(0);
    return bits > 65536 * 8 ? null : ops.crypto_pbkdf2(hash, key.data, salt, rounds, bits / 8);
  });

  const secretKeys: CryptoAlgorithms = {
    "AES-CBC": withCipher("AES-CBC", "CBC", cbc), "AES-CTR": withCipher("AES-CTR", "CTR", ctr), "AES-GCM": withCipher("AES-GCM", "GCM", gcm), "AES-KW": kw,
    HMAC: hmac, HKDF: hkdf, PBKDF2: pbkdf2,
  };
  return { secretKeys };
};
