// Made of js-runtime/src/show.ts by `cargo xtask generate`.
// show: images for whoever reads the answer.
((ops     , intrinsics            ) => {
  const { bytesOf, dictionary, domString } = ops.library_value("webidl");

  async function show(image         , options          = undefined)                {
    const { type } = dictionary(options, "the options of show");
    const blobs = ops.library_value("blobs");
    const bytes             =
      typeof image === "string" ? await ops.library_value("artifacts").read(image) : blobs.isBlob(image) ? blobs.bytesOf(image) : bytesOf(image);
    ops.show(bytes, type === undefined ? undefined : domString(type));
  }
  return { show };
})
