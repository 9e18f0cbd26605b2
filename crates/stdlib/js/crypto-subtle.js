// Made of js-runtime/src/crypto-subtle.ts by `cargo xtask generate`.
// crypto.subtle: https://w3c.github.io/webcrypto/#subtlecrypto-interface
((ops     , intrinsics            ) => {
  const { bytesSet, DOMException, hasOwn, isView, list, parse, push, stringify, toLowerCase, TypeError, Uint8Array, viewBuffer, viewByteLength } = intrinsics;
  const { defineInterface, dictionary, domString, enforceRange, isBuffer, isObject, rejected, required, sequence } = ops.library_value("webidl");
  const keys             = ops.library_value("keys"), shared               = ops.library_value("cryptoShared");
  const { bytes, hashOf, invalidAccess, notSupported, strings } = shared;
  const TOKEN = { __proto__: null };
  const LONG = 4294967295;

  const digest                  = { digest: (params, data) => ops.crypto_digest(hashOf(params.name), data) };
  const names = { __proto__: null }                                          ;
  const SECRET = ["AES-CBC", "AES-CTR", "AES-GCM", "AES-KW", "HMAC", "HKDF", "PBKDF2"], PUBLIC = ["ECDSA", "ECDH", "Ed25519"];
  const HASHES = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
  for (let i = 0; i < SECRET.length; i++) names[toLowerCase(SECRET[i])] = SECRET[i];
  for (let i = 0; i < PUBLIC.length; i++) names[toLowerCase(PUBLIC[i])] = PUBLIC[i];
  for (let i = 0; i < HASHES.length; i++) names[toLowerCase(HASHES[i])] = HASHES[i];

  function algorithm(name        )                  {
    for (let i = 0; i < HASHES.length; i++) if (HASHES[i] === name) return digest;
    const secret                   = ops.library_value("secretKeys");
    return hasOwn(secret, name) ? secret[name] : (ops.library_value("publicKeys")                    )[name];
  }

  ;





  /** https://w3c.github.io/webcrypto/#algorithm-normalization-normalize-an-algorithm */
  function choose(value         , operation                       )         {
    const params      = isObject(value) ? dictionary(value, "the algorithm") : { __proto__: null, name: value };
    const { name: given } = params;
    if (given === undefined) throw new TypeError("the algorithm has no name");
    const text = domString(given), name = names[toLowerCase(text)];
    if (name === undefined) throw notSupported("the algorithm '" + text + "' is not there");
    const found = algorithm(name);
    if (found[operation] === undefined) throw notSupported(name + " cannot do this: " + operation);
    return { name, params, algorithm: found };
  }

  const USES = strings("encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey");
  function usagesOf(value         )           {
    const given = sequence(value, "the usages of a key"), usages           = list();
    for (let i = 0; i < given.length; i++) {
      const use = domString(given[i]);
      let isKnown = false;
      for (let j = 0; j < USES.length; j++) isKnown ||= USES[j] === use;
      if (!isKnown) throw new TypeError("'" + use + "' is no usage of a key");
      push(usages, use);
    }
    return usages;
  }

  function keyOf(value         )            {
    const key = keys.recordOf(value);
    if (key === undefined) throw new TypeError("the key is no CryptoKey");
    return key;
  }

  function mayUse(key           , chosen        , use        )       {
    if (key.algorithm.name !== chosen.name) throw invalidAccess("the key is one of " + key.algorithm.name + ", not of " + chosen.name);
    for (let i = 0; i < key.usages.length; i++) if (key.usages[i] === use) return;
    throw invalidAccess("the key is not for " + use);
  }

  function formatOf(value         )         {
    const format = domString(value);
    if (format !== "raw" && format !== "spki" && format !== "pkcs8" && format !== "jwk") throw new TypeError("'" + format + "' is no format of keys");
    return format;
  }

  const buffer = (bytes            )              => {
    const copy = new Uint8Array(viewByteLength(bytes));
    bytesSet(copy, bytes);
    return viewBuffer(copy);
  };

  function checked                                                                       (made   , usages          )    {
    const key = keys.recordOf(made);
    if (key !== undefined && key.type !== "public" && usages.length === 0) throw new DOMException("the key would be for nothing", "SyntaxError");
    return made;
  }

  function importAs(format        , data         , chosen        , extractable         , usages          )            {
    const given = format === "jwk" && isObject(data) ? dictionary(data, "the JWK") : data;
    return checked(chosen.algorithm.importKey (format, given, chosen.params, extractable, usages), usages);
  }

  function exportAs(format        , value         )      {
    const key = keyOf(value), { exportKey } = algorithm(key.algorithm.name);
    if (exportKey === undefined) throw notSupported("keys of " + key.algorithm.name + " are not exported");
    if (!key.extractable) throw invalidAccess("the key is not extractable");
    return exportKey(format, key);
  }

  /** Every method checks who is called and how often, and fails by its promise. */
  function method   (name        , count        , isOne         , given        , body         )             {
    try {
      if (!isOne) throw new TypeError("this is no SubtleCrypto");
      required(count, given, "crypto.subtle." + name);
      return intrinsics.promiseResolve(body())              ;
    } catch (error) {
      return rejected(error);
    }
  }

  class SubtleCrypto {
    #brand = true;
    constructor(token          = undefined) {
      if (token !== TOKEN) throw new TypeError("there is one SubtleCrypto: crypto.subtle");
    }
    static #is(value         )          {
      return isObject(value) && #brand in value;
    }

    encrypt(algorithm         , key         , data         ) {
      return method("encrypt", 3, SubtleCrypto.#is(this), arguments.length, () => {
        const text = bytes(data, "the data"), chosen = choose(algorithm, "encrypt"), record = keyOf(key);
        mayUse(record, chosen, "encrypt");
        return buffer(chosen.algorithm.encrypt (chosen.params, record, text));
      });
    }
    decrypt(algorithm         , key         , data         ) {
      return method("decrypt", 3, SubtleCrypto.#is(this), arguments.length, () => {
        const text = bytes(data, "the data"), chosen = choose(algorithm, "decrypt"), record = keyOf(key);
        mayUse(record, chosen, "decrypt");
        return buffer(chosen.algorithm.decrypt (chosen.params, record, text));
      });
    }
    sign(algorithm         , key         , data         ) {
      return method("sign", 3, SubtleCrypto.#is(this), arguments.length, () => {
        const text = bytes(data, "the data"), chosen = choose(algorithm, "sign"), record = keyOf(key);
        mayUse(record, chosen, "sign");
        return buffer(chosen.algorithm.sign (chosen.params, record, text));
      });
    }
    verify(algorithm         , key         , signature         , data         ) {
      return method("verify", 4, SubtleCrypto.#is(this), arguments.length, () => {
        const sealed = bytes(signature, "the signature"), text = bytes(data, "the data"), chosen = choose(algorithm, "verify"), record = keyOf(key);
        mayUse(record, chosen, "verify");
        return chosen.algorithm.verify (chosen.params, record, sealed, text);
      });
    }
    digest(algorithm         , data         ) {
      return method("digest", 2, SubtleCrypto.#is(this), arguments.length, () => {
        const text = bytes(data, "the data"), chosen = choose(algorithm, "digest");
        return buffer(chosen.algorithm.digest ({ name: chosen.name }, text));
      });
    }
    generateKey(algorithm         , extractable         , keyUsages         ) {
      return method("generateKey", 3, SubtleCrypto.#is(this), arguments.length, () => {
        const usages = usagesOf(keyUsages), chosen = choose(algorithm, "generateKey");
        return checked(chosen.algorithm.generateKey (chosen.params, !!extractable, usages), usages);
      });
    }
    deriveKey(algorithm         , baseKey         , derivedKeyType         , extractable         , keyUsages         ) {
      return method("deriveKey", 5, SubtleCrypto.#is(this), arguments.length, () => {
        const usages = usagesOf(keyUsages), chosen = choose(algorithm, "deriveBits"), record = keyOf(baseKey);
        const imported = choose(derivedKeyType, "importKey"), measured = choose(derivedKeyType, "keyLength");
        mayUse(record, chosen, "deriveKey");
        const length = measured.algorithm.keyLength (measured.params);
        return importAs("raw", chosen.algorithm.deriveBits (chosen.params, record, length), imported, !!extractable, usages);
      });
    }
    deriveBits(algorithm         , baseKey         , length                = null) {
      return method("deriveBits", 2, SubtleCrypto.#is(this), arguments.length, () => {
        const bits = length === null || length === undefined ? null : enforceRange(length, LONG, "the length");
        const chosen = choose(algorithm, "deriveBits"), record = keyOf(baseKey);
        mayUse(record, chosen, "deriveBits");
        return buffer(chosen.algorithm.deriveBits (chosen.params, record, bits));
      });
    }
    importKey(format         , keyData         , algorithm         , extractable         , keyUsages         ) {
      return method("importKey", 5, SubtleCrypto.#is(this), arguments.length, () => {
        const as = formatOf(format), usages = usagesOf(keyUsages), chosen = choose(algorithm, "importKey"), isBytes = isView(keyData) || isBuffer(keyData);
        if (isBytes === (as === "jwk") || !isObject(keyData)) throw new TypeError("the data of a key is a buffer, or an object if the format is jwk");
        return importAs(as, keyData, chosen, !!extractable, usages);
      });
    }
    exportKey(format         , key         ) {
      return method("exportKey", 2, SubtleCrypto.#is(this), arguments.length, () => {
        const as = formatOf(format), exported = exportAs(as, key);
        return as === "jwk" ? shared.open(exported) : buffer(exported);
      });
    }
    wrapKey(format         , key         , wrappingKey         , wrapAlgorithm         ) {
      return method("wrapKey", 4, SubtleCrypto.#is(this), arguments.length, () => {
        const as = formatOf(format), { chosen, work } = wrapping(wrapAlgorithm, "wrapKey", "encrypt"), record = keyOf(wrappingKey);
        mayUse(record, chosen, "wrapKey");
        const exported = exportAs(as, key);
        return buffer(work(chosen.params, record, as === "jwk" ? ops.text_encode(stringify(exported)) : exported));
      });
    }
    unwrapKey(format         , wrappedKey         , unwrappingKey         , unwrapAlgorithm         , unwrappedKeyAlgorithm         , extractable         , keyUsages         ) {
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
  function wrapping(value         , operation                         , otherwise                       ) {
    let chosen        , used                                                  = operation;
    try {
      chosen = choose(value, operation);
    } catch {
      used = otherwise;
      chosen = choose(value, otherwise);
    }
    return { chosen, work: chosen.algorithm[used]  };
  }

  function parsed(bytes            )          {
    let jwk         ;
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
})
