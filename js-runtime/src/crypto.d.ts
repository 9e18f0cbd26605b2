// What the areas of Web Crypto share.

/** What a CryptoKey is behind what it shows. */
interface KeyRecord {
  type: KeyType;
  extractable: boolean;
  algorithm: any;
  usages: readonly string[];
  /** The array that scripts see. */
  shown: string[];
  /** A secret key's bytes, a private key's number or seed, a public key's point. */
  data: Uint8Array;
  /** Of a private key: the public one. */
  open: Uint8Array | undefined;
}
interface CryptoKeys {
  make(type: KeyType, extractable: boolean, algorithm: any, usages: readonly string[], data: Uint8Array, open?: Uint8Array): CryptoKey;
  recordOf(value: unknown): KeyRecord | undefined;
}

/** One algorithm; what it does not do is not there. */
interface CryptoAlgorithm {
  generateKey?(params: any, extractable: boolean, usages: string[]): CryptoKey | { publicKey: CryptoKey; privateKey: CryptoKey };
  importKey?(format: string, data: any, params: any, extractable: boolean, usages: string[]): CryptoKey;
  /** A buffer, or an object for `jwk`. */
  exportKey?(format: string, key: KeyRecord): any;
  sign?(params: any, key: KeyRecord, data: Uint8Array): Uint8Array;
  verify?(params: any, key: KeyRecord, signature: Uint8Array, data: Uint8Array): boolean;
  encrypt?(params: any, key: KeyRecord, data: Uint8Array): Uint8Array;
  decrypt?(params: any, key: KeyRecord, data: Uint8Array): Uint8Array;
  wrapKey?(params: any, key: KeyRecord, data: Uint8Array): Uint8Array;
  unwrapKey?(params: any, key: KeyRecord, data: Uint8Array): Uint8Array;
  deriveBits?(params: any, key: KeyRecord, length: number | null): Uint8Array;
  /** In bits, of a key to be derived; `null` where any will do. */
  keyLength?(params: any): number | null;
  digest?(params: any, data: Uint8Array): Uint8Array;
}
type CryptoAlgorithms = { readonly [name: string]: CryptoAlgorithm };

/** What `crypto-shared.ts` provides. */
interface CryptoShared {
  bytes(value: unknown, what: string): Uint8Array<ArrayBuffer>;
  checkJwk(jwk: any, kty: string, use: string, extractable: boolean, usages: string[]): void;
  checkUsages(usages: string[], allowed: readonly string[]): void;
  dataError(message: string): DOMException;
  decode(text: unknown, what: string): Uint8Array<ArrayBuffer>;
  encode(bytes: Uint8Array): string;
  hashOf(value: unknown): string;
  intersect(usages: string[], allowed: readonly string[]): string[];
  invalidAccess(message: string): DOMException;
  notSupported(message: string): DOMException;
  operationError(message: string): DOMException;
  strings(...items: string[]): string[];
  /** Without a prototype, until it is opened. */
  jwk(key: KeyRecord, kty: string): any;
  /** A plain object for scripts, as `JSON.parse` would make it. */
  open(jwk: any): object;
}
