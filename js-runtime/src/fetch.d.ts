// What the areas about fetch share.

interface HeadersRecord {
  /** Names in lower case. */
  pairs: [string, string][];
  immutable: boolean;
}
interface HeaderLists {
  append(record: HeadersRecord, name: string, value: string): void;
  byteString(value: unknown): string;
  fill(record: HeadersRecord, init: unknown): void;
  get(record: HeadersRecord, name: string): string | null;
  isName(name: string): boolean;
  recordOf(value: unknown): HeadersRecord | undefined;
  show(record: HeadersRecord): any;
}

/** A body: bytes that are there, or a stream, or both when somebody looked at the stream of the bytes. */
interface BodyRecord {
  bytes: Uint8Array<ArrayBuffer> | undefined;
  stream: ReadableRecord | undefined;
  taken: boolean;
}
interface Bodies {
  /** https://fetch.spec.whatwg.org/#concept-bodyinit-extract */
  extract(value: unknown): { body: BodyRecord; type: string | undefined };
  ofStream(stream: ReadableRecord): BodyRecord;
  isUsed(body: BodyRecord | null): boolean;
  isUnusable(body: BodyRecord | null): boolean;
  clone(body: BodyRecord): BodyRecord;
  stream(body: BodyRecord): any;
  consume(body: BodyRecord | null): Promise<Uint8Array<ArrayBuffer>>;
  /** text, json, arrayBuffer, bytes, blob, formData, body and bodyUsed for a class. */
  mixin(prototype: object, bodyOf: (value: unknown) => { body: BodyRecord | null; headers: HeadersRecord } | undefined, name: string): void;
}

interface RequestRecord {
  method: string;
  url: string;
  headers: HeadersRecord;
  body: BodyRecord | null;
  redirect: string;
  credentials: string;
  cache: string;
  mode: string;
  referrer: string;
  referrerPolicy: string;
  integrity: string;
  keepalive: boolean;
  duplex: string;
  signal: AbortSignal;
}
