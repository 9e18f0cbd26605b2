// show: images for whoever reads the answer.

/**
 * Adds an image to the answer of the script that runs, or between two runs to the next one: bytes of a file, or the name of an artifact. At most 4 and 1.5 MB an answer; beyond that it rejects with a
 * QuotaExceededError. What the bytes are, they say themselves; another `type` is a TypeError.
 */
declare function show(
  image: ArrayBuffer | ArrayBufferView | Blob | string,
  options?: { type?: "image/png" | "image/jpeg" | "image/gif" | "image/webp" },
): Promise<void>;
