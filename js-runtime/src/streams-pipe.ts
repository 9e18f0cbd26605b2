// Piping one stream to another: https://streams.spec.whatwg.org/#readable-stream-pipe-to
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { promiseResolve, promiseThen, queueMicrotask, Promise, TypeError } = intrinsics;
  const { deferred, dictionary, handled } = ops.library_value("webidl");
  const readables: Readables = ops.library_value("readables"), writables: Writables = ops.library_value("writables");
  const signals: Signals = ops.library_value("signals");

  // What one pipe writes the next may read at once, and so on: a long chain of them takes a breath now and then.
  const MOST = 20;
  let depth = 0;

  function options(value: unknown): PipeOptions {
    const given = dictionary(value, "the options of a pipe");
    const preventAbort = !!given.preventAbort, preventCancel = !!given.preventCancel, preventClose = !!given.preventClose, { signal } = given;
    if (signal !== undefined && !signals.isSignal(signal)) throw new TypeError("the signal of a pipe is no AbortSignal");
    return { preventAbort, preventCancel, preventClose, signal };
  }

  function pipe(source: ReadableRecord, target: WritableRecord, { preventAbort, preventCancel, preventClose, signal }: PipeOptions): Promise<undefined> {
    const reader = readables.acquire(source), writer = writables.acquire(target);
    source.disturbed = true;
    const { promise, resolve, reject } = deferred<undefined>();
    let shuttingDown = false, current: Promise<unknown> = promiseResolve(undefined);

    function loop(): void {
      if (shuttingDown) return;
      promiseThen(writer.ready.promise, () => {
        if (shuttingDown) return;
        readables.read(reader, {
          chunk(chunk) {
            if (depth < MOST) {
              depth++;
              try {
                current = handled(writables.write(writer, chunk));
              } finally {
                depth--;
              }
              return loop();
            }
            const { promise: wrote, resolve: done } = deferred<undefined>();
            current = wrote;
            queueMicrotask(() => {
              promiseThen(writables.write(writer, chunk), done, done as () => void);
              loop();
            });
          },
          close() {},
          error() {},
        });
      }, nothing);
    }
    const nothing = () => {};

    /** What was read is written before anything is closed. */
    function written(then: () => void): void {
      const last = current;
      const check = () => (last === current ? then() : written(then));
      promiseThen(last, check, check);
    }

    function shutDown(action: (() => Promise<unknown>) | undefined, isError: boolean, error: unknown): void {
      if (shuttingDown) return;
      shuttingDown = true;
      const act = () => {
        if (action === undefined) return finish(isError, error);
        promiseThen(action(), () => finish(isError, error), (reason) => finish(true, reason));
      };
      if (target.state === "writable" && !writables.closeQueuedOrInFlight(target)) written(act);
      else act();
    }

    function finish(isError: boolean, error: unknown): void {
      writables.release(writer);
      readables.release(reader);
      if (signal !== undefined) signals.ignore(signal, onAbort);
      if (isError) reject(error);
      else resolve(undefined);
    }

    function onAbort(): void {
      const { reason } = signals.stateOf(signal!);
      shutDown(() => {
        const none = promiseResolve(undefined);
        const aborted = !preventAbort && target.state === "writable" ? writables.abort(target, reason) : none;
        const canceled = !preventCancel && source.state === "readable" ? readables.cancel(source, reason) : none;
        return both(aborted, canceled);
      }, true, reason);
    }

    function sourceFailed(): void {
      const { error } = source;
      shutDown(preventAbort ? undefined : () => writables.abort(target, error), true, error);
    }
    function targetFailed(): void {
      const { error } = target;
      shutDown(preventCancel ? undefined : () => readables.cancel(source, error), true, error);
    }
    function sourceClosed(): void {
      shutDown(preventClose ? undefined : () => writables.closeWithErrorPropagation(writer), false, undefined);
    }
    function targetClosed(): void {
      const error = new TypeError("the stream that was piped to is closed");
      shutDown(preventCancel ? undefined : () => readables.cancel(source, error), true, error);
    }

    if (signal !== undefined) {
      if (signals.stateOf(signal).aborted) {
        onAbort();
        return promise;
      }
      signals.listen(signal, onAbort);
    }
    // What is so already comes before what will be, in this order.
    if (source.state === "errored") sourceFailed();
    else promiseThen(reader.closed.promise, undefined, sourceFailed);
    if (target.state === "erroring" || target.state === "errored") targetFailed();
    else promiseThen(writer.closed.promise, undefined, targetFailed);
    if (source.state === "closed") sourceClosed();
    else promiseThen(reader.closed.promise, sourceClosed, nothing);
    if (writables.closeQueuedOrInFlight(target) || target.state === "closed") targetClosed();
    loop();
    return promise;
  }

  /** When both have settled; fails with the first failure. */
  function both(first: Promise<unknown>, second: Promise<unknown>): Promise<undefined> {
    return new Promise((resolve, reject) => {
      let open = 2;
      const one = () => {
        if (--open === 0) resolve(undefined);
      };
      promiseThen(first, one, reject);
      promiseThen(second, one, reject);
    });
  }

  return { pipe: { __proto__: null, options, pipe } };
};
