// WritableStream with its writer and controller: https://streams.spec.whatwg.org/#ws
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { apply, promiseResolve, promiseThen, RangeError, TypeError } = intrinsics;
  const { callback, deferred, defineInterface, dictionary, handled, isObject, promiseCall, rejected, required } = ops.library_value("webidl");
  const queues: StreamQueues = ops.library_value("queues");
  const signals = (): Signals => ops.library_value("signals");
  const TOKEN = { __proto__: null }, CLOSE = { __proto__: null };
  const gone = undefined as any;

  const settled = (): Deferred<undefined> => {
    const state = deferred<undefined>();
    state.resolve(undefined);
    return state;
  };
  const failed = (reason: unknown): Deferred<undefined> => {
    const state = deferred<undefined>();
    state.reject(reason);
    handled(state.promise);
    return state;
  };

  // ---- streams ----

  const bare = (): WritableRecord => ({
    instance: gone, state: "writable", error: undefined, writer: undefined, controller: gone, requests: queues.queue(), inFlight: undefined, closing: undefined,
    closingInFlight: undefined, aborting: undefined, backpressure: false,
  });
  const locked = (stream: WritableRecord) => stream.writer !== undefined;
  const closeQueuedOrInFlight = (stream: WritableRecord) => stream.closing !== undefined || stream.closingInFlight !== undefined;
  const isOver = (stream: WritableRecord) => stream.state === "closed" || stream.state === "errored";

  function abort(stream: WritableRecord, given: unknown): Promise<undefined> {
    if (isOver(stream)) return promiseResolve(undefined);
    const { controller } = stream;
    if (controller.aborted === undefined) {
      controller.aborted = { reason: given };
      if (controller.signal !== undefined) signals().abort(controller.signal, given);
    }
    if (isOver(stream)) return promiseResolve(undefined);
    if (stream.aborting !== undefined) return stream.aborting.deferred.promise;
    const wasErroring = stream.state === "erroring", reason = wasErroring ? undefined : given;
    const request = deferred<undefined>();
    stream.aborting = { deferred: request, reason, wasErroring };
    if (!wasErroring) startErroring(stream, reason);
    return request.promise;
  }

  function close(stream: WritableRecord): Promise<undefined> {
    if (isOver(stream)) return rejected(new TypeError("the stream is closed already, or failed"));
    const request = deferred<undefined>(), { controller, writer } = stream;
    stream.closing = request;
    if (writer !== undefined && stream.backpressure && stream.state === "writable") ready(writer);
    queues.enqueue(controller.queue, CLOSE, 0);
    advance(controller);
    return request.promise;
  }

  function dealWithRejection(stream: WritableRecord, error: unknown): void {
    if (stream.state === "writable") startErroring(stream, error);
    else finishErroring(stream);
  }

  function startErroring(stream: WritableRecord, reason: unknown): void {
    stream.state = "erroring";
    stream.error = reason;
    if (stream.writer !== undefined) rejectReady(stream.writer, reason);
    if (stream.inFlight === undefined && stream.closingInFlight === undefined && stream.controller.started) finishErroring(stream);
  }

  function finishErroring(stream: WritableRecord): void {
    stream.state = "errored";
    const { controller } = stream;
    queues.clear(controller.queue);
    while (stream.requests.length > 0) queues.dequeue(stream.requests).reject(stream.error);
    const request = stream.aborting;
    if (request === undefined) return rejectClosing(stream);
    stream.aborting = undefined;
    if (request.wasErroring) {
      request.deferred.reject(stream.error);
      rejectClosing(stream);
      return;
    }
    const result = controller.abort!(request.reason);
    forget(controller);
    promiseThen(result, () => {
      request.deferred.resolve(undefined);
      rejectClosing(stream);
    }, (reason) => {
      request.deferred.reject(reason);
      rejectClosing(stream);
    });
  }

  function rejectClosing(stream: WritableRecord): void {
    if (stream.closing !== undefined) {
      stream.closing.reject(stream.error);
      stream.closing = undefined;
    }
    const { writer } = stream;
    if (writer === undefined) return;
    writer.closed.reject(stream.error);
    writer.closedSettled = true;
    handled(writer.closed.promise);
  }

  function finishClose(stream: WritableRecord): void {
    stream.closingInFlight!.resolve(undefined);
    stream.closingInFlight = undefined;
    if (stream.state === "erroring") {
      stream.error = undefined;
      if (stream.aborting !== undefined) {
        stream.aborting.deferred.resolve(undefined);
        stream.aborting = undefined;
      }
    }
    stream.state = "closed";
    const { writer } = stream;
    if (writer === undefined) return;
    writer.closed.resolve(undefined);
    writer.closedSettled = true;
  }

  function failClose(stream: WritableRecord, error: unknown): void {
    stream.closingInFlight!.reject(error);
    stream.closingInFlight = undefined;
    if (stream.aborting !== undefined) {
      stream.aborting.deferred.reject(error);
      stream.aborting = undefined;
    }
    dealWithRejection(stream, error);
  }

  function updateBackpressure(stream: WritableRecord): void {
    const backpressure = sizeLeft(stream.controller) <= 0, { writer } = stream;
    if (writer !== undefined && backpressure !== stream.backpressure) {
      if (backpressure) {
        writer.ready = deferred();
        writer.readySettled = false;
      } else {
        ready(writer);
      }
    }
    stream.backpressure = backpressure;
  }

  function desiredSize(stream: WritableRecord): number | null {
    if (stream.state === "errored" || stream.state === "erroring") return null;
    return stream.state === "closed" ? 0 : sizeLeft(stream.controller);
  }

  // ---- writers ----

  function ready(writer: WriterRecord): void {
    writer.ready.resolve(undefined);
    writer.readySettled = true;
  }

  function rejectReady(writer: WriterRecord, reason: unknown): void {
    if (writer.readySettled) writer.ready = failed(reason);
    else writer.ready.reject(reason);
    handled(writer.ready.promise);
    writer.readySettled = true;
  }

  function acquire(stream: WritableRecord): WriterRecord {
    if (locked(stream)) throw new TypeError("the stream is locked to another writer");
    const writer: WriterRecord = { stream, ready: gone, readySettled: true, closed: gone, closedSettled: true };
    stream.writer = writer;
    if (stream.state === "writable") {
      const waits = !closeQueuedOrInFlight(stream) && stream.backpressure;
      writer.ready = waits ? deferred() : settled();
      writer.readySettled = !waits;
    } else if (stream.state === "closed") {
      writer.ready = settled();
    } else {
      writer.ready = failed(stream.error);
    }
    if (stream.state === "closed") writer.closed = settled();
    else if (stream.state === "errored") writer.closed = failed(stream.error);
    else {
      writer.closed = deferred();
      writer.closedSettled = false;
    }
    return writer;
  }

  const released = () => new TypeError("the writer has released its stream");

  function release(writer: WriterRecord): void {
    const reason = released();
    rejectReady(writer, reason);
    if (writer.closedSettled) writer.closed = failed(reason);
    else writer.closed.reject(reason);
    handled(writer.closed.promise);
    writer.closedSettled = true;
    writer.stream!.writer = undefined;
    writer.stream = undefined;
  }

  function closeWithErrorPropagation(writer: WriterRecord): Promise<undefined> {
    const stream = writer.stream!;
    if (closeQueuedOrInFlight(stream) || stream.state === "closed") return promiseResolve(undefined);
    return stream.state === "errored" ? rejected(stream.error) : close(stream);
  }

  function write(writer: WriterRecord, chunk: unknown): Promise<undefined> {
    const stream = writer.stream!, { controller } = stream;
    const size = sizeOf(controller, chunk);
    if (stream !== writer.stream) return rejected(released());
    if (stream.state === "errored") return rejected(stream.error);
    if (closeQueuedOrInFlight(stream) || stream.state === "closed") return rejected(new TypeError("the stream is closed, or about to be"));
    if (stream.state === "erroring") return rejected(stream.error);
    const request = deferred<undefined>();
    queues.enqueue(stream.requests, request, 0);
    try {
      queues.enqueue(controller.queue, chunk, size);
    } catch (error) {
      errorIfNeeded(controller, error);
      return request.promise;
    }
    if (!closeQueuedOrInFlight(stream) && (stream.state as string) === "writable") updateBackpressure(stream);
    advance(controller);
    return request.promise;
  }

  // ---- the controller ----

  function controllerOf(stream: WritableRecord, mark: number, size: (chunk: unknown) => number): WritableControllerRecord {
    const controller: WritableControllerRecord = {
      instance: gone, stream, queue: queues.queue(), started: false, mark, size, write: undefined, close: undefined, abort: undefined, signal: undefined, aborted: undefined,
    };
    stream.controller = controller;
    new WritableStreamDefaultController(TOKEN, controller);
    return controller;
  }

  function begin(controller: WritableControllerRecord, start: () => unknown): void {
    const { stream } = controller;
    updateBackpressure(stream);
    promiseThen(promiseResolve(start()), () => {
      controller.started = true;
      advance(controller);
    }, (reason) => {
      controller.started = true;
      dealWithRejection(stream, reason);
    });
  }

  function create(
    start: () => unknown, write: (chunk: unknown) => Promise<unknown>, close: () => Promise<unknown>, abort: (reason: unknown) => Promise<unknown>, mark: number,
    size: (chunk: unknown) => number,
  ): WritableRecord {
    const stream = bare();
    new WritableStream(TOKEN, stream);
    const controller = controllerOf(stream, mark, size);
    controller.write = write;
    controller.close = close;
    controller.abort = abort;
    begin(controller, start);
    return stream;
  }

  function forget(controller: WritableControllerRecord): void {
    controller.write = controller.close = controller.abort = controller.size = undefined;
  }

  const sizeLeft = (controller: WritableControllerRecord) => controller.mark - controller.queue.total;

  function sizeOf(controller: WritableControllerRecord, chunk: unknown): number {
    if (controller.size === undefined) return 1;
    try {
      return controller.size(chunk);
    } catch (error) {
      errorIfNeeded(controller, error);
      return 1;
    }
  }

  function errorIfNeeded(controller: WritableControllerRecord, error: unknown): void {
    if (controller.stream.state !== "writable") return;
    forget(controller);
    startErroring(controller.stream, error);
  }

  function advance(controller: WritableControllerRecord): void {
    const { queue, stream } = controller;
    if (!controller.started || stream.inFlight !== undefined) return;
    if (stream.state === "erroring") return finishErroring(stream);
    if (queue.length === 0) return;
    const chunk = queue.first!.value;
    if (chunk === CLOSE) processClose(controller);
    else processWrite(controller, chunk);
  }

  function processClose(controller: WritableControllerRecord): void {
    const { stream } = controller;
    stream.closingInFlight = stream.closing;
    stream.closing = undefined;
    queues.dequeue(controller.queue);
    const result = controller.close!();
    forget(controller);
    promiseThen(result, () => finishClose(stream), (reason) => failClose(stream, reason));
  }

  function processWrite(controller: WritableControllerRecord, chunk: unknown): void {
    const { stream } = controller;
    stream.inFlight = queues.dequeue(stream.requests);
    promiseThen(controller.write!(chunk), () => {
      stream.inFlight!.resolve(undefined);
      stream.inFlight = undefined;
      queues.dequeue(controller.queue);
      if (!closeQueuedOrInFlight(stream) && stream.state === "writable") updateBackpressure(stream);
      advance(controller);
    }, (reason) => {
      if (stream.state === "writable") forget(controller);
      stream.inFlight!.reject(reason);
      stream.inFlight = undefined;
      dealWithRejection(stream, reason);
    });
  }

  // ---- the classes ----

  let streamOf: (value: unknown) => WritableRecord | undefined;

  class WritableStream {
    #stream: WritableRecord;

    static {
      streamOf = (value) => (isObject(value) && #stream in value ? (value as WritableStream).#stream : undefined);
    }

    constructor(underlyingSink: unknown = undefined, strategy: unknown = undefined) {
      if (underlyingSink === TOKEN) {
        this.#stream = strategy as WritableRecord;
        this.#stream.instance = this;
        return;
      }
      const how = queues.strategy(strategy, "the strategy of WritableStream");
      if (underlyingSink !== undefined && !isObject(underlyingSink)) throw new TypeError("the sink of WritableStream is no object");
      const given = dictionary(underlyingSink, "the sink of WritableStream"), self = underlyingSink;
      const abort = callback(given.abort, "abort of the sink"), close = callback(given.close, "close of the sink");
      const start = callback(given.start, "start of the sink"), { type } = given, write = callback(given.write, "write of the sink");
      if (type !== undefined) throw new RangeError("sinks have no types yet");
      const stream = bare();
      this.#stream = stream;
      stream.instance = this;
      const size = queues.sizeOf(how), controller = controllerOf(stream, queues.highWaterMark(how, 1), size);
      const none = () => promiseResolve(undefined);
      controller.write = write === undefined ? none : (chunk) => promiseCall(write, self, [chunk, controller.instance]);
      controller.close = close === undefined ? none : () => promiseCall(close, self, []);
      controller.abort = abort === undefined ? none : (reason) => promiseCall(abort, self, [reason]);
      begin(controller, () => (start === undefined ? undefined : apply(start, self, [controller.instance])));
    }

    get locked() {
      return locked(this.#stream);
    }
    abort(reason: unknown = undefined): Promise<undefined> {
      const stream = streamOf(this);
      if (stream === undefined) return notOne("WritableStream");
      return locked(stream) ? rejected(new TypeError("a locked stream cannot be aborted")) : abort(stream, reason);
    }
    close(): Promise<undefined> {
      const stream = streamOf(this);
      if (stream === undefined) return notOne("WritableStream");
      if (locked(stream)) return rejected(new TypeError("a locked stream cannot be closed"));
      return closeQueuedOrInFlight(stream) ? rejected(closing()) : close(stream);
    }
    getWriter() {
      this.#stream;
      return new WritableStreamDefaultWriter(this);
    }
  }
  const notOne = (name: string) => rejected(new TypeError("this is no " + name));
  const closing = () => new TypeError("the stream is being closed already");

  class WritableStreamDefaultWriter {
    #writer: WriterRecord;
    constructor(stream: unknown) {
      required(1, arguments.length, "WritableStreamDefaultWriter");
      const record = streamOf(stream);
      if (record === undefined) throw new TypeError("what WritableStreamDefaultWriter writes is no WritableStream");
      this.#writer = acquire(record);
    }
    get closed(): Promise<undefined> {
      return isObject(this) && #writer in this ? this.#writer.closed.promise : notOne("WritableStreamDefaultWriter");
    }
    get desiredSize() {
      const { stream } = this.#writer;
      if (stream === undefined) throw released();
      return desiredSize(stream);
    }
    get ready(): Promise<undefined> {
      return isObject(this) && #writer in this ? this.#writer.ready.promise : notOne("WritableStreamDefaultWriter");
    }
    abort(reason: unknown = undefined): Promise<undefined> {
      if (!(isObject(this) && #writer in this)) return notOne("WritableStreamDefaultWriter");
      const { stream } = this.#writer;
      return stream === undefined ? rejected(released()) : abort(stream, reason);
    }
    close(): Promise<undefined> {
      if (!(isObject(this) && #writer in this)) return notOne("WritableStreamDefaultWriter");
      const { stream } = this.#writer;
      if (stream === undefined) return rejected(released());
      return closeQueuedOrInFlight(stream) ? rejected(closing()) : close(stream);
    }
    releaseLock() {
      if (this.#writer.stream !== undefined) release(this.#writer);
    }
    write(chunk: unknown = undefined): Promise<undefined> {
      if (!(isObject(this) && #writer in this)) return notOne("WritableStreamDefaultWriter");
      return this.#writer.stream === undefined ? rejected(released()) : write(this.#writer, chunk);
    }
  }

  class WritableStreamDefaultController {
    #controller: WritableControllerRecord;
    constructor(token: unknown = undefined, controller: WritableControllerRecord = gone) {
      if (token !== TOKEN) throw new TypeError("a WritableStreamDefaultController comes with its stream");
      this.#controller = controller;
      controller.instance = this;
    }
    get signal() {
      const controller = this.#controller;
      if (controller.signal === undefined) {
        const signal = (controller.signal = signals().create());
        if (controller.aborted !== undefined) signals().abort(signal, controller.aborted.reason);
      }
      return controller.signal;
    }
    error(reason: unknown = undefined) {
      errorIfNeeded(this.#controller, reason);
    }
  }

  defineInterface(WritableStream, "WritableStream");
  defineInterface(WritableStreamDefaultWriter, "WritableStreamDefaultWriter");
  defineInterface(WritableStreamDefaultController, "WritableStreamDefaultController");
  const writables: Writables = {
    recordOf: streamOf!, create, acquire, release, write, abort, close, closeWithErrorPropagation, closeQueuedOrInFlight, errorIfNeeded, desiredSize, locked,
  };
  return { WritableStream, WritableStreamDefaultWriter, WritableStreamDefaultController, writables };
};
