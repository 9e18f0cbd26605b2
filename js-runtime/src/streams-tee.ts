// Two readable streams of one: https://streams.spec.whatwg.org/#abstract-opdef-readablestreamdefaulttee
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { asArray, list, promiseResolve, promiseThen, push, queueMicrotask } = intrinsics;
  const { deferred } = ops.library_value("webidl");
  const readables: Readables = ops.library_value("readables");

  function tee(stream: ReadableRecord): ReadableRecord[] {
    const reader = readables.acquire(stream), done = promiseResolve(undefined);
    let reading = false, again = false;
    const canceled = teeCancel(stream);
    const pull = (): Promise<unknown> => {
      if (reading) {
        again = true;
        return done;
      }
      reading = true;
      readables.read(reader, {
        chunk(chunk) {
          queueMicrotask(() => {
            again = false;
            if (!canceled.first) readables.enqueue(first.controller as DefaultControllerRecord, chunk);
            if (!canceled.second) readables.enqueue(second.controller as DefaultControllerRecord, chunk);
            reading = false;
            if (again) pull();
          });
        },
        close() {
          reading = false;
          if (!canceled.first) readables.closeController(first.controller as DefaultControllerRecord);
          if (!canceled.second) readables.closeController(second.controller as DefaultControllerRecord);
          canceled.ended();
        },
        error() {
          reading = false;
        },
      });
      return done;
    };
    const nothing = () => undefined;
    const first = readables.create(nothing, pull, (reason) => canceled.cancel(false, reason));
    const second = readables.create(nothing, pull, (reason) => canceled.cancel(true, reason));
    promiseThen(reader.closed.promise, undefined, (reason) => {
      readables.errorController(first.controller as DefaultControllerRecord, reason);
      readables.errorController(second.controller as DefaultControllerRecord, reason);
      canceled.ended();
    });
    const both: ReadableRecord[] = list();
    push(both, first);
    push(both, second);
    return both;
  }

  /** The stream is cancelled when both branches are. */
  function teeCancel(stream: ReadableRecord): TeeCancel {
    const { promise, resolve, reject } = deferred<undefined>();
    let firstReason: unknown, secondReason: unknown;
    const state: TeeCancel = {
      first: false,
      second: false,
      ended() {
        if (!state.first || !state.second) resolve(undefined);
      },
      fail(reason) {
        promiseThen(readables.cancel(stream, reason), resolve as any, reject);
      },
      cancel(isSecond, reason) {
        if (isSecond) {
          state.second = true;
          secondReason = reason;
        } else {
          state.first = true;
          firstReason = reason;
        }
        if (state.first && state.second) {
          const reasons: unknown[] = list();
          push(reasons, firstReason);
          push(reasons, secondReason);
          state.fail(asArray(reasons));
        }
        return promise;
      },
    };
    return state;
  }

  return { tee: { __proto__: null, tee, teeCancel } };
};
