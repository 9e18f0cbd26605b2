// Made of js-runtime/src/streams-readable.ts by `cargo xtask generate`.
// ReadableStream with its default reader and controller: https://streams.spec.whatwg.org/#rs
((ops     , intrinsics            ) => {
  const { apply, asArray, asyncIterator, asyncIteratorPrototype, defineProperty, iterator, list, promiseResolve, promiseThen, push, setPrototypeOf, toStringTag } = intrinsics;
  const { RangeError, String, TypeError } = intrinsics;
  const { alias, callback, deferred, defineInterface, dictionary, domString, enforceRange, handled, isObject, promiseCall, rejected, required } = ops.library_value("webidl");
  const queues               = ops.library_value("queues");
  // Not loaded before somebody asks for them.
  const bytes = () => ops.library_value("readableBytes");
  const writables = ()            => ops.library_value("writables");

  const TOKEN = { __proto__: null };
  const gone = undefined       ;

  // ---- streams ----

  const bare = ()                 => ({ instance: gone, state: "readable", error: undefined, disturbed: false, reader: undefined, controller: gone });
  const locked = (stream                ) => stream.reader !== undefined;
  const requests = (stream                ) => stream.reader .requests.length;

  function close(stream                )       {
    stream.state = "closed";
    const { reader } = stream;
    if (reader === undefined) return;
    reader.closed.resolve(undefined);
    while (reader.requests.length > 0) queues.dequeue(reader.requests).close();
  }

  function error(stream                , reason         )       {
    stream.state = "errored";
    stream.error = reason;
    const { reader } = stream;
    if (reader === undefined) return;
    reader.closed.reject(reason);
    handled(reader.closed.promise);
    if (reader.into === undefined) errorRequests(reader, reason);
    else bytes().errorRequests(reader, reason);
  }

  function errorRequests(reader              , reason         )       {
    const waiting = reader.requests;
    reader.requests = queues.queue();
    while (waiting.length > 0) queues.dequeue(waiting).error(reason);
  }

  /** https://streams.spec.whatwg.org/#readable-stream-cancel */
  async function cancel(stream                , reason         )                     {
    stream.disturbed = true;
    if (stream.state === "closed") return;
    if (stream.state === "errored") throw stream.error;
    close(stream);
    const { reader } = stream;
    if (reader !== undefined && reader.into !== undefined) {
      const waiting = reader.into;
      reader.into = queues.queue();
      while (waiting.length > 0) queues.dequeue(waiting).close(undefined);
    }
    await stream.controller.cancelSteps(reason);
  }

  function fulfill(stream                , chunk         , done         )       {
    const request = queues.dequeue(stream.reader .requests);
    if (done) request.close();
    else request.chunk(chunk);
  }

  // ---- readers ----

  function newReader(stream                            , into         )               {
    const reader               = { stream: undefined, closed: gone, requests: queues.queue(), into: into ? queues.queue() : undefined };
    if (stream !== undefined) attach(reader, stream);
    return reader;
  }

  function attach(reader              , stream                )       {
    if (locked(stream)) throw new TypeError("the stream is locked to another reader");
    reader.stream = stream;
    stream.reader = reader;
    reader.closed = deferred();
    if (stream.state === "closed") reader.closed.resolve(undefined);
    else if (stream.state === "errored") {
      reader.closed.reject(stream.error);
      handled(reader.closed.promise);
    }
  }

  const acquire = (stream                ) => newReader(stream, false);

  function cancelReader(reader              , reason         )                     {
    return reader.stream === undefined ? rejected(released()) : cancel(reader.stream, reason);
  }

  const released = () => new TypeError("the reader has released its stream");

  function genericRelease(reader              )       {
    const stream = reader.stream ;
    if (stream.state === "readable") {
      reader.closed.reject(released());
    } else {
      reader.closed = deferred();
      reader.closed.reject(released());
    }
    handled(reader.closed.promise);
    stream.controller.releaseSteps();
    stream.reader = undefined;
    reader.stream = undefined;
  }

  function release(reader              )       {
    genericRelease(reader);
    errorRequests(reader, released());
  }

  function read(reader              , request             )       {
    const stream = reader.stream ;
    stream.disturbed = true;
    if (stream.state === "closed") request.close();
    else if (stream.state === "errored") request.error(stream.error);
    else stream.controller.pullSteps(request);
  }

  // ---- the default controller ----

  function controllerOf(stream                , mark        , size                            )                          {
    const controller                          = {
      instance: gone, stream, isByte: false, started: false, closeRequested: false, pulling: false, pullAgain: false, mark, pull: undefined,
      cancel: undefined, queue: queues.queue(), size,
      pullSteps(request) {
        if (controller.queue.length > 0) {
          const chunk = queues.dequeue(controller.queue);
          if (controller.closeRequested && controller.queue.length === 0) {
            forget(controller);
            close(stream);
          } else {
            pullIfNeeded(controller);
          }
          request.chunk(chunk);
        } else {
          queues.enqueue(stream.reader .requests, request, 0);
          pullIfNeeded(controller);
        }
      },
      cancelSteps(reason) {
        queues.clear(controller.queue);
        const result = controller.cancel (reason);
        forget(controller);
        return result;
      },
      releaseSteps() {},
    };
    stream.controller = controller;
    return controller;
  }

  function forget(controller                         )       {
    controller.pull = controller.cancel = controller.size = undefined;
  }

  /** Calls `start` and then, when what it returned has settled, begins to pull. */
  function start(controller                          , start               , then            , fail                           )       {
    promiseThen(promiseResolve(start()), () => {
      controller.started = true;
      then();
    }, fail);
  }

  function startDefault(controller                         , begin               )       {
    start(controller, begin, () => pullIfNeeded(controller), (reason) => errorController(controller, reason));
  }

  const pullIfNeeded = (controller                         ) =>
    callPull(controller, () => shouldPull(controller), (reason) => errorController(controller, reason));

  function callPull(controller                          , should               , fail                           )       {
    if (!should()) return;
    if (controller.pulling) {
      controller.pullAgain = true;
      return;
    }
    controller.pulling = true;
    promiseThen(controller.pull (), () => {
      controller.pulling = false;
      if (!controller.pullAgain) return;
      controller.pullAgain = false;
      callPull(controller, should, fail);
    }, fail);
  }

  function shouldPull(controller                         )          {
    const { stream } = controller;
    if (!canCloseOrEnqueue(controller) || !controller.started) return false;
    if (locked(stream) && requests(stream) > 0) return true;
    return desiredSize(controller)  > 0;
  }

  const canCloseOrEnqueue = (controller                         ) => !controller.closeRequested && controller.stream.state === "readable";
  const hasBackpressure = (controller                         ) => !shouldPull(controller);

  function desiredSize(controller                         )                {
    const { state } = controller.stream;
    return state === "errored" ? null : state === "closed" ? 0 : controller.mark - controller.queue.total;
  }

  function closeController(controller                         )       {
    if (!canCloseOrEnqueue(controller)) return;
    controller.closeRequested = true;
    if (controller.queue.length > 0) return;
    forget(controller);
    close(controller.stream);
  }

  function enqueue(controller                         , chunk         )       {
    if (!canCloseOrEnqueue(controller)) return;
    const { stream } = controller;
    if (locked(stream) && requests(stream) > 0) {
      fulfill(stream, chunk, false);
    } else {
      try {
        queues.enqueue(controller.queue, chunk, controller.size (chunk));
      } catch (reason) {
        errorController(controller, reason);
        throw reason;
      }
    }
    pullIfNeeded(controller);
  }

  function errorController(controller                         , reason         )       {
    if (controller.stream.state !== "readable") return;
    queues.clear(controller.queue);
    forget(controller);
    error(controller.stream, reason);
  }

  /** A stream of the library's own, without a controller yet. */
  function instance()                 {
    const stream = bare();
    new ReadableStream(TOKEN, stream);
    return stream;
  }

  function create(
    begin               , pull                        , cancel                                       , mark = 1, size                             = () => 1,
  )                 {
    const stream = instance();
    const controller = controllerOf(stream, mark, size);
    controller.pull = pull;
    controller.cancel = cancel;
    new ReadableStreamDefaultController(TOKEN, controller);
    startDefault(controller, begin);
    return stream;
  }

  // ---- the classes ----

  let streamOf                                                ;

  const notOne = (name        ) => rejected(new TypeError("this is no " + name));

  class ReadableStream {
    #stream;               ;

    static {
      streamOf = (value) => (isObject(value) && #stream in value ? (value                  ).#stream : undefined);
    }

    constructor(underlyingSource          = undefined, strategy          = undefined) {
      if (underlyingSource === TOKEN) {
        this.#stream = strategy                  ;
        this.#stream.instance = this;
        return;
      }
      const how = queues.strategy(strategy, "the strategy of ReadableStream");
      if (underlyingSource !== undefined && !isObject(underlyingSource)) throw new TypeError("the source of ReadableStream is no object");
      const source = sourceOf(underlyingSource);
      const stream = bare();
      this.#stream = stream;
      stream.instance = this;
      if (source.type === "bytes") {
        if (how.size !== undefined) throw new RangeError("the strategy of a stream of bytes has no size");
        bytes().setUp(stream, source, queues.highWaterMark(how, 0), source.autoAllocateChunkSize);
        return;
      }
      const size = queues.sizeOf(how), controller = controllerOf(stream, queues.highWaterMark(how, 1), size);
      new ReadableStreamDefaultController(TOKEN, controller);
      takeSource(controller, source);
      startDefault(controller, () => (source.start === undefined ? undefined : apply(source.start, source.self, [controller.instance])));
    }

    static from(iterable         ) {
      required(1, arguments.length, "ReadableStream.from");
      return fromIterable(iterable).instance;
    }

    get locked() {
      return locked(this.#stream);
    }

    cancel(reason          = undefined)                     {
      const stream = streamOf(this);
      if (stream === undefined) return notOne("ReadableStream");
      if (locked(stream)) return rejected(new TypeError("a locked stream cannot be cancelled"));
      return cancel(stream, reason);
    }

    getReader(options          = undefined)      {
      const stream = this.#stream;
      const { mode } = dictionary(options, "the argument of ReadableStream.getReader");
      if (mode === undefined) return new ReadableStreamDefaultReader(this);
      if (domString(mode) !== "byob") throw new TypeError("the mode of a reader is \"byob\" or nothing");
      return new (bytes().ReadableStreamBYOBReader)(stream.instance);
    }

    pipeThrough(transform         , options          = undefined)      {
      const stream = this.#stream;
      required(1, arguments.length, "ReadableStream.pipeThrough");
      const { readable } = dictionary(transform, "the transform of ReadableStream.pipeThrough");
      if (streamOf(readable) === undefined) throw new TypeError("readable of the transform is no ReadableStream");
      const target = writables().recordOf((transform       ).writable);
      if (target === undefined) throw new TypeError("writable of the transform is no WritableStream");
      const how = ops.library_value("pipe").options(options);
      if (locked(stream)) throw new TypeError("a locked stream cannot be piped");
      if (writables().locked(target)) throw new TypeError("a stream cannot be piped to a locked one");
      handled(ops.library_value("pipe").pipe(stream, target, how));
      return readable;
    }

    pipeTo(destination         , options          = undefined)                     {
      const stream = streamOf(this);
      if (stream === undefined) return notOne("ReadableStream");
      try {
        required(1, arguments.length, "ReadableStream.pipeTo");
        const target = writables().recordOf(destination);
        if (target === undefined) throw new TypeError("the destination is no WritableStream");
        const how = ops.library_value("pipe").options(options);
        if (locked(stream)) throw new TypeError("a locked stream cannot be piped");
        if (writables().locked(target)) throw new TypeError("a stream cannot be piped to a locked one");
        return ops.library_value("pipe").pipe(stream, target, how);
      } catch (error) {
        return rejected(error);
      }
    }

    tee() {
      const stream = this.#stream;
      const branches                   = stream.controller.isByte ? bytes().tee(stream) : ops.library_value("tee").tee(stream);
      const both            = list();
      push(both, branches[0].instance);
      push(both, branches[1].instance);
      return asArray(both);
    }

    values(options          = undefined) {
      const stream = this.#stream;
      const preventCancel = !!dictionary(options, "the argument of ReadableStream.values").preventCancel;
      return new StreamIterator(acquire(stream), preventCancel);
    }
  }

  function sourceOf(value         )                                                                                                   {
    const given = dictionary(value, "the source of ReadableStream");
    const { autoAllocateChunkSize: wanted } = given;
    const autoAllocateChunkSize = wanted === undefined ? undefined : enforceRange(wanted, 9007199254740991, "autoAllocateChunkSize");
    const cancel = callback(given.cancel, "cancel of the source"), pull = callback(given.pull, "pull of the source");
    const start = callback(given.start, "start of the source"), { type } = given;
    if (type !== undefined && String(type) !== "bytes") throw new TypeError("the type of a source is \"bytes\" or nothing");
    return { self: value, start, pull, cancel, type: type === undefined ? undefined : "bytes", autoAllocateChunkSize };
  }

  function takeSource(controller                          , { self, pull, cancel }                        )       {
    controller.pull = pull === undefined ? () => promiseResolve(undefined) : () => promiseCall(pull, self, [controller.instance]);
    controller.cancel = cancel === undefined ? () => promiseResolve(undefined) : (reason) => promiseCall(cancel, self, [reason]);
  }

  class ReadableStreamDefaultReader {
    #reader;             ;
    constructor(stream         ) {
      required(1, arguments.length, "ReadableStreamDefaultReader");
      const record = streamOf(stream);
      if (record === undefined) throw new TypeError("what ReadableStreamDefaultReader reads is no ReadableStream");
      this.#reader = acquire(record);
    }
    get closed()                     {
      return isObject(this) && #reader in this ? this.#reader.closed.promise : notOne("ReadableStreamDefaultReader");
    }
    cancel(reason          = undefined)                     {
      return isObject(this) && #reader in this ? cancelReader(this.#reader, reason) : notOne("ReadableStreamDefaultReader");
    }
    read()                                             {
      if (!(isObject(this) && #reader in this)) return notOne("ReadableStreamDefaultReader");
      if (this.#reader.stream === undefined) return rejected(released());
      const { promise, resolve, reject } = deferred                                   ();
      read(this.#reader, {
        chunk: (value) => resolve({ value, done: false }),
        close: () => resolve({ value: undefined, done: true }),
        error: reject,
      });
      return promise;
    }
    releaseLock() {
      if (this.#reader.stream !== undefined) release(this.#reader);
    }
  }

  class ReadableStreamDefaultController {
    #controller;                        ;
    constructor(token          = undefined, controller                          = gone) {
      if (token !== TOKEN) throw new TypeError("a ReadableStreamDefaultController comes with its stream");
      this.#controller = controller;
      controller.instance = this;
    }
    get desiredSize() {
      return desiredSize(this.#controller);
    }
    close() {
      if (!canCloseOrEnqueue(this.#controller)) throw new TypeError("the stream is closed already, or failed");
      closeController(this.#controller);
    }
    enqueue(chunk          = undefined) {
      if (!canCloseOrEnqueue(this.#controller)) throw new TypeError("the stream is closed already, or failed");
      enqueue(this.#controller, chunk);
    }
    error(reason          = undefined) {
      errorController(this.#controller, reason);
    }
  }

  // ---- iterating ----

  ;

  /** https://webidl.spec.whatwg.org/#es-asynchronous-iterator-prototype-object */
  class StreamIterator {
    #reader;             ;
    #preventCancel;        ;
    #ongoing;                          ;
    #finished = false;
    constructor(reader              , preventCancel         ) {
      this.#reader = reader;
      this.#preventCancel = preventCancel;
    }

    next()                {
      if (!(isObject(this) && #reader in this)) return notOne("iterator of a ReadableStream");
      return this.#after(({ resolve, reject }) => {
        if (this.#finished) return resolve({ value: undefined, done: true });
        read(this.#reader, {
          chunk: (value) => resolve({ value, done: false }),
          close: () => {
            release(this.#reader);
            resolve({ value: undefined, done: true });
          },
          error: (reason) => {
            release(this.#reader);
            reject(reason);
          },
        });
      });
    }

    return(value         )                {
      if (!(isObject(this) && #reader in this)) return notOne("iterator of a ReadableStream");
      return this.#after(({ resolve, reject }) => {
        if (this.#finished) return resolve({ value, done: true });
        this.#finished = true;
        const done = this.#preventCancel ? promiseResolve(undefined) : cancelReader(this.#reader, value);
        release(this.#reader);
        promiseThen(done, () => resolve({ value, done: true }), reject);
      });
    }

    /** One step after the other. */
    #after(step                                 )                {
      const { promise, resolve, reject } = deferred      (), before = this.#ongoing;
      const go = () => {
        const inner = deferred      ();
        step(inner);
        promiseThen(inner.promise, (result) => {
          this.#ongoing = undefined;
          if (result.done) this.#finished = true;
          resolve(result);
        }, (reason) => {
          this.#ongoing = undefined;
          this.#finished = true;
          reject(reason);
        });
      };
      this.#ongoing = promise;
      if (before === undefined) go();
      else promiseThen(before, go, go);
      return promise;
    }
  }
  const iteratorProto      = StreamIterator.prototype;
  delete iteratorProto.constructor;
  setPrototypeOf(iteratorProto, asyncIteratorPrototype);
  for (let i = 0, names = ["next", "return"]; i < names.length; i++) defineProperty(iteratorProto, names[i], { __proto__: null, enumerable: true }                      );
  defineProperty(iteratorProto, toStringTag, { __proto__: null, value: "ReadableStream AsyncIterator", configurable: true }                      );

  /** https://streams.spec.whatwg.org/#readable-stream-from-iterable */
  function fromIterable(iterable     )                 {
    if (iterable === undefined || iterable === null) throw new TypeError("what ReadableStream.from reads is not iterable");
    let method = iterable[asyncIterator];
    const isAsync = method !== undefined && method !== null;
    if (!isAsync) method = iterable[iterator];
    if (typeof method !== "function") throw new TypeError("what ReadableStream.from reads is not iterable");
    const from      = apply(method, iterable, []);
    if (!isObject(from)) throw new TypeError("an iterator is no object");
    const { next } = from       ;
    const step = (result     )          => {
      if (!isObject(result)) throw new TypeError("what an iterator returned is no object");
      return result;
    };
    const stream                 = create(
      () => undefined,
      async () => {
        const controller = stream.controller                           ;
        const given = apply(next, from, []);
        const result      = step(isAsync ? await promiseResolve(given) : given);
        if (result.done) closeController(controller);
        else enqueue(controller, isAsync ? result.value : await promiseResolve(result.value));
      },
      async (reason) => {
        const method = (from       ).return;
        if (method === undefined || method === null) return;
        const result = apply(method, from, [reason]);
        step(isAsync ? await promiseResolve(result) : result);
      },
      0,
    );
    return stream;
  }

  defineInterface(ReadableStream, "ReadableStream");
  alias(ReadableStream.prototype, "values", asyncIterator);
  defineInterface(ReadableStreamDefaultReader, "ReadableStreamDefaultReader");
  defineInterface(ReadableStreamDefaultController, "ReadableStreamDefaultController");
  const readables            = {
    recordOf: streamOf , create, instance, acquire, read, release, cancel, close, error, locked, requests, fulfill, attach, genericRelease, cancelReader, newReader,
    enqueue, closeController, errorController, canCloseOrEnqueue, hasBackpressure, desiredSize, callPull, start, takeSource,
  };
  return { ReadableStream, ReadableStreamDefaultReader, ReadableStreamDefaultController, readables };
})
