// Readable streams of bytes, which can be read into buffers of one's own: https://streams.spec.whatwg.org/#rbs-controller-class
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { apply, arrayBufferDetached, arrayBufferLength, arrayBufferSlice, arrayBufferTransfer, bytesSet, isView, promiseThen, queueMicrotask, typedArrayKinds } = intrinsics;
  const { list, promiseResolve, push, typedArrayLength, typedArrayTag, viewBuffer, viewByteLength, viewOffset, ArrayBuffer, DataView, RangeError, TypeError, Uint8Array } = intrinsics;
  const { deferred, defineInterface, dictionary, enforceRange, isObject, rejected, required } = ops.library_value("webidl");
  const queues: StreamQueues = ops.library_value("queues"), readables: Readables = ops.library_value("readables");
  const TOKEN = { __proto__: null };
  const gone = undefined as any;
  const MOST = 9007199254740991;
  /** What a stream of bytes that are there gives at a time. */
  const CHUNK = 65536;

  /** A buffer that somebody wants filled. */
  interface PullInto {
    buffer: ArrayBuffer;
    bufferLength: number;
    offset: number;
    length: number;
    filled: number;
    least: number;
    elementSize: number;
    /** Of the view that comes out; none is a DataView. */
    kind: string | undefined;
    reader: "default" | "byob" | "none";
  }
  interface Chunk {
    buffer: ArrayBuffer;
    offset: number;
    length: number;
  }
  interface ByteController extends ReadableControllerRecord {
    queue: StreamQueue<Chunk>;
    total: number;
    auto: number | undefined;
    pending: StreamQueue<PullInto>;
    request: ReadableStreamBYOBRequest | undefined;
  }

  const min = (a: number, b: number) => (a < b ? a : b);
  const head = (controller: ByteController) => controller.pending.first!.value;

  function makeView({ buffer, offset, kind }: PullInto, length: number): ArrayBufferView {
    return kind === undefined ? new DataView(buffer, offset, length) : new typedArrayKinds[kind](buffer, offset, length);
  }

  // ---- the controller ----

  function controllerOf(stream: ReadableRecord, mark: number, auto: number | undefined): ByteController {
    const controller: ByteController = {
      instance: gone, stream, isByte: true, started: false, closeRequested: false, pulling: false, pullAgain: false, mark, pull: undefined, cancel: undefined,
      queue: queues.queue(), total: 0, auto, pending: queues.queue(), request: undefined,
      pullSteps(request) {
        if (controller.total > 0) return fillRequest(controller, request);
        if (auto !== undefined) {
          let buffer;
          try {
            buffer = new ArrayBuffer(auto);
          } catch (error) {
            return request.error(error);
          }
          const wanted: PullInto = { buffer, bufferLength: auto, offset: 0, length: auto, filled: 0, least: 1, elementSize: 1, kind: "Uint8Array", reader: "default" };
          queues.enqueue(controller.pending, wanted, 0);
        }
        queues.enqueue(stream.reader!.requests, request, 0);
        pullIfNeeded(controller);
      },
      cancelSteps(reason) {
        clearPending(controller);
        clearQueue(controller);
        const result = controller.cancel!(reason);
        forget(controller);
        return result;
      },
      releaseSteps() {
        if (controller.pending.length === 0) return;
        const first = head(controller);
        first.reader = "none";
        queues.clear(controller.pending);
        queues.enqueue(controller.pending, first, 0);
      },
    };
    stream.controller = controller;
    new ReadableByteStreamController(TOKEN, controller);
    return controller;
  }

  function setUp(stream: ReadableRecord, source: UnderlyingSourceRecord, mark: number, auto: number | undefined): void {
    if (auto === 0) throw new TypeError("autoAllocateChunkSize is 0");
    const controller = controllerOf(stream, mark, auto);
    readables.takeSource(controller, source);
    begin(controller, () => (source.start === undefined ? undefined : apply(source.start, source.self, [controller.instance])));
  }

  function create(pull: () => Promise<unknown>, cancel: (reason: unknown) => Promise<unknown>, mark = 0): ReadableRecord {
    const stream = readables.instance(), controller = controllerOf(stream, mark, undefined);
    controller.pull = pull;
    controller.cancel = cancel;
    begin(controller, () => undefined);
    return stream;
  }

  /** A stream of copies of bytes that are there already. */
  function ofBytes(bytes: Uint8Array<ArrayBuffer>): ReadableRecord {
    const size = viewByteLength(bytes), done = () => promiseResolve(undefined);
    let at = 0;
    const stream: ReadableRecord = create(() => {
      const controller = stream.controller as ByteController;
      if (at >= size) {
        end(controller);
      } else {
        const count = min(CHUNK, size - at), piece = new Uint8Array(count);
        bytesSet(piece, new Uint8Array(viewBuffer(bytes), viewOffset(bytes) + at, count));
        at += count;
        enqueue(controller, piece);
      }
      return done();
    }, done);
    return stream;
  }

  const begin = (controller: ByteController, start: () => unknown) =>
    readables.start(controller, start, () => pullIfNeeded(controller), (reason) => fail(controller, reason));
  const pullIfNeeded = (controller: ByteController) =>
    readables.callPull(controller, () => shouldPull(controller), (reason) => fail(controller, reason));

  function shouldPull(controller: ByteController): boolean {
    const { stream } = controller;
    if (stream.state !== "readable" || controller.closeRequested || !controller.started) return false;
    const { reader } = stream;
    if (reader !== undefined && (reader.into === undefined ? reader.requests : reader.into).length > 0) return true;
    return desiredSize(controller)! > 0;
  }

  function desiredSize(controller: ByteController): number | null {
    const { state } = controller.stream;
    return state === "errored" ? null : state === "closed" ? 0 : controller.mark - controller.total;
  }

  function forget(controller: ByteController): void {
    controller.pull = controller.cancel = undefined;
  }

  function clearQueue(controller: ByteController): void {
    queues.clear(controller.queue);
    controller.total = 0;
  }

  function clearPending(controller: ByteController): void {
    invalidate(controller);
    queues.clear(controller.pending);
  }

  function close(controller: ByteController): void {
    if (controller.closeRequested || controller.stream.state !== "readable") return;
    if (controller.total > 0) {
      controller.closeRequested = true;
      return;
    }
    if (controller.pending.length > 0 && head(controller).filled % head(controller).elementSize !== 0) {
      const error = partial();
      fail(controller, error);
      throw error;
    }
    forget(controller);
    readables.close(controller.stream);
  }

  /** Closes, whoever waits for bytes in his own buffer included. */
  function end(controller: ByteController): void {
    close(controller);
    if (controller.pending.length > 0) respond(controller, 0);
  }

  const partial = () => new TypeError("the stream was closed in the middle of an element");

  function fail(controller: ByteController, reason: unknown): void {
    if (controller.stream.state !== "readable") return;
    clearPending(controller);
    clearQueue(controller);
    forget(controller);
    readables.error(controller.stream, reason);
  }

  function drained(controller: ByteController): void {
    if (controller.total === 0 && controller.closeRequested) {
      forget(controller);
      readables.close(controller.stream);
    } else {
      pullIfNeeded(controller);
    }
  }

  // ---- filling ----

  function enqueue(controller: ByteController, view: ArrayBufferView): void {
    const { stream } = controller;
    if (controller.closeRequested || stream.state !== "readable") return;
    const from = viewBuffer(view), offset = viewOffset(view), length = viewByteLength(view);
    if (arrayBufferDetached(from)) throw new TypeError("the buffer of the chunk is detached");
    const buffer = arrayBufferTransfer(from);
    if (controller.pending.length > 0) {
      const first = head(controller);
      if (arrayBufferDetached(first.buffer)) throw new TypeError("the buffer of the request is detached");
      invalidate(controller);
      first.buffer = arrayBufferTransfer(first.buffer);
      if (first.reader === "none") keepFilled(controller, first);
    }
    const { reader } = stream;
    if (reader === undefined) {
      append(controller, buffer, offset, length);
    } else if (reader.into === undefined) {
      while (reader.requests.length > 0 && controller.total > 0) fillRequest(controller, queues.dequeue(reader.requests));
      if (reader.requests.length === 0) {
        append(controller, buffer, offset, length);
      } else {
        if (controller.pending.length > 0) queues.dequeue(controller.pending);
        readables.fulfill(stream, new Uint8Array(buffer, offset, length), false);
      }
    } else {
      append(controller, buffer, offset, length);
      commitAll(controller, fillPending(controller));
    }
    pullIfNeeded(controller);
  }

  function append(controller: ByteController, buffer: ArrayBuffer, offset: number, length: number): void {
    queues.enqueue(controller.queue, { buffer, offset, length }, 0);
    controller.total += length;
  }

  function appendCopy(controller: ByteController, buffer: ArrayBuffer, offset: number, length: number): void {
    let copy;
    try {
      copy = arrayBufferSlice(buffer, offset, offset + length);
    } catch (error) {
      fail(controller, error);
      throw error;
    }
    append(controller, copy, 0, length);
  }

  /** What was filled of a buffer whose reader is gone is there for the next one. */
  function keepFilled(controller: ByteController, wanted: PullInto): void {
    if (wanted.filled > 0) appendCopy(controller, wanted.buffer, wanted.offset, wanted.filled);
    queues.dequeue(controller.pending);
  }

  /** Fills from the queue; whether that was enough. */
  function fill(controller: ByteController, wanted: PullInto): boolean {
    let rest = min(controller.total, wanted.length - wanted.filled), isEnough = false;
    const most = wanted.filled + rest, aligned = most - (most % wanted.elementSize);
    if (aligned >= wanted.least) {
      rest = aligned - wanted.filled;
      isEnough = true;
    }
    while (rest > 0) {
      const chunk = controller.queue.first!.value, count = min(rest, chunk.length);
      bytesSet(new Uint8Array(wanted.buffer, wanted.offset + wanted.filled, count), new Uint8Array(chunk.buffer, chunk.offset, count));
      if (chunk.length === count) {
        queues.dequeue(controller.queue);
      } else {
        chunk.offset += count;
        chunk.length -= count;
      }
      controller.total -= count;
      wanted.filled += count;
      rest -= count;
    }
    return isEnough;
  }

  function fillRequest(controller: ByteController, request: ReadRequest): void {
    const { buffer, offset, length } = queues.dequeue(controller.queue);
    controller.total -= length;
    drained(controller);
    request.chunk(new Uint8Array(buffer, offset, length));
  }

  function fillPending(controller: ByteController): PullInto[] {
    const filled: PullInto[] = list();
    while (controller.pending.length > 0 && controller.total > 0) {
      const wanted = head(controller);
      if (fill(controller, wanted)) {
        queues.dequeue(controller.pending);
        push(filled, wanted);
      }
    }
    return filled;
  }

  function commitAll(controller: ByteController, filled: PullInto[]): void {
    for (let i = 0; i < filled.length; i++) commit(controller.stream, filled[i]);
  }

  function convert(wanted: PullInto): ArrayBufferView {
    wanted.buffer = arrayBufferTransfer(wanted.buffer);
    return makeView(wanted, wanted.filled / wanted.elementSize);
  }

  function commit(stream: ReadableRecord, wanted: PullInto): void {
    const done = stream.state === "closed", view = convert(wanted);
    if (wanted.reader === "default") return readables.fulfill(stream, view, done);
    const request = queues.dequeue(stream.reader!.into!);
    if (done) request.close(view);
    else request.chunk(view);
  }

  function pullInto(controller: ByteController, view: ArrayBufferView, least: number, request: ReadIntoRequest): void {
    const { stream } = controller, kind = typedArrayTag(view);
    const elementSize = kind === undefined ? 1 : typedArrayKinds[kind].BYTES_PER_ELEMENT;
    const offset = viewOffset(view), length = viewByteLength(view);
    let buffer;
    try {
      buffer = arrayBufferTransfer(viewBuffer(view));
    } catch (error) {
      return request.error(error);
    }
    const wanted: PullInto = { buffer, bufferLength: arrayBufferLength(buffer), offset, length, filled: 0, least: least * elementSize, elementSize, kind, reader: "byob" };
    const { into } = stream.reader!;
    if (controller.pending.length > 0) {
      queues.enqueue(controller.pending, wanted, 0);
      queues.enqueue(into!, request, 0);
      return;
    }
    if (stream.state === "closed") return request.close(makeView(wanted, 0));
    if (controller.total > 0) {
      if (fill(controller, wanted)) {
        const filled = convert(wanted);
        drained(controller);
        return request.chunk(filled);
      }
      if (controller.closeRequested) {
        const error = partial();
        fail(controller, error);
        return request.error(error);
      }
    }
    queues.enqueue(controller.pending, wanted, 0);
    queues.enqueue(into!, request, 0);
    pullIfNeeded(controller);
  }

  // ---- answering requests ----

  function respond(controller: ByteController, written: number): void {
    const first = head(controller);
    if (controller.stream.state === "closed") {
      if (written !== 0) throw new TypeError("the stream is closed: nothing can be written");
    } else {
      if (written === 0) throw new TypeError("nothing was written");
      if (first.filled + written > first.length) throw new RangeError("more was written than there is room for");
    }
    first.buffer = arrayBufferTransfer(first.buffer);
    responded(controller, written);
  }

  function respondWithView(controller: ByteController, view: ArrayBufferView): void {
    const first = head(controller), length = viewByteLength(view), buffer = viewBuffer(view);
    if (controller.stream.state === "closed") {
      if (length !== 0) throw new TypeError("the stream is closed: nothing can be written");
    } else if (length === 0) {
      throw new TypeError("nothing was written");
    }
    if (first.offset + first.filled !== viewOffset(view)) throw new RangeError("the view begins elsewhere than the one that was asked for");
    if (first.bufferLength !== arrayBufferLength(buffer)) throw new RangeError("the buffer of the view is not as long as the one that was asked for");
    if (first.filled + length > first.length) throw new RangeError("more was written than there is room for");
    first.buffer = arrayBufferTransfer(buffer);
    responded(controller, length);
  }

  function responded(controller: ByteController, written: number): void {
    const first = head(controller), { stream } = controller;
    invalidate(controller);
    if (stream.state === "closed") respondedClosed(controller, first);
    else respondedReadable(controller, first, written);
    pullIfNeeded(controller);
  }

  function respondedClosed(controller: ByteController, first: PullInto): void {
    if (first.reader === "none") queues.dequeue(controller.pending);
    const { reader } = controller.stream;
    if (reader === undefined || reader.into === undefined) return;
    const filled: PullInto[] = list();
    while (filled.length < reader.into.length) push(filled, queues.dequeue(controller.pending));
    commitAll(controller, filled);
  }

  function respondedReadable(controller: ByteController, first: PullInto, written: number): void {
    first.filled += written;
    if (first.reader === "none") {
      keepFilled(controller, first);
      commitAll(controller, fillPending(controller));
      return;
    }
    if (first.filled < first.least) return;
    queues.dequeue(controller.pending);
    const rest = first.filled % first.elementSize;
    if (rest > 0) appendCopy(controller, first.buffer, first.offset + first.filled - rest, rest);
    first.filled -= rest;
    const filled = fillPending(controller);
    commit(controller.stream, first);
    commitAll(controller, filled);
  }

  function request(controller: ByteController): ReadableStreamBYOBRequest | null {
    if (controller.request === undefined && controller.pending.length > 0) {
      const { buffer, offset, filled, length } = head(controller);
      controller.request = new ReadableStreamBYOBRequest(TOKEN, controller, new Uint8Array(buffer, offset + filled, length - filled));
    }
    return controller.request === undefined ? null : controller.request;
  }

  function invalidate(controller: ByteController): void {
    if (controller.request === undefined) return;
    forgetRequest(controller.request);
    controller.request = undefined;
  }

  function errorRequests(reader: ReaderRecord, reason: unknown): void {
    const waiting = reader.into!;
    reader.into = queues.queue();
    while (waiting.length > 0) queues.dequeue(waiting).error(reason);
  }

  function readInto(reader: ReaderRecord, view: ArrayBufferView, least: number, request: ReadIntoRequest): void {
    const stream = reader.stream!;
    stream.disturbed = true;
    if (stream.state === "errored") request.error(stream.error);
    else pullInto(stream.controller as ByteController, view, least, request);
  }

  // ---- the classes ----

  let forgetRequest: (request: ReadableStreamBYOBRequest) => void;
  let viewOf: (request: ReadableStreamBYOBRequest) => Uint8Array<ArrayBuffer>;

  /** A view of a buffer that is not shared. */
  function ownView(value: unknown, what: string): asserts value is ArrayBufferView {
    if (!isView(value)) throw new TypeError(what + " is no view of an ArrayBuffer");
    arrayBufferLength(viewBuffer(value));
  }

  class ReadableByteStreamController {
    #controller: ByteController;
    constructor(token: unknown = undefined, controller: ByteController = gone) {
      if (token !== TOKEN) throw new TypeError("a ReadableByteStreamController comes with its stream");
      this.#controller = controller;
      controller.instance = this;
    }
    get byobRequest() {
      return request(this.#controller);
    }
    get desiredSize() {
      return desiredSize(this.#controller);
    }
    close() {
      const controller = this.#controller;
      if (controller.closeRequested || controller.stream.state !== "readable") throw new TypeError("the stream is closed already, or failed");
      close(controller);
    }
    enqueue(chunk: unknown) {
      const controller = this.#controller;
      required(1, arguments.length, "ReadableByteStreamController.enqueue");
      ownView(chunk, "the chunk");
      if (viewByteLength(chunk) === 0 || arrayBufferLength(viewBuffer(chunk)) === 0) throw new TypeError("the chunk is empty");
      if (controller.closeRequested || controller.stream.state !== "readable") throw new TypeError("the stream is closed already, or failed");
      enqueue(controller, chunk);
    }
    error(reason: unknown = undefined) {
      fail(this.#controller, reason);
    }
  }

  class ReadableStreamBYOBRequest {
    #controller: ByteController | undefined;
    #view: Uint8Array<ArrayBuffer> | null;
    static {
      forgetRequest = (request) => {
        request.#controller = undefined;
        request.#view = null;
      };
      viewOf = (request) => request.#view!;
    }
    constructor(token: unknown = undefined, controller: ByteController = gone, view: Uint8Array<ArrayBuffer> = gone) {
      if (token !== TOKEN) throw new TypeError("a ReadableStreamBYOBRequest comes from its controller");
      this.#controller = controller;
      this.#view = view;
    }
    get view() {
      return this.#view;
    }
    respond(bytesWritten: number) {
      const controller = this.#controller;
      required(1, arguments.length, "ReadableStreamBYOBRequest.respond");
      const written = enforceRange(bytesWritten, MOST, "what was written");
      if (controller === undefined) throw answered();
      if (arrayBufferDetached(viewBuffer(this.#view!))) throw new TypeError("the buffer of the request is detached");
      respond(controller, written);
    }
    respondWithNewView(view: unknown) {
      const controller = this.#controller;
      required(1, arguments.length, "ReadableStreamBYOBRequest.respondWithNewView");
      ownView(view, "the new view");
      if (controller === undefined) throw answered();
      if (arrayBufferDetached(viewBuffer(view))) throw new TypeError("the buffer of the view is detached");
      respondWithView(controller, view);
    }
  }
  const answered = () => new TypeError("the request is answered already");

  const released = () => new TypeError("the reader has released its stream");
  const notOne = () => rejected(new TypeError("this is no ReadableStreamBYOBReader"));

  class ReadableStreamBYOBReader {
    #reader: ReaderRecord;
    constructor(stream: unknown) {
      required(1, arguments.length, "ReadableStreamBYOBReader");
      const record = readables.recordOf(stream);
      if (record === undefined) throw new TypeError("what ReadableStreamBYOBReader reads is no ReadableStream");
      this.#reader = acquire(record);
    }
    get closed(): Promise<undefined> {
      return isObject(this) && #reader in this ? this.#reader.closed.promise : notOne();
    }
    cancel(reason: unknown = undefined): Promise<undefined> {
      return isObject(this) && #reader in this ? readables.cancelReader(this.#reader, reason) : notOne();
    }
    read(view: unknown, options: unknown = undefined): Promise<{ value: unknown; done: boolean }> {
      if (!(isObject(this) && #reader in this)) return notOne();
      let least = 1;
      try {
        required(1, arguments.length, "ReadableStreamBYOBReader.read");
        ownView(view, "what is read into");
        const { min } = dictionary(options, "the second argument of ReadableStreamBYOBReader.read");
        if (min !== undefined) least = enforceRange(min, MOST, "min");
        const buffer = viewBuffer(view);
        if (arrayBufferDetached(buffer)) throw new TypeError("the buffer is detached");
        if (viewByteLength(view) === 0 || arrayBufferLength(buffer) === 0) throw new TypeError("the view is empty");
        if (least === 0) throw new TypeError("min is 0");
        const room = typedArrayTag(view) === undefined ? viewByteLength(view) : typedArrayLength(view);
        if (least > room) throw new RangeError("min is more than the view has room for");
        if (this.#reader.stream === undefined) throw released();
      } catch (error) {
        return rejected(error);
      }
      const { promise, resolve, reject } = deferred<{ value: unknown; done: boolean }>();
      readInto(this.#reader, view, least, {
        chunk: (value) => resolve({ value, done: false }),
        close: (value) => resolve({ value, done: true }),
        error: reject,
      });
      return promise;
    }
    releaseLock() {
      if (this.#reader.stream !== undefined) release(this.#reader);
    }
  }

  function acquire(stream: ReadableRecord): ReaderRecord {
    if (!stream.controller.isByte) throw new TypeError("the stream is none of bytes");
    return readables.newReader(stream, true);
  }

  function release(reader: ReaderRecord): void {
    readables.genericRelease(reader);
    errorRequests(reader, released());
  }

  // ---- two of one ----

  function tee(stream: ReadableRecord): ReadableRecord[] {
    let reader = readables.acquire(stream), reading = false, againFirst = false, againSecond = false;
    const done = promiseResolve(undefined), canceled: TeeCancel = ops.library_value("tee").teeCancel(stream);
    const of = (branch: ReadableRecord) => branch.controller as ByteController;

    const forwardError = (mine: ReaderRecord) => {
      promiseThen(mine.closed.promise, undefined, (reason) => {
        if (mine !== reader) return;
        fail(of(first), reason);
        fail(of(second), reason);
        canceled.ended();
      });
    };
    const again = () => {
      reading = false;
      if (againFirst) pull(false);
      else if (againSecond) pull(true);
    };
    /** A copy of a chunk for the other branch; nothing if it failed, and with it everything. */
    const copied = (chunk: ArrayBufferView): Uint8Array<ArrayBuffer> | undefined => {
      try {
        const from = viewOffset(chunk);
        return new Uint8Array(arrayBufferSlice(viewBuffer(chunk), from, from + viewByteLength(chunk)));
      } catch (error) {
        fail(of(first), error);
        fail(of(second), error);
        canceled.fail(error);
        return undefined;
      }
    };

    const pullDefault = () => {
      if (reader.into !== undefined) {
        const before = reader;
        release(before);
        reader = readables.acquire(stream);
        forwardError(reader);
      }
      readables.read(reader, {
        chunk(chunk: Uint8Array<ArrayBuffer>) {
          queueMicrotask(() => {
            againFirst = againSecond = false;
            let other: Uint8Array<ArrayBuffer> | undefined = chunk;
            if (!canceled.first && !canceled.second && (other = copied(chunk)) === undefined) return;
            if (!canceled.first) enqueue(of(first), chunk);
            if (!canceled.second) enqueue(of(second), other);
            again();
          });
        },
        close() {
          reading = false;
          if (!canceled.first) close(of(first));
          if (!canceled.second) close(of(second));
          if (of(first).pending.length > 0) respond(of(first), 0);
          if (of(second).pending.length > 0) respond(of(second), 0);
          canceled.ended();
        },
        error() {
          reading = false;
        },
      });
    };

    const pullByob = (view: Uint8Array<ArrayBuffer>, isSecond: boolean) => {
      if (reader.into === undefined) {
        const before = reader;
        readables.release(before);
        reader = acquire(stream);
        forwardError(reader);
      }
      const mine = isSecond ? second : first, other = isSecond ? first : second;
      const isCanceled = (branch: ReadableRecord) => (branch === second ? canceled.second : canceled.first);
      readInto(reader, view, 1, {
        chunk(chunk) {
          queueMicrotask(() => {
            againFirst = againSecond = false;
            if (!isCanceled(other)) {
              const copy = copied(chunk);
              if (copy === undefined) return;
              if (!isCanceled(mine)) respondWithView(of(mine), chunk);
              enqueue(of(other), copy);
            } else if (!isCanceled(mine)) {
              respondWithView(of(mine), chunk);
            }
            again();
          });
        },
        close(chunk) {
          reading = false;
          if (!isCanceled(mine)) close(of(mine));
          if (!isCanceled(other)) close(of(other));
          if (chunk !== undefined) {
            if (!isCanceled(mine)) respondWithView(of(mine), chunk);
            if (!isCanceled(other) && of(other).pending.length > 0) respond(of(other), 0);
          }
          canceled.ended();
        },
        error() {
          reading = false;
        },
      });
    };

    const pull = (isSecond: boolean): Promise<unknown> => {
      if (reading) {
        if (isSecond) againSecond = true;
        else againFirst = true;
        return done;
      }
      reading = true;
      const wanted = request(of(isSecond ? second : first));
      if (wanted === null) pullDefault();
      else pullByob(viewOf(wanted), isSecond);
      return done;
    };

    const first = create(() => pull(false), (reason) => canceled.cancel(false, reason));
    const second = create(() => pull(true), (reason) => canceled.cancel(true, reason));
    forwardError(reader);
    const both: ReadableRecord[] = list();
    push(both, first);
    push(both, second);
    return both;
  }

  defineInterface(ReadableByteStreamController, "ReadableByteStreamController");
  defineInterface(ReadableStreamBYOBRequest, "ReadableStreamBYOBRequest");
  defineInterface(ReadableStreamBYOBReader, "ReadableStreamBYOBReader");
  return {
    ReadableByteStreamController, ReadableStreamBYOBReader, ReadableStreamBYOBRequest,
    readableBytes: { __proto__: null, close, create, end, enqueue, errorRequests, fail, ofBytes, setUp, tee, ReadableStreamBYOBReader },
  };
};
