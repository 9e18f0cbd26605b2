// artifacts: what scripts produce for whoever calls them. Without a folder that is lent to the run, every call is a PermissionError.

declare const artifacts: {
  /** A text, or bytes. What was there under the name is replaced; a file is there as a whole or not at all. */
  write(name: string, data: string | ArrayBuffer | ArrayBufferView): Promise<void>;
  writeBytes(name: string, data: ArrayBuffer | ArrayBufferView): Promise<void>;
  /** What was produced; nothing else that is in the folder. */
  read(name: string, options?: { encoding?: null }): Promise<Buffer>;
  read(name: string, options: FileText | { encoding: FileText }): Promise<string>;
  list(): { name: string; bytes: number }[];
  remove(name: string): Promise<void>;
};
