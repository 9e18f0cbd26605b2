// Made of js-runtime/src/artifacts.ts by `cargo xtask generate`.
// artifacts: what scripts produce for whoever calls them.
((ops     , intrinsics            ) => {
  const { bytesSet, freeze, Uint8Array, viewByteLength } = intrinsics;
  const { bytesOf, domString, placed } = ops.library_value("webidl");
  const { dataOf, encodingOf, optionsOf, textOf }           = ops.library_value("fsShared");
  // What is under way is held outside the heap.
  const { turn, done } = (ops.library_value("queues")                ).gate(4);

  async function ask(name        , path         , bytes                        )               {
    const text = domString(path);
    return await placed(async () => {
      await turn();
      try {
        return await (bytes === undefined ? ops[name](text) : ops[name](text, bytes));
      } finally {
        done();
      }
    });
  }

  async function writeBytes(name         , data         )                {
    // As it is now, whenever its turn comes.
    const given = bytesOf(data), bytes = new Uint8Array(viewByteLength(given));
    bytesSet(bytes, given);
    return await ask("artifact_write", name, bytes);
  }

  const artifacts = freeze({
    /** A text, or bytes. */
    write: async (name         , data         )                => {
      const bytes = dataOf(data, { __proto__: null });
      return await (typeof data === "string" ? ask("artifact_write", name, bytes) : writeBytes(name, bytes));
    },
    writeBytes,
    /** Bytes, or a text in an encoding. */
    read: async (name         , options          = undefined) => {
      const encoding = encodingOf(optionsOf(options)), bytes = await ask("artifact_read", name, undefined);
      return encoding === undefined ? (ops.library_value("buffers")           ).wrap(bytes) : textOf(bytes, encoding);
    },
    list: ()                                    => ops.artifact_list(),
    remove: async (name         )                => await ask("artifact_remove", name, undefined),
  });
  return { artifacts };
})
