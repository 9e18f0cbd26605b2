// show: images for whoever reads the answer.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { defineProperty } = intrinsics;
  const { bytesOf, dictionary, domString } = ops.library_value("webidl");

  async function artifact(name: string): Promise<Uint8Array> {
    try {
      return await ops.library_value("artifacts").read(name);
    } catch (error: any) {
      const value = "a text given to show is the name of an artifact, and there is none: " + error.message + "; of a file: show(await fs.readFile(path))";
      defineProperty(error, "message", { __proto__: null, value, writable: true, enumerable: false, configurable: true } as PropertyDescriptor);
      throw error;
    }
  }

  async function show(image: unknown, options: unknown = undefined): Promise<void> {
    const { type } = dictionary(options, "the options of show");
    const blobs = ops.library_value("blobs");
    const bytes: Uint8Array =
      typeof image === "string" ? await artifact(image) : blobs.isBlob(image) ? blobs.bytesOf(image) : bytesOf(image);
    ops.show(bytes, type === undefined ? undefined : domString(type));
  }
  return { show };
};
