// Pairs of keys: ECDSA and ECDH on the curves of NIST, Ed25519.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { bytesSet, DOMException, TypeError, Uint8Array, viewByteLength } = intrinsics;
  const { domString } = ops.library_value("webidl");
  const keys: CryptoKeys = ops.library_value("keys"), shared: CryptoShared = ops.library_value("cryptoShared");
  const { bytes, checkJwk, checkUsages, dataError, decode, encode, hashOf, intersect, invalidAccess, notSupported, operationError, strings } = shared;

  const none = strings(), signUses = strings("sign"), verifyUses = strings("verify"), deriveUses = strings("deriveKey", "deriveBits");
  const pair = (publicKey: CryptoKey, privateKey: CryptoKey, usages: string[], privateUses: string[]) => {
    if (intersect(usages, privateUses).length === 0) throw new DOMException("the private key would be for nothing", "SyntaxError");
    return { publicKey, privateKey };
  };
  const length = viewByteLength;

  function concat(first: Uint8Array, second: Uint8Array, third: Uint8Array): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(length(first) + length(second) + length(third));
    bytesSet(all, first);
    bytesSet(all, second, length(first));
    bytesSet(all, third, length(first) + length(second));
    return all;
  }
  const part = (source: Uint8Array, from: number, to: number) => {
    const copy = new Uint8Array(to - from);
    for (let i = from; i < to; i++) copy[i - from] = source[i];
    return copy;
  };

  // ---- the curves of NIST ----

  const sizes: { readonly [curve: string]: number } = { "P-256": 32, "P-384": 48, "P-521": 66 };
  const algs: { readonly [curve: string]: string } = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" };

  function curveOf(params: any): string {
    const { namedCurve } = params;
    if (namedCurve === undefined) throw new TypeError("the algorithm says no namedCurve");
    const curve = domString(namedCurve);
    if (curve !== "P-256" && curve !== "P-384" && curve !== "P-521") throw notSupported("'" + curve + "' is no curve that is there");
    return curve;
  }

  function elliptic(name: string, privateUses: string[], publicUses: string[]): CryptoAlgorithm {
    const signs = privateUses === signUses;
    const open = (curve: string, point: Uint8Array, extractable: boolean, usages: string[]) =>
      keys.make("public", extractable, { name, namedCurve: curve }, intersect(usages, publicUses), point);
    const secret = (curve: string, key: Uint8Array, extractable: boolean, usages: string[]) =>
      keys.make("private", extractable, { name, namedCurve: curve }, intersect(usages, privateUses), key, ops.crypto_ec_public(curve, key));
    const valid = (key: Uint8Array | null): Uint8Array => {
      if (key === null) throw dataError("this is no key of the curve");
      return key;
    };

    function importJwk(jwk: any, curve: string, extractable: boolean, usages: string[]): CryptoKey {
      const isPrivate = jwk.d !== undefined;
      checkUsages(usages, isPrivate ? privateUses : publicUses);
      checkJwk(jwk, "EC", signs ? "sig" : "enc", extractable, usages);
      if (jwk.crv !== curve) throw dataError("crv of the JWK is not " + curve);
      if (signs && jwk.alg !== undefined && jwk.alg !== algs[curve]) throw dataError("alg of the JWK does not fit the curve");
      const x = decode(jwk.x, "x"), y = decode(jwk.y, "y"), size = sizes[curve];
      if (length(x) !== size || length(y) !== size) throw dataError("the coordinates of the JWK are not of the curve's size");
      const mark = new Uint8Array(1);
      mark[0] = 4;
      const point = valid(ops.crypto_ec_point(curve, concat(mark, x, y)));
      if (!isPrivate) return open(curve, point, extractable, usages);
      const d = decode(jwk.d, "d"), own = length(d) === size ? ops.crypto_ec_public(curve, d) : null;
      if (own === null || encode(own) !== encode(point)) throw dataError("d of the JWK does not belong to its point");
      return secret(curve, d, extractable, usages);
    }

    return {
      generateKey(params, extractable, usages) {
        const curve = curveOf(params);
        checkUsages(usages, signs ? strings("sign", "verify") : privateUses);
        const key: Uint8Array = ops.crypto_ec_generate(curve);
        return pair(open(curve, ops.crypto_ec_public(curve, key), true, usages), secret(curve, key, extractable, usages), usages, privateUses);
      },
      importKey(format, given, params, extractable, usages) {
        const curve = curveOf(params);
        if (format === "jwk") return importJwk(given, curve, extractable, usages);
        if (format === "pkcs8") {
          checkUsages(usages, privateUses);
          return secret(curve, valid(ops.crypto_ec_from_pkcs8(curve, bytes(given, "the key"))), extractable, usages);
        }
        checkUsages(usages, publicUses);
        if (format === "spki") return open(curve, valid(ops.crypto_ec_from_spki(curve, bytes(given, "the key"))), extractable, usages);
        if (format === "raw") return open(curve, valid(ops.crypto_ec_point(curve, bytes(given, "the key"))), extractable, usages);
        throw notSupported("keys of this kind are not imported as " + format);
      },
      exportKey(format, key) {
        const curve = curveOf(key.algorithm), isPrivate = key.type === "private";
        if (format === "jwk") {
          const jwk = shared.jwk(key, "EC"), size = sizes[curve], point = isPrivate ? key.open! : key.data;
          jwk.crv = curve;
          jwk.x = encode(part(point, 1, 1 + size));
          jwk.y = encode(part(point, 1 + size, 1 + 2 * size));
          if (isPrivate) jwk.d = encode(key.data);
          return jwk;
        }
        if (format !== "raw" && format !== "spki" && format !== "pkcs8") throw notSupported("keys of this kind are not exported as " + format);
        if (isPrivate !== (format === "pkcs8")) throw invalidAccess("a " + key.type + " key is not exported as " + format);
        if (format === "raw") return key.data;
        return format === "pkcs8" ? ops.crypto_ec_to_pkcs8(curve, key.data) : ops.crypto_ec_to_spki(curve, key.data);
      },
    };
  }

  const ecdsa = elliptic("ECDSA", signUses, verifyUses);
  ecdsa.sign = (params, key, data) => {
    const hash = hashOf(params.hash);
    if (key.type !== "private") throw invalidAccess("signing takes a private key");
    return ops.crypto_ecdsa_sign(curveOf(key.algorithm), hash, key.data, data);
  };
  ecdsa.verify = (params, key, signature, data) => {
    const hash = hashOf(params.hash);
    if (key.type !== "public") throw invalidAccess("verifying takes a public key");
    return ops.crypto_ecdsa_verify(curveOf(key.algorithm), hash, key.data, data, signature);
  };

  const ecdh = elliptic("ECDH", deriveUses, none);
  ecdh.deriveBits = (params, key, bits) => {
    const other = keys.recordOf(params.public);
    if (other === undefined) throw new TypeError("public of the algorithm is no CryptoKey");
    if (key.type !== "private") throw invalidAccess("deriving takes a private key");
    if (other.type !== "public") throw invalidAccess("public of the algorithm is no public key");
    if (other.algorithm.name !== "ECDH" || other.algorithm.namedCurve !== key.algorithm.namedCurve) throw invalidAccess("the two keys are not of one curve");
    const secret: Uint8Array | null = ops.crypto_ec_agree(curveOf(key.algorithm), key.data, other.data);
    if (secret === null) throw operationError("the two keys do not go together");
    if (bits === null) return secret;
    if (bits > length(secret) * 8) throw operationError("there are only " + length(secret) * 8 + " bits, not " + bits);
    const short = part(secret, 0, (bits + 7 - ((bits + 7) % 8)) / 8);
    if (bits % 8 !== 0) short[length(short) - 1] &= 0xff << (8 - (bits % 8));
    return short;
  };

  // ---- Ed25519 ----

  const edPublic = (key: Uint8Array, extractable: boolean, usages: string[]) => keys.make("public", extractable, { name: "Ed25519" }, intersect(usages, verifyUses), key);
  const edPrivate = (key: Uint8Array, extractable: boolean, usages: string[]) =>
    keys.make("private", extractable, { name: "Ed25519" }, intersect(usages, signUses), key, ops.crypto_ed_public(key));
  const edValid = (key: Uint8Array | null): Uint8Array => {
    if (key === null || length(key) !== 32) throw dataError("this is no key of Ed25519");
    return key;
  };

  const ed25519: CryptoAlgorithm = {
    generateKey(_, extractable, usages) {
      checkUsages(usages, strings("sign", "verify"));
      const seed: Uint8Array = ops.crypto_random(32);
      return pair(edPublic(ops.crypto_ed_public(seed), true, usages), edPrivate(seed, extractable, usages), usages, signUses);
    },
    importKey(format, given, _, extractable, usages) {
      if (format === "jwk") {
        const isPrivate = given.d !== undefined;
        checkUsages(usages, isPrivate ? signUses : verifyUses);
        checkJwk(given, "OKP", "sig", extractable, usages);
        if (given.crv !== "Ed25519") throw dataError("crv of the JWK is not Ed25519");
        if (given.alg !== undefined && given.alg !== "EdDSA" && given.alg !== "Ed25519") throw dataError("alg of the JWK is not EdDSA");
        const x = edValid(decode(given.x, "x"));
        if (!isPrivate) return edPublic(x, extractable, usages);
        const d = edValid(decode(given.d, "d"));
        if (encode(ops.crypto_ed_public(d)) !== encode(x)) throw dataError("d of the JWK does not belong to x");
        return edPrivate(d, extractable, usages);
      }
      if (format === "pkcs8") {
        checkUsages(usages, signUses);
        return edPrivate(edValid(ops.crypto_ed_from_pkcs8(bytes(given, "the key"))), extractable, usages);
      }
      checkUsages(usages, verifyUses);
      if (format === "spki") return edPublic(edValid(ops.crypto_ed_from_spki(bytes(given, "the key"))), extractable, usages);
      if (format === "raw") return edPublic(edValid(bytes(given, "the key")), extractable, usages);
      throw notSupported("keys of this kind are not imported as " + format);
    },
    exportKey(format, key) {
      const isPrivate = key.type === "private";
      if (format === "jwk") {
        const jwk = shared.jwk(key, "OKP");
        jwk.crv = "Ed25519";
        jwk.x = encode(isPrivate ? key.open! : key.data);
        if (isPrivate) jwk.d = encode(key.data);
        return jwk;
      }
      if (format !== "raw" && format !== "spki" && format !== "pkcs8") throw notSupported("keys of this kind are not exported as " + format);
      if (isPrivate !== (format === "pkcs8")) throw invalidAccess("a " + key.type + " key is not exported as " + format);
      if (format === "raw") return key.data;
      const exported = isPrivate ? ops.crypto_ed_to_pkcs8(key.data) : ops.crypto_ed_to_spki(key.data);
      if (exported === null) throw operationError("the key is not valid");
      return exported;
    },
    sign(_, key, data) {
      if (key.type !== "private") throw invalidAccess("signing takes a private key");
      return ops.crypto_ed_sign(key.data, data);
    },
    verify(_, key, signature, data) {
      if (key.type !== "public") throw invalidAccess("verifying takes a public key");
      return ops.crypto_ed_verify(key.data, data, signature);
    },
  };

  const publicKeys: CryptoAlgorithms = { ECDSA: ecdsa, ECDH: ecdh, Ed25519: ed25519 };
  return { publicKeys };
};
