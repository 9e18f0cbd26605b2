// artifacts: what scripts produce for whoever calls them.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { bytesSet, freeze, Uint8Array, viewByteLength } = intrinsics;
  const { bytesOf, domString, placed } = ops.library_value("webidl");
  const { dataOf, encodingOf, optionsOf, textOf }: FsShared = ops.library_value("fsShared");
  // What is under way is held outside the heap.
  const { turn, done } = (ops.library_value("queues") as StreamQueues).gate(4);

  async function ask(name: string, path: unknown, bytes: Uint8Array | undefined): Promise<any> {
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

  async function writeBytes(name: unknown, data: unknown): Promise<void> {
    // As it is now, whenever its turn comes.
    const given = bytesOf(data), bytes = new Uint8Array(viewByteLength(given));
    bytesSet(bytes, given);
    return await ask("artifact_write", name, bytes);
  }

  const artifacts = freeze({
    /** A text, or bytes. */
    write: async (name: unknown, data: unknown): Promise<void> => {
      const bytes = dataOf(data, { __proto__: null });
      return await (typeof data === "string" ? ask("artifact_write", name, bytes) : writeBytes(name, bytes));
    },
    writeBytes,
    /** Bytes, or a text in an encoding. */
    read: async (name: unknown, options: unknown = undefined) => {
      const encoding = encodingOf(optionsOf(options)), bytes = await ask("artifact_read", name, undefined);
      return encoding === undefined ? (ops.library_value("buffers") as Buffers).wrap(bytes) : textOf(bytes, encoding);
    },
    list: (): { name: string; bytes: number }[] => ops.artifact_list(),
    remove: async (name: unknown): Promise<void> => await ask("artifact_remove", name, undefined),
  });
  return { artifacts };
};
