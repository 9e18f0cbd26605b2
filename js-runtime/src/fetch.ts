// fetch: https://fetch.spec.whatwg.org/#fetch-method What it may reach, the host decides.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { finalization, finalizationRegister, freeze, indexOf, isView, list, promiseResolve, promiseThen, push, typedArrayTag, TypeError, viewByteLength } = intrinsics;
  const { deferred, handled, placed, required } = ops.library_value("webidl");
  const bodies: Bodies = ops.library_value("bodies"), responses = ops.library_value("responses"), signals: Signals = ops.library_value("signals");
  const requestOf: (value: unknown) => RequestRecord | undefined = ops.library_value("requestOf");

  /** Requests that wait for the head of their response; more wait here, where they are counted. */
  const MOST = 64;
  const { turn, done } = ops.library_value("queues").gate(MOST);
  // A response that nobody reads is let go of when it is collected.
  const forgotten = finalization<number>((id) => ops.fetch_close(id));

  /** What a data: URL holds: https://fetch.spec.whatwg.org/#scheme-fetch It takes nobody's leave. */
  function dataResponse(request: RequestRecord): any {
    const found = ops.data_url(request.url);
    if (found === null) throw new TypeError("this is no data: URL that can be read");
    if (request.method !== "GET" && request.method !== "HEAD") throw new TypeError("a data: URL is fetched by GET, not by " + request.method);
    const record = responses.plain(), pairs: [string, string][] = list();
    push(pairs, ["content-type", found.type]);
    record.type = "basic";
    record.url = request.url;
    record.statusText = "OK";
    record.headers = { pairs, immutable: true };
    record.body = request.method === "HEAD" ? null : bodies.extract(found.body).body;
    return responses.make(record);
  }

  /** Sends a stream piece by piece, as fast as it is taken. */
  function upload(id: number, body: BodyRecord, fail: (reason: unknown) => void): void {
    const readables: Readables = ops.library_value("readables"), reader = readables.acquire(body.stream!);
    const stop = (reason: unknown) => {
      if (reason !== undefined) fail(reason);
      handled(readables.cancelReader(reader, reason));
      ops.fetch_close(id);
    };
    const next = () =>
      readables.read(reader, {
        chunk(chunk) {
          if (!isView(chunk) || typedArrayTag(chunk) !== "Uint8Array") return stop(new TypeError("the stream of a body gives Uint8Arrays"));
          promiseThen(ops.fetch_write(id, chunk), (goesOn) => (goesOn ? next() : stop(undefined)), stop);
        },
        close: () => ops.fetch_finish(id),
        error: stop,
      });
    next();
  }

  async function run(request: RequestRecord, plugin: string | undefined): Promise<any> {
    const { body, signal } = request, { promise: aborted, reject: abort } = deferred<never>();
    handled(aborted);
    const state = signals.stateOf(signal);
    if (state.aborted) throw state.reason;
    if (indexOf(request.url, "data:") === 0) return dataResponse(request);
    let id: number | undefined, download: ReadableRecord | undefined;
    const onAbort = () => {
      const { reason } = signals.stateOf(signal);
      abort(reason);
      if (id !== undefined) ops.fetch_close(id);
      if (body !== null && body.stream !== undefined && body.stream.state === "readable") {
        handled((ops.library_value("readables") as Readables).cancel(body.stream, reason));
      }
      if (download !== undefined) ops.library_value("readableBytes").fail(download.controller, reason);
    };
    signals.listen(signal, onAbort);
    const mine = turn();
    try {
      await race(mine, aborted);
    } catch (error) {
      // Its turn comes nevertheless.
      promiseThen(mine, done);
      throw error;
    }
    try {
      const streams = body !== null && body.bytes === undefined, bytes = body === null ? undefined : body.bytes;
      const opened: number = (id = ops.fetch_open(bytes === undefined ? 0 : viewByteLength(bytes), streams, request.method, request.url, plugin));
      const wanted = { method: request.method, url: request.url, headers: request.headers.pairs, redirect: request.redirect, omit: plugin !== undefined || request.credentials === "omit" };
      if (body !== null) body.taken = true;
      const sent = bytes === undefined ? ops.fetch_send(opened, wanted) : ops.fetch_send(opened, wanted, bytes);
      if (streams) upload(opened, body!, abort);
      const head: any = await race(sent, aborted);
      const { isAll } = head;
      let first: Uint8Array | null | undefined = viewByteLength(head.first) > 0 ? head.first : undefined;
      if (isAll) ops.fetch_close(opened);
      download = ops.library_value("readableBytes").create(async () => {
        const readableBytes = ops.library_value("readableBytes");
        try {
          const chunk = first !== undefined ? first : isAll ? null : await ops.fetch_read(opened);
          first = undefined;
          if (chunk === null) {
            signals.ignore(signal, onAbort);
            ops.fetch_close(opened);
            readableBytes.end(download!.controller);
          } else if (viewByteLength(chunk) > 0) {
            readableBytes.enqueue(download!.controller, chunk);
          }
        } catch (error) {
          ops.fetch_close(opened);
          throw signals.stateOf(signal).aborted ? signals.stateOf(signal).reason : error;
        }
      }, () => {
        signals.ignore(signal, onAbort);
        ops.fetch_close(opened);
        return promiseResolve(undefined);
      }) as ReadableRecord;
      finalizationRegister(forgotten, download.instance, opened);
      const record = responses.plain();
      record.type = "basic";
      record.url = head.url;
      record.redirected = head.redirected;
      record.status = head.status;
      record.statusText = head.statusText;
      const pairs: [string, string][] = list();
      for (let i = 0; i < head.headers.length; i++) push(pairs, head.headers[i]);
      record.headers = { pairs, immutable: true };
      const isEmpty = head.status === 204 || head.status === 205 || head.status === 304 || request.method === "HEAD";
      if (isEmpty) ops.fetch_close(opened);
      record.body = isEmpty ? null : bodies.ofStream(download);
      return responses.make(record);
    } catch (error) {
      if (id !== undefined) ops.fetch_close(id);
      signals.ignore(signal, onAbort);
      throw error;
    } finally {
      done();
    }
  }

  /** The first of two, where the second only ever fails. */
  function race<T>(first: Promise<T>, second: Promise<never>): Promise<T> {
    const { promise, resolve, reject } = deferred<T>();
    promiseThen(first, resolve as (value: T) => void, reject);
    promiseThen(second, undefined, reject);
    return promise;
  }

  async function fetch(input: unknown, init: unknown = undefined) {
    required(1, arguments.length, "fetch");
    const Request = ops.library_value("Request");
    return await placed(() => run(requestOf(new Request(input, init))!, undefined));
  }
  /** For a plugin, under its own policy and without the session's cookies. */
  const fetchFor = (plugin: string) =>
    async function fetch(input: unknown, init: unknown = undefined) {
      required(1, arguments.length, "fetch");
      const Request = ops.library_value("Request");
      return await placed(() => run(requestOf(new Request(input, init))!, plugin));
    };

  const perennial = freeze({
    /** What stands for a secret until a request leaves for where it may go. */
    secret: (name: string): string => ops.secret(name),
  });
  return { fetch, fetchFor, perennial };
};
