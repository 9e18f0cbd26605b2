// What the areas of streams share. What the standard calls a stream, a reader or a controller is a record here; the classes that scripts
// see hold one each and are in `instance`.

interface StreamQueueNode<T> {
  value: T;
  size: number;
  next: StreamQueueNode<T> | undefined;
}
interface StreamQueue<T> {
  first: StreamQueueNode<T> | undefined;
  last: StreamQueueNode<T> | undefined;
  length: number;
  total: number;
}
interface StreamStrategy {
  highWaterMark: number | undefined;
  size: Function | undefined;
}
interface StreamQueues {
  clear<T>(queue: StreamQueue<T>): void;
  dequeue<T>(queue: StreamQueue<T>): T;
  enqueue<T>(queue: StreamQueue<T>, value: T, size: number): void;
  gate(most: number): { turn(): Promise<void>; done(): void };
  highWaterMark(strategy: StreamStrategy, otherwise: number): number;
  queue<T>(): StreamQueue<T>;
  sizeOf(strategy: StreamStrategy): (chunk: unknown) => number;
  strategy(value: unknown, what: string): StreamStrategy;
}

/** Who waits for a chunk. */
interface ReadRequest {
  chunk(chunk: any): void;
  close(): void;
  error(reason: unknown): void;
}
/** Who waits for bytes in a buffer of his own. */
interface ReadIntoRequest {
  chunk(view: ArrayBufferView): void;
  close(view: ArrayBufferView | undefined): void;
  error(reason: unknown): void;
}

interface ReadableRecord {
  instance: any;
  state: "readable" | "closed" | "errored";
  error: unknown;
  disturbed: boolean;
  reader: ReaderRecord | undefined;
  controller: ReadableControllerRecord;
}
interface ReaderRecord {
  stream: ReadableRecord | undefined;
  closed: Deferred<undefined>;
  /** Of a default reader. */
  requests: StreamQueue<ReadRequest>;
  /** Of a BYOB reader. */
  into: StreamQueue<ReadIntoRequest> | undefined;
}
interface ReadableControllerRecord {
  instance: any;
  stream: ReadableRecord;
  isByte: boolean;
  started: boolean;
  closeRequested: boolean;
  pulling: boolean;
  pullAgain: boolean;
  mark: number;
  /** Gone when the stream needs them no more. */
  pull: (() => Promise<unknown>) | undefined;
  cancel: ((reason: unknown) => Promise<unknown>) | undefined;
  pullSteps(request: ReadRequest): void;
  cancelSteps(reason: unknown): Promise<unknown>;
  releaseSteps(): void;
}
interface DefaultControllerRecord extends ReadableControllerRecord {
  queue: StreamQueue<unknown>;
  size: ((chunk: unknown) => number) | undefined;
}
interface UnderlyingSourceRecord {
  self: unknown;
  start: Function | undefined;
  pull: Function | undefined;
  cancel: Function | undefined;
}

/** What `streams-readable.ts` provides. */
interface Readables {
  recordOf(value: unknown): ReadableRecord | undefined;
  /** A stream of the library's own, not of bytes. */
  create(
    start: () => unknown,
    pull: () => Promise<unknown>,
    cancel: (reason: unknown) => Promise<unknown>,
    mark?: number,
    size?: (chunk: unknown) => number,
  ): ReadableRecord;
  /** A stream that has no controller yet. */
  instance(): ReadableRecord;
  acquire(stream: ReadableRecord): ReaderRecord;
  read(reader: ReaderRecord, request: ReadRequest): void;
  release(reader: ReaderRecord): void;
  cancel(stream: ReadableRecord, reason: unknown): Promise<undefined>;
  close(stream: ReadableRecord): void;
  error(stream: ReadableRecord, reason: unknown): void;
  locked(stream: ReadableRecord): boolean;
  requests(stream: ReadableRecord): number;
  fulfill(stream: ReadableRecord, chunk: unknown, done: boolean): void;
  attach(reader: ReaderRecord, stream: ReadableRecord): void;
  genericRelease(reader: ReaderRecord): void;
  cancelReader(reader: ReaderRecord, reason: unknown): Promise<undefined>;
  newReader(stream: ReadableRecord | undefined, into: boolean): ReaderRecord;
  enqueue(controller: DefaultControllerRecord, chunk: unknown): void;
  closeController(controller: DefaultControllerRecord): void;
  errorController(controller: DefaultControllerRecord, reason: unknown): void;
  canCloseOrEnqueue(controller: DefaultControllerRecord): boolean;
  hasBackpressure(controller: DefaultControllerRecord): boolean;
  desiredSize(controller: DefaultControllerRecord): number | null;
  /** Pulls when there is need to, for both kinds of controllers. */
  callPull(controller: ReadableControllerRecord, should: () => boolean, fail: (reason: unknown) => void): void;
  takeSource(controller: ReadableControllerRecord, source: UnderlyingSourceRecord): void;
  start(controller: ReadableControllerRecord, start: () => unknown, then: () => void, fail: (reason: unknown) => void): void;
}

