// Made of js-runtime/src/body.ts by `cargo xtask generate`.
// Bodies of requests and responses: https://fetch.spec.whatwg.org/#body-mixin
((ops     , intrinsics            ) => {
  const { bytesSet, charCodeAt, defineProperty, indexOf, isView, join, list, parse, promiseResolve, promiseThen, push, slice, toLowerCase, trim } = intrinsics;
  const { TypeError, Uint8Array, viewBuffer, viewByteLength, viewOffset, typedArrayTag } = intrinsics;
  const { bytesOf, deferred, handled, isBuffer, isObject, rejected, usvString } = ops.library_value("webidl");
  const readables = ()            => ops.library_value("readables");
  const lists              = ops.library_value("headerLists");

  const copy = (bytes            )                          => {
    const all = new Uint8Array(viewByteLength(bytes));
    bytesSet(all, bytes);
    return all;
  };
  function concat(parts              , length        )                          {
    const all = new Uint8Array(length);
    for (let i = 0, at = 0; i < parts.length; i++) {
      bytesSet(all, parts[i], at);
      at += viewByteLength(parts[i]);
    }
    return all;
  }
  const encode = (text        )                          => ops.text_encode(text);
  const decode = (bytes            )         => ops.text_decode("utf-8", undefined, bytes, false, false, false).text;

  const ofBytes = (bytes                         )             => ({ bytes, stream: undefined, taken: false });
  const ofStream = (stream                )             => ({ bytes: undefined, stream, taken: false });

  function extract(value         )                                                 {
    if (isObject(value)) {
      const stream = readables().recordOf(value);
      if (stream !== undefined) {
        if (stream.disturbed || readables().locked(stream)) throw new TypeError("the stream is in use, or was read from already");
        return { body: ofStream(stream), type: undefined };
      }
      if (isView(value) || isBuffer(value)) return { body: ofBytes(copy(bytesOf(value))), type: undefined };
      const blobs = ops.library_value("blobs");
      if (blobs.isBlob(value)) return { body: ofBytes(blobs.bytesOf(value)), type: blobs.typeOf(value) === "" ? undefined : blobs.typeOf(value) };
      if (ops.library_value("forms").isForm(value)) return multipart(value);
      const query                     = ops.library_value("queryOf")(value);
      if (query !== undefined) return { body: ofBytes(encode(query)), type: "application/x-www-form-urlencoded;charset=UTF-8" };
    }
    return { body: ofBytes(encode(usvString(value))), type: "text/plain;charset=UTF-8" };
  }

  // ---- multipart: https://html.spec.whatwg.org/#multipart-form-data ----

  function escaped(text        )         {
    const parts           = list();
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = charCodeAt(text, i), as = unit === 10 ? "%0A" : unit === 13 ? "%0D" : unit === 34 ? "%22" : undefined;
      if (as === undefined) continue;
      push(parts, slice(text, from, i));
      push(parts, as);
      from = i + 1;
    }
    push(parts, slice(text, from));
    return join(parts, "");
  }

  /** Every line break becomes the one of the network. */
  function lines(text        )         {
    const parts           = list();
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = charCodeAt(text, i);
      if (unit !== 10 && unit !== 13) continue;
      push(parts, slice(text, from, i));
      if (unit === 13 && charCodeAt(text, i + 1) === 10) i++;
      from = i + 1;
    }
    push(parts, slice(text, from));
    return join(parts, "\r\n");
  }

  function multipart(form         )                                     {
    const entries                      = ops.library_value("forms").entriesOf(form), blobs = ops.library_value("blobs");
    const random             = ops.crypto_random(16);
    let boundary = "----formdata-perennial-";
    for (let i = 0; i < 10; i++) boundary += intrinsics.numberToString(random[i] + 256, 16);
    const parts               = list();
    let length = 0;
    const add = (bytes            ) => {
      push(parts, bytes);
      length += viewByteLength(bytes);
    };
    for (let i = 0; i < entries.length; i++) {
      const name = entries[i][0], value = entries[i][1];
      const head = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + escaped(lines(name)) + "\"";
      if (typeof value === "string") {
        add(encode(head + "\r\n\r\n" + lines(value)));
      } else {
        const type = blobs.typeOf(value);
        add(encode(head + "; filename=\"" + escaped(blobs.fileOf(value).name) + "\"\r\nContent-Type: " + (type === "" ? "application/octet-stream" : type) + "\r\n\r\n"));
        add(blobs.bytesOf(value));
      }
      add(encode("\r\n"));
    }
    add(encode("--" + boundary + "--\r\n"));
    return { body: ofBytes(concat(parts, length)), type: "multipart/form-data; boundary=" + boundary };
  }

  // ---- reading ----

  const isUsed = (body                   ) => body !== null && (body.taken || (body.stream !== undefined && body.stream.disturbed));
  const isUnusable = (body                   ) => isUsed(body) || (body !== null && body.stream !== undefined && readables().locked(body.stream));

  function stream(body            )      {
    if (body.stream === undefined) {
      const made                 = (body.stream = ops.library_value("readableBytes").ofBytes(body.bytes ));
      // Of a body that was read already, so was its stream.
      if (body.taken) handled(readables().cancel(made, undefined));
    }
    return body.stream .instance;
  }

  function clone(body            )             {
    if (body.stream === undefined) return ofBytes(body.bytes );
    const branches                   = body.stream.controller.isByte ? ops.library_value("readableBytes").tee(body.stream) : ops.library_value("tee").tee(body.stream);
    body.stream = branches[0];
    body.bytes = undefined;
    return ofStream(branches[1]);
  }

  function consume(body                   )                                   {
    if (body === null) return promiseResolve(new Uint8Array(0));
    if (isUnusable(body)) return rejected(new TypeError("the body was read already, or is being read"));
    body.taken = true;
    if (body.stream === undefined) return promiseResolve(body.bytes );
    const reader = readables().acquire(body.stream), { promise, resolve, reject } = deferred                         (), parts               = list();
    let length = 0;
    const next = () =>
      readables().read(reader, {
        chunk(chunk) {
          if (!isView(chunk) || typedArrayTag(chunk) !== "Uint8Array") {
            const error = new TypeError("the stream of a body gives Uint8Arrays, and this one gave something else");
            handled(readables().cancelReader(reader, error));
            return reject(error);
          }
          push(parts, chunk              );
          length += viewByteLength(chunk);
          // Not at once: a long stream of what is there already would be as many calls deep.
          intrinsics.queueMicrotask(next);
        },
        close: () => resolve(parts.length === 1 ? (parts[0]                           ) : concat(parts, length)),
        error: reject,
      });
    next();
    return promise;
  }

  /** The value of a parameter of a MIME type, in quotes or not. */
  function parameter(type        , name        )                     {
    const at = indexOf(toLowerCase(type), name + "=");
    if (at < 0) return undefined;
    const rest = slice(type, at + name.length + 1), isQuoted = charCodeAt(rest, 0) === 34;
    const end = isQuoted ? indexOf(rest, "\"", 1) : indexOf(rest, ";");
    return isQuoted ? slice(rest, 1, end < 0 ? rest.length : end) : trim(end < 0 ? rest : slice(rest, 0, end));
  }

  function formOf(bytes            , type        )      {
    const essence = trim(toLowerCase(indexOf(type, ";") < 0 ? type : slice(type, 0, indexOf(type, ";")))), form = ops.library_value("forms").make(), blobs = ops.library_value("blobs");
    if (essence === "application/x-www-form-urlencoded") {
      // A mark at its beginning is a part of the first name.
      const pairs = ops.url_query_parse(ops.text_decode("utf-8", undefined, bytes, false, false, true).text);
      for (let i = 0; i < pairs.length; i++) push(form.entries, [pairs[i][0], pairs[i][1]]);
      return form.form;
    }
    const boundary = parameter(type, "boundary");
    if (essence !== "multipart/form-data" || boundary === undefined) throw new TypeError("a body of the type '" + type + "' is no form");
    const parts = ops.multipart_parse(boundary, bytes);
    for (let i = 0; i < parts.length; i += 5) {
      const name = parts[i], filename = parts[i + 1], type = parts[i + 2], from = parts[i + 3];
      const content = copy(new Uint8Array(viewBuffer(bytes), viewOffset(bytes) + from, parts[i + 4] - from));
      push(form.entries, [name, filename === null ? decode(content) : blobs.makeFile(content, type === null ? "text/plain" : type, filename)]);
    }
    return form.form;
  }

  function mixin(prototype        , bodyOf                                                                                     , name        )       {
    const notOne = () => new TypeError("this is no " + name);
    const read =    (self         , convert                                                     )             => {
      const record = bodyOf(self);
      if (record === undefined) return rejected(notOne());
      const { promise, resolve, reject } = deferred   ();
      promiseThen(consume(record.body), (bytes) => {
        try {
          resolve(convert(bytes, lists.get(record.headers, "content-type") ?? ""));
        } catch (error) {
          reject(error);
        }
      }, reject);
      return promise;
    };
    const methods = {
      arrayBuffer() {
        return read(this, (bytes) => viewBuffer(copy(bytes)));
      },
      blob() {
        return read(this, (bytes, type) => ops.library_value("blobs").make(bytes, toLowerCase(type)));
      },
      bytes() {
        return read(this, copy);
      },
      formData() {
        return read(this, formOf);
      },
      json() {
        return read(this, (bytes) => parse(decode(bytes)));
      },
      text() {
        return read(this, decode);
      },
      get body() {
        const record = bodyOf(this);
        if (record === undefined) throw notOne();
        return record.body === null ? null : stream(record.body);
      },
      get bodyUsed() {
        const record = bodyOf(this);
        if (record === undefined) throw notOne();
        return isUsed(record.body);
      },
    };
    const names = intrinsics.ownKeys(methods);
    for (let i = 0; i < names.length; i++) defineProperty(prototype, names[i], intrinsics.getOwnPropertyDescriptor(methods, names[i]) );
  }

  const bodies         = { extract, ofStream, isUsed, isUnusable, clone, stream, consume, mixin };
  return { bodies };
})
