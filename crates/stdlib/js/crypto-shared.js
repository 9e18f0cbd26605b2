// Made of js-runtime/src/crypto-shared.ts by `cargo xtask generate`.
// What the algorithms of Web Crypto have in common.
((ops     , intrinsics            ) => {
  const { asArray, bytesSet, DOMException, list, push, setPrototypeOf, toUpperCase, Uint8Array, viewByteLength } = intrinsics;
  const { bytesOf, domString, isObject, member, sequence } = ops.library_value("webidl");

  const dataError = (message        ) => new DOMException(message, "DataError");
  const notSupported = (message        ) => new DOMException(message, "NotSupportedError");
  const operationError = (message        ) => new DOMException(message, "OperationError");
  const invalidAccess = (message        ) => new DOMException(message, "InvalidAccessError");

  function strings(...items          )           {
    const all           = list();
    for (let i = 0; i < items.length; i++) push(all, items[i]);
    return all;
  }

  /** A copy: what scripts change meanwhile changes nothing. */
  function bytes(value         , what        )                          {
    let source;
    try {
      source = bytesOf(value);
    } catch {
      throw new intrinsics.TypeError(what + " is neither an ArrayBuffer nor a view of one");
    }
    const copy = new Uint8Array(viewByteLength(source));
    bytesSet(copy, source);
    return copy;
  }

  const includes = (all                   , wanted        ) => {
    for (let i = 0; i < all.length; i++) if (all[i] === wanted) return true;
    return false;
  };

  function checkUsages(usages          , allowed                   )       {
    for (let i = 0; i < usages.length; i++) {
      if (!includes(allowed, usages[i])) throw new DOMException("a key of this kind is not for " + usages[i], "SyntaxError");
    }
  }

  function intersect(usages          , allowed                   )           {
    const both           = list();
    for (let i = 0; i < allowed.length; i++) if (includes(usages, allowed[i])) push(both, allowed[i]);
    return both;
  }

  const hashes = strings("SHA-1", "SHA-256", "SHA-384", "SHA-512");
  /** The name of a hash, given as text or as an algorithm. */
  function hashOf(value         )         {
    if (value === undefined) throw new intrinsics.TypeError("the algorithm says no hash");
    const name = toUpperCase(domString(isObject(value) ? member(value, "name") : value));
    if (!includes(hashes, name)) throw notSupported("'" + name + "' is no hash that is there");
    return name;
  }

  const encode = (bytes            )         => ops.base64url_encode(bytes);
  function decode(text         , what        )                          {
    const bytes = typeof text === "string" ? ops.base64url_decode(text) : null;
    if (bytes === null) throw dataError(what + " of the JWK is no base64url");
    return bytes;
  }

  /** https://w3c.github.io/webcrypto/#JsonWebKey-dictionary, what all kinds of keys have to say. */
  function checkJwk(jwk     , kty        , use        , extractable         , usages          )       {
    if (jwk.kty !== kty) throw dataError("kty of the JWK is not " + kty);
    if (usages.length > 0 && jwk.use !== undefined && jwk.use !== use) throw dataError("use of the JWK is not " + use);
    if (jwk.key_ops !== undefined) {
      const allowed = sequence(jwk.key_ops, "key_ops of the JWK"), names           = list();
      for (let i = 0; i < allowed.length; i++) {
        const name = domString(allowed[i]);
        if (includes(names, name)) throw dataError("key_ops of the JWK says something twice");
        push(names, name);
      }
      for (let i = 0; i < usages.length; i++) if (!includes(names, usages[i])) throw dataError("key_ops of the JWK has no " + usages[i]);
    }
    if (jwk.ext !== undefined && !jwk.ext && extractable) throw dataError("ext of the JWK says that the key is not extractable");
  }

  function jwk(key           , kty        )      {
    const uses           = list();
    for (let i = 0; i < key.usages.length; i++) push(uses, key.usages[i]);
    return { __proto__: null, kty, key_ops: uses, ext: key.extractable };
  }
  /** As scripts get it. Until then nothing of it is looked up on a prototype. */
  function open(jwk     )         {
    asArray(jwk.key_ops);
    setPrototypeOf(jwk, intrinsics.Object.prototype);
    return jwk;
  }

  const cryptoShared               = {
    bytes, checkJwk, checkUsages, dataError, decode, encode, hashOf, intersect, invalidAccess, notSupported, open, operationError, strings, jwk,
  };
  return { cryptoShared };
})