interface WritableRecord {
  instance: any;
  state: "writable" | "erroring" | "closed" | "errored";
  error: unknown;
  writer: WriterRecord | undefined;
  controller: WritableControllerRecord;
  requests: StreamQueue<Deferred<undefined>>;
  inFlight: Deferred<undefined> | undefined;
  closing: Deferred<undefined> | undefined;
  closingInFlight: Deferred<undefined> | undefined;
  aborting: { deferred: Deferred<undefined>; reason: unknown; wasErroring: boolean } | undefined;
  backpressure: boolean;
}
interface WriterRecord {
  stream: WritableRecord | undefined;
  ready: Deferred<undefined>;
  readySettled: boolean;
  closed: Deferred<undefined>;
  closedSettled: boolean;
}
interface WritableControllerRecord {
  instance: any;
  stream: WritableRecord;
  queue: StreamQueue<unknown>;
  started: boolean;
  mark: number;
  size: ((chunk: unknown) => number) | undefined;
  write: ((chunk: unknown) => Promise<unknown>) | undefined;
  close: (() => Promise<unknown>) | undefined;
  abort: ((reason: unknown) => Promise<unknown>) | undefined;
  /** Made when somebody asks for it. */
  signal: AbortSignal | undefined;
  aborted: { reason: unknown } | undefined;
}

/** What `streams-writable.ts` provides. */
interface Writables {
  recordOf(value: unknown): WritableRecord | undefined;
  create(
    start: () => unknown,
    write: (chunk: unknown) => Promise<unknown>,
    close: () => Promise<unknown>,
    abort: (reason: unknown) => Promise<unknown>,
    mark: number,
    size: (chunk: unknown) => number,
  ): WritableRecord;
  acquire(stream: WritableRecord): WriterRecord;
  release(writer: WriterRecord): void;
  write(writer: WriterRecord, chunk: unknown): Promise<undefined>;
  abort(stream: WritableRecord, reason: unknown): Promise<undefined>;
  close(stream: WritableRecord): Promise<undefined>;
  closeWithErrorPropagation(writer: WriterRecord): Promise<undefined>;
  closeQueuedOrInFlight(stream: WritableRecord): boolean;
  errorIfNeeded(controller: WritableControllerRecord, reason: unknown): void;
  desiredSize(stream: WritableRecord): number | null;
  locked(stream: WritableRecord): boolean;
}

/** What two branches of a stream have in common. */
interface TeeCancel {
  first: boolean;
  second: boolean;
  /** Nothing comes any more: whoever waits for the cancelling need not. */
  ended(): void;
  fail(reason: unknown): void;
  cancel(isSecond: boolean, reason: unknown): Promise<undefined>;
}

interface PipeOptions {
  preventAbort: boolean;
  preventCancel: boolean;
  preventClose: boolean;
  signal: AbortSignal | undefined;
}

interface TransformOutput {
  give(chunk: unknown): void;
  /** When somebody wants more. */
  room(): Promise<undefined>;
}
