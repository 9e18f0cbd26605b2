// Made of js-runtime/src/show.ts by `cargo xtask generate`.
// show: images for whoever reads the answer.
((ops     , intrinsics            ) => {
  const { defineProperty } = intrinsics;
  const { bytesOf, dictionary, domString } = ops.library_value("webidl");

  async function artifact(name        )                      {
    try {
      return await ops.library_value("artifacts").read(name);
    } catch (error     ) {
      const value = "a text given to show is the name of an artifact, and there is none: " + error.message + "; of a file: show(await fs.readFile(path))";
      defineProperty(error, "message", { __proto__: null, value, writable: true, enumerable: false, configurable: true }                      );
      throw error;
    }
  }

  async function show(image         , options          = undefined)                {
    const { type } = dictionary(options, "the options of show");
    const blobs = ops.library_value("blobs");
    const bytes             =
      typeof image === "string" ? await artifact(image) : blobs.isBlob(image) ? blobs.bytesOf(image) : bytesOf(image);
    ops.show(bytes, type === undefined ? undefined : domString(type));
  }
  return { show };
})
