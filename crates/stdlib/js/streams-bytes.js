// Made of js-runtime/src/streams-bytes.ts by `cargo xtask generate`.
// Readable streams of bytes, which can be read into buffers of one's own: https://streams.spec.whatwg.org/#rbs-controller-class
((ops     , intrinsics            ) => {
  const { apply, arrayBufferDetached, arrayBufferLength, arrayBufferSlice, arrayBufferTransfer, bytesSet, isView, promiseThen, queueMicrotask, typedArrayKinds } = intrinsics;
  const { list, promiseResolve, push, typedArrayLength, typedArrayTag, viewBuffer, viewByteLength, viewOffset, ArrayBuffer, DataView, RangeError, TypeError, Uint8Array } = intrinsics;
  const { deferred, defineInterface, dictionary, enforceRange, isObject, rejected, required } = ops.library_value("webidl");
  const queues               = ops.library_value("queues"), readables            = ops.library_value("readables");
  const TOKEN = { __proto__: null };
  const gone = undefined       ;
  const MOST = 9007199254740991;
  /** What a stream of bytes that are there gives at a time. */
  const CHUNK = 65536;

  /** A buffer that somebody wants filled. */
  ;











  ;




  ;







  const min = (a        , b        ) => (a < b ? a : b);
  const head = (controller                ) => controller.pending.first .value;

  function makeView({ buffer, offset, kind }          , length        )                  {
    return kind === undefined ? new DataView(buffer, offset, length) : new typedArrayKinds[kind](buffer, offset, length);
  }

  // ---- the controller ----

  function controllerOf(stream                , mark        , auto                    )                 {
    const controller                 = {
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
          const wanted           = { buffer, bufferLength: auto, offset: 0, length: auto, filled: 0, least: 1, elementSize: 1, kind: "Uint8Array", reader: "default" };
          queues.enqueue(controller.pending, wanted, 0);
        }
        queues.enqueue(stream.reader .requests, request, 0);
        pullIfNeeded(controller);
      },
      cancelSteps(reason) {
        clearPending(controller);
        clearQueue(controller);
        const result = controller.cancel (reason);
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

  function setUp(stream                , source                        , mark        , auto                    )       {
    if (auto === 0) throw new TypeError("autoAllocateChunkSize is 0");
    const controller = controllerOf(stream, mark, auto);
    readables.takeSource(controller, source);
    begin(controller, () => (source.start === undefined ? undefined : apply(source.start, source.self, [controller.instance])));
  }

  function create(pull                        , cancel                                       , mark = 0)                 {
    const stream = readables.instance(), controller = controllerOf(stream, mark, undefined);
    controller.pull = pull;
    controller.cancel = cancel;
    begin(controller, () => undefined);
    return stream;
  }

  /** A stream of copies of bytes that are there already. */
  function ofBytes(bytes                         )                 {
    const size = viewByteLength(bytes), done = () => promiseResolve(undefined);
    let at = 0;
    const stream                 = create(() => {
      const controller = stream.controller                  ;
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

  const begin = (controller                , start               ) =>
    readables.start(controller, start, () => pullIfNeeded(controller), (reason) => fail(controller, reason));
  const pullIfNeeded = (controller                ) =>
    readables.callPull(controller, () => shouldPull(controller), (reason) => fail(controller, reason));

  function shouldPull(controller                )          {
    const { stream } = controller;
    if (stream.state !== "readable" || controller.closeRequested || !controller.started) return false;
    const { reader } = stream;
    if (reader !== undefined && (reader.into === undefined ? reader.requests : reader.into).length > 0) return true;
    return desiredSize(controller)  > 0;
  }

  function desiredSize(controller                )                {
    const { state } = controller.stream;
    return state === "errored" ? null : state === "closed" ? 0 : controller.mark - controller.total;
  }

  function forget(controller                )       {
    controller.pull = controller.cancel = undefined;
  }

  function clearQueue(controller                )       {
    queues.clear(controller.queue);
    controller.total = 0;
  }

  function clearPending(controller                )       {
    invalidate(controller);
    queues.clear(controller.pending);
  }

  function close(controller                )       {
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
  function end(controller                )       {
    close(controller);
    if (controller.pending.length > 0) respond(controller, 0);
  }

  const partial = () => new TypeError("the stream was closed in the middle of an element");

  function fail(controller                , reason         )       {
    if (controller.stream.state !== "readable") return;
    clearPending(controller);
    clearQueue(controller);
    forget(controller);
    readables.error(controller.stream, reason);
  }

  function drained(controller                )       {
    if (controller.total === 0 && controller.closeRequested) {
      forget(controller);
      readables.close(controller.stream);
    } else {
      pullIfNeeded(controller);
    }
  }

  // ---- filling ----

  function enqueue(controller                , view                 )       {
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

  function append(controller                , buffer             , offset        , length        )       {
    queues.enqueue(controller.queue, { buffer, offset, length }, 0);
    controller.total += length;
  }

  function appendCopy(controller                , buffer             , offset        , length        )       {
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
  function keepFilled(controller                , wanted          )       {
    if (wanted.filled > 0) appendCopy(controller, wanted.buffer, wanted.offset, wanted.filled);
    queues.dequeue(controller.pending);
  }

  /** Fills from the queue; whether that was enough. */
  function fill(controller                , wanted          )          {
    let rest = min(controller.total, wanted.length - wanted.filled), isEnough = false;
    const most = wanted.filled + rest, aligned = most - (most % wanted.elementSize);
    if (aligned >= wanted.least) {
      rest = aligned - wanted.filled;
      isEnough = true;
    }
    while (rest > 0) {
      const chunk = controller.queue.first .value, count = min(rest, chunk.length);
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

  function fillRequest(controller                , request             )       {
    const { buffer, offset, length } = queues.dequeue(controller.queue);
    controller.total -= length;
    drained(controller);
    request.chunk(new Uint8Array(buffer, offset, length));
  }

  function fillPending(controller                )             {
    const filled             = list();
    while (controller.pending.length > 0 && controller.total > 0) {
      const wanted = head(controller);
      if (fill(controller, wanted)) {
        queues.dequeue(controller.pending);
        push(filled, wanted);
      }
    }
    return filled;
  }

  function commitAll(controller                , filled            )       {
    for (let i = 0; i < filled.length; i++) commit(controller.stream, filled[i]);
  }

  function convert(wanted          )                  {
    wanted.buffer = arrayBufferTransfer(wanted.buffer);
    return makeView(wanted, wanted.filled / wanted.elementSize);
  }

  function commit(stream                , wanted          )       {
    const done = stream.state === "closed", view = convert(wanted);
    if (wanted.reader === "default") return readables.fulfill(stream, view, done);
    const request = queues.dequeue(stream.reader .into );
    if (done) request.close(view);
    else request.chunk(view);
  }

  function pullInto(controller                , view                 , least        , request                 )       {
    const { stream } = controller, kind = typedArrayTag(view);
    const elementSize = kind === undefined ? 1 : typedArrayKinds[kind].BYTES_PER_ELEMENT;
    const offset = viewOffset(view), length = viewByteLength(view);
    let buffer;
    try {
      buffer = arrayBufferTransfer(viewBuffer(view));
    } catch (error) {
      return request.error(error);
    }
    const wanted           = { buffer, bufferLength: arrayBufferLength(buffer), offset, length, filled: 0, least: least * elementSize, elementSize, kind, reader: "byob" };
    const { into } = stream.reader ;
    if (controller.pending.length > 0) {
      queues.enqueue(controller.pending, wanted, 0);
      queues.enqueue(into , request, 0);
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
    queues.enqueue(into , request, 0);
    pullIfNeeded(controller);
  }

  // ---- answering requests ----

  function respond(controller                , written        )       {
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

  function respondWithView(controller                , view                 )       {
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

  function responded(controller                , written        )       {
    const first = head(controller), { stream } = controller;
    invalidate(controller);
    if (stream.state === "closed") respondedClosed(controller, first);
    else respondedReadable(controller, first, written);
    pullIfNeeded(controller);
  }

  function respondedClosed(controller                , first          )       {
    if (first.reader === "none") queues.dequeue(controller.pending);
    const { reader } = controller.stream;
    if (reader === undefined || reader.into === undefined) return;
    const filled             = list();
    while (filled.length < reader.into.length) push(filled, queues.dequeue(controller.pending));
    commitAll(controller, filled);
  }

  function respondedReadable(controller                , first          , written        )       {
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

  function request(controller                )                                   {
    if (controller.request === undefined && controller.pending.length > 0) {
      const { buffer, offset, filled, length } = head(controller);
      controller.request = new ReadableStreamBYOBRequest(TOKEN, controller, new Uint8Array(buffer, offset + filled, length - filled));
    }
    return controller.request === undefined ? null : controller.request;
  }

  function invalidate(controller                )       {
    if (controller.request === undefined) return;
    forgetRequest(controller.request);
    controller.request = undefined;
  }

  function errorRequests(reader              , reason         )       {
    const waiting = reader.into ;
    reader.into = queues.queue();
    while (waiting.length > 0) queues.dequeue(waiting).error(reason);
  }

  function readInto(reader              , view                 , least        , request                 )       {
    const stream = reader.stream ;
    stream.disturbed = true;
    if (stream.state === "errored") request.error(stream.error);
    else pullInto(stream.controller                  , view, least, request);
  }

  // ---- the classes ----

  let forgetRequest                                              ;
  let viewOf                                                                 ;

  /** A view of a buffer that is not shared. */
  function ownView(value         , what        )                                   {
    if (!isView(value)) throw new TypeError(what + " is no view of an ArrayBuffer");
    arrayBufferLength(viewBuffer(value));
  }

  class ReadableByteStreamController {
    #controller;               ;
    constructor(token          = undefined, controller                 = gone) {
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
    enqueue(chunk         ) {
      const controller = this.#controller;
      required(1, arguments.length, "ReadableByteStreamController.enqueue");
      ownView(chunk, "the chunk");
      if (viewByteLength(chunk) === 0 || arrayBufferLength(viewBuffer(chunk)) === 0) throw new TypeError("the chunk is empty");
      if (controller.closeRequested || controller.stream.state !== "readable") throw new TypeError("the stream is closed already, or failed");
      enqueue(controller, chunk);
    }
    error(reason          = undefined) {
      fail(this.#controller, reason);
    }
  }

  class ReadableStreamBYOBRequest {
    #controller;                           ;
    #view;                               ;
    static {
      forgetRequest = (request) => {
        request.#controller = undefined;
        request.#view = null;
      };
      viewOf = (request) => request.#view ;
    }
    constructor(token          = undefined, controller                 = gone, view                          = gone) {
      if (token !== TOKEN) throw new TypeError("a ReadableStreamBYOBRequest comes from its controller");
      this.#controller = controller;
      this.#view = view;
    }
    get view() {
      return this.#view;
    }
    respond(bytesWritten        ) {
      const controller = this.#controller;
      required(1, arguments.length, "ReadableStreamBYOBRequest.respond");
      const written = enforceRange(bytesWritten, MOST, "what was written");
      if (controller === undefined) throw answered();
      if (arrayBufferDetached(viewBuffer(this.#view ))) throw new TypeError("the buffer of the request is detached");
      respond(controller, written);
    }
    respondWithNewView(view         ) {
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
    #reader;             ;
    constructor(stream         ) {
      required(1, arguments.length, "ReadableStreamBYOBReader");
      const record = readables.recordOf(stream);
      if (record === undefined) throw new TypeError("what ReadableStreamBYOBReader reads is no ReadableStream");
      this.#reader = acquire(record);
    }
    get closed()                     {
      return isObject(this) && #reader in this ? this.#reader.closed.promise : notOne();
    }
    cancel(reason          = undefined)                     {
      return isObject(this) && #reader in this ? readables.cancelReader(this.#reader, reason) : notOne();
    }
    read(view         , options          = undefined)                                             {
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
      const { promise, resolve, reject } = deferred                                   ();
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

  function acquire(stream                )               {
    if (!stream.controller.isByte) throw new TypeError("the stream is none of bytes");
    return readables.newReader(stream, true);
  }

  function release(reader              )       {
    readables.genericRelease(reader);
    errorRequests(reader, released());
  }

  // ---- two of one ----

  function tee(stream                )                   {
    let reader = readables.acquire(stream), reading = false, againFirst = false, againSecond = false;
    const done = promiseResolve(undefined), canceled            = ops.library_value("tee").teeCancel(stream);
    const of = (branch                ) => branch.controller                  ;

    const forwardError = (mine              ) => {
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
    const copied = (chunk                 )                                      => {
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
        chunk(chunk                         ) {
          queueMicrotask(() => {
            againFirst = againSecond = false;
            let other                                      = chunk;
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

    const pullByob = (view                         , isSecond         ) => {
      if (reader.into === undefined) {
        const before = reader;
        readables.release(before);
        reader = acquire(stream);
        forwardError(reader);
      }
      const mine = isSecond ? second : first, other = isSecond ? first : second;
      const isCanceled = (branch                ) => (branch === second ? canceled.second : canceled.first);
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

    const pull = (isSecond         )                   => {
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
    const both                   = list();
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
})
