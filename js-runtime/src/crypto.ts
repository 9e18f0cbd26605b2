// crypto and its keys: https://w3c.github.io/webcrypto/
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { asArray, bytesSet, DOMException, freeze, isView, join, list, push, slice, typedArrayTag, TypeError, viewByteLength, viewBytes } = intrinsics;
  const { defineInterface, isObject, required, serializable } = ops.library_value("webidl");
  const TOKEN = { __proto__: null };
  const QUOTA = 65536;

  let keyOf: (value: unknown) => KeyRecord | undefined;

  class CryptoKey {
    #key: KeyRecord;
    static {
      keyOf = (value) => (isObject(value) && #key in value ? value.#key : undefined);
    }
    constructor(token: unknown = undefined, key: KeyRecord = undefined as any) {
      if (token !== TOKEN) throw new TypeError("a CryptoKey comes from crypto.subtle");
      this.#key = key;
    }
    get type() {
      return this.#key.type;
    }
    get extractable() {
      return this.#key.extractable;
    }
    get algorithm() {
      return this.#key.algorithm;
    }
    get usages() {
      return this.#key.shown as KeyUsage[];
    }
  }

  function makeKey(type: KeyType, extractable: boolean, algorithm: any, usages: readonly string[], data: Uint8Array, open?: Uint8Array): CryptoKey {
    const shown: string[] = list();
    for (let i = 0; i < usages.length; i++) push(shown, usages[i]);
    return new CryptoKey(TOKEN, { type, extractable, algorithm, usages, shown: asArray(shown), data, open });
  }

  serializable((value) => {
    const key = keyOf(value);
    return key === undefined ? undefined : makeKey(key.type, key.extractable, key.algorithm, key.usages, key.data, key.open);
  });

  const integers = freeze({
    __proto__: null, BigInt64Array: true, BigUint64Array: true, Int8Array: true, Int16Array: true, Int32Array: true, Uint8Array: true, Uint8ClampedArray: true,
    Uint16Array: true, Uint32Array: true,
  });

  class Crypto {
    #brand = true;
    constructor(token: unknown = undefined) {
      if (token !== TOKEN) throw new TypeError("there is one crypto: it is a global");
    }
    get subtle(): SubtleCrypto {
      this.#brand;
      return ops.library_value("subtle");
    }
    getRandomValues<T extends ArrayBufferView>(array: T): T {
      this.#brand;
      required(1, arguments.length, "crypto.getRandomValues");
      if (!isView(array)) throw new TypeError("what is to be filled is no typed array");
      const tag = typedArrayTag(array);
      if (tag === undefined || !(tag in integers)) throw new DOMException("only arrays of integers are filled", "TypeMismatchError");
      const length = viewByteLength(array);
      if (length > QUOTA) throw new DOMException("at most " + QUOTA + " bytes are filled at a time, not " + length, "QuotaExceededError");
      bytesSet(viewBytes(array), ops.crypto_random(length));
      return array;
    }
    randomUUID(): string {
      this.#brand;
      const random: Uint8Array = ops.crypto_random(16), digits: string[] = list();
      random[6] = (random[6] & 0x0f) | 0x40;
      random[8] = (random[8] & 0x3f) | 0x80;
      for (let i = 0; i < 16; i++) {
        if (i === 4 || i === 6 || i === 8 || i === 10) push(digits, "-");
        push(digits, slice("0123456789abcdef", random[i] >> 4, (random[i] >> 4) + 1) + slice("0123456789abcdef", random[i] & 15, (random[i] & 15) + 1));
      }
      return join(digits, "");
    }
  }

  defineInterface(Crypto, "Crypto");
  defineInterface(CryptoKey, "CryptoKey");
  const keys: CryptoKeys = { make: makeKey, recordOf: keyOf! };
  return { Crypto, CryptoKey, crypto: new Crypto(TOKEN), keys };
};
