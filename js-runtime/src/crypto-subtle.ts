// crypto.subtle: https://w3c.github.io/webcrypto/#subtlecrypto-interface
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { bytesSet, DOMException, hasOwn, isView, list, parse, push, stringify, toLowerCase, TypeError, Uint8Array, viewBuffer, viewByteLength } = intrinsics;
  const { defineInterface, dictionary, domString, enforceRange, isBuffer, isObject, rejected, required, sequence } = ops.library_value("webidl");
  const keys: CryptoKeys = ops.library_value("keys"), shared: CryptoShared = ops.library_value("cryptoShared");
  const { bytes, hashOf, invalidAccess, notSupported, strings } = shared;
  const TOKEN = { __proto__: null };
  const LONG = 4294967295;

  const digest: CryptoAlgorithm = { digest: (params, data) => ops.crypto_digest(hashOf(params.name), data) };
  const names = { __proto__: null } as unknown as { [lower: string]: string };
  const SECRET = ["AES-CBC", "AES-CTR", "AES-GCM", "AES-KW", "HMAC", "HKDF", "PBKDF2"], PUBLIC = ["ECDSA", "ECDH", "Ed25519"];
  const HASHES = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
  for (let i = 0; i < SECRET.length; i++) names[toLowerCase(SECRET[i])] = SECRET[i];
  for (let i = 0; i < PUBLIC.length; i++) names[toLowerCase(PUBLIC[i])] = PUBLIC[i];
  for (let i = 0; i < HASHES.length; i++) names[toLowerCase(HASHES[i])] = HASHES[i];

  function algorithm(name: string): CryptoAlgorithm {
    for (let i = 0; i < HASHES.length; i++) if (HASHES[i] === name) return digest;
    const secret: CryptoAlgorithms = ops.library_value("secretKeys");
    return hasOwn(secret, name) ? secret[name] : (ops.library_value("publicKeys") as CryptoAlgorithms)[name];
  }

  interface Chosen {
    name: string;
    params: any;
    algorithm: CryptoAlgorithm;
  }

  /** https://w3c.github.io/webcrypto/#algorithm-normalization-normalize-an-algorithm */
  function choose(value: unknown, operation: keyof CryptoAlgorithm): Chosen {
    const params: any = isObject(value) ? dictionary(value, "the algorithm") : { __proto__: null, name: value };
    const { name: given } = params;
    if (given === undefined) throw new TypeError("the algorithm has no name");
    const text = domString(given), name = names[toLowerCase(text)];
    if (name === undefined) throw notSupported("the algorithm '" + text + "' is not there");
    const found = algorithm(name);
    if (found[operation] === undefined) throw notSupported(name + " cannot do this: " + operation);
    return { name, params, algorithm: found };
  }

  const USES = strings("encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey");
  function usagesOf(value: unknown): string[] {
    const given = sequence(value, "the usages of a key"), usages: string[] = list();
    for (let i = 0; i < given.length; i++) {
      const use = domString(given[i]);
      let isKnown = false;
      for (let j = 0; j < USES.length; j++) isKnown ||= USES[j] === use;
      if (!isKnown) throw new TypeError("'" + use + "' is no usage of a key");
      push(usages, use);
    }
    return usages;
  }

  function keyOf(value: unknown): KeyRecord {
    const key = keys.recordOf(value);
    if (key === undefined) throw new TypeError("the key is no CryptoKey");
    return key;
  }

  function mayUse(key: KeyRecord, chosen: Chosen, use: string): void {
    if (key.algorithm.name !== chosen.name) throw invalidAccess("the key is one of " + key.algorithm.name + ", not of " + chosen.name);
    for (let i = 0; i < key.usages.length; i++) if (key.usages[i] === use) return;
    throw invalidAccess("the key is not for " + use);
  }

  function formatOf(value: unknown): string {
    const format = domString(value);
    if (format !== "raw" && format !== "spki" && format !== "pkcs8" && format !== "jwk") throw new TypeError("'" + format + "' is no format of keys");
    return format;
  }

  const buffer = (bytes: Uint8Array): ArrayBuffer => {
    const copy = new Uint8Array(viewByteLength(bytes));
    bytesSet(copy, bytes);
    return viewBuffer(copy);
  };

  function checked<T extends CryptoKey | { publicKey: CryptoKey; privateKey: CryptoKey }>(made: T, usages: string[]): T {
    const key = keys.recordOf(made);
    if (key !== undefined && key.type !== "public" && usages.length === 0) throw new DOMException("the key would be for nothing", "SyntaxError");
    return made;
  }

  function importAs(format: string, data: unknown, chosen: Chosen, extractable: boolean, usages: string[]): CryptoKey {
    const given = format === "jwk" && isObject(data) ? dictionary(data, "the JWK") : data;
    return checked(chosen.algorithm.importKey!(format, given, chosen.params, extractable, usages), usages);
  }

  function exportAs(format: string, value: unknown): any {
    const key = keyOf(value), { exportKey } = algorithm(key.algorithm.name);
    if (exportKey === undefined) throw notSupported("keys of " + key.algorithm.name + " are not exported");
    if (!key.extractable) throw invalidAccess("the key is not extractable");
    return exportKey(format, key);
  }

  /** Every method checks who is called and how often, and fails by its promise. */
  function method<T>(name: string, count: number, isOne: boolean, given: number, body: () => T): Promise<T> {
    try {
      if (!isOne) throw new TypeError("this is no SubtleCrypto");
      required(count, given, "crypto.subtle." + name);
      return intrinsics.promiseResolve(body()) as Promise<T>;
    } catch (error) {
      return rejected(error);
    }
  }

  class SubtleCrypto {
    #brand = true;
    constructor(token: unknown = undefined) {
      if (token !== TOKEN) throw new TypeError("there is one SubtleCrypto: crypto.subtle");
    }
    static #is(value: unknown): boolean {
      return isObject(value) && #brand in value;
    }

    encrypt(algorithm: unknown, key: unknown, data: unknown) {
      return method("encrypt", 3, SubtleCrypto.#is(this), arguments.length, () => {
        const text = bytes(data, "the data"), chosen = choose(algorithm, "encrypt"), record = keyOf(key);
        mayUse(record, chosen, "encrypt");
        return buffer(chosen.algorithm.encrypt!(chosen.params, record, text));
      });
    }
    decrypt(algorithm: unknown, key: unknown, data: unknown) {
      return method("decrypt", 3, SubtleCrypto.#is(this), arguments.length, () => {
        const text = bytes(data, "the data"), chosen = choose(algorithm, "decrypt"), record = keyOf(key);
        mayUse(record, chosen, "decrypt");
        return buffer(chosen.algorithm.decrypt!(chosen.params, record, text));
      });
    }
    sign(algorithm: unknown, key: unknown, data: unknown) {
      return method("sign", 3, SubtleCrypto.#is(this), arguments.length, () => {
        const text = bytes(data, "the data"), chosen = choose(algorithm, "sign"), record = keyOf(key);
        mayUse(record, chosen, "sign");
        return buffer(chosen.algorithm.sign!(chosen.params, record, text));
      });
    }
    verify(algorithm: unknown, key: unknown, signature: unknown, data: unknown) {
      return method("verify", 4, SubtleCrypto.#is(this), arguments.length, () => {
        const sealed = bytes(signature, "the signature"), text = bytes(data, "the data"), chosen = choose(algorithm, "verify"), record = keyOf(key);
        mayUse(record, chosen, "verify");
        return chosen.algorithm.verify!(chosen.params, record, sealed, text);
      });
    }
    digest(algorithm: unknown, data: unknown) {
      return method("digest", 2, SubtleCrypto.#is(this), arguments.length, () => {
        const text = bytes(data, "the data"), chosen = choose(algorithm, "digest");
        return buffer(chosen.algorithm.digest!({ name: chosen.name }, text));
      });
    }
    generateKey(algorithm: unknown, extractable: boolean, keyUsages: unknown) {
      return method("generateKey", 3, SubtleCrypto.#is(this), arguments.length, () => {
        const usages = usagesOf(keyUsages), chosen = choose(algorithm, "generateKey");
        return checked(chosen.algorithm.generateKey!(chosen.params, !!extractable, usages), usages);
      });
    }
    deriveKey(algorithm: unknown, baseKey: unknown, derivedKeyType: unknown, extractable: boolean, keyUsages: unknown) {
      return method("deriveKey", 5, SubtleCrypto.#is(this), arguments.length, () => {
        const usages = usagesOf(keyUsages), chosen = choose(algorithm, "deriveBits"), record = keyOf(baseKey);
        const imported = choose(derivedKeyType, "importKey"), measured = choose(derivedKeyType, "keyLength");
        mayUse(record, chosen, "deriveKey");
        const length = measured.algorithm.keyLength!(measured.params);
        return importAs("raw", chosen.algorithm.deriveBits!(chosen.params, record, length), imported, !!extractable, usages);
      });
    }
    deriveBits(algorithm: unknown, baseKey: unknown, length: number | null = null) {
      return method("deriveBits", 2, SubtleCrypto.#is(this), arguments.length, () => {
        const bits = length === null || length === undefined ? null : enforceRange(length, LONG, "the length");
        const chosen = choose(algorithm, "deriveBits"), record = keyOf(baseKey);
        mayUse(record, chosen, "deriveBits");
        return buffer(chosen.algorithm.deriveBits!(chosen.params, record, bits));
      });
    }
    importKey(format: unknown, keyData: unknown, algorithm: unknown, extractable: boolean, keyUsages: unknown) {
      return method("importKey", 5, SubtleCrypto.#is(this), arguments.length, () => {
        const as = formatOf(format), usages = usagesOf(keyUsages), chosen = choose(algorithm, "importKey"), isBytes = isView(keyData) || isBuffer(keyData);
        if (isBytes === (as === "jwk") || !isObject(keyData)) throw new TypeError("the data of a key is a buffer, or an object if the format is jwk");
        return importAs(as, keyData, chosen, !!extractable, usages);
      });
    }
    exportKey(format: unknown, key: unknown) {
      return method("exportKey", 2, SubtleCrypto.#is(this), arguments.length, () => {
        const as = formatOf(format), exported = exportAs(as, key);
        return as === "jwk" ? shared.open(exported) : buffer(exported);
      });
    }
    wrapKey(format: unknown, key: unknown, wrappingKey: unknown, wrapAlgorithm: unknown) {
      return method("wrapKey", 4, SubtleCrypto.#is(this), arguments.length, () => {
        const as = formatOf(format), { chosen, work } = wrapping(wrapAlgorithm, "wrapKey", "encrypt"), record = keyOf(wrappingKey);
        mayUse(record, chosen, "wrapKey");
        const exported = exportAs(as, key);
        return buffer(work(chosen.params, record, as === "jwk" ? ops.text_encode(stringify(exported)) : exported));
      });
    }
    unwrapKey(format: unknown, wrappedKey: unknown, unwrappingKey: unknown, unwrapAlgorithm: unknown, unwrappedKeyAlgorithm: unknown, extractable: boolean, keyUsages: unknown) {
      return method("unwrapKey", 7, SubtleCrypto.#is(this), arguments.length, () => {
        const as = formatOf(format), wrapped = bytes(wrappedKey, "the wrapped key"), usages = usagesOf(keyUsages);
        const { chosen, work } = wrapping(unwrapAlgorithm, "unwrapKey", "decrypt"), inside = choose(unwrappedKeyAlgorithm, "importKey"), record = keyOf(unwrappingKey);
        mayUse(record, chosen, "unwrapKey");
        const exported = work(chosen.params, record, wrapped);
        return importAs(as, as === "jwk" ? parsed(exported) : exported, inside, !!extractable, usages);
      });
    }
  }

  /** What wraps keys, or else what encrypts. */
  function wrapping(value: unknown, operation: "wrapKey" | "unwrapKey", otherwise: "encrypt" | "decrypt") {
    let chosen: Chosen, used: "wrapKey" | "unwrapKey" | "encrypt" | "decrypt" = operation;
    try {
      chosen = choose(value, operation);
    } catch {
      used = otherwise;
      chosen = choose(value, otherwise);
    }
    return { chosen, work: chosen.algorithm[used]! };
  }

  function parsed(bytes: Uint8Array): unknown {
    let jwk: unknown;
    try {
      jwk = parse(ops.text_decode("utf-8", undefined, bytes, true, false, false).text);
    } catch {
      throw shared.dataError("what was wrapped is no JWK");
    }
    if (!isObject(jwk)) throw shared.dataError("what was wrapped is no JWK");
    return jwk;
  }

  defineInterface(SubtleCrypto, "SubtleCrypto");
  return { SubtleCrypto, subtle: new SubtleCrypto(TOKEN) };
};
