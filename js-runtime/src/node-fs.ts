// node:fs/promises, which is `fs` with what only Node has: https://nodejs.org/api/fs.html#promises-api
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { getOwnPropertyDescriptor, ownKeys, slice } = intrinsics;
  const { define, leaveOut }: NodeShared = ops.library_value("nodeShared");
  const fs: any = ops.library_value("fs"), { pathOf, encodingOf, optionsOf }: FsShared = ops.library_value("fsShared");

  const promises: any = {}, own: any = { __proto__: null };
  const names = ownKeys(fs);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (name === "exists" || name === "cwd" || name === "chdir" || name === "readStream" || name === "writeStream") continue;
    own[name] = getOwnPropertyDescriptor(fs, name)!.value;
  }
  own.constants = { __proto__: null, F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, COPYFILE_EXCL: 1 };
  own.mkdtemp = async (prefix: unknown, options: unknown = undefined): Promise<string> => {
    encodingOf(optionsOf(options));
    const path = pathOf(prefix) + slice(ops.base64url_encode(ops.crypto_random(6)), 0, 6);
    await fs.mkdir(path);
    return path;
  };
  define(promises, own);
  leaveOut(promises, "fs", ["chmod", "chown", "lchmod", "lchown", "link", "lutimes", "opendir", "statfs", "watch"], "files here have no owners, no permissions and no watchers");
  return { "node:fs/promises": intrinsics.freeze(promises) };
};
