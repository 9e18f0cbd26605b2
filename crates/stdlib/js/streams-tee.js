// Made of js-runtime/src/streams-tee.ts by `cargo xtask generate`.
// Two readable streams of one: https://streams.spec.whatwg.org/#abstract-opdef-readablestreamdefaulttee
((ops     , intrinsics            ) => {
  const { asArray, list, promiseResolve, promiseThen, push, queueMicrotask } = intrinsics;
  const { deferred } = ops.library_value("webidl");
  const readables            = ops.library_value("readables");

  function tee(stream                )                   {
    const reader = readables.acquire(stream), done = promiseResolve(undefined);
    let reading = false, again = false;
    const canceled = teeCancel(stream);
    const pull = ()                   => {
      if (reading) {
        again = true;
        return done;
      }
      reading = true;
      readables.read(reader, {
        chunk(chunk) {
          queueMicrotask(() => {
            again = false;
            if (!canceled.first) readables.enqueue(first.controller                           , chunk);
            if (!canceled.second) readables.enqueue(second.controller                           , chunk);
            reading = false;
            if (again) pull();
          });
        },
        close() {
          reading = false;
          if (!canceled.first) readables.closeController(first.controller                           );
          if (!canceled.second) readables.closeController(second.controller                           );
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
      readables.errorController(first.controller                           , reason);
      readables.errorController(second.controller                           , reason);
      canceled.ended();
    });
    const both                   = list();
    push(both, first);
    push(both, second);
    return both;
  }

  /** The stream is cancelled when both branches are. */
  function teeCancel(stream                )            {
    const { promise, resolve, reject } = deferred           ();
    let firstReason         , secondReason         ;
    const state            = {
      first: false,
      second: false,
      ended() {
        if (!state.first || !state.second) resolve(undefined);
      },
      fail(reason) {
        promiseThen(readables.cancel(stream, reason), resolve       , reject);
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
          const reasons            = list();
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
})
