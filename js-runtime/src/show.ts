// show: images for whoever reads the answer.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { bytesOf, dictionary, domString } = ops.library_value("webidl");

  async function show(image: unknown, options: unknown = undefined): Promise<void> {
    const { type } = dictionary(options, "the options of show");
    const blobs = ops.library_value("blobs");
    const bytes: Uint8Array =
      typeof image === "string" ? await ops.library_value("artifacts").read(image) : blobs.isBlob(image) ? blobs.bytesOf(image) : bytesOf(image);
    ops.show(bytes, type === undefined ? undefined : domString(type));
  }
  return { show };
};
