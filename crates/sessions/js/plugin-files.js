// ctx.fs of plugins: files of the host, each plugin's own.
(function (ops, intrinsics) {
  "use strict";
  const { freeze } = intrinsics;

  // What is read is held outside the heap until it is delivered, whichever plugin reads.
  const { turn, done } = ops.library_value("queues").gate(4);
  async function read(name, method, path) {
    await turn();
    try {
      return await ops.files_read_for(name, method, path);
    } finally {
      done();
    }
  }

  return {
    filesFor: (name) => freeze({
      __proto__: null,
      readText: (path) => read(name, "readText", path),
      readBytes: (path) => read(name, "readBytes", path),
      list: (path) => read(name, "list", path),
    }),
  };
})
