// crypto: https://w3c.github.io/webcrypto/

type CryptoKeyType = "private" | "public" | "secret";
type CryptoKeyUsage = "decrypt" | "deriveBits" | "deriveKey" | "encrypt" | "sign" | "unwrapKey" | "verify" | "wrapKey";
type CryptoKeyFormat = "jwk" | "pkcs8" | "raw" | "spki";
type CryptoHash = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512" | { name: string };
type CryptoData = ArrayBuffer | ArrayBufferView;
interface JsonWebKey {
  kty?: string;
  alg?: string;
  crv?: string;
  d?: string;
  ext?: boolean;
  k?: string;
  key_ops?: string[];
  use?: string;
  x?: string;
  y?: string;
}
interface CryptoKeyPair {
  privateKey: CryptoKey;
  publicKey: CryptoKey;
}
/** By name, or with what the algorithm needs. There are AES-CBC, AES-CTR, AES-GCM, AES-KW, HMAC, HKDF, PBKDF2, ECDSA, ECDH and Ed25519. */
type CryptoAlgorithmIdentifier =
  | string
  | {
      name: string;
      additionalData?: CryptoData;
      counter?: CryptoData;
      hash?: CryptoHash;
      info?: CryptoData;
      iterations?: number;
      iv?: CryptoData;
      length?: number;
      namedCurve?: "P-256" | "P-384" | "P-521";
      public?: CryptoKey;
      salt?: CryptoData;
      tagLength?: number;
    };

declare class CryptoKey {
  private constructor();
  readonly type: CryptoKeyType;
  readonly extractable: boolean;
  readonly algorithm: { name: string; hash?: { name: string }; length?: number; namedCurve?: string };
  readonly usages: CryptoKeyUsage[];
}

declare class SubtleCrypto {
  private constructor();
  decrypt(algorithm: CryptoAlgorithmIdentifier, key: CryptoKey, data: CryptoData): Promise<ArrayBuffer>;
  deriveBits(algorithm: CryptoAlgorithmIdentifier, baseKey: CryptoKey, length?: number | null): Promise<ArrayBuffer>;
  deriveKey(algorithm: CryptoAlgorithmIdentifier, baseKey: CryptoKey, derived: CryptoAlgorithmIdentifier, extractable: boolean, usages: Iterable<CryptoKeyUsage>): Promise<CryptoKey>;
  digest(algorithm: CryptoHash, data: CryptoData): Promise<ArrayBuffer>;
  encrypt(algorithm: CryptoAlgorithmIdentifier, key: CryptoKey, data: CryptoData): Promise<ArrayBuffer>;
  exportKey(format: "jwk", key: CryptoKey): Promise<JsonWebKey>;
  exportKey(format: Exclude<CryptoKeyFormat, "jwk">, key: CryptoKey): Promise<ArrayBuffer>;
  generateKey(algorithm: CryptoAlgorithmIdentifier, extractable: boolean, usages: Iterable<CryptoKeyUsage>): Promise<any>;
  importKey(format: "jwk", key: JsonWebKey, algorithm: CryptoAlgorithmIdentifier, extractable: boolean, usages: Iterable<CryptoKeyUsage>): Promise<CryptoKey>;
  importKey(format: Exclude<CryptoKeyFormat, "jwk">, key: CryptoData, algorithm: CryptoAlgorithmIdentifier, extractable: boolean, usages: Iterable<CryptoKeyUsage>): Promise<CryptoKey>;
  sign(algorithm: CryptoAlgorithmIdentifier, key: CryptoKey, data: CryptoData): Promise<ArrayBuffer>;
  unwrapKey(
    format: CryptoKeyFormat, wrapped: CryptoData, key: CryptoKey, algorithm: CryptoAlgorithmIdentifier, inner: CryptoAlgorithmIdentifier, extractable: boolean,
    usages: Iterable<CryptoKeyUsage>,
  ): Promise<CryptoKey>;
  verify(algorithm: CryptoAlgorithmIdentifier, key: CryptoKey, signature: CryptoData, data: CryptoData): Promise<boolean>;
  wrapKey(format: CryptoKeyFormat, key: CryptoKey, wrapping: CryptoKey, algorithm: CryptoAlgorithmIdentifier): Promise<ArrayBuffer>;
}

declare class Crypto {
  private constructor();
  readonly subtle: SubtleCrypto;
  getRandomValues<T extends ArrayBufferView>(array: T): T;
  randomUUID(): string;
}

declare const crypto: Crypto;
