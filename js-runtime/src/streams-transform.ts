// TransformStream: https://streams.spec.whatwg.org/#ts
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { apply, promiseResolve, promiseThen, RangeError, TypeError } = intrinsics;
  const { callback, deferred, defineInterface, dictionary, isObject, promiseCall, rejected } = ops.library_value("webidl");
  const queues: StreamQueues = ops.library_value("queues"), readables: Readables = ops.library_value("readables"), writables: Writables = ops.library_value("writables");
  const TOKEN = { __proto__: null };
  const gone = undefined as any;

  interface Transform {
    readable: ReadableRecord;
    writable: WritableRecord;
    backpressure: boolean;
    change: Deferred<undefined>;
    instance: any;
    transform: ((chunk: unknown) => Promise<unknown>) | undefined;
    flush: (() => Promise<unknown>) | undefined;
    cancel: ((reason: unknown) => Promise<unknown>) | undefined;
    finishing: Deferred<undefined> | undefined;
  }

  const none = () => promiseResolve(undefined);
  const controllerOf = (transform: Transform) => transform.readable.controller as DefaultControllerRecord;

  function initialize(transform: Transform, start: Promise<unknown>, writableMark: number, writableSize: (chunk: unknown) => number, readableMark: number, readableSize: (chunk: unknown) => number): void {
    transform.writable = writables.create(
      () => start,
      (chunk) => write(transform, chunk),
      () => close(transform),
      (reason) => abort(transform, reason),
      writableMark,
      writableSize,
    );
    transform.readable = readables.create(
      () => start,
      () => {
        setBackpressure(transform, false);
        return transform.change.promise;
      },
      (reason) => cancel(transform, reason),
      readableMark,
      readableSize,
    );
    transform.change = deferred();
    transform.backpressure = true;
  }

  function setBackpressure(transform: Transform, backpressure: boolean): void {
    transform.change.resolve(undefined);
    transform.change = deferred();
    transform.backpressure = backpressure;
  }

  function forget(transform: Transform): void {
    transform.transform = transform.flush = transform.cancel = undefined;
  }

  function error(transform: Transform, reason: unknown): void {
    readables.errorController(controllerOf(transform), reason);
    errorWritable(transform, reason);
  }

  function errorWritable(transform: Transform, reason: unknown): void {
    forget(transform);
    writables.errorIfNeeded(transform.writable.controller, reason);
    if (transform.backpressure) setBackpressure(transform, false);
  }

  function enqueue(transform: Transform, chunk: unknown): void {
    const controller = controllerOf(transform);
    if (!readables.canCloseOrEnqueue(controller)) throw new TypeError("the readable side is closed already, or failed");
    try {
      readables.enqueue(controller, chunk);
    } catch (reason) {
      errorWritable(transform, reason);
      throw transform.readable.error;
    }
    if (readables.hasBackpressure(controller) !== transform.backpressure) setBackpressure(transform, true);
  }

  function terminate(transform: Transform): void {
    readables.closeController(controllerOf(transform));
    errorWritable(transform, new TypeError("the transform was terminated"));
  }

  // ---- the writable side ----

  function write(transform: Transform, chunk: unknown): Promise<unknown> {
    if (!transform.backpressure) return perform(transform, chunk);
    const { promise, resolve, reject } = deferred<unknown>();
    promiseThen(transform.change.promise, () => {
      if (transform.writable.state === "erroring") reject(transform.writable.error);
      else promiseThen(perform(transform, chunk), resolve, reject);
    });
    return promise;
  }

  function perform(transform: Transform, chunk: unknown): Promise<unknown> {
    const { promise, resolve, reject } = deferred<unknown>();
    promiseThen(transform.transform!(chunk), resolve, (reason) => {
      error(transform, reason);
      reject(reason);
    });
    return promise;
  }

  function abort(transform: Transform, reason: unknown): Promise<unknown> {
    if (transform.finishing !== undefined) return transform.finishing.promise;
    const finishing = (transform.finishing = deferred<undefined>());
    const result = transform.cancel!(reason);
    forget(transform);
    const { readable } = transform;
    promiseThen(result, () => {
      if (readable.state === "errored") return finishing.reject(readable.error);
      readables.errorController(controllerOf(transform), reason);
      finishing.resolve(undefined);
    }, (failure) => {
      readables.errorController(controllerOf(transform), failure);
      finishing.reject(failure);
    });
    return finishing.promise;
  }

  function close(transform: Transform): Promise<unknown> {
    if (transform.finishing !== undefined) return transform.finishing.promise;
    const finishing = (transform.finishing = deferred<undefined>());
    const result = transform.flush!();
    forget(transform);
    const { readable } = transform;
    promiseThen(result, () => {
      if (readable.state === "errored") return finishing.reject(readable.error);
      readables.closeController(controllerOf(transform));
      finishing.resolve(undefined);
    }, (failure) => {
      readables.errorController(controllerOf(transform), failure);
      finishing.reject(failure);
    });
    return finishing.promise;
  }

  // ---- the readable side ----

  function cancel(transform: Transform, reason: unknown): Promise<unknown> {
    if (transform.finishing !== undefined) return transform.finishing.promise;
    const finishing = (transform.finishing = deferred<undefined>());
    const result = transform.cancel!(reason);
    forget(transform);
    const { writable } = transform;
    promiseThen(result, () => {
      if (writable.state === "errored") return finishing.reject(writable.error);
      writables.errorIfNeeded(writable.controller, reason);
      unblock(transform);
      finishing.resolve(undefined);
    }, (failure) => {
      writables.errorIfNeeded(writable.controller, failure);
      unblock(transform);
      finishing.reject(failure);
    });
    return finishing.promise;
  }

  function unblock(transform: Transform): void {
    if (transform.backpressure) setBackpressure(transform, false);
  }

  /** A transform of the library's own. Who makes much of little waits for room between one chunk and the next. */
  function create(
    each: (chunk: unknown, out: TransformOutput) => Promise<unknown>, end: (out: TransformOutput) => Promise<unknown>, over: () => void = () => {},
  ) {
    const transform = bare();
    const out: TransformOutput = {
      give: (chunk) => enqueue(transform, chunk),
      room: () => (transform.backpressure ? transform.change.promise : promiseResolve(undefined)),
    };
    transform.transform = (chunk) => each(chunk, out);
    transform.flush = () => end(out);
    transform.cancel = () => {
      over();
      return none();
    };
    const one = () => 1;
    initialize(transform, none(), 1, one, 0, one);
    return { readable: transform.readable.instance, writable: transform.writable.instance };
  }

  const bare = (): Transform => ({
    readable: gone, writable: gone, backpressure: false, change: deferred(), instance: gone, transform: undefined, flush: undefined, cancel: undefined, finishing: undefined,
  });

  class TransformStream {
    #transform: Transform;

    constructor(transformer: unknown = undefined, writableStrategy: unknown = undefined, readableStrategy: unknown = undefined) {
      const writableHow = queues.strategy(writableStrategy, "the writable strategy of TransformStream");
      const readableHow = queues.strategy(readableStrategy, "the readable strategy of TransformStream");
      if (transformer !== undefined && !isObject(transformer)) throw new TypeError("the transformer of TransformStream is no object");
      const given = dictionary(transformer, "the transformer of TransformStream"), self = transformer;
      const cancel = callback(given.cancel, "cancel of the transformer"), flush = callback(given.flush, "flush of the transformer");
      const { readableType } = given, start = callback(given.start, "start of the transformer");
      const each = callback(given.transform, "transform of the transformer"), { writableType } = given;
      if (readableType !== undefined || writableType !== undefined) throw new RangeError("transformers have no types yet");
      const readableMark = queues.highWaterMark(readableHow, 0), readableSize = queues.sizeOf(readableHow);
      const writableMark = queues.highWaterMark(writableHow, 1), writableSize = queues.sizeOf(writableHow);
      const transform = bare(), started = deferred<unknown>();
      this.#transform = transform;
      initialize(transform, started.promise, writableMark, writableSize, readableMark, readableSize);
      const controller = new TransformStreamDefaultController(TOKEN, transform);
      const pass = (chunk: unknown) => {
        try {
          enqueue(transform, chunk);
          return none();
        } catch (error) {
          return rejected(error);
        }
      };
      transform.transform = each === undefined ? pass : (chunk) => promiseCall(each, self, [chunk, controller]);
      transform.flush = flush === undefined ? none : () => promiseCall(flush, self, [controller]);
      transform.cancel = cancel === undefined ? none : (reason) => promiseCall(cancel, self, [reason]);
      const result: unknown = start === undefined ? undefined : apply(start, self, [controller]);
      if (isObject(result)) promiseThen(promiseResolve(result), started.resolve, started.reject);
      else started.resolve(result);
    }

    get readable() {
      return this.#transform.readable.instance;
    }
    get writable() {
      return this.#transform.writable.instance;
    }
  }

  class TransformStreamDefaultController {
    #transform: Transform;
    constructor(token: unknown = undefined, transform: Transform = gone) {
      if (token !== TOKEN) throw new TypeError("a TransformStreamDefaultController comes with its stream");
      this.#transform = transform;
    }
    get desiredSize() {
      return readables.desiredSize(controllerOf(this.#transform));
    }
    enqueue(chunk: unknown = undefined) {
      enqueue(this.#transform, chunk);
    }
    error(reason: unknown = undefined) {
      error(this.#transform, reason);
    }
    terminate() {
      terminate(this.#transform);
    }
  }

  defineInterface(TransformStream, "TransformStream");
  defineInterface(TransformStreamDefaultController, "TransformStreamDefaultController");
  return { TransformStream, TransformStreamDefaultController, transforms: { __proto__: null, create } };
};
